//! How an agent ends: drained, handed over, or out of time with what is left by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecssd::actors::Exit;
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedChecks;
use ecssd_testing::route53::endpoint::Endpoint;
use ecssd_testing::route53::faults::{Act, Says};

#[tokio::test(start_paused = true)]
async fn a_drain_is_one_batch() {
    let mut world = World::start().await;
    for number in 1..=50 {
        world.docker.start(number, "_web._tcp", 32000 + u16::try_from(number).unwrap());
    }
    world.pass(5).await;
    assert_eq!(world.records("_web._tcp").len(), 50);
    let before = world.endpoint.batches().len();
    world.agent.drain();
    assert_eq!(world.ended().await, Exit::Drained);
    let batches = world.endpoint.batches().split_off(before);
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [50]);
}

#[tokio::test(start_paused = true)]
async fn what_is_there_at_the_start_is_one_batch() {
    let docker = ecssd_testing::docker::scripted::ScriptedDocker::default();
    for number in 1..=50 {
        docker.start(number, "_web._tcp", 32000 + u16::try_from(number).unwrap());
    }
    let endpoint = Endpoint::new(ZONE);
    let world = World::start_with(docker, &endpoint).await;
    world.pass(5).await;
    // 50 services and the host's address.
    assert_eq!(world.endpoint.batches().iter().map(Vec::len).collect::<Vec<_>>(), [51]);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_what_is_left_is_named() {
    let mut world = World::start().await;
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    world.endpoint.otherwise(Act::Say(Says::Throttling));
    world.agent.drain();
    let Exit::LeftBehind(Some(left)) = world.ended().await else { panic!("it ended otherwise") };
    assert_eq!(left.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["_web._tcp.sd.internal"]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_out_a_throttled_zone() {
    let mut world = World::start().await;
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    world.endpoint.otherwise(Act::Say(Says::Throttling));
    world.agent.drain();
    world.pass(4).await;
    world.endpoint.otherwise(Act::Serve);
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn a_drain_during_the_first_look_withdraws_what_an_earlier_run_left() {
    let mut first = World::start().await;
    first.docker.start(1, "_web._tcp", 32001);
    first.pass(5).await;
    first.agent.hand_over();
    assert_eq!(first.ended().await, Exit::HandedOver);
    let (docker, endpoint) = (first.docker.clone(), first.endpoint.clone());
    drop(first);
    docker.set_away(true);
    let mut second = World::start_with(docker, &endpoint).await;
    assert_eq!(second.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    second.agent.drain();
    assert_eq!(second.ended().await, Exit::Drained);
    assert_eq!(second.records("_web._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn docker_away_for_an_hour_changes_nothing() {
    let world = World::start().await;
    let web = world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    let before = world.endpoint.batches().len();
    world.docker.set_away(true);
    world.pass(3600).await;
    assert_eq!(world.endpoint.batches().len(), before);
    world.docker.die(&web);
    world.docker.set_away(false);
    world.pass(2).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn what_was_started_again_while_nobody_listened_has_to_prove_itself_though_no_list_shows_it() {
    let world = World::start().await;
    let web = world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    world.docker.set_away(true);
    world.docker.restart_unheard(&web);
    world.checks.fail(32001);
    world.docker.set_away(false);
    world.pass(5).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_run_registered_of_an_earlier_life_has_no_weight() {
    let mut first = World::start().await;
    let web = first.docker.start(1, "_web._tcp", 32001);
    first.pass(5).await;
    first.agent.hand_over();
    assert_eq!(first.ended().await, Exit::HandedOver);
    let (docker, endpoint) = (first.docker.clone(), first.endpoint.clone());
    drop(first);
    docker.restart_unheard(&web);
    let checks = ScriptedChecks::default();
    checks.fail(32001);
    let second = World::start_as(docker, &endpoint, |it| it.checker = Arc::new(checks.clone())).await;
    second.pass(5).await;
    assert_eq!(second.records("_web._tcp"), BTreeSet::from([(32001, 0)]));
    checks.pass(32001);
    second.pass(20).await;
    assert_eq!(second.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_cannot_be_looked_at_keeps_its_record() {
    let mut first = World::start().await;
    let (stays, stops) =
        (first.docker.start(1, "_stays._tcp", 32001), first.docker.start(2, "_stops._tcp", 32002));
    first.docker.start(3, "_moves._tcp", 32003);
    first.pass(5).await;
    first.agent.hand_over();
    assert_eq!(first.ended().await, Exit::HandedOver);
    let (docker, endpoint) = (first.docker.clone(), first.endpoint.clone());
    drop(first);

    docker.set_blind(true);
    let second = World::start_with(docker, &endpoint).await;
    second.pass(60).await;
    assert_eq!(second.records("_stays._tcp"), BTreeSet::from([(32001, 1)]));
    // Others are not held up: one that is asked to stop goes, blind or not.
    second.docker.kill(&stops, 15);
    second.pass(1).await;
    assert_eq!(second.records("_stops._tcp"), BTreeSet::new());
    assert_eq!(second.records("_stays._tcp"), BTreeSet::from([(32001, 1)]));
    let before = second.endpoint.batches().len();
    second.docker.set_blind(false);
    second.pass(10).await;
    assert_eq!(second.records("_stays._tcp"), BTreeSet::from([(32001, 1)]));
    assert_eq!(second.records("_moves._tcp"), BTreeSet::from([(32003, 1)]));
    assert_eq!(second.endpoint.batches().len(), before, "nothing had to be written again");
    second.docker.die(&stays);
    second.pass(1).await;
    assert_eq!(second.records("_stays._tcp"), BTreeSet::new());
}
