//! What a writer knows, copied for whoever shows it: no actor has to be asked.

use std::collections::BTreeSet;

use super::{Calls, Spread, Stops, Writer};
use crate::moment::Moment;
use crate::reconcile::ledger::Row;
use crate::record::Key;

/// What a writer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken, by the agent's clock.
    pub taken_at: Moment,
    /// What is desired and observed of each record.
    pub rows: Vec<Row>,
    /// The records of the call that is under way.
    pub in_flight: BTreeSet<Key>,
    /// Whether all that is wanted has been told.
    pub is_told: bool,
    /// Whether all is known that the zone can hold of this host.
    pub is_whole: bool,
    /// When it calls next, unless something happens; `None` where it waits for something to happen.
    pub next_at: Option<Moment>,
    /// Its calls.
    pub calls: Calls,
    /// How long it took from wanting a record, or no longer wanting it, until every name server answered so.
    pub in_sync_after: Spread,
    /// What came of containers that were asked to stop.
    pub stops: Stops,
}

impl Writer {
    /// What is known now, beside the calls and when the next one is due.
    pub fn snapshot(&self, now: Moment, next_at: Option<Moment>, calls: Calls) -> Snapshot {
        Snapshot {
            taken_at: now,
            rows: self.ledger.rows(),
            in_flight: self.in_flight.clone().unwrap_or_default(),
            is_told: self.is_told(),
            is_whole: self.knows_all(),
            next_at,
            calls,
            in_sync_after: self.in_sync_after().clone(),
            stops: self.stops().clone(),
        }
    }
}
