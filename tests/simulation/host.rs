//! A host: its engine, its disk, its process, and what is wrong with each.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ecssd::engine::Happening;
use ecssd::machine::container::ContainerId;
use ecssd::status::Readiness;
use fastrand::Rng;
use tokio::sync::{Notify, mpsc, watch};

use super::disk::Disk;
use super::later::Later;
use super::scenario::{CallFault, Notice, Point, Scenario, Spec, SpecCheck, SpecPort, SpecStop, What};
use super::truth::Truth;
use super::world::State;

/// How many events a listener's buffer holds before the engine drops them, and how many are replayed. Source:
/// the engine's own figures, see the reference of Docker's events.
pub const BUFFER: usize = 1_024;
pub const REPLAY: usize = 256;
/// The wall clock at the start, in nanoseconds since 1970.
const WALL: i64 = 1_800_000_000_000_000_000;

/// An event as the engine has it.
#[derive(Clone, Debug)]
pub struct Told {
    pub wall: i64,
    pub id: ContainerId,
    pub happening: Happening,
    /// Of which life, and when that began, for the court.
    pub life: u32,
    pub began: i64,
}

pub struct Host {
    pub owner: String,
    pub address: Ipv4Addr,
    pub containers: BTreeMap<ContainerId, Truth>,
    slots: BTreeMap<u8, ContainerId>,
    made: u64,
    next_port: u16,

    // The engine.
    pub replay: VecDeque<Told>,
    pub listeners: Vec<mpsc::Sender<Told>>,
    pub engine_away: bool,
    pub silent_until: Duration,
    pub slow: (Duration, Duration),
    pub hanging_until: Duration,
    wall_offset: i64,
    /// Whether its wall clock ever went back: then what is replayed looks new.
    pub went_back: bool,
    ticks: i64,

    // The machine.
    pub powered: bool,
    /// Since when it is off, or was last.
    pub off_since: Option<Duration>,
    pub terminated: Option<Duration>,
    pub dead_network_until: Duration,
    pub notice: Option<(Notice, Duration)>,
    /// The end that its agent was told of last, until it is told otherwise.
    pub believed_end: Option<Duration>,
    pub imds_away_until: Duration,
    pub disk: Disk,

    // The process.
    pub life: u64,
    pub alive: bool,
    pub started: Duration,
    /// When another agent starts.
    pub start_at: Duration,
    pub fuse: Option<(Point, u8, u32)>,
    pub order: Option<Order>,
    /// Rung for whoever looks after the process.
    pub bell: Arc<Notify>,
    /// What the process says of itself.
    pub readiness: Option<watch::Receiver<Readiness>>,
    pub draining: Option<Duration>,
    /// When one of its processes was last told to drain: the next one finishes that, should it be killed.
    pub drain_began: Option<Duration>,

    // Its calls.
    pub calls: VecDeque<CallFault>,
    pub outage: Option<(Duration, CallFault)>,
    pub rng: Rng,
}

/// What a signal asks of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Upgrade { down_ms: u32 },
    Drain { down_ms: u32 },
}

impl Host {
    pub fn new(index: usize, scenario: &Scenario) -> Self {
        Self {
            // One is the beginning of the other: whoever compares prefixes is found out.
            owner: format!("i-0{}", "a".repeat(index + 1)),
            address: Ipv4Addr::new(10, 0, 0, 7 + u8::try_from(index).expect("few hosts")),
            containers: BTreeMap::new(),
            slots: BTreeMap::new(),
            made: 0,
            next_port: 32_768,
            replay: VecDeque::new(),
            listeners: Vec::new(),
            engine_away: false,
            silent_until: Duration::ZERO,
            slow: (Duration::ZERO, Duration::ZERO),
            hanging_until: Duration::ZERO,
            wall_offset: 0,
            went_back: false,
            ticks: 0,
            powered: true,
            off_since: None,
            terminated: None,
            dead_network_until: Duration::ZERO,
            notice: None,
            believed_end: None,
            imds_away_until: Duration::ZERO,
            disk: Disk::default(),
            life: 0,
            alive: false,
            started: Duration::ZERO,
            start_at: Duration::ZERO,
            fuse: None,
            order: None,
            bell: Arc::default(),
            readiness: None,
            draining: None,
            drain_began: None,
            calls: VecDeque::new(),
            outage: None,
            rng: Rng::with_seed(scenario.seed.wrapping_mul(31).wrapping_add(index as u64)),
        }
    }

