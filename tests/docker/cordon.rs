//! A weight by hand on a real engine, as an operator gives it: over kills of the agent, and ended by hand.

use std::process::{Command, Output};

use ecssd_testing::agent::{Agent, alone, program};
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::wait::service;
use tempfile::TempDir;

/// What an operator types, and what comes of it.
fn typed(socket: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command: Command = alone(program());
    let Output { status, stdout, stderr } =
        command.args(arguments).args(["--status-socket", socket]).output().unwrap();
    let said = [stdout, stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (status.code(), said)
}

#[test]
fn a_cordoned_copy_gets_no_answer_over_a_kill_of_the_agent_until_it_is_uncordoned() {
    let engine = Engine::given();
    let name = service("cordoned");
    let (one, two) = (engine.web(&name, &[]), engine.web(&name, &[]));
    let (port, other) = (one.host_port("80/tcp"), two.host_port("80/tcp"));
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("status.sock").display().to_string();
    let mut agent = Agent::start_with(&engine, &["--full-names", "-all", "--status-socket", &socket]);
    let both = |agent: &Agent| {
        agent.wait_for("both copies", || (agent.targets(&name).len() == 2).then_some(()));
    };
    both(&agent);
    let full = name.replace("._tcp", "-all._tcp");

    let (code, said) = typed(&socket, &["--cordon", &one.id[..12], "--for", "1h"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(": weight 1 -> 0") && said.contains(&name), "{said}");
    assert!(!said.contains(&full) && !said.contains("no other copy"), "{said}");
    agent.answers_with(&name, other);
    agent.kill_9();
    let agent = agent.again();
    agent.answers_with(&name, other);
    let targets = agent.dig(&["+short", "SRV", &agent.full(&full)]);
    assert_eq!(targets.lines().count(), 2, "{targets}");

    let (code, said) = typed(&socket, &["--cordon", &name]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no other copy of it is on this host") && said.contains("counts there"), "{said}");
    for what in [name.as_str(), &one.id] {
        let (code, said) = typed(&socket, &["--uncordon", what]);
        assert_eq!(code, Some(0), "{said}");
    }
    both(&agent);
    let (code, said) = typed(&socket, &["--uncordon", &one.id]);
    assert_eq!((code, said.contains("is not cordoned")), (Some(0), true), "{said}");
    let (code, said) = typed(&socket, &["--cordon", "no-such-container"]);
    assert_eq!((code, said.contains("no container and no service")), (Some(64), true), "{said}");
    assert!(agent.targets(&name).contains(&port));
}
