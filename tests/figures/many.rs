//! What an agent takes with 1,000 containers, each with a check: idle, and while some of them come and go. The engine is
//! one that does as it is told: no real one holds so many on a small machine.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::plot::{Axis, Plot};
use ecssd_testing::storm::host::{Host, allow_files, listeners, port};

use crate::table::Table;
use crate::{Plan, say, small};

const CONTAINERS: usize = 1_000;
/// A listener each, a connection for those that are asked, and what this process needs.
const FILES: usize = 4_096;
/// Comings and goings a second.
const CHURN: u32 = 10;
const FIRST_OTHER: u16 = 20_000;

/// Measures both.
pub fn measure(table: &mut Table, _: &Engine, plan: Plan) {
    allow_files(FILES);
    let mut host = Host::with(|engine| {
        Agent::start_with(engine, &["--address", "127.0.0.1", "--status-listen", "127.0.0.1:0"])
    });
    small::ask_for_pages(&host.agent);
    say(&format!("{CONTAINERS} containers, each with a TCP check"));
    let listeners = listeners(CONTAINERS);
    for (number, listener) in (1..).zip(&listeners) {
        host.run_checked(number, &format!("_many-{number}._tcp"), port(listener));
    }
    for number in 1..=CONTAINERS {
        host.registered(&format!("_many-{number}._tcp"));
    }
    small::watch(table, ("rss-1000", "cpu-1000"), "1,000 containers", &host.agent, plan.idle);

    say(&format!("the same, and {CHURN} that come and go in a second"));
    let (began, cpu) = (Instant::now(), host.agent.cpu());
    let (mut number, mut memory) = (FIRST_OTHER, Vec::new());
    while began.elapsed() < plan.churn {
        let name = format!("_other-{number}._tcp");
        host.comes_and_goes(number, &name);
        number += 1;
        memory.push((began.elapsed().as_secs_f64(), host.agent.memory().rss as f64 / 1_000.0));
        let due = Duration::from_secs(1) * u32::from(number - FIRST_OTHER) / CHURN;
        sleep(due.saturating_sub(began.elapsed()));
    }
    let seconds = began.elapsed().as_secs_f64();
    let share = 100.0 * (host.agent.cpu() - cpu).as_secs_f64() / seconds;
    let lives = f64::from(number - FIRST_OTHER);
    table.number("lives a second beside 1,000", lives / seconds, "lives/s");
    table.number("CPU of a core meanwhile", share, "%");
    table.number("descriptors meanwhile", host.agent.descriptors() as f64, "open");
    // The first lives find room for those that follow: who has ended is known until the next list, which comes every minute.
    let settled = &memory[memory.len() / 3..];
    let growth = settled.last().unwrap().1 - settled[0].1;
    table.judged("churn-growth", "growth over the churn, after its first third", growth, "MB");
    let plot = Plot::new("1,000 containers, and 10 lives a second", Axis::linear("s"), Axis::linear("MB"));
    table.plot(plot.line("RSS", memory));
}
