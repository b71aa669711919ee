//! Wanted and known, side by side; the queue of a writer is nothing but their difference.
//!
//! Owns what is to be written and what each answer taught. Sans-IO: it hands out one batch (or one thing
//! to look up) at a time and takes the answer. When the next call may go is the
//! [pacer](crate::change::pacing)'s business, how changes go together the [packer](crate::change::batch)'s, and which of them is
//! to blame for a refusal that of the [search](crate::change::culprit).
//!
//! ## Guarantees
//!
//! - Later wants replace earlier ones, so what waits is bounded by the records there are, and a retry is
//!   another look at the difference.
//! - A DELETE is exact. CREATE is for what was never written, UPSERT for a changed weight, an unknown
//!   outcome, or a key that turned out to exist under our own mark.
//! - One refused change delays the others by at most ⌈log2 n⌉ + 1 calls: it is found by the words of the
//!   refusal or by halving, and then waits alone, with its reason. Where a name or the zone is full, all
//!   that finds no room is one such change. Throttling and timeouts never take a batch apart.

mod answer;
mod memory;
mod rows;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use self::rows::Row;
pub use self::scan::Extent;
use crate::change::batch::{self, Unit};
use crate::change::culprit::Culprit;
use crate::record::{Action, Change, Key, RecordSet, RecordType, Srv};

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
    /// This may have been written; the call's outcome is unknown. `absent` once a delete found nothing.
    Unsure { set: RecordSet, absent: bool },
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
    /// Whether taking out what stands there waits too: it was refused by itself.
    whole: bool,
}

/// What has to be looked up before the ledger can go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// The set of this key, if it exists.
    Set(Key),
    /// The TTL of this name's group.
    GroupTtl(String, RecordType),
}

impl Lookup {
    /// The key that is looked up, where it is one.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Set(key) => Some(key.clone()),
            Self::GroupTtl(..) => None,
        }
    }
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
    /// What has to be looked up, and from when on.
    lookups: BTreeMap<Lookup, Duration>,
    /// Whether the latest lookup failed.
    lookup_failed: bool,
    /// TTLs of groups that others began.
    group_ttls: BTreeMap<(String, RecordType), i64>,
    /// Groups whose TTL was looked up again, after the one that was known did not do.
    rechecked: BTreeSet<(String, RecordType)>,
    /// What was read of a key whose delete did not match: where it says the same once more, there is
    /// something to it that we do not see.
    disputed: BTreeMap<Key, RecordSet>,
    /// The name that somebody else's address stands under: nothing new may stand there, or point to it.
    contested: Option<String>,
    /// The keys of which something was learnt since a scan began to read.
    touched: Option<BTreeSet<Key>>,
    /// When it began.
    scan_began: Duration,
    /// The names of which a call had an unknown outcome, and when: what may come late is found by a read that
    /// begins [`LATE_WAIT`] after it.
    doubted: BTreeMap<String, Duration>,
    /// What is to blame for a refusal that named nobody.
    culprit: Culprit,
    draining: bool,
}

impl Ledger {
    /// A ledger that knows what the zone holds of ours.
    #[cfg(test)]
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

    /// Whether something stands, or may stand, under this key.
    pub fn holds(&self, key: &Key) -> bool {
        self.known.contains_key(key)
    }

    /// The keys that are wanted.
    pub fn wanted_keys(&self) -> impl Iterator<Item = &Key> {
        self.wanted.keys()
    }

    /// The names under which something is wanted or known, or may have come late.
    pub fn names(&self) -> BTreeSet<String> {
        let keys = self.wanted.keys().chain(self.known.keys()).map(|key| &key.name);
        keys.chain(self.doubted.keys()).cloned().collect()
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
        if let (None, Some(Known::Unsure { absent, .. })) = (self.wanted.get(&key), self.known.get_mut(&key))
        {
            // The minute that makes it believable starts anew.
            *absent = false;
        }
        self.compare(key);
    }

    /// From now on a delete that finds nothing is done at once: there is no later.
    pub fn drain(&mut self) {
        self.draining = true;
        self.parked.clear();
        let wanted = &self.wanted;
        self.lookups.retain(|lookup, _| match lookup {
            Lookup::Set(_) => true,
            Lookup::GroupTtl(name, kind) => wanted.keys().any(|key| key.name == *name && key.kind == *kind),
        });
        self.lookups.values_mut().for_each(|from| *from = Duration::ZERO);
        for key in self.differing.clone() {
            self.compare(key);
        }
    }

    /// What has to be looked up first.
    pub fn lookup(&self, now: Duration) -> Option<&Lookup> {
        self.lookups.iter().find(|(_, from)| **from <= now).map(|(lookup, _)| lookup)
    }

