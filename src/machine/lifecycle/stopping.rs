//! A container that was sent signals: which of them ask it to stop, and when it has survived them.
//!
//! Owns the meaning of a signal. It comes faster than a look, so it may come before anything is known of
//! the container: then it is kept until a look tells what the container takes as its stop signal, and how
//! long it has. What that means for its services is decided by the [lifecycle](super).

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Life, STOP_SLACK, STOP_TIMEOUT_MIN, Sight};
use crate::machine::container::Timestamp;

const SIGINT: u8 = 2;
const SIGKILL: u8 = 9;
const SIGTERM: u8 = 15;

/// A signal that Docker sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// When, by Docker's clock: a life that began later was not meant.
    pub time: Timestamp,
    /// When the agent heard of it.
    pub heard: Duration,
    /// How old it was by then.
    pub age: Duration,
}

/// A container that was sent signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopping {
    /// The life that stops; `None` until a look has shown that the signals ask for it.
    pub life: Option<Timestamp>,
    /// The latest of each signal, by its number.
    kills: BTreeMap<u8, Kill>,
    stop_timeout: Option<Duration>,
}

impl Stopping {
    /// A container of which nothing is known yet.
    pub(super) fn unsure(signal: u8, kill: Kill) -> Self {
        Self { life: None, kills: BTreeMap::from([(signal, kill)]), stop_timeout: None }
    }

    /// A container that is known to take this signal so.
    pub(super) fn sure(life: &Life, signal: u8, kill: Kill) -> Self {
        let kills = BTreeMap::from([(signal, kill)]);
        Self { life: Some(life.started_at), kills, stop_timeout: life.stop_timeout }
    }

    /// When it has survived, if it still runs.
    pub fn until(&self) -> Duration {
        let patience = self.stop_timeout.unwrap_or_default().max(STOP_TIMEOUT_MIN) + STOP_SLACK;
        let by_time = |kill: &&Kill| kill.time;
        // Until a look has told which of them ask it to stop, the last one may be the first that does.
        let counted = match self.life {
            Some(_) => self.kills.values().min_by_key(by_time),
            None => self.kills.values().max_by_key(by_time),
        };
        counted.map_or(Duration::ZERO, |kill| (kill.heard + patience).saturating_sub(kill.age))
    }

    pub(super) fn on_killed(&mut self, signal: u8, kill: Kill) {
        let latest = self.kills.entry(signal).or_insert(kill);
        if latest.time < kill.time {
            *latest = kill;
        }
    }

    /// Whether a look that shows it running leaves it stopping.
    pub(super) fn holds(&mut self, sight: &Sight, now: Duration) -> bool {
        self.kills.retain(|signal, kill| stops(*signal, sight.stop_signal) && kill.time >= sight.started_at);
        self.stop_timeout = sight.stop_timeout;
        self.life = Some(sight.started_at);
        !self.kills.is_empty() && now < self.until()
    }

    /// Whether a signal was sent after this death, and so to a later life.
    pub(super) fn goes_on_after(&mut self, death: Timestamp) -> bool {
        self.kills.retain(|_, kill| kill.time > death);
        self.life = None;
        !self.kills.is_empty()
    }
}

/// Whether a signal asks a container to stop whose image names `stop_signal` for that.
///
/// SIGINT is how a terminal stops what it runs. Other signals ask for something else, unless the image
/// names one as its own way to stop.
pub fn stops(signal: u8, stop_signal: u8) -> bool {
    [SIGKILL, SIGTERM, SIGINT, stop_signal].contains(&signal)
}
