//! What has never passed its check: not registered, and the log says why.

use std::collections::BTreeSet;

use ecssd::container::Health;
use ecssd_testing::actors::World;

/// What the log says of services that are not in DNS.
fn said(world: &World) -> Vec<String> {
    world.log.lines().into_iter().filter(|line| line.contains("not in DNS")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_wrong_port_at_a_first_deploy_is_not_registered_and_the_log_says_why() {
    let world = World::start().await;
    world.checks.fail(32001);
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(59).await;
    assert_eq!(said(&world), [""; 0]);
    world.pass(2).await;
    let [line] = &said(&world)[..] else { panic!("{:?}", said(&world)) };
    for words in ["c1", "_web._tcp.sd.internal", "port=80", "host port 32001", "TCP connect", "told to fail"]
    {
        assert!(line.contains(words), "{words} is not in {line}");
    }
    world.pass(3_600).await;
    assert_eq!(said(&world).len(), 7, "once after a minute, and six times in the hour after that");
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
    world.checks.pass(32001);
    world.pass(3_600).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    assert_eq!(said(&world).len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_healthcheck_that_never_passes_is_said_too() {
    let world = World::start().await;
    for (number, health, says) in [(1, Health::Starting, "starting"), (2, Health::Unhealthy, "unhealthy")] {
        let id = world.docker.start(number, "_web._tcp", 32000 + u16::try_from(number).unwrap());
        world.docker.change(&id, |it| it.health = Some(health));
        world.pass(70).await;
        let line = said(&world).pop().unwrap_or_default();
        for words in [&format!("c{number}"), "_web._tcp.sd.internal", "HEALTHCHECK", says] {
            assert!(line.contains(words), "{words} is not in {line}");
        }
    }
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn a_healthcheck_that_fails_later_is_a_check_that_fails() {
    let world = World::start().await;
    let id = world.docker.start(1, "_web._tcp", 32001);
    world.docker.change(&id, |it| it.health = Some(Health::Healthy));
    world.pass(10).await;
    let failed =
        || world.log.lines().into_iter().filter(|line| line.contains("check_failed")).collect::<Vec<_>>();
    assert_eq!((world.records("_web._tcp"), failed()), (BTreeSet::from([(32001, 1)]), Vec::new()));
    world.docker.change(&id, |it| it.health = Some(Health::Unhealthy));
    world.pass(10).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 0)]));
    let [line] = &failed()[..] else { panic!("{:?}", failed()) };
    assert!(line.contains("c1") && line.contains("State.Health of docker inspect"), "{line}");
    // What is told once is not told again when it is well, nor of one that is only starting.
    world.docker.change(&id, |it| it.health = Some(Health::Healthy));
    let starting = world.docker.start(2, "_web._tcp", 32002);
    world.docker.change(&starting, |it| it.health = Some(Health::Starting));
    world.pass(10).await;
    assert_eq!(failed().len(), 1, "{:?}", failed());
}

#[tokio::test(start_paused = true)]
async fn a_healthcheck_that_is_run_no_more_leaves_its_service_to_a_connection() {
    let world = World::start().await;
    let id = world.docker.start(1, "_web._tcp", 32001);
    world.docker.change(&id, |it| it.health = Some(Health::Healthy));
    world.pass(10).await;
    let batches = world.endpoint.batches().len();
    world.docker.change(&id, |it| it.healthcheck_frozen = true);
    world.pass(60).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    assert!(world.batches_since(batches).is_empty(), "what has served is not withdrawn for that");
    world.checks.fail(32001);
    world.pass(60).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 0)]));
    world.checks.pass(32001);
    world.pass(60).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    // It is run again.
    world.docker.change(&id, |it| (it.healthcheck_frozen, it.health) = (false, Some(Health::Unhealthy)));
    world.pass(10).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 0)]));
    let lines: Vec<_> =
        world.log.lines().into_iter().filter(|line| line.contains("healthcheck_frozen")).collect();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.contains("c1") && line.contains("TCP check") && line.contains("Docker to 23"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn what_has_served_in_this_life_keeps_its_name_at_weight_0() {
    let world = World::start().await;
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    world.checks.fail(32001);
    world.pass(3_600).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 0)]));
    assert_eq!(said(&world), [""; 0]);
}
