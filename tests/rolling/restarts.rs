//! The engine is restarted under its containers, or with them.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::{Container, Engine};
use ecssd_testing::docker::own::OwnEngine;
use ecssd_testing::wait::service;

use crate::copies::{OnTerm, Rollout, on_host, published};
use crate::load::{Cause, Interval, Load, Report, WHILE_ENGINES_RESTART};

/// How often an engine is restarted that leaves its containers running.
const RESTARTS: usize = 2;
/// What a consumer asks meanwhile, and between.
const REQUESTS: usize = 60;
/// Where containers on the host's network listen, from here on.
const HOST_PORTS: u16 = 20_000;

/// Restarts an engine under containers that go on, again and again, and replaces them after each time.
fn restart_under(what: &str, start: &dyn Fn(&Engine, &str) -> Container) -> (Report, Vec<Interval>) {
    let mut own = OwnEngine::start_with(&["--live-restore"]);
    let (engine, address) = (own.engine.clone(), own.address.clone());
    let agent = Agent::start_with(&engine, &["--address", &address]);
    let name = service("rolled");
    let rollout = Rollout {
        engine: &engine,
        start: &|| start(&engine, &name),
        targets: &|| agent.targets(&name),
        log: &|| agent.log(),
    };
    let (mut copies, mut starts) = (rollout.begin(), Vec::new());
    let load = Load::on(agent.dns(), &agent.full(&name));
    load.more(REQUESTS);
    for _ in 0..RESTARTS {
        own.stop();
        load.more(REQUESTS);
        let before = Instant::now();
        starts.push((before, own.start_again()));
        load.more(REQUESTS);
        // The agent is back at work.
        copies = rollout.replace(copies);
    }
    load.more(REQUESTS);
    let report = load.stop_after(WHILE_ENGINES_RESTART);
    report.tell(what);
    drop(copies);
    (report, starts)
}

#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn an_engine_restarted_with_live_restore_fails_no_request() {
    let next = AtomicU16::new(HOST_PORTS);
    let start = |engine: &Engine, name: &str| {
        on_host(engine, name, OnTerm::Serves, next.fetch_add(1, Ordering::Relaxed))
    };
    let (report, _) = restart_under("engine restarted with live-restore, twice, network host", &start);
    assert_eq!(report.failed(), 0);
}

/// Docker writes its firewall anew when it starts, and while it does, no published port leads anywhere. No record
/// could say better: the container runs, and is there again in a moment.
#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn published_ports_fail_under_live_restore_only_while_docker_starts() {
    let start = |engine: &Engine, name: &str| published(engine, name, OnTerm::Serves, &[]);
    let (report, starts) =
        restart_under("engine restarted with live-restore, twice, published ports", &start);
    let causes = report.causes();
    assert!(causes.keys().all(|cause| *cause == Cause::Refused), "{causes:?}");
    assert_eq!(report.failed_outside(&starts), 0);
}

/// Records are right again, from the engine's first answer on, no later than it took in the same run to start as many
/// copies and give them records.
#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn an_engine_restarted_with_its_containers_is_right_again_as_soon_as_after_a_first_start() {
    let mut own = OwnEngine::start();
    let (engine, address) = (own.engine.clone(), own.address.clone());
    let agent = Agent::start_with(&engine, &["--address", &address]);
    let name = service("rolled");
    let rollout = Rollout {
        engine: &engine,
        start: &|| published(&engine, &name, OnTerm::Serves, &["--restart", "always"]),
        targets: &|| agent.targets(&name),
        log: &|| agent.log(),
    };
    let began = Instant::now();
    let copies = rollout.begin();
    let baseline = began.elapsed();
    let load = Load::on(agent.dns(), &agent.full(&name));
    load.more(REQUESTS);
    own.stop();
    load.more(REQUESTS);
    let answered = own.start_again();
    rollout.wait("all copies to run again", |_| copies.all_run());
    rollout.leads_to(&copies);
    let (now, right) = (Instant::now(), answered.elapsed());
    load.more(2 * REQUESTS);
    let report = load.stop_after(WHILE_ENGINES_RESTART);
    report.tell("engine restarted with its containers");
    println!(
        "    records right within {right:.2?} of its first answer; baseline: {baseline:.2?} for a first start"
    );
    assert!(right <= baseline, "{right:?}, and {baseline:?} for a first start");
    assert_eq!(report.failed_after(now), 0);
}
