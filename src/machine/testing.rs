//! Short hands for the tests of this room: times, services and looks at them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::container::{Running, Timestamp};
use super::lifecycle::{Desired, Sight};
use super::offer::{At, Binder, EffectiveCheck, Offer};
use super::service::{Check, Scope, Service, ServiceName, Timing};

pub(crate) const SIGHUP: u8 = 1;
pub(crate) const SIGQUIT: u8 = 3;
pub(crate) const SIGKILL: u8 = 9;
pub(crate) const SIGTERM: u8 = 15;

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A moment of Docker's clock, in seconds.
pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_nanos(i64::try_from(secs).unwrap() * 1_000_000_000)
}

pub(crate) fn service(name: &str, container_port: u16, weight: u8) -> Service {
    let (name, protocol) = ServiceName::parse(name, &Scope::new("sd.internal", "host")).unwrap();
    Service {
        name,
        container_port,
        protocol,
        weight,
        ttl: 0,
        check: Check::Default,
        timing: Timing::default(),
    }
}

/// A service on container port 80 with weight 5, reached at a port of the host that its process binds.
pub(crate) fn offer(name: &str, host_port: u16, check: EffectiveCheck) -> Offer {
    let (service, at) = (service(name, 80, 5), At::Host { port: host_port });
    Offer { service, at, binder: Binder::Process, check }
}

/// A look at a running container that takes SIGTERM to stop.
pub(crate) fn running(started_at: Timestamp, offers: Vec<Offer>) -> Sight {
    Sight {
        started_at,
        lived_before: false,
        running: Running::Running,
        health: None,
        stop_signal: SIGTERM,
        log: Vec::new(),
        task: None,
        published: BTreeSet::new(),
        desired: Desired::Unasked,
        offers,
    }
}
