//! What SIGTERM does: as `--on-term` says, with its delay, its confirmation, and whatever goes on meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::actors::Exit;
use ecssd::machine::agent::{OnTerm, StopPlan};
use ecssd::machine::departure::{Said, Source};
use ecssd::record::{Action, Change, RecordType};
use ecssd::zone::embedded::Options;
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::notices::ScriptedNotices;
use ecssd_testing::route53::endpoint::Endpoint;
use ecssd_testing::route53::faults::{Act, Says};
use tokio::time::Instant;

fn plan(on_term: OnTerm) -> StopPlan {
    StopPlan { on_term, ..StopPlan::default() }
}

fn delayed(seconds: u64) -> StopPlan {
    StopPlan { delay: Duration::from_secs(seconds), ..StopPlan::default() }
}

async fn planned(docker: ScriptedDocker, options: Options, plan: StopPlan) -> World {
    let endpoint = Endpoint::with(ZONE, options);
    World::start_as(docker, &endpoint, |dependencies| dependencies.stop = plan).await
}

/// A host with so many containers, all registered.
async fn serving(containers: u16, options: Options, plan: StopPlan) -> World {
    let docker = ScriptedDocker::default();
    for number in 1..=containers {
        docker.start(number.into(), &format!("_web{}._tcp", number / 100), 32_000 + number);
    }
    let world = planned(docker, options, plan).await;
    world.pass(5).await;
    assert_eq!(world.readiness(), "ready");
    world
}

fn deletes(batches: &[Vec<Change>]) -> Vec<usize> {
    let of = |batch: &Vec<Change>| batch.iter().filter(|change| change.action == Action::Delete).count();
    batches.iter().map(of).collect()
}

// === --on-term ===

#[tokio::test(start_paused = true)]
async fn auto_drains_when_the_host_or_its_system_goes_and_else_hands_over() {
    let ends = || Ok(Said::HostEnds { what: "it ends".into(), at: None });
    for (source, drains) in [
        (Some(Source::Scaling), true),
        (Some(Source::System), true),
        (Some(Source::Cluster), false),
        (None, false),
    ] {
        let notices = ScriptedNotices::default();
        let mut world = World::start_told(&notices, plan(OnTerm::Auto)).await;
        world.docker.start(1, "_web._tcp", 32_001);
        world.pass(5).await;
        match source {
            // Its standalone tasks go on, and the host with them.
            Some(Source::Cluster) => notices.drain_tasks(&["task/service"]),
            Some(source) => notices.set(source, ends()),
            None => {}
        }
        world.pass(40).await;
        world.agent.stop();
        let exit = if drains { Exit::Drained } else { Exit::HandedOver };
        assert_eq!(world.ended().await, exit, "{source:?}");
        assert_eq!(world.records("_web._tcp").is_empty(), drains, "{source:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn auto_hands_over_when_nobody_can_tell_in_two_seconds() {
    let notices = ScriptedNotices::default();
    notices.silence(Source::System);
    let mut world = World::start_told(&notices, plan(OnTerm::Auto)).await;
    world.docker.start(1, "_web._tcp", 32_001);
    world.pass(5).await;
    let began = Instant::now();
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::HandedOver);
    assert_eq!(began.elapsed().as_secs(), 2);
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32_001, 1)]));
}

#[tokio::test(start_paused = true)]
async fn hand_over_leaves_the_records_and_drain_does_not() {
    for (on_term, exit, left) in [(OnTerm::HandOver, Exit::HandedOver, 3), (OnTerm::Drain, Exit::Drained, 0)]
    {
        let mut world = serving(3, Options::default(), plan(on_term)).await;
        world.agent.stop();
        assert_eq!(world.ended().await, exit);
        assert_eq!(world.records("_web0._tcp").len(), left);
    }
}

// === --drain-delay ===

