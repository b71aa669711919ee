//! When the next call may go.
//!
//! Owns the rate of calls and changes, the gap that lets changes gather, and the waits after a refusal.
//! What goes into a call is the [ledger](crate::reconcile::ledger)'s; time and randomness come in as arguments.
//!
//! Throttling says that everybody together was too fast, so the wait is drawn from a range that doubles
//! (full jitter: callers that were refused together do not come back together). One change in flight per
//! zone is no storm: its waits are short.
//!
//! ## A fleet
//!
//! When all hosts of an account start at once, each is throttled until those before it are through. Where the
//! fleet's size is known, the range of a wait is half of what the others still need, so that a host asks a
//! few times, and not once a second, while it cannot have a turn.

use std::time::Duration;

use crate::backoff::Backoff;

use crate::zone::{Meaning, ZoneError};

/// The longest wait after throttling, where nothing is known of the fleet.
const THROTTLED_MAX: Duration = Duration::from_secs(20);
/// The shortest and the longest range of that wait in a fleet of known size.
const FLEET_RANGE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// The shortest wait while the registry does not know us, or the zone.
const STRANGER_MIN: Duration = Duration::from_secs(1);
/// The longest wait in a drain.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// What a smoothed duration keeps of its past at each new one.
const SMOOTHING: f64 = 0.8;

/// How fast one agent may call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Requests a second, and how many may go at once after quiet.
    pub requests: Rate,
    /// Record changes a second, and how many may go at once after quiet; `None` where the account does not
    /// count them.
    pub changes: Option<Rate>,
    /// After a batch was written, how long changes gather before the next; deletes do not wait for it.
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
        changes: Some(Rate { per_second: 100.0, burst: 1_500.0 }),
        gap: Duration::from_millis(500),
    };

    /// A share of what an account may do that still has the limits from before (5 requests/s, burst 5; changes
    /// are not counted).
    pub const LEGACY: Self = Self {
        requests: Rate { per_second: 4.0, burst: 5.0 },
        changes: None,
        gap: Duration::from_millis(500),
    };

    /// A zone in this process: nobody shares it, and nothing is gained by waiting.
    pub const LOCAL: Self =
        Self { requests: Rate { per_second: 10_000.0, burst: 10_000.0 }, changes: None, gap: Duration::ZERO };
}

/// A token bucket that may be overdrawn by its last spender, who then waits for the debt.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// A full one.
    pub fn new(rate: Rate) -> Self {
        Self { rate, tokens: rate.burst, at: Duration::ZERO }
    }

    fn level(&self, now: Duration) -> f64 {
        let earned = now.saturating_sub(self.at).as_secs_f64() * self.rate.per_second;
        (self.tokens + earned).min(self.rate.burst)
    }

    /// The moment at which `cost` is there, or the whole burst where it costs more than that.
    pub fn ready_at(&self, now: Duration, cost: f64) -> Duration {
        let missing = cost.min(self.rate.burst) - self.level(now);
        if missing <= 0.0 { now } else { now + Duration::from_secs_f64(missing / self.rate.per_second) }
    }

    /// Takes so much out of it.
    pub fn spend(&mut self, now: Duration, cost: f64) {
        self.tokens = self.level(now) - cost;
        self.at = now;
    }
}

/// What waits to be written.
#[derive(Clone, Copy, Debug)]
struct Backlog {
    since: Duration,
    cost: usize,
}

/// The pace of one writer.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    requests: Bucket,
    changes: Option<Bucket>,
    /// When the last call went out, and when one last wrote something.
    sent: Duration,
    last_write: Option<Duration>,
    not_before: Duration,
    throttled: Backoff,
    busy: Backoff,
    failed: Backoff,
    backlog: Option<Backlog>,
    /// How many hosts share the account's rate, where that is known.
    hosts: Option<u32>,
    /// How long a call takes that succeeds, smoothed.
    success: Option<Duration>,
    /// When a drain has to be over.
    deadline: Option<Duration>,
}

impl Pacer {
    /// A pacer that has been quiet.
    pub fn new(pace: Pace) -> Self {
        let ms = Duration::from_millis;
        Self {
            pace,
            requests: Bucket::new(pace.requests),
            changes: pace.changes.map(Bucket::new),
            sent: Duration::ZERO,
            last_write: None,
            not_before: Duration::ZERO,
            throttled: Backoff::new(Duration::ZERO, ms(1_000), FLEET_RANGE.1),
            busy: Backoff::new(ms(20), ms(600), ms(4_000)),
            failed: Backoff::new(ms(200), ms(1_000), ms(30_000)),
            backlog: None,
            hosts: None,
            success: None,
            deadline: None,
        }
    }

