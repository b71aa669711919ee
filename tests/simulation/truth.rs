//! What is so: containers as they are, whatever anybody believes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::container::{Checked, Family, Health};
use ecssd::moment::Moment;
use ecssd::record::ContainerId;

use super::scenario::{Spec, SpecCheck, SpecPort};

/// The zone that all hosts write to.
pub const ZONE: &str = "sd.internal";
/// How many ports of the host's network nobody ever publishes.
const HOST_PORTS: u8 = 3;
/// How long the agents are told to believe a stopping signal.
pub const BELIEVED: Duration = Duration::from_secs(300);
/// How long a pause lasts that takes the weight, and one that withdraws what has a weight.
pub const WEIGHTLESS: Duration = Duration::from_secs(5);
pub const WITHDRAWN: Duration = Duration::from_secs(60);
/// How long a crash loop matters: a hold lasts five minutes at most, and whatever comes within a minute after it begins
/// another.
pub const REMEMBERED: Duration = Duration::from_secs(420);
/// How long a signal that may have ended a process leaves that in doubt, and what a check may take beyond it.
const DOUBTED: Duration = Duration::from_secs(120);

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Weighted,
    /// All targets: its record has no weight, and health does not touch it.
    Full,
    Address,
}

/// A container.
#[derive(Clone, Debug)]
pub struct Truth {
    pub id: ContainerId,
    pub spec: Spec,
    pub alive: bool,
    /// Since when it is frozen, while it is.
    pub paused: Option<Moment>,
    pub removed: bool,
    /// Its present or last life: by the wall clock, and by the run's.
    pub started_wall: i64,
    pub started: Moment,
    pub lives: u32,
    pub port: u16,
    /// All that it ever had.
    pub ports: BTreeSet<u16>,
    /// Since when its check fails, and whether by silence.
    pub sick: Option<bool>,
    /// What its HEALTHCHECK says, and how many of its runs failed in a row.
    pub health: Health,
    pub failed: u32,
    /// Who runs that HEALTHCHECK: each start, each unpause and each new engine begins anew.
    pub monitor: u32,
    /// Whose network it uses, where that is another container's.
    pub owner: Option<ContainerId>,
    /// Whether that one ended since: nothing leads to this one any more, though it runs.
    pub cut: bool,
    /// Whether it is connected to no network, or the one whose network it uses is not: nothing leads to it meanwhile.
    pub unplugged: bool,
    /// When that last changed in this life.
    pub rewired: Option<Moment>,
    /// Whether the wall clock says the opposite of that, having gone back: nobody else can know better.
    pub misdated: bool,
    /// From when on Docker shows its ports.
    pub shown_from: Moment,
    /// The last signal that asks it to stop, or the one whose network it uses, in this life.
    pub told_to_stop: Option<Moment>,
    /// Whether this life was ever asked to, whatever an engine has forgotten since.
    pub was_told_to_stop: bool,
    /// The last signal that may have ended it, or the one whose network it uses.
    pub doubted: Option<Moment>,
    /// Of which life it stands on the agent's disk that it was asked to stop, since when, and until when that counts.
    pub noted: Option<(u32, Moment, Moment)>,
    /// The latest runs of its HEALTHCHECK.
    pub log: Vec<Checked>,
    /// When those of its lives ended that were asked to.
    pub stopped: Vec<Moment>,
    /// The last moment at which there was a reason to have it out of DNS.
    pub reason: Moment,
    /// The last moment at which a pause began or ended.
    pub thawed: Moment,
    /// How many runs of its HEALTHCHECK have passed.
    pub passed_runs: u64,
    /// The starts of its lives, for crash loops.
    pub starts: Vec<Moment>,
    /// Until when its first life may be kept out for those of its kind that end at once.
    pub beside_until: Moment,
    /// Since when it is over for good.
    pub ended: Option<Moment>,
}

impl Truth {
    pub fn new(id: ContainerId, spec: Spec, owner: Option<ContainerId>) -> Self {
        Self {
            id,
            spec,
            alive: false,
            paused: None,
            removed: false,
            started_wall: 0,
            started: Moment::START,
            lives: 0,
            port: 0,
            ports: BTreeSet::new(),
            sick: None,
            health: Health::Starting,
            failed: 0,
            monitor: 0,
            owner,
            cut: false,
            unplugged: false,
            rewired: None,
            misdated: false,
            shown_from: Moment::START,
            told_to_stop: None,
            was_told_to_stop: false,
            doubted: None,
            noted: None,
            log: Vec::new(),
            stopped: Vec::new(),
            reason: Moment::START,
            thawed: Moment::START,
            passed_runs: 0,
            starts: Vec::new(),
            beside_until: Moment::START,
            ended: None,
        }
    }