    /// The wall clock; no two readings are one.
    pub fn wall(&mut self, now: Duration) -> i64 {
        self.ticks += 1;
        WALL + i64::try_from(now.as_nanos()).expect("a short run") + self.wall_offset + self.ticks
    }

    /// The container in a slot.
    pub fn slot(&self, slot: u8) -> Option<ContainerId> {
        self.slots.get(&slot).cloned()
    }

    fn is_told(&mut self, order: Order) {
        self.order = Some(order);
        self.bell.notify_one();
    }

    /// Whether a container is about to be stopped, as far as the host was told, and whether that is now.
    pub fn leaves(&self, it: &Truth, now: Duration) -> Option<bool> {
        // As the agent has it: 20 s before the end; and what its polls and its clock may take.
        const BEFORE: Duration = Duration::from_secs(20);
        const TOLERANCE: Duration = Duration::from_secs(1);
        let near = |end: Duration| now + BEFORE + TOLERANCE >= end;
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
    pub fn heal(&mut self) {
        self.silent_until = Duration::ZERO;
        self.slow = (Duration::ZERO, Duration::ZERO);
        self.hanging_until = Duration::ZERO;
        self.dead_network_until = Duration::ZERO;
        self.imds_away_until = Duration::ZERO;
        self.calls.clear();
        self.outage = None;
        self.fuse = None;
        self.disk.mend();
    }

    fn choose_port(&mut self, spec: &Spec) -> Option<u16> {
        let taken = |port: u16| {
            let published = |it: &&Truth| it.alive && !matches!(it.spec.port, SpecPort::Host(_));
            self.containers.values().filter(published).any(|it| it.port == port)
        };
        match spec.port {
            SpecPort::Host(n) => Some(8_000 + u16::from(n)),
            SpecPort::Fixed(n) => Some(9_000 + u16::from(n)).filter(|port| !taken(*port)),
            SpecPort::Dynamic => {
                // The engine goes round in a small range, so that ports come back soon.
                let free =
                    (0..12).map(|n| 32_768 + (self.next_port - 32_768 + n) % 12).find(|port| !taken(*port));
                let port = free.expect("fewer containers than ports");
                self.next_port = port + 1;
                Some(port)
            }
        }
    }
}

impl State {
    /// Does one thing to a host.
    pub fn operate(&mut self, host: usize, what: What) {
        let slot = |slot| self.hosts[host].slot(slot);
        let until = |seconds: u16| Duration::from_secs(seconds.into());
        let now = self.now;
        match what {
            What::Run { slot, spec } => self.runs(host, slot, spec),
            What::Stop { slot: of } => {
                let Some(id) = slot(of) else { return };
                let Some(it) = self.hosts[host].containers.get(&id) else { return };
                let timeout = it.spec.stop_timeout.unwrap_or(10);
                let (life, alive) = (it.lives, it.alive);
                if alive {
                    self.signals(host, &id, 15);
                    self.later(until(timeout), Later::Sigkill { host, id, life });
                }
            }
            What::Signal { slot: of, signal } => {
                if let Some(id) = slot(of) {
                    self.signals(host, &id, signal);
                }
            }
            What::Die { slot: of } => {
                if let Some(id) = slot(of) {
                    self.exits(host, &id);
                }
            }
            What::Restart { slot: of } => {
                if let Some(id) = slot(of) {
                    self.signals(host, &id, 15);
                    self.exits(host, &id);
                    self.starts(host, &id);
                }
            }
            What::Pause { slot: of } => self.pauses(host, slot(of), true),
            What::Unpause { slot: of } => self.pauses(host, slot(of), false),
            What::Remove { slot: of } => {
                if let Some(id) = slot(of) {
                    self.removes(host, &id);
                }
            }
            What::CrashLoop { slot: of, times, gap_ms } => {
                if let Some(id) = slot(of).filter(|_| !self.hosts[host].engine_away) {
                    self.later(Duration::ZERO, Later::Crash { host, id, left: times, gap_ms });
                }
            }
            What::Storm { slot: of, events } => {
                let Some(id) = slot(of).filter(|_| !self.hosts[host].engine_away) else { return };
                (0..events).for_each(|_| self.happens(host, &id, Happening::Changed));
            }
            What::Sicken { slot: of, silent, seconds } => {
                let Some(id) = slot(of) else { return };
                self.sickens(host, &id, silent);
                self.later(until(seconds), Later::Recover { host, id });
            }
            What::DockerAway { seconds } => {
                self.engine_down(host);
                self.later(until(seconds), Later::EngineUp { host });
            }
            What::DockerRestart { seconds, live_restore } => {
                self.engine_down(host);
                if !live_restore {
                    self.all_end(host);
                }
                self.later(until(seconds), Later::EngineUp { host });
            }
            What::SilentStream { seconds } => self.hosts[host].silent_until = now + until(seconds),
            What::SlowLooks { ms, seconds } => {
                self.hosts[host].slow = (now + until(seconds), Duration::from_millis(ms.into()));
            }
            What::HangingLooks { seconds } => self.hosts[host].hanging_until = now + until(seconds),
            What::DeadNetwork { seconds } => self.hosts[host].dead_network_until = now + until(seconds),
            // Those who carry the run do it.
            What::Lag { .. } | What::Panic { .. } => {}
            What::Calls { fault, calls } => {
                self.hosts[host].calls.extend(std::iter::repeat_n(fault, calls.into()));
            }
            What::Outage { fault, seconds } => self.hosts[host].outage = Some((now + until(seconds), fault)),
            What::RegistryDown { seconds } => self.account.down_until = now + until(seconds),
            What::Noise { seconds } => self.account.noisy_until = now + until(seconds),
            What::Poison { slot: of, seconds } => {
                let Some(id) = slot(of) else { return };
                self.account.poisoned.push(id.clone());
                self.later(until(seconds), Later::Pardon(id));
            }
            What::Deny { slot: of, seconds } => {
                let Some(id) = slot(of) else { return };
                for name in self.hosts[host].containers[&id].names() {
                    self.account.denied.push(name.clone());
                    self.later(until(seconds), Later::Allow(name));
                }
            }
            What::HandEdit { slot: of } => self.edit_by_hand(host, slot(of), false),
            What::HandDelete { slot: of } => self.edit_by_hand(host, slot(of), true),
            What::Kill { down_ms } => self.kill_agent(host, down_ms),
            What::Fuse { point, nth, down_ms } => self.hosts[host].fuse = Some((point, nth, down_ms)),
            What::Upgrade { down_ms } => self.hosts[host].is_told(Order::Upgrade { down_ms }),
            What::Drain { down_ms } => self.hosts[host].is_told(Order::Drain { down_ms }),
            What::PowerOff { seconds } => {
                self.kill_agent(host, u32::from(seconds) * 1_000 + 1_000);
                self.engine_down(host);
                self.all_end(host);
                self.power_off(host);
                self.later(until(seconds), Later::PowerOn { host });
            }
            What::Terminate => {
                // One host is left, or the others have nobody to be compared with.
                let alone = self.hosts.iter().filter(|it| it.terminated.is_none()).count() == 1;
                if !alone && self.hosts[host].terminated.is_none() {
                    self.kill_agent(host, 0);
                    self.engine_down(host);
                    self.all_end(host);
                    self.power_off(host);
                    self.hosts[host].terminated = Some(now);
                }
            }
            What::DiskFull => self.hosts[host].disk.fill(),
            What::Notice { of } => {
                // Another one takes the place of the one before.
                self.call_off(host);
                let end = if let Notice::Spot { seconds } = of { until(seconds) } else { Duration::ZERO };
                self.hosts[host].notice = Some((of, now + end));
            }
            What::CallOff => self.call_off(host),
            What::ImdsAway { seconds } => self.hosts[host].imds_away_until = now + until(seconds),
            What::ClockJump { seconds } => {
                self.hosts[host].wall_offset += i64::from(seconds) * 1_000_000_000;
                self.hosts[host].went_back |= seconds < 0;
            }
            What::Janitor => self.janitor_looks(),
        }
    }

