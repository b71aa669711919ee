//! What was seen of the zone, of ECS and of EC2, and when. Owns the terms; [`reader`](super::reader) reads
//! them from the APIs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

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
    /// Networks of which EC2 shows every host: see [`home`].
    pub home: Vec<Network>,
    /// Each address that network interfaces hold there, and the instances that they are attached to.
    pub held: BTreeMap<Ipv4Addr, Vec<Option<Owner>>>,
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

/// The networks of which EC2 shows every host. Hosts of other accounts and regions may have the same addresses,
/// so an operator has to say that there are none, and that must not be refuted: it counts while instances are
/// `shown` in every VPC that is known to use the zone.
pub fn home(said: &[Network], of_zone: Option<&BTreeSet<String>>, shown: &BTreeSet<String>) -> Vec<Network> {
    if of_zone.is_some_and(|vpcs| vpcs.is_subset(shown)) { said.to_vec() } else { Vec::new() }
}

impl Snapshot {
    /// Whether an instance that EC2 does not show is gone, and not only to be shown later: no interface at the
    /// address that it had at home may be its own.
    pub fn is_gone(&self, host: &Owner, address: Ipv4Addr) -> bool {
        let is_home = self.home.iter().any(|network| network.holds(address));
        let is_anothers = |holder: &Option<Owner>| holder.as_ref().is_some_and(|holder| holder != host);
        is_home && self.held.get(&address).is_none_or(|holders| holders.iter().all(is_anothers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_home_only_while_no_vpc_of_the_zone_is_out_of_sight() {
        let said = [Network { address: [10, 0, 0, 0].into(), prefix: 16 }];
        let vpcs = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let shown = vpcs(&["vpc-a", "vpc-b"]);
        assert_eq!(home(&said, Some(&vpcs(&["vpc-a"])), &shown), said);
        assert_eq!(home(&said, Some(&vpcs(&["vpc-a", "vpc-of-others"])), &shown), []);
        assert_eq!(home(&said, None, &shown), []);
    }

    #[test]
    fn what_holds_an_address_may_be_an_instance_that_is_not_shown_yet() {
        let owner = |text: &str| Owner::new(text).unwrap();
        let (it, other) = (owner("i-0123456789abcdef0"), owner("i-0123456789abcdef1"));
        let address = Ipv4Addr::new(10, 0, 0, 7);
        let is_gone = |holders: Option<Vec<Option<Owner>>>| {
            let snapshot = Snapshot {
                home: vec![Network { address: [10, 0, 0, 0].into(), prefix: 16 }],
                held: holders.map(|holders| (address, holders)).into_iter().collect(),
                ..Snapshot::default()
            };
            assert!(!snapshot.is_gone(&it, [10, 1, 0, 7].into()));
            snapshot.is_gone(&it, address)
        };
        assert!(is_gone(None) && is_gone(Some(vec![Some(other.clone())])));
        assert!(!is_gone(Some(vec![None])) && !is_gone(Some(vec![Some(other), Some(it.clone())])));
    }

    #[test]
    fn one_silent_registration_spoils_the_others() {
        assert_eq!(AgentConnection::Absent.and(true), AgentConnection::Connected);
        assert_eq!(AgentConnection::Absent.and(true).and(true), AgentConnection::Connected);
        assert_eq!(AgentConnection::Absent.and(true).and(false).and(true), AgentConnection::Disconnected);
    }
}
