//! Answers of a real engine, as recorded, and what no engine would say.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::container::convention::Check;
use crate::container::offer::{At, offers};

fn recorded(name: &str) -> serde_json::Value {
    let path = format!("{}/tests/fixtures/inspect/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn fixture(name: &str) -> ContainerInspectResponse {
    serde_json::from_value(recorded(name)).unwrap()
}

fn scope() -> Scope {
    Scope::new("servicediscovery.internal", "i-0123456789abcdef0")
}

fn seen(name: &str) -> Container {
    read(&fixture(name), &scope()).unwrap()
}

fn binding(address: [u8; 4], port: u16) -> Binding {
    Binding { address: address.into(), port }
}

const ALL: [u8; 4] = [0, 0, 0, 0];

#[test]
fn bridge_with_a_random_port() {
    let container = seen("bridge-random-port");
    assert_eq!(container.id.short(), "afc080ea2e53");
    assert_eq!(container.name, "random");
    assert_eq!(container.started_at, Timestamp::from_docker("2026-11-23T20:55:58.192688305Z").unwrap());
    assert_eq!((container.running, container.health), (Running::Running, None));
    assert!(!container.lived_before && seen("exited").lived_before);
    assert_eq!(container.stop_signal, 15);
    assert_eq!(container.network, Network::Published);
    assert_eq!(container.bindings, BTreeMap::from([((80, Protocol::Tcp), vec![binding(ALL, 32_768)])]));
    assert_eq!(container.bound_ipv6, BTreeSet::from([(80, Protocol::Tcp)]));
    assert_eq!(container.services[0].name.as_str(), "_web._tcp.servicediscovery.internal");
    assert_eq!((container.bad_keys.len(), container.ignored, container.task_arn), (0, false, None));
}

#[test]
fn bridge_with_several_bindings() {
    let bindings = seen("bridge-several-bindings").bindings;
    let expected = BTreeMap::from([
        ((80, Protocol::Tcp), vec![binding(ALL, 19_091), binding([127, 0, 0, 1], 19_090)]),
        ((80, Protocol::Udp), vec![binding(ALL, 32_768)]),
        ((81, Protocol::Tcp), vec![]),
    ]);
    assert_eq!(bindings, expected);
}

#[test]
fn networks() {
    assert_eq!(seen("host-network").network, Network::Host);
    assert_eq!(seen("no-network").network, Network::Isolated);
    assert_eq!(seen("user-defined-network").network, Network::Published);
    // It was started with the owner's name; Docker keeps the id.
    assert_eq!(seen("shared-network").network, Network::Shared(seen("bridge-random-port").id));
}

#[test]
fn ipv6_bindings_are_seen_and_not_kept() {
    for name in ["ipv6-only", "loopback-ipv6"] {
        let container = seen(name);
        assert_eq!(container.bindings, BTreeMap::from([((80, Protocol::Tcp), vec![])]), "{name}");
        assert_eq!(container.bound_ipv6, BTreeSet::from([(80, Protocol::Tcp)]), "{name}");
    }
}

#[test]
fn healthcheck_stop_signal_and_task_by_labels() {
    let container = seen("healthcheck");
    assert_eq!(container.health, Some(Health::Healthy));
    assert_eq!(container.stop_signal, 3);
    assert_eq!(container.services[0].container_port, 80);
    let task = "arn:aws:ecs:eu-central-1:123456789012:task/demo/0123456789abcdef0123456789abcdef";
    assert_eq!(container.task_arn.as_deref(), Some(task));
}

#[test]
fn a_healthcheck_whose_last_result_is_older_than_three_intervals_is_frozen() {
    let mut inspect = fixture("healthcheck");
    let nanos = |seconds: i64| Some(seconds * 1_000_000_000);
    let check = inspect.config.as_mut().unwrap().healthcheck.as_mut().unwrap();
    (check.interval, check.timeout) = (nanos(10), nanos(5));
    let health = inspect.state.as_mut().unwrap().health.as_mut().unwrap();
    let last = health.log.as_mut().unwrap().last_mut().unwrap();
    last.end = Some("2026-11-24T10:00:00.5Z".to_owned());
    let ended = Timestamp::from_docker("2026-11-24T10:00:00.5Z").unwrap().unwrap();
    let ended = SystemTime::UNIX_EPOCH + Duration::from_nanos(ended.unix_nanos().try_into().unwrap());
    let after = |inspect: &_, seconds| is_frozen(inspect, ended + Duration::from_secs(seconds));
    assert!(!after(&inspect, 35) && after(&inspect, 36));

    let mut paused = inspect.clone();
    paused.state.as_mut().unwrap().paused = Some(true);
    assert!(!after(&paused, 1_000), "what is paused is not checked");
    assert!(!is_frozen(&fixture("bridge-random-port"), ended + Duration::from_secs(1_000)));

    let check = inspect.config.as_mut().unwrap().healthcheck.as_mut().unwrap();
    (check.interval, check.timeout) = (Some(0), None);
    assert!(!after(&inspect, 120) && after(&inspect, 121), "Docker's defaults");

    let state = inspect.state.as_mut().unwrap();
    state.health.as_mut().unwrap().log = Some(Vec::new());
    state.started_at = Some("2026-11-24T10:01:00.5Z".to_owned());
    assert!(!after(&inspect, 180) && after(&inspect, 181), "it has never run");
}

#[test]
fn what_was_to_be_published_and_is_not_is_told_from_what_was_not() {
    assert_eq!(seen("bridge-random-port").unpublished, BTreeSet::new());
    assert_eq!(seen("ipv6-only").unpublished, BTreeSet::new());
    let mut inspect = fixture("bridge-random-port");
    // As of a network of macvlan or ipvlan.
    inspect.network_settings.as_mut().unwrap().ports = Some([].into());
    let container = read(&inspect, &scope()).unwrap();
    assert_eq!(container.unpublished, [(80, Protocol::Tcp)].into());
    assert!(!container.in_ingress);
    let networks = inspect.network_settings.as_mut().unwrap().networks.as_mut().unwrap();
    networks.insert("ingress".to_owned(), bollard::models::EndpointSettings::default());
    assert!(read(&inspect, &scope()).unwrap().in_ingress);
}

#[test]
fn a_label_that_is_no_arn_is_no_task() {
    let mut inspect = fixture("healthcheck");
    for label in ["", "task", "arn:aws:ecs\nfake log line", &format!("arn:{}", "x".repeat(3_000))] {
        let labels = inspect.config.as_mut().unwrap().labels.as_mut().unwrap();
        labels.insert(TASK_ARN_LABEL.to_owned(), label.to_owned());
        assert_eq!(read(&inspect, &scope()).unwrap().task_arn, None, "{label:?}");
    }
}

#[test]
fn what_it_was_started_from_is_its_task_family_else_its_image() {
    let mut inspect = fixture("healthcheck");
    let config = inspect.config.as_mut().unwrap();
    config.image = Some("calc:7".to_owned());
    config.labels.as_mut().unwrap().remove(TASK_FAMILY_LABEL);
    assert_eq!(read(&inspect, &scope()).unwrap().family, Some(Family::Image("calc:7".to_owned())));
    let labels = inspect.config.as_mut().unwrap().labels.as_mut().unwrap();
    labels.insert(TASK_FAMILY_LABEL.to_owned(), "calc".to_owned());
    assert_eq!(read(&inspect, &scope()).unwrap().family, Some(Family::Task("calc".to_owned())));
}

#[test]
fn states_in_which_it_cannot_serve() {
    assert_eq!(seen("paused").running, Running::Paused);
    let exited = seen("exited");
    assert_eq!((exited.running, exited.bindings.len()), (Running::Stopped, 0));
    assert!(exited.started_at.is_some());
    let created = seen("created");
    assert_eq!((created.running, created.started_at), (Running::Stopped, None));
    let mut restarting = fixture("bridge-random-port");
    restarting.state.as_mut().unwrap().restarting = Some(true);
    assert_eq!(read(&restarting, &scope()).unwrap().running, Running::Stopped);
}

#[test]
fn check_docker_without_healthcheck_is_reported_and_falls_back() {
    let mut inspect = fixture("bridge-random-port");
    let env = ["SERVICE_80_NAME=_web._tcp,calc", "SERVICE_80_CHECK=docker"].map(str::to_owned).to_vec();
    inspect.config.as_mut().unwrap().env = Some(env.clone());
    let container = read(&inspect, &scope()).unwrap();
    let lines: Vec<String> = container.bad_keys.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["SERVICE_80_CHECK: docker needs a HEALTHCHECK, and the image has none"]);
    assert!(container.services.iter().all(|service| service.check == Check::Default));

    let mut inspect = fixture("healthcheck");
    inspect.config.as_mut().unwrap().env = Some(env);
    let container = read(&inspect, &scope()).unwrap();
    assert_eq!(container.bad_keys, []);
    assert!(container.services.iter().all(|service| service.check == Check::Docker));
}

