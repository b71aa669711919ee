//! How often a host may ask after changes.
//!
//! | | at most |
//! |---|---|
//! | a host | a question every [`ASK_EVERY`] |
//! | a change | a question every [`ASK_EVERY`], and a quarter of its age: at most [`ASKS_MAX`] until it is given up |
//! | a fleet that stops containers everywhere at once | [`SHARE`] of the requests that its agents may make |
//! | samples | one every [`SAMPLE_EVERY`] on a host, of as few hosts at once as keep to that share |

use std::time::Duration;

use crate::moment::Moment;

/// How often a host asks at most.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(5);
/// How often a change is asked after at most.
#[cfg(test)]
pub(super) const ASKS_MAX: usize = 18;
/// How often a host follows a change only to tell how long it takes.
pub(super) const SAMPLE_EVERY: Duration = Duration::from_secs(600);
/// The share of a fleet's requests that questions may take.
pub(super) const SHARE: f64 = 0.2;

/// How long a change of that age waits for the next question.
pub(super) fn wait(age: Duration) -> Duration {
    ASK_EVERY.max(age / 4)
}

/// How often a host may ask.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// How often a host asks for the sake of stops, so that all of a fleet may.
    period: Duration,
    asked: Option<Moment>,
    asked_for_stops: Option<Moment>,
    sampled: Option<Moment>,
    hold_until: Moment,
}

impl Budget {
    /// So many hosts share so many requests a second.
    pub(super) fn set_pace(&mut self, hosts: Option<u32>, per_second: f64) {
        let share = f64::from(hosts.unwrap_or(1)) / (SHARE * per_second);
        self.period = ASK_EVERY.max(Duration::try_from_secs_f64(share).unwrap_or(ASK_EVERY));
    }

    /// Nothing is asked before then.
    pub(super) fn hold_until(&mut self, at: Moment) {
        self.hold_until = self.hold_until.max(at);
    }

    /// When a question may go that is due then and tells how long changes take.
    pub(super) fn for_samples(&self, due: Moment) -> Moment {
        let free = self.asked.map_or(due, |asked| asked + ASK_EVERY);
        due.max(free).max(self.hold_until)
    }

    /// The same of one that tells whether a container ended too early.
    pub(super) fn for_stops(&self, due: Moment) -> Moment {
        let free = self.asked_for_stops.map_or(due, |asked| asked + self.period);
        self.for_samples(due).max(free)
    }

    /// A question goes out.
    pub(super) fn on_asked(&mut self, now: Moment, for_stop: bool) {
        self.asked = Some(now);
        if for_stop {
            self.asked_for_stops = Some(now);
        }
    }

    /// Whether another change is followed only to tell how long it takes. Where a fleet writes at once, few of its
    /// hosts do so.
    pub(super) fn samples(&mut self, now: Moment, random: impl FnOnce() -> f64) -> bool {
        let is_due =
            self.sampled.is_none_or(|sampled| now - sampled >= SAMPLE_EVERY) && now >= self.hold_until;
        let few = ASK_EVERY.as_secs_f64() / self.period.max(ASK_EVERY).as_secs_f64();
        let samples = is_due && (few >= 1.0 || random() < few);
        if is_due {
            self.sampled = Some(now);
        }
        samples
    }
}
