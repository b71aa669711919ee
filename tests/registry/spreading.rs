//! A delete that takes its time to reach every name server, and containers that do not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ecssd_testing::route53::front::{Act, Kind};
use ecssd_testing::wait::service;
use ecssd_testing::world::World;

/// Between two questions of one host, as docs/stopping.md has it.
const ASK_EVERY: Duration = Duration::from_secs(5);

#[test]
fn who_ends_before_its_withdrawal_is_everywhere_is_told_of_and_nobody_else() {
    let world = World::new("spreading");
    let mut agent = world.settled_agent();
    let [hasty, patient] = [service("hasty"), service("patient")];
    // Their process is the first one, and ignores the signal: it serves on until it is killed.
    let [one, other] = [world.web(&hasty, &[]), world.web(&patient, &[])];
    world.registered(&agent, &hasty, one.host_port("80/tcp"));
    world.registered(&agent, &patient, other.host_port("80/tcp"));

    let spreads = Arc::new(AtomicBool::new(true));
    let still = spreads.clone();
    world.front.rule(move |seen| match (seen.kind, still.load(Ordering::Relaxed)) {
        (Kind::Change | Kind::Status, true) => Act::Pend,
        (Kind::Status, false) => Act::Spread,
        _ => Act::Pass,
    });
    world.front.forget();
    let started = Instant::now();
    one.docker(&["kill", "--signal", "TERM"]);
    other.docker(&["kill", "--signal", "TERM"]);
    agent.wait_for("both are withdrawn", || {
        let gone = |name| world.zone.named(name).is_empty();
        (gone(&hasty) && gone(&patient)).then_some(())
    });
    one.docker(&["kill"]);
    // A question about the hasty one is answered while its delete is on its way.
    world
        .front
        .wait_for("a question", |seen| seen.iter().any(|seen| seen.kind == Kind::Status && seen.answered));
    spreads.store(false, Ordering::Relaxed);
    agent.says("ended_before_spread");
    other.docker(&["kill"]);
    // For as long as a question about it may take to be its turn, and once more.
    sleep(3 * ASK_EVERY);

    let told: Vec<_> =
        agent.log_lines().into_iter().filter(|line| line["event"] == "ended_before_spread").collect();
    let [line] = &told[..] else { panic!("{told:#?}") };
    assert!(line["services"].as_str().unwrap().starts_with(&hasty), "{line:#?}");
    assert!(line["seconds"].as_u64().unwrap() >= 1 && line["in_sync"] == true, "{line:#?}");
    let questions = world.front.seen().iter().filter(|seen| seen.kind == Kind::Status).count();
    let turns = started.elapsed().as_secs() / ASK_EVERY.as_secs() + 1;
    assert!(questions >= 2 && questions as u64 <= turns, "{questions} questions in {turns} turns");
    assert_eq!(agent.drain(), Some(0));
}
