//! Containers that stop, start, pause and vanish.

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::wait::service;

#[test]
fn a_stopped_container_comes_back_with_its_new_port() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("again");
    let web = engine.web(&name, &[]);
    agent.answers_with(&name, web.host_port("80/tcp"));
    web.docker(&["stop", "-t", "1"]);
    agent.gone(&name);
    web.docker(&["start"]);
    agent.answers_with(&name, web.host_port("80/tcp"));
    web.docker(&["restart", "-t", "1"]);
    agent.answers_with(&name, web.host_port("80/tcp"));
}

#[test]
fn a_short_pause_changes_nothing_and_a_longer_one_takes_the_weight_until_it_goes_on() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("paused");
    let web = engine.web(&name, &[]);
    agent.answers(&name);
    web.docker(&["pause"]);
    web.docker(&["unpause"]);
    web.docker(&["pause"]);
    let weights = || -> Vec<_> {
        let lines = agent.log_lines();
        let own =
            |line: &&serde_json::Value| line["container"] == web.id[..12] && line["event"] == "registering";
        lines.iter().filter(own).filter_map(|line| line["weight"].as_i64()).collect()
    };
    agent.wait_for("weight 0", || (weights() == [1, 0]).then_some(()));
    agent.answers(&name);
    web.docker(&["unpause"]);
    agent.wait_for("its weight", || (weights() == [1, 0, 1]).then_some(()));
    agent.answers_with(&name, web.host_port("80/tcp"));
}

#[test]
fn a_removed_container_is_withdrawn() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("removed");
    let web = engine.web(&name, &[]);
    agent.answers(&name);
    web.docker(&["rm", "-f"]);
    agent.gone(&name);
}

#[test]
fn what_dies_at_once_leaves_nothing_and_is_no_error() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("brief");
    let option = format!("SERVICE_80_NAME={name}");
    for _ in 0..5 {
        let all =
            ["run", "--rm", "-p", "80", "-e", &option, "-e", "SERVICE_80_CHECK=none", "ecssd-test", "true"];
        engine.docker(&all);
    }
    let after = service("after");
    let web = engine.web(&after, &[]);
    agent.answers_with(&after, web.host_port("80/tcp"));
    agent.gone(&name);
    let errors: Vec<_> = agent.log_lines().into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors, Vec::<serde_json::Value>::new());
}

#[test]
fn a_signal_that_does_not_stop_changes_nothing() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("hup");
    let option = format!("SERVICE_80_NAME={name}");
    let command = ["sh", "-c", "trap '' HUP USR1; while :; do sleep 1; done"];
    let it = engine.run(&["-p", "80", "-e", &option, "-e", "SERVICE_80_CHECK=none"], &command);
    agent.answers(&name);
    it.docker(&["kill", "-s", "HUP"]);
    it.docker(&["kill", "-s", "USR1"]);
    // A later event that shows that these have been taken.
    let other = service("later");
    let web = engine.web(&other, &[]);
    agent.answers_with(&other, web.host_port("80/tcp"));
    agent.answers_with(&name, it.host_port("80/tcp"));
    assert!(
        !agent.log_lines().iter().any(|line| line["service"].as_str().is_some_and(|s| s.starts_with(&name))
            && line["event"] == "withdrawing")
    );
}
