//! What becomes of a container between the signal that asks it to stop and its end; and of one that a signal may end.

use std::process::Stdio;

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::docker::own::OwnEngine;
use ecssd_testing::wait::service;

/// It is asked to stop, and goes on until it is told that the record is gone.
const DRAINS: &str =
    "trap 'while ! test -e /gone; do sleep 0.02; done; exit 0' TERM; while :; do sleep 0.1; done";

#[test]
fn a_signal_outlives_a_restart_of_the_agent_though_docker_has_forgotten_it() {
    let engine = Engine::given();
    let mut agent = Agent::start(&engine);
    let (name, other) = (service("drains"), service("other"));
    let option = format!("SERVICE_80_NAME={name}");
    let options = ["-p", "80", "-e", &option, "-e", "SERVICE_80_CHECK=none"];
    let drains = engine.run(&options, &["sh", "-c", DRAINS]);
    agent.answers(&name);
    let mut stop = engine.command(&["stop", "-t", "300", &drains.id]).stdout(Stdio::null()).spawn().unwrap();
    agent.gone(&name);
    assert_eq!(agent.hand_over(), Some(0));
    // Each is three events, and the engine remembers 256.
    (0..91).for_each(|_| drains.exec(&["true"]));
    let _other = engine.web(&other, &[]);
    let agent = agent.again();
    // What it finds at its start it registers at once.
    agent.answers(&other);
    assert!(agent.targets(&name).is_empty());
    assert!(drains.is_running());
    drains.exec(&["touch", "/gone"]);
    assert!(stop.wait().unwrap().success());
}

#[test]
fn a_restart_of_docker_that_leaves_a_container_running_ends_its_stop() {
    let mut engine = OwnEngine::start_with(&["--live-restore"]);
    let agent = Agent::start_with(&engine.engine, &["--address", &engine.address]);
    let name = service("restored");
    let option = format!("SERVICE_80_NAME={name}");
    let options = ["-p", "80", "-e", &option];
    let command = "trap '' TERM; httpd -f -p 80 -h /www & while :; do sleep 0.1; done";
    let it = engine.engine.run(&options, &["sh", "-c", command]);
    let port = it.host_port("80/tcp");
    agent.answers_with(&name, port);
    let mut stop = engine.engine.command(&["stop", "-t", "300", &it.id]);
    let mut stop = stop.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    agent.gone(&name);
    engine.stop();
    engine.start_again();
    agent.answers_with(&name, port);
    assert!(agent.log().contains("before Docker was restarted"));
    assert!(!stop.wait().unwrap().success());
}

#[test]
fn a_signal_that_may_end_a_process_takes_its_weight_until_it_has_proved_itself_anew() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("dump");
    let option = format!("SERVICE_80_NAME={name}");
    let command = "trap '' QUIT; httpd -f -p 80 -h /www & while :; do sleep 0.1; done";
    let it = engine.run(&["-p", "80", "-e", &option], &["sh", "-c", command]);
    let other = engine.web(&name, &[]);
    let (port, other_port) = (it.host_port("80/tcp"), other.host_port("80/tcp"));
    let answer = |wanted: &[u16]| {
        agent.wait_for(&format!("answers of {wanted:?} alone"), || {
            let mut answers: Vec<u16> = agent.count(&name, 30).into_keys().collect();
            answers.sort_unstable();
            (answers == wanted).then_some(())
        });
    };
    let mut both = [port, other_port];
    both.sort_unstable();
    answer(&both);
    it.docker(&["kill", "-s", "QUIT"]);
    answer(&[other_port]);
    assert!(agent.targets(&name).len() == 1 && it.is_running());
    answer(&both);
}
