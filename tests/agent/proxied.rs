//! A proxy may take the connections to published ports: what a check means then, and what the log says of it.

use std::collections::BTreeSet;

use ecssd::container::engine::{Caveat, Proxy};
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::Endpoint;

fn rootless() -> ScriptedDocker {
    let docker = ScriptedDocker::default();
    docker.set_caveats([Caveat::Proxy(Proxy::Rootless)].into());
    docker
}

fn said(world: &World, event: &str) -> Vec<String> {
    world.log.lines().into_iter().filter(|line| line.contains(event)).collect()
}

#[tokio::test(start_paused = true)]
async fn nobody_listens_behind_it_until_somebody_does() {
    let world = World::start_with(rootless(), &Endpoint::new(ZONE)).await;
    world.checks.close(32001);
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(50).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
    world.checks.keep(32001);
    world.pass(6).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    assert_eq!(said(&world, "closes_at_once"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_closes_each_connection_is_registered_after_a_minute_and_named() {
    let world = World::start_with(rootless(), &Endpoint::new(ZONE)).await;
    world.checks.close(32001);
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(59).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::new());
    assert_eq!(said(&world, "check_failed"), [""; 0], "that it closes is no failure");
    world.pass(10).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    world.pass(3_600).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    let [line] = &said(&world, "closes_at_once")[..] else { panic!("{:?}", said(&world, "closes_at_once")) };
    for words in ["c1", "host port 32001", "CHECK_HTTP", "HEALTHCHECK"] {
        assert!(line.contains(words), "{words} is not in {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_agent_takes_no_weight_from_who_closes_each_connection() {
    let (docker, zone) = (rootless(), Endpoint::new(ZONE));
    let first = World::start_with(docker.clone(), &zone).await;
    first.checks.close(32001);
    docker.start(1, "_web._tcp", 32001);
    first.pass(70).await;
    assert_eq!(first.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    let before = zone.batches().len();
    first.agent.hand_over();
    first.pass(1).await;
    drop(first);
    let second = World::start_with(docker, &zone).await;
    second.checks.close(32001);
    second.pass(70).await;
    assert_eq!(second.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    assert!(second.batches_since(before).is_empty(), "nothing has changed");
}

#[tokio::test(start_paused = true)]
async fn without_a_proxy_who_closes_each_connection_serves() {
    let world = World::start().await;
    world.checks.close(32001);
    world.docker.start(1, "_web._tcp", 32001);
    world.pass(1).await;
    assert_eq!(world.records("_web._tcp"), BTreeSet::from([(32001, 1)]));
    assert_eq!(said(&world, "checks_proxied"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_an_engine_keeps_to_itself_is_said_at_the_start_and_once() {
    let docker = ScriptedDocker::default();
    docker.set_caveats([Caveat::Proxy(Proxy::NoNat), Caveat::NoSignals].into());
    let world = World::start_with(docker, &Endpoint::new(ZONE)).await;
    for _ in 0..3 {
        world.pass(20).await;
        world.docker.restart();
    }
    let [proxied] = &said(&world, "checks_proxied")[..] else { panic!("{:?}", world.log.lines()) };
    assert!(proxied.contains("iptables off") && proxied.contains("CHECK_HTTP=/path"), "{proxied}");
    let [signals] = &said(&world, "signals_unheard")[..] else { panic!("{:?}", world.log.lines()) };
    assert!(signals.contains("Podman") && signals.contains("serve on"), "{signals}");
}