#[test]
fn a_healthcheck_counts_before_its_state_is_there_and_none_is_none() {
    let mut inspect = fixture("healthcheck");
    inspect.state.as_mut().unwrap().health = None;
    assert_eq!(read(&inspect, &scope()).unwrap().health, Some(Health::Starting));
    let check = inspect.config.as_mut().unwrap().healthcheck.as_mut().unwrap();
    check.test = Some(vec!["NONE".to_owned()]);
    assert_eq!(read(&inspect, &scope()).unwrap().health, None);
}

#[test]
fn an_answer_of_nobody_or_no_time_is_an_error() {
    let error = read(&ContainerInspectResponse::default(), &scope()).unwrap_err();
    assert!(matches!(error, InspectError::Id(_)), "{error}");
    let mut inspect = fixture("exited");
    inspect.state.as_mut().unwrap().started_at = Some("canary".to_owned());
    let error = read(&inspect, &scope()).unwrap_err();
    assert!(
        matches!(error, InspectError::StartedAt { .. }) && !error.to_string().contains("canary"),
        "{error}"
    );
    let mut inspect = fixture("exited");
    inspect.host_config.as_mut().unwrap().network_mode = Some("container:web".to_owned());
    let error = read(&inspect, &scope()).unwrap_err();
    assert!(matches!(error, InspectError::NetworkOwner { .. }), "{error}");
}

