//! Crash loops of one container: how often it began anew, and how long it is kept out of DNS for it.
//!
//! A process that starts, passes its check and dies again would come and go in DNS as fast as its engine
//! starts it, and take its share of requests along each time. Owns the count and the hold; what a held life
//! wants is decided by the [lifecycle](super).
//!
//! Where a scheduler puts a new container in its place each time, that is seen [across
//! containers](crate::machine::crash_loops), and the new one is told before its first life begins.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Event, Lifecycle, State};
use crate::container::{Family, Timestamp};
use crate::moment::Moment;

/// So many starts within [`WITHIN`] are a crash loop.
pub const STARTS: usize = 5;
/// See [`STARTS`].
pub const WITHIN: Duration = Duration::from_secs(60);
/// How long the first hold of a crash loop is; each further start in it doubles that, up to [`HOLD_MAX`].
pub const HOLD: Duration = Duration::from_secs(30);
/// The longest hold.
pub const HOLD_MAX: Duration = Duration::from_secs(300);

/// A life is kept out of DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Until then.
    pub until: Moment,
    /// What it is part of.
    pub of: Loop,
}

/// A crash loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loop {
    /// Its container is started again and again.
    Own,
    /// Others of this family are put in each other's place.
    Family(Family),
}

/// How long a hold is that comes after so many in a row.
pub fn hold_after(holds: u32) -> Duration {
    (HOLD * 2_u32.saturating_pow(holds.min(8))).min(HOLD_MAX)
}

/// The starts of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Restarts {
    /// The latest life that was counted.
    life: Option<Timestamp>,
    /// When the latest ones were heard of.
    starts: VecDeque<Moment>,
    /// How often it was held in a row.
    holds: u32,
    /// When the latest hold ends or ended.
    until: Moment,
    /// How long its first life is kept out for others.
    beside: Option<Hold>,
}

impl Restarts {
    /// A life begins. Returns how it is kept out of DNS, if it is.
    pub(super) fn on_start(&mut self, life: Timestamp, now: Moment) -> Option<Hold> {
        let known = self.life.replace(life);
        if known != Some(life) {
            self.beside.take_if(|_| known.is_some());
            self.forget(now);
            self.starts.push_back(now);
            // More than are asked for tell nothing more.
            self.starts.drain(..self.starts.len().saturating_sub(STARTS));
            if self.starts.len() >= STARTS || self.holds > 0 {
                self.until = now + hold_after(self.holds);
                self.holds += 1;
            }
        }
        let own = Hold { until: self.until, of: Loop::Own };
        [Some(own), self.beside.clone()].into_iter().flatten().find(|hold| hold.until > now)
    }

    /// Whether nothing of what is remembered matters any more.
    pub(super) fn forgotten(&self, now: Moment) -> bool {
        let mut after = self.clone();
        after.forget(now);
        after.starts.len() <= 1 && after.holds == 0
    }

    /// What has stayed up for [`WITHIN`] after a hold has left its crash loop.
    fn forget(&mut self, now: Moment) {
        if now >= self.until + WITHIN {
            self.holds = 0;
        }
        self.starts.retain(|at| now - *at < WITHIN);
    }
}

impl Lifecycle {
    /// Its like are in a crash loop. A life that has begun has no part in that.
    pub(in crate::machine) fn beside(mut self, hold: Hold) -> Self {
        if self.restarts.life.is_none() {
            self.restarts.beside = Some(hold);
        }
        self
    }

    /// How the life that is watched is kept out of DNS, while it is.
    pub(super) fn hold(&self) -> Option<&Hold> {
        match &self.state {
            State::Live(life) => life.hold.as_ref(),
            State::Idle | State::Stopping(_) | State::Drained => None,
        }
    }

    /// The family, where this is an end as those of a crash loop of several containers: of a first life that was
    /// short and offered something, and that nobody asked for.
    pub(super) fn crash(&self, event: &Event) -> Option<Family> {
        let (State::Live(life), Event::Died { time, .. }) = (&self.state, event) else { return None };
        let is_short = time.after(life.started_at) < WITHIN;
        let signalled = life.doubt.as_ref().is_some_and(|doubt| doubt.kill.is_some());
        let counts = is_short && !life.lived_before && !signalled && !life.services.is_empty();
        life.family.clone().filter(|_| counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::at;
    use crate::machine::testing::secs;

    /// Starts at these seconds; until when the last one is held.
    fn held(starts: impl IntoIterator<Item = u64>) -> Option<u64> {
        let mut restarts = Restarts::default();
        let mut held = None;
        for second in starts {
            held = restarts.on_start(at(second + 1), Moment::after(secs(second)));
        }
        held.map(|hold| hold.until.since_start().as_secs())
    }

    #[test]
    fn the_fifth_start_within_a_minute_is_held() {
        assert_eq!(held([0, 1, 2, 3]), None);
        assert_eq!(held([0, 1, 2, 3, 4]), Some(34));
        assert_eq!(held([0, 1, 2, 3, 59]), Some(89));
        assert_eq!(held([0, 1, 2, 3, 60]), None);
        assert_eq!(held((0..40).map(|n| n * 16)), None);
    }

    #[test]
    fn each_further_start_doubles_the_hold_up_to_five_minutes() {
        let mut restarts = Restarts::default();
        let (mut second, mut holds) = (0, Vec::new());
        while holds.len() < 7 {
            if let Some(Hold { until, .. }) = restarts.on_start(at(second + 1), Moment::after(secs(second))) {
                holds.push(until.since_start().as_secs() - second);
                // It lives for as long as it is held, and dies as soon as it is not.
                second = until.since_start().as_secs();
            }
            second += 1;
        }
        assert_eq!(holds, [30, 60, 120, 240, 300, 300, 300]);
    }

    #[test]
    fn what_stays_up_for_a_minute_after_its_hold_starts_afresh() {
        assert_eq!(held([0, 1, 2, 3, 4, 34 + 59]), Some(34 + 59 + 60));
        assert_eq!(held([0, 1, 2, 3, 4, 34 + 60]), None);
    }

    #[test]
    fn another_inspect_at_the_same_life_is_no_start() {
        let mut restarts = Restarts::default();
        for second in 0..20 {
            assert_eq!(restarts.on_start(at(7), Moment::after(secs(second))), None);
        }
    }

    #[test]
    fn is_forgotten_once_it_matters_no_more() {
        let mut restarts = Restarts::default();
        assert!(restarts.forgotten(Moment::after(secs(0))));
        (0..5).for_each(|n| {
            assert!(restarts.on_start(at(n + 1), Moment::after(secs(n))).is_some() == (n == 4))
        });
        assert!(!restarts.forgotten(Moment::after(secs(34 + 59))));
        assert!(restarts.forgotten(Moment::after(secs(34 + 60))));
    }
}
