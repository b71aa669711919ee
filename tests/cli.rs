//! The door: help, settings, and exit codes of what cannot start.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

use std::net::UdpSocket;
use std::process::{Command, Output};

use tempfile::TempDir;

fn ecssd(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecssd"));
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_names_every_flag_signal_and_exit_code() {
    let help = ecssd(&["--help"], &[]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    let flags = [
        "--local",
        "--zone-id",
        "--endpoint-url",
        "--sync",
        "--remove",
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
        "--drain-timeout",
        "--log-format",
        "--log-level",
    ];
    for word in
        flags.into_iter().chain(["SIGHUP", "SIGTERM", "ECSSD_ZONE", "dig @", "64 ", "69 ", "70 ", "75 "])
    {
        assert!(text.contains(word), "{word} is not in --help");
    }
    assert_eq!(ecssd(&["--version"], &[]).status.code(), Some(0));
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
    let output = ecssd(&arguments, &[("ECSSD_LOG_LEVEL", "loud")]);
    assert_eq!(output.status.code(), Some(64));
    for setting in ["--address", "--drain-timeout", "--dns-listen", "ECSSD_LOG_LEVEL", "nothing was started"]
    {
        assert!(errors(&output).contains(setting), "{setting}: {}", errors(&output));
    }
    assert!(!dir.path().join("state").exists());
}

#[test]
fn an_unknown_flag_is_a_bad_setting_too() {
    let output = ecssd(&["--locale"], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(errors(&output).contains("--locale"), "{}", errors(&output));
}

#[test]
fn an_address_that_is_taken_is_said_with_its_remedy() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = TempDir::new().unwrap();
    let state = dir.path().to_str().unwrap();
    let output =
        ecssd(&["--local", "--address", "127.0.0.1", "--state-dir", state, "--dns-listen", &address], &[]);
    assert_eq!(output.status.code(), Some(69));
    assert!(errors(&output).contains(&address), "{}", errors(&output));
}

#[test]
fn a_state_directory_that_cannot_be_used_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let state = file.path().join("state");
    let state = state.to_str().unwrap();
    let arguments =
        ["--local", "--address", "127.0.0.1", "--state-dir", state, "--dns-listen", "127.0.0.1:0"];
    let output = ecssd(&arguments, &[]);
    assert_eq!(output.status.code(), Some(69));
    assert!(errors(&output).contains(state), "{}", errors(&output));
}

#[test]
fn settings_come_from_variables_and_flags_win() {
    let environment =
        [("ECSSD_LOCAL", "true"), ("ECSSD_DNS_LISTEN", "nowhere,elsewhere"), ("ECSSD_ADDRESS", "x")];
    let output = ecssd(&["--address", "127.0.0.1"], &environment);
    assert_eq!(output.status.code(), Some(64));
    let errors = errors(&output);
    assert!(errors.contains("\"nowhere\"") && errors.contains("\"elsewhere\""), "{errors}");
    assert!(!errors.contains("--address"), "{errors}");
}

/// An endpoint that refuses connections: nobody listens at a port that was just free.
fn nobody() -> String {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}

#[test]
fn a_zone_that_cannot_be_asked_for_is_waited_for_and_said_once_and_a_signal_ends_it() {
    let (dir, endpoint) = (TempDir::new().unwrap(), nobody());
    let child = Command::new(env!("CARGO_BIN_EXE_ecssd"))
        .args(["sd.internal", "--endpoint-url", &endpoint, "--hostname", "web1", "--address", "127.0.0.1"])
        .args(["--state-dir", dir.path().to_str().unwrap()])
        .env_remove("AWS_ACCESS_KEY_ID")
        .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nowhere")])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    let mut child = child;
    let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
    while !lines.contains("nothing is written") {
        assert!(std::io::BufRead::read_line(&mut log, &mut lines).unwrap() > 0, "it ended: {lines}");
    }
    assert!(lines.contains("credentials"), "{lines}");
    let term = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(term.success());
    std::io::Read::read_to_string(&mut log, &mut lines).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75), "{lines}");
    assert_eq!(lines.matches("nothing is written").count(), 1, "{lines}");
}

#[test]
fn tasks_that_contradict_each_other_are_refused() {
    let output = ecssd(&["-sync", "-remove"], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(errors(&output).contains("pass one of them"), "{}", errors(&output));
}

#[test]
fn a_local_zone_can_be_emptied_of_this_host_without_docker() {
    let dir = TempDir::new().unwrap();
    let state = dir.path().to_str().unwrap();
    let arguments =
        ["--local", "--remove", "--hostname", "web1", "--address", "127.0.0.1", "--state-dir", state];
    let output = ecssd(&arguments, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert!(errors(&output).contains("nothing of this host is left"), "{}", errors(&output));
}
