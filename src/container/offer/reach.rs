//! How the ports of a container are reached from outside, and why some are not.
//!
//! Owns whose network and which binding count. What is offered there, and how it is checked, is for [`super`].

use std::fmt;
use std::net::Ipv4Addr;

use super::{At, Binder};
use crate::container::convention::{Answer, Protocol, Service};
use crate::container::{Container, Network, Running, Timestamp};
use crate::record::ContainerId;

/// A port of a container as Docker writes it: `80/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u16, pub Protocol);

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

/// Why nobody can reach a port of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Unreachable {
    /// It has no network at all.
    #[error("the container has no network")]
    NoNetwork,
    /// Something is wrong with the container whose network it shares.
    #[error("container {}, whose network it shares, {}", .0.short(), .1)]
    Owner(ContainerId, OwnerIs),
    /// Docker does not publish it, but these; or exposes it only.
    #[error("Docker publishes no host port for {port}{}{}", exposed(*.is_exposed), others(*.port, .published))]
    NotPublished {
        /// The container's own.
        port: Port,
        /// Whether the image exposes it.
        is_exposed: bool,
        /// Those that Docker does publish, each with its ports of the host.
        published: Vec<(Port, Vec<u16>)>,
    },
    /// Docker was asked to publish it, and its networks publish nothing.
    #[error(
        "Docker was asked to publish {0}, and in the networks that the container is in it publishes nothing (macvlan, \
         ipvlan and internal ones)"
    )]
    Network(Port),
    /// Swarm publishes it, for all copies on all hosts.
    #[error("Swarm leads to {0} by its ingress, which may lead to any copy on any host")]
    Ingress(Port),
    /// Docker publishes it where clients do not come.
    #[error("Docker publishes {port} at {at} only, and clients reach this host at {host}")]
    Elsewhere {
        /// The container's own.
        port: Port,
        /// Where it is published.
        at: Ipv4Addr,
        /// Where clients come.
        host: Ipv4Addr,
    },
    /// Docker publishes it for this host alone.
    #[error("Docker publishes {0} on loopback only")]
    Loopback(Port),
    /// Docker publishes it where no record can lead.
    #[error("Docker publishes {0} on IPv6 only, and records lead to IPv4")]
    Ipv6(Port),
    /// Its name answers with an address, and clients would try the container's own port there.
    #[error(
        "clients of an address expect port {own}, and Docker publishes it at {host}: publish it at its own number, or let \
         clients read SRV (NAME)"
    )]
    OtherNumber {
        /// The container's own.
        own: Port,
        /// The host's.
        host: u16,
    },
}

impl Unreachable {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotPublished { port, published, .. } if of_host(*port, published).is_some() => {
                "correct the key, and replace the container"
            }
            Self::NotPublished { .. } | Self::Loopback(_) => {
                "publish the port at the address that clients reach (-p, portMappings), or use the host's network; or, if \
                 the service listens at one that is published, write that one into the key"
            }
            Self::Elsewhere { .. } => {
                "publish it at all of the host's addresses (-p), or, if clients come to that one, pass it as --address"
            }
            Self::Ipv6(_) => "publish it on IPv4 too (-p)",
            Self::Network(_) => "connect the container to a bridge network too, or use the host's network",
            Self::Ingress(_) => "publish it past the ingress, at each copy's own host (mode=host)",
            Self::Owner(_, OwnerIs::Newer) => "start this container again too",
            Self::Owner(_, OwnerIs::Unknown | OwnerIs::Stopped) => "start that container, and then this one",
            Self::Owner(_, OwnerIs::Isolated | OwnerIs::Sharer) | Self::NoNetwork => {
                "give the container a network that clients reach, and replace it"
            }
            Self::OtherNumber { .. } => "change the container so, and replace it",
        }
    }
}

/// What is wrong with the container whose network another one shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum OwnerIs {
    /// It was not inspected, or is not there.
    #[error("is not known")]
    Unknown,
    /// It has stopped.
    #[error("does not run")]
    Stopped,
    /// What the other one holds on to is what an earlier life of it left.
    #[error("was started again since: start this one again too")]
    Newer,
    /// It has no network.
    #[error("has none")]
    Isolated,
    /// It shares the network of a third.
    #[error("shares another's")]
    Sharer,
}

/// How the ports of a container are reached from outside.
pub(super) enum Reach<'a> {
    Task(Ipv4Addr),
    Host,
    /// By the bindings of this container, the network's owner.
    Bindings(&'a Container),
    /// Not at all.
    Not(Unreachable),
}

impl<'a> Reach<'a> {
    pub(super) fn of(
        container: &'a Container,
        owner: Option<&'a Container>,
        task_address: Option<Ipv4Addr>,
    ) -> Self {
        if let Some(address) = task_address {
            return Self::Task(address);
        }
        match &container.network {
            Network::Published => Self::Bindings(container),
            Network::Host => Self::Host,
            Network::Isolated => Self::Not(Unreachable::NoNetwork),
            Network::Shared(id) => match owner.filter(|owner| owner.id == *id) {
                None => Self::Not(Unreachable::Owner(id.clone(), OwnerIs::Unknown)),
                Some(owner) => Self::of_owner(owner, container.started_at),
            },
        }
    }

