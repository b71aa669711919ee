//! Several containers that claim one port of the host.

use std::net::TcpListener;

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::{Container, Engine};
use ecssd_testing::wait::service;

/// A port that the kernel just gave away and took back.
fn free_port() -> u16 {
    TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port()
}

/// On a network that it shares with others: tries to listen at this port, until it can.
fn claimant(engine: &Engine, network: &str, name: &str, port: u16, options: &[&str]) -> Container {
    let option = format!("SERVICE_{port}_NAME={name}");
    let command = format!("while :; do httpd -f -p {port} -h /www; sleep 0.05; done");
    let options = [&["--network", network, "-e", &option], options].concat();
    engine.run(&options, &["sh", "-c", &command])
}

/// Waits until the log has said so often that a container waits for its port.
fn waits(agent: &Agent, container: &Container, times: usize) {
    agent.wait_for("the reason", || {
        let lines = agent.log_lines();
        let said = |line: &&serde_json::Value| {
            line["container"] == container.id[..12] && line["event"] == "port_taken"
        };
        (lines.iter().filter(said).count() == times).then_some(())
    });
}

#[test]
fn the_hosts_network_does_not_take_the_port_that_docker_publishes_and_has_it_when_that_is_over() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let (published, bound) = (service("published"), service("bound"));
    let port = free_port();
    let option = format!("SERVICE_80_NAME={published}");
    let binding = format!("{port}:80");
    let publisher = engine.run(&["-p", &binding, "-e", &option], &["httpd", "-f", "-p", "80", "-h", "/www"]);
    agent.answers_with(&published, port);
    let other = claimant(&engine, "host", &bound, port, &["-e", &format!("SERVICE_{port}_CHECK=none")]);
    waits(&agent, &other, 1);
    agent.answers_with(&published, port);
    assert!(agent.targets(&bound).is_empty());
    drop(publisher);
    agent.gone(&published);
    agent.answers_with(&bound, port);
}

#[test]
fn a_port_that_is_published_for_no_service_is_nobody_elses_either() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let bound = service("bound");
    let port = free_port();
    let publisher = engine.run(&["-p", &format!("{port}:80")], &["httpd", "-f", "-p", "80", "-h", "/www"]);
    let other = claimant(&engine, "host", &bound, port, &[]);
    waits(&agent, &other, 1);
    assert!(agent.targets(&bound).is_empty());
    drop(publisher);
    agent.answers_with(&bound, port);
}

#[test]
fn of_two_on_the_hosts_network_the_one_that_serves_keeps_its_name_until_it_has_ended() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let port = free_port();
    let (first, second) = (service("first"), service("second"));
    let serves = claimant(&engine, "host", &first, port, &[]);
    agent.answers_with(&first, port);
    let cannot_bind = claimant(&engine, "host", &second, port, &[]);
    waits(&agent, &cannot_bind, 1);
    agent.answers_with(&first, port);
    assert!(agent.targets(&second).is_empty());
    // Frozen, its socket takes connections all the same.
    serves.docker(&["pause"]);
    agent.wait_for("weight 0", || {
        let lines = agent.log_lines();
        let own = |line: &serde_json::Value| line["container"] == serves.id[..12] && line["weight"] == 0;
        lines.iter().any(own).then_some(())
    });
    assert!(agent.targets(&second).is_empty());
    serves.docker(&["unpause"]);
    agent.answers_with(&first, port);
    serves.docker(&["kill"]);
    agent.gone(&first);
    agent.answers_with(&second, port);
}

#[test]
fn an_agent_that_starts_again_knows_who_had_a_port() {
    let engine = Engine::given();
    let mut agent = Agent::start(&engine);
    let port = free_port();
    let (first, second) = (service("first"), service("second"));
    let _serves = claimant(&engine, "host", &first, port, &[]);
    agent.answers_with(&first, port);
    // Without a check it counts as passing, whether it listens or not.
    let check = format!("SERVICE_{port}_CHECK=none");
    let cannot_bind = claimant(&engine, "host", &second, port, &["-e", &check]);
    waits(&agent, &cannot_bind, 1);
    agent.signal("HUP");
    assert_eq!(agent.ended(), Some(0));
    let agent = agent.again();
    waits(&agent, &cannot_bind, 2);
    agent.answers_with(&first, port);
    assert!(agent.targets(&second).is_empty());
}

#[test]
fn of_two_that_share_a_network_the_one_that_serves_keeps_its_name() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let (first, second) = (service("first"), service("second"));
    let owner = engine.run(&["-p", "80"], &["sleep", "1000"]);
    let network = format!("container:{}", owner.id);
    let serves = claimant(&engine, &network, &first, 80, &[]);
    let port = owner.host_port("80/tcp");
    agent.answers_with(&first, port);
    let cannot_bind = claimant(&engine, &network, &second, 80, &[]);
    waits(&agent, &cannot_bind, 1);
    agent.answers_with(&first, port);
    assert!(agent.targets(&second).is_empty());
    serves.docker(&["kill"]);
    agent.gone(&first);
    agent.answers_with(&second, port);
}

#[test]
fn a_port_is_found_by_all_three_kinds_of_names_and_by_none_once_it_is_asked_to_stop() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let (weighted, full, address) = (service("weighted"), service("full"), "three-kinds");
    let port = free_port();
    let keys = [("NAME", &*weighted), ("ALL", &*full), ("A", address)];
    let keys = keys.map(|(key, name)| format!("SERVICE_{port}_{key}={name}"));
    let binding = format!("{port}:{port}");
    let options = ["-p", &*binding, "-e", &*keys[0], "-e", &*keys[1], "-e", &*keys[2]];
    let command = ["httpd", "-f", "-p", &port.to_string(), "-h", "/www"].map(str::to_owned);
    let copy = engine.run(&options, &command.each_ref().map(String::as_str));
    agent.answers_with(&weighted, port);
    agent.answers_with(&full, port);
    let asked = agent.full(address);
    let found = agent.dig(&["+short", "A", &asked]);
    assert_eq!(found.lines().count(), 1, "{found}");
    let target = agent.srv(&weighted).unwrap().target;
    assert_eq!(found, agent.dig(&["+short", "A", &target]), "the address that the SRV leads to");
    copy.docker(&["kill", "--signal", "TERM"]);
    agent.gone(&weighted);
    agent.gone(&full);
    assert_eq!(agent.dig(&["+short", "A", &asked]), "");
}
