//! Weights by hand, from an operator's order to the zone: through a registrar that is started again, and the next agent.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ecssd::actors::{Exit, Ordered};
use ecssd::machine::cordon::{Order, Refused, What, Wish};
use ecssd_testing::actors::World;
use ecssd_testing::cordons::Remembered;
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::Endpoint;
use tokio::time::Instant;

fn memory() -> Remembered {
    let start = Instant::now();
    Remembered::by(move || SystemTime::UNIX_EPOCH + start.elapsed())
}

async fn agent(docker: &ScriptedDocker, endpoint: &Endpoint, memory: &Remembered) -> World {
    let memory = Arc::new(memory.clone());
    World::start_as(docker.clone(), endpoint, |dependencies| dependencies.cordons = Some(memory)).await
}

async fn ask(world: &World, what: &str, wish: Wish) -> Result<Ordered, Refused> {
    let order = Order { what: What::parse(what).unwrap(), wish };
    world.agent.hand().order(order).await.expect("an agent that runs answers")
}

fn to(weight: u8, seconds: Option<u64>) -> Wish {
    Wish::Cordon { weight, lasts: seconds.map(Duration::from_secs) }
}

fn weights(world: &World) -> Vec<i64> {
    world.records("_web._tcp").into_iter().map(|(_, weight)| weight).collect()
}

/// How often something was logged.
fn said(world: &World, words: &str) -> usize {
    world.log.lines().iter().filter(|line| line.contains(words)).count()
}

#[tokio::test(start_paused = true)]
async fn one_call_changes_the_weights_and_one_gives_them_back() {
    let (docker, endpoint, memory) = (ScriptedDocker::default(), Endpoint::new("sd.internal"), memory());
    let world = agent(&docker, &endpoint, &memory).await;
    docker.start(1, "_web._tcp", 32001);
    docker.start(2, "_web._tcp", 32002);
    world.pass(5).await;
    let before = endpoint.batches().len();
    let Ordered { report, kept } = ask(&world, "all", to(0, None)).await.unwrap();
    assert_eq!((report.changes.len(), report.last.len(), kept), (2, 1, Ok(())));
    world.pass(2).await;
    assert_eq!((weights(&world), world.batches_since(before).len()), (vec![0, 0], 1));
    docker.start(3, "_web._tcp", 32003);
    world.pass(5).await;
    assert_eq!(weights(&world), [0, 0, 0], "what comes later too");
    ask(&world, "all", Wish::Uncordon).await.unwrap();
    world.pass(2).await;
    assert_eq!((weights(&world), memory.all().len()), (vec![1, 1, 1], 0));
    assert_eq!((said(&world, "event=\"cordoned\""), said(&world, "event=\"uncordoned\"")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_next_agent_goes_on_with_it_until_its_time_is_over() {
    let (docker, endpoint, memory) = (ScriptedDocker::default(), Endpoint::new("sd.internal"), memory());
    let mut world = agent(&docker, &endpoint, &memory).await;
    docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    ask(&world, "_web._tcp", to(9, Some(100))).await.unwrap();
    world.pass(2).await;
    assert_eq!(weights(&world), [9]);
    world.agent.hand_over();
    assert_eq!(world.ended().await, Exit::HandedOver);
    drop(world);
    let before = endpoint.batches().len();
    let world = agent(&docker, &endpoint, &memory).await;
    world.pass(60).await;
    assert_eq!((weights(&world), world.batches_since(before)), (vec![9], vec![]), "nothing is written anew");
    world.pass(40).await;
    assert_eq!((weights(&world), said(&world, "event=\"cordon_ended\"")), (vec![1], 1));
    assert_eq!(memory.all(), []);
}

#[tokio::test(start_paused = true)]
async fn a_registrar_that_is_started_again_knows_it_still() {
    let (docker, endpoint, memory) = (ScriptedDocker::default(), Endpoint::new("sd.internal"), memory());
    let world = agent(&docker, &endpoint, &memory).await;
    docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    ask(&world, "_web._tcp", to(0, None)).await.unwrap();
    world.pass(2).await;
    world.log.panic_at("event=\"registering\"", 1);
    docker.start(2, "_web._tcp", 32002);
    world.pass(70).await;
    assert_eq!((world.log.panics_left(), weights(&world)), (0, vec![0, 0]));
    assert_eq!(world.agent.readiness().borrow().to_string(), "ready");
}

#[tokio::test(start_paused = true)]
async fn what_is_unclear_changes_nothing_and_what_is_not_kept_is_said() {
    let (docker, endpoint) = (ScriptedDocker::default(), Endpoint::new("sd.internal"));
    let world = agent(&docker, &endpoint, &memory().broken("the disk is full")).await;
    docker.start(1, "_web._tcp", 32001);
    world.pass(5).await;
    assert!(matches!(ask(&world, "nobody", to(0, None)).await, Err(Refused::Unknown(_))));
    world.pass(2).await;
    assert_eq!(weights(&world), [1]);
    let Ordered { kept, .. } = ask(&world, "_web._tcp", to(0, None)).await.unwrap();
    assert_eq!(kept.unwrap_err().to_string(), "the disk is full");
    world.pass(2).await;
    assert_eq!((weights(&world), said(&world, "event=\"cordons_not_kept\"")), (vec![0], 1));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_has_ended_answers_nobody() {
    let (docker, endpoint) = (ScriptedDocker::default(), Endpoint::new("sd.internal"));
    let mut world = agent(&docker, &endpoint, &memory()).await;
    let hand = world.agent.hand();
    world.agent.drain();
    world.ended().await;
    assert_eq!(hand.order(Order { what: What::All, wish: to(0, None) }).await, None);
}