    /// Whether it is a task of a service; others go on while the container instance drains.
    pub fn is_task(&self) -> bool {
        self.spec.service.is_multiple_of(2)
    }

    /// What ECS calls its task.
    pub fn task(&self) -> String {
        format!("arn:aws:ecs:eu-central-1:123456789012:task/c/{}", self.id.short())
    }

    /// What it was started from, as whoever starts another in its place would have it.
    pub fn family(&self) -> Option<Family> {
        Some(Family::Image(format!("service:{}", self.spec.service)))
    }

    /// The whole names of its services, with the kind of record that stands under each.
    pub fn records(&self) -> Vec<(String, Kind)> {
        let n = self.spec.service;
        let mut records = vec![(format!("_s{n}._tcp.{ZONE}"), Kind::Weighted)];
        if self.spec.two {
            records.push((format!("_t{n}._tcp.{ZONE}"), Kind::Weighted));
        }
        if self.spec.all_names {
            records.push((format!("_s{n}-all._tcp.{ZONE}"), Kind::Full));
        }
        // Of the others Docker publishes the port at another number.
        if self.spec.all_names && self.on_host() {
            records.push((format!("s{n}.{ZONE}"), Kind::Address));
        }
        records
    }

    /// The same names alone.
    pub fn names(&self) -> Vec<String> {
        self.records().into_iter().map(|(name, _)| name).collect()
    }

    /// The mark that a record of this kind carries, by this owner.
    pub fn mark(&self, owner: &str, kind: Kind) -> String {
        match kind {
            Kind::Weighted | Kind::Full => format!("{owner}:{}:{}", self.id, self.inside()),
            Kind::Address => format!("{owner}:{}:a", self.id),
        }
    }

    /// The port inside: on the host's network it is the host's.
    pub fn inside(&self) -> u16 {
        match self.spec.port {
            SpecPort::Host(n) => host_port(n),
            SpecPort::Fixed(_) | SpecPort::Dynamic | SpecPort::Shared { second: false, .. } => 80,
            SpecPort::Shared { second: true, .. } => 81,
        }
    }

    /// Whether it is on the host's network.
    pub fn on_host(&self) -> bool {
        matches!(self.spec.port, SpecPort::Host(_))
    }

    /// Whether Docker publishes a port for it.
    pub fn is_published(&self) -> bool {
        matches!(self.spec.port, SpecPort::Fixed(_) | SpecPort::Dynamic)
    }

    /// What the image asks for in its environment.
    pub fn environment(&self) -> Vec<String> {
        let inside = self.inside();
        let names = if self.spec.two { "_s{}._tcp,_t{}._tcp" } else { "_s{}._tcp" };
        let names = names.replace("{}", &self.spec.service.to_string());
        let mut environment = vec![
            format!("SERVICE_{inside}_NAME={names}"),
            format!("SERVICE_{inside}_WEIGHT={}", self.spec.weight),
            format!("SERVICE_{inside}_CHECK_INTERVAL={}", self.spec.interval_seconds),
        ];
        if self.spec.all_names {
            // Beside each, one that no agent gives: the zone that is true has none of them.
            environment.push(format!("SERVICE_{inside}_ALL=_s{}-all._tcp,_s{0}-all._udp", self.spec.service));
            environment.push(format!("SERVICE_{inside}_A=wpad,s{}.elsewhere,s{0}", self.spec.service));
        }
        if self.spec.check == SpecCheck::None {
            environment.push(format!("SERVICE_{inside}_CHECK=none"));
        }
        environment
    }

    /// Its network, or that of the one whose network it uses, is there again, and leads to it at this port.
    pub fn is_led_to_at(&mut self, port: u16, now: Moment) {
        (self.unplugged, self.rewired, self.reason) = (false, Some(now), now);
        (self.shown_from, self.port) = (now, port);
        self.ports.insert(port);
    }

    /// Whether its process would answer whoever reaches it.
    pub fn is_well(&self, now: Moment) -> bool {
        self.alive
            && self.paused.is_none()
            && self.sick.is_none()
            && self.listens_from().is_some_and(|from| now >= from)
    }

    /// Whether it answers a check from outside now, where nobody else has its port.
    pub fn serves(&self, now: Moment) -> bool {
        self.is_well(now) && !self.cut && !self.unplugged
    }

    /// From when on its process listens in this life, unless it never does.
    pub fn listens_from(&self) -> Option<Moment> {
        self.spec.ready_ms.map(|ms| self.started + Duration::from_millis(ms.into()))
    }

    pub fn is_healthy(&self) -> bool {
        self.health == Health::Healthy
    }

