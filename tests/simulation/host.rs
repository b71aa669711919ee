//! A host: its machine, its process, and what is wrong with each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ecssd::container::{Container, Timestamp};
use ecssd::machine::past::Signals;
use ecssd::moment::Moment;
use ecssd::record::ContainerId;
use ecssd::status::Readiness;
use fastrand::Rng;
use tokio::sync::{Notify, watch};

use super::cordons::Given;
use super::disk::Disk;
use super::engine::Engine;
use super::later::Later;
use super::route::Route;
use super::scenario::{CallFault, Notice, Point, Scenario, Spec, SpecPort};
use super::truth::{BELIEVED, REMEMBERED, Truth, fixed_port, host_port};
use super::world::State;

/// From the first port that is published for a container to its second.
pub const SECOND: u16 = 1_000;
/// The wall clock at the start, in nanoseconds since 1970.
const WALL: i64 = 1_800_000_000_000_000_000;

pub struct Host {
    pub owner: String,
    /// The first of its names, and all that it ever had.
    first_name: String,
    pub names: BTreeSet<String>,
    pub address: Ipv4Addr,
    pub route: Route,
    pub containers: BTreeMap<ContainerId, Truth>,
    pub slots: BTreeMap<u8, ContainerId>,
    pub made: u64,
    /// When first lives ended, by service.
    pub ends: BTreeMap<u8, Vec<Moment>>,
    next_port: u16,
    pub engine: Engine,

    // The machine.
    pub wall_offset: i64,
    /// Whether its wall clock ever went back: then starts have no order.
    pub went_back: bool,
    /// When it stepped last, either way.
    pub jumped_at: Option<Moment>,
    /// The same, where it jumped ahead.
    pub jumped_ahead_at: Option<Moment>,
    ticks: i64,
    pub powered: bool,
    /// Since when it is off, or was last.
    pub off_since: Option<Moment>,
    pub terminated: Option<Moment>,
    pub dead_network_until: Moment,
    pub notice: Option<(Notice, Moment)>,
    /// The end that its agent was told of last, until it is told otherwise.
    pub believed_end: Option<Moment>,
    pub imds_away_until: Moment,
    pub disk: Disk,
    /// The weights that its operator gave by hand.
    pub given: Given,

    // The process.
    pub life: u64,
    pub alive: bool,
    pub started: Moment,
    /// When another agent starts.
    pub start_at: Moment,
    pub fuse: Option<(Point, u8, u32)>,
    pub order: Option<Order>,
    /// Rung for whoever looks after the process.
    pub bell: Arc<Notify>,
    /// What the process says of itself.
    pub readiness: Option<watch::Receiver<Readiness>>,
    pub draining: Option<Moment>,
    /// When one of its processes was last told to drain: the next one finishes that, should it be killed.
    pub drain_began: Option<Moment>,

    /// What its mutant goes on to believe of containers.
    pub shown: BTreeMap<ContainerId, (String, Container)>,

    // Its calls.
    pub credentials: Credentials,
    pub calls: VecDeque<CallFault>,
    pub outage: Option<(Moment, CallFault)>,
    pub rng: Rng,
}

/// What proves to the registry who it is that calls, by number: each ends at some time, and is followed by another.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The one that is taken.
    pub taken: u32,
    /// The one that can be read.
    pub ready: u32,
    /// The one that the process has read.
    pub read: u32,
}

/// What a signal asks of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Upgrade { down_ms: u32 },
    Drain { down_ms: u32 },
}

/// Whose the records of a host are: by its instance's id, of either length that EC2 has given, or off EC2 its name. The
/// first is the beginning of all others: whoever compares prefixes is found out.
pub fn owner(index: usize, off_ec2: bool) -> String {
    match (off_ec2, index) {
        (false, 0) => "i-aaaaaaa0".to_owned(),
        (false, index) => format!("i-aaaaaaa0aaaaaaaa{index}"),
        (true, 0) => "web".to_owned(),
        (true, index) => format!("web{index}"),
    }
}

