//! So many calls a second to one API of one account and region, whose limits others share.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::zone::pacing::{Bucket, Rate};

/// Calls at a rate. Counts them.
#[derive(Debug)]
pub struct Paced {
    state: Mutex<(Bucket, usize)>,
    clock: Clock,
}

impl Paced {
    /// Calls at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { state: Mutex::new((Bucket::new(rate), 0)), clock: Clock::start() }
    }

    /// Returns when the next call may go.
    pub async fn turn(&self) {
        let wait = self.reserve();
        if wait > Duration::ZERO {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes the next place in the row, whoever waits for one already.
    fn reserve(&self) -> Duration {
        let now = self.clock.now();
        let (bucket, calls) = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = bucket.ready_at(now, 1.0).saturating_sub(now);
        bucket.spend(now, 1.0);
        *calls += 1;
        wait
    }

    /// How many there were.
    pub fn calls(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn goes_no_faster_than_it_was_told_even_two_at_once() {
        let paced = Paced::new(Rate { per_second: 20.0, burst: 40.0 });
        let began = tokio::time::Instant::now();
        for _ in 0..120 {
            tokio::join!(paced.turn(), paced.turn());
        }
        // The first forty go at once.
        assert!((9_900..10_500).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
        assert_eq!(paced.calls(), 240);
    }
}
