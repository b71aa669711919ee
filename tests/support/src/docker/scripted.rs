//! A Docker that does as it is told, and checks that pass or fail.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use ecssd::container::convention::{Protocol, Scope, parse};
use ecssd::container::engine::Caveat;
use ecssd::container::event::{DockerEvent, Happening, Listed};
use ecssd::container::offer::At;
use ecssd::container::{self, Binding, Container, Network, Timestamp};
use ecssd::edge::check::{CheckError, Checker};
use ecssd::edge::engine::{Docker, DockerError, Nobody, Subscription, Tasks, TasksError};
use ecssd::machine::lifecycle::Target;
use ecssd::record::ContainerId;
use futures_util::StreamExt;
use tokio::sync::mpsc;

/// A Docker that does as it is told.
#[derive(Clone, Default)]
pub struct ScriptedDocker(Arc<Mutex<Engine>>);

struct Engine {
    away: Option<&'static str>,
    blind: bool,
    /// It ends each stream of events at once.
    hangs_up: bool,
    caveats: BTreeSet<Caveat>,
    /// How often it was asked about a container, and of streams.
    asked: (usize, usize),
    /// Nanoseconds since 1970.
    clock: i64,
    containers: BTreeMap<ContainerId, Container>,
    listeners: Vec<mpsc::UnboundedSender<DockerEvent>>,
    history: Vec<DockerEvent>,
    /// How many events it remembers no more.
    forgotten: usize,
}

impl Default for Engine {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Self {
            away: None,
            blind: false,
            hangs_up: false,
            caveats: BTreeSet::new(),
            asked: (0, 0),
            clock: i64::try_from(now.as_nanos()).unwrap(),
            containers: BTreeMap::new(),
            listeners: Vec::new(),
            history: Vec::new(),
            forgotten: 0,
        }
    }
}

/// How many events an engine remembers.
const RING: usize = 256;

impl ScriptedDocker {
    /// Starts a container that offers `name` in `sd.internal` on its port 80, published at `port`.
    pub fn start(&self, number: u32, name: &str, port: u16) -> ContainerId {
        self.start_in("sd.internal", number, name, port)
    }

    /// The same, in another zone.
    pub fn start_in(&self, zone: &str, number: u32, name: &str, port: u16) -> ContainerId {
        let id: ContainerId = format!("{number:064x}").parse().unwrap();
        let environment = [format!("SERVICE_80_NAME={name}")];
        let scope = Scope::new(zone, "web1");
        let convention = parse(environment.iter().map(String::as_str), [], &scope);
        let mut engine = self.0.lock().unwrap();
        engine.clock += 1;
        let container = Container {
            id: id.clone(),
            name: format!("c{number}"),
            started_at: Some(Timestamp::from_unix_nanos(engine.clock)),
            lived_before: false,
            running: container::Running::Running,
            health: None,
            health_log: Vec::new(),
            healthcheck_frozen: false,
            stop_signal: 15,
            network: Network::Published,
            bindings: [((80, Protocol::Tcp), vec![Binding { address: Ipv4Addr::UNSPECIFIED, port }])].into(),
            bound_ipv6: BTreeSet::new(),
            unpublished: BTreeSet::new(),
            in_ingress: false,
            services: convention.services,
            bad_keys: convention.bad_keys,
            ignored: false,
            family: None,
            task_arn: None,
        };
        engine.containers.insert(id.clone(), container);
        engine.tell(&id, Happening::Started);
        id
    }

    /// Starts a container that has died, anew.
    pub fn start_again(&self, id: &ContainerId, port: u16) {
        let mut engine = self.0.lock().unwrap();
        engine.clock += 1;
        let started_at = Timestamp::from_unix_nanos(engine.clock);
        let container = engine.containers.get_mut(id).unwrap();
        container.started_at = Some(started_at);
        container.running = container::Running::Running;
        let binding = Binding { address: Ipv4Addr::UNSPECIFIED, port };
        container.bindings = [((80, Protocol::Tcp), vec![binding])].into();
        engine.tell(id, Happening::Started);
    }

    /// Whoever watches it from now on is told of this.
    pub fn set_caveats(&self, caveats: BTreeSet<Caveat>) {
        self.0.lock().unwrap().caveats = caveats;
    }

    /// A container that has just started belongs to this ECS task.
    pub fn set_task(&self, id: &ContainerId, task: &str) {
        self.0.lock().unwrap().containers.get_mut(id).unwrap().task_arn = Some(task.to_owned());
    }

    /// A container is started again, which looks as before, and nobody is told.
    pub fn restart_unheard(&self, id: &ContainerId) {
        let mut engine = self.0.lock().unwrap();
        engine.clock += 1;
        let started_at = Some(Timestamp::from_unix_nanos(engine.clock));
        let container = engine.containers.get_mut(id).unwrap();
        (container.started_at, container.lived_before) = (started_at, true);
    }

