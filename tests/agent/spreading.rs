//! A registry that takes its time to spread a change: who is told to have ended before that, and what asking costs.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::record::ContainerId;
use ecssd::zone::embedded::Options;
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::Endpoint;
use ecssd_testing::route53::faults::{Act, Says};
use ecssd_testing::route53::wire::Asked;
use tokio::time::Instant;

const TERM: u8 = 15;
const KILL: u8 = 9;
/// How long a change takes to reach every name server.
const SPREAD: Duration = Duration::from_secs(40);

/// An agent whose containers have been registered everywhere for long.
async fn world(containers: u32) -> (World, Vec<ContainerId>) {
    let docker = ScriptedDocker::default();
    let start = |number| docker.start(number, "_web._tcp", 32_000 + u16::try_from(number).unwrap());
    let ids = (0..containers).map(start).collect();
    let endpoint = Endpoint::with(ZONE, Options { insync_after: SPREAD, ..Options::default() });
    let world = World::start_with(docker, &endpoint).await;
    world.pass(400).await;
    assert_eq!(world.registered(), usize::try_from(containers).unwrap());
    (world, ids)
}

/// The lines that tell of a container that ended too early.
fn told(world: &World) -> Vec<String> {
    world.log.lines().into_iter().filter(|line| line.contains("ended_before_spread")).collect()
}

/// When changes were asked after.
fn questions(world: &World) -> Vec<Instant> {
    let history = world.endpoint.history();
    history
        .iter()
        .filter(|request| matches!(request.asked, Asked::Status(_)))
        .map(|request| request.at)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn those_that_ended_early_are_told_and_no_others() {
    let (world, ids) = world(6).await;
    let before = questions(&world).len();
    // Two end within seconds of their stop signal, of which one is killed in the end; one serves on for a minute.
    for early in &ids[..2] {
        world.docker.kill(early, TERM);
    }
    world.docker.kill(&ids[2], TERM);
    world.pass(10).await;
    world.docker.die(&ids[0]);
    world.docker.kill(&ids[1], KILL);
    world.docker.die(&ids[1]);
    // Nobody asked these to stop: one is killed outright, one ends by itself.
    world.docker.kill(&ids[3], KILL);
    world.docker.die(&ids[3]);
    world.docker.die(&ids[4]);
    world.pass(50).await;
    world.docker.die(&ids[2]);
    world.pass(400).await;
    let lines = told(&world);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    // 30 s were missing. Each has a change of its own, and one of them is asked after every 5 s.
    for (name, seconds) in [("c0", 30), ("c1", 35)] {
        let says = format!("name=\"{name}\" services=\"_web._tcp.sd.internal\" served=10 seconds={seconds}");
        assert!(lines.iter().any(|line| line.contains(&says)), "{lines:#?}");
    }
    let asked = questions(&world);
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(5)), "{asked:?}");
    // 8 of the two, until they are everywhere, and one of the third.
    assert_eq!(asked.len() - before, 9);
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_for_whatever_else_is_to_be_done() {
    let (world, ids) = world(3).await;
    world.endpoint.otherwise(Act::Say(Says::Throttling));
    world.docker.kill(&ids[0], TERM);
    world.docker.die(&ids[0]);
    world.pass(60).await;
    assert_eq!(told(&world), Vec::<String>::new());
    world.endpoint.otherwise(Act::Serve);
    world.pass(120).await;
    let lines = told(&world);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    // What a container lacks is counted from its end, whenever the delete went.
    let missing = lines[0].split("seconds=").nth(1).and_then(|rest| rest.split(' ').next());
    let missing: u64 = missing.unwrap().parse().unwrap();
    assert!((100..=140).contains(&missing), "{missing}: {lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_asked_is_said_once_and_holds_nothing_up() {
    let (world, ids) = world(8).await;
    world.endpoint.deny_questions();
    for id in &ids[..6] {
        world.docker.kill(id, TERM);
        world.docker.die(id);
        world.pass(30).await;
    }
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32_006, 1), (32_007, 1)]));
    assert_eq!(told(&world), Vec::<String>::new());
    let said = world.log.lines().into_iter().filter(|line| line.contains("changes_unconfirmable")).count();
    assert_eq!((said, world.readiness().as_str()), (1, "ready"));
}
