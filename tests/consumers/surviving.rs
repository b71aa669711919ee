//! HAProxy in front of four copies, while copies stop and are killed, and the agent goes away.

use std::time::Duration;

use crate::haproxy::{self, FRONT, HaProxy};
use crate::host::{Host, Kill, NAME};
use crate::load::Load;

const COPIES: usize = 4;
/// How long the agent is gone after `kill -9`.
const KILLED: Duration = Duration::from_secs(10);
/// Some answers of DNS.
const SETTLED: Duration = Duration::from_secs(3);

/// All that can happen, so many times; the kills.
fn rounds(host: &mut Host, haproxy: &HaProxy, load: &Load, rounds: usize, away: Duration) -> Vec<Kill> {
    let mut kills = Vec::new();
    for number in 0..rounds {
        let copy = host.copy(number % COPIES);
        load.meanwhile("`docker stop` and start of a copy that serves on for 2 s");
        copy.container.docker(&["stop", "-t", "30"]);
        haproxy.has(COPIES - 1);
        copy.container.docker(&["start"]);
        haproxy.has(COPIES);

        let copy = host.copy((number + 1) % COPIES);
        load.meanwhile("`docker kill` and start");
        kills.push(copy.kill());
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
    kills
}

/// Without DNS for so long each time.
fn haproxy_survives(times: usize, away: Duration) {
    let mut host = Host::start(COPIES);
    let haproxy = HaProxy::start(NAME);
    haproxy.has(COPIES);
    let load = Load::on(FRONT);
    let kills = rounds(&mut host, &haproxy, &load, times, away);
    judge(load, &kills, times * 1_000);
}

/// No request has failed but those in flight at a kill.
fn judge(load: Load, kills: &[Kill], at_least: usize) {
    let phases = load.stop();
    for phase in &phases {
        println!("haproxy: {phase}");
    }
    let in_flight: usize = kills.iter().map(|kill| kill.in_flight).sum();
    println!("haproxy: {in_flight} in flight at {} kills, as the copies counted", kills.len());
    let failed = phases.iter().flat_map(|phase| &phase.failed);
    let others: Vec<_> = failed.filter(|failure| !kills.iter().any(|kill| kill.cut_off(failure))).collect();
    assert!(others.is_empty(), "{others:?}; {kills:?}");
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
    let kill = host.copy(1).kill();
    haproxy.has_up(COPIES - 1);
    host.copy(1).container.docker(&["start"]);
    haproxy.has_up(COPIES);
    judge(load, &[kill], 200);
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
