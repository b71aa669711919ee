//! What of a container can be published, where, and why the rest cannot.
//!
//! A pure question of ports and addresses, and of who is stopped, as that leads nowhere: how a container does that runs is
//! the lifecycle's to say. IPv4 for now: SRV targets of this system have A records alone.

mod reach;

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

pub use self::reach::{OwnerIs, Port, Unreachable};
use self::reach::{Reach, leads_here};
use super::convention::{Check, HttpCheck, Protocol, Service, ServiceName};
use super::{Binding, Container, Running, Timestamp};
use crate::record::ContainerId;

/// Where clients reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// At this host's address.
    Host {
        /// Of the host.
        port: u16,
    },
    /// At the address of the container's own task (ECS `awsvpc`).
    Task {
        /// Of the task.
        address: Ipv4Addr,
        /// Of the container.
        port: u16,
    },
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { port } => write!(f, "host port {port}"),
            Self::Task { address, port } => write!(f, "{address}:{port}"),
        }
    }
}

/// What one process alone can listen on, unless several ask the kernel to share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The host's address or a task's own, and the port.
    pub at: At,
    /// The protocol: tcp and udp ports of one number are different ports.
    pub protocol: Protocol,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.at, self.protocol)
    }
}

/// Who binds the port that clients connect to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binder {
    /// Docker, which leads it into the network of this container: the one that offers, or the one whose network that
    /// one shares.
    Docker {
        /// Which container.
        container: ContainerId,
        /// Which life of it.
        started_at: Timestamp,
    },
    /// A process of the container: on the host's network, or on that of its task.
    Process,
}

/// How a service is checked, when the container's wishes and its image are both known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectiveCheck {
    /// A TCP connect.
    Tcp,
    /// A GET that must answer with success.
    Http(Box<HttpCheck>),
    /// What Docker says of the image's HEALTHCHECK.
    Docker,
    /// None.
    None,
}

impl fmt::Display for EffectiveCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("TCP connect"),
            Self::Http(http) => http.fmt(f),
            Self::Docker => f.write_str("HEALTHCHECK"),
            Self::None => f.write_str("none"),
        }
    }
}

/// A service that can be published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offer {
    /// What is offered.
    pub service: Service,
    /// Where.
    pub at: At,
    /// Who binds it there.
    pub binder: Binder,
    /// Under which condition.
    pub check: EffectiveCheck,
}

impl Offer {
    /// Whether it is the same, but that a connect judges it in place of a HEALTHCHECK that is run no more, or that again.
    pub fn goes_on_as(&self, other: &Self) -> bool {
        let may_change = |it: &Self| matches!(it.check, EffectiveCheck::Docker | EffectiveCheck::Tcp);
        let checked_so = self.check == other.check || may_change(self) && may_change(other);
        let is_same = (&self.service, self.at, &self.binder) == (&other.service, other.at, &other.binder);
        is_same && checked_so
    }

    /// What its process has to have for itself.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { at: self.at, protocol: self.service.protocol }
    }
}

/// A service that cannot be published as its container stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unpublished {
    /// Which name goes without this container.
    pub service: ServiceName,
    /// The port that it was asked for.
    pub container_port: u16,
    /// Why.
    pub reason: Unreachable,
}

/// What a container offers, in the order of its services, and what it cannot.
///
/// `network_owner` is the container whose network this one shares, where it shares one and that is known.
/// `task_address` is the address of an `awsvpc` task. `host_address` is what this host is published as.
///
/// A stopped container offers nothing, and that needs no reason.
pub fn offers(
    container: &Container,
    network_owner: Option<&Container>,
    task_address: Option<Ipv4Addr>,
    host_address: Ipv4Addr,
) -> (Vec<Offer>, Vec<Unpublished>) {
    let mut offers = Vec::new();
    let mut unpublished = Vec::new();
    if container.running == Running::Stopped {
        return (offers, unpublished);
    }
    let reach = Reach::of(container, network_owner, task_address);
    let mut taken = BTreeSet::new();
    for service in &container.services {
        match reach.at(service, host_address) {
            Ok(at) if taken.insert((&service.name, service.answer, at)) => offers.push(Offer {
                service: service.clone(),
                at,
                binder: reach.binder(),
                check: effective_check(service, container),
            }),
            // One name of a kind at one place is one record, however often it was asked for.
            Ok(_) => {}
            Err(reason) => unpublished.push(Unpublished {
                service: service.name.clone(),
                container_port: service.container_port,
                reason,
            }),
        }
    }
    (offers, unpublished)
}

/// What is said of a HEALTHCHECK that is run no more.
pub const FROZEN: &str = "its HEALTHCHECK has not run for three intervals, as Docker before 23 runs none any more after its \
     restart with live-restore: a TCP check judges it, and for udp the last result stands";
/// What to do about it.
pub const FROZEN_REMEDY: &str = "start the container again, and bring Docker to 23 or later";

/// Whether a HEALTHCHECK that is run no more would judge a service of this container.
pub fn has_frozen_check(container: &Container) -> bool {
    let by_healthcheck = |service: &Service| match (&service.check, service.protocol) {
        (Check::Default | Check::Docker, _) | (Check::Tcp | Check::Http(_), Protocol::Udp) => true,
        (Check::Tcp | Check::Http(_), Protocol::Tcp) | (Check::None, _) => false,
    };
    container.healthcheck_frozen && container.services.iter().any(by_healthcheck)
}

/// The ports of this host that Docker publishes for a container, whatever it offers there.
pub fn published(container: &Container, host_address: Ipv4Addr) -> BTreeSet<Endpoint> {
    if container.running == Running::Stopped {
        return BTreeSet::new();
    }
    let of_port = |(&(_, protocol), bindings): (&(u16, Protocol), &Vec<Binding>)| -> Vec<_> {
        let usable = bindings.iter().filter(|binding| leads_here(binding.address, host_address));
        usable.map(|binding| Endpoint { at: At::Host { port: binding.port }, protocol }).collect()
    };
    container.bindings.iter().flat_map(of_port).collect()
}

/// The defaults: HEALTHCHECK where there is one, else a connect, which udp does not have. So of a HEALTHCHECK that is
/// run no more the last result stands for udp alone.
fn effective_check(Service { check, protocol, .. }: &Service, container: &Container) -> EffectiveCheck {
    match (check, *protocol) {
        (Check::None, _) => EffectiveCheck::None,
        (Check::Http(http), Protocol::Tcp) => EffectiveCheck::Http(http.clone()),
        (Check::Tcp, Protocol::Tcp) => EffectiveCheck::Tcp,
        (_, Protocol::Tcp) if container.healthcheck_frozen => EffectiveCheck::Tcp,
        _ if container.health.is_some() => EffectiveCheck::Docker,
        (_, Protocol::Tcp) => EffectiveCheck::Tcp,
        (_, Protocol::Udp) => EffectiveCheck::None,
    }
}

#[cfg(test)]
mod tests;
