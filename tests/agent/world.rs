//! The world of an agent under test: a Docker that does as it is told, checks that pass or fail, a zone in
//! memory, and a log that can be made to panic.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ecssd::actors::{Exit, Running, Surroundings, start};
use ecssd::check::Checker;
use ecssd::clock::Clock;
use ecssd::engine::{Docker, DockerError, DockerEvent, Events, Happening, Listed, Tasks, TasksError};
use ecssd::machine::container::{self, Binding, Container, ContainerId, Network, Timestamp};
use ecssd::machine::lifecycle::Target;
use ecssd::machine::offer::At;
use ecssd::machine::record::{Change, RecordSet, RecordType};
use ecssd::machine::registration::{Owner, Registrant};
use ecssd::machine::service::{Protocol, Scope, parse};
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd::zone::pacing::Pace;
use ecssd::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

pub const ZONE: &str = "sd.internal";
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);

/// An agent and all that it touches.
pub struct World {
    pub docker: ScriptedDocker,
    pub checks: ScriptedChecks,
    pub zone: ScriptedZone,
    pub log: Log,
    pub agent: Running,
    _logging: tracing::subscriber::DefaultGuard,
}

impl World {
    /// An agent on an empty host.
    pub async fn start() -> Self {
        let zone = EmbeddedZone::in_memory(ZONE, Options::default()).unwrap();
        Self::start_with(ScriptedDocker::default(), zone).await
    }

    pub async fn start_with(docker: ScriptedDocker, zone: EmbeddedZone) -> Self {
        let log = Log::default();
        let logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()));
        let (checks, zone) = (ScriptedChecks::default(), ScriptedZone::new(zone));
        let surroundings = Surroundings {
            docker: Arc::new(docker.clone()),
            tasks: Arc::new(NoTasks),
            checker: Arc::new(checks.clone()),
            zone: Arc::new(zone.clone()),
            registrant: Registrant { owner: Owner::new("web1").unwrap(), zone: ZONE.into(), address: HOST },
            journal: None,
            read_first: true,
            dry_run: false,
            once: false,
            pace: Pace::LOCAL,
            fleet: tokio::sync::watch::channel(None).1,
            resync: Duration::from_secs(1_800),
            drain_timeout: Duration::from_secs(25),
            clock: Clock::start(),
            seed: 7,
        };
        let agent = start(surroundings).await.unwrap();
        Self { docker, checks, zone, log, agent, _logging: logging }
    }

    /// Lets virtual time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// The ports of a service's records, with their weights.
    pub fn records(&self, name: &str) -> BTreeSet<(u16, i64)> {
        let of_it =
            |set: &RecordSet| set.kind == RecordType::Srv && set.key().name == format!("{name}.{ZONE}");
        let sets = self.zone.embedded.snapshot().into_iter().filter(of_it);
        sets.map(|set| (set.values[0].split(' ').nth(2).unwrap().parse().unwrap(), set.weight.unwrap()))
            .collect()
    }

    /// Waits for the agent's end, in virtual time.
    pub async fn ended(&mut self) -> Exit {
        tokio::time::timeout(Duration::from_secs(600), self.agent.ended()).await.expect("the agent ends")
    }
}

/// A Docker that does as it is told.
#[derive(Clone, Default)]
pub struct ScriptedDocker(Arc<Mutex<Engine>>);

#[derive(Default)]
struct Engine {
    away: bool,
    blind: bool,
    clock: i64,
    containers: BTreeMap<ContainerId, Container>,
    listeners: Vec<mpsc::UnboundedSender<DockerEvent>>,
    history: Vec<DockerEvent>,
}

impl ScriptedDocker {
    /// Starts a container that offers `name` on its port 80, published at `port`.
    pub fn start(&self, number: u8, name: &str, port: u16) -> ContainerId {
        let id: ContainerId = format!("{number:064x}").parse().unwrap();
        let environment = [format!("SERVICE_80_NAME={name}")];
        let scope = Scope::new(ZONE, "web1");
        let convention = parse(environment.iter().map(String::as_str), [], &scope);
        let mut engine = self.0.lock().unwrap();
        engine.clock += 1;
        let container = Container {
            id: id.clone(),
            name: format!("c{number}"),
            started_at: Some(Timestamp::from_unix_nanos(engine.clock)),
            running: container::Running::Running,
            health: None,
            stop_signal: 15,
            stop_timeout: None,
            network: Network::Published,
            bindings: [((80, Protocol::Tcp), vec![Binding { address: Ipv4Addr::UNSPECIFIED, port }])].into(),
            bound_ipv6: BTreeSet::new(),
            services: convention.services,
            bad_keys: convention.bad_keys,
            ignored: false,
            task_arn: None,
        };
        engine.containers.insert(id.clone(), container);
        engine.tell(&id, Happening::Changed);
        id
    }

    pub fn kill(&self, id: &ContainerId, signal: u8) {
        let mut engine = self.0.lock().unwrap();
        engine.clock += 1;
        engine.tell(id, Happening::Killed(signal));
    }

    pub fn die(&self, id: &ContainerId) {
        let mut engine = self.0.lock().unwrap();
        engine.clock += 1;
        let container = engine.containers.get_mut(id).unwrap();
        container.running = container::Running::Stopped;
        container.bindings.clear();
        engine.tell(id, Happening::Died);
    }

    /// The engine lists containers, and answers no question about one; or does again.
    pub fn set_blind(&self, blind: bool) {
        self.0.lock().unwrap().blind = blind;
    }

