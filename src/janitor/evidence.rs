//! What was seen of the zone, of ECS and of EC2, and when. Owns the terms; [`reader`](super::reader) reads
//! them from the APIs.

use std::collections::{BTreeMap, BTreeSet};

use super::sight::Sight;
use crate::moment::Moment;
pub use crate::record::Network;
use crate::record::{ContainerId, Owner, RecordSet};

/// The zone, then everything that its records could speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// All record sets of the zone.
    pub list: Read<Vec<RecordSet>>,
    /// ECS and EC2.
    pub snapshot: Read<Snapshot>,
}

/// Something that takes many calls to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read<T> {
    /// Before the first call was sent.
    pub began: Moment,
    /// After the last answer was there.
    pub ended: Moment,
    /// Why it is not whole: each page that failed or was throttled, each answer that could not be understood.
    pub missing: Vec<String>,
    /// What was read.
    pub what: T,
}

/// What ECS and EC2 say: of everything, or of what they were asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// By instance id.
    pub hosts: BTreeMap<Owner, Host>,
    /// By `runtimeId`.
    pub containers: BTreeMap<ContainerId, Container>,
    /// The full names that running and pending tasks ask for, those on Fargate too. A service runs nowhere that
    /// is not among them; where they are not all known, there is no such proof.
    pub services: Option<BTreeSet<String>>,
    /// How many clusters there was no time to read to the end. Then nothing is dead by absence.
    pub unread: usize,
    /// How far EC2 shows what there is; asked for only where it matters.
    pub sight: Sight,
    /// Hosts that EC2 does not show and that it was asked about: no interface is attached to them.
    pub unattached: BTreeSet<Owner>,
}

/// What EC2 and ECS say of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// EC2's word.
    pub state: InstanceState,
    /// Whether its ECS agent is connected, and so ECS knows what runs on it.
    pub agent: AgentConnection,
}

/// The state of an EC2 instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// Starting.
    Pending,
    /// On; what runs on it is for others to say.
    Running,
    /// Going to be stopped; containers may still serve.
    Stopping,
    /// Off; it may be started again, with the same id, address and containers.
    Stopped,
    /// Going to be terminated; containers may still serve.
    ShuttingDown,
    /// Off for ever.
    Terminated,
}

/// Whether a host's ECS agent is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgentConnection {
    /// It is no container instance of any cluster, or no longer.
    #[default]
    Absent,
    /// It is.
    Connected,
    /// It is not.
    Disconnected,
}

impl AgentConnection {
    /// With one more registration of the instance. One that is not connected spoils the others: whose tasks ECS
    /// speaks of is then unknown.
    pub fn and(self, connected: bool) -> Self {
        match (self, connected) {
            (Self::Disconnected, _) | (_, false) => Self::Disconnected,
            (Self::Absent | Self::Connected, true) => Self::Connected,
        }
    }
}

/// What ECS says of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The instance that it is or was on; none on Fargate, or where ECS no longer says.
    pub instance: Option<Owner>,
    /// Whether the last status of its task is STOPPED. That of the container is not enough: ECS may
    /// restart it under the same id.
    pub stopped: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_silent_registration_spoils_the_others() {
        assert_eq!(AgentConnection::Absent.and(true), AgentConnection::Connected);
        assert_eq!(AgentConnection::Absent.and(true).and(true), AgentConnection::Connected);
        assert_eq!(AgentConnection::Absent.and(true).and(false).and(true), AgentConnection::Disconnected);
    }
}
