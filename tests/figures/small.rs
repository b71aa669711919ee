//! What an idle agent takes with its status served, with one container and with many.
//!
//! Counts of memory and of time on a core, so a slow machine changes neither. Each page of the server has been asked for
//! once: what serves it is there, as it is where somebody looks at it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use ecssd_testing::agent::{self, Agent};
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::process::Process;

use crate::latency::Bench;
use crate::table::Table;
use crate::{Plan, say};

/// Containers, each with a check.
const MANY: usize = 50;

/// Measures both.
pub fn measure(table: &mut Table, engine: &Engine, plan: Plan) {
    let agent = Agent::start_with(engine, &["--status-listen", "127.0.0.1:0"]);
    ask_for_pages(&agent);
    let mut bench = Bench::new(engine, agent);
    // What one container takes is there to stay.
    let one = bench.start_at_once(1);
    say("idle with one container, and its status served");
    watch(table, ("rss-idle", "cpu-idle"), "1 container", &bench.agent, plan.idle);
    let herd = bench.start_at_once(MANY - 1);
    say(&format!("idle with {MANY} containers and as many TCP checks, and its status served"));
    watch(table, ("rss-50", "cpu-50"), &format!("{MANY} containers"), &bench.agent, plan.idle);
    bench.stop_at_once(&herd);
    bench.stop_at_once(&one);
    let bytes = std::fs::metadata(agent::program()).unwrap().len();
    table.judged("program-size", "program", bytes as f64 / 1e6, "MB");
}

/// Waits until its status is served, and asks for each page of it.
pub fn ask_for_pages(agent: &Process) {
    let served = agent.wait_for("its status", || {
        let lines = agent.log_lines();
        let line =
            lines.iter().find(|line| line["event"] == "status_served" && line["address"].is_string())?;
        line["address"].as_str().map(str::to_owned)
    });
    ["/", "/status.json", "/metrics", "/health/ready"].iter().for_each(|path| get(&served, path));
}

/// Its memory and its share of a core, judged by these two lines.
pub fn watch(table: &mut Table, lines: (&str, &str), what: &str, agent: &Process, watched: Duration) {
    // Starts and first probes are not idleness.
    std::thread::sleep(Duration::from_secs(3));
    let idle = agent.watch(watched);
    let memory = agent.memory();
    table.judged(lines.0, &format!("RSS, {what}"), memory.rss as f64 / 1_000.0, "MB");
    table.number(&format!("anonymous of it, {what}"), memory.anonymous as f64 / 1_000.0, "MB");
    table.idle(Some(lines.1), what, &idle);
    table.number(&format!("descriptors, {what}"), agent.descriptors() as f64, "open");
}

fn get(address: &str, path: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
}
