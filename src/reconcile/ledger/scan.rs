//! What a read of the zone, made beside the writing, teaches the ledger.
//!
//! A read takes many calls, and batches go out between them: what was written meanwhile is known better than
//! any page says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Known, LATE_WAIT, Ledger};
use crate::record::{Key, RecordSet};

/// What a read shows all of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The whole zone.
    Zone,
    /// These names.
    Names(BTreeSet<String>),
}

impl Extent {
    /// Whether a read of it shows what stands under this name.
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::Zone => true,
            Self::Names(names) => names.contains(name),
        }
    }
}

impl Ledger {
    /// A read begins.
    pub fn begin_scan(&mut self, now: Duration) {
        self.touched = Some(BTreeSet::new());
        self.scan_began = now;
    }

    /// A read was given up.
    pub fn abandon_scan(&mut self) {
        self.touched = None;
    }

    /// Those of what a read found that nothing is known of but by it.
    pub fn untouched(&self, found: &[RecordSet]) -> Vec<RecordSet> {
        let touched = |key: &Key| self.touched.as_ref().is_some_and(|touched| touched.contains(key));
        found.iter().filter(|set| !touched(&set.key())).cloned().collect()
    }

    /// A read is over: it found these of our own sets, and would have found whatever stands in `extent`.
    /// Returns the keys that are not as they were known; what is wanted of them is due.
    pub fn end_scan(&mut self, found: &[RecordSet], extent: &Extent) -> BTreeSet<Key> {
        let touched = self.touched.take().unwrap_or_default();
        let began = self.scan_began;
        self.doubted.retain(|name, at| !extent.covers(name) || *at + LATE_WAIT > began);
        let found: BTreeMap<Key, &RecordSet> = found.iter().map(|set| (set.key(), set)).collect();
        let known = self.known.keys().filter(|key| extent.covers(&key.name));
        let keys: BTreeSet<Key> =
            known.chain(found.keys()).filter(|key| !touched.contains(*key)).cloned().collect();
        let mut changed = BTreeSet::new();
        for key in keys {
            let now = match (found.get(&key), self.known.get(&key)) {
                (Some(set), Some(Known::Written(old))) if *old == **set => continue,
                // A call of unknown outcome may still be on its way; its own rule settles that.
                (None, Some(Known::Unsure { .. })) => continue,
                (Some(set), _) => Some(Known::Written((*set).clone())),
                (None, _) => None,
            };
            match now {
                Some(known) => self.known.insert(key.clone(), known),
                None => self.known.remove(&key),
            };
            self.compare(key.clone());
            changed.insert(key);
        }
        changed
    }
}
