//! A host under a storm: an engine that is told what to say, an agent, and someone who asks its DNS.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::agent::Agent;
use crate::dns::Client;
use hickory_server::proto::rr::Name;

use super::PATIENCE;
use super::engine::{Engine, Image};

/// A host.
#[derive(Debug)]
pub struct Host {
    pub engine: Arc<Engine>,
    pub agent: Agent,
    client: Client,
}

impl Host {
    pub fn start() -> Self {
        Self::with(|engine| Agent::start_with(engine, &["--address", "127.0.0.1"]))
    }

    /// A host whose agent may have so many descriptors and no more.
    pub fn with_descriptors(limit: u32) -> Self {
        Self::with(|engine| Agent::start_within(engine, &["--address", "127.0.0.1"], limit))
    }

    /// A host with an agent of one's own choice.
    pub fn with(agent: impl FnOnce(&crate::docker::engine::Engine) -> Agent) -> Self {
        let engine = Arc::new(Engine::start());
        let agent = agent(&engine.socket());
        let client = Client::new(agent.dns());
        let mut host = Self { engine, agent, client };
        host.wait_for("the stream of events", |host| host.engine.streams() == 1);
        host
    }

    /// Starts a container that offers this service, registered as soon as it was looked at.
    pub fn run_unchecked(&self, number: u16, name: &str) -> String {
        let id = id(number);
        let environment = [named(name), "SERVICE_80_CHECK=none".to_owned()];
        self.engine
            .run(&id, &Image { name, environment: &environment, ports: &[(80, number)], health: None });
        id
    }

    /// Starts a container whose service is registered when its port answers.
    pub fn run_checked(&self, number: u16, name: &str, port: u16) -> String {
        let id = id(number);
        self.engine
            .run(&id, &Image { name, environment: &[named(name)], ports: &[(80, port)], health: None });
        id
    }

    /// A container starts, is registered, dies, and is withdrawn.
    pub fn comes_and_goes(&mut self, number: u16, name: &str) {
        let id = self.run_unchecked(number, name);
        self.registered(name);
        self.engine.die(&id);
        self.gone(name);
    }

    /// Whether DNS has an answer for this service.
    pub fn has(&mut self, name: &str) -> bool {
        self.client.has(&Name::from_ascii(format!("{}.", self.agent.full(name))).unwrap())
    }

    pub fn registered(&mut self, name: &str) {
        self.wait_for(&format!("a record of {name}"), |host| host.has(name));
    }

    pub fn gone(&mut self, name: &str) {
        self.wait_for(&format!("no record of {name}"), |host| !host.has(name));
    }

    /// Waits until something is so.
    pub fn wait_for(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}; the log: {}", self.agent.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The key that asks for a service.
pub fn named(name: &str) -> String {
    format!("SERVICE_80_NAME={name}")
}

/// The id of a container.
pub fn id(number: u16) -> String {
    format!("{number:064x}")
}

/// Lets this process, and agents that it starts, have so many files: shells give 1,024.
pub fn allow_files(count: usize) {
    let pid = std::process::id().to_string();
    let limit =
        Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={count}:")]).status().unwrap();
    assert!(limit.success(), "no {count} open files for this test");
}

/// Listeners at which honest containers serve.
pub fn listeners(count: usize) -> Vec<TcpListener> {
    (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect()
}

/// The port of one of them.
pub fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}
