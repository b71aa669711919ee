//! So many calls a second to one API of one account and region, whose limits others share.

use std::time::Duration;

use crate::clock::Clock;
use crate::zone::pacing::{Bucket, Rate};

/// Calls, one after another, at a rate. Counts them.
#[derive(Debug)]
pub struct Paced {
    bucket: Bucket,
    clock: Clock,
    calls: usize,
}

impl Paced {
    /// So many a second, and as many at once after quiet.
    pub fn new(per_second: f64) -> Self {
        let bucket = Bucket::new(Rate { per_second, burst: per_second });
        Self { bucket, clock: Clock::start(), calls: 0 }
    }

    /// Returns when the next call may go.
    pub async fn turn(&mut self) {
        let now = self.clock.now();
        let wait = self.bucket.ready_at(now, 1.0).saturating_sub(now);
        if wait > Duration::ZERO {
            tokio::time::sleep(wait).await;
        }
        self.bucket.spend(self.clock.now(), 1.0);
        self.calls += 1;
    }

    /// How many there were.
    pub fn calls(&self) -> usize {
        self.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn goes_no_faster_than_it_was_told() {
        let mut paced = Paced::new(20.0);
        let began = tokio::time::Instant::now();
        for _ in 0..220 {
            paced.turn().await;
        }
        // The first twenty go at once.
        assert!((9_900..10_500).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
        assert_eq!(paced.calls(), 220);
    }
}
