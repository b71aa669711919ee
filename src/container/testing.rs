//! Short hands for the tests of this room and of those around it: times, services and offers.

use super::Timestamp;
use super::convention::{Answer, Check, Scope, Service, ServiceName, Timing};
use super::offer::{At, Binder, EffectiveCheck, Offer};

/// A moment of Docker's clock, in seconds.
pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_nanos(i64::try_from(secs).unwrap() * 1_000_000_000)
}

pub(crate) fn service(name: &str, container_port: u16, weight: u8) -> Service {
    let (name, protocol) = ServiceName::parse(name, &Scope::new("sd.internal", "host")).unwrap();
    Service {
        name,
        answer: Answer::Weighted,
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
