//! The door: help, settings, and exit codes of what cannot start.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

mod cordon;
mod credentials;
mod doctor;
mod flags;
mod stopping;

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::sync::mpsc;

use ecssd_testing::agent::{alone, program, run};
use ecssd_testing::http::listen;
use ecssd_testing::process::{Process, output};
use ecssd_testing::wait::PATIENCE;
use tempfile::TempDir;

#[test]
fn the_status_of_no_agent_is_not_ready_and_says_where_it_was_sought() {
    let state = TempDir::new().unwrap();
    let socket = state.path().join("status.sock");
    let (code, log) = run(&["--status", "--status-socket", socket.to_str().unwrap()], &[]);
    assert_eq!(code, Some(75), "{log}");
    assert!(log.contains("no agent answers at") && log.contains("status.sock"), "{log}");
}

#[test]
fn help_names_every_flag_signal_and_exit_code() {
    let text = output(alone(program()).arg("--help"));
    let flags = [
        "--local",
        "--zone-id",
        "--endpoint-url",
        "--sync",
        "--remove",
        "--status",
        "--watch",
        "--doctor",
        "--cordon",
        "--uncordon",
        "--weight",
        "--for",
        "--status-listen",
        "--status-socket",
        "--sd-listen",
        "--forget",
        "--force",
        "--dry-run",
        "--rate",
        "--burst",
        "--limits",
        "--resync",
        "--dns-listen",
        "--hostname",
        "--address",
        "--state-dir",
        "--docker-socket",
        "--ecs-introspection",
        "--on-term",
        "--drain-delay",
        "--confirm",
        "--drain-timeout",
        "--log-format",
        "--log-level",
        "--janitor",
        "--apply",
        "--clusters",
        "--regions",
        "--assume-roles",
        "--home-networks",
        "--max-deletes",
        "--check-health",
        "--check-health-path",
        "--stop-unhealthy",
        "--json",
    ];
    for word in
        flags.into_iter().chain(["SIGHUP", "SIGTERM", "ECSSD_ZONE", "dig @", "64 ", "69 ", "70 ", "75 "])
    {
        assert!(text.contains(word), "{word} is not in --help");
    }
    assert!(output(alone(program()).arg("--version")).starts_with("ecssd "));
}

#[test]
fn every_bad_setting_is_listed_and_nothing_is_started() {
    let dir = TempDir::new().unwrap();
    let state = dir.path().join("state");
    let state = state.to_str().unwrap();
    let arguments = [
        "--local",
        "-",
        "--address",
        "::1",
        "--drain-timeout",
        "0",
        "--state-dir",
        state,
        "--dns-listen",
        "x",
    ];
    let variables = [("ECSSD_LOG_LEVEL", "loud"), ("ECSSD_NAMES", "_calc._tcp,_web*")];
    let (code, errors) = run(&arguments, &variables);
    assert_eq!(code, Some(64), "{errors}");
    let settings = ["--address", "--drain-timeout", "--dns-listen", "ECSSD_NAMES", "ECSSD_LOG_LEVEL"];
    for setting in settings.into_iter().chain(["has a * within a label", "nothing was started"]) {
        assert!(errors.contains(setting), "{setting}: {errors}");
    }
    assert!(!dir.path().join("state").exists());
}

#[test]
fn an_unknown_flag_is_a_bad_setting_too() {
    let (code, errors) = run(&["--locale"], &[]);
    assert_eq!(code, Some(64), "{errors}");
    assert!(errors.contains("--locale"), "{errors}");
}

#[test]
fn an_address_that_is_taken_is_said_with_its_remedy() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = TempDir::new().unwrap();
    let state = dir.path().to_str().unwrap();
    let (code, errors) =
        run(&["--local", "--address", "127.0.0.1", "--state-dir", state, "--dns-listen", &address], &[]);
    assert_eq!(code, Some(69), "{errors}");
    assert!(errors.contains(&address), "{errors}");
}

#[test]
fn a_state_directory_that_cannot_be_used_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let state = file.path().join("state");
    let state = state.to_str().unwrap();
    let arguments =
        ["--local", "--address", "127.0.0.1", "--state-dir", state, "--dns-listen", "127.0.0.1:0"];
    let (code, errors) = run(&arguments, &[]);
    assert_eq!(code, Some(69), "{errors}");
    assert!(errors.contains(state), "{errors}");
}

#[test]
fn settings_come_from_variables_and_flags_win() {
    let environment =
        [("ECSSD_LOCAL", "true"), ("ECSSD_DNS_LISTEN", "nowhere,elsewhere"), ("ECSSD_ADDRESS", "x")];
    let (code, errors) = run(&["--address", "127.0.0.1"], &environment);
    assert_eq!(code, Some(64), "{errors}");
    assert!(errors.contains("\"nowhere\"") && errors.contains("\"elsewhere\""), "{errors}");
    assert!(!errors.contains("--address"), "{errors}");
}

