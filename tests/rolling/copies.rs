//! Copies of one service, and how all of them are replaced.

use ecssd_testing::docker::engine::{Container, Engine};
use ecssd_testing::wait::wait_for;

/// How many copies there are. With fewer, a wrong record would be asked for more often, but one that is missed
/// leaves no other.
const COPIES: usize = 3;
/// How long a good service goes on serving after SIGTERM.
const GRACE_SECONDS: u32 = 2;
/// How long Docker waits for it, as ECS does by default; nothing here takes so long.
const STOP_TIMEOUT_SECONDS: &str = "30";

/// What a copy does when it is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTerm {
    /// It serves on for its grace, as a service should.
    Serves,
    /// It is gone at once.
    Exits,
}

/// What a copy runs. Its first process is a shell with a trap: the kernel spares the first process of a
/// container every signal that it does not handle.
fn script(on_term: OnTerm, port: u16) -> String {
    let then = match on_term {
        OnTerm::Serves => format!("sleep {GRACE_SECONDS}; exit 0"),
        OnTerm::Exits => "exit 0".to_owned(),
    };
    format!("trap '{then}' TERM; httpd -f -p {port} -h /www & wait")
}

/// Where containers listen that have a network of their own.
pub const OWN_PORT: u16 = 80;
/// The label that says where others do.
const PORT_LABEL: &str = "ecssd-test-port";

/// Starts a copy behind a published port, which Docker leads to it by NAT.
pub fn published(engine: &Engine, name: &str, on_term: OnTerm, options: &[&str]) -> Container {
    let key = format!("SERVICE_{OWN_PORT}_NAME={name}");
    let options = [&["-p", "80", "-e", &key], options].concat();
    engine.run(&options, &["sh", "-c", &script(on_term, OWN_PORT)])
}

/// Starts a copy on the host's network, at this port: nothing of Docker is between it and its consumers.
pub fn on_host(engine: &Engine, name: &str, on_term: OnTerm, port: u16) -> Container {
    let (key, label) = (format!("SERVICE_{port}_NAME={name}"), format!("{PORT_LABEL}={port}"));
    let options = ["--network", "host", "-e", &key, "-l", &label];
    engine.run(&options, &["sh", "-c", &script(on_term, port)])
}

/// Where consumers find it.
fn port(copy: &Container) -> u16 {
    match copy.inspect()["Config"]["Labels"][PORT_LABEL].as_str() {
        Some(port) => port.parse().unwrap(),
        None => copy.host_port(&format!("{OWN_PORT}/tcp")),
    }
}

/// The containers that serve a name at one time.
pub struct Copies(Vec<Container>);

impl Copies {
    /// The host ports that lead to them, in order.
    pub fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.0.iter().map(port).collect();
        ports.sort_unstable();
        ports
    }

    pub fn all_run(&self) -> bool {
        self.0.iter().all(Container::is_running)
    }
}

/// A service whose copies come and go.
pub struct Rollout<'a> {
    pub engine: &'a Engine,
    /// Starts one more copy.
    pub start: &'a dyn Fn() -> Container,
    /// The ports of all its records, in order.
    pub targets: &'a dyn Fn() -> Vec<u16>,
    /// What the agent said, should this take too long.
    pub log: &'a dyn Fn() -> String,
}

impl Rollout<'_> {
    /// The first copies, once all of them have records.
    pub fn begin(&self) -> Copies {
        let copies = Copies((0..COPIES).map(|_| (self.start)()).collect());
        self.leads_to(&copies);
        copies
    }

    /// In the order of ECS: new copies are started, and once they answer and have records, the old ones are told
    /// to stop.
    pub fn replace(&self, old: Copies) -> Copies {
        let new = Copies((0..COPIES).map(|_| (self.start)()).collect());
        let ports = new.ports();
        self.wait("the new copies", |targets| ports.iter().all(|port| targets.contains(port)));
        self.stop(old);
        self.leads_to(&new);
        new
    }

    /// Waits until there are records of these copies and of no others.
    pub fn leads_to(&self, copies: &Copies) {
        let ports = copies.ports();
        self.wait("the copies alone", |targets| targets == ports);
    }

    /// `docker stop`, for all of them at once.
    fn stop(&self, copies: Copies) {
        let ids = copies.0.iter().map(|copy| copy.id.as_str());
        let command: Vec<&str> = ["stop", "-t", STOP_TIMEOUT_SECONDS].into_iter().chain(ids).collect();
        self.engine.docker(&command);
        // None was killed: then its grace would not have been what it is here for.
        copies.0.iter().for_each(|copy| assert_eq!(copy.inspect()["State"]["ExitCode"], 0));
    }

    /// Waits until the ports of all records are enough.
    pub fn wait(&self, what: &str, enough: impl Fn(&[u16]) -> bool) {
        wait_for(what, self.log, || enough(&(self.targets)()).then_some(()));
    }
}