    /// By the network of `owner`, for one that was started at this time.
    fn of_owner(owner: &'a Container, started_at: Option<Timestamp>) -> Self {
        let not = |is| Self::Not(Unreachable::Owner(owner.id.clone(), is));
        match owner.network {
            _ if owner.running == Running::Stopped => not(OwnerIs::Stopped),
            // It holds on to what an earlier life of the owner left, which leads nowhere. Nothing but the wall clock
            // tells the order of the two starts.
            Network::Published if owner.started_at > started_at => not(OwnerIs::Newer),
            Network::Published => Self::Bindings(owner),
            Network::Host => Self::Host,
            Network::Isolated => not(OwnerIs::Isolated),
            Network::Shared(_) => not(OwnerIs::Sharer),
        }
    }

    pub(super) fn binder(&self) -> Binder {
        match self {
            Self::Bindings(Container { id, started_at: Some(started_at), .. }) => {
                Binder::Docker { container: id.clone(), started_at: *started_at }
            }
            // Nothing is bound for a container that was never started.
            Self::Bindings(_) | Self::Task(_) | Self::Host | Self::Not(_) => Binder::Process,
        }
    }

    pub(super) fn at(&self, service: &Service, host_address: Ipv4Addr) -> Result<At, Unreachable> {
        match self.target(service, host_address)? {
            At::Host { port } if service.answer == Answer::Address && port != service.container_port => {
                Err(Unreachable::OtherNumber {
                    own: Port(service.container_port, service.protocol),
                    host: port,
                })
            }
            at => Ok(at),
        }
    }

    fn target(&self, service: &Service, host_address: Ipv4Addr) -> Result<At, Unreachable> {
        match self {
            Self::Task(address) => Ok(At::Task { address: *address, port: service.container_port }),
            Self::Host => Ok(At::Host { port: service.container_port }),
            Self::Bindings(owner) => host_port(owner, service, host_address).map(|port| At::Host { port }),
            Self::Not(reason) => Err(reason.clone()),
        }
    }
}

/// The lowest port of this host's address that leads to the service's port, or why there is none. For an address the
/// service's own, if it is one of several: no other is any use.
fn host_port(owner: &Container, service: &Service, host: Ipv4Addr) -> Result<u16, Unreachable> {
    let key = (service.container_port, service.protocol);
    let port = Port(key.0, key.1);
    let bindings = owner.bindings.get(&key).map_or(&[][..], Vec::as_slice);
    let usable = bindings.iter().filter(|binding| leads_here(binding.address, host));
    let is_other = |port: u16| service.answer == Answer::Address && port != service.container_port;
    let lowest = usable.map(|binding| binding.port).min_by_key(|&port| (is_other(port), port));
    lowest.ok_or_else(|| match bindings.iter().find(|binding| !binding.address.is_loopback()) {
        Some(elsewhere) => Unreachable::Elsewhere { port, at: elsewhere.address, host },
        None if !bindings.is_empty() => Unreachable::Loopback(port),
        None if owner.bound_ipv6.contains(&key) => Unreachable::Ipv6(port),
        None if owner.in_ingress => Unreachable::Ingress(port),
        None if owner.unpublished.contains(&key) => Unreachable::Network(port),
        None => not_published(owner, port),
    })
}

/// Whether a binding is at the address that clients use. One on loopback is meant to stay on the host, even where
/// the host is published as loopback.
pub(super) fn leads_here(binding: Ipv4Addr, host_address: Ipv4Addr) -> bool {
    !binding.is_loopback() && (binding.is_unspecified() || binding == host_address)
}

fn not_published(owner: &Container, port: Port) -> Unreachable {
    let is_published = |key: &(u16, Protocol)| {
        owner.bindings.get(key).is_some_and(|bindings| !bindings.is_empty()) || owner.bound_ipv6.contains(key)
    };
    let published = owner.bindings.iter().filter(|(key, _)| is_published(key)).map(|(&key, bindings)| {
        (Port(key.0, key.1), bindings.iter().map(|binding| binding.port).collect::<Vec<_>>())
    });
    let is_exposed = owner.bindings.contains_key(&(port.0, port.1));
    Unreachable::NotPublished { port, is_exposed, published: published.collect() }
}

fn exposed(is_exposed: bool) -> &'static str {
    if is_exposed { ", it only exposes it" } else { "" }
}

/// The container's port whose key was written with a port of the host.
fn of_host(port: Port, published: &[(Port, Vec<u16>)]) -> Option<Port> {
    let is_at = |(own, hosts): &&(Port, Vec<u16>)| own.1 == port.1 && hosts.contains(&port.0);
    published.iter().find(is_at).map(|(own, _)| *own)
}

/// The first few: a container may publish a range of thousands.
fn others(port: Port, published: &[(Port, Vec<u16>)]) -> String {
    const LISTED_MAX: usize = 8;
    if let Some(own) = of_host(port, published) {
        return format!(": {} is the host's port of {own}, whose key is SERVICE_{}_NAME", port.0, own.0);
    }
    let listed: Vec<_> = published.iter().take(LISTED_MAX).map(|(port, _)| port.to_string()).collect();
    match published.len().checked_sub(LISTED_MAX) {
        _ if published.is_empty() => String::new(),
        None | Some(0) => format!(" (it does for {})", listed.join(", ")),
        Some(more) => format!(" (it does for {} and {more} more)", listed.join(", ")),
    }
}
