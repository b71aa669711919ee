//! From a container's start to its record in the zone, and out again.

use ecssd::record::{RecordSet, RecordType, Routing};
use ecssd_testing::wait::service;
use ecssd_testing::world::{OWNER, World};

#[test]
fn a_service_and_its_host_are_written_to_the_letter() {
    let world = World::new("exact");
    let (plain, set) = (service("plain"), service("set"));
    let web = world.web(&plain, &[]);
    let options = ["-e", "SERVICE_80_WEIGHT=7", "-e", "SERVICE_80_TTL=5"];
    let other = world.web(&set, &options);
    let mut agent = world.agent(&[]);
    let (port, other_port) = (web.host_port("80/tcp"), other.host_port("80/tcp"));
    world.registered(&agent, &plain, port);
    world.registered(&agent, &set, other_port);
    let host = RecordSet {
        name: world.zone.full(OWNER),
        kind: RecordType::A,
        set_identifier: Some(OWNER.into()),
        routing: Routing::Weighted(1),
        ttl: 60,
        values: vec![world.engine.bridge_address().to_string()],
    };
    let srv = |name: &str, id: &str, port: u16, weight, ttl| RecordSet {
        name: world.zone.full(name),
        kind: RecordType::Srv,
        set_identifier: Some(format!("{OWNER}:{id}:80")),
        routing: Routing::Weighted(weight),
        ttl,
        values: vec![format!("1 1 {port} {}", world.zone.full(OWNER))],
    };
    let mut expected =
        vec![host.clone(), srv(&plain, &web.id, port, 1, 0), srv(&set, &other.id, other_port, 7, 5)];
    let mut found = world.zone.sets();
    expected.sort_by_key(RecordSet::key);
    found.sort_by_key(RecordSet::key);
    assert_eq!(found, expected);
    other.docker(&["stop", "-t", "0"]);
    world.gone(&agent, &set);
    assert_eq!(agent.drain(), Some(0));
    assert!(agent.said("safe to stop") == 1);
    assert_eq!(world.zone.sets(), [host]);
}
