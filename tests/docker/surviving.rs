//! The agent is killed, or the engine goes away.

use std::time::Duration;

use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::agent::Agent;
use ecssd_testing::dns::Steady;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::docker::own::OwnEngine;
use ecssd_testing::wait::service;
use hickory_server::proto::rr::Name;
use tempfile::TempDir;

#[test]
fn kill_9_and_a_new_start_change_nothing() {
    let engine = Engine::given();
    let names: Vec<_> = (0..3).map(|_| service("survivor")).collect();
    let webs: Vec<_> = names.iter().map(|name| engine.web(name, &[])).collect();
    let mut agent = Agent::start(&engine);
    names.iter().for_each(|name| drop(agent.answers(name)));
    agent.signal("KILL");
    agent.ended();
    let ours = |agent: &mut Agent| {
        let zone = agent.zone();
        zone.into_iter().filter(|set| names.iter().any(|name| set.name.contains(name))).collect::<Vec<_>>()
    };
    let before = ours(&mut agent);
    assert_eq!(before.len(), 3);
    let mut agent = agent.again();
    for (name, web) in names.iter().zip(&webs) {
        agent.answers_with(name, web.host_port("80/tcp"));
    }
    agent.signal("KILL");
    agent.ended();
    assert_eq!(ours(&mut agent), before);
    // Nothing of them was even written again.
    assert_eq!(names.iter().map(|name| agent.changes(name)).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn ten_restarts_tell_nobody_that_a_running_service_is_not_there() {
    let engine = Engine::given();
    let name = service("steady");
    let _web = engine.web(&name, &[]);
    // Where one agent has answered, the next does.
    let listen = Agent::start(&engine).dns().to_string();
    let mut agent = Agent::start_with(&engine, &["--dns-listen", &listen]);
    agent.answers(&name);
    let full = Name::from_ascii(agent.full(&name)).unwrap();
    let none = Name::from_ascii(agent.full(&service("none"))).unwrap();
    let (client, other) = (Steady::start(agent.dns(), &full), Steady::start(agent.dns(), &none));
    for _ in 0..10 {
        assert_eq!(agent.drain(), Some(0));
        agent = agent.again();
        agent.answers(&name);
    }
    let (heard, other) = (client.stop(), other.stop());
    println!("ten restarts: {heard:?}; of a name that is not there: {other:?}");
    assert!(heard.there > 0 && heard.not_there == 0, "{heard:?}");
    assert!(other.not_there > 0 && other.there == 0 && other.remembered_for == 5, "{other:?}");
}

#[test]
fn what_stopped_while_the_agent_was_down_is_withdrawn_at_its_start() {
    let engine = Engine::given();
    let (gone, restarted) = (service("gone"), service("restarted"));
    let (gone_web, restarted_web) = (engine.web(&gone, &[]), engine.web(&restarted, &[]));
    let mut agent = Agent::start(&engine);
    agent.answers(&gone);
    agent.answers(&restarted);
    agent.signal("KILL");
    agent.ended();
    gone_web.docker(&["stop", "-t", "0"]);
    restarted_web.docker(&["restart", "-t", "0"]);
    let agent = agent.again();
    agent.gone(&gone);
    agent.answers_with(&restarted, restarted_web.host_port("80/tcp"));
}

#[test]
fn a_host_that_is_renamed_empties_no_name() {
    let engine = Engine::given();
    let (name, state) = (service("renamed"), TempDir::new().unwrap());
    let _web = engine.web(&name, &[]);
    // Where one agent has answered, the next does.
    let listen = Agent::start(&engine).dns().to_string();
    let called = |host| {
        let state = state.path().to_str().unwrap();
        Agent::start_with(&engine, &["--hostname", host, "--state-dir", state, "--dns-listen", &listen])
    };
    let mut agent = called("before");
    assert!(agent.answers(&name).target.starts_with("before."));
    let client = Steady::start(agent.dns(), &Name::from_ascii(agent.full(&name)).unwrap());
    // The second keeps its first label, and with it the name of its address.
    for host in ["after", "after.corp.example"] {
        // As a crash leaves it: the records stand.
        agent.kill_9();
        agent = called(host);
        assert!(agent.answers(&name).target.starts_with("after."));
    }
    let heard = client.stop();
    assert!(heard.there > 0 && heard.not_there == 0, "{heard:?}");
    assert_eq!(agent.dig(&["+short", "A", &agent.full("before")]), "");
    agent.kill_9();
    let zone = EmbeddedZone::open(state.path(), "servicediscovery.internal", Options::default()).unwrap();
    let marks: Vec<_> = zone.snapshot().into_iter().filter_map(|set| set.set_identifier).collect();
    assert!(marks.len() >= 2 && marks.iter().all(|mark| mark.starts_with("after.corp.example")), "{marks:?}");
}

#[test]
fn without_an_engine_it_waits_without_using_the_cpu_and_still_drains() {
    let nowhere = Engine { socket: "/nonexistent/docker.sock".into() };
    let mut agent = Agent::start_with(&nowhere, &["--address", "127.0.0.1"]);
    agent.wait_for("a word of it", || agent.log().contains("Docker is away").then_some(()));
    assert_idle(&agent);
    assert_eq!(agent.log().matches("Docker is away").count(), 1);
    assert_eq!(agent.drain(), Some(0));
}

#[test]
fn an_engine_that_is_stopped_and_started_is_found_again() {
    let mut engine = OwnEngine::start();
    let mut agent = Agent::start_with(&engine.engine, &["--address", &engine.address]);
    let (back, gone) = (service("back"), service("gone"));
    let back_web = engine.engine.web(&back, &["--restart", "always"]);
    let _gone_web = engine.engine.web(&gone, &[]);
    agent.answers_with(&back, back_web.host_port("80/tcp"));
    agent.answers(&gone);
    engine.stop();
    assert_idle(&agent);
    engine.start_again();
    // Docker ended its containers with itself, and started one of them anew, with another port.
    agent.gone(&gone);
    agent.wait_for("its new port", || {
        let port = back_web.is_running().then(|| back_web.host_port("80/tcp"))?;
        (agent.targets(&back) == [port]).then_some(())
    });
    assert_eq!(agent.drain(), Some(0));
}

/// The agent does next to nothing for three seconds: a loop without a pause would take all of them.
fn assert_idle(agent: &Agent) {
    let before = agent.cpu();
    std::thread::sleep(Duration::from_secs(3));
    let spent = agent.cpu() - before;
    assert!(spent <= Duration::from_millis(150), "{spent:?} of CPU in 3 s");
}
