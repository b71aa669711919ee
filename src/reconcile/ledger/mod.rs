//! Desired and observed, side by side; the queue of a writer is nothing but their difference.
//!
//! Owns what is to be written and what each answer taught. Sans-IO: it hands out one batch (or one thing
//! to look up) at a time and takes the answer. When the next call may go is the
//! [pacer](crate::change::pacing)'s business, how changes go together the [packer](crate::change::batch)'s, and which
//! of them is to blame for a refusal that of the [search](crate::change::culprit).
//!
//! | file | what it owns |
//! |---|---|
//! | `difference` | what is to be written: desired beside observed |
//! | `differing` | the keys of which the two differ, in the order in which they may go |
//! | `answer` | what an answer to a batch teaches |
//! | `observed` | what is known of a key, and what a "not found" says of it |
//! | `refused` | what a refusal teaches, of one change and of a batch |
//! | `parking` | what waits, for how long, and why |
//! | `lookups`, `scan` | what is read: a key that is in the way, and all names of this host |
//! | `trust` | what a read beside writes may say |
//! | `ttls` | the TTL that a group of records has |
//! | `memory`, `rows` | what a journal keeps, and what a status page is shown |
//!
//! ## Guarantees
//!
//! - Later wants replace earlier ones, so what waits is bounded by the records there are, and a retry is
//!   another comparison.
//! - A DELETE is exact. CREATE is for what was never written, UPSERT for a changed weight, an unknown
//!   outcome, or a key that turned out to exist under our own mark.
//! - One refused change delays the others by at most ⌈log2 n⌉ + 1 calls: it is found by the words of the
//!   refusal or by halving, and then waits alone, with its reason. Where a name or the zone is full, all
//!   that finds no room is one such change, and where a policy denies one, all of its name, type and action.
//!   Throttling and timeouts never take a batch apart.

mod answer;
mod difference;
mod differing;
mod lookups;
mod memory;
mod observed;
mod parking;
mod refused;
mod rows;
mod scan;
mod trust;
mod ttls;

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
pub(in crate::reconcile) use self::difference::COMPARED;
use self::differing::Differing;
pub use self::differing::Load;
pub use self::lookups::Lookup;
use self::lookups::Lookups;
use self::observed::{Observations, Observed};
use self::parking::Parking;
pub use self::parking::{DENIED_WAIT, DENIED_WAIT_MAX, LATE_WAIT, Parked, REFUSED_WAIT};
pub use self::rows::Row;
pub use self::trust::Extent;
use self::trust::Trust;
use self::ttls::GroupTtls;
use crate::change::batch::{self, Unit};
use crate::change::culprit::Culprit;
use crate::moment::Moment;
use crate::record::{Change, Key, RecordSet};

/// Something for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The registry took it.
    Done(Change),
    /// The registry will not have it; it waits.
    Parked(Change, Parked),
    /// It turned out to be gone already.
    AlreadyGone(Key),
}

/// Desired and observed, side by side.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    desired: BTreeMap<Key, RecordSet>,
    observed: Observations,
    /// The keys of which the two differ.
    differing: Differing,
    parking: Parking,
    lookups: Lookups,
    ttls: GroupTtls,
    trust: Trust,
    /// What is to blame for a refusal that named nobody.
    culprit: Culprit,
    /// The name that somebody else's address stands under: nothing new may stand there, or point to it.
    contested: Option<String>,
    /// Set in a drain: nothing is tried again later. A delete that found nothing is done at once then; otherwise its key
    /// would stay unsettled for another minute.
    is_last: bool,
}

impl Ledger {
    /// A ledger that knows what the zone holds of ours.
    #[cfg(test)]
    pub fn new(observed: impl IntoIterator<Item = RecordSet>) -> Self {
        let mut ledger = Self::default();
        for set in observed {
            let key = set.key();
            ledger.observed.written(set);
            ledger.compare(key);
        }
        ledger
    }

    /// What stands, or may stand, in the zone.
    pub fn observed(&self) -> impl Iterator<Item = &RecordSet> {
        self.observed.iter().filter_map(|(_, observed)| match observed {
            Observed::Written(set) | Observed::Unsure { set, .. } => Some(set),
            Observed::Unread => None,
        })
    }

    /// Whether something stands, or may stand, under this key.
    pub fn holds(&self, key: &Key) -> bool {
        self.observed.get(key).is_some()
    }

    /// The keys that are wanted.
    pub fn desired_keys(&self) -> impl Iterator<Item = &Key> {
        self.desired.keys()
    }

    /// The names under which something is desired or observed, or may have come late.
    pub fn names(&self) -> BTreeSet<String> {
        let observed = self.observed.iter().map(|(key, _)| key);
        let keys = self.desired.keys().chain(observed).map(|key| &key.name);
        keys.chain(self.trust.doubted()).cloned().collect()
    }

