//! Crash loops of a scheduler, which puts a new container in the place of one that has ended.
//!
//! Each of them would pass its check, be registered, and end again. Owns which [families](Family) are in such a loop, and
//! for how long what begins in one is kept out of DNS. What a life that is kept out wants, and the loop of a container
//! that is started again, are for the [lifecycle](super::lifecycle).
//!
//! ## What counts
//!
//! An end that was heard, of a container's first life, within [`WITHIN`](restarts::WITHIN) of its start, that nobody
//! asked for by a signal. A start never counts: twenty copies may begin at once, and ten be replaced by ten. What runs
//! already stays as it is.
//!
//! ## Caveats
//!
//! An engine that tells of no signals makes each stop of a short life look like such an end.

use std::collections::{BTreeMap, VecDeque};

use super::lifecycle::restarts::{self, Hold, Loop};
use crate::container::Family;
use crate::moment::Moment;

/// So many such ends within [`WITHIN`](restarts::WITHIN) are a crash loop.
pub const ENDS: usize = 5;

/// Which families are in a crash loop.
#[derive(Clone, Debug, Default)]
pub struct CrashLoops(BTreeMap<Family, Crashes>);

#[derive(Clone, Debug, Default)]
struct Crashes {
    /// When the latest ones were heard of.
    ends: VecDeque<Moment>,
    /// How often the family was held in a row.
    holds: u32,
    /// When the latest hold ends or ended.
    until: Moment,
    /// Whether that one has been told.
    is_told: bool,
}

impl CrashLoops {
    /// One of this family has ended in a way that counts.
    pub fn on_crash(&mut self, family: Family, now: Moment) {
        // As many are remembered as have crashed of late.
        self.0.retain(|_, crashes| !crashes.forget(now));
        self.0.entry(family).or_default().on_crash(now);
    }

    /// How long a first life is kept out that begins now, if it is.
    pub fn hold(&self, family: &Family, now: Moment) -> Option<Hold> {
        let until = self.0.get(family)?.until;
        (until > now).then(|| Hold { until, of: Loop::Family(family.clone()) })
    }

    /// Whether a hold is news: those that are kept out for one can be as many as an engine can start.
    pub fn is_news(&mut self, hold: &Hold) -> bool {
        let Loop::Family(family) = &hold.of else { return true };
        self.0.get_mut(family).is_some_and(|crashes| !std::mem::replace(&mut crashes.is_told, true))
    }
}

impl Crashes {
    fn on_crash(&mut self, now: Moment) {
        self.forget(now);
        self.ends.push_back(now);
        // More than are asked for tell nothing more.
        self.ends.drain(..self.ends.len().saturating_sub(ENDS));
        // Those that end while they are kept out do no harm, and the hold is over for all at once.
        if now >= self.until && (self.ends.len() >= ENDS || self.holds > 0) {
            self.until = now + restarts::hold_after(self.holds);
            self.holds += 1;
            self.is_told = false;
        }
    }

    /// Forgets what matters no more: a family of which none crashes for [`WITHIN`](restarts::WITHIN) after a hold has
    /// left its loop. Returns whether that is all.
    fn forget(&mut self, now: Moment) -> bool {
        if now >= self.until + restarts::WITHIN {
            self.holds = 0;
        }
        self.ends.retain(|at| now - *at < restarts::WITHIN);
        self.ends.is_empty() && self.holds == 0
    }
}

#[cfg(test)]
mod tests;
