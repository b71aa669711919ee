//! A host whose address changes while its agent runs: what hangs on it follows, once the change is certain.

use std::collections::BTreeSet;

use ecssd::container::convention::{Scope, parse};
use ecssd::machine::agent::StopPlan;
use ecssd::record::{Change, RecordType};
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::notices::ScriptedNotices;

use super::names;

/// An agent of a host that is at 10.0.0.7, and one copy with names of all kinds.
async fn serving() -> (ScriptedNotices, World) {
    let notices = ScriptedNotices::default();
    notices.set_address(Some([10, 0, 0, 7].into()));
    let world = World::start_told(&notices, StopPlan::default()).await;
    names::start(&world.docker, 1);
    world.pass(7).await;
    assert_eq!(addresses(&world), ["web 10.0.0.7", "web1 10.0.0.7"]);
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(80, 1)]));
    (notices, world)
}

/// The addresses that stand, with their names.
fn addresses(world: &World) -> Vec<String> {
    let sets = world.endpoint.sets().into_iter().filter(|set| set.kind == RecordType::A);
    sets.map(|set| format!("{} {}", set.name.trim_end_matches(&format!(".{ZONE}")), set.values[0])).collect()
}

fn shown(batch: &[Change]) -> Vec<String> {
    let mut shown: Vec<_> =
        batch.iter().map(|change| format!("{} {}", change.action, change.set.name)).collect();
    shown.sort();
    shown
}

#[tokio::test(start_paused = true)]
async fn the_records_follow_in_one_batch_once_the_change_is_certain() {
    let (notices, world) = serving().await;
    let before = world.endpoint.batches().len();
    notices.set_address(Some([10, 0, 0, 8].into()));
    world.pass(6).await;
    assert_eq!(addresses(&world), ["web 10.0.0.7", "web1 10.0.0.7"]);
    let readiness = world.readiness();
    assert!(readiness.contains("address: this host may have the address 10.0.0.8 now"), "{readiness}");
    world.pass(10).await;
    assert_eq!(addresses(&world), ["web 10.0.0.8", "web1 10.0.0.8"]);
    let batches = world.batches_since(before);
    assert_eq!(batches.len(), 1, "{batches:?}");
    let swapped = [
        "CREATE web.sd.internal",
        "CREATE web1.sd.internal",
        "DELETE web.sd.internal",
        "DELETE web1.sd.internal",
    ];
    assert_eq!(shown(&batches[0]), swapped);
    assert_eq!(world.readiness(), "ready");
    assert_eq!(
        world.records("_web._tcp"),
        BTreeSet::from([(80, 1)]),
        "who points to the host's name is not touched"
    );
    assert_eq!(world.log.lines().iter().filter(|line| line.contains("\"address_changed\"")).count(), 1);
    // What is new from now on leads there, too, and nothing is written but that.
    let other = world.docker.start(2, "_other._tcp", 81);
    let environment = ["SERVICE_81_NAME=_other._tcp", "SERVICE_81_A=other"];
    let services = parse(environment, [], &Scope::new(ZONE, "web1")).services;
    world.docker.change(&other, |it| {
        // Clients of an address expect a port at its own number.
        let ((_, protocol), bound) = it.bindings.pop_first().unwrap();
        it.bindings.insert((81, protocol), bound);
        it.services = services;
    });
    world.pass(3_600).await;
    assert_eq!(addresses(&world), ["other 10.0.0.8", "web 10.0.0.8", "web1 10.0.0.8"]);
    assert_eq!(world.batches_since(before).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_host_without_a_route_keeps_its_records_and_is_not_ready() {
    let (notices, world) = serving().await;
    let before = world.endpoint.batches().len();
    notices.set_address(None);
    world.pass(3_600).await;
    assert_eq!(world.endpoint.batches().len(), before);
    assert_eq!(addresses(&world), ["web 10.0.0.7", "web1 10.0.0.7"]);
    assert!(world.readiness().contains("address: no route out"), "{}", world.readiness());
    notices.set_address(Some([10, 0, 0, 7].into()));
    world.pass(6).await;
    assert_eq!(world.readiness(), "ready");
    assert_eq!(world.endpoint.batches().len(), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_started_again_after_that_knows_the_new_address() {
    let (notices, world) = serving().await;
    notices.set_address(Some([10, 0, 0, 8].into()));
    world.pass(20).await;
    let before = world.endpoint.batches().len();
    world.log.panic_at("event=\"registering\"", 1);
    world.docker.start(3, "_other._tcp", 32_003);
    world.pass(120).await;
    assert_eq!(world.records("_other._tcp"), BTreeSet::from([(32_003, 1)]));
    assert_eq!(world.log.panics_left(), 0);
    assert_eq!(addresses(&world), ["web 10.0.0.8", "web1 10.0.0.8"]);
    let to_host = |change: &Change| change.set.kind == RecordType::A;
    assert_eq!(world.batches_since(before).iter().flatten().filter(|change| to_host(change)).count(), 0);
}