    /// Replaces what is wanted of one key.
    pub fn want(&mut self, key: Key, set: Option<RecordSet>) {
        let was = match set {
            Some(set) => self.desired.insert(key.clone(), set),
            None => self.desired.remove(&key),
        };
        if was.as_ref() != self.desired.get(&key) {
            self.parking.release(&key);
        }
        if !self.desired.contains_key(&key) {
            // A "not found" is believed only after `LATE_WAIT` from here.
            self.observed.doubt_absence(&key);
        }
        self.compare(key);
    }

    /// From now on a delete that finds nothing is done at once: there is no later.
    pub fn drain(&mut self) {
        self.is_last = true;
        self.parking.release_all();
        let desired = &self.desired;
        self.lookups.hurry(|lookup| match lookup {
            Lookup::Set(_) => true,
            Lookup::GroupTtl(name, kind) => desired.keys().any(|key| key.name == *name && key.kind == *kind),
        });
        let differing: Vec<_> = self.differing.iter().cloned().collect();
        differing.into_iter().for_each(|key| self.compare(key));
    }

    /// What has to be looked up first.
    pub fn lookup(&self, now: Moment) -> Option<&Lookup> {
        self.lookups.due(now)
    }

    /// What has to be looked up before these can be written; a lookup that failed holds up nothing.
    pub fn lookup_before(&self, units: &[Unit], now: Moment) -> Option<&Lookup> {
        self.lookup(now).filter(|_| units.is_empty() || !self.lookups.have_failed())
    }

    /// Says under which name somebody else's address stands: until that is over, nothing new is written
    /// there, nor what points to it.
    pub fn contest(&mut self, name: Option<String>) {
        self.contested = name;
    }

    /// The next batch: the longest that one call may carry. Empty when nothing differs that may go now.
    pub fn batch(&self, now: Moment) -> Vec<Unit> {
        let changes = if self.culprit.is_sought() {
            self.differing.iter().flat_map(|key| self.due_changes(key, now)).collect()
        } else {
            self.differing.first(|key| self.due_changes(key, now))
        };
        self.culprit.next(self.units(changes))
    }

    /// What of these changes goes together.
    pub(super) fn units(&self, changes: Vec<Change>) -> Vec<Unit> {
        let replaced = changes.iter().filter_map(|change| self.maybe_replaced(&change.set.key()));
        let replaced: Vec<_> = replaced.cloned().collect();
        batch::units_replacing(changes, &replaced)
    }

    /// What all that differs costs, parked or not.
    pub fn load(&self) -> Load {
        self.differing.load()
    }

    /// What all that may go now costs.
    pub fn backlog(&self, now: Moment) -> usize {
        if !self.something_waits() {
            return self.load().cost;
        }
        self.differing
            .iter()
            .flat_map(|key| self.due_changes(key, now))
            .map(|change| batch::cost(&change))
            .sum()
    }

    /// Whether this key differs, parked or not.
    pub fn differs(&self, key: &Key) -> bool {
        self.differing.contains(key)
    }

    /// The keys that differ, parked ones included.
    pub fn unsettled(&self) -> impl Iterator<Item = &Key> {
        self.differing.iter()
    }

    /// Whether desired and observed are one.
    pub fn settled(&self) -> bool {
        self.differing.is_empty()
    }

    /// When a parked change or lookup is due again that is not due now.
    pub fn due_at(&self, now: Moment) -> Option<Moment> {
        self.parking.ends().chain(self.lookups.begins()).filter(|at| *at > now).min()
    }

    /// Whether all that is left, if anything, was refused: there is nothing to do, and nothing that a minute settles.
    pub fn stuck(&self, now: Moment) -> bool {
        let is_late = |key: &Key| {
            self.observed.get(key).is_some_and(Observed::is_absent) && !self.desired.contains_key(key)
        };
        let is_due = |key: &Key| !self.due_changes(key, now).is_empty();
        let waits = || self.lookup(now).is_none() && !self.differing.iter().any(is_due);
        self.settled() || waits() && !self.differing.iter().any(is_late)
    }

    /// Whether anything may be held back by something else than the pace.
    fn something_waits(&self) -> bool {
        let is_parked = self.parking.ends().next().is_some();
        is_parked || self.contested.is_some() || self.lookups.begins().next().is_some()
    }

    fn compare(&mut self, key: Key) {
        let unread = self.observed.get(&key) == Some(&Observed::Unread) && !self.desired.contains_key(&key);
        if unread {
            self.lookups.ask(Lookup::Set(key.clone()));
        }
        let changes = self.changes(&key);
        if unread || !changes.is_empty() {
            let replaced = self.maybe_replaced(&key).cloned();
            self.differing.insert(key, &changes, replaced.as_ref());
        } else {
            self.parking.release(&key);
            self.culprit.acquit(&key);
            self.differing.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
