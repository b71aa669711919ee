//! A host under test: containers, an agent, and questions to its DNS.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ecssd::record::RecordSet;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take: generous, for a busy machine. Nothing here measures time.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A Docker engine.
#[derive(Clone, Debug)]
pub struct Engine {
    pub socket: String,
}

impl Engine {
    /// The engine that this run of the tests was given, with the test image in it.
    pub fn given() -> Self {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        ENGINE
            .get_or_init(|| {
                let socket = std::env::var("ECSSD_TEST_DOCKER_SOCKET").expect(
                    "ECSSD_TEST_DOCKER_SOCKET is not set: these tests need a Docker engine, run them by tests/run",
                );
                let engine = Self { socket };
                engine.import_image();
                engine
            })
            .clone()
    }

    /// Makes the image `ecssd-test` from a static busybox: nothing is pulled.
    pub fn import_image(&self) {
        let root = TempDir::new().unwrap();
        let bin = root.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::copy("/bin/busybox", bin.join("busybox"))
            .expect("a static busybox (Debian: busybox-static)");
        for applet in ["sh", "sleep", "httpd", "nc", "echo", "true", "false", "test", "touch", "rm", "kill"] {
            std::os::unix::fs::symlink("busybox", bin.join(applet)).unwrap();
        }
        std::fs::create_dir(root.path().join("www")).unwrap();
        std::fs::write(root.path().join("www/health"), "ok").unwrap();
        let tar = root.path().join("../").canonicalize().unwrap().join(format!("{}.tar", unique("image")));
        run(Command::new("tar").arg("-C").arg(root.path()).arg("-cf").arg(&tar).arg("."));
        self.docker(&["import", &tar.to_string_lossy(), "ecssd-test"]);
        std::fs::remove_file(tar).unwrap();
    }

    /// `docker ARGS`, which must succeed; its output.
    pub fn docker(&self, arguments: &[&str]) -> String {
        run(self.command(arguments))
    }

    /// `docker ARGS`, to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.socket)).args(arguments);
        command
    }

    /// `docker create OPTIONS ecssd-test COMMAND`.
    pub fn create(&self, options: &[&str], command: &[&str]) -> Container {
        let all: Vec<&str> =
            ["create"].iter().chain(options).chain(&["ecssd-test"]).chain(command).copied().collect();
        Container { id: self.docker(&all), engine: self.clone() }
    }

    /// `docker run -d OPTIONS ecssd-test COMMAND`.
    pub fn run(&self, options: &[&str], command: &[&str]) -> Container {
        let container = self.create(options, command);
        container.docker(&["start"]);
        container
    }

    /// A container that serves HTTP on its port 80, published at a random port.
    pub fn web(&self, name: &str, options: &[&str]) -> Container {
        let service = format!("SERVICE_80_NAME={name}");
        let options: Vec<&str> = ["-p", "80", "-e", &service].iter().chain(options).copied().collect();
        self.run(&options, &["httpd", "-f", "-p", "80", "-h", "/www"])
    }

    /// The address of the host on the engine's default bridge.
    pub fn bridge_address(&self) -> Ipv4Addr {
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let gateway = self.docker(&["network", "inspect", "bridge", "--format", format]);
        // Docker 20.10 does not name the gateway of a bridge that it chose itself.
        if let Ok(address) = gateway.parse() {
            return address;
        }
        let subnet =
            self.docker(&["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"]);
        let network: Ipv4Addr = subnet.split('/').next().unwrap().parse().unwrap();
        Ipv4Addr::from(u32::from(network) + 1)
    }
}

/// A container, removed when it is dropped.
#[derive(Debug)]
pub struct Container {
    pub id: String,
    engine: Engine,
}

impl Container {
    pub fn inspect(&self) -> Value {
        let json = self.engine.docker(&["inspect", &self.id]);
        serde_json::from_str::<Value>(&json).unwrap()[0].take()
    }

    /// The lowest IPv4 host port of a container port such as `80/tcp`.
    pub fn host_port(&self, port: &str) -> u16 {
        let inspect = self.inspect();
        let bindings =
            inspect["NetworkSettings"]["Ports"][port].as_array().expect("a published port").clone();
        let ports = bindings.iter().filter(|binding| binding["HostIp"] == "0.0.0.0");
        ports.map(|binding| binding["HostPort"].as_str().unwrap().parse().unwrap()).min().unwrap()
    }

    pub fn is_running(&self) -> bool {
        self.inspect()["State"]["Running"] == true
    }

    /// `docker VERB CONTAINER`.
    pub fn docker(&self, verb: &[&str]) {
        let all: Vec<&str> = verb.iter().copied().chain([self.id.as_str()]).collect();
        self.engine.docker(&all);
    }

    /// `docker exec CONTAINER COMMAND`.
    pub fn exec(&self, command: &[&str]) {
        let all: Vec<&str> = ["exec", &self.id].iter().chain(command).copied().collect();
        self.engine.docker(&all);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.engine.command(&["rm", "-f", &self.id]).output();
    }
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
    child: Child,
    pub state: StateDir,
    engine: Engine,
    options: Vec<String>,
    dns: SocketAddr,
}

/// Where an agent keeps its zone and its log; outlives the agent.
#[derive(Debug)]
pub struct StateDir(TempDir);

