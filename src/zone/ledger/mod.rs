//! Wanted and known, side by side; the queue of a writer is nothing but their difference.
//!
//! Owns what is to be written and what each answer taught. Sans-IO: it hands out one batch (or one thing
//! to look up) at a time and takes the answer. When the next call may go is the
//! [pacer](super::pacing)'s business, how changes go together the [packer](super::batch)'s.
//!
//! ## Guarantees
//!
//! - Later wants replace earlier ones, so what waits is bounded by the records there are, and a retry is
//!   another look at the difference.
//! - A DELETE is exact. CREATE is for what was never written, UPSERT for a changed weight, an unknown
//!   outcome, or a key that turned out to exist under our own mark.
//! - One refused change delays the others by at most ⌈log2 n⌉ + 1 calls: it is found by the words of the
//!   refusal or by halving, and then waits alone, with its reason. Throttling and timeouts never take a
//!   batch apart.

mod answer;
mod memory;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::batch::{self, Unit};
use crate::machine::record::{Action, Change, Key, RecordSet, RecordType};

/// How long a refused change waits before it is tried again.
pub const REFUSED_WAIT: Duration = Duration::from_secs(600);
/// How long a denied change waits at first; it doubles up to [`DENIED_WAIT_MAX`].
pub const DENIED_WAIT: Duration = Duration::from_secs(60);
/// The longest wait of a denied change.
pub const DENIED_WAIT_MAX: Duration = Duration::from_secs(900);
/// How long after an unknown outcome a "not found" is believed at last: the first call may still be on
/// its way.
pub const LATE_WAIT: Duration = Duration::from_secs(60);

/// What is known of a key in the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// This was written, and the registry said so.
    Written(RecordSet),
    /// This may have been written; the call's outcome is unknown.
    Unsure { set: RecordSet, absent_once: bool },
    /// Something stands there under our mark; what, has to be read.
    Unread,
}

/// A change that waits by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// When it is tried again.
    pub until: Duration,
    /// What the registry said.
    pub reason: String,
    tries: u32,
}

/// What has to be looked up before the ledger can go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// The set of this key, if it exists.
    Set(Key),
    /// The TTL of this name's group.
    GroupTtl(String, RecordType),
}

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

/// Wanted and known, side by side.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    wanted: BTreeMap<Key, RecordSet>,
    known: BTreeMap<Key, Known>,
    /// The keys whose wanted and known differ.
    differing: BTreeSet<Key>,
    parked: BTreeMap<Key, Parked>,
    lookups: BTreeSet<Lookup>,
    /// TTLs of groups that others began.
    group_ttls: BTreeMap<(String, RecordType), i64>,
    /// A refused batch that named nobody: one of these is to blame.
    suspects: BTreeSet<Key>,
    /// Whether a last suspect, all but convicted, lets the others have one call first.
    others_first: bool,
    draining: bool,
}

impl Ledger {
    /// A ledger that knows what the zone holds of ours.
    pub fn new(known: impl IntoIterator<Item = RecordSet>) -> Self {
        let known: BTreeMap<_, _> = known.into_iter().map(|set| (set.key(), Known::Written(set))).collect();
        Self { differing: known.keys().cloned().collect(), known, ..Self::default() }
    }

    /// What stands, or may stand, in the zone.
    pub fn known(&self) -> impl Iterator<Item = &RecordSet> {
        self.known.values().filter_map(|known| match known {
            Known::Written(set) | Known::Unsure { set, .. } => Some(set),
            Known::Unread => None,
        })
    }

    /// Replaces what is wanted of one key.
    pub fn want(&mut self, key: Key, set: Option<RecordSet>) {
        let was = match set {
            Some(set) => self.wanted.insert(key.clone(), set),
            None => self.wanted.remove(&key),
        };
        if was.as_ref() != self.wanted.get(&key) {
            self.parked.remove(&key);
        }
        self.compare(key);
    }

    /// From now on a delete that finds nothing is done at once: there is no later.
    pub fn drain(&mut self) {
        self.draining = true;
        self.parked.clear();
    }