impl Host {
    pub fn new(index: usize, scenario: &Scenario) -> Self {
        Self {
            owner: owner(index, scenario.off_ec2),
            first_name: owner(index, scenario.off_ec2),
            names: [owner(index, scenario.off_ec2)].into(),
            address: Ipv4Addr::new(10, 0, 0, 7 + u8::try_from(index).expect("few hosts")),
            route: Route::new(scenario.off_ec2),
            containers: BTreeMap::new(),
            slots: BTreeMap::new(),
            made: 0,
            ends: BTreeMap::new(),
            next_port: 32_768,
            engine: Engine::default(),
            wall_offset: 0,
            went_back: false,
            jumped_at: None,
            jumped_ahead_at: None,
            ticks: 0,
            powered: true,
            off_since: None,
            terminated: None,
            dead_network_until: Moment::START,
            notice: None,
            believed_end: None,
            imds_away_until: Moment::START,
            disk: Disk::of_machine(index),
            given: Given::default(),
            life: 0,
            alive: false,
            started: Moment::START,
            start_at: Moment::START,
            fuse: None,
            order: None,
            bell: Arc::default(),
            readiness: None,
            draining: None,
            drain_began: None,
            shown: BTreeMap::new(),
            credentials: Credentials::default(),
            calls: VecDeque::new(),
            outage: None,
            rng: Rng::with_seed(scenario.seed.wrapping_mul(31).wrapping_add(index as u64)),
        }
    }

    /// The wall clock; no two readings are one.
    pub fn wall(&mut self, now: Moment) -> i64 {
        self.ticks += 1;
        WALL + i64::try_from(now.since_start().as_nanos()).expect("a short run")
            + self.wall_offset
            + self.ticks
    }

    /// The container in a slot.
    pub fn slot(&self, slot: u8) -> Option<ContainerId> {
        self.slots.get(&slot).cloned()
    }

    /// Until when a first life of a service may be kept out for others that ended at once.
    pub fn beside_until(&self, service: u8) -> Moment {
        let loops = |ends: &&Vec<Moment>| Truth::is_loop(ends);
        let last = self.ends.get(&service).filter(loops).and_then(|ends| ends.last());
        last.map_or(Moment::START, |last| *last + REMEMBERED)
    }

    /// Its agent writes down what a container was sent.
    pub fn notes(&mut self, id: &ContainerId, signals: Option<&Signals>, now: Moment) {
        if let (Some(it), Some(signals)) = (self.containers.get_mut(id), signals) {
            let this = signals.life == Timestamp::from_unix_nanos(it.started_wall);
            if this {
                let since = it.noted.map_or(now, |(_, since, _)| since);
                let until = it.told_to_stop.map_or(now, |told| told + BELIEVED);
                it.noted = Some((it.lives, since, until));
            }
        }
    }

    pub fn is_told(&mut self, order: Order) {
        self.order = Some(order);
        self.bell.notify_one();
    }

    /// Whether a container is about to be stopped, as far as the host was told, and whether that is now.
    pub fn leaves(&self, it: &Truth, now: Moment) -> Option<bool> {
        // As the agent has it: 20 s before the end; and what its polls and its clock may take.
        const BEFORE: Duration = Duration::from_secs(20);
        const TOLERANCE: Duration = Duration::from_secs(1);
        let near = |end: Moment| now + BEFORE + TOLERANCE >= end;
        if self.believed_end.is_some_and(near) {
            return Some(true);
        }
        match self.notice? {
            (Notice::Spot { .. }, end) => Some(near(end)),
            (Notice::ScalingIn, _) => Some(false),
            (Notice::Draining, _) => it.is_task().then_some(false),
        }
    }

    /// All that hangs, lags or lies is well again.
    pub fn heal(&mut self, now: Moment) {
        self.engine.heal();
        self.dead_network_until = Moment::START;
        self.imds_away_until = Moment::START;
        self.route.heal(now);
        self.credentials.ready = self.credentials.taken;
        self.calls.clear();
        self.outage = None;
        self.fuse = None;
        self.disk.mend();
    }

    /// The port at which others reach what is started so; `None` where the engine cannot give it one.
    pub fn choose_port(&mut self, spec: &Spec, owner: Option<&ContainerId>, now: Moment) -> Option<u16> {
        let published = |port: u16| {
            self.containers
                .values()
                .any(|it| it.alive && it.is_published() && !it.unplugged && it.port == port)
        };
        match spec.port {
            SpecPort::Host(n) => Some(host_port(n)),
            SpecPort::Fixed(n) => {
                // What a process of the host listens at cannot be published.
                Some(fixed_port(n)).filter(|port| !published(*port) && self.answerer(*port, now).is_none())
            }
            SpecPort::Dynamic => {
                // The engine goes round in a small range, so that ports come back soon.
                let free = (0..12)
                    .map(|n| 32_768 + (self.next_port - 32_768 + n) % 12)
                    .find(|port| !published(*port));
                let port = free.expect("fewer containers than ports");
                self.next_port = port + 1;
                Some(port)
            }
            SpecPort::Shared { second, .. } => {
                let owner = self.containers.get(owner?)?;
                let port = if second { owner.port + SECOND } else { owner.port };
                Some(port).filter(|_| owner.alive && owner.is_published() && !owner.unplugged)
            }
        }
    }

