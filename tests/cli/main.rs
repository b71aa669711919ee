//! The door: help, settings, and exit codes of what cannot start.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

mod stopping;

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

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

#[test]
fn a_switch_that_is_neither_on_nor_off_starts_nothing() {
    let words = [("ECSSD_REMOVE", "never"), ("ECSSD_SYNC", "maybe"), ("ECSSD_JANITOR_APPLY", "y")];
    let output = ecssd(&[], &words);
    assert_eq!(output.status.code(), Some(64));
    let errors = errors(&output);
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
    let output = ecssd(&[], &empty);
    let errors = errors(&output);
    assert_eq!(output.status.code(), Some(64));
    assert!(errors.starts_with("ecssd: --rate (ECSSD_RATE)") && errors.lines().count() == 2, "{errors}");
}

#[test]
fn a_variable_that_sets_nothing_is_named() {
    let mistyped = [("ECSSD_DRYRUN", "1"), ("ECSSD_RATE", "x")];
    let errors = errors(&ecssd(&[], &mistyped));
    let named = "\"ECSSD_DRYRUN\" is no setting of ecssd and changes nothing; did you mean ECSSD_DRY_RUN?";
    assert!(errors.contains(named), "{errors}");
}

/// An endpoint that refuses connections: nobody listens at a port that was just free.
fn nobody() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}

/// An agent that looks for its zone at `endpoint`, with nothing of this environment.
struct Waiting {
    child: Child,
    lines: Receiver<String>,
    said: String,
    _state: TempDir,
}

impl Waiting {
    fn start(endpoint: &str, environment: &[(&str, &str)]) -> Self {
        let state = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ecssd"))
            .args(["sd.internal", "--endpoint-url", endpoint, "--hostname", "web1", "--address", "127.0.0.1"])
            .args(["--state-dir", state.path().to_str().unwrap()])
            .env_clear()
            .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nowhere")])
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let log = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, said: String::new(), _state: state }
    }

    fn says(&mut self, words: &str) {
        while !self.said.contains(words) {
            let line =
                self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {words}: {}", self.said));
            self.said.push_str(&line);
        }
    }

    /// Ends it by SIGTERM; its exit code and all that it said.
    fn end(mut self) -> (Option<i32>, String) {
        let term = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(term.success());
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said.push_str(&line);
        }
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn without_credentials_it_says_what_to_do_and_a_signal_ends_the_wait() {
    let mut agent = Waiting::start(&nobody(), &[]);
    agent.says("nothing is written");
    agent.says("AWS_ACCESS_KEY_ID");
    assert_eq!(agent.end().0, Some(75));
}

#[test]
fn a_zone_that_cannot_be_asked_for_is_looked_for_again_and_said_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, attempts) = mpsc::channel();
    thread::spawn(move || {
        // Whoever asks is cut off.
        listener.incoming().try_for_each(|stream| {
            drop(stream);
            sender.send(())
        })
    });
    let agent = Waiting::start(&endpoint, &[("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")]);
    for _ in 0..4 {
        attempts.recv_timeout(PATIENCE).expect("another attempt");
    }
    let (code, said) = agent.end();
    assert_eq!((code, said.matches("nothing is written").count()), (Some(75), 1), "{said}");
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
