//! What of a zone is a host's, and what keeps it.

use super::*;
use crate::janitor::evidence::{AgentConnection, Container, Host as Instance};
use crate::record::Routing;
use crate::record::testing::{id, registrant};

const ZONE: &str = "sd.internal";
const HOST: &str = "i-0123456789abcdef0";

fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

fn srv(host: &str, n: u8) -> RecordSet {
    let mark = registrant(host).mark(Subject::Service(id(n.into()), 80));
    RecordSet {
        name: format!("_web._tcp.{ZONE}"),
        kind: RecordType::Srv,
        set_identifier: Some(mark.to_string()),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![format!("1 1 {} {host}.{ZONE}", 32_000 + u16::from(n))],
    }
}

/// Every kind of record that there is of a host.
fn all(host: &str) -> Vec<RecordSet> {
    let full =
        RecordSet { name: format!("_web-all._tcp.{ZONE}"), routing: Routing::Multivalue, ..srv(host, 1) };
    let of_name = RecordSet {
        name: format!("web.{ZONE}"),
        kind: RecordType::A,
        set_identifier: Some(registrant(host).mark(Subject::ServiceAddress(id(1))).to_string()),
        values: vec!["10.0.0.7".to_owned()],
        ..srv(host, 1)
    };
    let task = registrant(host).container_record(&id(2), [10, 0, 1, 7].into());
    let legacy = RecordSet {
        name: format!("time.{ZONE}"),
        set_identifier: Some(format!("{host}:{}", id(3).as_str())),
        values: vec![format!("1 1 32003 {host}")],
        ..srv(host, 3)
    };
    let malformed = RecordSet { values: vec!["1 1 1 elsewhere.example".to_owned()], ..srv(host, 9) };
    vec![registrant(host).host_record(), task, of_name, full, srv(host, 1), legacy, malformed]
}

fn seen(state: Option<InstanceState>, containers: &[(u8, Option<&str>, bool)]) -> Snapshot {
    let known = |&(n, instance, stopped): &(u8, Option<&str>, bool)| {
        (id(n.into()), Container { instance: instance.map(owner), stopped })
    };
    let host = |state| (owner(HOST), Instance { state, agent: AgentConnection::Absent });
    Snapshot {
        hosts: state.map(host).into_iter().collect(),
        containers: containers.iter().map(known).collect(),
        ..Snapshot::default()
    }
}

fn signs(host: &str, snapshot: &Snapshot) -> Vec<String> {
    let of = Host::of(&owner(host), ZONE, &all(host), snapshot, &[]);
    of.signs.iter().map(ToString::to_string).collect()
}

#[test]
fn all_that_is_marked_with_it_goes_and_its_addresses_last() {
    let others = [all("i-0123456789abcdef1"), all("web1")].concat();
    let list = [others, all(HOST)].concat();
    let host = Host::of(&owner(HOST), ZONE, &list, &Snapshot::default(), &[]);
    assert_eq!(host.records.len(), 7);
    let kinds: Vec<bool> = host.records.iter().map(|set| set.kind == RecordType::Srv).collect();
    assert_eq!(kinds, [true, true, true, true, false, false, false]);
    assert_eq!(host.records[6], registrant(HOST).host_record());
    assert!(!host.is_refused(false));
    let ports: Vec<u16> = host.ports(ZONE, &list).iter().map(SocketAddrV4::port).collect();
    assert_eq!(ports, [32_001, 32_003]);
}

#[test]
fn what_ec2_shows_lives_unless_it_is_off() {
    use InstanceState::{Pending, Running, ShuttingDown, Stopped, Stopping, Terminated};
    for state in [Pending, Running, Stopping, ShuttingDown] {
        assert_eq!(signs(HOST, &seen(Some(state), &[])).len(), 1, "{state:?}");
    }
    for state in [Stopped, Terminated] {
        // ECS is the last to notice.
        assert_eq!(signs(HOST, &seen(Some(state), &[(1, Some(HOST), false)])), [""; 0], "{state:?}");
    }
    let running = signs(HOST, &seen(Some(Running), &[]));
    assert_eq!(running, [format!("EC2 says that {HOST} is running")]);
}

#[test]
fn what_ecs_has_not_seen_stop_lives() {
    let says =
        |n: u64| vec![format!("ECS says that its container {} has not stopped", &id(n).as_str()[..12])];
    // By a record, by its place though no record speaks of it, and on nothing that ECS still has.
    assert_eq!(signs(HOST, &seen(None, &[(1, Some(HOST), false)])), says(1));
    assert_eq!(signs(HOST, &seen(None, &[(77, Some(HOST), false)])), says(77));
    assert_eq!(signs(HOST, &seen(None, &[(1, None, false)])), says(1));
    assert_eq!(signs(HOST, &seen(None, &[(1, Some(HOST), true)])), [""; 0]);
    // Of another host with the same name nothing is known.
    assert_eq!(signs("web1", &seen(None, &[(77, Some(HOST), false)])), [""; 0]);
}

#[test]
fn a_host_that_goes_by_a_name_is_the_instance_of_its_containers() {
    let running = seen(Some(InstanceState::Running), &[(1, Some(HOST), true)]);
    assert_eq!(signs("web1", &running), [format!("EC2 says that {HOST} is running")]);
    let over = seen(Some(InstanceState::Terminated), &[(1, Some(HOST), false)]);
    assert_eq!(signs("web1", &over), [""; 0]);
}

#[test]
fn what_answers_lives_and_what_could_not_be_asked_may() {
    let list = all("web1");
    let missing = ["DescribeInstances: denied".to_owned()];
    let mut host = Host::of(&owner("web1"), ZONE, &list, &Snapshot::default(), &missing);
    assert!(host.is_refused(false) && !host.is_refused(true));
    let ports = host.ports(ZONE, &list);
    host.signs.clear();
    host.heard(ports.iter().map(|at| (*at, false)));
    assert_eq!((host.signs.len(), host.silent.len()), (0, 2));
    host.heard(ports.iter().map(|at| (*at, true)));
    assert!(matches!(host.signs[..], [Sign::Answers(_)]) && host.is_refused(false));
    // Who is terminated is asked nothing: its address may be anybody's.
    let over = seen(Some(InstanceState::Terminated), &[]);
    let host = Host::of(&owner(HOST), ZONE, &all(HOST), &over, &missing);
    assert!(host.signs.is_empty() && host.ports(ZONE, &all(HOST)).is_empty());
}

#[test]
fn a_host_without_records_is_refused_nothing() {
    let running = seen(Some(InstanceState::Running), &[]);
    assert!(!Host::of(&owner(HOST), ZONE, &[], &running, &[]).is_refused(false));
}
