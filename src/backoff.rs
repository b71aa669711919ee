//! Waits that grow while something keeps failing.
//!
//! The only user of the `backoff` crate, which is unmaintained (RUSTSEC-2025-0012): replacing it is a
//! change of this file. Jitter is drawn by the caller, so that a seed fixes every wait.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// A wait that doubles with each failure in a row, up to a cap, and never gives up.
#[derive(Debug)]
pub struct Backoff {
    floor: Duration,
    growth: ExponentialBackoff,
}

impl Backoff {
    /// Waits between `floor` and a ceiling that begins at `first` and doubles up to `cap`.
    pub fn new(floor: Duration, first: Duration, cap: Duration) -> Self {
        let growth = ExponentialBackoffBuilder::new()
            .with_initial_interval(first)
            .with_max_interval(cap)
            .with_multiplier(2.0)
            .with_randomization_factor(0.0)
            // The crate's default ends after 15 minutes; a daemon never does.
            .with_max_elapsed_time(None)
            .build();
        Self { floor, growth }
    }

    /// The wait after one more failure, with full jitter; `random` is uniform in 0..1.
    pub fn next(&mut self, random: f64) -> Duration {
        self.next_below(Duration::MAX, random)
    }

    /// The same, under a lower cap for this once.
    pub fn next_below(&mut self, cap: Duration, random: f64) -> Duration {
        let ceiling = self.growth.next_backoff().unwrap_or(self.growth.max_interval).min(cap);
        self.floor + ceiling.saturating_sub(self.floor).mul_f64(random)
    }

    /// A success: the next failure starts afresh.
    pub fn reset(&mut self) {
        self.growth.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(backoff: &mut Backoff, random: f64, n: usize) -> Vec<f64> {
        (0..n).map(|_| (backoff.next(random).as_secs_f64() * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn doubles_up_to_its_cap_and_never_ends() {
        let mut backoff = Backoff::new(Duration::ZERO, Duration::from_secs(1), Duration::from_secs(20));
        assert_eq!(seconds(&mut backoff, 1.0, 7), [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]);
        assert_eq!(seconds(&mut backoff, 1.0, 2_000).last(), Some(&20.0));
    }

    #[test]
    fn jitter_spans_floor_to_ceiling() {
        let mut backoff =
            Backoff::new(Duration::from_millis(20), Duration::from_millis(600), Duration::from_secs(4));
        assert_eq!(seconds(&mut backoff, 0.0, 3), [0.02, 0.02, 0.02]);
        backoff.reset();
        assert_eq!(seconds(&mut backoff, 0.5, 2), [0.31, 0.61]);
    }

    #[test]
    fn a_success_starts_afresh() {
        let mut backoff = Backoff::new(Duration::ZERO, Duration::from_secs(1), Duration::from_secs(20));
        seconds(&mut backoff, 1.0, 5);
        backoff.reset();
        assert_eq!(seconds(&mut backoff, 1.0, 1), [1.0]);
    }
}
