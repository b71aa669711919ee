//! How long a call waits after one that was answered.
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

use super::Pace;
use crate::backoff::Backoff;
use crate::moment::Moment;
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
            throttled: Backoff::new(Duration::ZERO, ms(1_000), FLEET_RANGE.1),
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
        drain_cap(now, deadline)
    }

    /// A call that writes succeeded, and took so long.
    pub(super) fn on_success(&mut self, took: Duration) {
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
        let drain_cap = self.deadline.map_or(Duration::MAX, |deadline| drain_cap(now, deadline));
        match answer.map_err(|error| (error, error.meaning())) {
            Err((ZoneError::Throttled(_), _)) => {
                self.throttled.next_below(self.throttled_cap(pace, now).min(drain_cap), random)
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

    fn throttled_cap(&self, pace: &Pace, now: Moment) -> Duration {
        let Some((hosts, backlog)) = self.hosts.zip(self.backlog) else { return THROTTLED_MAX };
        let by_cost = match pace.changes {
            Some(changes) => backlog.cost as f64 / changes.per_second,
            None => 0.0,
        };
        let success = self.success.unwrap_or_default().as_secs_f64();
        let per_host = (1.0 / pace.requests.per_second).max(success).max(by_cost);
        let left = f64::from(hosts) * per_host - (now - backlog.since).as_secs_f64();
        let (shortest, longest) = FLEET_RANGE;
        Duration::from_secs_f64((left / 2.0).clamp(shortest.as_secs_f64(), longest.as_secs_f64()))
    }
}

/// The longest wait in a drain: half of what is left, so that there is another try before it is over.
fn drain_cap(now: Moment, deadline: Moment) -> Duration {
    DRAIN_MAX.min((deadline - now) / 2)
}
