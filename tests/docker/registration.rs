//! From a container's start to an answer in DNS.

use ecssd_testing::agent::{Agent, alone, program};
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::process::output;
use ecssd_testing::wait::{service, unique};
use tempfile::TempDir;

#[test]
fn a_service_is_answered_with_its_port_and_address() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("web");
    let web = engine.web(&name, &[]);
    let answer = agent.answers(&name);
    assert_eq!(answer.port, web.host_port("80/tcp"));
    assert_eq!(answer.target, "web1.servicediscovery.internal.");
    assert_eq!(answer.addresses, [engine.bridge_address()]);
}

#[test]
fn services_that_were_there_before_the_agent_are_found() {
    let engine = Engine::given();
    let name = service("early");
    let web = engine.web(&name, &[]);
    let agent = Agent::start(&engine);
    agent.answers_with(&name, web.host_port("80/tcp"));
}

#[test]
fn a_service_is_registered_once_it_answers() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("slow");
    let command = "while ! test -e /ready; do sleep 0.05; done; exec httpd -f -p 80 -h /www";
    let slow = engine.run(&["-p", "80", "-e", &format!("SERVICE_80_NAME={name}")], &["sh", "-c", command]);
    // Another one that comes later and answers at once shows that there was time.
    let other = service("prompt");
    engine.web(&other, &[]);
    let prompt = engine.web(&other, &[]);
    agent.answers_with(&other, prompt.host_port("80/tcp"));
    assert!(agent.targets(&name).is_empty());
    slow.exec(&["touch", "/ready"]);
    agent.answers_with(&name, slow.host_port("80/tcp"));
}

#[test]
fn http_and_docker_checks_are_heeded() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let (good, bad, docker) = (service("good"), service("bad"), service("docker"));
    let good_web = engine.web(&good, &["-e", "SERVICE_80_CHECK_HTTP=/health"]);
    let _bad_web = engine.web(&bad, &["-e", "SERVICE_80_CHECK_HTTP=/missing"]);
    let health = ["--health-cmd", "test -e /healthy", "--health-interval", "1s", "--health-retries", "1"];
    let docker_web = engine.web(&docker, &health);
    agent.answers_with(&good, good_web.host_port("80/tcp"));
    assert_eq!((agent.targets(&bad), agent.targets(&docker)), (vec![], vec![]));
    docker_web.exec(&["touch", "/healthy"]);
    agent.answers_with(&docker, docker_web.host_port("80/tcp"));
}

#[test]
fn load_is_shared_by_weight() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("shared");
    let one = engine.web(&name, &[]);
    let three = engine.web(&name, &["-e", "SERVICE_80_WEIGHT=3"]);
    let (one, three) = (one.host_port("80/tcp"), three.host_port("80/tcp"));
    agent.wait_for("both", || (agent.targets(&name).len() == 2).then_some(()));
    let counts = agent.count(&name, 400);
    assert_eq!(counts.values().sum::<usize>(), 400);
    // 100 and 300 expected; six standard deviations of a fair draw are 52.
    assert!((48..=152).contains(&counts[&one]), "{counts:?}");
    assert!((248..=352).contains(&counts[&three]), "{counts:?}");
}

#[test]
fn a_failing_check_sets_weight_0_and_a_passing_one_brings_it_back() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("sick");
    let check = ["-e", "SERVICE_80_CHECK_HTTP=/health", "-e", "SERVICE_80_CHECK_INTERVAL=1"];
    let (well, sick) = (engine.web(&name, &check), engine.web(&name, &check));
    let (well_port, sick_port) = (well.host_port("80/tcp"), sick.host_port("80/tcp"));
    agent.wait_for("both", || (agent.targets(&name).len() == 2).then_some(()));
    sick.exec(&["rm", "/www/health"]);
    agent.answers_with(&name, well_port);
    // When all are at 0, all are answered: a shared fault empties no name.
    well.exec(&["rm", "/www/health"]);
    agent.wait_for("both again", || (agent.targets(&name).len() == 2).then_some(()));
    sick.exec(&["touch", "/www/health"]);
    agent.answers_with(&name, sick_port);
}

