//! More events than anybody needs, of one container among others.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ecssd::machine::task_resolver::inspections::{ROW, ROW_WITHIN};
use ecssd_testing::spec;

use crate::engine::{Engine, Image};
use crate::host::{Host, id, named};

/// The flood: so many events a second, told in so many turns, for so long.
const EVENTS_PER_SECOND: usize = 10_000;
const TURNS_PER_SECOND: usize = 100;
const SECONDS: usize = 5;
/// The fewest containers that come and go meanwhile.
const BYSTANDERS_MIN: u16 = 5;

const FLOODING: u16 = 60_000;

#[test]
fn a_flood_of_events_costs_little_and_holds_up_nobody_else() {
    let mut host = Host::start();
    let flooding = id(FLOODING);
    let environment = [named("_flooding._tcp")];
    let image = Image {
        name: "flooding",
        environment: &environment,
        ports: &[(80, FLOODING)],
        health: Some("healthy"),
    };
    host.engine.run(&flooding, &image);
    host.registered("_flooding._tcp");
    come_and_go(&mut host, 1);
    let (rss, cpu) = (host.agent.memory().rss, host.agent.cpu());
    let (looks, began) = (host.engine.looks(&flooding), Instant::now());

    let flood = thread::spawn({
        let engine = host.engine.clone();
        move || flood(&engine, &flooding)
    });
    let mut bystanders = 1;
    while !flood.is_finished() || bystanders <= BYSTANDERS_MIN {
        bystanders += 1;
        come_and_go(&mut host, bystanders);
    }
    let told_in = flood.join().unwrap();
    // Events come in order: with the last container's, all of the flood have been read.
    come_and_go(&mut host, bystanders + 1);
    assert_eq!(host.engine.streams(), 1, "the agent hung up");

    let seconds = began.elapsed().as_secs_f64();
    let looks = host.engine.looks(&id(FLOODING)) - looks;
    let growth = host.agent.peak_rss().unwrap().saturating_sub(rss);
    println!(
        "{} events told in {:.1} s; {bystanders} others served; {looks} looks at the one; {growth} kB more than {rss}; \
         {:.1} s of a core in {seconds:.1} s",
        EVENTS_PER_SECOND * SECONDS,
        told_in.as_secs_f64(),
        (host.agent.cpu() - cpu).as_secs_f64(),
    );
    // 50,000 events that were kept would be far more, at 200 bytes each. Measured: 0.2 to 1 MB, most of it the buffers
    // of the connections.
    spec::judge("flood-memory", growth as f64, "kB");
    let rows = seconds / ROW_WITHIN.as_secs_f64();
    let looks_max = ROW * (rows as usize + 2);
    assert!(looks <= looks_max, "{looks} looks at one container, which {looks_max} would do for");
    assert_eq!(host.agent.changes("_flooding._tcp"), 1, "it was registered, and then left alone");
    assert_eq!(host.agent.drain(), Some(0));
}

/// Tells the flood at its pace, or as fast as the agent takes it; how long that took.
fn flood(engine: &Arc<Engine>, id: &str) -> Duration {
    let events = vec![(id, "health_status: healthy"); EVENTS_PER_SECOND / TURNS_PER_SECOND];
    let began = Instant::now();
    for turn in 0..TURNS_PER_SECOND * SECONDS {
        let due = Duration::from_secs(1) * turn as u32 / TURNS_PER_SECOND as u32;
        thread::sleep(due.saturating_sub(began.elapsed()));
        engine.tell(&events);
    }
    began.elapsed()
}

/// Another container comes and goes.
fn come_and_go(host: &mut Host, number: u16) {
    host.comes_and_goes(number, &format!("_bystander-{number}._tcp"));
}