    /// What has to be looked up before these can be written; a lookup that failed holds up nothing.
    pub fn lookup_before(&self, units: &[Unit], now: Duration) -> Option<&Lookup> {
        self.lookup(now).filter(|_| units.is_empty() || !self.lookup_failed)
    }

    /// Says under which name somebody else's address stands: until that is over, nothing new is written
    /// there, nor what points to it.
    pub fn contest(&mut self, name: Option<String>) {
        self.contested = name;
    }

    /// The next batch: the longest that one call may carry. Empty when nothing differs that may go now.
    pub fn batch(&self, now: Duration) -> Vec<Unit> {
        let changes = self.differing.iter().flat_map(|key| self.due_changes(key, now)).collect();
        self.culprit.next(batch::units(changes))
    }

    /// What all that may go now costs.
    pub fn backlog(&self, now: Duration) -> usize {
        self.differing
            .iter()
            .flat_map(|key| self.due_changes(key, now))
            .map(|change| batch::cost(&change))
            .sum()
    }

    /// The keys that differ, parked ones included.
    pub fn unsettled(&self) -> impl Iterator<Item = &Key> {
        self.differing.iter()
    }

    /// Whether wanted and known are one.
    pub fn settled(&self) -> bool {
        self.differing.is_empty()
    }

    /// When a parked change or lookup is due again that is not due now.
    pub fn due_at(&self, now: Duration) -> Option<Duration> {
        let parked = self.parked.values().map(|parked| parked.until);
        parked.chain(self.lookups.values().copied()).filter(|at| *at > now).min()
    }

    /// Whether all that is left, if anything, was refused: there is nothing to do, and nothing that a minute settles.
    pub fn stuck(&self, now: Duration) -> bool {
        let late = |key: &Key| {
            let absent = matches!(self.known.get(key), Some(Known::Unsure { absent: true, .. }));
            absent && !self.wanted.contains_key(key)
        };
        let waits = || self.lookup(now).is_none() && self.batch(now).is_empty();
        self.settled() || waits() && !self.differing.iter().any(late)
    }

    /// What of a key's changes may go now.
    fn due_changes(&self, key: &Key, now: Duration) -> Vec<Change> {
        let parked = self.parked.get(key).filter(|parked| parked.until > now);
        if parked.is_some_and(|parked| parked.whole) {
            return Vec::new();
        }
        let wanted = self.wanted.get(key);
        if parked.is_none() && !wanted.is_some_and(|set| self.waits(key, set, now)) {
            return self.changes(key);
        }
        // What leaves DNS does not wait for a successor that is refused, or has nowhere to point to.
        match self.known.get(key) {
            Some(Known::Written(old) | Known::Unsure { set: old, absent: false })
                if wanted.is_some_and(|set| set.values != old.values) =>
            {
                vec![Change { action: Action::Delete, set: old.clone() }]
            }
            _ => Vec::new(),
        }
    }

    /// Whether something has to come true before this can be written. What stands already may change its
    /// weight whatever becomes of its target.
    fn waits(&self, key: &Key, set: &RecordSet, now: Duration) -> bool {
        let stands = matches!(self.known.get(key), Some(Known::Written(old)) if old.values == set.values);
        (!stands && self.is_withheld(set, now)) || self.awaits_ttl(key)
    }

    /// Whether the TTL of this key's group has yet to be looked up.
    fn awaits_ttl(&self, key: &Key) -> bool {
        // Asked of every key for every batch, and hardly ever so.
        !self.lookups.is_empty() && self.lookups.contains_key(&Lookup::GroupTtl(key.name.clone(), key.kind))
    }

    /// Whether what this would point to is not there, or somebody else's.
    fn is_withheld(&self, set: &RecordSet, now: Duration) -> bool {
        let Some(Srv { target, .. }) = set.srv_values().next() else {
            let key = set.key();
            return self.contested.as_ref() == Some(&key.name) && !self.known.contains_key(&key);
        };
        let address = Key { name: target.clone(), kind: RecordType::A, set_identifier: None };
        let refused = self.parked.range(&address..).take_while(|(key, _)| key.name == target);
        let mut refused = refused.filter(|(key, parked)| {
            let there = matches!(self.known.get(key), Some(Known::Written(_) | Known::Unread));
            key.kind == RecordType::A && parked.until > now && !there
        });
        self.contested.as_ref() == Some(&target) || refused.next().is_some()
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
            // The registry has nothing there, and there is no time to see whether something comes late.
            (Some(Known::Unsure { absent: true, .. }), None) if self.draining => vec![],
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
            self.lookups.entry(Lookup::Set(key.clone())).or_default();
        }
        if unread || !self.changes(&key).is_empty() {
            self.differing.insert(key);
        } else {
            self.parked.remove(&key);
            self.culprit.acquit(&key);
            self.differing.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