    fn runs(&mut self, host: usize, slot: u8, spec: Spec) {
        let of = &mut self.hosts[host];
        if of.engine_away || of.slot(slot).is_some_and(|id| of.containers[&id].alive) {
            return;
        }
        of.made += 1;
        let id: ContainerId =
            format!("{:04x}{:08x}{:052x}", host + 1, of.made, 7).parse().expect("64 hexadecimal digits");
        of.containers.insert(id.clone(), Truth::new(id.clone(), spec));
        of.slots.insert(slot, id.clone());
        self.starts(host, &id);
    }

    pub fn starts(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let Some(it) = of.containers.get(id).filter(|it| !it.alive && !it.removed) else { return };
        if of.engine_away || !of.powered {
            return;
        }
        let spec = it.spec;
        let Some(port) = of.choose_port(&spec) else { return };
        let wall = of.wall(now);
        let it = of.containers.get_mut(id).expect("looked at before");
        let port_before = it.port;
        it.alive = true;
        it.paused = false;
        it.healthy = false;
        it.started = now;
        // A new life has to prove itself.
        it.reason = now;
        it.started_wall = wall;
        it.lives += 1;
        it.port = port;
        it.ports.insert(port);
        it.told_to_stop = None;
        it.starts.push(now);
        let life = it.lives;
        self.contests(host, port_before);
        self.contests(host, port);
        let text = format!("starts {} at {port}, life {life}", id.short());
        self.tell(host, format_args!("{text}"));
        self.happens(host, id, Happening::Changed);
        if spec.check == SpecCheck::Docker
            && let Some(ready) = spec.ready_ms
        {
            let wait = Duration::from_millis(u64::from(ready) + 20);
            self.later(wait, Later::Health { host, id: id.clone(), life });
        }
    }