    /// A container changes, or turns out to be other than [`ScriptedDocker::start`] makes it.
    pub fn change(&self, id: &ContainerId, change: impl FnOnce(&mut Container)) {
        let mut engine = self.0.lock().unwrap();
        engine.clock += 1;
        change(engine.containers.get_mut(id).unwrap());
        engine.tell(id, Happening::Changed);
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

    /// So many things happen that are none of a container's life, such as runs of `docker exec`.
    pub fn bustle(&self, events: usize) {
        let mut engine = self.0.lock().unwrap();
        engine.make_room(events);
    }

    /// The engine's clock steps by so many seconds.
    pub fn step_clock(&self, seconds: i64) {
        self.0.lock().unwrap().clock += seconds * 1_000_000_000;
    }

    /// The engine is started anew, and what runs goes on: what it remembered is gone.
    pub fn restart(&self) {
        let mut engine = self.0.lock().unwrap();
        engine.history.clear();
        engine.forgotten = 0;
        engine.listeners.clear();
    }

    /// The engine lists containers, and answers no question about one; or does again.
    pub fn set_blind(&self, blind: bool) {
        self.0.lock().unwrap().blind = blind;
    }

    /// From now on the engine ends each stream of events as soon as it stands, or no longer.
    pub fn set_hanging_up(&self, hangs_up: bool) {
        let mut engine = self.0.lock().unwrap();
        engine.hangs_up = hangs_up;
        engine.listeners.clear();
    }

    /// How often it was asked about a container, and for a stream of events.
    pub fn asked(&self) -> (usize, usize) {
        self.0.lock().unwrap().asked
    }

    /// The engine goes away, or comes back.
    pub fn set_away(&self, away: bool) {
        self.set_away_for(away.then_some("away"));
    }

    /// The engine is away for this reason, or comes back.
    pub fn set_away_for(&self, reason: Option<&'static str>) {
        let mut engine = self.0.lock().unwrap();
        engine.away = reason;
        engine.listeners.clear();
    }
}

impl Engine {
    fn tell(&mut self, id: &ContainerId, happening: Happening) {
        let time = Timestamp::from_unix_nanos(self.clock);
        let event = DockerEvent { id: id.clone(), happening, time, age: Duration::ZERO };
        self.make_room(1);
        self.history.push(event.clone());
        self.listeners.retain(|listener| listener.send(event.clone()).is_ok());
    }

    /// Forgets what it has no room for beside so many events more.
    fn make_room(&mut self, events: usize) {
        let beyond = (self.history.len() + events).saturating_sub(RING);
        self.forgotten += beyond;
        self.history.drain(..beyond.min(self.history.len()));
    }

    fn reach(&self) -> Result<(), DockerError> {
        let Some(reason) = self.away else { return Ok(()) };
        Err(DockerError::Unreachable {
            socket: "scripted".into(),
            kind: Nobody::NotThere,
            reason: reason.into(),
        })
    }
}

#[async_trait]
impl Docker for ScriptedDocker {
    async fn events(&self) -> Result<Subscription, DockerError> {
        let mut engine = self.0.lock().unwrap();
        engine.reach()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        engine.asked.1 += 1;
        if !engine.hangs_up {
            engine.listeners.push(sender);
        }
        let live = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|event| (Ok(event), receiver))
        });
        let (past, whole) = (engine.history.clone(), engine.forgotten == 0);
        Ok(Subscription { caveats: engine.caveats.clone(), past, whole, live: live.boxed() })
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
        let mut engine = self.0.lock().unwrap();
        engine.asked.0 += 1;
        engine.reach()?;
        if engine.blind {
            return Err(DockerError::Timeout("an inspect"));
        }
        Ok(engine.containers.get(id).cloned())
    }
}

/// An ECS agent that knows no task.
pub struct NoTasks;

#[async_trait]
impl Tasks for NoTasks {
    async fn address(&self, _id: &ContainerId) -> Result<Option<Ipv4Addr>, TasksError> {
        Ok(None)
    }

    async fn is_to_stop(&self, _id: &ContainerId) -> Result<bool, TasksError> {
        Ok(false)
    }
}

/// Checks that pass, but at the ports that are named here.
#[derive(Clone, Default)]
pub struct ScriptedChecks(Arc<Mutex<Checks>>);

#[derive(Default)]
struct Checks {
    failing: BTreeSet<u16>,
    closing: BTreeSet<u16>,
    proxy: bool,
    panicking: bool,
}

impl ScriptedChecks {
    pub fn fail(&self, port: u16) {
        self.0.lock().unwrap().failing.insert(port);
    }

    pub fn pass(&self, port: u16) {
        self.0.lock().unwrap().failing.remove(&port);
    }

    /// Nobody listens at this port: whoever takes the connections closes each, where that is a proxy.
    pub fn close(&self, port: u16) {
        self.0.lock().unwrap().closing.insert(port);
    }

    /// And now somebody does.
    pub fn keep(&self, port: u16) {
        self.0.lock().unwrap().closing.remove(&port);
    }

    /// From now on, asking a target panics, or no longer.
    pub fn set_panicking(&self, panicking: bool) {
        self.0.lock().unwrap().panicking = panicking;
    }
}

#[async_trait]
impl Checker for ScriptedChecks {
    async fn check(&self, target: &Target) -> Result<(), CheckError> {
        let At::Host { port } = target.at else { return Ok(()) };
        let (failing, panicking) = {
            let checks = self.0.lock().unwrap();
            (checks.failing.contains(&port), checks.panicking)
        };
        assert!(!panicking, "a check was told to panic");
        if failing { Err(CheckError::Refused("told to fail".into())) } else { Ok(()) }
    }

    async fn check_first(&self, target: &Target, _hold: Duration) -> Result<(), CheckError> {
        if let At::Host { port } = target.at {
            let checks = self.0.lock().unwrap();
            if checks.proxy && target.is_led && checks.closing.contains(&port) {
                return Err(CheckError::Closed((Ipv4Addr::LOCALHOST, port).into()));
            }
        }
        self.check(target).await
    }

    fn on_proxy(&self, may_be: bool) {
        self.0.lock().unwrap().proxy = may_be;
    }
}
