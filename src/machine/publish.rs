//! What a granted want becomes in the zone, and what of it can be read there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::lifecycle::{Event, Registered, Wanted};
use crate::container::convention::{Answer, Protocol};
use crate::container::offer::{At, Endpoint};
use crate::record::{ContainerId, Key, RecordSet, RecordType, Registrant, Routing, Srv, Subject};

/// The record sets wanted, by container.
pub type Wants = BTreeMap<ContainerId, Vec<RecordSet>>;

/// The record sets of what is granted to a container, in the order of their keys.
///
/// Ports that share the name of an address are one set, at the lowest weight of them: clients ask for no port, and the
/// same share of them comes to all.
pub fn records(registrant: &Registrant, container: &ContainerId, granted: &[Wanted]) -> Vec<RecordSet> {
    let mut records: BTreeMap<Key, RecordSet> = BTreeMap::new();
    for set in granted.iter().flat_map(|wanted| records_of(registrant, container, wanted)) {
        let one = records.entry(set.key()).or_insert_with(|| set.clone());
        one.routing = lower(one.routing, set.routing);
    }
    records.into_values().collect()
}

/// Those of one granted want: its service's, and the address of a container that has its own.
fn records_of(registrant: &Registrant, container: &ContainerId, wanted: &Wanted) -> Vec<RecordSet> {
    let service = &wanted.offer.service;
    let set = |kind, subject, value| RecordSet {
        name: service.name.as_str().to_owned(),
        kind,
        set_identifier: Some(registrant.mark(subject).to_string()),
        routing: wanted.routing(),
        ttl: i64::from(service.ttl),
        values: vec![value],
    };
    if service.answer == Answer::Address {
        let address = match wanted.offer.at {
            At::Host { .. } => registrant.address,
            At::Task { address, .. } => address,
        };
        let subject = Subject::ServiceAddress(container.clone());
        return vec![set(RecordType::A, subject, address.to_string())];
    }
    let (target, port, address) = match wanted.offer.at {
        At::Host { port } => (registrant.host_name(), port, None),
        At::Task { address, port } => {
            let address = registrant.container_record(container, address);
            (address.name.clone(), port, Some(address))
        }
    };
    let subject = Subject::Service(container.clone(), service.container_port);
    let value = Srv { priority: 1, weight: 1, port, target }.to_string();
    address.into_iter().chain([set(RecordType::Srv, subject, value)]).collect()
}

/// The one with less weight; of others the first.
fn lower(one: Routing, other: Routing) -> Routing {
    match (one, other) {
        (Routing::Weighted(one), Routing::Weighted(other)) => Routing::Weighted(one.min(other)),
        _ => one,
    }
}

/// Where an own SRV record set leads, as an offer would say it; `address_of` knows the zone's A records by
/// name.
pub fn endpoint(
    registrant: &Registrant,
    set: &RecordSet,
    address_of: impl Fn(&str) -> Option<Ipv4Addr>,
) -> Option<At> {
    let Srv { port, target, .. } = set.srv_values().next()?;
    if target == registrant.host_name() {
        return Some(At::Host { port });
    }
    address_of(&target).map(|address| At::Task { address, port })
}

/// The record sets of each container, in the order of their keys; the host's own are not among them.
pub fn by_container(registrant: &Registrant, sets: &[RecordSet]) -> Wants {
    let mut by_container = Wants::new();
    for set in sets {
        if let Some(Subject::Container(id) | Subject::Service(id, _) | Subject::ServiceAddress(id)) =
            registrant.subject(set)
        {
            by_container.entry(id).or_default().push(set.clone());
        }
    }
    by_container.values_mut().for_each(|sets| sets.sort_by_key(RecordSet::key));
    by_container
}

/// What the lifecycles of containers are to be told of own record sets.
pub fn registered(registrant: &Registrant, sets: &[RecordSet]) -> Vec<(ContainerId, Event)> {
    // A full name has no weight: what the earlier run knew of the copy's health, its weighted name says.
    let weight = |set: &RecordSet| Some(((set.kind, set.set_identifier.clone()), set.weight()?));
    let weights: BTreeMap<_, _> = sets.iter().filter_map(weight).collect();
    let beside = |set: &RecordSet| weights.get(&(set.kind, set.set_identifier.clone())).copied().unwrap_or(1);
    let event = |set: &RecordSet| {
        let (id, at) = match registrant.subject(set)? {
            Subject::Service(id, container_port) => {
                let at = endpoint(registrant, set, |name| address_of(name, sets))?;
                (id, Registered::Target { container_port, at })
            }
            Subject::ServiceAddress(id) => {
                let address: Ipv4Addr = set.values.first()?.parse().ok()?;
                let own = (address != registrant.address).then_some(address);
                (id, Registered::Address(own))
            }
            Subject::Host | Subject::Container(_) => return None,
        };
        let weight = set.weight().unwrap_or_else(|| beside(set)).try_into().ok()?;
        Some((id, Event::Registered { service: set.key().name, at, weight }))
    };
    sets.iter().filter_map(event).collect()
}

