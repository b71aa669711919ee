//! A life that may not serve any more: it was sent a signal which ends most processes, and may have ended nothing (a JVM
//! prints its threads at SIGQUIT and goes on), or it was [paused](super::pause) for long.
//!
//! Owns how long its services have weight 0 for that. A check that passes right after a signal says little: a
//! core is written, a grace is taken. So what counts are two passes that began [`SETTLES`] after it or later;
//! what has no check is believed after [`UNCHECKED`]. After a pause the first pass counts, and after that time what a
//! HEALTHCHECK said before it: its next run may be an hour away, or none may come.

use std::time::Duration;

use super::stopping::Kill;
use crate::container::{Checked, Timestamp};
use crate::moment::Moment;

/// So long after the signal nothing that passes counts.
pub const SETTLES: Duration = Duration::from_secs(10);
/// So long after it what cannot be asked is believed to have survived.
pub const UNCHECKED: Duration = Duration::from_secs(60);
/// How often a HEALTHCHECK's log is inspected meanwhile; Docker keeps its last five entries.
const INSPECT_EVERY: Duration = Duration::from_secs(5);
/// How many passes in a row are asked for after a signal.
const PASSES: u32 = 2;

/// The doubt whether a life still serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The signal, where it was one.
    pub(super) kill: Option<Kill>,
    /// When passes begin to count.
    counts_from: Moment,
    /// When it is over for what cannot be asked.
    over_at: Moment,
    /// Whether passes count by now.
    settled: bool,
    /// When the container is to be inspected for its HEALTHCHECK's log.
    inspect_at: Moment,
    /// The latest entry of that log that was counted; `None` before the first inspection.
    counted: Option<Option<Timestamp>>,
    passes: u32,
}

impl Doubt {
    /// A doubt since this signal; `None` where it is too old to matter.
    pub(super) fn since(kill: Kill, now: Moment) -> Option<Self> {
        let doubt = Self::new(Some(kill), kill.and(SETTLES), kill.and(UNCHECKED));
        (now < doubt.over_at).then_some(doubt)
    }

    /// A doubt since a long pause ended: the first pass from then on ends it.
    pub(super) fn after_pause(now: Moment) -> Self {
        Self { settled: true, ..Self::new(None, now, now + UNCHECKED) }
    }

    /// The same since a pause ended: what was frozen acts on a signal only then.
    pub(super) fn thawed(self, now: Moment) -> Self {
        match self.kill {
            Some(_) => Self::new(self.kill, now + SETTLES, now + UNCHECKED),
            None => Self::after_pause(now),
        }
    }

    fn new(kill: Option<Kill>, counts_from: Moment, over_at: Moment) -> Self {
        let (settled, counted, passes) = (false, None, 0);
        Self { kill, counts_from, over_at, settled, inspect_at: counts_from, counted, passes }
    }

    /// Whether a signal began it, and not a pause.
    pub(super) fn is_of_signal(&self) -> bool {
        self.kill.is_some()
    }

    /// Whether passes count by now.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// When it is over for what cannot be asked.
    pub(super) fn over_at(&self) -> Moment {
        self.over_at
    }

    /// When passes begin to count, or a HEALTHCHECK's log is due.
    pub(super) fn due_at(&self, healthcheck: bool) -> Option<Moment> {
        match self.settled {
            false => Some(self.counts_from),
            true => healthcheck.then_some(self.inspect_at),
        }
    }

    /// Time has passed: the inspection that is due is asked for.
    pub(super) fn on_tick(&mut self, now: Moment) {
        self.settled |= now >= self.counts_from;
        if self.settled && now >= self.inspect_at {
            self.inspect_at = now + INSPECT_EVERY;
        }
    }

    /// An inspection shows the HEALTHCHECK's log; whether enough of it has passed.
    pub(super) fn on_log(&mut self, log: &[Checked]) -> bool {
        if !self.settled {
            return false;
        }
        let last = log.last().map(|entry| entry.began);
        // What ran before passes counted does not count.
        let Some(counted) = self.counted.replace(last) else { return false };
        let new = log.iter().rposition(|entry| Some(entry.began) == counted).map_or(0, |index| index + 1);
        for entry in &log[new..] {
            self.passes = if entry.passed { self.passes + 1 } else { 0 };
        }
        self.passes >= if self.is_of_signal() { PASSES } else { 1 }
    }
}
