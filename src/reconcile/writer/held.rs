//! Until when nothing can be written, so that what comes meanwhile costs no look at all that waits.
//!
//! Owns what was found out at one look, and for how long it holds: until then, unless there is less to write now, or
//! something urgent where nothing was, or something to look up; an answer or a drain ends it.

use super::{Next, Writer};
use crate::moment::Moment;

/// What was found out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    until: Moment,
    /// What all that differed cost then.
    cost: usize,
    /// Whether something urgent waits.
    is_urgent: bool,
}

impl Writer {
    /// Until when nothing can be written; `None` where that is to be found out.
    pub(super) fn held_until(&self, now: Moment) -> Option<Moment> {
        let load = self.ledger.load();
        let holds = |held: &Held| {
            // What comes gathers with the rest, and makes the call cost no less.
            now < held.until && load.cost >= held.cost && (held.is_urgent || load.urgent == 0)
        };
        self.held.filter(holds).filter(|_| self.ledger.lookup(now).is_none()).map(|held| held.until)
    }

    /// A look came to this. What waits by itself until `due_at` may be less, and go sooner.
    pub(super) fn hold(&mut self, write: &Next, is_urgent: bool, due_at: Option<Moment>) {
        let Next::At(at) = *write else { return self.held = None };
        let until = due_at.map_or(at, |due_at| due_at.min(at));
        self.held = Some(Held { until, cost: self.ledger.load().cost, is_urgent });
    }
}
