//! A fleet with the writer of this system on a virtual clock: how long it takes to write what has to be written where all
//! hosts share one account, with how many calls, and what becomes of others who share it too.
//!
//! `tests/fleet/run` runs it. The writer, its pacing and waits are the product's; its hosts, the account and the time are
//! made here. Beside it, in the same account and with the same seed, two other ways to write are run.
//!
//! | | |
//! |---|---|
//! | `inventory`, `scenario` | the hosts and their records; what happens to them, and the least time that it can take |
//! | `account`, `others` | Route 53 and ECS with their limits; who else calls there |
//! | `strategy`, `ours`, `adaptive`, `predecessor` | those who are compared |
//! | `play`, `timeline`, `outcome` | one run, event by event, and what came of it |
//! | `judge`, `report` | what is promised and whether it is kept; what was found, for readers and machines |
//! | `asked` | what it is to do, of all this |
//!
//! ## What is assumed
//!
//! The quotas of records in a zone (10,000) and under a name (100) are raised: 120 names share up to 20,600 records. An
//! answer takes 20 ms beside what it is served for. All hosts know from the zone how many they are, unless `--unknown` is
//! said. How Route 53 counts what it refuses is said in `account`.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod account;
mod adaptive;
mod asked;
mod inventory;
mod judge;
mod others;
mod ours;
mod outcome;
mod play;
mod predecessor;
mod report;
mod scenario;
mod strategy;
mod timeline;

use std::process::ExitCode;

use asked::{Asked, Runs};
use inventory::Fleet;
use judge::{Judged, Row};
use outcome::Case;
use strategy::Kind;

/// The fleet of the short check, and how often one of its hosts may call.
const SHORT: Fleet = Fleet { hosts: 40, records: 25 };
const SHORT_CALLS: f64 = 16.0;

fn main() -> ExitCode {
    let is_well = match asked::read(std::env::args().skip(1)) {
        Ok(Asked::Runs(runs)) => all(&runs),
        Ok(Asked::Short) => short(),
        Ok(Asked::List) => {
            println!("short: test");
            true
        }
        Ok(Asked::Nothing) => true,
        Err(wrong) => {
            eprintln!("error: {wrong}; see tests/fleet/run --help");
            return ExitCode::from(64);
        }
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs all that was asked for, and says what came of it; whether all that is promised was kept.
fn all(runs: &Runs) -> bool {
    if !runs.json {
        println!("{}", report::head());
    }
    let rows = rows(runs);
    let judged = judge::judge(&rows);
    if runs.json {
        println!("{:#}", report::json(&rows, &judged));
    } else {
        judged.iter().for_each(|judged| println!("{}", report::judged(judged)));
    }
    if let Some(to) = &runs.html {
        report::page(&rows, &judged, &conditions(runs), to);
    }
    let broken = judged.iter().filter(|judged| !judged.is_kept).count();
    if !runs.json {
        println!("fleet: {} promises kept, {broken} broken", judged.len() - broken);
    }
    broken == 0
}

fn rows(runs: &Runs) -> Vec<Row> {
    let mut rows = Vec::new();
    for &fleet in &runs.fleets {
        for &scenario in &runs.scenarios {
            for &kind in &runs.kinds {
                let case =
                    |seed| Case { fleet, scenario, kind, limits: runs.limits, is_known: runs.is_known, seed };
                let outcomes = (0..runs.seeds).map(|seed| play::play(case(seed))).collect();
                let row = Row { fleet, scenario, kind, ideal: scenario.ideal(fleet, &runs.limits), outcomes };
                if !runs.json {
                    println!("{}", report::row(&row));
                }
                rows.push(row);
            }
        }
    }
    rows
}

fn conditions(runs: &Runs) -> String {
    let known = if runs.is_known { "know" } else { "do not know" };
    format!(
        "{} seeds each; the account has the limits of {}, and a batch takes {:?} beside 0.5 ms for each change; the hosts {known} \
         how many they are. Two other clients call, Route 53 once and ECS five times a second, and the janitor runs. Quotas \
         of records are raised.",
        runs.seeds, runs.limits.name, runs.limits.service
    )
}

/// A small fleet goes through all scenarios and loses nothing, with few calls.
fn short() -> bool {
    let runs = Runs { fleets: vec![SHORT], kinds: vec![Kind::Ours], seeds: 1, json: true, ..Runs::default() };
    let rows = rows(&runs);
    let mut judged = judge::judge(&rows);
    judged.extend(rows.iter().map(|row| {
        let is = row.most(|outcome| row.calls(outcome));
        let what = "calls a host".to_owned();
        Judged {
            fleet: row.fleet,
            scenario: row.scenario,
            what,
            is,
            bound: SHORT_CALLS,
            is_kept: is <= SHORT_CALLS,
        }
    }));
    let broken: Vec<_> = judged.iter().filter(|judged| !judged.is_kept).collect();
    broken.iter().for_each(|judged| println!("{}", report::judged(judged)));
    // As Rust's own harness says it: tests/run looks for that.
    let (result, passed) = if broken.is_empty() { ("ok", 1) } else { ("FAILED", 0) };
    println!("test result: {result}. {passed} passed; {} failed", 1 - passed);
    broken.is_empty()
}