    /// The engine goes away, or comes back.
    pub fn set_away(&self, away: bool) {
        let mut engine = self.0.lock().unwrap();
        engine.away = away;
        engine.listeners.clear();
    }
}

impl Engine {
    fn tell(&mut self, id: &ContainerId, happening: Happening) {
        let time = Timestamp::from_unix_nanos(self.clock);
        let event = DockerEvent { id: id.clone(), happening, time, age: Duration::ZERO };
        self.history.push(event.clone());
        self.listeners.retain(|listener| listener.send(event.clone()).is_ok());
    }

    fn reach(&self) -> Result<(), DockerError> {
        let away = || DockerError::Unreachable { socket: "scripted".into(), reason: "away".into() };
        if self.away { Err(away()) } else { Ok(()) }
    }
}

#[async_trait]
impl Docker for ScriptedDocker {
    async fn events(&self, _back: Duration) -> Result<Events, DockerError> {
        let mut engine = self.0.lock().unwrap();
        engine.reach()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        engine.history.iter().for_each(|event| sender.send(event.clone()).unwrap());
        engine.listeners.push(sender);
        let events = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|event| (Ok(event), receiver))
        });
        Ok(events.boxed())
    }

    async fn running(&self) -> Result<Vec<Listed>, DockerError> {
        let engine = self.0.lock().unwrap();
        engine.reach()?;
        let running = engine.containers.values().filter(|it| it.running != container::Running::Stopped);
        Ok(running
            .map(|it| Listed { id: it.id.clone(), fingerprint: format!("{:?}", it.bindings) })
            .collect())
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Option<Container>, DockerError> {
        let engine = self.0.lock().unwrap();
        engine.reach()?;
        if engine.blind {
            return Err(DockerError::Timeout("an inspect"));
        }
        Ok(engine.containers.get(id).cloned())
    }
}

struct NoTasks;

#[async_trait]
impl Tasks for NoTasks {
    async fn address(&self, _id: &ContainerId) -> Result<Option<Ipv4Addr>, TasksError> {
        Ok(None)
    }
}

/// Checks that pass, but at the ports that are named here.
#[derive(Clone, Default)]
pub struct ScriptedChecks(Arc<Mutex<Checks>>);

#[derive(Default)]
struct Checks {
    failing: BTreeSet<u16>,
    panicking: bool,
}

impl ScriptedChecks {
    pub fn fail(&self, port: u16) {
        self.0.lock().unwrap().failing.insert(port);
    }

    /// From now on, asking a target panics, or no longer.
    pub fn set_panicking(&self, panicking: bool) {
        self.0.lock().unwrap().panicking = panicking;
    }
}

#[async_trait]
impl Checker for ScriptedChecks {
    async fn check(&self, target: &Target) -> Result<(), String> {
        let At::Host { port } = target.at else { return Ok(()) };
        let (failing, panicking) = {
            let checks = self.0.lock().unwrap();
            (checks.failing.contains(&port), checks.panicking)
        };
        assert!(!panicking, "a check was told to panic");
        if failing { Err("told to fail".into()) } else { Ok(()) }
    }
}

/// The embedded zone, which can be made to answer with an error, and which remembers what was deleted.
#[derive(Clone)]
pub struct ScriptedZone {
    pub embedded: EmbeddedZone,
    error: Arc<Mutex<Option<ZoneError>>>,
    batches: Arc<Mutex<Vec<Vec<Change>>>>,
}

impl ScriptedZone {
    fn new(embedded: EmbeddedZone) -> Self {
        Self { embedded, error: Arc::default(), batches: Arc::default() }
    }

    /// From now on every call fails like this; `None` to answer again.
    pub fn fail_with(&self, error: Option<ZoneError>) {
        *self.error.lock().unwrap() = error;
    }

    /// The batches that were applied.
    pub fn batches(&self) -> Vec<Vec<Change>> {
        self.batches.lock().unwrap().clone()
    }

    fn reach(&self) -> Result<(), ZoneError> {
        self.error.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Zone for ScriptedZone {
    fn name(&self) -> &str {
        self.embedded.name()
    }

    fn id(&self) -> &str {
        self.embedded.id()
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        self.reach()?;
        let info = self.embedded.change(batch).await?;
        self.batches.lock().unwrap().push(batch.to_vec());
        Ok(info)
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.reach()?;
        self.embedded.list(start, max_items).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        self.embedded.change_status(id).await
    }
}

/// What was logged; and a way to make the actor that logs a line panic at it.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    panic_at: Option<(String, u32)>,
}

impl Log {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().lines.clone()
    }

    /// Whoever logs a line with these words panics, so many times.
    pub fn panic_at(&self, words: &str, times: u32) {
        self.0.lock().unwrap().panic_at = Some((words.to_owned(), times));
    }

    /// How many of those panics are still to come.
    pub fn panics_left(&self) -> u32 {
        self.0.lock().unwrap().panic_at.as_ref().map_or(0, |(_, times)| *times)
    }
}

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        let panics = {
            let mut lines = self.0.lock().unwrap();
            lines.lines.push(line.0.clone());
            match &mut lines.panic_at {
                Some((words, times))
                    if *times > 0
                    && line.0.contains(words.as_str())
                    // The supervisor quotes the panic that it saw.
                    && !line.0.contains("told to panic") =>
                {
                    *times -= 1;
                    true
                }
                _ => false,
            }
        };
        assert!(!panics, "told to panic at {}", line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write;
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}
