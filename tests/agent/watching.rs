//! How an agent watches an engine that does not let itself be watched: what it asks then, and what it says.

use std::collections::BTreeSet;

use ecssd_testing::actors::World;

const CONTAINERS: u32 = 101;
/// A name has no more than 100 records.
const NAMES: [&str; 2] = ["_web._tcp", "_api._tcp"];

fn registered(world: &World) -> usize {
    NAMES.iter().map(|name| world.records(name).len()).sum()
}

#[tokio::test(start_paused = true)]
async fn streams_that_end_at_once_cost_few_inspects_and_what_changes_is_seen_all_the_same() {
    let world = World::start().await;
    let port = |number: u32| 32_000 + u16::try_from(number).unwrap();
    let start = |n: u32| world.docker.start(n + 1, NAMES[usize::from(n > 50)], port(n));
    let all: Vec<_> = (0..CONTAINERS).map(start).collect();
    world.pass(70).await;
    assert_eq!(registered(&world), all.len());
    let before = world.docker.asked();
    world.docker.set_hanging_up(true);
    world.pass(60).await;
    let after = world.docker.asked();
    let (inspects, streams) = (after.0 - before.0, after.1 - before.1);
    println!("{inspects} inspects in 60 s and {streams} streams");
    assert!(streams > 30, "no more than {streams} streams");
    // All of them at the first gap, and after 5, 10, 20 and 40 s.
    assert!(inspects <= 5 * all.len(), "{inspects} inspects");
    // What begins and ends meanwhile is seen by lists, and what began again by what the engine remembers.
    let late = world.docker.start(200, "_late._tcp", 40_000);
    world.docker.die(&all[0]);
    world.pass(5).await;
    assert_eq!(world.records("_late._tcp"), BTreeSet::from([(40_000, 1)]));
    assert_eq!(registered(&world), all.len() - 1);
    world.docker.die(&late);
    world.docker.start_again(&late, 40_001);
    world.pass(5).await;
    assert_eq!(world.records("_late._tcp"), BTreeSet::from([(40_001, 1)]));
    let asked = world.docker.asked().0 - after.0;
    assert!(asked < 2 * all.len(), "{asked} inspects for three containers that changed");
    world.docker.set_hanging_up(false);
    world.pass(10).await;
    assert_eq!(world.readiness(), "ready");
}

#[tokio::test(start_paused = true)]
async fn readiness_gives_the_latest_reason_why_docker_is_away() {
    let world = World::start().await;
    world.pass(5).await;
    assert_eq!(world.readiness(), "ready");
    for reason in ["no such socket", "permission denied", "no such socket"] {
        world.docker.set_away_for(Some(reason));
        world.pass(5).await;
        assert!(world.readiness().contains(reason), "{}", world.readiness());
    }
    world.docker.set_away(false);
    world.pass(5).await;
    assert_eq!(world.readiness(), "ready");
}