#[test]
fn two_services_of_a_container_are_kept_apart_in_either_order_of_names() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    for (first, second) in [("a", "z"), ("z", "a")] {
        let (first, second) = (service(first), service(second));
        let (one, two) = (format!("SERVICE_80_NAME={first}"), format!("SERVICE_81_NAME={second}"));
        let options = ["-p", "80", "-p", "81", "-e", &one, "-e", &two, "-e", "SERVICE_81_CHECK=none"];
        let both = engine.run(&options, &["httpd", "-f", "-p", "80", "-h", "/www"]);
        agent.answers_with(&first, both.host_port("80/tcp"));
        agent.answers_with(&second, both.host_port("81/tcp"));
        both.docker(&["stop", "-t", "1"]);
        agent.gone(&first);
        agent.gone(&second);
    }
}

#[test]
fn a_plain_name_and_a_label_are_as_good() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let (plain, labelled) = (unique("calc"), service("label"));
    let web = engine.web(&plain, &["-l", &format!("service_80_name={labelled}")]);
    let label = format!("SERVICE_80_NAME={labelled}");
    let other = engine.run(&["-p", "80", "-l", &label], &["httpd", "-f", "-p", "80"]);
    agent.answers_with(&plain, web.host_port("80/tcp"));
    agent.answers_with(&labelled, other.host_port("80/tcp"));
}

#[test]
fn bad_keys_are_said_once_and_no_other_value_is_ever_shown() {
    let engine = Engine::given();
    let mut agent = Agent::start_with(&engine, &["--log-level", "debug"]);
    let name = service("canary");
    let canary = "canary-7f3a-secret";
    let web = engine.web(
        &name,
        &[
            "-e",
            &format!("DATABASE_PASSWORD={canary}"),
            "-e",
            &format!("SERVICE_TOKEN={canary}"),
            "-e",
            "SERVICE_80_WEIGHT=300",
            "-l",
            &format!("secret={canary}"),
        ],
    );
    agent.answers_with(&name, web.host_port("80/tcp"));
    web.docker(&["restart", "-t", "0"]);
    agent.answers_with(&name, web.host_port("80/tcp"));
    let said = |agent: &Agent| {
        let of_it = |line: &&serde_json::Value| line["container"] == web.id[..12];
        let lines = agent.log_lines();
        lines.iter().filter(of_it).filter(|line| line.to_string().contains("SERVICE_80_WEIGHT")).count()
    };
    assert_eq!(said(&agent), 1);
    assert_eq!(agent.drain(), Some(0));
    assert!(!agent.log().contains("canary-7f3a"), "{}", agent.log());
}

#[test]
fn a_name_that_is_not_allowed_is_refused_and_an_agent_that_is_told_fewer_withdraws_the_rest() {
    let engine = Engine::given();
    let (web, admin) = (service("web"), service("admin"));
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("status.sock").display().to_string();
    let start = |names: &str, state: &str| {
        let options = ["--names", names, "--state-dir", state, "--status-socket", &socket];
        Agent::start_with(&engine, &options)
    };
    let state = dir.path().join("state").display().to_string();
    let mut agent = start("*._tcp", &state);
    let copy = engine.web(&format!("{web},{admin}"), &["-e", "SERVICE_80_A=other"]);
    let port = copy.host_port("80/tcp");
    agent.answers_with(&web, port);
    agent.answers_with(&admin, port);
    let refused = "SERVICE_80_A: other is none of the names that --names allows here: *._tcp";
    // What is shown may be a moment old.
    let status = || output(alone(program()).args(["--status", "--status-socket", &socket]));
    agent.wait_for("its refusal", || status().contains(refused).then_some(()));
    assert_eq!(agent.log_lines().iter().filter(|line| line.to_string().contains(refused)).count(), 1);

    // Those that it had stay where they are allowed, and go where they are not.
    assert_eq!(agent.hand_over(), Some(0));
    let mut agent = start(&web, &state);
    agent.gone(&admin);
    agent.answers_with(&web, port);
    assert_eq!(agent.drain(), Some(0));
}