    /// Whether its process came so far in this life that it could have answered a check.
    pub fn could_serve(&self, now: Moment) -> bool {
        self.alive && self.listens_from().is_some_and(|from| now >= from)
    }

    /// Whether Docker shows its ports.
    pub fn ports_shown(&self, now: Moment) -> bool {
        self.alive && !self.unplugged && now >= self.shown_from
    }

    /// A run of its HEALTHCHECK; whether that turned what it says. As the engine has it: three failures in a row,
    /// and none counts while it starts.
    pub fn check(&mut self, now: Moment) -> bool {
        const RETRIES: u32 = 3;
        let before = self.health;
        if self.is_well(now) {
            (self.health, self.failed) = (Health::Healthy, 0);
            self.passed_runs += 1;
        } else if before != Health::Starting || now >= self.started + self.start_period() {
            self.failed += 1;
            if self.failed >= RETRIES {
                self.health = Health::Unhealthy;
            }
        }
        self.health != before
    }

    /// When the next run of its HEALTHCHECK is due, as the engine has it.
    pub fn until_next_check(&self, now: Moment) -> Duration {
        const START_INTERVAL: Duration = Duration::from_secs(5);
        let interval = Duration::from_secs(self.spec.interval_seconds.into());
        let left = (self.started + self.start_period()) - now;
        match self.health {
            _ if left.is_zero() => interval,
            _ if left < interval => left,
            Health::Starting => START_INTERVAL,
            Health::Healthy | Health::Unhealthy => interval,
        }
    }

    fn start_period(&self) -> Duration {
        Duration::from_secs(self.spec.start_seconds.into())
    }

    /// Whether it is on its way out, as far as anybody may believe.
    pub fn is_stopping(&self, now: Moment) -> bool {
        self.told_to_stop.is_some_and(|told| now < told + BELIEVED)
    }

    /// Whether it may have weight 0 for a signal.
    pub fn is_doubted(&self, now: Moment) -> bool {
        self.doubted.is_some_and(|told| now < told + DOUBTED)
    }

    /// Whether it started too often to be trusted: so often within a minute, and again of late.
    pub fn crash_loops(&self, now: Moment) -> bool {
        const STARTS: usize = 5;
        const WITHIN: Duration = Duration::from_secs(60);
        let late = self.starts.last().is_some_and(|at| *at + REMEMBERED > now);
        late && self.starts.windows(STARTS).any(|row| row[STARTS - 1] < row[0] + WITHIN)
    }

    /// Whether so many first lives ended of late that those that begin may be held: what an agent heard of it, and when,
    /// only it knows.
    pub fn is_loop(ends: &[Moment]) -> bool {
        const ENDS: usize = 5;
        const WITHIN: Duration = Duration::from_secs(90);
        ends.windows(ENDS).any(|row| row[ENDS - 1] < row[0] + WITHIN)
    }

    /// Whether it can have its port beside these: what Docker publishes, no process of the host's network can bind.
    pub fn can_have_its_port<'a>(&self, mut here: impl Iterator<Item = &'a Self>) -> bool {
        !self.on_host() || !here.any(|it| it.is_published() && !it.unplugged)
    }

    /// Whether its pause has lasted for so long that what has a weight is withdrawn.
    pub fn is_frozen_long(&self, now: Moment) -> bool {
        self.paused.is_some_and(|since| now >= since + WITHDRAWN)
    }

    /// The last moment at which there was a reason to withdraw it or to change its weight.
    pub fn touched(&self) -> Moment {
        self.reason.max(self.thawed)
    }

    /// Whether there is a reason now to withdraw it or to change its weight.
    pub fn is_touched(&self, now: Moment) -> bool {
        self.paused.is_some() || self.has_reason(now)
    }

    /// Whether there is a reason now to have it out of DNS, but for its full name, which a pause leaves alone.
    pub fn has_reason(&self, now: Moment) -> bool {
        self.is_frozen_long(now) || self.is_over(now)
    }

    /// Whether there is a reason now to have all its names out of DNS.
    pub fn is_over(&self, now: Moment) -> bool {
        !self.alive
            || self.cut
            || self.misdated
            || self.is_stopping(now)
            || !self.ports_shown(now)
            || self.crash_loops(now)
            || now < self.beside_until
    }
}

/// A port of the host's network: some of them Docker publishes for others.
pub fn host_port(n: u8) -> u16 {
    match n.checked_sub(HOST_PORTS) {
        None => 8_000 + u16::from(n),
        Some(n) => fixed_port(n),
    }
}

/// A port that Docker publishes where it is asked to.
pub fn fixed_port(n: u8) -> u16 {
    9_000 + u16::from(n)
}
