//! The shortest history that shows the same: operations are left out, many at once, then fewer, for as long as the
//! same invariant is broken.

use std::time::{Duration, Instant};

use super::mutant::Mutant;
use super::run::run;
use super::scenario::Scenario;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The operations of a scenario that are left, by their places.
pub fn shrink(scenario: &Scenario, mutant: Mutant, invariant: &str) -> Vec<usize> {
    let began = Instant::now();
    let mut kept: Vec<usize> = (0..scenario.operations.len()).collect();
    let mut size = kept.len().div_ceil(2);
    while size > 0 && began.elapsed() < LIMIT {
        let mut from = 0;
        let mut less = false;
        while from < kept.len() && began.elapsed() < LIMIT {
            let until = (from + size).min(kept.len());
            let without = [&kept[..from], &kept[until..]].concat();
            let outcome = run(&scenario.only(&without), mutant);
            if outcome.violation.is_some_and(|it| it.invariant == invariant) {
                kept = without;
                less = true;
            } else {
                from = until;
            }
        }
        if !less || size > 1 {
            size /= 2;
        }
    }
    kept
}

impl Scenario {
    /// The same with these operations alone.
    pub fn only(&self, places: &[usize]) -> Self {
        let operations = places.iter().filter_map(|place| self.operations.get(*place).copied()).collect();
        Self { operations, ..self.clone() }
    }
}