#[test]
fn debug_shows_nothing_of_the_environment() {
    let inspect = fixture("bridge-random-port");
    assert!(format!("{inspect:?}").contains("canary-environment"));
    let container = read(&inspect, &scope()).unwrap();
    assert!(!format!("{container:?}").contains("canary"));
}

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

/// Each service of a container: its transport and where it is offered, or why it is not.
fn published(container: &Container, owner: Option<&Container>) -> Vec<Result<(Protocol, At), String>> {
    let (offers, unpublished) = offers(container, owner, None, HOST);
    let offered = offers.into_iter().map(|offer| Ok((offer.service.protocol, offer.at)));
    offered.chain(unpublished.into_iter().map(|service| Err(service.reason.to_string()))).collect()
}

#[test]
fn a_recorded_container_is_offered_where_clients_reach_it() {
    let tcp = |port| Ok((Protocol::Tcp, At::Host { port }));
    let not = |reason: &str| Err(reason.to_owned());
    let several = vec![
        tcp(19_091),
        Ok((Protocol::Udp, At::Host { port: 32_768 })),
        not("Docker publishes no host port for 81/tcp, it only exposes it (it does for 80/tcp, 80/udp)"),
    ];
    for (name, expected) in [
        ("bridge-random-port", vec![tcp(32_768)]),
        ("bridge-several-bindings", several),
        ("user-defined-network", vec![tcp(18_081)]),
        ("host-network", vec![tcp(8_080)]),
        ("no-network", vec![not("the container has no network")]),
        ("ipv6-only", vec![not("Docker publishes 80/tcp on IPv6 only, and records lead to IPv4")]),
        ("loopback-ipv6", vec![not("Docker publishes 80/tcp on IPv6 only, and records lead to IPv4")]),
        ("paused", vec![tcp(32_770)]),
        ("exited", vec![]),
        ("created", vec![]),
    ] {
        assert_eq!(published(&seen(name), None), expected, "{name}");
    }
    let owner = seen("bridge-random-port");
    assert_eq!(published(&seen("shared-network"), Some(&owner)), [tcp(32_768)]);
}

/// Any JSON, made of Docker's own keys so that it reaches the fields.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(running|paused|exited|healthy|none|host|container:[0-9a-f]{64}|[0-9a-f]{64})".prop_map(Value::from),
        "(0\\.0\\.0\\.0|::|127\\.0\\.0\\.1|[0-9]{1,6}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,12}Z)"
            .prop_map(Value::from),
        "SERVICE_[0-9]{1,5}_[A-Z_]{1,9}=.{0,12}".prop_map(Value::from),
    ];
    let key = "(Id|Name|State|Status|Running|StartedAt|Health|Config|Env|Labels|StopSignal|StopTimeout|HostConfig\
               |NetworkMode|NetworkSettings|Ports|HostIp|HostPort|[0-9]{1,5}/(tcp|udp|sctp)|.{0,6})";
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_without_panic(json in json()) {
        if let Ok(inspect) = serde_json::from_value::<ContainerInspectResponse>(json) {
            let _ = read(&inspect, &scope());
        }
    }

    /// A real answer with one part replaced, which reaches deeper than JSON from nothing.
    #[test]
    fn a_real_answer_with_a_broken_part_is_read_without_panic(
        part in prop::sample::select(vec![
            "/Id", "/Name", "/State", "/State/Status", "/State/StartedAt", "/State/Health", "/Config",
            "/Config/Env", "/Config/Labels", "/Config/StopSignal", "/Config/StopTimeout",
            "/HostConfig/NetworkMode", "/NetworkSettings/Ports", "/NetworkSettings/Ports/80~1tcp",
            "/NetworkSettings/Ports/80~1tcp/0/HostPort", "/NetworkSettings/Ports/80~1tcp/0/HostIp",
        ]),
        broken in json(),
    ) {
        let mut whole = recorded("healthcheck");
        *whole.pointer_mut(part).unwrap() = broken;
        if let Ok(inspect) = serde_json::from_value::<ContainerInspectResponse>(whole) {
            let _ = read(&inspect, &scope());
        }
    }
}
