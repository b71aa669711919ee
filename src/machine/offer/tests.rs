use super::*;
use crate::machine::container::Binding;
use crate::machine::service::Scope;

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

fn fixture(name: &str) -> Container {
    let path = format!("{}/tests/fixtures/inspect/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let inspect = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Container::from_inspect(&inspect, &Scope::new("servicediscovery.internal", "web1")).unwrap()
}

/// The bridge fixture, which asks for `_web._tcp` on port 80, with other bindings.
fn bound(protocol: Protocol, bindings: &[([u8; 4], u16)]) -> Container {
    let mut container = fixture("bridge-random-port");
    let bindings =
        bindings.iter().map(|&(address, port)| Binding { address: address.into(), port }).collect();
    container.bindings = [((80, protocol), bindings)].into();
    container.bound_ipv6.clear();
    container
}

fn places(container: &Container, owner: Option<&Container>) -> Vec<At> {
    let (offers, unpublished) = offers(container, owner, None, HOST);
    assert_eq!(unpublished, []);
    offers.into_iter().map(|offer| offer.at).collect()
}

fn reasons(container: &Container, owner: Option<&Container>) -> Vec<String> {
    let (offers, unpublished) = offers(container, owner, None, HOST);
    assert_eq!(offers, []);
    unpublished.into_iter().map(|service| service.reason).collect()
}

#[test]
fn bridge_ports_are_offered_at_the_host() {
    assert_eq!(places(&fixture("bridge-random-port"), None), [At::Host { port: 32_768 }]);
    assert_eq!(places(&fixture("user-defined-network"), None), [At::Host { port: 18_081 }]);
    assert_eq!(places(&fixture("paused"), None), [At::Host { port: 32_770 }]);
}

#[test]
fn one_number_under_tcp_and_udp_is_two_places_and_loopback_none() {
    let (offers, unpublished) = offers(&fixture("bridge-several-bindings"), None, None, HOST);
    let places: Vec<(Protocol, At)> = offers.iter().map(|offer| (offer.service.protocol, offer.at)).collect();
    assert_eq!(
        places,
        [(Protocol::Tcp, At::Host { port: 19_091 }), (Protocol::Udp, At::Host { port: 32_768 })]
    );
    let [admin] = &unpublished[..] else { panic!("{unpublished:?}") };
    assert_eq!((admin.service.as_str(), admin.container_port), ("_admin._tcp.servicediscovery.internal", 81));
    assert_eq!(admin.reason, "port 81/tcp is exposed, but not published; published: 80/tcp, 80/udp");
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
        ["port 80/tcp is published at 10.0.0.9 only, and this host at 10.0.0.5"]
    );
    let loopback = bound(Protocol::Tcp, &[([127, 0, 0, 53], 9_000)]);
    assert_eq!(reasons(&loopback, None), ["port 80/tcp is published on loopback only"]);
    let own_loopback = offers(&loopback, None, None, Ipv4Addr::new(127, 0, 0, 53));
    assert_eq!((own_loopback.0.len(), own_loopback.1.len()), (0, 1));
    assert_eq!(reasons(&fixture("ipv6-only"), None), ["port 80/tcp is published on IPv6 only; IPv4 for now"]);
    assert_eq!(
        reasons(&fixture("loopback-ipv6"), None),
        ["port 80/tcp is published on IPv6 only; IPv4 for now"]
    );
}

#[test]
fn ports_that_are_not_published_say_what_is() {
    let udp_only = bound(Protocol::Udp, &[([0, 0, 0, 0], 9_000)]);
    assert_eq!(reasons(&udp_only, None), ["port 80/tcp is not published; published: 80/udp"]);
    assert_eq!(reasons(&bound(Protocol::Tcp, &[]), None), ["port 80/tcp is exposed, but not published"]);
    assert_eq!(reasons(&bound(Protocol::Udp, &[]), None), ["port 80/tcp is not published"]);
    let mut range = bound(Protocol::Udp, &[]);
    range.bindings = (1_000..2_000)
        .map(|port| ((port, Protocol::Udp), vec![Binding { address: Ipv4Addr::UNSPECIFIED, port }]))
        .collect();
    let ports = "1000/udp, 1001/udp, 1002/udp, 1003/udp, 1004/udp, 1005/udp, 1006/udp, 1007/udp";
    assert_eq!(
        reasons(&range, None),
        [format!("port 80/tcp is not published; published: {ports} and 992 more")]
    );
}

