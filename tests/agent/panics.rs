//! A panic in any actor is contained, and what it knew comes back from the others.
//!
//! Actors are made to panic at a line that they log: the only seam that the product has anyway.

use std::collections::BTreeSet;

use ecssd::actors::Exit;
use ecssd::logs;
use ecssd::record::{Action, RecordType};
use ecssd_testing::actors::World;

/// Starts an agent with a service that must never leave DNS, lets `words` panic `times` times while
/// another container comes and a third goes, and holds the zone against the truth.
async fn survives_panics_at(words: &str, times: u32) {
    let mut world = World::start().await;
    world.docker.start(1, "_stays._tcp", 32001);
    let goes = world.docker.start(2, "_goes._tcp", 32002);
    world.pass(5).await;
    assert_eq!(world.records("_stays._tcp"), BTreeSet::from([(32001, 1)]));
    assert_eq!(world.records("_goes._tcp"), BTreeSet::from([(32002, 1)]));

    world.log.panic_at(words, times);
    world.docker.start(3, "_comes._tcp", 32003);
    world.pass(1).await;
    world.docker.kill(&goes, 15);
    world.pass(1).await;
    world.docker.die(&goes);
    world.docker.set_away(true);
    world.pass(2).await;
    world.docker.set_away(false);
    world.pass(70).await;

    assert_eq!(world.log.panics_left(), 0, "nobody panicked at {words}");
    assert_eq!(world.records("_stays._tcp"), BTreeSet::from([(32001, 1)]), "{words}");
    assert_eq!(world.records("_comes._tcp"), BTreeSet::from([(32003, 1)]), "{words}");
    assert_eq!(world.records("_goes._tcp"), BTreeSet::new(), "{words}");
    let withdrawn = withdrawn(&world);
    assert_eq!(withdrawn, ["_goes._tcp.sd.internal"], "{words}");
    world.agent.drain();
    assert_eq!(world.ended().await, Exit::Drained, "{words}: {:#?}", world.log.lines());
    assert_eq!(world.records("_stays._tcp"), BTreeSet::new());
}

/// The services whose records were ever deleted.
fn withdrawn(world: &World) -> Vec<String> {
    let deleted =
        world.endpoint.batches().into_iter().flatten().filter(|change| change.action == Action::Delete);
    deleted.filter(|change| change.set.kind == RecordType::Srv).map(|change| change.set.key().name).collect()
}

#[tokio::test(start_paused = true)]
async fn of_the_watcher() {
    survives_panics_at("Docker is away", 2).await;
}

#[tokio::test(start_paused = true)]
async fn of_the_registrar_as_a_service_comes() {
    survives_panics_at("event=\"registering\"", 1).await;
}

#[tokio::test(start_paused = true)]
async fn of_the_registrar_as_a_service_goes() {
    survives_panics_at("event=\"withdrawing\"", 1).await;
}

#[tokio::test(start_paused = true)]
async fn of_the_writer_after_a_batch() {
    survives_panics_at("event=\"written\"", 1).await;
}

#[tokio::test(start_paused = true)]
async fn of_the_writer_twice() {
    survives_panics_at("event=\"written\"", 2).await;
}

#[tokio::test(start_paused = true)]
async fn of_the_resolver() {
    let mut world = World::start().await;
    world.docker.start(1, "_good._tcp", 32001);
    world.log.panic_at("is not registered", 1);
    // Its name asks for udp, and only tcp is published.
    world.docker.start(2, "_bad._udp", 32002);
    world.pass(10).await;
    assert_eq!(world.log.panics_left(), 0);
    world.docker.start(3, "_later._tcp", 32003);
    world.pass(5).await;
    assert_eq!(world.records("_good._tcp"), BTreeSet::from([(32001, 1)]));
    assert_eq!(world.records("_later._tcp"), BTreeSet::from([(32003, 1)]));
    assert!(withdrawn(&world).is_empty(), "{:?}", withdrawn(&world));
    world.agent.drain();
    assert_eq!(world.ended().await, Exit::Drained);
}

#[tokio::test(start_paused = true)]
async fn of_a_prober() {
    let world = World::start().await;
    world.docker.start(1, "_sick._tcp", 32001);
    world.pass(5).await;
    world.log.panic_at("its check fails", 1);
    world.checks.fail(32001);
    // The verdict was lost with the prober; its successor comes to it by itself.
    world.pass(30).await;
    assert_eq!(world.log.panics_left(), 0);
    assert_eq!(world.records("_sick._tcp"), BTreeSet::from([(32001, 0)]));
    assert!(withdrawn(&world).is_empty(), "{:?}", withdrawn(&world));
}

#[tokio::test(start_paused = true)]
async fn of_the_registrar_while_it_drains() {
    let mut world = World::start().await;
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    world.log.panic_at("event=\"withdrawing\"", 1);
    world.agent.drain();
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!(world.log.panics_left(), 0);
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn more_than_five_in_a_minute_end_the_agent_and_leave_the_records() {
    let mut world = World::start().await;
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    world.log.panic_at("event=\"registering\"", 100);
    for number in 2..20 {
        world.docker.start(number, "_more._tcp", 32000 + u16::try_from(number).unwrap());
        world.pass(1).await;
    }
    assert_eq!(world.ended().await, Exit::GaveUp);
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
}

#[tokio::test(start_paused = true)]
async fn of_a_check_is_a_failed_check_and_a_log_line() {
    std::panic::set_hook(Box::new(logs::log_panic));
    let world = World::start().await;
    world.checks.set_panicking(true);
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
    let lines = world.log.lines();
    let panic = lines.iter().find(|line| line.contains("event=\"panic\"")).expect("a line of the panic");
    assert!(panic.contains("a check was told to panic") && panic.contains("scripted.rs:"), "{panic}");
    world.checks.set_panicking(false);
    world.pass(10).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
}