    /// How many hosts share the account's rate, where that is known. A hint: without it, nothing fails.
    pub fn set_hosts(&mut self, hosts: Option<u32>) {
        self.hosts = hosts;
    }

    /// How many hosts share the account's rate, where that is known.
    pub fn hosts(&self) -> Option<u32> {
        self.hosts
    }

    /// What waits to be written now costs so much.
    pub fn set_backlog(&mut self, now: Duration, cost: usize) {
        self.backlog = match self.backlog {
            _ if cost == 0 => None,
            Some(backlog) => Some(Backlog { cost, ..backlog }),
            None => Some(Backlog { since: now, cost }),
        };
    }

    /// From now on everything has to be over by `deadline`: a wait that was longer is cut short.
    pub fn drain(&mut self, now: Duration, deadline: Duration) {
        self.deadline = Some(deadline);
        self.not_before = self.not_before.min(now + self.drain_cap(now));
    }

    /// No call goes before `at`, and nothing is saved up by then: somebody else spent it.
    pub fn hold_until(&mut self, at: Duration) {
        self.not_before = self.not_before.max(at);
        std::iter::once(&mut self.requests).chain(&mut self.changes).for_each(|bucket| {
            (bucket.tokens, bucket.at) = (0.0, at);
        });
    }

    /// The earliest moment at which a call with this change cost may go. An `urgent` one, with deletes
    /// in it, does not wait for others to gather.
    pub fn ready_at(&self, now: Duration, cost: usize, urgent: bool) -> Duration {
        let gathered = match self.last_write {
            Some(last) if !urgent => last + self.pace.gap,
            _ => now,
        };
        let afforded = self.changes.as_ref().map_or(now, |changes| changes.ready_at(now, cost as f64));
        now.max(self.not_before).max(gathered).max(self.requests.ready_at(now, 1.0)).max(afforded)
    }

    /// A call goes out now.
    pub fn on_call(&mut self, now: Duration, cost: usize) {
        self.sent = now;
        self.requests.spend(now, 1.0);
        if let Some(changes) = &mut self.changes {
            changes.spend(now, cost as f64);
        }
    }

    /// A call that reads was answered. `random` is uniform in 0..1.
    pub fn on_read(&mut self, now: Duration, answer: Result<(), &ZoneError>, random: f64) {
        self.not_before = now + self.wait_after(now, answer, random);
    }

    /// A call that writes was answered. `random` is uniform in 0..1.
    pub fn on_answer(&mut self, now: Duration, answer: Result<(), &ZoneError>, random: f64) {
        if answer.is_ok() {
            self.last_write = Some(now);
            let took = now.saturating_sub(self.sent);
            let before = self.success.unwrap_or(took);
            self.success = Some(before.mul_f64(SMOOTHING) + took.mul_f64(1.0 - SMOOTHING));
        }
        self.not_before = now + self.wait_after(now, answer, random);
    }

    fn wait_after(&mut self, now: Duration, answer: Result<(), &ZoneError>, random: f64) -> Duration {
        let drain_cap = self.deadline.map_or(Duration::MAX, |_| self.drain_cap(now));
        match answer.map_err(|error| (error, error.meaning())) {
            Err((ZoneError::Throttled(_), _)) => {
                self.throttled.next_below(self.throttled_cap(now).min(drain_cap), random)
            }
            Err((_, Meaning::Later)) => self.busy.next_below(drain_cap, random),
            Err((_, Meaning::Unheard)) => self.failed.next_below(drain_cap, random).min(drain_cap),
            Err((_, Meaning::Unserved)) => {
                self.failed.next_below(drain_cap, random).max(STRANGER_MIN).min(drain_cap)
            }
            // An answer about the call itself: the registry is well, and whoever asked waits with that.
            Ok(()) | Err((_, Meaning::Refused)) => {
                self.throttled.reset();
                self.busy.reset();
                self.failed.reset();
                Duration::ZERO
            }
        }
    }

    fn throttled_cap(&self, now: Duration) -> Duration {
        let Some((hosts, backlog)) = self.hosts.zip(self.backlog) else { return THROTTLED_MAX };
        let by_cost = match self.pace.changes {
            Some(changes) => backlog.cost as f64 / changes.per_second,
            None => 0.0,
        };
        let success = self.success.unwrap_or_default().as_secs_f64();
        let per_host = (1.0 / self.pace.requests.per_second).max(success).max(by_cost);
        let left = f64::from(hosts) * per_host - now.saturating_sub(backlog.since).as_secs_f64();
        let (shortest, longest) = FLEET_RANGE;
        Duration::from_secs_f64((left / 2.0).clamp(shortest.as_secs_f64(), longest.as_secs_f64()))
    }