#[test]
fn a_switch_that_is_neither_on_nor_off_starts_nothing() {
    let words = [("ECSSD_REMOVE", "never"), ("ECSSD_SYNC", "maybe"), ("ECSSD_JANITOR_APPLY", "y")];
    let (code, errors) = run(&[], &words);
    assert_eq!(code, Some(64), "{errors}");
    for setting in [
        "--remove (ECSSD_REMOVE): never is not one of",
        "--sync (ECSSD_SYNC): maybe is not",
        "--apply (ECSSD_JANITOR_APPLY): y is",
    ] {
        assert!(errors.contains(setting), "{setting}: {errors}");
    }
    assert!(errors.contains("nothing was started"), "{errors}");
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let empty =
        ["ECSSD_ZONE", "ECSSD_LIMITS", "ECSSD_RESYNC", "ECSSD_ON_TERM", "ECSSD_REMOVE", "ECSSD_STATE_DIR"];
    let empty: Vec<_> = empty.iter().map(|name| (*name, "")).chain([("ECSSD_RATE", "x")]).collect();
    let (code, errors) = run(&[], &empty);
    assert_eq!(code, Some(64), "{errors}");
    assert!(errors.starts_with("ecssd: --rate (ECSSD_RATE)") && errors.lines().count() == 2, "{errors}");
}

#[test]
fn a_variable_that_sets_nothing_is_named() {
    let mistyped = [("ECSSD_DRYRUN", "1"), ("ECSSD_RATE", "x")];
    let (_, errors) = run(&[], &mistyped);
    let named = "\"ECSSD_DRYRUN\" is no setting of ecssd and changes nothing; did you mean ECSSD_DRY_RUN?";
    assert!(errors.contains(named), "{errors}");
}

/// An endpoint that refuses connections: nobody listens at a port that was just free.
fn nobody() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}

/// An agent that looks for its zone at `endpoint`, and its state directory.
fn waiting(endpoint: &str, environment: &[(&str, &str)]) -> (Process, TempDir) {
    let state = TempDir::new().unwrap();
    let mut command = alone(program());
    command.args(["sd.internal", "--endpoint-url", endpoint, "--hostname", "web1", "--address", "10.0.0.7"]);
    command.arg("--state-dir").arg(state.path()).env("HOME", "/nowhere").envs(environment.iter().copied());
    (Process::start(command), state)
}

#[test]
fn without_credentials_it_says_what_to_do_and_a_signal_ends_the_wait() {
    let (mut agent, _state) = waiting(&nobody(), &[]);
    agent.says("nothing is written");
    agent.says("AWS_ACCESS_KEY_ID");
    assert_eq!(agent.drain(), Some(75));
}

#[test]
fn a_zone_that_cannot_be_asked_for_is_looked_for_again_and_said_once() {
    let (sender, attempts) = mpsc::channel();
    // Whoever asks is cut off.
    let endpoint = listen(move |_, _| {
        sender.send(()).unwrap();
        Ok(false)
    });
    let (mut agent, _state) =
        waiting(&endpoint, &[("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")]);
    for _ in 0..4 {
        attempts.recv_timeout(PATIENCE).expect("another attempt");
    }
    assert_eq!((agent.drain(), agent.said("nothing is written")), (Some(75), 1), "{}", agent.log());
}

#[test]
fn tasks_that_contradict_each_other_are_refused() {
    for more in [&["--sync"][..], &["--status"], &["--remove"], &["--forget", "web1"], &["--janitor"]] {
        let (code, errors) = run(&[&["--doctor"], more].concat(), &[]);
        assert_eq!(code, Some(64), "{more:?}: {errors}");
        assert!(errors.contains("pass --doctor alone"), "{more:?}: {errors}");
    }
    let (code, errors) = run(&["-sync", "-remove"], &[]);
    assert_eq!(code, Some(64), "{errors}");
    assert!(errors.contains("pass one of them"), "{errors}");
}

#[test]
fn a_local_zone_can_be_emptied_of_this_host_without_docker() {
    let dir = TempDir::new().unwrap();
    let state = dir.path().to_str().unwrap();
    let arguments =
        ["--local", "--remove", "--hostname", "web1", "--address", "127.0.0.1", "--state-dir", state];
    let (code, errors) = run(&arguments, &[]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("nothing of this host is left"), "{errors}");
}

#[test]
fn a_plan_of_a_local_zone_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let (state, kept) = (dir.path().join("state"), dir.path().join("kept"));
    let arguments = |state: &Path, rest: &[&str]| {
        let fixed = ["--local", "--remove", "--hostname", "web1", "--address", "127.0.0.1", "--state-dir"];
        run(&[&fixed[..], &[state.to_str().unwrap()], rest].concat(), &[])
    };
    let (code, errors) = arguments(&state, &["--dry-run"]);
    assert_eq!((code, state.exists()), (Some(0), false), "{errors}");
    // One that is there is what the plan is about.
    assert_eq!(arguments(&kept, &["kept.internal"]).0, Some(0));
    let (code, errors) = arguments(&kept, &["other.internal", "--dry-run"]);
    assert!(code == Some(69) && errors.contains("kept.internal"), "{code:?}: {errors}");
    // What cannot be looked at is no empty zone.
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, errors) = arguments(&file, &["--dry-run"]);
    assert!(code == Some(69) && errors.contains("--state-dir"), "{code:?}: {errors}");
}
