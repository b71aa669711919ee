//! Where a container's services are offered, and with which words the rest is not.

use std::collections::BTreeMap;

use super::*;
use crate::container::convention::{Answer, HttpCheck, Service};
use crate::container::testing::{at, service};
use crate::container::{Binding, Network};

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

/// A running container that asks for `_web._tcp` on port 80.
fn container(n: u64, network: Network) -> Container {
    Container {
        id: format!("{n:012x}{}", "0".repeat(52)).parse().unwrap(),
        name: format!("c{n}"),
        started_at: Some(at(1)),
        lived_before: false,
        running: Running::Running,
        health: None,
        health_log: Vec::new(),
        healthcheck_frozen: false,
        stop_signal: 15,
        network,
        bindings: BTreeMap::new(),
        bound_ipv6: BTreeSet::new(),
        unpublished: BTreeSet::new(),
        in_ingress: false,
        services: vec![service("_web._tcp", 80, 1)],
        bad_keys: Vec::new(),
        ignored: false,
        task_arn: None,
        family: None,
    }
}

/// One whose port 80 is published so.
fn bound(protocol: Protocol, bindings: &[([u8; 4], u16)]) -> Container {
    let bindings =
        bindings.iter().map(|&(address, port)| Binding { address: address.into(), port }).collect();
    let bindings = [((80, protocol), bindings)].into();
    Container { bindings, ..container(1, Network::Published) }
}

/// One that is published at every address of the host, and one that shares its network.
fn sharing() -> (Container, Container) {
    let owner = bound(Protocol::Tcp, &[([0, 0, 0, 0], 32_768)]);
    (container(2, Network::Shared(owner.id.clone())), owner)
}

fn places(container: &Container, owner: Option<&Container>) -> Vec<At> {
    let (offers, unpublished) = offers(container, owner, None, HOST);
    assert_eq!(unpublished, []);
    offers.into_iter().map(|offer| offer.at).collect()
}

fn reasons(container: &Container, owner: Option<&Container>) -> Vec<String> {
    let (offers, unpublished) = offers(container, owner, None, HOST);
    assert_eq!(offers, []);
    unpublished.into_iter().map(|service| service.reason.to_string()).collect()
}

#[test]
fn a_published_port_is_offered_at_the_host_and_goes_on_while_it_is_frozen() {
    let running = bound(Protocol::Tcp, &[([0, 0, 0, 0], 32_768)]);
    assert_eq!(places(&running, None), [At::Host { port: 32_768 }]);
    let paused = Container { running: Running::Paused, ..running };
    assert_eq!(places(&paused, None), [At::Host { port: 32_768 }]);
}

#[test]
fn one_number_under_tcp_and_udp_is_two_places_and_loopback_none() {
    let mut container = bound(Protocol::Tcp, &[([0, 0, 0, 0], 19_091), ([127, 0, 0, 1], 19_090)]);
    let udp = vec![Binding { address: Ipv4Addr::UNSPECIFIED, port: 32_768 }];
    container.bindings.insert((80, Protocol::Udp), udp);
    container.services.extend([service("_dns._udp", 80, 1), service("_admin._tcp", 81, 1)]);
    let (offers, unpublished) = offers(&container, None, None, HOST);
    let places: Vec<(Protocol, At)> = offers.iter().map(|offer| (offer.service.protocol, offer.at)).collect();
    assert_eq!(
        places,
        [(Protocol::Tcp, At::Host { port: 19_091 }), (Protocol::Udp, At::Host { port: 32_768 })]
    );
    let [admin] = &unpublished[..] else { panic!("{unpublished:?}") };
    assert_eq!((admin.service.as_str(), admin.container_port), ("_admin._tcp.sd.internal", 81));
    assert_eq!(
        admin.reason.to_string(),
        "Docker publishes no host port for 81/tcp (it does for 80/tcp, 80/udp)"
    );
}

#[test]
fn the_lowest_usable_host_port_is_offered() {
    let container = bound(
        Protocol::Tcp,
        &[([0, 0, 0, 0], 9_300), ([10, 0, 0, 5], 9_200), ([10, 0, 0, 9], 9_100), ([127, 0, 0, 1], 9_000)],
    );
    assert_eq!(places(&container, None), [At::Host { port: 9_200 }]);
}