/// The ports to which the record sets of containers lead, and whose these are.
pub fn endpoints<'a>(
    registrant: &Registrant,
    sets: impl IntoIterator<Item = (&'a ContainerId, &'a Vec<RecordSet>)>,
) -> BTreeMap<Endpoint, ContainerId> {
    let mut endpoints = BTreeMap::new();
    for (id, sets) in sets {
        for set in sets.iter().filter(|set| set.kind == RecordType::Srv) {
            if let Some(at) = endpoint(registrant, set, |name| address_of(name, sets)) {
                endpoints.entry(Endpoint { at, protocol: place(set).0 }).or_insert_with(|| id.clone());
            }
        }
    }
    endpoints
}

/// What a service's record set leads to: udp and tcp ports of one number are different places.
pub fn place(set: &RecordSet) -> (Protocol, &[String]) {
    let is_udp = set.name.split('.').any(|label| label == "_udp");
    (if is_udp { Protocol::Udp } else { Protocol::Tcp }, &set.values)
}

fn address_of(name: &str, sets: &[RecordSet]) -> Option<Ipv4Addr> {
    let set = sets.iter().find(|set| set.kind == RecordType::A && set.key().name == name)?;
    set.values.first()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::convention::Service;
    use crate::container::offer::{Binder, EffectiveCheck, Offer};
    use crate::container::testing::{at, offer, service};
    use crate::record::ADDRESS_TTL;
    use crate::record::testing::{HEX, id, registrant};

    #[test]
    fn writes_the_exact_text_of_a_service() {
        let offer = offer("_web._tcp", 32_768, EffectiveCheck::None);
        let wanted = Wanted { offer, weight: 5, serves: true, started_at: at(1) };
        let sets = records(&registrant("i-0123456789abcdef0"), &id(0xab), &[wanted]);
        let expected = RecordSet {
            name: "_web._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some(format!("i-0123456789abcdef0:{HEX}:80")),
            routing: Routing::Weighted(5),
            ttl: 0,
            values: vec!["1 1 32768 i-0123456789abcdef0.sd.internal".into()],
        };
        assert_eq!(sets, [expected]);
    }

    #[test]
    fn writes_the_address_of_a_task_with_its_service() {
        let at_task = At::Task { address: [10, 0, 3, 9].into(), port: 80 };
        let (service, binder) = (service("_web._tcp", 80, 5), Binder::Process);
        let offer = Offer { service, at: at_task, binder, check: EffectiveCheck::None };
        let registrant = registrant("i-0a");
        let sets =
            records(&registrant, &id(0xab), &[Wanted { offer, weight: 0, serves: false, started_at: at(1) }]);
        let address = RecordSet {
            name: "000000000000.sd.internal".into(),
            kind: RecordType::A,
            set_identifier: Some(format!("i-0a:{HEX}")),
            routing: Routing::Weighted(1),
            ttl: ADDRESS_TTL,
            values: vec!["10.0.3.9".into()],
        };
        assert_eq!(sets[0], address);
        assert_eq!(
            (&sets[1].values[..], sets[1].weight()),
            (&["1 1 80 000000000000.sd.internal".into()][..], Some(0))
        );
        let known = |name: &str| (name == address.name).then_some([10, 0, 3, 9].into());
        assert_eq!(endpoint(&registrant, &sets[1], known), Some(at_task));
        assert_eq!(endpoint(&registrant, &sets[1], |_| None), None);
        assert!(sets.iter().all(|set| registrant.owns(set)));
    }

    /// Offers of one port of the host, as its process binds it.
    fn of_port(port: u16, names: &[(&str, Answer)], weight: u8) -> Vec<Wanted> {
        let wanted = |&(name, answer): &(&str, Answer)| {
            let service = Service { answer, ..service(name, port, 5) };
            let (at_host, binder) = (At::Host { port }, Binder::Process);
            let offer = Offer { service, at: at_host, binder, check: EffectiveCheck::Tcp };
            Wanted { offer, weight, serves: weight > 0, started_at: at(1) }
        };
        names.iter().map(wanted).collect()
    }

    #[test]
    fn writes_a_set_for_each_of_three_kinds_of_names() {
        let names =
            [("_web._tcp", Answer::Weighted), ("_web-all._tcp", Answer::All), ("web", Answer::Address)];
        let registrant = registrant("i-0a");
        let sets = records(&registrant, &id(0xab), &of_port(80, &names, 0));
        let shown: Vec<_> = sets.iter().map(|set| format!("{set}").replace(HEX, "ID")).collect();
        assert_eq!(
            shown,
            [
                "_web-all._tcp.sd.internal. 0 IN SRV 1 1 80 i-0a.sd.internal ; multivalue ; i-0a:ID:80",
                "_web._tcp.sd.internal. 0 IN SRV 1 1 80 i-0a.sd.internal ; weight 0 ; i-0a:ID:80",
                "web.sd.internal. 0 IN A 10.0.0.7 ; weight 0 ; i-0a:ID:a",
            ]
        );
        assert!(sets.iter().all(|set| registrant.owns(set) && set.is_of_service()));
        assert_eq!(by_container(&registrant, &sets)[&id(0xab)], sets);
        let told: Vec<_> = registered(&registrant, &sets).into_iter().map(|(_, event)| event).collect();
        let target = Registered::Target { container_port: 80, at: At::Host { port: 80 } };
        let event = |name: &str, at: Registered| Event::Registered {
            service: format!("{name}.sd.internal"),
            at,
            weight: 0,
        };
        // Of the full name it is told what the weighted one beside it shows of the copy's health.
        assert_eq!(
            told,
            [
                event("_web-all._tcp", target.clone()),
                event("_web._tcp", target),
                event("web", Registered::Address(None)),
            ]
        );
    }

    #[test]
    fn ports_that_share_the_name_of_an_address_are_one_set_at_the_lowest_weight() {
        let of = |port, weight| of_port(port, &[("web", Answer::Address)], weight);
        for (one, other, weight) in [(5, 5, 5), (5, 0, 0), (0, 5, 0)] {
            let sets = records(&registrant("i-0a"), &id(1), &[of(80, one), of(81, other)].concat());
            assert_eq!((sets.len(), sets[0].weight()), (1, Some(weight)));
        }
    }

    #[test]
    fn the_address_of_a_task_is_its_own_under_every_name() {
        let address = [10, 0, 3, 9].into();
        let mut wanted = of_port(80, &[("web", Answer::Address), ("_web-all._tcp", Answer::All)], 5);
        wanted.iter_mut().for_each(|wanted| wanted.offer.at = At::Task { address, port: 80 });
        let registrant = registrant("i-0a");
        let sets = records(&registrant, &id(0xab), &wanted);
        let values: Vec<_> = sets.iter().map(|set| (set.name.as_str(), set.values[0].as_str())).collect();
        assert_eq!(
            values,
            [
                ("000000000000.sd.internal", "10.0.3.9"),
                ("_web-all._tcp.sd.internal", "1 1 80 000000000000.sd.internal"),
                ("web.sd.internal", "10.0.3.9"),
            ]
        );
        let told = registered(&registrant, &sets);
        assert!(told.iter().any(|(_, event)| matches!(
            event,
            Event::Registered { at: Registered::Address(Some(own)), .. } if *own == address
        )));
    }

    #[test]
    fn finds_the_address_of_a_name_among_others() {
        let host = registrant("i-0a").host_record();
        let at = |name: &str, address: &str| RecordSet {
            name: name.to_owned(),
            values: vec![address.to_owned()],
            ..host.clone()
        };
        let srv = RecordSet { kind: RecordType::Srv, ..at("b", "1 1 80 c") };
        let sets = [at("a", "10.0.0.1"), srv, at("b.", "10.0.0.2")];
        assert_eq!(address_of("b", &sets), Some([10, 0, 0, 2].into()));
        assert_eq!(address_of("c", &sets), None);
    }

    #[test]
    fn hosts_that_share_a_prefix_own_nothing_of_each_other() {
        let (web1, web10) = (registrant("web1"), registrant("web10"));
        let wanted = Wanted {
            offer: offer("_web._tcp", 80, EffectiveCheck::None),
            weight: 5,
            serves: true,
            started_at: at(1),
        };
        let mut of_10 = records(&web10, &id(1), &[wanted]);
        of_10.push(web10.host_record());
        assert!(of_10.iter().all(|set| web10.owns(set) && !web1.owns(set)));
    }
}