    /// The longest wait in a drain: half of what is left, so that there is another try before it is over.
    fn drain_cap(&self, now: Duration) -> Duration {
        let left = self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_sub(now));
        DRAIN_MAX.min(left / 2)
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
    fn a_pacer_that_goes_on_for_another_has_nothing_saved_up() {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        pacer.hold_until(QUIET);
        assert_eq!(pacer.ready_at(QUIET - ms(500), 0, true), QUIET);
        assert_eq!(pacer.ready_at(QUIET, 0, true), QUIET + ms(125));
        assert_eq!(pacer.ready_at(QUIET + ms(200), 100, true), QUIET + ms(1_000));
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
    fn in_a_fleet_of_known_size_the_range_is_half_of_what_the_others_need() {
        let throttled = ZoneError::Throttled(String::new());
        let wait = |hosts, cost, elapsed| {
            let mut pacer = Pacer::new(Pace::ROUTE53);
            pacer.set_hosts(Some(hosts));
            pacer.set_backlog(QUIET, cost);
            let now = QUIET + Duration::from_secs(elapsed);
            for _ in 0..9 {
                pacer.on_answer(now, Err(&throttled), 1.0);
            }
            (pacer.ready_at(now, 1, true) - now).as_secs_f64()
        };
        // 300 hosts, 8 requests/s: 37.5 s in all.
        assert_eq!(wait(300, 1, 0), 18.75);
        assert_eq!(wait(300, 1, 20), 8.75);
        // 50 changes at 100 changes/s count more than the request.
        assert_eq!(wait(100, 50, 0), 25.0);
        assert_eq!(wait(300, 1, 300), 2.0);
        assert_eq!(wait(10_000, 100, 0), 60.0);
    }

    #[test]
    fn the_range_in_a_fleet_follows_how_long_a_success_takes() {
        let mut pacer = Pacer::new(Pace::ROUTE53);
        pacer.set_hosts(Some(40));
        pacer.on_call(QUIET, 1);
        pacer.on_answer(QUIET + Duration::from_secs(1), Ok(()), 0.5);
        let now = QUIET + Duration::from_secs(9);
        pacer.set_backlog(now, 1);
        for _ in 0..9 {
            pacer.on_answer(now, Err(&ZoneError::Throttled(String::new())), 1.0);
        }
        assert_eq!(pacer.ready_at(now, 1, true), now + Duration::from_secs(20));
    }

    #[test]
    fn a_drain_waits_less_and_keeps_a_last_try_before_its_deadline() {
        let throttled = ZoneError::Throttled(String::new());
        let mut pacer = Pacer::new(Pace::ROUTE53);
        for _ in 0..9 {
            pacer.on_answer(QUIET, Err(&throttled), 1.0);
        }
        let deadline = QUIET + Duration::from_secs(25);
        pacer.drain(QUIET, deadline);
        let mut now = QUIET;
        let mut tries = 0;
        loop {
            let next = pacer.ready_at(now, 1, true);
            assert!(next < deadline && next - now <= Duration::from_secs(5));
            if deadline - next < ms(100) {
                break;
            }
            now = next;
            tries += 1;
            pacer.on_answer(now, Err(&throttled), 1.0);
        }
        assert!(tries >= 8, "{tries}");
    }

    #[test]
    fn a_registry_that_does_not_know_us_is_asked_again_within_1_to_30_s() {
        for error in [ZoneError::Unauthenticated(String::new()), ZoneError::NoSuchZone(String::new())] {
            let mut pacer = Pacer::new(Pace::ROUTE53);
            for ceiling in [1, 2, 4, 8, 16, 30, 30] {
                pacer.on_answer(QUIET, Err(&error), 1.0);
                assert_eq!(pacer.ready_at(QUIET, 1, true), QUIET + Duration::from_secs(ceiling));
            }
            pacer.on_read(QUIET, Err(&error), 0.0);
            assert_eq!(pacer.ready_at(QUIET, 1, true), QUIET + Duration::from_secs(1));
        }
    }

    #[test]
    fn the_limits_from_before_count_no_changes() {
        let mut pacer = Pacer::new(Pace::LEGACY);
        for _ in 0..5 {
            assert_eq!(pacer.ready_at(QUIET, 1_000, true), QUIET);
            pacer.on_call(QUIET, 1_000);
        }
        assert_eq!(pacer.ready_at(QUIET, 1_000, true), QUIET + ms(250));
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
