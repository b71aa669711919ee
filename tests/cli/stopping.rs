//! What the process does at a signal, and what it tells the service manager: the real binary, and a socket.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use ecssd_testing::agent::{alone, program};
use ecssd_testing::http::serve;
use ecssd_testing::process::Process;
use ecssd_testing::wait::PATIENCE;
use tempfile::TempDir;

use super::nobody;

/// A zone in it, and a host that is known.
const LOCAL: &[&str] =
    &["--local", "--dns-listen", "127.0.0.1:0", "--hostname", "web1", "--address", "127.0.0.1"];

/// A daemon whose service manager is this test.
struct Managed {
    agent: Process,
    socket: UnixDatagram,
    said: Vec<String>,
    _dir: TempDir,
}

impl Managed {
    /// With its zone in it, and a Docker that never comes.
    fn local(arguments: &[&str]) -> Self {
        Self::start(&[LOCAL, arguments].concat(), &[])
    }

    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(alone(program()), arguments, environment)
    }

    /// Where `program` is what becomes of it in the end.
    fn start_in(mut program: Command, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        let notify = dir.path().join("notify");
        let socket = UnixDatagram::bind(&notify).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        program
            .args(["--docker-socket", "/nonexistent/docker.sock", "--ecs-introspection", &nobody()])
            .args(["--state-dir", dir.path().to_str().unwrap()])
            .args(arguments)
            .env("NOTIFY_SOCKET", &notify)
            .envs(environment.iter().copied());
        Self { agent: Process::start(program), socket, said: Vec::new(), _dir: dir }
    }

    /// Waits until the service manager hears this.
    fn tells(&mut self, words: &str) {
        while !self.said.iter().any(|line| line.contains(words)) {
            let mut datagram = [0; 4096];
            let length = self.socket.recv(&mut datagram);
            let length = length.unwrap_or_else(|error| panic!("no {words} ({error}): {:?}", self.said));
            let text = String::from_utf8(datagram[..length].to_vec()).unwrap();
            self.said.extend(text.lines().map(str::to_owned));
        }
    }

    /// Its exit code and its log.
    fn ends(&mut self) -> (Option<i32>, String) {
        (self.agent.ended(), self.agent.log())
    }
}

#[test]
fn the_service_manager_hears_of_the_start_of_what_is_missing_and_of_the_end() {
    let mut agent = Managed::local(&[]);
    agent.tells("READY=1");
    agent.tells("STATUS=not ready: start: the first look at this host is not over; Docker: ");
    agent.agent.signal("TERM");
    agent.tells("STOPPING=1");
    agent.tells("STATUS=every service of this host is withdrawn: safe to stop");
    let (code, log) = agent.ends();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("safe to stop"), "{log}");
}

#[test]
fn an_agent_that_waits_for_its_zone_has_started() {
    let endpoint = nobody();
    let mut agent = Managed::start(
        &["sd.internal", "--endpoint-url", &endpoint, "--hostname", "web1", "--address", "10.0.0.7"],
        &[("HOME", "/nowhere")],
    );
    agent.tells("READY=1");
    agent.tells("STATUS=waiting for");
    agent.agent.signal("TERM");
    assert_eq!(agent.ends().0, Some(75));
}

#[test]
fn a_second_sigterm_ends_the_delay_at_once() {
    let mut agent = Managed::local(&["--drain-delay", "10m"]);
    agent.tells("READY=1");
    agent.agent.signal("TERM");
    agent.tells("STOPPING=1");
    agent.tells("stop: the agent withdraws its records");
    agent.agent.signal("TERM");
    let (code, log) = agent.ends();
    assert_eq!(code, Some(143), "{log}");
    assert!(log.contains("drain_delayed"), "{log}");
}

#[test]
fn sigterm_hands_over_where_it_is_told_to_and_sigint_drains() {
    for (signal, words) in [("TERM", "handed over"), ("INT", "safe to stop")] {
        let mut agent = Managed::local(&["--on-term", "hand-over"]);
        agent.tells("READY=1");
        agent.agent.signal(signal);
        agent.tells("STOPPING=1");
        let (code, log) = agent.ends();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(words), "{signal}: {log}");
    }
}

