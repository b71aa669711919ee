//! What an idle agent takes with its status served, with one container and with many: judged.
//!
//! Counts of memory and of time on a core, so a slow machine changes neither. Each page of the server has been asked for
//! once: what serves it is there, as it is where somebody looks at it.

use std::io::{Read, Write};
use std::net::TcpStream;

use ecssd_testing::agent::Agent;
use ecssd_testing::docker::engine::Engine;

use crate::latency::Bench;
use crate::table::{Aim, Table};
use crate::{Plan, measure_idle, say};

/// With one container.
const IDLE: (Aim, Aim) = (Aim::Megabytes(12.0), Aim::Percent(0.1));
/// With as many containers as the plan has at once, each with a check.
const CHECKING: (Aim, Aim) = (Aim::Megabytes(14.0), Aim::Percent(0.4));

/// Measures both.
pub fn measure(table: &mut Table, engine: &Engine, plan: Plan) {
    let agent = Agent::start_with(engine, &["--status-listen", "127.0.0.1:0"]);
    let served = agent.wait_for("its status", || {
        let lines = agent.log_lines();
        let line =
            lines.iter().find(|line| line["event"] == "status_served" && line["address"].is_string())?;
        line["address"].as_str().map(str::to_owned)
    });
    ["/", "/status.json", "/metrics", "/health/ready"].iter().for_each(|path| get(&served, path));
    let mut bench = Bench::new(engine, agent);
    // What one container takes is there to stay.
    let one = bench.start_at_once(1);
    say("idle with one container, and its status served");
    measure_idle(table, "1 container", &bench.agent, plan.idle, IDLE);
    let count = plan.at_once;
    let herd = bench.start_at_once(count - 1);
    say(&format!("idle with {count} containers and as many TCP checks, and its status served"));
    measure_idle(table, &format!("{count} containers"), &bench.agent, plan.idle, CHECKING);
    bench.stop_at_once(&herd);
    bench.stop_at_once(&one);
}

fn get(address: &str, path: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
}
