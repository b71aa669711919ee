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
    let output = ecssd(&[], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(errors(&output).contains("pass --local"), "{}", errors(&output));
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
