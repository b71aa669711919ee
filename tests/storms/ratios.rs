//! How long honest containers wait under siege, beside how long they wait in the same run when all is calm. What is
//! judged are ratios of medians: the machine is the same for both.
//!
//! For `tests/full`: a machine with other work makes times of them all.

use std::thread;
use std::time::{Duration, Instant};

use ecssd_testing::spec;

use crate::all_at_once::All;
use crate::besiegers::{Pipelining, connect, run_patient};
use crate::host::{Host, listeners, port};
use crate::targets::Targets;

/// How many containers come and go for a median.
const CONTAINERS: usize = 21;
/// Shorter medians are the clock's and the scheduler's: no ratio is judged against less.
const FLOOR: Duration = Duration::from_millis(5);

/// Medians of how long it takes until a container that answers its check is in DNS, and until one that died is not.
#[derive(Clone, Copy, Debug)]
struct Waits {
    start: Duration,
    death: Duration,
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort();
    spans[spans.len() / 2]
}

/// Containers that come and go one after another.
fn waits(host: &mut Host, from: u16) -> Waits {
    waits_between(host, from, Duration::ZERO)
}

/// The same, with a pause after each start and each end.
fn waits_between(host: &mut Host, from: u16, pause: Duration) -> Waits {
    let honest = listeners(CONTAINERS);
    let (mut starts, mut deaths) = (Vec::new(), Vec::new());
    for (number, listener) in (from..).zip(&honest) {
        let name = format!("_honest-{number}._tcp");
        let begun = Instant::now();
        let id = host.run_checked(number, &name, port(listener));
        host.registered(&name);
        starts.push(begun.elapsed());
        thread::sleep(pause);
        let begun = Instant::now();
        host.engine.die(&id);
        host.gone(&name);
        deaths.push(begun.elapsed());
        thread::sleep(pause);
    }
    Waits { start: median(starts), death: median(deaths) }
}

/// Says what came of it, and judges it.
fn judge(line: &str, siege: &str, calm: Waits, besieged: Waits) {
    let ratio = |calm: Duration, besieged: Duration| besieged.as_secs_f64() / calm.max(FLOOR).as_secs_f64();
    let (start, death) = (ratio(calm.start, besieged.start), ratio(calm.death, besieged.death));
    println!(
        "{siege}: start to answer x {start:.1} ({:?} calm, {:?}), death to no answer x {death:.1} ({:?} calm, {:?})",
        calm.start, besieged.start, calm.death, besieged.death
    );
    spec::judge(line, start.max(death), "×");
}

#[test]
#[ignore = "judges times: tests/full"]
fn a_hundred_hung_checks_make_nobody_wait() {
    let (targets, mut host) = (Targets::start(100), Host::start());
    let calm = waits(&mut host, 100);
    run_patient(&host, 1, &targets.ports[..50]);
    run_patient(&host, 2, &targets.ports[50..]);
    host.wait_for("hung checks", |_| targets.waiting() >= 8);
    judge("siege-hung-checks", "100 hung checks", calm, waits(&mut host, 200));
}

/// The clients take processor time from the agent as from everything else on the host, which their number bounds.
#[test]
#[ignore = "judges times: tests/full"]
fn two_hundred_pipelining_clients_make_nobody_wait_long() {
    let mut host = Host::start();
    host.run_unchecked(1, "_asked._tcp");
    host.registered("_asked._tcp");
    let calm = waits(&mut host, 100);
    let clients = Pipelining::start(&host, "_asked._tcp", 200);
    host.wait_for("an answer for everybody", |_| clients.all_were_answered());
    let besieged = waits(&mut host, 200);
    clients.stop();
    judge("siege-pipelining", "pipelining clients", calm, besieged);
}

#[test]
#[ignore = "judges times: tests/full"]
fn few_descriptors_make_nobody_wait() {
    let mut host = Host::with_descriptors(64);
    let calm = waits(&mut host, 100);
    let idle: Vec<_> = (0..128).map(|_| connect(host.agent.dns())).collect();
    let targets = Targets::start(80);
    for (number, ports) in (10..).zip(targets.ports.chunks(20)) {
        run_patient(&host, number, ports);
    }
    host.wait_for("as many hung checks as this limit allows", |_| targets.waiting() >= 12);
    judge("siege-descriptors", "64 descriptors", calm, waits(&mut host, 200));
    drop(idle);
}

/// The honest come and go at half the pace that they had when all was calm.
#[test]
#[ignore = "judges times: tests/full"]
fn all_at_once_makes_nobody_wait_long() {
    let mut host = Host::start();
    host.run_unchecked(1, "_asked._tcp");
    host.registered("_asked._tcp");
    let begun = Instant::now();
    let calm = waits(&mut host, 100);
    // A start or an end took this long; as long passes now after each.
    let pause = begun.elapsed() / (2 * u32::try_from(CONTAINERS).unwrap());
    let siege = All::start(&mut host, "_asked._tcp");
    let besieged = waits_between(&mut host, 200, pause);
    let (lives, mutated) = siege.stop(&host);
    println!("{lives} lives of one that crashes, {mutated} mutated questions, a pause of {pause:?}");
    judge("siege-all-at-once", "all at once", calm, besieged);
}
