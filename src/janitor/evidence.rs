//! What was seen of the zone, of ECS and of EC2, and when. Owns the terms; [`reader`](super::reader) reads
//! them from the APIs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::machine::container::ContainerId;
use crate::machine::record::RecordSet;
use crate::machine::registration::Owner;

/// The zone, then everything that its records could speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// All record sets of the zone.
    pub list: Read<Vec<RecordSet>>,
    /// ECS and EC2.
    pub snapshot: Read<Snapshot>,
}

/// Something that takes many calls to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read<T> {
    /// Before the first call was sent.
    pub began: Duration,
    /// After the last answer was there.
    pub ended: Duration,
    /// Why it is not whole: each page that failed or was throttled, each answer that could not be understood.
    pub missing: Vec<String>,
    /// What was read.
    pub what: T,
}

/// What ECS and EC2 say, of all clusters and all pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// By instance id.
    pub hosts: BTreeMap<Owner, Host>,
    /// By `runtimeId`.
    pub containers: BTreeMap<ContainerId, Container>,
    /// Where ECS has containers running.
    pub places: BTreeSet<Place>,
    /// The full names that running and pending tasks ask for, those on Fargate too: no proof of a
    /// service that runs nowhere while one is here.
    pub services: BTreeSet<String>,
    /// Networks of which EC2 shows every host: of this account and region, shared with no other, and
    /// not used again by another network that registers in the zone. Empty unless an operator says so.
    pub home: Vec<Network>,
    /// Every address that any network interface of these networks holds.
    pub held: BTreeSet<Ipv4Addr>,
}

/// What EC2 and ECS say of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// EC2's word.
    pub power: Power,
    /// Of its interfaces; a terminated instance has none.
    pub addresses: Vec<Ipv4Addr>,
    /// Whether ECS knows what runs on it.
    pub ecs: Hearing,
}

/// The state of an EC2 instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
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

/// Whether ECS hears of a host's containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hearing {
    /// It is no container instance of any cluster, or no longer.
    #[default]
    Absent,
    /// Its ECS agent is connected.
    Heard,
    /// Its ECS agent is not.
    Silent,
}

impl Hearing {
    /// With one more registration of the instance. One that is silent spoils the others: whose tasks ECS
    /// speaks of is then unknown.
    pub fn and(self, connected: bool) -> Self {
        match (self, connected) {
            (Self::Silent, _) | (_, false) => Self::Silent,
            (Self::Absent | Self::Heard, true) => Self::Heard,
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

/// Where a container of a service runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Of the host, or of the task by its attachment.
    pub address: Ipv4Addr,
    /// At that address.
    pub port: u16,
    /// The full name, lower case, without the final dot.
    pub service: String,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Any address in it.
    pub address: Ipv4Addr,
    /// How many leading bits its addresses share, 0 to 32.
    pub prefix: u8,
}

impl Network {
    /// Whether `address` lies in it.
    pub fn holds(self, address: Ipv4Addr) -> bool {
        let tail = 32_u32.saturating_sub(u32::from(self.prefix));
        let differ = self.address.to_bits() ^ address.to_bits();
        differ.checked_shr(tail).unwrap_or(0) == 0
    }
}

impl Snapshot {
    /// The instance that holds an address.
    pub fn holder(&self, address: Ipv4Addr) -> Option<(&Owner, &Host)> {
        self.hosts.iter().find(|(_, host)| host.addresses.contains(&address))
    }

    /// Whether every host with this address would be seen.
    pub fn is_home(&self, address: Ipv4Addr) -> bool {
        self.home.iter().any(|network| network.holds(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_shares_its_prefix() {
        let network = |prefix| Network { address: [10, 1, 2, 3].into(), prefix };
        assert!(network(16).holds([10, 1, 255, 1].into()));
        assert!(!network(16).holds([10, 2, 2, 3].into()));
        assert!(network(0).holds([192, 168, 0, 1].into()));
        assert!(network(32).holds([10, 1, 2, 3].into()) && !network(32).holds([10, 1, 2, 2].into()));
    }

    #[test]
    fn one_silent_registration_spoils_the_others() {
        assert_eq!(Hearing::Absent.and(true), Hearing::Heard);
        assert_eq!(Hearing::Absent.and(true).and(true), Hearing::Heard);
        assert_eq!(Hearing::Absent.and(true).and(false).and(true), Hearing::Silent);
    }
}
