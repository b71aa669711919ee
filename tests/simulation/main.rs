//! Whole hosts in one process, on a virtual clock, with faults that a seed draws: the agent as it is, its actors,
//! lifecycle, writer, pacing and journal, before a scripted engine, network, disk and registry.
//!
//! `tests/simulate` runs it by the thousands. First come the faults, and after every step the court looks whether
//! something happened that must not; then they stop, and the zone has to become what the containers are.
//!
//! | | |
//! |---|---|
//! | `scenario`, `draw` | what happens, and how a seed decides it |
//! | `world`, `later`, `host`, `truth`, `disk`, `account` | where it happens |
//! | `agent`, `supervisor`, `log` | the process, and all that it sees and does |
//! | `court` | who judges |
//! | `mutant` | bugs that are planted, to see that they are caught |
//! | `run`, `many`, `shrink`, `seeds` | one run, many, the shortest that shows the same, and what they have to say |
//! | `orders`, `outages`, `found` | small spaces whole, an hour without each that an agent needs, what showed a bug once |
//!
//! It has no harness of the library's: what it is asked for, it prints, and its exit status says whether all was
//! well.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod account;
mod agent;
mod court;
mod disk;
mod draw;
mod found;
mod host;
mod janitor;
mod later;
mod log;
mod many;
mod mutant;
mod orders;
mod outages;
mod run;
mod scenario;
mod seeds;
mod shrink;
mod supervisor;
mod truth;
mod world;

use std::process::ExitCode;
use std::time::Duration;

/// How many seeds a mutant gets, and how many are run where nobody says how many.
const MUTANT_SEEDS: u64 = 4_000;
const SEEDS: u64 = 100;

/// A check by its name; whether all was well.
type Check = (&'static str, fn() -> bool);

/// What is asked for.
#[derive(Debug, Default)]
struct Asked {
    seeds: Option<u64>,
    at_least: u64,
    seconds: Option<u64>,
    seed: Option<u64>,
    only: Option<Vec<usize>>,
    /// Checks by their names, as with any test; all, where there are none.
    names: Vec<String>,
}

fn main() -> ExitCode {
    let asked = match read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(wrong) => {
            eprintln!("{wrong}; see tests/simulate --help");
            return ExitCode::from(64);
        }
    };
    if let Some(seed) = asked.seed {
        return exit(seeds::seed(seed, asked.only.as_deref()));
    }
    if let Some(count) = asked.seeds {
        return exit(seeds::seeds(count, asked.at_least, asked.seconds.map(Duration::from_secs)));
    }
    let checks: [Check; 5] = [
        ("found", found::found),
        ("outages", outages::outages),
        ("orders", orders::orders),
        ("mutants", || seeds::mutants(MUTANT_SEEDS)),
        ("seeds", || seeds::seeds(SEEDS, SEEDS, None)),
    ];
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in checks {
        if asked.names.is_empty() || asked.names.iter().any(|asked| name.contains(asked.as_str())) {
            println!("=== {name}");
            if check() { passed += 1 } else { failed += 1 }
        }
    }
    println!("test result: {}. {passed} passed; {failed} failed", if failed == 0 { "ok" } else { "FAILED" });
    exit(failed == 0)
}

fn exit(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64, String> {
            let text = arguments.next().ok_or_else(|| format!("{argument} wants a number"))?;
            text.parse().map_err(|_| format!("{argument}: {text} is no number"))
        };
        match argument.as_str() {
            "--seeds" => asked.seeds = Some(number()?),
            "--at-least" => asked.at_least = number()?,
            "--seconds" => asked.seconds = Some(number()?),
            "--seed" => asked.seed = Some(number()?),
            "--only" => {
                let text = arguments.next().ok_or("--only wants a list")?;
                let places: Result<_, _> = text.split(',').map(str::parse).collect();
                asked.only = Some(places.map_err(|_| format!("--only: {text} is no list of numbers"))?);
            }
            // What cargo passes on to any test.
            flag if flag.starts_with('-') => {}
            name => asked.names.push(name.to_owned()),
        }
    }
    Ok(asked)
}
