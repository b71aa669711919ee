//! Whole hosts in one process, on a virtual clock, with faults that a seed draws: the agent as it is, its actors,
//! lifecycle, writer, pacing and journal, before a scripted engine, network, disk and registry.
//!
//! `tests/simulate` runs it by the thousands. First come the faults, and after every step the court looks whether
//! something happened that must not; then they stop, and the zone has to become what the containers are.
//!
//! | | |
//! |---|---|
//! | `scenario`, `draw` | what happens, and how a seed decides it |
//! | `operate`, `lives`, `later` | how it happens |
//! | `world`, `host`, `route`, `engine`, `truth`, `disk`, `account`, `former` | where |
//! | `agent`, `supervisor`, `log` | the process, and all that it sees and does |
//! | `court` | who judges |
//! | `mutant` | bugs that are planted, to see that they are caught |
//! | `run`, `many`, `shrink`, `seeds` | one run, many, the shortest that shows the same, and what they have to say |
//! | `asked` | what it is to do, of all this |
//! | `orders`, `outages`, `found` | small spaces whole, an hour without each that an agent needs, what showed a bug once |
//!
//! It has no harness of the library's: what it is asked for, it prints, and its exit status says whether all was
//! well.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod account;
mod agent;
mod asked;
mod cordons;
mod court;
mod disk;
mod draw;
mod engine;
mod former;
mod found;
mod host;
mod janitor;
mod later;
mod lives;
mod log;
mod many;
mod mutant;
mod operate;
mod orders;
mod outages;
mod route;
mod run;
mod scenario;
mod seeds;
mod shrink;
mod supervisor;
mod truth;
mod world;

use std::process::ExitCode;

use asked::Asked;

/// How many seeds a mutant gets, and how many are run where nobody says how many.
const MUTANT_SEEDS: u64 = 6_000;
const SEEDS: u64 = 100;

/// A check by its name; whether all was well.
type Check = (&'static str, fn() -> bool);

const CHECKS: [Check; 6] = [
    ("arguments", asked::arguments),
    ("found", found::found),
    ("outages", outages::outages),
    ("orders", orders::orders),
    ("mutants", || seeds::mutants(MUTANT_SEEDS)),
    ("seeds", || seeds::seeds(0..SEEDS, SEEDS, None)),
];

fn main() -> ExitCode {
    let well = match asked::read(std::env::args().skip(1), &CHECKS.map(|(name, _)| name)) {
        Ok(Asked::Seed { seed, only }) => seeds::seed(seed, only.as_deref()),
        Ok(Asked::Seeds { seeds, at_least, limit }) => seeds::seeds(seeds, at_least, limit),
        Ok(Asked::Checks(names)) => checks(&names),
        Ok(Asked::List(names)) => {
            names.iter().for_each(|name| println!("{name}: test"));
            true
        }
        Err(wrong) => {
            eprintln!("error: {wrong}; see tests/simulate --help");
            return ExitCode::from(64);
        }
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn checks(names: &[&str]) -> bool {
    let (mut passed, mut failed) = (0, Vec::new());
    for (name, check) in CHECKS.iter().filter(|(name, _)| names.contains(name)) {
        println!("=== {name}");
        if check() { passed += 1 } else { failed.push(name) }
    }
    // As Rust's own harness says it: tests/run looks for that.
    if !failed.is_empty() {
        println!("\nfailures:");
        failed.iter().for_each(|name| println!("    {name}"));
        println!();
    }
    let result = if failed.is_empty() { "ok" } else { "FAILED" };
    println!("test result: {result}. {passed} passed; {} failed", failed.len());
    failed.is_empty()
}
