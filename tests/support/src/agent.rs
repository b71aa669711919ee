//! The agent's program, and an agent that has its zone in it and answers for it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecssd::record::RecordSet;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use tempfile::TempDir;

use crate::docker::engine::Engine;
use crate::process::{Process, output};
use crate::wait::wait_for;

/// The zone of an agent that is told of none.
const ZONE: &str = "servicediscovery.internal";

/// The agent's program: the one under test, or another build of it.
pub fn program() -> PathBuf {
    let told = ["ECSSD_TEST_AGENT", "CARGO_BIN_EXE_ecssd"].into_iter().find_map(std::env::var_os);
    // Cargo tells the tests that it runs; who runs one by hand has to.
    PathBuf::from(told.expect("ECSSD_TEST_AGENT names the agent's program"))
}

/// A program with nothing of whoever runs the tests, least of all credentials, and on no instance of EC2.
pub fn alone(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// What becomes of the agent with these arguments and variables, where it is soon over: its exit code, and what
/// it logs.
pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = alone(program());
    let Output { status, stderr, .. } =
        command.args(arguments).envs(variables.iter().copied()).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// An SRV answer, with the address that came along.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    pub port: u16,
    pub target: String,
    pub addresses: Vec<Ipv4Addr>,
}

/// An agent with a zone of its own.
#[derive(Debug)]
pub struct Agent {
    process: Process,
    state: TempDir,
    dns: SocketAddr,
}

impl Deref for Agent {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Agent {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Agent {
    pub fn start(engine: &Engine) -> Self {
        Self::start_with(engine, &[])
    }

    pub fn start_with(engine: &Engine, options: &[&str]) -> Self {
        Self::start_by(alone(program()), engine, options)
    }

    /// An agent of another build.
    pub fn start_of(program: &Path, engine: &Engine, options: &[&str]) -> Self {
        Self::start_by(alone(program), engine, options)
    }

    /// An agent that may have so many descriptors and no more.
    pub fn start_within(engine: &Engine, options: &[&str], descriptors: u32) -> Self {
        let mut command = alone("prlimit");
        command.arg(format!("--nofile={descriptors}:{descriptors}")).arg(program());
        Self::start_by(command, engine, options)
    }

    fn start_by(mut command: Command, engine: &Engine, options: &[&str]) -> Self {
        let state = TempDir::new().unwrap();
        command.args(["--local", "--log-format", "json"]);
        if !options.contains(&"--hostname") {
            command.args(["--hostname", "web1"]);
        }
        command.args(["--docker-socket", &engine.socket]);
        if !options.contains(&"--state-dir") {
            command.arg("--state-dir").arg(state.path());
        }
        if !options.contains(&"--dns-listen") {
            command.args(["--dns-listen", "127.0.0.1:0"]);
        }
        if !options.contains(&"--address") {
            command.args(["--address", &engine.bridge_address().to_string()]);
        }
        command.args(options);
        let mut process = Process::start(command);
        let dns = answering(&mut process, 0);
        Self { process, state, dns }
    }

    /// Starts a new agent in the place of this one, with its state.
    pub fn again(mut self) -> Self {
        let before = self.log_lines().len();
        self.start_again();
        self.dns = answering(&mut self.process, before);
        self
    }

    /// Where it answers DNS.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// The zone of an agent that has ended, but its SOA and NS.
    pub fn zone(&mut self) -> Vec<RecordSet> {
        assert!(self.has_ended(), "it still runs");
        let zone = EmbeddedZone::open(self.state.path(), ZONE, Options::default()).unwrap();
        zone.snapshot().into_iter().filter(|set| set.set_identifier.is_some()).collect()
    }
}

/// Waits until it says where it answers DNS, after so many lines of its log.
fn answering(process: &mut Process, before: usize) -> SocketAddr {
    let process = RefCell::new(process);
    wait_for(
        "the address of its DNS",
        || process.borrow().log(),
        || {
            assert!(!process.borrow_mut().has_ended(), "the agent ended: {}", process.borrow().log());
            let mut lines = process.borrow().log_lines().into_iter().skip(before);
            let line = lines.find(|line| line["event"] == "dns_answers")?;
            line["address"].as_str().and_then(|address| address.parse().ok())
        },
    )
}

/// What its DNS says, asked with `dig`.
impl Agent {
    /// Waits until the service answers.
    pub fn answers(&self, name: &str) -> Answer {
        self.wait_for(&format!("an answer for {name}"), || self.srv(name))
    }

    /// Waits until the service answers with this port, and nothing else.
    pub fn answers_with(&self, name: &str, port: u16) -> Answer {
        self.wait_for(&format!("port {port} for {name}"), || {
            self.srv(name).filter(|answer| answer.port == port && self.targets(name) == [port])
        })
    }

    /// Waits until the service has no record.
    pub fn gone(&self, name: &str) {
        self.wait_for(&format!("no record of {name}"), || self.targets(name).is_empty().then_some(()));
    }

    /// One SRV query.
    pub fn srv(&self, name: &str) -> Option<Answer> {
        let output = self.dig(&["+noall", "+answer", "+additional", "SRV", &self.full(name)]);
        let lines: Vec<Vec<&str>> = output.lines().map(|line| line.split_whitespace().collect()).collect();
        let srv = lines.iter().find(|fields| fields.get(3) == Some(&"SRV"))?;
        let target = srv[7].to_owned();
        let addresses = lines
            .iter()
            .filter(|fields| fields.get(3) == Some(&"A") && fields[0] == target)
            .map(|fields| fields[4].parse().unwrap())
            .collect();
        Some(Answer { port: srv[6].parse().unwrap(), target, addresses })
    }

    /// The ports of all records of a service, as a burst of queries finds them.
    pub fn targets(&self, name: &str) -> Vec<u16> {
        let ports = self.count(name, 30);
        ports.into_keys().collect()
    }

    /// How often each port is answered in so many queries.
    pub fn count(&self, name: &str, queries: usize) -> BTreeMap<u16, usize> {
        let name = self.full(name);
        let question = ["SRV", name.as_str()];
        let questions: Vec<&str> = question.iter().copied().cycle().take(2 * queries).collect();
        let all: Vec<&str> = ["+noall", "+answer"].iter().copied().chain(questions).collect();
        let mut counts = BTreeMap::new();
        for line in self.dig(&all).lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(fields.get(3), Some(&"SRV"), "{line}");
            *counts.entry(fields[6].parse().unwrap()).or_default() += 1;
        }
        counts
    }

    /// `dig`, asking this agent.
    pub fn dig(&self, arguments: &[&str]) -> String {
        let (server, port) = (format!("@{}", self.dns.ip()), self.dns.port().to_string());
        output(
            Command::new("dig").args([server.as_str(), "-p", &port, "+tries=1", "+time=5"]).args(arguments),
        )
    }

    /// The name of a service in full, as a client asks for it.
    pub fn full(&self, name: &str) -> String {
        format!("{name}.{ZONE}")
    }
}
