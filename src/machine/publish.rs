//! What a granted want becomes in the zone, and what of it can be read there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::lifecycle::{Event, Wanted};
use crate::container::convention::Protocol;
use crate::container::offer::{At, Endpoint};
use crate::record::{ContainerId, RecordSet, RecordType, Registrant, Routing, Srv, Subject};

/// The record sets wanted, by container.
pub type Wants = BTreeMap<ContainerId, Vec<RecordSet>>;

/// The record sets of one granted want: its SRV, and the address of a container that has its own.
pub fn records(registrant: &Registrant, container: &ContainerId, wanted: &Wanted) -> Vec<RecordSet> {
    let service = &wanted.offer.service;
    let (target, port, address) = match wanted.offer.at {
        At::Host { port } => (registrant.host_name(), port, None),
        At::Task { address, port } => {
            let address = registrant.container_record(container, address);
            (address.name.clone(), port, Some(address))
        }
    };
    let mark = registrant.mark(Subject::Service(container.clone(), service.container_port));
    let srv = RecordSet {
        name: service.name.as_str().to_owned(),
        kind: RecordType::Srv,
        set_identifier: Some(mark.to_string()),
        routing: Routing::Weighted(i64::from(wanted.weight)),
        ttl: i64::from(service.ttl),
        values: vec![Srv { priority: 1, weight: 1, port, target }.to_string()],
    };
    address.into_iter().chain([srv]).collect()
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
        if let Some(Subject::Container(id) | Subject::Service(id, _)) = registrant.subject(set) {
            by_container.entry(id).or_default().push(set.clone());
        }
    }
    by_container.values_mut().for_each(|sets| sets.sort_by_key(RecordSet::key));
    by_container
}

/// What the lifecycles of containers are to be told of own record sets.
pub fn registered(registrant: &Registrant, sets: &[RecordSet]) -> Vec<(ContainerId, Event)> {
    let event = |set: &RecordSet| {
        let Subject::Service(id, container_port) = registrant.subject(set)? else { return None };
        let at = endpoint(registrant, set, |name| address_of(name, sets))?;
        let weight = set.weight().and_then(|weight| weight.try_into().ok())?;
        Some((id, Event::Registered { service: set.key().name, container_port, at, weight }))
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
    use crate::container::offer::{Binder, EffectiveCheck, Offer};
    use crate::container::testing::{at, offer, service};
    use crate::record::ADDRESS_TTL;
    use crate::record::testing::{HEX, id, registrant};

    #[test]
    fn writes_the_exact_text_of_a_service() {
        let offer = offer("_web._tcp", 32_768, EffectiveCheck::None);
        let wanted = Wanted { offer, weight: 5, started_at: at(1) };
        let sets = records(&registrant("i-0123456789abcdef0"), &id(0xab), &wanted);
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
        let sets = records(&registrant, &id(0xab), &Wanted { offer, weight: 0, started_at: at(1) });
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

    #[test]
    fn hosts_that_share_a_prefix_own_nothing_of_each_other() {
        let (web1, web10) = (registrant("web1"), registrant("web10"));
        let wanted =
            Wanted { offer: offer("_web._tcp", 80, EffectiveCheck::None), weight: 5, started_at: at(1) };
        let mut of_10 = records(&web10, &id(1), &wanted);
        of_10.push(web10.host_record());
        assert!(of_10.iter().all(|set| web10.owns(set) && !web1.owns(set)));
    }
}
