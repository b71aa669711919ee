//! What a whole agent costs the account: calls and changes at a start, in a rush and in a drain.

use std::net::Ipv4Addr;
use std::time::Duration;

use ecssd::actors::Exit;
use ecssd::change::pacing::Pace;
use ecssd::journal::{MemoryJournal, SharedJournal};
use ecssd::machine::agent::StopPlan;
use ecssd::record::{Owner, Registrant};
use ecssd_testing::actors::World;
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::{Count, Endpoint};
use ecssd_testing::spec;

/// With the owner, a host name that makes `1 1 32768 <host name>` 57 characters.
pub const ZONE: &str = "service.production.internal";
const OWNER: &str = "i-0123456789abcdef0";
/// How many such values go into a call: 32,000 characters, less room for addresses.
const A_CALL: usize = 560;

/// An agent before an endpoint of its own, whose journal is whole.
pub async fn start(docker: ScriptedDocker) -> World {
    let journal = SharedJournal::new(Box::<MemoryJournal>::default(), true);
    start_with(docker, &Endpoint::new(ZONE), &journal, StopPlan::default()).await
}

pub async fn start_with(
    docker: ScriptedDocker,
    endpoint: &Endpoint,
    journal: &SharedJournal,
    stop: StopPlan,
) -> World {
    let registrant = Registrant {
        owner: Owner::new(OWNER).unwrap(),
        zone: ZONE.into(),
        address: Ipv4Addr::new(10, 123, 145, 167),
    };
    assert_eq!(format!("1 1 32768 {}", registrant.host_name()).len(), 57);
    World::start_as(docker, endpoint, |dependencies| {
        dependencies.writer.registrant = registrant;
        dependencies.writer.journal = Some(journal.clone());
        dependencies.writer.read_first = false;
        dependencies.writer.pace = Pace::ROUTE53;
        dependencies.stop = stop;
    })
    .await
}

/// Waits until so many are registered, and says for how long.
pub async fn wait_for(world: &World, registered: usize) -> Duration {
    let began = tokio::time::Instant::now();
    while world.registered() != registered {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(began.elapsed() < Duration::from_secs(120), "{} registered", world.registered());
    }
    began.elapsed()
}

/// Withdraws all, and says what that cost.
async fn drain(mut world: World) -> Count {
    // The account's bucket fills again.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let before = world.endpoint.count();
    world.agent.drain();
    assert_eq!(world.ended().await, Exit::Drained);
    assert_eq!(world.registered(), 0);
    world.endpoint.count() - before
}

/// The n-th container: 100 of them share a name, as many as there is room for.
pub fn come(docker: &ScriptedDocker, n: usize) {
    let name = format!("_service{}._tcp", n / 100);
    docker.start_in(ZONE, u32::try_from(n).unwrap(), &name, 32_768 + u16::try_from(n).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_start_and_a_drain_are_as_few_calls_as_the_limits_allow() {
    for n in [500, 2_000] {
        let docker = ScriptedDocker::default();
        (0..n).for_each(|number| come(&docker, number));
        let world = start(docker).await;
        let took = wait_for(&world, n).await;
        let up = world.endpoint.count();
        let down = drain(world).await;
        println!("{n} at a start: {up:?} within {took:?}; drained: {down:?}");
        let calls = n.div_ceil(A_CALL);
        if n == 500 {
            spec::judge("start-500-calls", up.changes.max(down.changes) as f64, "calls");
        }
        // One more change is the host's address, which is in the first batch and stays.
        let cost = |changes, cost| Count { changes, cost, ..Count::default() };
        assert_eq!((up, down), (cost(calls, n + 1), cost(calls, n)), "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rush_is_few_calls_more_than_the_limits_demand() {
    let (at_once, second) = (Duration::ZERO, Duration::from_secs(1));
    let rushes = [
        (500, at_once, "at-once-500-calls"),
        (500, second, "rush-500-calls"),
        (2_000, second, "rush-2000-calls"),
    ];
    for (n, within, line) in rushes {
        let world = start(ScriptedDocker::default()).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        let each = within / u32::try_from(n).unwrap();
        let began = tokio::time::Instant::now();
        for number in 0..n {
            tokio::time::sleep_until(began + each * u32::try_from(number).unwrap()).await;
            come(&world.docker, number);
        }
        let took = wait_for(&world, n).await;
        let up = world.endpoint.count();
        let down = drain(world).await;
        println!("{n} within {within:?}: {up:?}, {took:?} after the last; drained: {down:?}");
        spec::judge(line, up.changes as f64, "calls");
        assert_eq!((up.cost, up.lists + up.lookups), (n + 1, 0));
        assert_eq!((down.changes, down.cost), (n.div_ceil(A_CALL), n));
    }
}
