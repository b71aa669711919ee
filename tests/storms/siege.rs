//! What one container, or one client of the DNS, must not do to the others: hold up their checks, take the agent's
//! time, or use up its descriptors. Each beside honest containers: none of their weights is ever 0, and all their
//! records are written and deleted.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use ecssd_testing::spec;

use crate::besiegers::{Pipelining, answer, connect, question, run_patient};
use crate::host::{Host, listeners, port};
use crate::targets::Targets;

/// The most TCP connections of DNS clients, as the agent promises.
const DNS_CONNECTIONS_MAX: usize = 128;

/// No record was ever written at weight 0, and no check of a healthy service was said to fail.
pub fn nobody_was_shamed(host: &Host) {
    let log = host.agent.log();
    let zero = host.agent.log_lines().into_iter().find(|line| line["weight"] == 0);
    assert_eq!(zero, None, "a weight of 0");
    assert!(!log.contains("its check fails"), "{log}");
}

#[test]
fn a_hundred_hung_checks_of_two_containers_hold_up_nobody() {
    let (targets, mut host) = (Targets::start(100), Host::start());
    let hung = 2 * spec::number("checks-of-a-container", "checks");
    run_patient(&host, 1, &targets.ports[..50]);
    run_patient(&host, 2, &targets.ports[50..]);
    host.wait_for("as many hung checks as there may be", |_| targets.waiting() == hung);

    let honest = listeners(5);
    for (number, listener) in (10..).zip(&honest) {
        let name = format!("_honest-{number}._tcp");
        let id = host.run_checked(number, &name, port(listener));
        host.registered(&name);
        host.engine.die(&id);
        host.gone(&name);
    }
    assert_eq!((targets.peak(), targets.answered()), (hung, 0), "hung checks");
    nobody_was_shamed(&host);
    assert_eq!(host.agent.drain(), Some(0));
}

#[test]
fn hung_checks_of_many_containers_leave_room_for_one_that_comes() {
    let (targets, mut host) = (Targets::start(90), Host::start());
    for (number, ports) in (1..).zip(targets.ports.chunks(3)) {
        run_patient(&host, number, ports);
    }
    // Three quarters of all that a host may have in flight, and one of each that came later.
    host.wait_for("hung checks", |_| targets.waiting() >= 48);
    let honest = listeners(1);
    host.run_checked(99, "_honest._tcp", port(&honest[0]));
    host.registered("_honest._tcp");
    assert_eq!(targets.answered(), 0, "hung checks were not to end before");
    assert!(targets.peak() <= 62, "{} hung checks", targets.peak());
    assert_eq!(host.agent.drain(), Some(0));
}

#[test]
fn pipelining_clients_of_the_dns_get_a_turn_each_and_take_none_of_the_agents_time() {
    /// More than there may be connections: some are turned away.
    const CLIENTS: usize = 200;
    let mut host = Host::start();
    host.run_unchecked(1, "_asked._tcp");
    host.registered("_asked._tcp");
    let clients = Pipelining::start(&host, "_asked._tcp", CLIENTS);
    for number in 10..20 {
        host.comes_and_goes(number, &format!("_honest-{number}._tcp"));
    }
    host.wait_for("an answer for everybody", |_| clients.all_were_answered());
    clients.stop();
    nobody_was_shamed(&host);
    assert_eq!(host.agent.drain(), Some(0));
}

/// How many of these the other side has closed.
fn closed(connections: &mut [TcpStream]) -> usize {
    let is_closed = |stream: &mut TcpStream| {
        stream.set_nonblocking(true).unwrap();
        match stream.read(&mut [0]) {
            Ok(length) => length == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    };
    connections.iter_mut().map(is_closed).filter(|closed| *closed).count()
}

#[test]
fn idle_connections_to_the_dns_make_room_for_others() {
    let mut host = Host::start();
    host.run_unchecked(1, "_asked._tcp");
    host.registered("_asked._tcp");
    let mut idle: Vec<_> = (0..DNS_CONNECTIONS_MAX + 72).map(|_| connect(host.agent.dns())).collect();
    host.wait_for("room for the latest", |_| closed(&mut idle[..72]) == 72);
    // The latest has its turn; all others that are left wait until their time is up.
    let mut latest = connect(host.agent.dns());
    latest.write_all(&question(&host, "_asked._tcp")).unwrap();
    assert!(answer(&mut latest).is_some());
}

#[test]
fn with_few_descriptors_clients_of_the_dns_take_none_that_others_need() {
    let mut host = Host::with_descriptors(64);
    let healthy = listeners(3);
    for (number, listener) in (1..).zip(&healthy) {
        host.run_checked(number, &format!("_healthy-{number}._tcp"), port(listener));
        host.registered(&format!("_healthy-{number}._tcp"));
    }
    let idle: Vec<_> = (0..DNS_CONNECTIONS_MAX).map(|_| connect(host.agent.dns())).collect();
    // More hung checks than there are descriptors.
    let targets = Targets::start(80);
    for (number, ports) in (10..).zip(targets.ports.chunks(20)) {
        run_patient(&host, number, ports);
    }
    host.wait_for("as many hung checks as this limit allows", |_| targets.waiting() >= 12);
    for number in 50..55 {
        host.comes_and_goes(number, &format!("_honest-{number}._tcp"));
    }
    let late = listeners(1);
    host.run_checked(60, "_late._tcp", port(&late[0]));
    host.registered("_late._tcp");
    for number in 1..4 {
        assert!(host.has(&format!("_healthy-{number}._tcp")));
    }
    nobody_was_shamed(&host);
    assert!(!host.agent.log().contains("cannot be checked"), "{}", host.agent.log());
    drop(idle);
    assert_eq!(host.agent.drain(), Some(0));
}