#[test]
fn bindings_that_clients_cannot_reach_say_so() {
    let elsewhere = bound(Protocol::Tcp, &[([10, 0, 0, 9], 9_000), ([127, 0, 0, 1], 9_000)]);
    assert_eq!(
        reasons(&elsewhere, None),
        ["Docker publishes 80/tcp at 10.0.0.9 only, and clients reach this host at 10.0.0.5"]
    );
    let loopback = bound(Protocol::Tcp, &[([127, 0, 0, 53], 9_000)]);
    assert_eq!(reasons(&loopback, None), ["Docker publishes 80/tcp on loopback only"]);
    let own_loopback = offers(&loopback, None, None, Ipv4Addr::new(127, 0, 0, 53));
    assert_eq!((own_loopback.0.len(), own_loopback.1.len()), (0, 1));
    let ipv6 = Container { bound_ipv6: [(80, Protocol::Tcp)].into(), ..bound(Protocol::Tcp, &[]) };
    assert_eq!(reasons(&ipv6, None), ["Docker publishes 80/tcp on IPv6 only, and records lead to IPv4"]);
}

#[test]
fn networks_that_publish_nothing_say_so_and_each_reason_has_a_remedy() {
    let reason = |container: &Container| {
        let (_, unpublished) = offers(container, None, None, HOST);
        let reason = &unpublished[0].reason;
        format!("{reason}; {}", reason.remedy())
    };
    let elsewhere = reason(&bound(Protocol::Tcp, &[([10, 0, 0, 9], 9_000)]));
    assert!(elsewhere.contains("pass it as --address"), "{elsewhere}");
    let ipv6 = Container { bound_ipv6: [(80, Protocol::Tcp)].into(), ..container(1, Network::Published) };
    assert!(reason(&ipv6).contains("IPv4 too (-p)"), "{}", reason(&ipv6));
    let macvlan = Container { unpublished: [(80, Protocol::Tcp)].into(), ..container(1, Network::Published) };
    let said = reason(&macvlan);
    assert!(said.contains("macvlan, ipvlan") && said.contains("a bridge network too"), "{said}");
    let swarm = Container { in_ingress: true, ..bound(Protocol::Tcp, &[]) };
    let said = reason(&swarm);
    assert!(said.contains("Swarm leads to 80/tcp by its ingress") && said.contains("mode=host"), "{said}");
    let at_its_host = Container { in_ingress: true, ..bound(Protocol::Tcp, &[([0, 0, 0, 0], 9_000)]) };
    assert_eq!(places(&at_its_host, None), [At::Host { port: 9_000 }]);
}

#[test]
fn a_healthcheck_that_is_run_no_more_leaves_tcp_to_a_connect() {
    let checks = |check: Check, protocol, frozen| {
        let mut container = Container {
            health: Some(crate::container::Health::Healthy),
            healthcheck_frozen: frozen,
            ..bound(protocol, &[([0, 0, 0, 0], 9_000)])
        };
        container.services[0].check = check;
        container.services[0].protocol = protocol;
        let check = offers(&container, None, None, HOST).0.remove(0).check;
        (check, has_frozen_check(&container))
    };
    for check in [Check::Default, Check::Docker] {
        assert_eq!(checks(check.clone(), Protocol::Tcp, false), (EffectiveCheck::Docker, false));
        assert_eq!(checks(check.clone(), Protocol::Tcp, true), (EffectiveCheck::Tcp, true));
        assert_eq!(checks(check, Protocol::Udp, true), (EffectiveCheck::Docker, true));
    }
    assert_eq!(checks(Check::None, Protocol::Tcp, true), (EffectiveCheck::None, false));
    assert_eq!(checks(Check::Tcp, Protocol::Tcp, true), (EffectiveCheck::Tcp, false));
}

#[test]
fn ports_that_are_not_published_say_what_is() {
    let udp_only = bound(Protocol::Udp, &[([0, 0, 0, 0], 9_000)]);
    assert_eq!(reasons(&udp_only, None), ["Docker publishes no host port for 80/tcp (it does for 80/udp)"]);
    assert_eq!(
        reasons(&bound(Protocol::Tcp, &[]), None),
        ["Docker publishes no host port for 80/tcp, it only exposes it"]
    );
    assert_eq!(reasons(&bound(Protocol::Udp, &[]), None), ["Docker publishes no host port for 80/tcp"]);
    // The key has the host's port.
    let at_80 = vec![Binding { address: Ipv4Addr::UNSPECIFIED, port: 80 }];
    let mut other = bound(Protocol::Udp, &[]);
    other.bindings = [((90, Protocol::Udp), at_80.clone())].into();
    assert_eq!(reasons(&other, None), ["Docker publishes no host port for 80/tcp (it does for 90/udp)"]);
    other.bindings.insert((8_080, Protocol::Tcp), at_80);
    let said = "Docker publishes no host port for 80/tcp: 80 is the host's port of 8080/tcp, whose key is SERVICE_8080_NAME";
    assert_eq!(reasons(&other, None), [said]);
    let (_, unpublished) = offers(&other, None, None, HOST);
    assert_eq!(unpublished[0].reason.remedy(), "correct the key, and replace the container");
    let mut range = bound(Protocol::Udp, &[]);
    range.bindings = (1_000..2_000)
        .map(|port| ((port, Protocol::Udp), vec![Binding { address: Ipv4Addr::UNSPECIFIED, port }]))
        .collect();
    let ports = "1000/udp, 1001/udp, 1002/udp, 1003/udp, 1004/udp, 1005/udp, 1006/udp, 1007/udp";
    assert_eq!(
        reasons(&range, None),
        [format!("Docker publishes no host port for 80/tcp (it does for {ports} and 992 more)")]
    );
}

