//! What a container offers, by the network that it has.

use std::net::TcpListener;

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::ecs::{TASK_LABEL, introspection};
use ecssd_testing::wait::{service, unique};

#[test]
fn the_lowest_host_port_is_published_and_loopback_never() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let (several, loopback) = (service("several"), service("loopback"));
    let web = engine.web(&several, &["-p", "127.0.0.1::80", "-p", "80"]);
    let option = format!("SERVICE_80_NAME={loopback}");
    let hidden = engine.run(&["-p", "127.0.0.1::80", "-e", &option], &["httpd", "-f", "-p", "80"]);
    agent.answers_with(&several, web.host_port("80/tcp"));
    agent.wait_for("the reason", || {
        let lines = agent.log_lines();
        let of_it = lines.iter().filter(|line| line["container"] == hidden.id[..12]);
        of_it.filter_map(|line| line["message"].as_str()).find(|text| text.contains("loopback")).map(|_| ())
    });
    agent.gone(&loopback);
}

#[test]
fn tcp_and_udp_of_one_number_are_two_ports() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let stem = unique("dns");
    let (tcp, udp) = (format!("_{stem}._tcp"), format!("_{stem}._udp"));
    let option = format!("SERVICE_80_NAME={tcp},{udp}");
    let options = ["-p", "80/tcp", "-p", "80/udp", "-p", "80/udp", "-e", &option];
    let both = engine.run(&options, &["httpd", "-f", "-p", "80"]);
    agent.answers_with(&tcp, both.host_port("80/tcp"));
    agent.answers_with(&udp, both.host_port("80/udp"));
}

#[test]
fn host_and_user_defined_networks_are_published() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let (host, user) = (service("host"), service("user"));
    // A port that the kernel just gave away and took back.
    let free = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
    let port = free.to_string();
    let option = format!("SERVICE_{port}_NAME={host}");
    let _host = engine.run(&["--network", "host", "-e", &option], &["httpd", "-f", "-p", &port]);
    let network = unique("net");
    engine.docker(&["network", "create", &network]);
    let web = engine.web(&user, &["--network", &network]);
    agent.answers_with(&host, free);
    agent.answers_with(&user, web.host_port("80/tcp"));
    drop(web);
    engine.docker(&["network", "rm", &network]);
}

#[test]
fn a_shared_network_is_tied_to_both_lives() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("sharer");
    let owner = engine.run(&["-p", "80"], &["sleep", "1000"]);
    let option = format!("SERVICE_80_NAME={name}");
    let network = format!("container:{}", owner.id);
    let _sharer = engine.run(&["--network", &network, "-e", &option], &["httpd", "-f", "-p", "80"]);
    agent.answers_with(&name, owner.host_port("80/tcp"));
    owner.docker(&["kill"]);
    agent.gone(&name);
}

#[test]
fn what_stops_the_owner_of_a_network_withdraws_its_sharers_first() {
    let engine = Engine::given();
    let agent = Agent::start(&engine);
    let name = service("sharer");
    let owner = engine.graceful("QUIT", &[]);
    let (option, network) = (format!("SERVICE_80_NAME={name}"), format!("container:{}", owner.id));
    let _sharer = engine.run(&["--network", &network, "-e", &option], &["httpd", "-f", "-p", "80"]);
    agent.answers(&name);
    owner.stop_around(|| agent.gone(&name));
}

#[test]
fn a_task_with_its_own_address_is_published_there() {
    let engine = Engine::given();
    let mut agent = Agent::start_with(&engine, &["--ecs-introspection", &introspection("10.9.8.7")]);
    let name = service("task");
    let pause = engine.run(&["--network", "none"], &["sleep", "1000"]);
    let (option, network) = (format!("SERVICE_80_NAME={name}"), format!("container:{}", pause.id));
    let options = ["--network", &network, "-e", &option, "-e", "SERVICE_80_CHECK=none", "-l", TASK_LABEL];
    let task = engine.run(&options, &["httpd", "-f", "-p", "80"]);
    let answer = agent.answers_with(&name, 80);
    assert_eq!(answer.target, format!("{}.servicediscovery.internal.", &task.id[..12]));
    assert_eq!(answer.addresses, ["10.9.8.7".parse::<std::net::Ipv4Addr>().unwrap()]);
    // Its address goes with it.
    assert_eq!(agent.drain(), Some(0));
    assert_eq!(agent.zone().iter().filter(|set| set.name.starts_with(&task.id[..12])).count(), 0);
}
