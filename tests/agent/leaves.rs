//! What a notice does to the records of a host, and what its silence does not.

use std::collections::BTreeSet;

use ecssd::actors::Exit;
use ecssd::machine::agent::StopPlan;
use ecssd::machine::departure::{AskError, Said, Source};
use ecssd::record::{Action, Change};
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::notices::{POLLED, ScriptedNotices};
use ecssd_testing::route53::endpoint::Endpoint;

/// A host with 20 containers, all registered.
async fn serving(notices: &ScriptedNotices) -> World {
    let world = World::start_told(notices, StopPlan::default()).await;
    for number in 1..=20 {
        world.docker.start(number, "_web._tcp", 32_000 + u16::try_from(number).unwrap());
    }
    world.pass(5).await;
    assert_eq!(weights(&world), BTreeSet::from([1]));
    world
}

fn weights(world: &World) -> BTreeSet<i64> {
    world.records("_web._tcp").into_iter().map(|(_, weight)| weight).collect()
}

/// How many changes of each batch set this weight, and how many delete.
fn shape(batches: &[Vec<Change>], weight: i64) -> Vec<(usize, usize)> {
    let of = |batch: &Vec<Change>| {
        let deletes = batch.iter().filter(|change| change.action == Action::Delete).count();
        let sets = |change: &&Change| change.action != Action::Delete && change.set.weight() == Some(weight);
        (batch.iter().filter(sets).count(), deletes)
    };
    batches.iter().map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn a_notice_with_lead_time_is_one_batch_of_weight_0_and_one_of_deletes_20_s_before_the_end() {
    let notices = ScriptedNotices::default();
    let world = serving(&notices).await;
    let before = world.endpoint.batches().len();
    notices.interrupt_in(120);
    world.pass(7).await;
    assert_eq!(shape(&world.batches_since(before), 0), [(20, 0)]);
    world.pass(92).await;
    assert_eq!(weights(&world), BTreeSet::from([0]), "nothing is deleted 21 s before the end");
    assert_eq!(world.endpoint.batches().len(), before + 1);
    world.pass(2).await;
    assert_eq!(shape(&world.batches_since(before), 0), [(20, 0), (0, 20)]);
    assert!(world.log.lines().iter().any(|line| line.contains("the host is leaving: spot interruption")));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_to_stop_meanwhile_is_deleted_then() {
    let notices = ScriptedNotices::default();
    let world = serving(&notices).await;
    let last = world.docker.start(21, "_last._tcp", 32_021);
    notices.interrupt_in(120);
    world.pass(7).await;
    assert_eq!(world.records("_last._tcp"), BTreeSet::from([(32_021, 0)]));
    world.docker.kill(&last, 15);
    world.pass(1).await;
    assert_eq!(world.records("_last._tcp"), BTreeSet::new());
    assert_eq!(world.records("_web._tcp").len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_is_called_off_restores_weights_and_records() {
    for (waits, restores) in [(30, (20, 0)), (110, (20, 0))] {
        let notices = ScriptedNotices::default();
        let world = serving(&notices).await;
        notices.interrupt_in(120);
        world.pass(waits).await;
        let before = world.endpoint.batches().len();
        notices.call_off(Source::Spot);
        world.pass(7).await;
        assert_eq!(shape(&world.batches_since(before), 1), [restores], "after {waits} s");
        assert_eq!(weights(&world), BTreeSet::from([1]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_scaled_in_keeps_its_records_at_weight_0_however_long_that_takes() {
    let notices = ScriptedNotices::default();
    let world = serving(&notices).await;
    let before = world.endpoint.batches().len();
    let ends = Said::HostEnds { what: "its scaling group takes it to Terminated".into(), at: None };
    notices.set(Source::Scaling, Ok(ends));
    world.pass(1_500).await;
    assert_eq!(shape(&world.batches_since(before), 0), [(20, 0)]);
    notices.call_off(Source::Scaling);
    world.pass(7).await;
    assert_eq!(weights(&world), BTreeSet::from([1]));
}

#[tokio::test(start_paused = true)]
async fn draining_spares_standalone_tasks() {
    let notices = ScriptedNotices::default();
    let world = World::start_told(&notices, StopPlan::default()).await;
    let of_task = |number: u32, name, task: &str| {
        let id = world.docker.start(number, name, 32_000 + u16::try_from(number).unwrap());
        world.docker.set_task(&id, task);
        id
    };
    let service = of_task(1, "_service._tcp", "task/service");
    of_task(2, "_alone._tcp", "task/alone");
    world.docker.start(3, "_plain._tcp", 32_003);
    world.pass(5).await;
    let before = world.endpoint.batches().len();
    notices.drain_tasks(&["task/service", "task/elsewhere"]);
    world.pass(40).await;
    assert_eq!(shape(&world.batches_since(before), 0), [(1, 0)]);
    assert_eq!(world.records("_service._tcp"), BTreeSet::from([(32_001, 0)]));
    assert_eq!(world.records("_alone._tcp"), BTreeSet::from([(32_002, 1)]));
    assert_eq!(world.records("_plain._tcp"), BTreeSet::from([(32_003, 1)]));
    // ECS names it no more once it stops it, and asks it to stop a while later.
    notices.drain_tasks(&["task/elsewhere"]);
    world.pass(40).await;
    assert_eq!(world.records("_service._tcp"), BTreeSet::from([(32_001, 0)]));
    world.docker.kill(&service, 15);
    world.pass(1).await;
    assert_eq!(world.records("_service._tcp"), BTreeSet::new());
    notices.call_off(Source::Cluster);
    world.pass(40).await;
    assert_eq!(shape(&world.batches_since(before), 0), [(1, 0), (0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_recommendation_is_said_and_changes_nothing() {
    let notices = ScriptedNotices::default();
    let world = serving(&notices).await;
    let before = world.endpoint.batches().len();
    notices.set(Source::Rebalance, Ok(Said::Advice("a rebalance is recommended since noon".into())));
    world.pass(600).await;
    assert_eq!(world.endpoint.batches().len(), before);
    let said = world.log.lines().iter().filter(|line| line.contains("recommended since noon")).count();
    assert_eq!(said, 1);
}

#[tokio::test(start_paused = true)]
async fn each_source_away_for_an_hour_changes_nothing_and_readiness_says_why() {
    for source in POLLED {
        let notices = ScriptedNotices::default();
        let world = serving(&notices).await;
        assert_eq!(world.readiness(), "ready");
        let (records, before) = (world.records("_web._tcp"), world.endpoint.batches().len());
        notices.set_away(source);
        world.pass(3_600).await;
        assert_eq!(
            (world.records("_web._tcp"), world.endpoint.batches().len()),
            (records, before),
            "{source}"
        );
        assert_eq!(world.readiness(), format!("not ready: notices: nothing new is heard of {source} (away)"));
        let said = world.log.lines().iter().filter(|line| line.contains("does not answer")).count();
        assert_eq!(said, 1, "{source}");
        notices.call_off(source);
        world.pass(40).await;
        assert_eq!(world.readiness(), "ready");
    }
}

#[tokio::test(start_paused = true)]
async fn a_notice_stands_while_its_source_is_away_or_hangs() {
    for hangs in [false, true] {
        let notices = ScriptedNotices::default();
        let world = serving(&notices).await;
        notices.drain_tasks(&["task/elsewhere"]);
        let ends = Said::HostEnds { what: "scaled in".into(), at: None };
        notices.set(Source::Scaling, Ok(ends));
        world.pass(40).await;
        let before = world.endpoint.batches().len();
        POLLED
            .into_iter()
            .for_each(|source| if hangs { notices.silence(source) } else { notices.set_away(source) });
        world.pass(1_000).await;
        assert_eq!((weights(&world), world.endpoint.batches().len()), (BTreeSet::from([0]), before));
        assert!(world.readiness().contains("scaling in"), "{}", world.readiness());
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_asked_is_said_once_and_breaks_nothing() {
    let notices = ScriptedNotices::default();
    notices.set(Source::Cluster, Err(AskError::Denied("ecs:DescribeContainerInstances".into())));
    let world = serving(&notices).await;
    world.pass(3_600).await;
    let said = world.log.lines().iter().filter(|line| line.contains("ecs:DescribeTasks")).count();
    assert_eq!((said, &*world.readiness()), (1, "ready"));
    notices.interrupt_in(120);
    world.pass(7).await;
    assert_eq!(weights(&world), BTreeSet::from([0]));
}

#[tokio::test(start_paused = true)]
async fn a_source_is_asked_at_its_period_and_no_more() {
    let notices = ScriptedNotices::default();
    let (hosts, fleet) = tokio::sync::watch::channel(Some(1_000));
    let endpoint = Endpoint::new(ZONE);
    let world = World::start_as(ScriptedDocker::default(), &endpoint, |dependencies| {
        dependencies.notices = Some(std::sync::Arc::new(notices.clone()));
        dependencies.fleet = fleet;
    })
    .await;
    world.pass(3_600).await;
    let asked = |source| notices.asked(source);
    assert!((700..740).contains(&asked(Source::Spot)), "{}", asked(Source::Spot));
    assert!((700..740).contains(&asked(Source::Scaling)), "{}", asked(Source::Scaling));
    assert!((115..127).contains(&asked(Source::Rebalance)), "{}", asked(Source::Rebalance));
    // Every 200 s, in a fleet of 1,000.
    assert!((17..21).contains(&asked(Source::Cluster)), "{}", asked(Source::Cluster));
    assert_eq!(asked(Source::System), 0, "only when it matters");
    drop(hosts);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_leaves_already_is_registered_at_weight_0_at_the_first_write() {
    let notices = ScriptedNotices::default();
    let mut first = serving(&notices).await;
    notices.interrupt_in(120);
    first.pass(7).await;
    first.agent.hand_over();
    assert_eq!(first.ended().await, Exit::HandedOver);
    let (docker, endpoint) = (first.docker.clone(), first.endpoint.clone());
    drop(first);
    docker.start(21, "_web._tcp", 32_021);
    let before = endpoint.batches().len();
    let second = World::start_as(docker, &endpoint, |dependencies| {
        dependencies.notices = Some(std::sync::Arc::new(notices.clone()));
    })
    .await;
    second.pass(5).await;
    assert_eq!(shape(&second.batches_since(before), 0), [(1, 0)], "only what is new is written");
    assert_eq!((weights(&second), second.records("_web._tcp").len()), (BTreeSet::from([0]), 21));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_at_the_start_holds_it_up_for_two_seconds() {
    let notices = ScriptedNotices::default();
    notices.silence(Source::Cluster);
    let docker = ScriptedDocker::default();
    docker.start(1, "_web._tcp", 32_001);
    let endpoint = Endpoint::new(ZONE);
    let world = World::start_as(docker, &endpoint, |dependencies| {
        dependencies.notices = Some(std::sync::Arc::new(notices.clone()));
    })
    .await;
    world.pass(1).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
    world.pass(2).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32_001, 1)]));
}

#[tokio::test(start_paused = true)]
async fn panics_of_those_who_hear_and_decide_lose_no_notice() {
    for words in ["this host is about to end", "event=\"weight_changed\"", "event=\"notice_withdrawn\""] {
        let notices = ScriptedNotices::default();
        let world = serving(&notices).await;
        world.log.panic_at(words, 1);
        notices.interrupt_in(120);
        world.pass(30).await;
        assert_eq!(weights(&world), BTreeSet::from([0]), "{words}");
        notices.call_off(Source::Spot);
        world.pass(30).await;
        assert_eq!(weights(&world), BTreeSet::from([1]), "{words}");
        assert_eq!(world.log.panics_left(), 0, "nobody panicked at {words}");
        let deletes = shape(&world.endpoint.batches(), 9).iter().map(|(_, deletes)| deletes).sum::<usize>();
        assert_eq!(deletes, 0, "{words}");
    }
}