impl StateDir {
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn log(&self) -> PathBuf {
        self.path().join("log")
    }
}

impl Agent {
    pub fn start(engine: &Engine) -> Self {
        Self::start_with(engine, &[])
    }

    pub fn start_with(engine: &Engine, options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self::start_in(StateDir(TempDir::new().unwrap()), engine, options)
    }

    fn start_in(state: StateDir, engine: &Engine, options: Vec<String>) -> Self {
        let log = File::options().create(true).append(true).open(state.log()).unwrap();
        let before = std::fs::read_to_string(state.log()).unwrap().len();
        let mut command = Command::new(program());
        command
            .args(["--local", "--hostname", "web1", "--log-format", "json"])
            .args(["--docker-socket", &engine.socket]);
        if !options.iter().any(|option| option == "--state-dir") {
            command.arg("--state-dir").arg(state.path().join("state"));
        }
        if !options.iter().any(|option| option == "--dns-listen") {
            command.args(["--dns-listen", "127.0.0.1:0"]);
        }
        if !options.iter().any(|option| option == "--address") {
            command.args(["--address", &engine.bridge_address().to_string()]);
        }
        let child =
            command.args(&options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut agent =
            Self { child, state, engine: engine.clone(), options, dns: ([127, 0, 0, 1], 0).into() };
        agent.dns = agent.wait_for("the address of its DNS", |agent| {
            let log = agent.log();
            assert!(agent.child.try_wait().unwrap().is_none(), "the agent ended: {log}");
            let lines =
                log[before..].lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
            let address = |line: Value| line["address"].as_str().and_then(|address| address.parse().ok());
            lines.filter(|line| line["message"] == "answering DNS").find_map(address)
        });
        agent
    }

    /// All that the agent has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.state.log()).unwrap()
    }

    /// The log's lines, as JSON.
    pub fn log_lines(&self) -> Vec<Value> {
        let log = self.log();
        log.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
            .collect()
    }

    /// Where it answers DNS.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks until `found` is content.
    pub fn wait_for<T>(&mut self, what: &str, mut found: impl FnMut(&mut Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}; the log: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the service answers.
    pub fn answers(&mut self, name: &str) -> Answer {
        self.wait_for(&format!("an answer for {name}"), |agent| agent.srv(name))
    }

    /// Waits until the service answers with this port, and nothing else.
    pub fn answers_with(&mut self, name: &str, port: u16) -> Answer {
        self.wait_for(&format!("port {port} for {name}"), |agent| {
            agent.srv(name).filter(|answer| answer.port == port && agent.targets(name) == [port])
        })
    }

    /// Waits until the service has no record.
    pub fn gone(&mut self, name: &str) {
        self.wait_for(&format!("no record of {name}"), |agent| agent.targets(name).is_empty().then_some(()));
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
        let server = format!("@{}", self.dns().ip());
        let port = self.dns().port().to_string();
        run(Command::new("dig").args([server.as_str(), "-p", &port, "+tries=1", "+time=5"]).args(arguments))
    }

    /// The name of a service in full, as a client asks for it.
    pub fn full(&self, name: &str) -> String {
        format!("{name}.servicediscovery.internal")
    }

    pub fn signal(&self, signal: &str) {
        run(Command::new("kill").args([&format!("-{signal}"), &self.pid().to_string()]));
    }

    /// Waits for the agent's end.
    pub fn ended(&mut self) -> ExitStatus {
        self.wait_for("the agent's end", |agent| agent.child.try_wait().unwrap())
    }

    /// SIGTERM, and the exit code.
    pub fn drain(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.ended().code()
    }

    /// Starts a new agent in the place of this one, with its state.
    pub fn again(mut self) -> Self {
        assert!(self.child.try_wait().unwrap().is_some(), "it still runs");
        let (engine, options) = (self.engine.clone(), std::mem::take(&mut self.options));
        let state = std::mem::replace(&mut self.state, StateDir(TempDir::new().unwrap()));
        Self::start_in(state, &engine, options)
    }

    /// The zone of an agent that has ended, but its SOA and NS.
    pub fn zone(&mut self) -> Vec<RecordSet> {
        assert!(self.child.try_wait().unwrap().is_some(), "it still runs");
        let dir = self.state.path().join("state");
        let zone = EmbeddedZone::open(&dir, "servicediscovery.internal", Options::default()).unwrap();
        zone.snapshot().into_iter().filter(|set| set.set_identifier.is_some()).collect()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The agent's program: the one under test, or another build of it.
pub fn program() -> PathBuf {
    let told = ["ECSSD_TEST_AGENT", "CARGO_BIN_EXE_ecssd"].into_iter().find_map(std::env::var_os);
    // Cargo tells the tests that it runs; who runs one by hand has to.
    PathBuf::from(told.expect("ECSSD_TEST_AGENT names the agent's program"))
}

/// A name that no other test uses.
pub fn unique(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{stem}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A service name that no other test uses.
pub fn service(stem: &str) -> String {
    format!("_{}._tcp", unique(stem))
}

fn run(mut command: impl std::borrow::BorrowMut<Command>) -> String {
    let command = command.borrow_mut();
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{command:?}: {} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