    /// Who holds a port may have changed.
    fn contests(&mut self, host: usize, port: u16) {
        let now = self.now;
        let rivals = self.hosts[host].containers.values_mut().filter(|it| it.alive && it.port == port);
        rivals.for_each(|it| it.reason = now);
    }

    pub fn exits(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let Some(it) = self.hosts[host].containers.get_mut(id).filter(|it| it.alive) else { return };
        it.alive = false;
        it.paused = false;
        it.reason = now;
        let (again, port) = (it.spec.restarts && it.told_to_stop.is_none(), it.port);
        self.contests(host, port);
        self.tell(host, format_args!("ends {}", id.short()));
        self.happens(host, id, Happening::Died);
        if again {
            let wait = Duration::from_millis(self.hosts[host].rng.u64(100..2_000));
            self.later(wait, Later::Start { host, id: id.clone() });
        }
    }

    pub fn signals(&mut self, host: usize, id: &ContainerId, signal: u8) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let Some(it) = of.containers.get_mut(id).filter(|it| it.alive) else { return };
        if of.engine_away {
            return;
        }
        if [2, 9, 15].contains(&signal) {
            it.told_to_stop = Some(now);
            it.reason = now;
        }
        let (stop, life) = (it.spec.stop, it.lives);
        self.tell(host, format_args!("signal {signal} to {}", id.short()));
        self.happens(host, id, Happening::Killed(signal));
        match (signal, stop) {
            (9, _) | (2 | 15, SpecStop::AtOnce) => self.exits(host, id),
            (2 | 15, SpecStop::After { ms }) => {
                let wait = Duration::from_millis(ms.into());
                self.later(wait, Later::Exit { host, id: id.clone(), life });
            }
            _ => {}
        }
    }

    fn pauses(&mut self, host: usize, id: Option<ContainerId>, pause: bool) {
        let (Some(id), now) = (id, self.now) else { return };
        let of = &mut self.hosts[host];
        let Some(it) = of.containers.get_mut(&id).filter(|it| it.alive && it.paused != pause) else { return };
        if of.engine_away {
            return;
        }
        it.paused = pause;
        it.reason = now;
        self.tell(host, format_args!("{} {}", if pause { "pauses" } else { "unpauses" }, id.short()));
        self.happens(host, &id, Happening::Changed);
    }

    fn removes(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        if self.hosts[host].engine_away {
            return;
        }
        if let Some(it) = self.hosts[host].containers.get_mut(id) {
            it.removed = true;
            it.ended.get_or_insert(now);
        }
        self.exits(host, id);
        self.happens(host, id, Happening::Destroyed);
    }

