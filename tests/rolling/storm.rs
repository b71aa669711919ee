//! Containers that crash again and again, beside one that is well.

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Container;
use ecssd_testing::docker::own::OwnEngine;
use ecssd_testing::wait::service;

use crate::copies::{OnTerm, published};
use crate::load::{Load, WHILE_OTHERS_CRASH};

const LOOPING: usize = 4;
/// Docker waits ever longer between two starts, from 0.1 s on: so many are had in 20 s at least.
const RESTARTS_MIN: u64 = 5;
/// What each of those that crash may cost the zone: a record made and taken back, at each of at most 10 starts.
const CHANGES_MAX: usize = 20;

#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn a_crash_loop_does_not_touch_its_neighbour() {
    let own = OwnEngine::start();
    let agent = &mut Agent::start_with(&own.engine, &["--address", &own.address]);
    let well = service("well");
    let _well = published(&own.engine, &well, OnTerm::Serves, &[]);
    agent.answers(&well);
    let load = Load::on(agent.dns(), &agent.full(&well));
    let names: Vec<String> = (0..LOOPING).map(|_| service("looping")).collect();
    let looping: Vec<Container> = names
        .iter()
        .map(|name| {
            let key = format!("SERVICE_80_NAME={name}");
            // Without a check it is registered as soon as it runs: nothing else slows the storm down.
            let options = ["--restart", "always", "-p", "80", "-e", &key, "-e", "SERVICE_80_CHECK=none"];
            own.engine.run(&options, &["false"])
        })
        .collect();
    let report = load.stop_after(WHILE_OTHERS_CRASH);
    let restarts: Vec<u64> =
        looping.iter().map(|container| container.inspect()["RestartCount"].as_u64().unwrap()).collect();
    let changes: Vec<usize> = names.iter().map(|name| agent.changes(name)).collect();
    report.tell(&format!("beside {LOOPING} crash loops (restarts {restarts:?}, changes {changes:?})"));
    assert_eq!(report.failed(), 0);
    assert!(restarts.iter().all(|restarts| *restarts >= RESTARTS_MIN), "no storm: {restarts:?}");
    assert!(changes.iter().all(|changes| *changes <= CHANGES_MAX), "{changes:?}");
    assert_eq!(agent.changes(&well), 1, "it was registered, and then left alone");
}
