//! Asks tests about mistakes: those that come past one, the quickest first, until one fails.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::mutants::Mutant;
use crate::outcomes::{Outcome, Outcomes};
use crate::tests::{self, On, Test};

/// The first round has the tests that take no longer each, and so on; the last has all others. What is quick catches
/// most, and so it is known early how much is caught at least.
const ROUNDS: [Duration; 4] =
    [Duration::from_millis(30), Duration::from_millis(300), Duration::from_secs(3), Duration::MAX];

/// Tests that take no longer together share a process; the next ones may take twice as long.
const SHARED: Duration = Duration::from_millis(200);

/// Asks about all of these. Those that `may_live` are not asked about by the slowest tests, which would run to their end
/// for each: nothing hangs on what these say of them.
pub fn all(
    tree: &Path,
    out: &Path,
    tests: &[Test],
    mutants: &[Mutant],
    may_live: impl Fn(&Mutant) -> bool,
    numbers: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Result<(), String> {
    let mut living = numbers;
    // Without a pattern, so that what came of the first ones is a guess at all.
    living.sort_by_key(|number| number * 2_654_435_761 % 65_537);
    let mut rest = tests;
    for most in ROUNDS {
        let (now, later) = rest.split_at(rest.partition_point(|test| test.takes <= most));
        rest = later;
        let mut asked = living.clone();
        if most == Duration::MAX {
            asked.retain(|&number| !may_live(&mutants[number]));
        }
        round(tree, out, now, mutants, &asked, outcomes)?;
        living
            .retain(|&number| outcomes.of(&mutants[number]).is_none_or(|outcome| *outcome == Outcome::Lives));
        println!("{} live after {} tests", living.len(), tests.len() - rest.len());
    }
    living.iter().try_for_each(|&number| outcomes.add(&mutants[number], Outcome::Lives))
}

/// Asks these tests about these mistakes, as many at a time as there are cores.
fn round(
    tree: &Path,
    out: &Path,
    tests: &[Test],
    mutants: &[Mutant],
    numbers: &[usize],
    outcomes: &mut Outcomes,
) -> Result<(), String> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(outcomes));
    let work = |worker: usize| -> Result<(), String> {
        let log = out.join(format!("log-{worker}"));
        while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let touching: Vec<&Test> = tests.iter().filter(|test| test.passes.contains(&number)).collect();
            let outcome = one(tree, &touching, On::Number(number), &log)?;
            if outcome != Outcome::Lives {
                let mut outcomes = outcomes.lock().map_err(|_| "another worker has failed")?;
                outcomes.add(&mutants[number], outcome)?;
            }
        }
        Ok(())
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        running
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker has panicked".to_owned())?)
    })
}

/// Asks about one.
pub fn one(tree: &Path, tests: &[&Test], on: On<'_>, log: &Path) -> Result<Outcome, String> {
    let (mut rest, mut shared) = (tests, SHARED);
    while !rest.is_empty() {
        let mut takes = Duration::ZERO;
        let fits = |test: &&&Test| {
            takes += test.takes;
            takes <= shared
        };
        let (now, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        let mut programs: Vec<&Path> = now.iter().map(|test| test.program.as_path()).collect();
        programs.sort();
        programs.dedup();
        for program in programs {
            let of_program: Vec<&Test> = now.iter().copied().filter(|test| test.program == program).collect();
            let ended = tests::run(tree, &of_program, on, log)?;
            if !ended.well {
                let by_seeds = of_program.iter().any(|test| test.name.is_none());
                return Ok(if by_seeds { Outcome::CaughtBySeeds } else { Outcome::CaughtByTest(ended.by) });
            }
        }
        (rest, shared) = (later, shared * 2);
    }
    Ok(Outcome::Lives)
}
