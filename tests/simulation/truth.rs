//! What is so: containers as they are, whatever anybody believes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::machine::container::ContainerId;

use super::scenario::{Spec, SpecCheck, SpecPort};

/// The zone that all hosts write to.
pub const ZONE: &str = "sd.internal";
/// How long a stopping signal is believed at least, and what is added to a stop timeout. The agent's promise,
/// spelled here anew.
const BELIEVED: Duration = Duration::from_secs(120);
const SLACK: Duration = Duration::from_secs(10);

/// A container.
#[derive(Clone, Debug)]
pub struct Truth {
    pub id: ContainerId,
    pub spec: Spec,
    pub alive: bool,
    pub paused: bool,
    pub removed: bool,
    /// Its present or last life: by the wall clock, and by the run's.
    pub started_wall: i64,
    pub started: Duration,
    pub lives: u32,
    pub port: u16,
    /// All that it ever had.
    pub ports: BTreeSet<u16>,
    /// Since when its check fails, and whether by silence.
    pub sick: Option<bool>,
    /// What its HEALTHCHECK says; true once it passed in this life.
    pub healthy: bool,
    /// The last signal that asks it to stop, in this life.
    pub told_to_stop: Option<Duration>,
    /// The last moment at which there was a reason to have it out of DNS.
    pub reason: Duration,
    /// The starts of its lives, for crash loops.
    pub starts: Vec<Duration>,
    /// Since when it is over for good.
    pub ended: Option<Duration>,
}

impl Truth {
    pub fn new(id: ContainerId, spec: Spec) -> Self {
        Self {
            id,
            spec,
            alive: false,
            paused: false,
            removed: false,
            started_wall: 0,
            started: Duration::ZERO,
            lives: 0,
            port: 0,
            ports: BTreeSet::new(),
            sick: None,
            healthy: false,
            told_to_stop: None,
            reason: Duration::ZERO,
            starts: Vec::new(),
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

    /// The full names of its services.
    pub fn names(&self) -> Vec<String> {
        let first = format!("_s{}._tcp.{ZONE}", self.spec.service);
        let second = format!("_t{}._tcp.{ZONE}", self.spec.service);
        if self.spec.two { vec![first, second] } else { vec![first] }
    }

    /// The port inside: on the host's network it is the host's.
    pub fn inside(&self) -> u16 {
        match self.spec.port {
            SpecPort::Host(n) => 8_000 + u16::from(n),
            SpecPort::Fixed(_) | SpecPort::Dynamic => 80,
        }
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
        if self.spec.check == SpecCheck::None {
            environment.push(format!("SERVICE_{inside}_CHECK=none"));
        }
        environment
    }

    /// Whether its process answers a check now.
    pub fn serves(&self, now: Duration) -> bool {
        let ready = self.spec.ready_ms.map(|ms| Duration::from_millis(ms.into()));
        self.alive
            && !self.paused
            && self.sick.is_none()
            && ready.is_some_and(|ready| now >= self.started + ready)
    }

    /// Whether Docker shows its ports.
    pub fn ports_shown(&self, now: Duration) -> bool {
        let lag = Duration::from_millis(self.spec.ports_lag_ms.into());
        self.alive && (now >= self.started + lag || matches!(self.spec.port, SpecPort::Host(_)))
    }

    /// Whether it is on its way out, as far as anybody may believe.
    pub fn is_stopping(&self, now: Duration) -> bool {
        self.told_to_stop.is_some_and(|told| now < told + self.patience())
    }

    fn patience(&self) -> Duration {
        let timeout =
            self.spec.stop_timeout.map_or(Duration::ZERO, |seconds| Duration::from_secs(seconds.into()));
        timeout.max(BELIEVED) + SLACK
    }

    /// Whether it started too often to be trusted: so often within a minute, and again of late.
    pub fn crash_loops(&self, now: Duration) -> bool {
        const STARTS: usize = 5;
        const WITHIN: Duration = Duration::from_secs(60);
        // A hold lasts five minutes at most, and one start within a minute after it begins another.
        const REMEMBERED: Duration = Duration::from_secs(420);
        let late = self.starts.last().is_some_and(|at| *at + REMEMBERED > now);
        late && self.starts.windows(STARTS).any(|row| row[STARTS - 1] < row[0] + WITHIN)
    }

    /// Whether there is a reason now to have it out of DNS.
    pub fn has_reason(&self, now: Duration) -> bool {
        !self.alive || self.paused || self.is_stopping(now) || !self.ports_shown(now) || self.crash_loops(now)
    }
}
