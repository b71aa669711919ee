//! A drain before an API that throttles, breaks off, or is dead; and the start after it.

use std::time::Duration;

use ecssd::actors::Exit;
use ecssd::journal::{MemoryJournal, SharedJournal};
use ecssd::machine::agent::StopPlan;
use ecssd::record::RecordType;
use ecssd::zone::embedded::Options;
use ecssd_testing::actors::World;
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::{Count, Endpoint};
use ecssd_testing::route53::faults::{Act, Says};
use tokio::time::Instant;

use super::counts::{ZONE, come, start_with, wait_for};

const N: usize = 500;
/// How long a change takes to every name server.
const INSYNC_AFTER: Duration = Duration::from_secs(20);

/// A host with 500 registered services, whose journal is whole.
async fn serving(plan: StopPlan) -> (World, Endpoint, SharedJournal) {
    let journal = SharedJournal::new(Box::<MemoryJournal>::default(), true);
    let options = Options { insync_after: INSYNC_AFTER, ..Options::default() };
    let (docker, endpoint) = (ScriptedDocker::default(), Endpoint::with(ZONE, options));
    (0..N).for_each(|number| come(&docker, number));
    let world = start_with(docker, &endpoint, &journal, plan).await;
    wait_for(&world, N).await;
    // The account's bucket fills again.
    tokio::time::sleep(Duration::from_secs(30)).await;
    (world, endpoint, journal)
}

#[tokio::test(start_paused = true)]
async fn before_a_dead_api_500_leftovers_are_named_and_the_next_start_removes_them_without_a_list() {
    // The last has one try that was applied and never answered.
    for acts in [vec![], vec![Act::Say(Says::Throttling)], vec![Act::CutBefore], vec![Act::CutAfter]] {
        let (mut world, endpoint, journal) = serving(StopPlan::default()).await;
        endpoint.script(acts.iter().copied());
        endpoint.otherwise(Act::CutBefore);
        let began = Instant::now();
        world.agent.stop();
        let Exit::LeftBehind(Some(left)) = world.ended().await else { panic!("{acts:?}") };
        assert_eq!(began.elapsed().as_secs(), 25, "{acts:?}");
        assert_eq!(left.len(), N, "{acts:?}");
        assert!(left.iter().all(|key| key.kind == RecordType::Srv));
        drop(world);

        endpoint.heal();
        let before = endpoint.count();
        // Nothing runs any more.
        let docker = ScriptedDocker::default();
        let second = start_with(docker, &endpoint, &journal, StopPlan::default()).await;
        let took = wait_for(&second, 0).await;
        tokio::time::sleep(Duration::from_secs(120)).await;
        let count = endpoint.count() - before;
        println!("{acts:?}: {count:?}, gone after {took:?}");
        assert_eq!(count.lists, 0, "{acts:?}");
        if !acts.contains(&Act::CutAfter) {
            assert_eq!((count.changes, count.lookups), (1, 0), "{acts:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_throttles_in_a_row_cost_fifty_calls_and_the_drain_is_clean() {
    let plan = StopPlan { timeout: Duration::from_secs(600), ..StopPlan::default() };
    let (mut world, endpoint, _journal) = serving(plan).await;
    let before = endpoint.count();
    endpoint.script([Act::Say(Says::Throttling); 50]);
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!((endpoint.count() - before).changes, 51, "a batch is not made smaller for it");
    assert_eq!(world.registered(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_confirmed_asks_after_its_one_call_until_it_is_everywhere() {
    let plan = StopPlan { confirm: true, ..StopPlan::default() };
    let (mut world, endpoint, _journal) = serving(plan).await;
    let (before, began) = (endpoint.count(), Instant::now());
    world.agent.stop();
    let exit = world.ended().await;
    let count = endpoint.count() - before;
    println!("{exit:?} after {:?}: {count:?}", began.elapsed());
    assert_eq!(exit, Exit::Drained);
    assert!((9..=11).contains(&count.statuses), "{count:?}");
    assert_eq!(Count { statuses: 0, ..count }, Count { changes: 1, cost: N, ..Count::default() });
    assert!(began.elapsed() >= INSYNC_AFTER);
}

#[tokio::test(start_paused = true)]
async fn where_it_may_not_be_asked_after_nothing_is_left_and_nothing_confirmed() {
    let plan = StopPlan { confirm: true, ..StopPlan::default() };
    let (mut world, endpoint, _journal) = serving(plan).await;
    let (before, began) = (endpoint.count(), Instant::now());
    endpoint.script([Act::Serve, Act::Say(Says::AccessDenied)]);
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::Unconfirmed);
    assert_eq!(((endpoint.count() - before).statuses, world.registered()), (1, 0));
    assert!(began.elapsed() < Duration::from_secs(5), "it waits for what is refused");
}
