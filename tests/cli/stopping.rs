//! What the process does at a signal, and what it tells the service manager: the real binary, and a socket.

use std::fs::Permissions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use tempfile::TempDir;

use super::{PATIENCE, nobody};

/// A zone in it, and a host that is known.
const LOCAL: &[&str] =
    &["--local", "--dns-listen", "127.0.0.1:0", "--hostname", "web1", "--address", "127.0.0.1"];

/// A daemon whose service manager is this test.
struct Managed {
    child: Child,
    socket: UnixDatagram,
    said: Vec<String>,
    /// The lines of its log, as they come.
    lines: Receiver<String>,
    log: String,
    _dir: TempDir,
}

impl Managed {
    /// With its zone in it, and a Docker that never comes.
    fn local(arguments: &[&str]) -> Self {
        Self::start(&[LOCAL, arguments].concat(), &[("AWS_EC2_METADATA_DISABLED", "true")])
    }

    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(Command::new(env!("CARGO_BIN_EXE_ecssd")), arguments, environment)
    }

    /// Where `program` is what becomes of it in the end.
    fn start_in(mut program: Command, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        let notify = dir.path().join("notify");
        let socket = UnixDatagram::bind(&notify).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut child = program
            .args(["--docker-socket", "/nonexistent/docker.sock", "--ecs-introspection", &nobody()])
            .args(["--state-dir", dir.path().to_str().unwrap()])
            .args(arguments)
            .env_clear()
            .env("NOTIFY_SOCKET", &notify)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let log = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, socket, said: Vec::new(), lines, log: String::new(), _dir: dir }
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

    /// Waits until its log has this.
    fn logs(&mut self, words: &str) {
        while !self.log.contains(words) {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no {words} ({error}): {}", self.log));
            self.log += &(line + "\n");
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Its exit code and its log.
    fn ends(&mut self) -> (Option<i32>, String) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.log += &(line + "\n"),
                // Its log ends with it.
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end: {}", self.log),
            }
        }
        (self.child.wait().unwrap().code(), self.log.clone())
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_service_manager_hears_of_the_start_of_what_is_missing_and_of_the_end() {
    let mut agent = Managed::local(&[]);
    agent.tells("READY=1");
    agent.tells("STATUS=not ready: start: the first look at this host is not over; Docker: ");
    agent.signal("TERM");
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
        &["sd.internal", "--endpoint-url", &endpoint, "--hostname", "web1", "--address", "127.0.0.1"],
        &[("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nowhere")],
    );
    agent.tells("READY=1");
    agent.tells("STATUS=waiting for");
    agent.signal("TERM");
    assert_eq!(agent.ends().0, Some(75));
}

#[test]
fn a_second_sigterm_ends_the_delay_at_once() {
    let mut agent = Managed::local(&["--drain-delay", "10m"]);
    agent.tells("READY=1");
    agent.signal("TERM");
    agent.tells("STOPPING=1");
    agent.tells("stop: the agent withdraws its records");
    agent.signal("TERM");
    let (code, log) = agent.ends();
    assert_eq!(code, Some(143), "{log}");
    assert!(log.contains("every service to weight 0"), "{log}");
}

#[test]
fn sigterm_hands_over_where_it_is_told_to_and_sigint_drains() {
    for (signal, words) in [("TERM", "handed over"), ("INT", "safe to stop")] {
        let mut agent = Managed::local(&["--on-term", "hand-over"]);
        agent.tells("READY=1");
        agent.signal(signal);
        agent.tells("STOPPING=1");
        let (code, log) = agent.ends();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(words), "{signal}: {log}");
    }
}

/// A metadata service that knows an instance, and whatever it is told of its future.
fn metadata(future: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let known = [
                ("/latest/api/token", "AQAEAJvNQ8-EXAMPLE=="),
                ("/latest/meta-data/instance-id", "i-0123456789abcdef0"),
                ("/latest/meta-data/local-ipv4", "127.0.0.1"),
            ];
            let body = known.iter().chain(future).find(|(known, _)| *known == path).map(|(_, body)| *body);
            let (status, body) = body.map_or((404, ""), |body| (200, body));
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    endpoint
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
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint)],
        );
        agent.tells("READY=1");
        if !future.is_empty() {
            agent.logs("this host is about to end");
        }
        agent.signal("TERM");
        let (code, log) = agent.ends();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(words) && log.contains("i-0123456789abcdef0"), "{log}");
        assert_eq!(log.contains("spot interruption (terminate)"), !future.is_empty(), "{log}");
    }
}

/// A systemd of our own: its directory is there, and `systemctl` says this.
#[test]
fn auto_drains_where_the_system_goes_down() {
    for (state, words) in [("stopping", "the system goes down"), ("running", "handed over")] {
        let dir = TempDir::new().unwrap();
        let systemctl = dir.path().join("systemctl");
        std::fs::write(
            &systemctl,
            format!("#!/bin/sh\n[ \"$*\" = is-system-running ] && echo {state}\nexit 1\n"),
        )
        .unwrap();
        std::fs::set_permissions(&systemctl, Permissions::from_mode(0o755)).unwrap();
        let script = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && PATH=$0:$PATH exec \"$@\"";
        let mut program = Command::new("unshare");
        program.args(["--mount", "sh", "-c", script]).arg(dir.path()).arg(env!("CARGO_BIN_EXE_ecssd"));
        let arguments = [LOCAL, &["--on-term", "auto"]].concat();
        let mut agent = Managed::start_in(program, &arguments, &[("AWS_EC2_METADATA_DISABLED", "true")]);
        agent.tells("READY=1");
        agent.signal("TERM");
        let (code, log) = agent.ends();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains(words), "{state}: {log}");
    }
}
