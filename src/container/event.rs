//! What an engine tells of a container without being asked for it: an event, or a line of its list.
//!
//! Both are hints: what is, shows an inspection.

use std::time::Duration;

use super::Timestamp;
use crate::record::ContainerId;

/// A line of the engine's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which container.
    pub id: ContainerId,
    /// What the list shows of it. Where this changed, the container is worth another look.
    pub fingerprint: String,
}

/// Something that happened to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerEvent {
    /// Which container.
    pub id: ContainerId,
    /// What.
    pub happening: Happening,
    /// When, by the engine's clock, which may step.
    pub time: Timestamp,
    /// How long ago, by that clock, where it is remembered; nothing, where it has just happened.
    pub age: Duration,
}

/// What can happen to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// It was sent a signal.
    Killed(u8),
    /// Its process ended.
    Died,
    /// Another life of it began.
    Started,
    /// Anything else after which it is worth a look: paused, another health.
    Changed,
    /// It was connected to a network, or disconnected from one: its ports may be others, and with them those of whoever
    /// shares its network.
    Rewired,
    /// It was removed.
    Destroyed,
}
