//! How long a call waits after one that was answered.
//!
//! Throttling says that everybody together was too fast, so the wait is drawn from a range that doubles
//! (full jitter: callers that were refused together do not come back together). One change in flight per
//! zone is no storm: its waits are short.
//!
//! ## A fleet
//!
//! When all hosts of an account start at once, each is throttled until those before it are through. One throttle may be
//! chance. From the second in a row on, where the fleet's size is known, the range of a wait follows from the time that
//! all of them need for as much as this one has to write, so that a host asks a few times, and not once a second, while
//! it cannot have a turn.
//!
//! | what they need it for | a wait is drawn from |
//! |---|---|
//! | changes: what nobody uses now is there later | all that is left of the time |
//! | turns at the zone, and requests: what nobody uses is lost | a third of it, so that somebody always asks |
//! | it is over, and there are still some: the guess was too short | a part of the time that it took until now |

use std::time::Duration;

use super::{Pace, Rate};
use crate::backoff::Backoff;
use crate::moment::Moment;
use crate::zone::{Meaning, ZoneError};

/// The longest wait after throttling, where nothing is known of the fleet.
const THROTTLED_MAX: Duration = Duration::from_secs(20);
/// The shortest and the longest range of that wait in a fleet of known size.
const FLEET_RANGE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(90));
/// What part of the time that the others need for their turns is the range.
const TURNS: f64 = 1.0 / 3.0;
/// What part of the time that has passed is the range, once all should be through.
const OVERTIME: f64 = 1.0 / 20.0;
/// How long a call takes, until one has succeeded: what Route 53 takes for a batch (assumed).
const SUCCESS: Duration = Duration::from_millis(200);
/// The shortest wait while the registry does not know us, or the zone.
const STRANGER_MIN: Duration = Duration::from_secs(1);
/// The longest wait in a drain.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// The shortest range of a wait in a drain of a fleet of known size, in which all are in a hurry.
const FLEET_DRAIN_MIN: Duration = Duration::from_secs(1);
/// What a smoothed duration keeps of its past at each new one.
const SMOOTHING: f64 = 0.8;

/// What waits to be written.
#[derive(Clone, Copy, Debug)]
struct Backlog {
    since: Moment,
    cost: usize,
}

/// The waits of one writer.
#[derive(Debug)]
pub(super) struct Waits {
    throttled: Backoff,
    /// Throttles in a row.
    in_a_row: u32,
    busy: Backoff,
    failed: Backoff,
    backlog: Option<Backlog>,
    hosts: Option<u32>,
    /// How long a call takes that succeeds, smoothed.
    success: Option<Duration>,
    /// When a drain has to be over.
    deadline: Option<Moment>,
}

impl Default for Waits {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self {
            throttled: Backoff::new(Duration::ZERO, ms(1_000), THROTTLED_MAX),
            in_a_row: 0,
            busy: Backoff::new(ms(20), ms(600), ms(4_000)),
            failed: Backoff::new(ms(200), ms(1_000), ms(30_000)),
            backlog: None,
            hosts: None,
            success: None,
            deadline: None,
        }
    }
}

impl Waits {
    /// How many hosts share the account's rate, where that is known. A hint: without it, nothing fails.
    pub(super) fn set_hosts(&mut self, hosts: Option<u32>) {
        self.hosts = hosts;
    }

    pub(super) fn hosts(&self) -> Option<u32> {
        self.hosts
    }

    /// What waits to be written now costs so much.
    pub(super) fn set_backlog(&mut self, now: Moment, cost: usize) {
        self.backlog = match self.backlog {
            _ if cost == 0 => None,
            Some(backlog) => Some(Backlog { cost, ..backlog }),
            None => Some(Backlog { since: now, cost }),
        };
    }

    /// From now on everything has to be over by `deadline`. Returns the longest wait from here on.
    pub(super) fn drain(&mut self, now: Moment, deadline: Moment) -> Duration {
        self.deadline = Some(deadline);
        drain_cap(deadline - now)
    }

    /// A call that writes succeeded, and took so long. What is still to be written waits for the next turn.
    pub(super) fn on_success(&mut self, now: Moment, took: Duration) {
        if let Some(backlog) = &mut self.backlog {
            backlog.since = now;
        }
        let before = self.success.unwrap_or(took);
        self.success = Some(before.mul_f64(SMOOTHING) + took.mul_f64(1.0 - SMOOTHING));
    }

    /// How long the next call waits after this answer. `random` is uniform in 0..1.
    pub(super) fn after(
        &mut self,
        answer: Result<(), &ZoneError>,
        pace: &Pace,
        now: Moment,
        random: f64,
    ) -> Duration {
        let left = self.deadline.map(|deadline| deadline - now);
        let drain_cap = left.map_or(Duration::MAX, drain_cap);
        let fleet_cap = left.map_or(Duration::MAX, |left| (left * 2 / 3).max(FLEET_DRAIN_MIN));
        match answer.map_err(|error| (error, error.meaning())) {
            Err((ZoneError::Throttled(_), _)) => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                match self.fleet_range(pace, now).filter(|_| self.in_a_row > 1) {
                    Some(range) => range.min(fleet_cap).mul_f64(random),
                    None => self.throttled.next_below(drain_cap, random),
                }
            }
            Err((_, Meaning::Later)) => self.busy.next_below(drain_cap, random),
            Err((_, Meaning::Unheard)) => self.failed.next_below(drain_cap, random).min(drain_cap),
            Err((_, Meaning::Unserved)) => {
                self.failed.next_below(drain_cap, random).max(STRANGER_MIN).min(drain_cap)
            }
            // An answer about the call itself: the registry is well, and whoever asked waits with that.
            Ok(()) | Err((_, Meaning::Refused)) => {
                self.throttled.reset();
                self.in_a_row = 0;
                self.busy.reset();
                self.failed.reset();
                Duration::ZERO
            }
        }
    }

    /// What the wait after a throttle is drawn from, in a fleet of known size.
    fn fleet_range(&self, pace: &Pace, now: Moment) -> Option<Duration> {
        let (hosts, backlog) = self.hosts.zip(self.backlog)?;
        let hosts = f64::from(hosts);
        let waited = (now - backlog.since).as_secs_f64();
        let time = |units: f64, rate: Rate| (units - rate.burst) / rate.per_second;
        let changes = pace.changes.map_or(0.0, |changes| time(hosts * backlog.cost as f64, changes));
        let turns = hosts * self.success.unwrap_or(SUCCESS).as_secs_f64();
        let requests = time(hosts, pace.requests);
        let range = (changes - waited).max((turns.max(requests) - waited) * TURNS).max(waited * OVERTIME);
        let (shortest, longest) = FLEET_RANGE;
        Some(Duration::from_secs_f64(range.clamp(shortest.as_secs_f64(), longest.as_secs_f64())))
    }
}

/// The longest wait in a drain: half of what is left, so that there is another try before it is over.
fn drain_cap(left: Duration) -> Duration {
    DRAIN_MAX.min(left / 2)
}
