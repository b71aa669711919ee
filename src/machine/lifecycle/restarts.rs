//! Crash loops: how often a container began anew, and how long it is kept out of DNS for it.
//!
//! A process that starts, passes its check and dies again would come and go in DNS as fast as its engine
//! starts it, and take its share of requests along each time. Owns the count and the hold; what a held life
//! wants is decided by the [lifecycle](super).
//!
//! ## Caveats
//!
//! It is the same container that is started again: where a scheduler puts a new one in its place each time,
//! the scheduler has to notice.

use std::collections::VecDeque;
use std::time::Duration;

use crate::container::Timestamp;
use crate::moment::Moment;

/// So many starts within [`WITHIN`] are a crash loop.
pub const STARTS: usize = 5;
/// See [`STARTS`].
pub const WITHIN: Duration = Duration::from_secs(60);
/// How long the first hold of a crash loop is; each further start in it doubles that, up to [`HOLD_MAX`].
pub const HOLD: Duration = Duration::from_secs(30);
/// The longest hold.
pub const HOLD_MAX: Duration = Duration::from_secs(300);

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
}

impl Restarts {
    /// A life begins. Returns until when it is kept out of DNS, if it is.
    pub(super) fn on_start(&mut self, life: Timestamp, now: Moment) -> Option<Moment> {
        if self.life.replace(life) != Some(life) {
            self.forget(now);
            self.starts.push_back(now);
            // More than are asked for tell nothing more.
            self.starts.drain(..self.starts.len().saturating_sub(STARTS));
            if self.starts.len() >= STARTS || self.holds > 0 {
                self.until = now + (HOLD * 2_u32.saturating_pow(self.holds.min(8))).min(HOLD_MAX);
                self.holds += 1;
            }
        }
        Some(self.until).filter(|until| *until > now)
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
        held.map(|until| until.since_start().as_secs())
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
            if let Some(until) = restarts.on_start(at(second + 1), Moment::after(secs(second))) {
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
