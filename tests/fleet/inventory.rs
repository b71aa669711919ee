//! The hosts of a fleet, their containers, and the records that these want.

use std::net::Ipv4Addr;

use ecssd::record::{ContainerId, Owner, RecordSet, RecordType, Registrant, Routing, Subject};

pub const ZONE: &str = "sd.internal";
/// The names that the copies of all hosts share, evenly: Route 53 has 100 of each without a raised quota.
const NAMES: usize = 120;
/// The first port of a host.
const PORT: u16 = 32_768;

/// How many hosts, with how many records each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fleet {
    pub hosts: usize,
    pub records: usize,
}

impl std::fmt::Display for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.hosts, self.records)
    }
}

/// One of its hosts.
#[derive(Clone, Debug)]
pub struct Host {
    number: usize,
    records: usize,
    pub registrant: Registrant,
}

impl Host {
    pub fn new(number: usize, fleet: Fleet) -> Self {
        let owner = Owner::new(&format!("i-{number:017x}")).expect("an instance's id is a host's name");
        let [.., high, low] = number.to_be_bytes();
        let address = Ipv4Addr::new(10, 0, high, low);
        Self { number, records: fleet.records, registrant: Registrant { owner, zone: ZONE.into(), address } }
    }

    /// Its containers, each with its record; with each round of a deployment others take their places.
    pub fn containers(&self, round: usize) -> Vec<(ContainerId, Vec<RecordSet>)> {
        (0..self.records).map(|place| self.container(place, round)).collect()
    }

    /// The container that has this place in this round.
    pub fn container(&self, place: usize, round: usize) -> (ContainerId, Vec<RecordSet>) {
        let serial = (self.number * self.records + place) * 2 + round;
        let id: ContainerId = format!("{serial:064x}").parse().expect("64 digits are a container's id");
        let port = PORT + u16::try_from(place * 2 + round).expect("a host has few containers");
        let name = (self.number * self.records + place) % NAMES;
        let set = RecordSet {
            name: format!("_service-{name:03}._tcp.{ZONE}"),
            kind: RecordType::Srv,
            set_identifier: Some(self.registrant.mark(Subject::Service(id.clone(), port)).to_string()),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec![format!("1 1 {port} {}", self.registrant.host_name())],
        };
        (id, vec![set])
    }

    /// What stands once all of this round is written.
    pub fn written(&self, round: usize) -> Vec<RecordSet> {
        let services = self.containers(round).into_iter().flat_map(|(_, sets)| sets);
        services.chain([self.registrant.host_record()]).collect()
    }
}
