//! How the ports of a container are reached from outside, and with which words some are not.
//!
//! Owns whose network and which binding count. What is offered there, and how it is checked, is for [`super`].

use std::net::Ipv4Addr;

use super::{At, Binder};
use crate::container::convention::{Answer, Protocol, Service};
use crate::container::{Container, Network, Running, Timestamp};

/// How the ports of a container are reached from outside.
pub(super) enum Reach<'a> {
    Task(Ipv4Addr),
    Host,
    /// By the bindings of this container, the network's owner.
    Bindings(&'a Container),
    /// Not at all.
    Not(String),
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

    pub(super) fn binder(&self) -> Binder {
        match self {
            Self::Bindings(Container { id, started_at: Some(started_at), .. }) => {
                Binder::Docker { container: id.clone(), started_at: *started_at }
            }
            // Nothing is bound for a container that was never started.
            Self::Bindings(_) | Self::Task(_) | Self::Host | Self::Not(_) => Binder::Process,
        }
    }

    pub(super) fn at(&self, service: &Service, host_address: Ipv4Addr) -> Result<At, String> {
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
pub(super) fn leads_here(binding: Ipv4Addr, host_address: Ipv4Addr) -> bool {
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
