//! Record sets that are somebody else's: other hosts', the predecessor's, and people's.

use ecssd::record::{RecordSet, RecordType, Routing};
use ecssd_testing::route53::hosted::HostedZone;
use ecssd_testing::world::World;

/// The host name of the predecessor on the host under test.
pub const OLD_HOST: &str = "ip-10-0-0-7.ec2.internal";
/// Some container's id.
pub const HEX: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

pub fn srv(name: String, id: String, value: String) -> RecordSet {
    let (kind, routing) = (RecordType::Srv, Routing::Weighted(1));
    RecordSet { name, kind, set_identifier: Some(id), routing, ttl: 0, values: vec![value] }
}

pub fn address(name: String, id: Option<&str>, value: &str) -> RecordSet {
    RecordSet {
        name,
        kind: RecordType::A,
        set_identifier: id.map(str::to_owned),
        routing: if id.is_some() { Routing::Weighted(1) } else { Routing::Simple },
        ttl: 0,
        values: vec![value.to_owned()],
    }
}

/// Fills a zone with records that look much like this host's, some under its service's name, and returns
/// what the zone then holds of others.
pub fn move_in(world: &World, service: &str) -> Vec<String> {
    let full = |label: &str| world.zone.full(label);
    let mut sets = Vec::new();
    for owner in ["web10", "web11", "web", "web1-blue", "web1.corp", "i-0123456789abcdef0"] {
        let target = full(owner.split('.').next().unwrap());
        let id = format!("{owner}:{HEX}:80");
        sets.push(srv(full(service), id, format!("1 1 32768 {target}")));
        // The two that share this host's first label have no address there.
        if owner != "web1.corp" {
            sets.push(address(target, Some(owner), "10.0.9.9"));
        }
    }
    // The predecessor's marks, on a host of this very name too.
    for owner in ["web1", "web1.corp", OLD_HOST] {
        sets.push(srv(full(service), format!("{owner}:{HEX}"), format!("1 1 32769 {owner}")));
    }
    // Nobody's form: four fields, capitals, no container.
    for id in [format!("web1:{HEX}:80:x"), format!("WEB1:{HEX}:80"), "web1:x:80".to_owned()] {
        sets.push(srv(full(service), id, "1 1 32770 elsewhere.example".into()));
    }
    sets.push(address(full("database"), None, "10.0.9.1"));
    let text =
        RecordSet { kind: RecordType::Txt, values: vec!["\"web1\"".into()], ..sets[sets.len() - 1].clone() };
    sets.push(text);
    world.zone.create(&sets);
    let foreign = world.foreign();
    assert_eq!((foreign.len(), world.own().len()), (sets.len(), 0));
    foreign
}

/// The predecessor, as it called the API.
pub struct Predecessor<'a>(pub &'a HostedZone);

impl Predecessor<'_> {
    /// At its start it creates the host's address.
    pub fn start(&self) {
        let label = OLD_HOST.split('.').next().unwrap();
        self.0.create(&[address(self.0.full(label), Some(OLD_HOST), "10.0.0.7")]);
    }

    /// At a container's start it creates a record.
    pub fn register(&self, service: &str, container: &str, port: u16) {
        let id = format!("{OLD_HOST}:{container}");
        self.0.create(&[srv(self.0.full(service), id, format!("1 1 {port} {OLD_HOST}"))]);
    }

    /// All records that begin with its host name: what it takes for its own.
    pub fn own(&self) -> Vec<RecordSet> {
        let own = |set: &RecordSet| set.set_identifier.as_deref().is_some_and(|id| id.starts_with(OLD_HOST));
        self.0.sets().into_iter().filter(own).collect()
    }

    /// `-remove`, which its unit calls at a stop.
    pub fn remove(&self) {
        self.0.delete(&self.own());
    }
}
