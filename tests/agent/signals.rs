//! What a signal does to a container's records: for how long, over which restarts, by which clocks.

use ecssd::journal::{MemoryJournal, SharedJournal};

use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::Endpoint;

const SIGQUIT: u8 = 3;
const SIGTERM: u8 = 15;

/// An agent that remembers signals, and one container, registered.
async fn serving(docker: &ScriptedDocker, zone: &Endpoint, journal: &SharedJournal) -> World {
    let world = another(docker, zone, journal).await;
    docker.start(1, "_web._tcp", 32_001);
    world.pass(5).await;
    assert_eq!(world.records("_web._tcp"), [(32_001, 1)].into());
    world
}

/// The next agent of the same host.
async fn another(docker: &ScriptedDocker, zone: &Endpoint, journal: &SharedJournal) -> World {
    let (docker, journal) = (docker.clone(), journal.clone());
    World::start_as(docker, zone, |dependencies| dependencies.signals = Some(journal)).await
}

fn host() -> (ScriptedDocker, Endpoint, SharedJournal) {
    (
        ScriptedDocker::default(),
        Endpoint::new(ZONE),
        SharedJournal::new(Box::<MemoryJournal>::default(), true),
    )
}

fn id() -> ecssd::record::ContainerId {
    format!("{:064x}", 1).parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_long_stop_ends_without_a_comeback() {
    let (docker, zone, journal) = host();
    let world = serving(&docker, &zone, &journal).await;
    docker.kill(&id(), SIGTERM);
    for _ in 0..300 {
        world.pass(1).await;
        assert_eq!(world.records("_web._tcp"), [].into());
    }
    docker.kill(&id(), 9);
    docker.die(&id());
    world.pass(5).await;
    assert_eq!(journal.signals(), []);
    docker.start_again(&id(), 32_002);
    world.pass(5).await;
    assert_eq!(world.records("_web._tcp"), [(32_002, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn what_runs_an_hour_after_it_was_asked_to_stop_is_registered_again_and_that_is_said() {
    let (docker, zone, journal) = host();
    let world = serving(&docker, &zone, &journal).await;
    docker.kill(&id(), SIGTERM);
    world.pass(3_590).await;
    assert_eq!(world.records("_web._tcp"), [].into());
    world.pass(20).await;
    assert_eq!(world.records("_web._tcp"), [(32_001, 1)].into());
    let said = |line: &String| line.contains("event=\"stop_not_believed\"");
    assert_eq!(world.log.lines().iter().filter(|line| said(line)).count(), 1);
    assert_eq!(journal.signals(), []);
}

#[tokio::test(start_paused = true)]
async fn a_signal_outlives_a_restart_of_the_agent_though_the_engine_has_forgotten_it() {
    for down in [1, 600] {
        let (docker, zone, journal) = host();
        let mut world = serving(&docker, &zone, &journal).await;
        docker.kill(&id(), SIGTERM);
        world.pass(17).await;
        world.agent.hand_over();
        world.ended().await;
        docker.bustle(3 * 91);
        tokio::time::sleep(std::time::Duration::from_secs(down)).await;
        drop(world);
        let world = another(&docker, &zone, &journal).await;
        for _ in 0..300 {
            world.pass(1).await;
            assert_eq!(world.records("_web._tcp"), [].into(), "an agent that was down for {down} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_docker_that_left_the_life_running_ends_a_stop() {
    let (docker, zone, journal) = host();
    let world = serving(&docker, &zone, &journal).await;
    docker.kill(&id(), SIGTERM);
    world.pass(30).await;
    docker.restart();
    world.pass(10).await;
    assert_eq!(world.records("_web._tcp"), [(32_001, 1)].into());
    assert!(world.log.lines().iter().any(|line| line.contains("before Docker was restarted")));
    assert_eq!(journal.signals(), []);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_broke_ends_no_stop() {
    let (docker, zone, journal) = host();
    let world = serving(&docker, &zone, &journal).await;
    docker.kill(&id(), SIGTERM);
    for forgets in [false, true] {
        world.pass(30).await;
        docker.set_away(true);
        if forgets {
            docker.bustle(300);
        }
        docker.set_away(false);
        world.pass(30).await;
        assert_eq!(world.records("_web._tcp"), [].into());
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_steps_back_makes_no_signal_old_and_bars_no_later_life() {
    let (docker, zone, journal) = host();
    let world = serving(&docker, &zone, &journal).await;
    docker.step_clock(-7_200);
    docker.kill(&id(), SIGTERM);
    world.pass(1).await;
    assert_eq!(world.records("_web._tcp"), [].into());
    docker.die(&id());
    docker.start_again(&id(), 32_002);
    world.pass(5).await;
    assert_eq!(world.records("_web._tcp"), [(32_002, 1)].into(), "its start is older than the start before");
    // Heard again, and by whoever hears all of it for the first time.
    docker.set_away(true);
    docker.set_away(false);
    world.pass(10).await;
    assert_eq!(world.records("_web._tcp"), [(32_002, 1)].into());
    drop(world);
    let world = another(&docker, &zone, &journal).await;
    let before = world.endpoint.batches().len();
    world.pass(120).await;
    assert_eq!(world.records("_web._tcp"), [(32_002, 1)].into());
    assert_eq!(world.endpoint.batches().len(), before, "nothing is written");
}

#[tokio::test(start_paused = true)]
async fn a_thread_dump_costs_the_weight_for_ten_seconds() {
    let (docker, zone, journal) = host();
    let world = serving(&docker, &zone, &journal).await;
    docker.kill(&id(), SIGQUIT);
    world.pass(1).await;
    assert_eq!(world.records("_web._tcp"), [(32_001, 0)].into());
    world.pass(8).await;
    assert_eq!(world.records("_web._tcp"), [(32_001, 0)].into());
    world.pass(3).await;
    assert_eq!(world.records("_web._tcp"), [(32_001, 1)].into());
    docker.kill(&id(), SIGQUIT);
    docker.die(&id());
    world.pass(1).await;
    assert_eq!(world.records("_web._tcp"), [].into());
}
