//! What the log is told of a container's wants: what has changed, why, and what is still missing. Nothing branches on
//! it.

use std::time::Duration;

use super::restarts::{Hold, Loop};
use super::{Event, Taken, Wanted};
use crate::container;
use crate::container::convention::{Protocol, ServiceName};
use crate::container::offer::{At, EffectiveCheck, Offer};
use crate::machine::probe::Verdict;
use crate::record::Routing;

/// A service that is not in DNS because it has not passed its check in this life, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// What is offered.
    pub offer: Offer,
    /// How long it has been waited for.
    pub waited: Duration,
    /// What Docker says of the image's HEALTHCHECK, where there is one.
    pub health: Option<container::Health>,
    /// Who has its port, where that is another container: then nobody asks, as the answer would not be its own.
    pub taken: Option<Taken>,
}

impl Unproven {
    /// Whether a prober asks its target.
    pub fn is_probed(&self) -> bool {
        matches!(self.offer.check, EffectiveCheck::Tcp | EffectiveCheck::Http(_))
    }

    /// What Docker says of the image's HEALTHCHECK, in words.
    pub fn docker_says(&self) -> &'static str {
        match self.health {
            Some(container::Health::Starting) => "starting, as Docker has it",
            Some(container::Health::Unhealthy) => {
                "unhealthy, as Docker has it: see State.Health of docker inspect"
            }
            Some(container::Health::Healthy) | None => "none",
        }
    }
}

/// A change in what a container wants, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The service.
    pub service: ServiceName,
    /// The port inside the container.
    pub container_port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// Where it is reached.
    pub at: At,
    /// How it is wanted from now on; `None` where it is withdrawn.
    pub routing: Option<Routing>,
    /// Why.
    pub reason: Reason,
    /// Whether Docker's HEALTHCHECK judges it, and not well: no prober tells of that.
    pub fails_healthcheck: bool,
}

impl Decision {
    pub(super) fn between(was: &[Wanted], wants: &[Wanted], reason: Reason) -> Vec<Self> {
        let same = |a: &Wanted, b: &Wanted| {
            a.offer.service.name == b.offer.service.name
                && a.offer.service.answer == b.offer.service.answer
                && a.offer.service.container_port == b.offer.service.container_port
        };
        // A full name has no weight: what changes it changes nothing there.
        let stands = |new: &Wanted| {
            let routing = |wanted: &Wanted| (wanted.started_at, wanted.routing());
            was.iter().any(|old| old.offer.goes_on_as(&new.offer) && routing(old) == routing(new))
        };
        let decide = |wanted: &Wanted, routing| Self {
            service: wanted.offer.service.name.clone(),
            container_port: wanted.offer.service.container_port,
            protocol: wanted.offer.service.protocol,
            at: wanted.offer.at,
            routing,
            reason,
            fails_healthcheck: wanted.offer.check == EffectiveCheck::Docker && reason == Reason::Unhealthy,
        };
        let gone =
            was.iter().filter(|old| !wants.iter().any(|new| same(old, new))).map(|old| decide(old, None));
        let new = wants.iter().filter(|new| !stands(new)).map(|new| decide(new, Some(new.routing())));
        gone.chain(new).collect()
    }
}

/// Why a container's wants changed, for the log: never branched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// An inspection showed so: it needs no check, its HEALTHCHECK spoke, or its ports changed.
    Seen,
    /// Docker no longer has it running.
    Absent,
    /// Docker sent it this signal.
    Killed(u8),
    /// Its process ended.
    Died,
    /// It was started anew.
    Started,
    /// What the engine remembers says so: it was sent a signal, or ended, while nobody listened.
    Remembered,
    /// Its check passes.
    Healthy,
    /// Its check fails.
    Unhealthy,
    /// An earlier run of the agent had registered it.
    Registered,
    /// An earlier run of the agent had registered it, without weight or perhaps in an earlier life of the container.
    Inherited,
    /// Another container has its port.
    Taken,
    /// The agent drains.
    Drain,
    /// It restarts too often.
    Restarts,
    /// Its like end too often.
    Crashes,
    /// It restarted too often, and has stayed up since.
    Steady,
    /// A signal that might have ended it has not.
    GoesOn,
    /// An inspection showed that it does not run.
    Stopped,
    /// An inspection showed that it is paused.
    Paused,
}

impl Reason {
    pub(super) fn of_hold(hold: &Hold) -> Self {
        match hold.of {
            Loop::Own => Self::Restarts,
            Loop::Family(_) => Self::Crashes,
        }
    }

    pub(super) fn of(event: &Event) -> Self {
        match event {
            Event::Seen { sight, .. } => match (sight.running, sight.health) {
                (container::Running::Stopped, _) => Self::Stopped,
                (container::Running::Paused, _) => Self::Paused,
                (_, Some(container::Health::Unhealthy)) => Self::Unhealthy,
                (_, Some(container::Health::Healthy)) => Self::Healthy,
                _ => Self::Seen,
            },
            Event::Absent { .. } => Self::Absent,
            Event::Killed { signal, .. } => Self::Killed(*signal),
            Event::Died { .. } => Self::Died,
            Event::Started { .. } => Self::Started,
            Event::Remembered { .. } | Event::Recalled { .. } => Self::Remembered,
            Event::Probed { verdict: Verdict::Up, .. } => Self::Healthy,
            Event::Probed { verdict: Verdict::Down, .. } => Self::Unhealthy,
            Event::Registered { .. } => Self::Registered,
            Event::Taken(_) => Self::Taken,
            Event::Drain => Self::Drain,
            Event::Tick => Self::Steady,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seen => f.write_str("running"),
            Self::Absent => f.write_str("not running any more"),
            Self::Killed(signal) => write!(f, "signal {signal} was sent to it"),
            Self::Died => f.write_str("its process ended"),
            Self::Started => f.write_str("started anew"),
            Self::Remembered => f.write_str("it was sent a signal or ended while nobody listened"),
            Self::GoesOn => f.write_str("it goes on after a signal"),
            Self::Healthy => f.write_str("its check passes"),
            Self::Unhealthy => f.write_str("its check fails"),
            Self::Registered => f.write_str("registered by an earlier run"),
            Self::Inherited => f.write_str(
                "registered by an earlier run, without weight or perhaps before it was restarted: its check has to pass",
            ),
            Self::Taken => f.write_str("another container has its port"),
            Self::Drain => f.write_str("the agent drains"),
            Self::Restarts => f.write_str("it restarts too often"),
            Self::Crashes => f.write_str("others of its kind end too often"),
            Self::Steady => f.write_str("it stays up"),
            Self::Stopped => f.write_str("stopped"),
            Self::Paused => f.write_str("paused"),
        }
    }
}