#[test]
fn says_who_binds_a_port() {
    let binder = |container: &Container, owner: Option<&Container>, task: Option<Ipv4Addr>| {
        offers(container, owner, task, HOST).0.remove(0).binder
    };
    let (sharer, owner) = sharing();
    let by_docker = Binder::Docker { container: owner.id.clone(), started_at: owner.started_at.unwrap() };
    assert_eq!(binder(&owner, None, None), by_docker);
    assert_eq!(binder(&sharer, Some(&owner), None), by_docker);
    assert_eq!(binder(&container(3, Network::Host), None, None), Binder::Process);
    let on_host = Container { network: Network::Host, ..owner.clone() };
    assert_eq!(binder(&sharer, Some(&on_host), None), Binder::Process);
    assert_eq!(binder(&owner, None, Some(HOST)), Binder::Process);
}

#[test]
fn docker_publishes_ports_that_nobody_asked_a_service_for() {
    let mut container =
        bound(Protocol::Tcp, &[([0, 0, 0, 0], 9_300), ([10, 0, 0, 9], 9_100), ([127, 0, 0, 1], 9_000)]);
    container.bindings.insert((53, Protocol::Udp), vec![Binding { address: HOST, port: 9_300 }]);
    container.services.clear();
    let endpoint = |protocol| Endpoint { at: At::Host { port: 9_300 }, protocol };
    assert_eq!(published(&container, HOST), [endpoint(Protocol::Tcp), endpoint(Protocol::Udp)].into());
    container.running = Running::Paused;
    assert_eq!(published(&container, HOST).len(), 2);
    container.running = Running::Stopped;
    assert_eq!(published(&container, HOST), [].into());
}

#[test]
fn host_network_offers_the_port_itself_and_no_network_none() {
    assert_eq!(places(&container(1, Network::Host), None), [At::Host { port: 80 }]);
    assert_eq!(reasons(&container(1, Network::Isolated), None), ["the container has no network"]);
}

#[test]
fn a_shared_network_offers_its_owners_ports() {
    let (sharer, owner) = sharing();
    assert_eq!(places(&sharer, Some(&owner)), [At::Host { port: 32_768 }]);
    // A frozen owner's network goes on.
    let paused = Container { running: Running::Paused, ..owner.clone() };
    assert_eq!(places(&sharer, Some(&paused)), [At::Host { port: 32_768 }]);
    let on_host = Container { network: Network::Host, ..owner };
    assert_eq!(places(&sharer, Some(&on_host)), [At::Host { port: 80 }]);
}

#[test]
fn a_shared_network_without_its_owner_says_so() {
    let (sharer, owner) = sharing();
    let unknown = "container 000000000001, whose network it shares, is not known";
    assert_eq!(reasons(&sharer, None), [unknown]);
    assert_eq!(reasons(&sharer, Some(&container(3, Network::Host))), [unknown]);
    let stopped = Container { running: Running::Stopped, ..owner.clone() };
    assert_eq!(
        reasons(&sharer, Some(&stopped)),
        ["container 000000000001, whose network it shares, does not run"]
    );
    let isolated = Container { network: Network::Isolated, ..owner.clone() };
    assert_eq!(
        reasons(&sharer, Some(&isolated)),
        ["container 000000000001, whose network it shares, has none"]
    );
    let chained = Container { network: sharer.network.clone(), ..owner };
    assert_eq!(
        reasons(&sharer, Some(&chained)),
        ["container 000000000001, whose network it shares, shares another's"]
    );
}

