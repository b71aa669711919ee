//! The agent's figures, measured from outside: a release build on a real Docker engine. Run by `tests/bench`.
//!
//! Owns what is measured and in which order. Times are the engine's own for its events, and this process's
//! for the DNS answer; both read the same clock of the same machine (`CLOCK_REALTIME`). Nothing is asserted
//! about time, but everything has to be answered in the end. What an idle agent takes is a figure like the others, and
//! [`small`] fails by it.

#![allow(clippy::unwrap_used, reason = "a benchmark says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a benchmark has no outside")]

mod events;
mod latency;
mod small;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ecssd_testing::agent::{self, Agent};
use ecssd_testing::docker::engine::Engine;
use ecssd_testing::process::Process;
use latency::{Bench, End, Lives};
use table::{Aim, Table};

/// What is measured, and for how long.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Containers one after another, of each kind.
    containers: usize,
    /// Containers at once.
    at_once: usize,
    /// How long an idle agent is watched.
    idle: Duration,
    /// Whether only what an idle agent takes is measured, and judged.
    judge: bool,
}

impl Plan {
    const WHOLE: Self = Self { containers: 30, at_once: 50, idle: Duration::from_secs(60), judge: false };
    const QUICK: Self = Self { containers: 5, at_once: 5, idle: Duration::from_secs(10), judge: false };

    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self::WHOLE;
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let value = arguments.next().unwrap_or_default();
                let number = value.parse::<usize>().ok().filter(|number| *number > 0);
                number.ok_or_else(|| format!("{argument}: {value:?} is not a number above 0"))
            };
            match argument.as_str() {
                "--quick" => plan = Self::QUICK,
                "--judge" => plan.judge = true,
                "--containers" => plan.containers = number()?,
                "--at-once" => plan.at_once = number()?,
                "--idle" => plan.idle = Duration::from_secs(number()? as u64),
                // Said by cargo.
                "--bench" => {}
                _ => return Err(format!("{argument} is not known; see tests/bench --help")),
            }
        }
        Ok(plan)
    }
}

fn main() {
    let plan = Plan::from_arguments(std::env::args().skip(1)).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        std::process::exit(64);
    });
    let engine = Engine::given();
    println!("{}", surroundings(&engine));
    let mut table = Table::default();
    if plan.judge {
        small::measure(&mut table, &engine, plan);
        print!("\n{table}");
        std::process::exit(i32::from(table.missed() > 0));
    }
    let agent = Agent::start(&engine);
    let mut bench = Bench::new(&engine, agent);

    say("idle with nothing to do");
    measure_idle(&mut table, "no container", &bench.agent, plan.idle, STRETCH);

    let mut all = Lives::default();
    for (end, what) in [(End::Lingers, "that live on for a second"), (End::Exits, "that exit at once")] {
        say(&format!("{} containers {what} when stopped", plan.containers));
        let lives = bench.one_by_one(plan.containers, end);
        table.times(
            &format!("kill → gone, {what}"),
            &lives.withdrawn,
            Aim::P99(Duration::from_millis(20)),
            "362 ms p50",
        );
        all.extend(lives);
    }
    table.times("start → answer, no check", &all.unchecked, Aim::P99(Duration::from_millis(30)), "13 ms p50");
    table.times("start → answer, TCP check", &all.checked, Aim::None, "");

    say(&format!("{} containers at once", plan.at_once));
    let herd = bench.start_at_once(plan.at_once);
    let count = plan.at_once;
    table.times(&format!("{count} at once: start → answer, no check"), &herd.unchecked, Aim::None, "");
    table.times(&format!("{count} at once: start → answer, TCP check"), &herd.checked, Aim::None, "");
    table.time(&format!("{count} at once: first start → all answer"), herd.all_answer);

    say(&format!("idle with {count} containers and as many TCP checks"));
    measure_idle(&mut table, &format!("{count} containers"), &bench.agent, plan.idle, STRETCH);

    say(&format!("stopping {count} containers at once"));
    let stopped = bench.stop_at_once(&herd);
    table.times(&format!("{count} at once: kill → gone"), &stopped.withdrawn, Aim::None, "");
    table.time(&format!("{count} at once: first kill → all gone"), stopped.all_gone);

    table.memory("RSS, the highest of this run", bench.agent.peak_rss().unwrap(), None, Aim::None, "");
    let program = agent::program();
    table.size("program", &program, Aim::Megabytes(10.0));
    for found in static_builds(&program) {
        table.size("program, static", &found, Aim::Megabytes(10.0));
    }
    print!("\n{table}");
    let (on_core, waiting) = bench.agent.on_core_and_waiting();
    println!("In all of this the agent was on a core for {on_core:.1?}, and waited {waiting:.1?} for one.");
}

/// What an idle agent should take: memory, and of a core.
const STRETCH: (Aim, Aim) = (Aim::Stretch(10.0, 6.0), Aim::Percent(0.1));

fn measure_idle(
    table: &mut Table,
    what: &str,
    process: &Process,
    watched: Duration,
    (of_memory, of_core): (Aim, Aim),
) {
    // Start and the herd's first probes are not idleness.
    std::thread::sleep(Duration::from_secs(3));
    let idle = process.watch(watched);
    let memory = process.memory();
    table.memory(&format!("RSS, {what}"), memory.rss, Some(memory.anonymous), of_memory, "10 MB");
    table.share(&format!("CPU of a core, {what}"), &idle, of_core);
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

/// Static builds beside this one: `target/<triple>/release/ecssd`.
fn static_builds(program: &Path) -> Vec<PathBuf> {
    let Some(target) = program.ancestors().nth(2) else { return Vec::new() };
    let directories = std::fs::read_dir(target).into_iter().flatten().flatten();
    directories.map(|entry| entry.path().join("release/ecssd")).filter(|path| path.is_file()).collect()
}
