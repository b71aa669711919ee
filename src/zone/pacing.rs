//! When the next call may go.
//!
//! Owns the rate of calls and changes, the gap that lets changes gather, and the waits after a refusal.
//! What goes into a call is the [ledger](super::ledger)'s; time and randomness come in as arguments.
//!
//! Throttling says that everybody together was too fast, so the wait is drawn from a range that doubles
//! (full jitter: callers that were refused together do not come back together). One change in flight per
//! zone is no storm: its waits are short.

use std::time::Duration;

use crate::backoff::Backoff;

use super::ZoneError;

/// How fast one agent may call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Requests a second, and how many may go at once after quiet.
    pub requests: Rate,
    /// Record changes a second, and how many may go at once after quiet.
    pub changes: Rate,
    /// After a call, how long changes gather before the next; deletes do not wait for it.
    pub gap: Duration,
}

/// A rate and its burst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Units a second.
    pub per_second: f64,
    /// Units at once.
    pub burst: f64,
}

impl Pace {
    /// A share of what an account may do since July 2026 (10 requests/s, burst 50; 100 changes/s, burst
    /// 1,500), leaving room for others in the account.
    pub const ROUTE53: Self = Self {
        requests: Rate { per_second: 8.0, burst: 40.0 },
        changes: Rate { per_second: 100.0, burst: 1_500.0 },
        gap: Duration::from_millis(500),
    };

    /// A zone in this process: nobody shares it, and nothing is gained by waiting.
    pub const LOCAL: Self = Self {
        requests: Rate { per_second: 10_000.0, burst: 10_000.0 },
        changes: Rate { per_second: 1_000_000.0, burst: 1_000_000.0 },
        gap: Duration::ZERO,
    };
}

/// A token bucket that may be overdrawn by its last spender, who then waits for the debt.
#[derive(Clone, Debug)]
struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        Self { rate, tokens: rate.burst, at: Duration::ZERO }
    }

    fn level(&self, now: Duration) -> f64 {
        let earned = now.saturating_sub(self.at).as_secs_f64() * self.rate.per_second;
        (self.tokens + earned).min(self.rate.burst)
    }

    /// The moment at which `cost` is there, or the whole burst where it costs more than that.
    fn ready_at(&self, now: Duration, cost: f64) -> Duration {
        let missing = cost.min(self.rate.burst) - self.level(now);
        if missing <= 0.0 { now } else { now + Duration::from_secs_f64(missing / self.rate.per_second) }
    }

    fn spend(&mut self, now: Duration, cost: f64) {
        self.tokens = self.level(now) - cost;
        self.at = now;
    }
}

/// The pace of one writer.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    requests: Bucket,
    changes: Bucket,
    last_call: Option<Duration>,
    not_before: Duration,
    throttled: Backoff,
    busy: Backoff,
    failed: Backoff,
}

impl Pacer {
    /// A pacer that has been quiet.
    pub fn new(pace: Pace) -> Self {
        let ms = Duration::from_millis;
        Self {
            pace,
            requests: Bucket::new(pace.requests),
            changes: Bucket::new(pace.changes),
            last_call: None,
            not_before: Duration::ZERO,
            throttled: Backoff::new(Duration::ZERO, ms(1_000), ms(20_000)),
            busy: Backoff::new(ms(20), ms(600), ms(4_000)),
            failed: Backoff::new(ms(200), ms(1_000), ms(30_000)),
        }
    }

    /// The earliest moment at which a call with this change cost may go. An `urgent` one, with deletes
    /// in it, does not wait for others to gather.
    pub fn ready_at(&self, now: Duration, cost: usize, urgent: bool) -> Duration {
        let gathered = match self.last_call {
            Some(last) if !urgent => last + self.pace.gap,
            _ => now,
        };
        now.max(self.not_before)
            .max(gathered)
            .max(self.requests.ready_at(now, 1.0))
            .max(self.changes.ready_at(now, cost as f64))
    }

    /// A call goes out now.
    pub fn on_call(&mut self, now: Duration, cost: usize) {
        self.requests.spend(now, 1.0);
        self.changes.spend(now, cost as f64);
    }

    /// The call was answered. `random` is uniform in 0..1.
    pub fn on_answer(&mut self, now: Duration, answer: Result<(), &ZoneError>, random: f64) {
        self.last_call = Some(now);
        let wait = match answer {
            Err(ZoneError::Throttled(_)) => self.throttled.next(random),
            Err(ZoneError::Busy(_)) => self.busy.next(random),
            Err(ZoneError::Unknown(_) | ZoneError::Unauthenticated(_) | ZoneError::NoSuchZone(_)) => {
                self.failed.next(random)
            }
            // An answer about the batch itself: the registry is well.
            Ok(()) | Err(_) => {
                self.throttled.reset();
                self.busy.reset();
                self.failed.reset();
                Duration::ZERO
            }
        };
        self.not_before = now + wait;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(1_000);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_call_after_quiet_goes_at_once() {
        let pacer = Pacer::new(Pace::ROUTE53);
        assert_eq!(pacer.ready_at(QUIET, 1, false), QUIET);
    }

    #[test]
    fn later_changes_gather_but_deletes_do_not_wait() {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        pacer.on_call(QUIET, 1);
        pacer.on_answer(QUIET, Ok(()), 0.5);
        assert_eq!(pacer.ready_at(QUIET, 1, false), QUIET + ms(500));
        assert_eq!(pacer.ready_at(QUIET, 1, true), QUIET);
        assert_eq!(pacer.ready_at(QUIET + ms(700), 1, false), QUIET + ms(700));
    }

    #[test]
    fn calls_stay_within_rate_and_burst() {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        let (mut now, mut calls) = (QUIET, Vec::new());
        while calls.len() < 200 {
            now = pacer.ready_at(now, 1, true);
            pacer.on_call(now, 1);
            pacer.on_answer(now, Ok(()), 0.5);
            calls.push(now);
        }
        for window in 1..calls.len() {
            let elapsed = (calls[window] - calls[0]).as_secs_f64();
            assert!((window + 1) as f64 <= 40.0 + 8.0 * elapsed + 1e-3, "{window} calls in {elapsed} s");
        }
    }

    #[test]
    fn a_batch_waits_for_its_change_cost() {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        pacer.on_call(QUIET, 1_000);
        pacer.on_answer(QUIET, Ok(()), 0.5);
        assert_eq!(pacer.ready_at(QUIET, 1_000, true), QUIET + Duration::from_secs(5));
    }

    #[test]
    fn nothing_goes_inside_the_wait_after_a_throttle() {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        let throttled = ZoneError::Throttled(String::new());
        for (k, ceiling) in [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000].into_iter().enumerate() {
            pacer.on_answer(QUIET, Err(&throttled), 1.0);
            assert_eq!(pacer.ready_at(QUIET, 1, true), QUIET + ms(ceiling), "throttled {} times", k + 1);
        }
        pacer.on_answer(QUIET, Ok(()), 1.0);
        assert_eq!(pacer.ready_at(QUIET, 1, true), QUIET);
    }

    #[test]
    fn a_change_in_flight_is_waited_out_shortly() {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        let busy = ZoneError::Busy(String::new());
        for ceiling in [600, 1_200, 2_400, 4_000, 4_000] {
            pacer.on_answer(QUIET, Err(&busy), 1.0);
            assert_eq!(pacer.ready_at(QUIET, 1, true), QUIET + ms(ceiling));
        }
        pacer.on_answer(QUIET, Err(&busy), 0.0);
        assert_eq!(pacer.ready_at(QUIET, 1, true), QUIET + ms(20));
    }
}
