//! The keys of which desired and observed differ, in the order in which they may go.
//!
//! Owns that order, what all of it costs, and what ties keys to each other; so that a call's worth is found without a look
//! at all the rest. What of a key may go now is the [ledger](super)'s to say, what makes a unit the
//! [packer](crate::change::batch)'s.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::batch::{self, Order, Size, Tie};
use crate::record::{Change, Key, RecordSet};

/// What is known of a key that differs.
#[derive(Clone, Debug)]
struct Entry {
    order: Order,
    cost: usize,
    ties: Vec<Tie>,
}

/// What waits to be written, all in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// What it costs.
    pub cost: usize,
    /// Of how many keys something is to be taken out of DNS.
    pub urgent: usize,
}

/// The keys that differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Differing {
    entries: BTreeMap<Key, Entry>,
    queue: BTreeSet<(Order, Key)>,
    tied: BTreeMap<Tie, BTreeSet<Key>>,
    load: Load,
}

impl Differing {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.entries.keys()
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Parked ones included.
    pub(super) fn load(&self) -> Load {
        self.load
    }

    /// This key differs, and these changes make it as desired; none where it has to be looked up first. They may replace
    /// that set.
    pub(super) fn insert(&mut self, key: Key, changes: &[Change], replaced: Option<&RecordSet>) {
        self.remove(&key);
        let entry = Entry {
            order: Order::of(changes),
            cost: changes.iter().map(batch::cost).sum(),
            ties: changes.iter().map(|change| &change.set).chain(replaced).flat_map(batch::ties).collect(),
        };
        self.load.cost += entry.cost;
        self.load.urgent += usize::from(entry.order.is_urgent());
        self.queue.insert((entry.order, key.clone()));
        for tie in &entry.ties {
            self.tied.entry(tie.clone()).or_default().insert(key.clone());
        }
        self.entries.insert(key, entry);
    }

    /// This key does not differ.
    pub(super) fn remove(&mut self, key: &Key) {
        let Some(entry) = self.entries.remove(key) else { return };
        self.load.cost -= entry.cost;
        self.load.urgent -= usize::from(entry.order.is_urgent());
        self.queue.remove(&(entry.order, key.clone()));
        for tie in entry.ties {
            let Some(keys) = self.tied.get_mut(&tie) else { continue };
            keys.remove(key);
            if keys.is_empty() {
                self.tied.remove(&tie);
            }
        }
    }

    /// The changes of the first keys, as `due` has them, that are more than fit into a call, and of all that are tied to
    /// them; all there are, where they fit.
    pub(super) fn first(&self, due: impl Fn(&Key) -> Vec<Change>) -> Vec<Change> {
        let mut taken = BTreeMap::new();
        let mut size = Size::default();
        for (_, key) in &self.queue {
            if !size.fits() {
                break;
            }
            self.take(key, &due, &mut taken);
            size = size.plus(Size::of(&taken[key]));
        }
        taken.into_values().flatten().collect()
    }

    fn take<'a>(
        &'a self,
        first: &'a Key,
        due: impl Fn(&Key) -> Vec<Change>,
        taken: &mut BTreeMap<&'a Key, Vec<Change>>,
    ) {
        let mut open = vec![first];
        while let Some(key) = open.pop() {
            if taken.contains_key(key) {
                continue;
            }
            taken.insert(key, due(key));
            let ties = self.entries.get(key).into_iter().flat_map(|entry| &entry.ties);
            open.extend(ties.filter_map(|tie| self.tied.get(tie)).flatten());
        }
    }
}
