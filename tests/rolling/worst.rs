//! The worst container: it exits at once when it is told to stop.
//!
//! Docker tells of a signal when it has sent it, so no agent can withdraw the record of such a container in time.
//! How long DNS goes on naming it is measured here, from the first connection that is refused to the last answer.
//! What matters is that it is short; how short is a figure, and nothing is asserted about it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use ecssd_testing::agent::Agent;
use ecssd_testing::dns::Client;
use ecssd_testing::docker::engine::Container;
use ecssd_testing::docker::own::OwnEngine;
use ecssd_testing::percentile::{ms, percentile};
use ecssd_testing::wait::{PATIENCE, service};
use hickory_resolver::proto::rr::Name;

use crate::copies::{OnTerm, published};

const STOPS: usize = 100;
/// Between two questions, and between two connections. It is the error of the figures, too.
const PAUSE: Duration = Duration::from_micros(500);
/// How long a connection may take that is neither accepted nor refused: the next one tells what that meant.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(10);

#[test]
#[ignore = "wants quiet cores: tests/run rolling"]
fn a_container_that_exits_at_once_is_not_named_for_long() {
    let own = OwnEngine::start();
    let mut agent = Agent::start_with(&own.engine, &["--address", &own.address]);
    let name = service("worst");
    let mut windows = Vec::new();
    for _ in 0..STOPS {
        // A container after another: one that was started so often would be kept out of DNS.
        let container = published(&own.engine, &name, OnTerm::Exits, &[]);
        windows.push(window(&own, &mut agent, &name, &container));
    }
    let of = |percent| ms(percentile(&windows, percent));
    let none = windows.iter().filter(|window| window.is_zero()).count();
    println!(
        "exits at once, {STOPS} stops: named after its first refusal for p50 {} ms, p99 {} ms, max {} ms; {none} not at all",
        of(50),
        of(99),
        of(100)
    );
}

/// Stops a container: how long it was named after it first refused a connection.
fn window(own: &OwnEngine, agent: &mut Agent, name: &str, container: &Container) -> Duration {
    let port = agent.answers(name).port;
    let server = SocketAddr::new(own.address.parse().unwrap(), port);
    let (full, dns) = (Name::from_ascii(agent.full(name) + ".").unwrap(), agent.dns());
    scope(|scope| {
        let named = scope.spawn(move || last_named(&mut Client::new(dns), &full));
        let refused = scope.spawn(move || first_refused(server));
        let mut stop = own.engine.command(&["stop", &container.id]).stdout(Stdio::null()).spawn().unwrap();
        let window = named.join().unwrap().saturating_duration_since(refused.join().unwrap());
        assert!(stop.wait().unwrap().success());
        window
    })
}

/// Asks until the name has no record: when the last answer came that had one.
fn last_named(dns: &mut Client, name: &Name) -> Instant {
    let (start, mut last) = (Instant::now(), None);
    while dns.has(name) {
        last = Some(Instant::now());
        assert!(start.elapsed() < PATIENCE, "it is still named");
        sleep(PAUSE);
    }
    last.expect("it was named to begin with")
}

/// Connects until that is refused: when the first connection was begun that was not accepted, and none after it.
fn first_refused(server: SocketAddr) -> Instant {
    let (start, mut lost) = (Instant::now(), None);
    loop {
        let began = Instant::now();
        match TcpStream::connect_timeout(&server, CONNECT_TIMEOUT) {
            Ok(_) => lost = None,
            // What was waiting to be accepted is reset.
            Err(error)
                if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) =>
            {
                return lost.unwrap_or(began);
            }
            // Nobody answers: too busy, or on the way out already.
            Err(_) => lost = lost.or(Some(began)),
        }
        assert!(start.elapsed() < PATIENCE, "it still serves");
        sleep(PAUSE);
    }
}
