//! Many runs: spread over the cores, added up, and what they have to have seen.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::court::Violation;
use super::mutant::Mutant;
use super::run::{Outcome, run};
use super::scenario::Scenario;

/// What runs add up to.
#[derive(Default)]
pub struct Total {
    pub seeds: u64,
    pub events: u64,
    pub counts: BTreeMap<&'static str, u64>,
    pub steps: BTreeMap<String, u64>,
    pub simulated: Duration,
    pub violations: Vec<(u64, Violation)>,
}

impl Total {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.seeds += 1;
        self.events += outcome.events();
        self.simulated += outcome.simulated;
        outcome.counts.into_iter().for_each(|(what, n)| *self.counts.entry(what).or_default() += n);
        outcome.steps.into_iter().for_each(|(step, n)| *self.steps.entry(step).or_default() += n);
        self.violations.extend(outcome.violation.map(|violation| (seed, violation)));
    }
}

/// Runs these seeds on all cores, in their order, for at most so long; stops after so many violations.
pub fn run_many(seeds: std::ops::Range<u64>, mutant: Mutant, limit: Option<Duration>, most: usize) -> Total {
    quiet();
    let (next, total, began) = (AtomicU64::new(seeds.start), Mutex::new(Total::default()), Instant::now());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let over = limit.is_some_and(|limit| began.elapsed() > limit);
                    if seed >= seeds.end || over || total.lock().unwrap().violations.len() >= most {
                        return;
                    }
                    let outcome = run(&Scenario::draw(seed), mutant);
                    total.lock().unwrap().add(seed, outcome);
                }
            });
        }
    });
    total.into_inner().unwrap()
}

/// Panics that a run asked for are no news.
pub fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let text = panic.payload_as_str().unwrap_or_default();
            if !text.contains(super::log::TOLD) {
                usual(panic);
            }
        }));
    });
}