/// A metadata service that knows an instance, and whatever it is told of its future.
fn metadata(future: &'static [(&'static str, &'static str)]) -> String {
    serve(move |request| {
        let known = [
            ("/latest/api/token", "AQAEAJvNQ8-EXAMPLE=="),
            ("/latest/meta-data/instance-id", "i-0123456789abcdef0"),
            ("/latest/meta-data/local-ipv4", "10.0.0.7"),
        ];
        let found = known.iter().chain(future).find(|(path, _)| *path == request.target());
        let (status, body) = found.map_or((404, ""), |(_, body)| (200, body));
        (status, "text/plain", body.to_owned())
    })
}

#[test]
fn on_ec2_auto_drains_before_a_spot_interruption_and_hands_over_without_one() {
    const SPOT: (&str, &str) = (
        "/latest/meta-data/spot/instance-action",
        r#"{"action": "terminate", "time": "2099-01-01T00:00:00Z"}"#,
    );
    for (future, words) in [(&[SPOT][..], "safe to stop"), (&[], "handed over")] {
        let endpoint = metadata(future);
        let mut agent = Managed::start(
            &["--local", "--dns-listen", "127.0.0.1:0", "--on-term", "auto"],
            &[("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint)],
        );
        agent.tells("READY=1");
        if !future.is_empty() {
            agent.agent.says("this host is about to end");
        }
        agent.agent.signal("TERM");
        let (code, log) = agent.ends();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(words) && log.contains("i-0123456789abcdef0"), "{log}");
        assert_eq!(log.contains("spot interruption (terminate)"), !future.is_empty(), "{log}");
    }
}

/// A systemd of our own: its directory is there, and `systemctl` answers with these words, one after another.
#[test]
fn auto_drains_where_the_system_goes_down() {
    const NO_FILE: &str = "true";
    for (file, answers, words) in [
        (NO_FILE, &["stopping"][..], "the system goes down"),
        (NO_FILE, &["running"], "handed over"),
        // Ended by the signal that ends all of the unit, then by a bus that is not there: asked again.
        (NO_FILE, &["", "unknown", "stopping"], "the system goes down"),
        // Nobody can tell.
        (NO_FILE, &[""], "handed over"),
        // Whoever has the file asks nobody.
        ("mkdir /run/ecssd && touch /run/ecssd/system-stops", &["running"], "the system goes down"),
    ] {
        let dir = TempDir::new().unwrap();
        let systemctl = dir.path().join("systemctl");
        answers.iter().enumerate().for_each(|(number, answer)| {
            std::fs::write(dir.path().join(format!("answer-{number}")), answer).unwrap();
        });
        // The last one again and again.
        let next = "#!/bin/sh\n[ \"$*\" = is-system-running ] || exit 1\ncd \"${0%/*}\"\n\
                    set -- answer-*\ncat \"$1\"\n[ $# = 1 ] || rm \"$1\"\nexit 1\n";
        std::fs::write(&systemctl, next).unwrap();
        std::fs::set_permissions(&systemctl, Permissions::from_mode(0o755)).unwrap();
        let script = format!(
            "mount -t tmpfs none /run && mkdir -p /run/systemd/system && {file} && PATH=$0:$PATH exec \"$@\""
        );
        let mut command = alone("unshare");
        command.args(["--mount", "sh", "-c", &script]).arg(dir.path()).arg(program());
        let arguments = [LOCAL, &["--on-term", "auto"]].concat();
        let mut agent = Managed::start_in(command, &arguments, &[]);
        agent.tells("READY=1");
        agent.agent.signal("TERM");
        let (code, log) = agent.ends();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(words), "{file}, {answers:?}: {log}");
    }
}

#[test]
fn a_watchdog_is_fed_while_the_agent_waits_and_while_it_runs() {
    let endpoint = nobody();
    let waits = ["sd.internal", "--endpoint-url", &endpoint, "--hostname", "web1", "--address", "10.0.0.7"];
    for arguments in [LOCAL, &waits] {
        let mut agent = Managed::start(arguments, &[("HOME", "/nowhere"), ("WATCHDOG_USEC", "300000")]);
        agent.tells("READY=1");
        for _ in 0..5 {
            agent.said.clear();
            agent.tells("WATCHDOG=1");
        }
    }
    let mut agent = Managed::local(&[]);
    agent.tells("READY=1");
    agent.agent.signal("TERM");
    agent.tells("safe to stop");
    assert!(!agent.said.iter().any(|line| line.contains("WATCHDOG")), "nobody watches: {:?}", agent.said);
}