    fn sickens(&mut self, host: usize, id: &ContainerId, silent: bool) {
        let Some(it) = self.hosts[host].containers.get_mut(id) else { return };
        it.sick = Some(silent);
        let (healthcheck, was) = (it.spec.check == SpecCheck::Docker, it.healthy);
        it.healthy = false;
        self.tell(host, format_args!("{} fails its check", id.short()));
        if healthcheck && was {
            self.happens(host, id, Happening::Changed);
        }
    }

    pub fn recovers(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let Some(it) = self.hosts[host].containers.get_mut(id) else { return };
        it.sick = None;
        let was = it.healthy;
        it.healthy = it.serves(now);
        let turned = was != it.healthy && it.spec.check == SpecCheck::Docker;
        self.tell(host, format_args!("{} passes its check", id.short()));
        if turned {
            self.happens(host, id, Happening::Changed);
        }
    }

    fn engine_down(&mut self, host: usize) {
        self.hosts[host].engine_away = true;
        self.hosts[host].listeners.clear();
        self.hosts[host].replay.clear();
        self.tell(host, format_args!("Docker is away"));
    }

    pub fn engine_up(&mut self, host: usize) {
        if !self.hosts[host].powered || !std::mem::replace(&mut self.hosts[host].engine_away, false) {
            return;
        }
        self.tell(host, format_args!("Docker is there"));
        let again = |it: &&Truth| !it.alive && !it.removed && it.spec.restarts;
        let ids: Vec<_> =
            self.hosts[host].containers.values().filter(again).map(|it| it.id.clone()).collect();
        ids.iter().for_each(|id| self.starts(host, id));
    }

    fn power_off(&mut self, host: usize) {
        let now = self.now;
        let of = &mut self.hosts[host];
        if std::mem::replace(&mut of.powered, false) {
            of.off_since = Some(now);
        }
        of.disk.power_off();
    }

    pub fn power_on(&mut self, host: usize) {
        if self.hosts[host].terminated.is_some() {
            return;
        }
        self.hosts[host].powered = true;
        self.hosts[host].bell.notify_one();
        self.engine_up(host);
    }

    /// All containers end, and nobody is told.
    fn all_end(&mut self, host: usize) {
        let now = self.now;
        for it in self.hosts[host].containers.values_mut().filter(|it| it.alive) {
            (it.alive, it.paused, it.reason) = (false, false, now);
        }
        self.tell(host, format_args!("all containers end"));
    }

    /// The engine tells its listeners.
    pub fn happens(&mut self, host: usize, id: &ContainerId, happening: Happening) {
        let now = self.now;
        let of = &mut self.hosts[host];
        if of.engine_away {
            return;
        }
        let (life, began) = of.containers.get(id).map_or((0, 0), |it| (it.lives, it.started_wall));
        let told = Told { wall: of.wall(now), id: id.clone(), happening, life, began };
        of.replay.push_back(told.clone());
        if of.replay.len() > REPLAY {
            of.replay.pop_front();
            self.count("forgotten for replay");
        }
        let of = &mut self.hosts[host];
        if now < of.silent_until {
            self.count("not told by a silent stream");
            return;
        }
        let mut dropped = 0;
        of.listeners.retain(|listener| match listener.try_send(told.clone()) {
            Err(mpsc::error::TrySendError::Full(_)) => {
                dropped += 1;
                true
            }
            sent => sent.is_ok(),
        });
        (0..dropped).for_each(|_| self.count("event dropped"));
    }

    /// The host goes on, whatever was said. What was out of DNS for that comes back.
    pub fn call_off(&mut self, host: usize) {
        let now = self.now;
        self.hosts[host].notice = None;
        self.hosts[host].containers.values_mut().for_each(|it| it.reason = now);
    }

    /// `kill -9`, and another agent after that time.
    pub fn kill_agent(&mut self, host: usize, down_ms: u32) {
        let now = self.now;
        let of = &mut self.hosts[host];
        if std::mem::replace(&mut of.alive, false) {
            of.start_at = now + Duration::from_millis(down_ms.into());
            of.fuse = None;
            of.listeners.clear();
            of.bell.notify_one();
            self.tell(host, format_args!("the agent is killed"));
        }
    }
}
