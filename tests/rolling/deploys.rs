//! All copies of a service are replaced, again and again; the agent itself too.

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::own::OwnEngine;
use ecssd_testing::route53::hosted::{HostedZone, unique_zone};
use ecssd_testing::wait::service;
use ecssd_testing::world::{World, port};

use crate::copies::{OnTerm, Rollout, published};
use crate::load::{Load, WHILE_AGENTS_ARE_REPLACED, WHILE_COPIES_ARE_REPLACED};
use crate::secondary::Secondary;

const REPLACEMENTS: usize = 10;
/// How often the agent is replaced in each way.
const UPGRADES: usize = 3;
/// What a consumer asks while nothing happens, before and after.
const QUIET_REQUESTS: usize = 60;

#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn ten_rolling_replacements_fail_no_request() {
    let own = OwnEngine::start();
    let agent = Agent::start_with(&own.engine, &["--address", &own.address]);
    let name = service("rolled");
    let rollout = Rollout {
        engine: &own.engine,
        start: &|| published(&own.engine, &name, OnTerm::Serves, &[]),
        targets: &|| agent.targets(&name),
        log: &|| agent.log(),
    };
    let mut copies = rollout.begin();
    let load = Load::on(agent.dns(), &agent.full(&name));
    load.more(QUIET_REQUESTS);
    for _ in 0..REPLACEMENTS {
        copies = rollout.replace(copies);
    }
    load.more(QUIET_REQUESTS);
    let report = load.stop_after(WHILE_COPIES_ARE_REPLACED);
    report.tell("10 replacements");
    assert_eq!(report.failed(), 0);
}

/// Replaces the agent in a way, and all copies under each new agent: it knows what it took over.
fn replace_agents(what: &str, end: impl Fn(&mut ecssd_testing::process::Process)) {
    let own = OwnEngine::start();
    let world = World::on(own.engine.clone(), HostedZone::make(&unique_zone("rolling"), true));
    let name = service("rolled");
    let start = || world.agent(&["--address", &own.address]);
    let targets = || {
        let mut ports: Vec<u16> = world.zone.named(&name).iter().map(port).collect();
        ports.sort_unstable();
        ports
    };
    let agent = std::cell::RefCell::new(start());
    agent.borrow().says("zone read");
    let rollout = Rollout {
        engine: &own.engine,
        start: &|| published(&own.engine, &name, OnTerm::Serves, &["-l", &world.label]),
        targets: &targets,
        log: &|| agent.borrow().log(),
    };
    let mut copies = rollout.begin();
    let dns = Secondary::of(&world.zone);
    let load = Load::on(dns.address, &world.zone.full(&name));
    load.more(QUIET_REQUESTS);
    for _ in 0..UPGRADES {
        world.front.forget();
        end(&mut agent.borrow_mut());
        load.more(QUIET_REQUESTS);
        *agent.borrow_mut() = start();
        agent.borrow().says("Docker answers");
        load.more(QUIET_REQUESTS);
        assert!(world.front.batches().is_empty(), "it wrote what was there: {:?}", world.front.batches());
        copies = rollout.replace(copies);
    }
    load.more(QUIET_REQUESTS);
    let report = load.stop_after(WHILE_AGENTS_ARE_REPLACED);
    report.tell(what);
    assert_eq!(report.failed(), 0);
}

#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn an_upgrade_of_the_agent_by_sighup_fails_no_request() {
    replace_agents("agent upgraded by SIGHUP, 3 times", |agent| assert_eq!(agent.hand_over(), Some(0)));
}

#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn an_agent_killed_with_9_and_started_again_fails_no_request() {
    replace_agents("agent killed with -9, 3 times", ecssd_testing::process::Process::kill_9);
}
