//! One container in one moment, as values.
//!
//! Nothing of the environment is kept but the services that it asks for, so a [`Container`] can be logged
//! and shown whole. How an engine's answer becomes one is for [`crate::edge::engine`]; what can be published of it
//! is decided in [`offer`], when, in the lifecycle.

pub mod convention;
pub mod engine;
pub mod event;
mod family;
pub mod offer;
mod signal;
#[cfg(test)]
pub(crate) mod testing;
mod timestamp;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use self::convention::{BadKey, Protocol, Service};
use crate::record::ContainerId;

pub use family::Family;
pub use signal::parse_signal;
pub use timestamp::{InvalidTimestamp, Timestamp};

/// SIGTERM, which Docker sends where neither image nor container say otherwise.
pub const STOP_SIGNAL_DEFAULT: u8 = 15;

/// Whether the container's process can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Running {
    /// It runs.
    Running,
    /// It is frozen: connections are accepted and never answered.
    Paused,
    /// Anything else: not started, between restarts, stopping, ended, being removed.
    Stopped,
}

/// What the image's HEALTHCHECK says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// No verdict yet.
    Starting,
    /// The last check passed.
    Healthy,
    /// As many checks as the image allows failed in a row.
    Unhealthy,
}

/// One run of a HEALTHCHECK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checked {
    /// When it began, by Docker's clock: which run it was.
    pub began: Timestamp,
    /// Whether it passed.
    pub passed: bool,
}

/// Whose network a container uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// Its own, on a bridge or a user-defined network: reachable where its ports are published.
    Published,
    /// The host's: each port it listens on is a port of the host.
    Host,
    /// That of another container, which holds the bindings.
    Shared(ContainerId),
    /// None.
    Isolated,
}

/// A port of the host that leads to one of the container's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    /// Of the host; 0.0.0.0 for all of them.
    pub address: Ipv4Addr,
    /// Of the host. Never 0.
    pub port: u16,
}

/// One container in one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Which one.
    pub id: ContainerId,
    /// Without the slash that Docker puts before it.
    pub name: String,
    /// When its present or last life began; none before the first.
    pub started_at: Option<Timestamp>,
    /// Whether it had a life before that, which has ended.
    pub lived_before: bool,
    /// Whether it can serve.
    pub running: Running,
    /// None where there is no HEALTHCHECK.
    pub health: Option<Health>,
    /// The latest runs of the HEALTHCHECK, in order; Docker keeps five.
    pub health_log: Vec<Checked>,
    /// Whether that has not run for longer than it can be while the engine runs it.
    pub healthcheck_frozen: bool,
    /// The signal that asks it to end.
    pub stop_signal: u8,
    /// Whose network it uses.
    pub network: Network,
    /// The IPv4 bindings of each port, sorted. Empty for a port that is exposed and not published, or
    /// published on IPv6 alone.
    pub bindings: BTreeMap<(u16, Protocol), Vec<Binding>>,
    /// The ports that are published on an IPv6 address.
    pub bound_ipv6: BTreeSet<(u16, Protocol)>,
    /// The ports that Docker was asked to publish, and does not in the networks that the container is in.
    pub unpublished: BTreeSet<(u16, Protocol)>,
    /// Whether Swarm leads to it by its ingress.
    pub in_ingress: bool,
    /// What it asks for, in order.
    pub services: Vec<Service>,
    /// What of that is wrong.
    pub bad_keys: Vec<BadKey>,
    /// Whether it asks to be left alone.
    pub ignored: bool,
    /// The ECS task that it belongs to.
    pub task_arn: Option<String>,
    /// What it was started from.
    pub family: Option<Family>,
}