#[tokio::test(start_paused = true)]
async fn a_delay_is_weight_0_first_and_the_deletes_after_it() {
    let mut world = serving(20, Options::default(), delayed(30)).await;
    let before = world.endpoint.batches().len();
    let began = Instant::now();
    world.agent.stop();
    world.pass(1).await;
    let weights: BTreeSet<_> = world.records("_web0._tcp").into_iter().map(|(_, weight)| weight).collect();
    assert_eq!((weights, world.records("_web0._tcp").len()), (BTreeSet::from([0]), 20));
    // Nothing new is registered, and who ends meanwhile goes.
    world.docker.start(99, "_new._tcp", 32_999);
    let first = format!("{:064x}", 1).parse().unwrap();
    world.docker.kill(&first, 15);
    world.pass(10).await;
    assert_eq!(world.records("_new._tcp"), BTreeSet::new());
    assert_eq!(deletes(&world.batches_since(before)), [0, 1]);
    assert!(world.readiness().contains("stop: the agent withdraws its records"), "{}", world.readiness());
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!(deletes(&world.batches_since(before)), [0, 1, 19]);
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn the_time_to_withdraw_counts_from_the_end_of_the_delay() {
    let mut world = serving(1, Options::default(), delayed(30)).await;
    world.endpoint.otherwise(Act::Say(Says::Throttling));
    let began = Instant::now();
    world.agent.stop();
    assert!(matches!(world.ended().await, Exit::LeftBehind(Some(left)) if left.len() == 1));
    assert_eq!(began.elapsed().as_secs(), 55);
}

#[tokio::test(start_paused = true)]
async fn a_delay_during_the_first_look_takes_down_what_an_earlier_run_left() {
    let mut first = serving(1, Options::default(), StopPlan::default()).await;
    first.agent.hand_over();
    assert_eq!(first.ended().await, Exit::HandedOver);
    let (docker, endpoint) = (first.docker.clone(), first.endpoint.clone());
    drop(first);
    docker.set_away(true);
    let mut second = World::start_as(docker, &endpoint, |dependencies| dependencies.stop = delayed(10)).await;
    second.agent.stop();
    second.pass(5).await;
    assert_eq!(second.records("_web0._tcp"), BTreeSet::from([(32_001, 0)]));
    assert_eq!(second.ended().await, Exit::Drained);
    assert_eq!(second.records("_web0._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_delay_brings_no_weight_back() {
    for words in ["event=\"weight_changed\"", "event=\"written\""] {
        let mut world = serving(3, Options::default(), delayed(30)).await;
        world.log.panic_at(words, 1);
        world.agent.stop();
        world.pass(20).await;
        assert_eq!(world.log.panics_left(), 0, "{words}");
        let weights: BTreeSet<_> =
            world.records("_web0._tcp").into_iter().map(|(_, weight)| weight).collect();
        assert_eq!(weights, BTreeSet::from([0]), "{words}");
        assert_eq!(world.ended().await, Exit::Drained);
    }
}

// === --confirm ===

#[tokio::test(start_paused = true)]
async fn a_drain_is_over_when_every_name_server_answers_so() {
    for (insync, confirm, exit, seconds) in [
        (20, true, Exit::Drained, 20..23),
        (20, false, Exit::Drained, 0..1),
        (60, true, Exit::Unconfirmed, 25..26),
    ] {
        let options = Options { insync_after: Duration::from_secs(insync), ..Options::default() };
        let mut world = serving(3, options, StopPlan { confirm, ..StopPlan::default() }).await;
        world.pass(100).await;
        let (before, began) = (world.endpoint.batches().len(), Instant::now());
        world.agent.stop();
        assert_eq!(world.ended().await, exit);
        assert!(seconds.contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert_eq!(deletes(&world.batches_since(before)), [3]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_just_before_is_confirmed_too() {
    let options = Options { insync_after: Duration::from_secs(20), ..Options::default() };
    let mut world = serving(1, options, StopPlan { confirm: true, ..StopPlan::default() }).await;
    world.pass(100).await;
    world.docker.kill(&format!("{:064x}", 1).parse().unwrap(), 15);
    world.pass(1).await;
    assert_eq!(world.records("_web0._tcp"), BTreeSet::new());
    let began = Instant::now();
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::Drained);
    assert!((18..22).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

// === whatever goes on ===

#[tokio::test(start_paused = true)]
async fn a_drain_of_500_is_one_call() {
    let mut world = serving(500, Options::default(), StopPlan::default()).await;
    let (before, began) = (world.endpoint.history().len(), Instant::now());
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!(world.endpoint.history().len() - before, 1);
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_under_way_is_waited_for_and_what_it_wrote_goes() {
    let mut world = planned(ScriptedDocker::default(), Options::default(), StopPlan::default()).await;
    world.pass(5).await;
    world.endpoint.otherwise(Act::ServeAfter(Duration::from_millis(2_500)));
    (1..=10).for_each(|number| {
        world.docker.start(number, "_web._tcp", 32_000 + u16::try_from(number).unwrap());
    });
    world.pass(2).await;
    let before = world.endpoint.batches().len();
    // Its creates are on their way.
    assert_eq!(world.endpoint.history().len(), 2);
    world.agent.stop();
    world.pass(1).await;
    // Another one, and a second request to drain, change nothing.
    world.agent.drain();
    assert_eq!(world.ended().await, Exit::Drained);
    let batches = world.batches_since(before);
    let services = |batch: &Vec<Change>| batch.iter().filter(|it| it.set.kind == RecordType::Srv).count();
    assert!(services(&batches[0]) > 0);
    assert_eq!(
        deletes(&batches),
        [0, services(&batches[0])],
        "what was written goes, and no more is written"
    );
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn fifty_throttles_in_a_row_are_waited_out() {
    let timeout = Duration::from_secs(600);
    let mut world = serving(500, Options::default(), StopPlan { timeout, ..StopPlan::default() }).await;
    let before = world.endpoint.history().len();
    world.endpoint.script([Act::Say(Says::Throttling); 50]);
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!(world.endpoint.history().len() - before, 51);
}

#[tokio::test(start_paused = true)]
async fn a_drain_asks_nothing_of_docker() {
    let mut world = serving(3, Options::default(), StopPlan::default()).await;
    world.docker.set_away(true);
    world.pass(30).await;
    assert!(world.readiness().starts_with("not ready: Docker: "), "{}", world.readiness());
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!(world.records("_web0._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_zone_was_read_removes_what_it_then_reads() {
    let mut first = serving(3, Options::default(), StopPlan::default()).await;
    first.agent.hand_over();
    assert_eq!(first.ended().await, Exit::HandedOver);
    let (docker, endpoint) = (first.docker.clone(), first.endpoint.clone());
    drop(first);
    let mut second = World::start_as(docker, &endpoint, |_| {}).await;
    second.endpoint.script([Act::Say(Says::Throttling); 3]);
    second.agent.stop();
    assert_eq!(second.ended().await, Exit::Drained);
    assert_eq!(second.records("_web0._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn readiness_says_which_parts_are_away_and_why() {
    let notices = ScriptedNotices::default();
    let world = World::start_told(&notices, StopPlan::default()).await;
    assert_eq!(world.readiness(), "not ready: start: the first look at this host is not over");
    world.docker.start(1, "_web._tcp", 32_001);
    world.pass(5).await;
    assert_eq!(world.readiness(), "ready");
    let before = (world.records("_web._tcp"), world.endpoint.batches().len());
    world.docker.set_away(true);
    notices.set_away(Source::Spot);
    world.endpoint.otherwise(Act::Say(Says::ExpiredToken));
    // A resync is due within this.
    world.pass(3_600).await;
    let readiness = world.readiness();
    for part in [
        "Docker: ",
        "zone: not authenticated: the session's credentials have expired",
        "notices: nothing new is heard of spot",
    ] {
        assert!(readiness.contains(part), "{readiness}");
    }
    assert_eq!((world.records("_web._tcp"), world.endpoint.batches().len()), before);
    world.docker.set_away(false);
    notices.call_off(Source::Spot);
    world.endpoint.otherwise(Act::Serve);
    world.pass(60).await;
    assert_eq!(world.readiness(), "ready");
    let said = world.log.lines().iter().filter(|line| line.starts_with("message=ready")).count();
    assert_eq!(said, 2, "once for each change");
}

#[tokio::test(start_paused = true)]
async fn without_sources_auto_hands_over() {
    let mut world = serving(1, Options::default(), plan(OnTerm::Auto)).await;
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::HandedOver);
}
