//! A whole agent for a day on a virtual clock, while its containers come and go: whether it grows. And its drains.
//!
//! It runs in this process, with a Docker and a Route 53 that do as they are told; what those keep is thrown away as it
//! comes. Times are virtual, and the same on each machine.

use std::time::Duration;

use ecssd::actors::Exit;
use ecssd::change::pacing::Pace;
use ecssd::record::ContainerId;
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::plot::{Axis, Plot};
use ecssd_testing::route53::endpoint::Endpoint;
use ecssd_testing::route53::faults::{Act, Says};
use tokio::time::Instant;

use crate::table::Table;
use crate::{Plan, say};

const CONTAINERS: u32 = 50;
const HOURS: u32 = 24;
/// The hours in which an agent finds the room that it needs.
const FIRST: usize = 4;
/// How often one of them ends and starts anew.
const PERIOD: Duration = Duration::from_secs(20);
/// What a call takes.
const SERVICE_TIME: Duration = Duration::from_millis(80);

/// Measures the day, then the drains.
pub fn measure(table: &mut Table, _: &Engine, _: Plan) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap().block_on(async {
        say("a day on a virtual clock");
        day(table).await;
        let (throttled, away) = (Act::Say(Says::Throttling), Act::CutBefore);
        for (name, act) in
            [("plain", None), ("throttled for 10 s", Some(throttled)), ("API down", Some(away))]
        {
            say(&format!("drain, {name}"));
            drain(table, name, act).await;
        }
    });
}

async fn world() -> (World, Vec<ContainerId>) {
    let docker = ScriptedDocker::default();
    let start = |number: u32| docker.start(number, &format!("_web{}._tcp", number / 10), port(number));
    let ids: Vec<_> = (1..=CONTAINERS).map(start).collect();
    let endpoint = Endpoint::new(ZONE);
    endpoint.otherwise(Act::AnswerAfter(SERVICE_TIME));
    let world = World::start_as(docker, &endpoint, |dependencies| {
        dependencies.writer.pace = Pace::ROUTE53;
    });
    let world = world.await;
    world.pass(60).await;
    assert_eq!(world.registered(), ids.len());
    (world, ids)
}

fn port(number: u32) -> u16 {
    32_000 + u16::try_from(number).unwrap()
}

async fn day(table: &mut Table) {
    let (world, ids) = world().await;
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let mut memory = Vec::new();
    let mut numbers = (1..=CONTAINERS).cycle();
    for hour in 1..=HOURS {
        let ends = Instant::now() + Duration::from_secs(3_600);
        while Instant::now() < ends {
            let number = numbers.next().unwrap();
            let id = &ids[number as usize - 1];
            world.docker.die(id);
            tokio::time::sleep(PERIOD / 2).await;
            world.docker.start_again(id, port(number));
            tokio::time::sleep(PERIOD / 2).await;
            world.endpoint.forget();
        }
        memory.push((f64::from(hour), own_memory_mb()));
    }
    assert_eq!(world.registered(), ids.len());
    let growth = memory.last().unwrap().1 - memory[FIRST - 1].1;
    let hours = f64::from(HOURS) - FIRST as f64;
    let slope = 1_000.0 * growth / hours;
    table.judged("day-slope", "memory over the last 20 of 24 virtual hours", slope, "kB/h");
    let plot = Plot::new("a day of 50 containers, 4,320 lives", Axis::linear("h"), Axis::linear("MB"));
    table.plot(plot.line("RSS, with Docker and Route 53", memory));
}

/// Of this process, by smaps: the harness is part of it.
fn own_memory_mb() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096.0 / 1e6
}

async fn drain(table: &mut Table, name: &str, act: Option<Act>) {
    let (mut world, _) = world().await;
    let (began, before) = (Instant::now(), world.endpoint.count());
    if let Some(act) = act {
        world.endpoint.otherwise(act);
        if act != Act::CutBefore {
            let endpoint = world.endpoint.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(10)).await;
                endpoint.otherwise(Act::AnswerAfter(SERVICE_TIME));
            });
        }
    }
    world.agent.drain();
    let exit = world.ended().await;
    let (took, calls) = (began.elapsed().as_secs_f64(), world.endpoint.count() - before);
    let left = world.registered();
    assert_eq!(exit == Exit::Drained, left == 0, "{exit:?}, with {left} left");
    table.number(&format!("drain of {CONTAINERS}, {name}: took"), took, "s");
    table.number(&format!("drain of {CONTAINERS}, {name}: calls"), calls.changes as f64, "calls");
    table.number(&format!("drain of {CONTAINERS}, {name}: left"), left as f64, "records");
}
