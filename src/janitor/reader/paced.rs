//! Calls to one API of one account and region, whose limits others share: so many a second, and again when one
//! fails, while there is time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Limit;
use crate::backoff::Backoff;
use crate::change::pacing::{Bucket, Rate};
use crate::janitor::time::Time;
use crate::moment::Moment;

/// The shortest, the first and the longest wait after a call that failed. The shortest is longer than a bucket
/// that refills 20 times a second is empty.
const WAITS: (Duration, Duration, Duration) =
    (Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(10));

/// Of one call: that many are throttled or lost now and then. The third is some seconds old.
const TOLD_AT: u32 = 3;

/// Calls at a rate. Counts them.
#[derive(Debug)]
pub struct Paced {
    state: Mutex<(Bucket, usize)>,
}

/// How a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may succeed yet: throttled, broken, without an answer.
    Passing(String),
    /// It would fail again.
    Final(String),
}

/// Why something was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It failed, for this reason, to the end.
    Failed(String),
    /// There was no time for it.
    NoTime,
}

impl Unread {
    /// The same, said of something larger.
    pub fn of(self, what: &str) -> Self {
        match self {
            Self::Failed(reason) => Self::Failed(format!("{what}: {reason}")),
            Self::NoTime => Self::NoTime,
        }
    }
}

/// One call, made until it succeeds.
#[derive(Debug)]
pub struct Attempts<'a> {
    paced: &'a Paced,
    limit: Limit<'a>,
    backoff: Backoff,
    failed: Option<String>,
    failures: u32,
}

impl Paced {
    /// Calls at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { state: Mutex::new((Bucket::new(rate), 0)) }
    }

    /// A call that has not been made yet.
    pub fn attempts<'a>(&'a self, limit: Limit<'a>) -> Attempts<'a> {
        let (shortest, first, longest) = WAITS;
        Attempts {
            paced: self,
            limit,
            backoff: Backoff::new(shortest, first, longest),
            failed: None,
            failures: 0,
        }
    }

    /// Returns when the next call may go.
    pub async fn turn(&self, time: &dyn Time) {
        let wait = self.reserve(time.now());
        if wait > Duration::ZERO {
            time.sleep(wait).await;
        }
    }

    /// Takes the next place in the row, whoever waits for one already.
    fn reserve(&self, now: Moment) -> Duration {
        let (bucket, calls) = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = bucket.ready_at(now, 1.0) - now;
        bucket.spend(now, 1.0);
        *calls += 1;
        wait
    }

    /// How many there were.
    pub fn calls(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl Attempts<'_> {
    /// Returns when the call may be made, for the first time or again.
    ///
    /// # Errors
    /// When there is no time for it any more.
    pub async fn turn(&mut self) -> Result<(), Unread> {
        let Limit { time, until } = self.limit;
        if let Some(reason) = &self.failed {
            let wait = self.backoff.next(fastrand::f64());
            if time.now() + wait >= until {
                return Err(Unread::Failed(reason.clone()));
            }
            time.sleep(wait).await;
        }
        if time.now() >= until {
            return Err(Unread::NoTime);
        }
        self.paced.turn(time).await;
        Ok(())
    }

    /// What the call came to; nothing where it is worth another attempt.
    ///
    /// # Errors
    /// Where it is not.
    pub fn settle<T>(&mut self, answer: Result<T, Failure>) -> Result<Option<T>, Unread> {
        match answer {
            Ok(told) => Ok(Some(told)),
            Err(Failure::Final(reason)) => Err(Unread::Failed(reason)),
            Err(Failure::Passing(reason)) => {
                self.failures += 1;
                // Somebody may sit before it, and see nothing else meanwhile.
                if self.failures == TOLD_AT {
                    tracing::warn!(
                        event = "call_fails",
                        reason,
                        "a call fails: it is made again while there is time"
                    );
                }
                self.failed = Some(reason);
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::moment::at;

    #[tokio::test(start_paused = true)]
    async fn goes_no_faster_than_it_was_told_even_two_at_once() {
        let (clock, paced) = (Clock::start(), Paced::new(Rate { per_second: 20.0, burst: 40.0 }));
        for _ in 0..120 {
            tokio::join!(paced.turn(&clock), paced.turn(&clock));
        }
        // The first forty go at once.
        assert!((9_900..10_500).contains(&clock.now().since_start().as_millis()), "{:?}", clock.now());
        assert_eq!(paced.calls(), 240);
    }

    #[tokio::test(start_paused = true)]
    async fn asks_again_while_there_is_time_and_says_why_not_afterwards() {
        let (clock, paced) = (Clock::start(), Paced::new(Rate { per_second: 10.0, burst: 10.0 }));
        let limit = Limit { time: &clock, until: at(60) };
        let mut attempts = paced.attempts(limit);
        let told = loop {
            if let Err(told) = attempts.turn().await {
                break told;
            }
            let failed: Result<(), _> = Err(Failure::Passing("throttled".to_owned()));
            assert_eq!(attempts.settle(failed), Ok(None));
        };
        assert_eq!(told, Unread::Failed("throttled".to_owned()));
        assert!((at(40)..at(60)).contains(&clock.now()), "{:?}", clock.now());
        assert!((7..80).contains(&paced.calls()), "{}", paced.calls());
        // What would fail again is not tried again, and what comes too late is not tried at all.
        let denied: Result<(), _> = Err(Failure::Final("denied".to_owned()));
        assert_eq!(paced.attempts(limit).settle(denied), Err(Unread::Failed("denied".to_owned())));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(paced.attempts(limit).turn().await, Err(Unread::NoTime));
    }
}
