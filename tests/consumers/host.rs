//! A host with a real engine and an agent that answers for its zone: copies of one service in containers.
//!
//! The engine is in a network of its own: clients reach the copies from outside, by NAT, as from another host.

use std::path::{Path, PathBuf};
use std::process::Command;

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Container;
use ecssd_testing::docker::own::OwnEngine;
use ecssd_testing::process::output;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::fleet::DNS;
use crate::load::Failure;

/// The full name of the service.
pub const NAME: &str = "_calc-all._tcp.servicediscovery.internal";

/// A host; its agent may be taken away and come back.
pub struct Host {
    agent: Option<Agent>,
    copies: Vec<Copy>,
    _dir: TempDir,
    _own: OwnEngine,
}

/// One copy of the service, and what it counts.
pub struct Copy {
    pub container: Container,
    connections: PathBuf,
}

impl Host {
    /// A host with so many copies, of which its agent knows.
    pub fn start(copies: usize) -> Self {
        let (own, dir) = (OwnEngine::start(), TempDir::new().unwrap());
        let program = go_program(dir.path(), include_str!("target.go"));
        let copies =
            (0..copies).map(|number| Copy::start(&own, &program, &dir.path().join(number.to_string())));
        let copies = copies.collect();
        let agent = Agent::start_with(&own.engine, &["--address", &own.address, "--dns-listen", DNS]);
        Self { agent: Some(agent), copies, _dir: dir, _own: own }
    }

    pub fn copy(&self, number: usize) -> &Copy {
        &self.copies[number]
    }

    pub fn agent(&mut self) -> &mut Agent {
        self.agent.as_mut().unwrap()
    }

    /// An agent in the place of one that has ended.
    pub fn agent_again(&mut self) {
        self.agent = self.agent.take().map(Agent::again);
    }
}

impl Copy {
    fn start(own: &OwnEngine, program: &Path, log: &Path) -> Self {
        std::fs::create_dir(log).unwrap();
        let volumes = [format!("{}:/target:ro", program.display()), format!("{}:/log", log.display())];
        let keys = ["SERVICE_80_NAME=_calc._tcp", "SERVICE_80_ALL=_calc-all._tcp"];
        let options = ["-p", "80", "-e", keys[0], "-e", keys[1], "-v", &volumes[0], "-v", &volumes[1]];
        Self { container: own.engine.run(&options, &["/target"]), connections: log.join("connections") }
    }

    /// `docker kill`. It begins to count anew.
    pub fn kill(&self) -> Kill {
        let from = OffsetDateTime::now_utc();
        self.container.docker(&["kill"]);
        let counted = std::fs::read_to_string(&self.connections).unwrap();
        std::fs::remove_file(&self.connections).unwrap();
        let state = self.container.inspect()["State"].take();
        let to = OffsetDateTime::parse(state["FinishedAt"].as_str().unwrap(), &Rfc3339).unwrap();
        Kill { from, to, in_flight: counted.matches('+').count() - counted.matches('-').count() }
    }
}

/// A copy is killed: between these moments it ends.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    from: OffsetDateTime,
    to: OffsetDateTime,
    /// How many connections it had open. Those that its kernel had taken for it, and it had not, it did not count.
    pub in_flight: usize,
}

impl Kill {
    /// Whether a request was under way when that copy ended.
    pub fn cut_off(&self, request: &Failure) -> bool {
        request.began <= self.to && request.ended >= self.from
    }
}

/// A static program from this source.
pub fn go_program(dir: &Path, source: &str) -> PathBuf {
    std::fs::write(dir.join("main.go"), source).unwrap();
    let program = dir.join("program");
    output(
        Command::new("go")
            .current_dir(dir)
            .args(["build", "-o", "program", "main.go"])
            .env("CGO_ENABLED", "0")
            .env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go"))
            .env("GO111MODULE", "off"),
    );
    program
}
