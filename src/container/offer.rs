//! What of a container can be published, where, and why the rest cannot.
//!
//! A pure question of ports and addresses: whether a container runs well enough to be published is the
//! lifecycle's to say. IPv4 for now: SRV targets of this system have A records alone.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

use super::convention::{Answer, Check, Protocol, Service, ServiceName};
use super::{Binding, Container, Network, Running, Timestamp};
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
    Http {
        /// As [`Check::Http`] has it.
        path: String,
    },
    /// What Docker says of the image's HEALTHCHECK.
    Docker,
    /// None.
    None,
}

impl fmt::Display for EffectiveCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("TCP connect"),
            Self::Http { path } => write!(f, "GET {path}"),
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
    /// Why, for an operator.
    pub reason: String,
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
                check: effective_check(&service.check, service.protocol, container.health.is_some()),
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

/// How the ports of a container are reached from outside.
enum Reach<'a> {
    Task(Ipv4Addr),
    Host,
    /// By the bindings of this container, the network's owner.
    Bindings(&'a Container),
    /// Not at all.
    Not(String),
}

impl<'a> Reach<'a> {
    fn of(container: &'a Container, owner: Option<&'a Container>, task_address: Option<Ipv4Addr>) -> Self {
        if let Some(address) = task_address {
            return Self::Task(address);
        }
        match &container.network {
            Network::Published => Self::Bindings(container),
            Network::Host => Self::Host,
            Network::Isolated => Self::Not("the container has no network".to_owned()),
            Network::Shared(id) => match owner.filter(|owner| owner.id == *id) {
                None => Self::Not(format!("container {}, whose network it shares, is not known", id.short())),
                Some(owner) => Self::of_owner(owner, container.started_at),
            },
        }
    }

    /// By the network of `owner`, for one that was started at this time.
    fn of_owner(owner: &'a Container, started_at: Option<Timestamp>) -> Self {
        let short = owner.id.short();
        match owner.network {
            _ if owner.running == Running::Stopped => {
                Self::Not(format!("container {short}, whose network it shares, does not run"))
            }
            // It holds on to what an earlier life of the owner left, which leads nowhere. Nothing but the wall clock
            // tells the order of the two starts.
            Network::Published if owner.started_at > started_at => Self::Not(format!(
                "container {short}, whose network it shares, was started again since: start this one again too"
            )),
            Network::Published => Self::Bindings(owner),
            Network::Host => Self::Host,
            Network::Isolated => Self::Not(format!("container {short}, whose network it shares, has none")),
            Network::Shared(_) => {
                Self::Not(format!("container {short}, whose network it shares, shares another's"))
            }
        }
    }

    fn binder(&self) -> Binder {
        match self {
            Self::Bindings(Container { id, started_at: Some(started_at), .. }) => {
                Binder::Docker { container: id.clone(), started_at: *started_at }
            }
            // Nothing is bound for a container that was never started.
            Self::Bindings(_) | Self::Task(_) | Self::Host | Self::Not(_) => Binder::Process,
        }
    }

    fn at(&self, service: &Service, host_address: Ipv4Addr) -> Result<At, String> {
        match self.target(service, host_address)? {
            At::Host { port } if service.answer == Answer::Address && port != service.container_port => {
                let port_of_container = shown((service.container_port, service.protocol));
                Err(format!(
                    "clients of an address expect port {port_of_container}, and Docker publishes it at {port}: publish it \
                     at its own number, or let clients read SRV (NAME)"
                ))
            }
            at => Ok(at),
        }
    }

    fn target(&self, service: &Service, host_address: Ipv4Addr) -> Result<At, String> {
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
fn host_port(owner: &Container, service: &Service, host_address: Ipv4Addr) -> Result<u16, String> {
    let port = (service.container_port, service.protocol);
    let bindings = owner.bindings.get(&port).map_or(&[][..], Vec::as_slice);
    let usable = bindings.iter().filter(|binding| leads_here(binding.address, host_address));
    let is_other = |port: u16| service.answer == Answer::Address && port != service.container_port;
    let lowest = usable.map(|binding| binding.port).min_by_key(|&port| (is_other(port), port));
    lowest.ok_or_else(|| match bindings.iter().find(|binding| !binding.address.is_loopback()) {
        Some(elsewhere) => format!(
            "Docker publishes {} at {} only, and clients reach this host at {host_address}",
            shown(port),
            elsewhere.address
        ),
        None if !bindings.is_empty() => format!("Docker publishes {} on loopback only", shown(port)),
        None if owner.bound_ipv6.contains(&port) => {
            format!("Docker publishes {} on IPv6 only, and records lead to IPv4", shown(port))
        }
        None => not_published(owner, port),
    })
}

/// Whether a binding is at the address that clients use. One on loopback is meant to stay on the host, even where
/// the host is published as loopback.
fn leads_here(binding: Ipv4Addr, host_address: Ipv4Addr) -> bool {
    !binding.is_loopback() && (binding.is_unspecified() || binding == host_address)
}

fn not_published(owner: &Container, port: (u16, Protocol)) -> String {
    let published: Vec<String> = owner
        .bindings
        .iter()
        .filter(|(other, bindings)| !bindings.is_empty() || owner.bound_ipv6.contains(other))
        .map(|(&other, _)| shown(other))
        .collect();
    let exposed = if owner.bindings.contains_key(&port) { ", it only exposes it" } else { "" };
    let others = match published.is_empty() {
        true => String::new(),
        false => format!(" (it does for {})", listed(&published)),
    };
    format!("Docker publishes no host port for {}{exposed}{others}", shown(port))
}

/// `80/tcp`, as Docker writes it.
fn shown((port, protocol): (u16, Protocol)) -> String {
    format!("{port}/{protocol}")
}

/// The first few: a container may publish a range of thousands.
fn listed(ports: &[String]) -> String {
    const LISTED_MAX: usize = 8;
    match ports.len().checked_sub(LISTED_MAX) {
        None | Some(0) => ports.join(", "),
        Some(more) => format!("{} and {more} more", ports[..LISTED_MAX].join(", ")),
    }
}

/// The defaults: HEALTHCHECK where there is one, else a connect, which udp does not have.
fn effective_check(check: &Check, protocol: Protocol, has_healthcheck: bool) -> EffectiveCheck {
    match (check, protocol) {
        (Check::None, _) => EffectiveCheck::None,
        (Check::Http { path }, Protocol::Tcp) => EffectiveCheck::Http { path: path.clone() },
        (Check::Tcp, Protocol::Tcp) => EffectiveCheck::Tcp,
        _ if has_healthcheck => EffectiveCheck::Docker,
        (_, Protocol::Tcp) => EffectiveCheck::Tcp,
        (_, Protocol::Udp) => EffectiveCheck::None,
    }
}

#[cfg(test)]
mod tests;
