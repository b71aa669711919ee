//! One test's world: a zone in the emulator, a front before it, containers that only its agents see, and the
//! agents themselves, as processes.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use ecssd::record::{RecordSet, RecordType};
use tempfile::TempDir;

use crate::agent::{alone, program};
use crate::docker::engine::{Container, Engine};
use crate::docker::window::Window;
use crate::process::Process;
use crate::route53::front::Front;
use crate::route53::hosted::{HostedZone, read_set, unique_zone};
use crate::wait::unique;

/// What this host goes by unless a test says otherwise.
pub const OWNER: &str = "web1";
pub struct World {
    pub engine: Engine,
    pub zone: HostedZone,
    pub front: Front,
    pub window: Window,
    /// What a container carries that its agents see.
    pub label: String,
    state: TempDir,
}

impl World {
    /// A world with a private zone of its own.
    pub fn new(label: &str) -> Self {
        Self::with_zone(HostedZone::make(&unique_zone(label), true))
    }

    pub fn with_zone(zone: HostedZone) -> Self {
        Self::on(Engine::given(), zone)
    }

    pub fn on(engine: Engine, zone: HostedZone) -> Self {
        let label = format!("ecssd-test={}", unique("world"));
        let window = Window::open(&engine.socket, &label);
        Self { engine, zone, front: Front::start(), window, label, state: TempDir::new().unwrap() }
    }

    /// A container that serves HTTP on its port 80, published at a random port.
    pub fn web(&self, name: &str, options: &[&str]) -> Container {
        self.engine.web(name, &[&["-l", self.label.as_str()], options].concat())
    }

    pub fn run(&self, options: &[&str], command: &[&str]) -> Container {
        self.engine.run(&[&["-l", self.label.as_str()], options].concat(), command)
    }

    /// Containers that are registered at once and only wait, started together.
    pub fn many(&self, names: &[String]) -> Vec<Container> {
        self.many_with(names, |name| {
            ["-p", "80", "-e"]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("SERVICE_80_NAME={name}")])
                .collect()
        })
    }

    /// The same, on the host's network, which takes Docker a third of the time.
    pub fn many_on_host(&self, names: &[String]) -> Vec<Container> {
        let port = AtomicU32::new(20_000);
        self.many_with(names, |name| {
            let port = port.fetch_add(1, Ordering::Relaxed);
            let keys = [format!("SERVICE_{port}_NAME={name}"), format!("SERVICE_{port}_CHECK=none")];
            let options = ["--network", "host", "-e", &keys[0], "-e", &keys[1]];
            options.map(str::to_owned).into()
        })
    }

    fn many_with(&self, names: &[String], options: impl Fn(&str) -> Vec<String> + Sync) -> Vec<Container> {
        let start = &|names: &[String]| {
            let make = |name: &String| {
                let options = options(name);
                let all = ["-l", &self.label, "-e", "SERVICE_80_CHECK=none"];
                let all: Vec<&str> = all.into_iter().chain(options.iter().map(String::as_str)).collect();
                self.engine.create(&all, &["sleep", "1000"])
            };
            let made: Vec<Container> = names.iter().map(make).collect();
            let ids = made.iter().map(|container| container.id.as_str());
            self.engine.docker(&["start"].into_iter().chain(ids).collect::<Vec<_>>());
            made
        };
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                names.chunks(names.len().div_ceil(4)).map(|part| scope.spawn(move || start(part))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        })
    }

    /// Removes containers together.
    pub fn clear(&self, containers: Vec<Container>) {
        let ids = containers.iter().map(|container| container.id.as_str());
        self.engine.docker(&["rm", "-f"].into_iter().chain(ids).collect::<Vec<_>>());
        // There is nothing left to remove one by one.
        containers.into_iter().for_each(std::mem::forget);
    }

    /// Starts an agent that goes on until it is told to end.
    pub fn agent(&self, options: &[&str]) -> Process {
        Process::start(self.command(options))
    }

    /// The command that starts one.
    pub fn command(&self, options: &[&str]) -> Command {
        let mut command = alone(program());
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.args([self.zone.name.as_str(), "--endpoint-url", &self.front.url, "--log-format", "json"]);
        command.arg("--docker-socket").arg(self.window.socket());
        if !options.contains(&"--state-dir") {
            command.arg("--state-dir").arg(self.state());
        }
        if !options.contains(&"--address") {
            command.arg("--address").arg(self.engine.bridge_address().to_string());
        }
        if !options.iter().any(|option| option.ends_with("-hostname")) {
            command.args(["-hostname", OWNER]);
        }
        command.args(options);
        command
    }

    /// Starts an agent, and waits until the one list of its first start is over. Once it has registered
    /// something after that, its journal is whole.
    pub fn settled_agent(&self) -> Process {
        let agent = self.agent(&[]);
        agent.says("zone read");
        agent
    }

    /// Runs what is soon over: its exit code, and what it printed.
    pub fn task(&self, options: &[&str]) -> (Option<i32>, Process) {
        let mut agent = self.agent(options);
        (agent.ended(), agent)
    }

    /// Where its agents keep their journal.
    pub fn state(&self) -> PathBuf {
        self.state.path().join("journal")
    }

    /// Waits until the one record of a service leads to this port; that record.
    pub fn registered(&self, agent: &Process, name: &str, port: u16) -> RecordSet {
        agent.wait_for(&format!("port {port} for {name}"), || {
            let sets = self.zone.named(name);
            let [set] = <[RecordSet; 1]>::try_from(sets).ok()?;
            (self::port(&set) == port).then_some(set)
        })
    }

    /// Waits until a service has no record.
    pub fn gone(&self, agent: &Process, name: &str) {
        agent.wait_for(&format!("no record of {name}"), || self.zone.named(name).is_empty().then_some(()));
    }

    /// The service records of all.
    pub fn services(&self) -> Vec<RecordSet> {
        self.zone.sets().into_iter().filter(|set| set.kind == RecordType::Srv).collect()
    }

    /// What the zone holds of this host, by the form of its marks.
    pub fn own(&self) -> Vec<RecordSet> {
        self.zone.sets().into_iter().filter(is_own).collect()
    }

    /// All else that it holds, to the letter.
    pub fn foreign(&self) -> Vec<String> {
        self.zone.raw().into_iter().filter(|xml| !is_own(&read_set(xml))).collect()
    }
}

fn is_own(set: &RecordSet) -> bool {
    let id: Vec<&str> = set.set_identifier.as_deref().unwrap_or_default().split(':').collect();
    let container = |id: &str| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (set.kind, &id[..]) {
        (RecordType::A, [owner]) => *owner == OWNER,
        (RecordType::A, [owner, id]) => *owner == OWNER && container(id),
        (RecordType::Srv, [owner, id, port]) => {
            *owner == OWNER && container(id) && port.parse::<u16>().is_ok()
        }
        _ => false,
    }
}

/// The port of a service record.
pub fn port(set: &RecordSet) -> u16 {
    set.values[0].split(' ').nth(2).unwrap().parse().unwrap()
}