    /// What a list shows of a container: of one that uses another's network no ports.
    pub fn fingerprint(&self, id: &ContainerId, now: Moment) -> String {
        let shown = |it: &Truth| {
            let port = (it.is_published() && it.ports_shown(now)).then_some(it.port);
            format!("{port:?} {} {:?}", it.paused.is_some(), it.health)
        };
        self.containers.get(id).map(shown).unwrap_or_default()
    }

    /// Whose process a connection to this port leads to: of those that want to listen there the first that did.
    /// What Docker publishes, nobody else of the host can listen at.
    pub fn answerer(&self, port: u16, now: Moment) -> Option<&Truth> {
        let leads = |it: &&Truth| it.alive && !it.cut && !it.unplugged && it.port == port;
        let there = || self.containers.values().filter(leads);
        let published = there().any(Truth::is_published);
        let listening = there()
            .filter(|it| !(published && it.on_host()))
            .filter_map(|it| it.listens_from().filter(|from| now >= *from).map(|from| (from, it)));
        listening.min_by_key(|(from, it)| (*from, &it.id)).map(|(_, it)| it)
    }
}

impl State {
    pub fn power_off(&mut self, host: usize) {
        let now = self.now;
        let of = &mut self.hosts[host];
        if std::mem::replace(&mut of.powered, false) {
            of.off_since = Some(now);
        }
        of.disk.power_off();
    }

    /// The host has another name from the next start of its agent on.
    pub fn renames(&mut self, host: usize, to: u8, down_ms: u32) {
        let of = &mut self.hosts[host];
        // The first is the beginning of the others.
        let name = if to == 0 { of.first_name.clone() } else { format!("{}-{to}", of.first_name) };
        if !of.route.is_followed || name == of.owner {
            return;
        }
        self.kill_agent(host, down_ms);
        let of = &mut self.hosts[host];
        of.names.insert(name.clone());
        of.owner = name.clone();
        // Of what containers were sent, the next one knows nothing.
        of.containers.values_mut().for_each(|it| it.noted = None);
        self.count("renamed");
        self.court_renames(host);
        self.tell(host, format_args!("is called {name}"));
    }

    /// Its agent begins again, where there is something of another name.
    pub fn tries_again(&mut self, host: usize) {
        if self.hosts[host].disk.asides().next().is_some() {
            self.kill_agent(host, 1_000);
        }
    }

    /// What is on the disk of another host is on this one's, with the id of its machine.
    pub fn copies_disk(&mut self, host: usize, from: usize, down_ms: u32) {
        if from == host || from >= self.hosts.len() {
            return;
        }
        self.kill_agent(host, down_ms);
        let mut disk = self.hosts[from].disk.copy();
        let of = &mut self.hosts[host];
        // An older journal of its own would be believed.
        disk.lacks(&of.names);
        of.disk = disk;
        of.containers.values_mut().for_each(|it| it.noted = None);
        self.count("disk of another host");
        self.tell(host, format_args!("has a copy of the disk of host {from}"));
    }

    /// Its agent has ended; its containers are ended, and the machine is off for so long.
    pub fn goes_down(&mut self, host: usize, lasts: Duration) {
        if !self.hosts[host].powered {
            return;
        }
        self.kill_agent(host, 0);
        self.engine_stops(host);
        self.power_off(host);
        if self.hosts[host].disk.is_closed() {
            self.count("shut down in order");
        }
        self.later(lasts, Later::PowerOn { host });
    }

    pub fn power_on(&mut self, host: usize) {
        if self.hosts[host].terminated.is_some() {
            return;
        }
        let start_at = self.now + Duration::from_secs(1);
        let of = &mut self.hosts[host];
        (of.powered, of.order) = (true, None);
        // It is started with the machine, whoever had stopped it.
        of.start_at = of.start_at.min(start_at);
        of.bell.notify_one();
        self.engine_up(host);
    }

    /// The host goes on, whatever was said. What was out of DNS for that comes back.
    pub fn call_off(&mut self, host: usize) {
        // While metadata is away, nobody hears of it.
        let heard = self.now.max(self.hosts[host].imds_away_until);
        self.hosts[host].notice = None;
        self.hosts[host].containers.values_mut().for_each(|it| it.reason = heard);
    }

    /// `kill -9`, and another agent after that time.
    pub fn kill_agent(&mut self, host: usize, down_ms: u32) {
        let now = self.now;
        let of = &mut self.hosts[host];
        if std::mem::replace(&mut of.alive, false) {
            of.start_at = now + Duration::from_millis(down_ms.into());
            of.fuse = None;
            of.engine.hangs_up();
            of.bell.notify_one();
            self.tell(host, format_args!("the agent is killed"));
        }
    }
}