#[test]
fn a_network_whose_owner_was_started_again_leads_nowhere() {
    let (sharer, owner) = sharing();
    let again = Container { started_at: Some(at(2)), ..owner.clone() };
    let reason =
        "container 000000000001, whose network it shares, was started again since: start this one again too";
    assert_eq!(reasons(&sharer, Some(&again)), [reason]);
    let younger = Container { started_at: Some(at(3)), ..sharer.clone() };
    assert_eq!(places(&younger, Some(&again)), [At::Host { port: 32_768 }]);
    // The host's own network outlives them all.
    let on_host = Container { network: Network::Host, ..again };
    assert_eq!(places(&sharer, Some(&on_host)), [At::Host { port: 80 }]);
}

#[test]
fn a_task_with_its_own_address_offers_the_containers_port() {
    let address = Ipv4Addr::new(10, 0, 7, 9);
    let (offers, unpublished) = offers(&sharing().0, None, Some(address), HOST);
    assert_eq!(unpublished, []);
    assert_eq!(offers[0].at, At::Task { address, port: 80 });
}

#[test]
fn stopped_containers_offer_nothing_and_give_no_reason() {
    for network in [Network::Published, Network::Host, Network::Isolated] {
        let stopped = Container { running: Running::Stopped, ..container(1, network) };
        assert_eq!(offers(&stopped, None, None, HOST), (vec![], vec![]), "{stopped:?}");
    }
}

#[test]
fn one_name_at_one_place_is_one_offer() {
    let mut container = bound(Protocol::Tcp, &[([0, 0, 0, 0], 9_000)]);
    let mut again = container.services[0].clone();
    again.weight = 9;
    container.services.push(again);
    let offers = offers(&container, None, None, HOST).0;
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0].service.weight, 1);
}

#[test]
fn checks_come_from_the_container_then_its_image_then_its_protocol() {
    let http = || HttpCheck::of_path("/x");
    let cases = [
        (Check::Default, Protocol::Tcp, false, EffectiveCheck::Tcp),
        (Check::Default, Protocol::Tcp, true, EffectiveCheck::Docker),
        (Check::Default, Protocol::Udp, false, EffectiveCheck::None),
        (Check::Default, Protocol::Udp, true, EffectiveCheck::Docker),
        (Check::Tcp, Protocol::Tcp, true, EffectiveCheck::Tcp),
        (Check::None, Protocol::Tcp, true, EffectiveCheck::None),
        (Check::Docker, Protocol::Tcp, true, EffectiveCheck::Docker),
        (Check::Http(http()), Protocol::Tcp, true, EffectiveCheck::Http(http())),
        (Check::Http(http()), Protocol::Udp, false, EffectiveCheck::None),
    ];
    for (check, protocol, has_healthcheck, expected) in cases {
        let health = has_healthcheck.then_some(crate::container::Health::Starting);
        let container = Container { health, ..container(1, Network::Published) };
        let service = Service { check, protocol, ..service("_web._tcp", 80, 1) };
        assert_eq!(effective_check(&service, &container), expected, "{service:?}");
    }
}

/// One whose port 80 is published so, and asks for an address.
fn of_address(bindings: &[([u8; 4], u16)]) -> Container {
    let web = Service { answer: Answer::Address, ..service("web", 80, 1) };
    Container { services: vec![web], ..bound(Protocol::Tcp, bindings) }
}

#[test]
fn an_address_is_offered_only_where_clients_can_know_the_port() {
    let any = [0, 0, 0, 0];
    assert_eq!(places(&of_address(&[(any, 80)]), None), [At::Host { port: 80 }]);
    assert_eq!(places(&of_address(&[(any, 70), (any, 80), (any, 90)]), None), [At::Host { port: 80 }]);
    let on_host = Container { network: Network::Host, ..of_address(&[]) };
    assert_eq!(places(&on_host, None), [At::Host { port: 80 }]);
    let (offers, _) = offers(&of_address(&[]), None, Some([10, 0, 3, 9].into()), HOST);
    assert_eq!(offers[0].at, At::Task { address: [10, 0, 3, 9].into(), port: 80 });
    assert_eq!(
        reasons(&of_address(&[(any, 32_768)]), None),
        [
            "clients of an address expect port 80/tcp, and Docker publishes it at 32768: publish it at its own number, \
             or let clients read SRV (NAME)"
        ]
    );
    let shared = Container { network: Network::Shared(of_address(&[]).id), ..of_address(&[]) };
    assert_eq!(reasons(&shared, Some(&of_address(&[(any, 32_768)]))).len(), 1);
}

#[test]
fn one_name_of_two_kinds_is_two_offers() {
    let mut container = of_address(&[([0, 0, 0, 0], 80)]);
    container.services.extend([service("web", 80, 1), service("web", 80, 1)]);
    assert_eq!(offers(&container, None, None, HOST).0.len(), 2);
}
