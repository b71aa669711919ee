//! HAProxy in front of four copies, while copies stop and are killed, and the agent goes away.

use std::time::Duration;

use crate::haproxy::{self, FRONT, HaProxy};
use crate::host::{Host, NAME};
use crate::load::{Load, Phase};

const COPIES: usize = 4;
/// How long the agent is gone after `kill -9`.
const KILLED: Duration = Duration::from_secs(10);
/// Some answers of DNS.
const SETTLED: Duration = Duration::from_secs(3);

/// All that can happen, so many times; how many requests the kills cut off.
fn rounds(host: &mut Host, haproxy: &HaProxy, load: &Load, rounds: usize, away: Duration) -> usize {
    let mut cut_off = 0;
    for number in 0..rounds {
        let copy = host.copy(number % COPIES);
        load.meanwhile("`docker stop` and start of a copy that serves on for 2 s");
        copy.container.docker(&["stop", "-t", "30"]);
        haproxy.has(COPIES - 1);
        copy.container.docker(&["start"]);
        haproxy.has(COPIES);

        let copy = host.copy((number + 1) % COPIES);
        load.meanwhile("`docker kill` and start");
        copy.container.docker(&["kill"]);
        cut_off += copy.cut_off();
        haproxy.has(COPIES - 1);
        copy.container.docker(&["start"]);
        haproxy.has(COPIES);

        load.meanwhile("SIGHUP to the agent, and a new one");
        assert_eq!(host.agent().hand_over(), Some(0));
        host.agent_again();
        haproxy.keeps(COPIES, SETTLED);

        load.meanwhile("`kill -9` of the agent, and a new one after 10 s");
        host.agent().kill_9();
        haproxy.keeps(COPIES, KILLED);
        host.agent_again();
        haproxy.keeps(COPIES, SETTLED);

        load.meanwhile("DNS does not answer");
        host.agent().signal("STOP");
        haproxy.keeps(COPIES, away);
        host.agent().signal("CONT");
        haproxy.keeps(COPIES, SETTLED);
    }
    cut_off
}

/// Without DNS for so long each time.
fn haproxy_survives(times: usize, away: Duration) {
    let mut host = Host::start(COPIES);
    let haproxy = HaProxy::start(NAME);
    haproxy.has(COPIES);
    let load = Load::on(FRONT);
    let cut_off = rounds(&mut host, &haproxy, &load, times, away);
    judge(load, cut_off, times * 1_000);
}

/// No request has failed but, at kills, as many as those cut off.
fn judge(load: Load, cut_off: usize, at_least: usize) {
    let phases = load.stop();
    for phase in &phases {
        println!("haproxy: {phase}");
    }
    println!("haproxy: at the kills {cut_off} requests were in flight");
    let failed = |phase: &Phase| phase.failed.len();
    let all: usize = phases.iter().map(failed).sum();
    let at_kills: usize = phases.iter().filter(|phase| phase.what.contains("docker kill")).map(failed).sum();
    assert!(
        all == at_kills && at_kills <= cut_off,
        "{all} failed, {at_kills} at kills, which cut off {cut_off}"
    );
    let asked: usize = phases.iter().map(|phase| phase.asked).sum();
    assert!(asked > at_least, "{asked}");
}

#[test]
#[ignore = "takes HAProxy and root: tests/run consumers"]
fn haproxy_that_keeps_what_is_withdrawn_loses_no_more() {
    let host = Host::start(COPIES);
    let haproxy = HaProxy::with(NAME, haproxy::keeping);
    haproxy.has(COPIES);
    let load = Load::on(FRONT);
    load.meanwhile("`docker stop` and start, withdrawn copies kept");
    host.copy(0).container.docker(&["stop", "-t", "30"]);
    haproxy.has_up(COPIES - 1);
    host.copy(0).container.docker(&["start"]);
    haproxy.has_up(COPIES);
    load.meanwhile("`docker kill` and start, withdrawn copies kept");
    host.copy(1).container.docker(&["kill"]);
    let cut_off = host.copy(1).cut_off();
    haproxy.has_up(COPIES - 1);
    host.copy(1).container.docker(&["start"]);
    haproxy.has_up(COPIES);
    judge(load, cut_off, 200);
}

#[test]
#[ignore = "takes HAProxy and root: tests/run consumers"]
fn haproxy_loses_no_request_but_those_in_flight_at_a_kill() {
    haproxy_survives(1, Duration::from_secs(10));
}

#[test]
#[ignore = "takes a quarter of an hour: tests/full consumers"]
fn haproxy_loses_no_request_in_ten_rounds_but_those_in_flight_at_a_kill() {
    haproxy_survives(10, Duration::from_secs(45));
}
