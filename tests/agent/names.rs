//! A copy with names of all three kinds: a weighted one, one that answers with all targets, and one with an address.

use ecssd::actors::Exit;
use ecssd::container::Running;
use ecssd::container::convention::{Scope, parse};
use ecssd::machine::agent::StopPlan;
use ecssd::record::{Action, Change, ContainerId};
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::notices::ScriptedNotices;

/// Starts a container whose port 80 has all three, published as 80.
pub fn start(docker: &ScriptedDocker, number: u32) -> ContainerId {
    let id = docker.start(number, "_web._tcp", 80);
    let environment = ["SERVICE_80_NAME=_web._tcp", "SERVICE_80_ALL=_web-all._tcp", "SERVICE_80_A=web"];
    let services = parse(environment, [], &Scope::new(ZONE, "web1")).services;
    docker.change(&id, |it| it.services = services);
    id
}

/// Each change in a few words, without the host's own address.
fn shown(batch: &[Change]) -> Vec<String> {
    let of_services = batch.iter().filter(|change| change.set.is_of_service());
    let shown = |change: &Change| {
        let name = change.set.name.trim_end_matches(ZONE).trim_end_matches('.');
        format!("{} {name} {} {}", change.action, change.set.kind, change.set.routing)
    };
    let mut shown: Vec<_> = of_services.map(shown).collect();
    shown.sort();
    shown
}

const DELETES: [&str; 3] =
    ["DELETE _web-all._tcp SRV multivalue", "DELETE _web._tcp SRV weight 1", "DELETE web A weight 1"];

#[tokio::test(start_paused = true)]
async fn it_is_registered_and_withdrawn_under_all_of_them_in_one_batch() {
    let world = World::start().await;
    let id = start(&world.docker, 1);
    world.pass(5).await;
    let batches = world.batches_since(0);
    assert_eq!(
        (batches.len(), shown(&batches[0])),
        (
            1,
            ["CREATE _web-all._tcp SRV multivalue", "CREATE _web._tcp SRV weight 1", "CREATE web A weight 1"]
                .map(str::to_owned)
                .to_vec()
        )
    );
    world.docker.kill(&id, 15);
    world.pass(5).await;
    let batches = world.batches_since(1);
    assert_eq!((batches.len(), shown(&batches[0])), (1, DELETES.map(str::to_owned).to_vec()));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_takes_both_weights_and_leaves_the_full_name() {
    let world = World::start().await;
    start(&world.docker, 1);
    world.pass(5).await;
    world.checks.fail(80);
    world.pass(60).await;
    let batches = world.batches_since(1);
    let changes: Vec<_> = batches.iter().map(|batch| shown(batch)).collect();
    assert_eq!(changes, [["UPSERT _web._tcp SRV weight 0", "UPSERT web A weight 0"]]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_takes_both_weights_after_5_s_and_withdraws_them_after_60_and_leaves_the_full_name() {
    let world = World::start().await;
    let id = start(&world.docker, 1);
    world.pass(5).await;
    let runs = |running| world.docker.change(&id, |it| it.running = running);
    runs(Running::Paused);
    world.pass(4).await;
    runs(Running::Running);
    world.pass(30).await;
    assert_eq!(world.batches_since(1), [[]; 0], "a short one changes nothing");
    runs(Running::Paused);
    world.pass(59).await;
    let weightless = ["UPSERT _web._tcp SRV weight 0", "UPSERT web A weight 0"];
    assert_eq!(world.batches_since(1).iter().map(|batch| shown(batch)).collect::<Vec<_>>(), [weightless]);
    world.pass(3_600).await;
    let gone = ["DELETE _web._tcp SRV weight 0", "DELETE web A weight 0"];
    assert_eq!(world.batches_since(2).iter().map(|batch| shown(batch)).collect::<Vec<_>>(), [gone]);
    runs(Running::Running);
    world.pass(10).await;
    let back = ["CREATE _web._tcp SRV weight 1", "CREATE web A weight 1"];
    assert_eq!(world.batches_since(3).iter().map(|batch| shown(batch)).collect::<Vec<_>>(), [back]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_has_never_passed_is_under_none_of_them() {
    let world = World::start().await;
    world.checks.fail(80);
    start(&world.docker, 1);
    world.pass(3_600).await;
    assert_eq!(world.batches_since(0), [[]; 0]);
}

#[tokio::test(start_paused = true)]
async fn its_port_changes_hands_under_all_of_them_at_once() {
    let world = World::start().await;
    let first = start(&world.docker, 1);
    world.pass(5).await;
    world.docker.set_blind(true);
    world.docker.die(&first);
    start(&world.docker, 2);
    world.docker.set_blind(false);
    world.pass(120).await;
    let batches = world.batches_since(1);
    let swap = batches.iter().find(|batch| batch.iter().any(|change| change.action == Action::Create));
    let swap = shown(swap.expect("the second is registered"));
    // Whatever of the first was still there has gone with the second's coming, or before.
    assert_eq!(swap.iter().filter(|change| change.starts_with("CREATE")).count(), 3, "{swap:?}");
    let gone = swap.iter().filter(|change| change.starts_with("DELETE")).count();
    assert!(gone == 3 || gone == 0 && shown(&batches[0]) == DELETES, "{batches:?}");
}

#[tokio::test(start_paused = true)]
async fn no_notice_touches_the_full_name_until_20_s_before_the_end() {
    let notices = ScriptedNotices::default();
    let world = World::start_told(&notices, StopPlan::default()).await;
    start(&world.docker, 1);
    world.pass(5).await;
    notices.interrupt_in(120);
    world.pass(90).await;
    let batches = world.batches_since(1);
    let changes: Vec<_> = batches.iter().map(|batch| shown(batch)).collect();
    assert_eq!(changes, [["UPSERT _web._tcp SRV weight 0", "UPSERT web A weight 0"]]);
    world.pass(30).await;
    let deleted = shown(&world.batches_since(2)[0]);
    assert_eq!(deleted.len(), 3, "{deleted:?}");
}

#[tokio::test(start_paused = true)]
async fn the_next_agent_takes_all_of_them_over_without_a_change() {
    let mut world = World::start().await;
    start(&world.docker, 1);
    world.pass(5).await;
    let before = world.endpoint.batches().len();
    world.agent.hand_over();
    assert_eq!(world.ended().await, Exit::HandedOver);
    let next = World::start_with(world.docker.clone(), &world.endpoint).await;
    next.pass(60).await;
    assert_eq!(next.batches_since(before), [[]; 0]);
    assert_eq!(next.endpoint.sets().iter().filter(|set| set.is_of_service()).count(), 3);
}