#[test]
fn host_network_offers_the_port_itself_and_no_network_none() {
    assert_eq!(places(&fixture("host-network"), None), [At::Host { port: 8_080 }]);
    assert_eq!(reasons(&fixture("no-network"), None), ["the container has no network"]);
}

#[test]
fn a_shared_network_offers_its_owners_ports() {
    let sharer = fixture("shared-network");
    let owner = fixture("bridge-random-port");
    assert_eq!(places(&sharer, Some(&owner)), [At::Host { port: 32_768 }]);
    // A frozen owner's network goes on.
    let paused = Container { running: Running::Paused, ..owner.clone() };
    assert_eq!(places(&sharer, Some(&paused)), [At::Host { port: 32_768 }]);
    let on_host = Container { network: Network::Host, ..owner };
    assert_eq!(places(&sharer, Some(&on_host)), [At::Host { port: 80 }]);
}

#[test]
fn a_shared_network_without_its_owner_says_so() {
    let sharer = fixture("shared-network");
    let owner = fixture("bridge-random-port");
    let unknown = "container afc080ea2e53, whose network it shares, is not known";
    assert_eq!(reasons(&sharer, None), [unknown]);
    assert_eq!(reasons(&sharer, Some(&fixture("paused"))), [unknown]);
    let stopped = Container { running: Running::Stopped, ..owner.clone() };
    assert_eq!(
        reasons(&sharer, Some(&stopped)),
        ["container afc080ea2e53, whose network it shares, does not run"]
    );
    let isolated = Container { network: Network::Isolated, ..owner.clone() };
    assert_eq!(
        reasons(&sharer, Some(&isolated)),
        ["container afc080ea2e53, whose network it shares, has none"]
    );
    let chained = Container { network: sharer.network.clone(), ..owner };
    assert_eq!(
        reasons(&sharer, Some(&chained)),
        ["container afc080ea2e53, whose network it shares, shares another's"]
    );
}

#[test]
fn a_task_with_its_own_address_offers_the_containers_port() {
    let address = Ipv4Addr::new(10, 0, 7, 9);
    let (offers, unpublished) = offers(&fixture("shared-network"), None, Some(address), HOST);
    assert_eq!(unpublished, []);
    assert_eq!(offers[0].at, At::Task { address, port: 80 });
}

#[test]
fn stopped_containers_offer_nothing_and_give_no_reason() {
    for name in ["exited", "created"] {
        assert_eq!(offers(&fixture(name), None, None, HOST), (vec![], vec![]), "{name}");
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
    let path = || "/x".to_owned();
    let cases = [
        (Check::Default, Protocol::Tcp, false, EffectiveCheck::Tcp),
        (Check::Default, Protocol::Tcp, true, EffectiveCheck::Docker),
        (Check::Default, Protocol::Udp, false, EffectiveCheck::None),
        (Check::Default, Protocol::Udp, true, EffectiveCheck::Docker),
        (Check::Tcp, Protocol::Tcp, true, EffectiveCheck::Tcp),
        (Check::None, Protocol::Tcp, true, EffectiveCheck::None),
        (Check::Docker, Protocol::Tcp, true, EffectiveCheck::Docker),
        (Check::Http { path: path() }, Protocol::Tcp, true, EffectiveCheck::Http { path: path() }),
        (Check::Http { path: path() }, Protocol::Udp, false, EffectiveCheck::None),
    ];
    for (check, protocol, has_healthcheck, expected) in cases {
        assert_eq!(effective_check(&check, protocol, has_healthcheck), expected, "{check:?} {protocol}");
    }
}
