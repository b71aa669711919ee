//! The agent's figures, measured from outside: a release build. Run by `tests/bench`.
//!
//! Owns which benchmarks there are, and what becomes of their figures. Times are the engine's own for its events, and this
//! process's for answers and calls; both read the same clock of the same machine (`CLOCK_REALTIME`). Everything has to be
//! answered in the end; what is promised of a figure stands in SPEC.md, and where that is not kept the run fails.

#![allow(clippy::unwrap_used, reason = "a benchmark says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a benchmark has no outside")]

mod day;
mod dns;
mod events;
mod host;
mod latency;
mod many;
mod route53;
mod small;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use ecssd_testing::docker::engine::Engine;
use table::Table;

/// How much is measured, and for how long.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Containers one after another, of each kind.
    containers: usize,
    /// Containers at once, in each of these herds.
    at_once: [usize; 2],
    /// How long an idle agent is watched.
    idle: Duration,
    /// For how long containers come and go beside 1,000.
    churn: Duration,
    /// How many names are asked for (a zone has room for 10,000 records, its own and the host's among them), and for how
    /// long in each round.
    names: [usize; 2],
    asking: Duration,
}

const WHOLE: Plan = Plan {
    containers: 30,
    at_once: [50, 200],
    idle: Duration::from_secs(60),
    churn: Duration::from_secs(180),
    names: [10, 9_900],
    asking: Duration::from_secs(5),
};
const QUICK: Plan = Plan {
    containers: 5,
    at_once: [5, 10],
    idle: Duration::from_secs(10),
    churn: Duration::from_secs(10),
    names: [10, 1_000],
    asking: Duration::from_secs(2),
};

type Benchmark = fn(&mut Table, &Engine, Plan);

/// All, in the order in which they are run.
const BENCHMARKS: [(&str, Benchmark); 6] = [
    ("host", host::measure),
    ("route53", route53::measure),
    ("idle", small::measure),
    ("many", many::measure),
    ("day", day::measure),
    ("dns", dns::measure),
];

fn main() {
    let (mut plan, mut names) = (WHOLE, Vec::new());
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => plan = QUICK,
            // Said by cargo.
            "--bench" => {}
            name if BENCHMARKS.iter().any(|(known, _)| *known == name) => names.push(argument),
            _ => {
                let known = BENCHMARKS.map(|(name, _)| name).join(", ");
                eprintln!("error: there is no benchmark {argument}, but {known}");
                std::process::exit(64);
            }
        }
    }
    let engine = Engine::given();
    let surroundings = surroundings(&engine);
    println!("{surroundings}");
    let (mut table, mut failed) = (Table::default(), 0);
    for (name, measure) in BENCHMARKS {
        if names.is_empty() || names.iter().any(|asked| asked == name) {
            // The others' figures are worth having all the same.
            let measured = catch_unwind(AssertUnwindSafe(|| measure(&mut table, &engine, plan)));
            failed += usize::from(measured.is_err());
        }
    }
    print!("\n{table}");
    let folder = std::env::var("ECSSD_BENCH_FOLDER").unwrap_or_else(|_| "target/bench".to_owned());
    table.write(Path::new(&folder), &surroundings);
    println!("\n{folder}/figures.html");
    std::process::exit(i32::from(table.broken() + failed > 0));
}

fn say(what: &str) {
    eprintln!("{what} ...");
}

fn surroundings(engine: &Engine) -> String {
    let version = engine.docker(&["version", "--format", "{{.Server.Version}}"]);
    let others = engine.docker(&["ps", "--quiet"]).lines().count();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Docker {version}, {others} other containers, {cores} cores, load {load} at the start")
}