    /// What has to be looked up first.
    pub fn lookup(&self) -> Option<&Lookup> {
        self.lookups.first()
    }

    /// The next batch: the longest that one call may carry. Empty when nothing differs that may go now.
    pub fn batch(&self, now: Duration) -> Vec<Unit> {
        let changes = self
            .differing
            .iter()
            .filter(|key| self.parked.get(*key).is_none_or(|parked| parked.until <= now))
            .filter(|key| self.known.get(*key) != Some(&Known::Unread) || self.wanted.contains_key(*key))
            .flat_map(|key| self.changes(key))
            .collect();
        let units = batch::units(changes);
        let (suspects, others): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| self.suspected(unit));
        match suspects.len() {
            0 => batch::pack(&others).to_vec(),
            1 if self.others_first && !others.is_empty() => batch::pack(&others).to_vec(),
            n => batch::pack(&suspects[..n.div_ceil(2)]).to_vec(),
        }
    }

    /// The keys that differ, parked ones included.
    pub fn unsettled(&self) -> impl Iterator<Item = &Key> {
        self.differing.iter()
    }

    /// Whether wanted and known are one.
    pub fn settled(&self) -> bool {
        self.differing.is_empty()
    }

    /// When a parked change is due again.
    pub fn due_at(&self) -> Option<Duration> {
        self.parked.values().map(|parked| parked.until).min()
    }

    fn suspected(&self, unit: &Unit) -> bool {
        unit.changes.iter().any(|change| self.suspects.contains(&change.set.key()))
    }

    /// What turns known into wanted, for one key.
    fn changes(&self, key: &Key) -> Vec<Change> {
        let change = |action, set: &RecordSet| Change { action, set: set.clone() };
        let wanted = self.wanted.get(key).map(|set| self.fit(set));
        match (self.known.get(key), wanted) {
            (None, None) => vec![],
            (None, Some(set)) => vec![change(Action::Create, &set)],
            (Some(Known::Written(old)), Some(set)) if *old == set => vec![],
            (Some(Known::Written(old)), Some(set)) if old.values != set.values => {
                vec![change(Action::Delete, old), change(Action::Create, &set)]
            }
            (Some(_), Some(set)) => vec![change(Action::Upsert, &set)],
            (Some(Known::Written(old) | Known::Unsure { set: old, .. }), None) => {
                vec![change(Action::Delete, old)]
            }
            (Some(Known::Unread), None) => vec![],
        }
    }

    /// A weighted group has one TTL: the first of a name sets it, whoever that was.
    fn fit(&self, set: &RecordSet) -> RecordSet {
        let group = (set.name.clone(), set.kind);
        let ttl = self.group_ttls.get(&group).copied().or_else(|| self.own_group_ttl(set));
        RecordSet { ttl: ttl.unwrap_or(set.ttl), ..set.clone() }
    }

    fn own_group_ttl(&self, set: &RecordSet) -> Option<i64> {
        let first = Key { name: set.name.clone(), kind: set.kind, set_identifier: None };
        let same = |key: &Key| key.name == first.name && key.kind == first.kind;
        let known = self.known.range(&first..).take_while(|(key, _)| same(key));
        let written = known.filter_map(|(key, known)| match known {
            Known::Written(set) if self.wanted.contains_key(key) => Some(set.ttl),
            _ => None,
        });
        let wanted = self.wanted.range(&first..).take_while(|(key, _)| same(key)).map(|(_, set)| set.ttl);
        written.chain(wanted).next()
    }

    fn compare(&mut self, key: Key) {
        let unread = self.known.get(&key) == Some(&Known::Unread) && !self.wanted.contains_key(&key);
        if unread {
            self.lookups.insert(Lookup::Set(key.clone()));
        }
        if unread || !self.changes(&key).is_empty() {
            self.differing.insert(key);
        } else {
            self.parked.remove(&key);
            self.suspects.remove(&key);
            self.differing.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
