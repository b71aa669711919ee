//! What a read of the zone, made beside the writing, teaches the ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::{Extent, Ledger, Observed};
use crate::moment::Moment;
use crate::record::{Key, RecordSet};

impl Ledger {
    /// A read begins. One that was given up counts no more.
    pub fn begin_scan(&mut self, now: Moment) {
        self.trust.begin(now);
    }

    /// Those of what a read found that nothing is known of but by it.
    pub fn untouched(&self, found: &[RecordSet]) -> Vec<RecordSet> {
        found.iter().filter(|set| self.trust.believes(&set.key())).cloned().collect()
    }

    /// A read is over: it found these of our own sets, and would have found whatever stands in `extent`.
    /// Returns the keys that are not as they were known; what is wanted of them is due.
    pub fn end_scan(&mut self, found: &[RecordSet], extent: &Extent) -> BTreeSet<Key> {
        let learnt = self.trust.end(extent);
        let found: BTreeMap<Key, &RecordSet> = found.iter().map(|set| (set.key(), set)).collect();
        let observed = self.observed.iter().map(|(key, _)| key).filter(|key| extent.covers(&key.name));
        let keys: BTreeSet<Key> =
            observed.chain(found.keys()).filter(|key| !learnt.contains(*key)).cloned().collect();
        let mut changed = BTreeSet::new();
        for key in keys {
            match (found.get(&key), self.observed.get(&key)) {
                (Some(set), Some(Observed::Written(old))) if *old == **set => continue,
                // A call of unknown outcome may still be on its way; its own rule settles that.
                (None, Some(Observed::Unsure { .. })) => continue,
                (Some(set), _) => self.observed.written((*set).clone()),
                (None, _) => self.observed.gone(&key),
            }
            self.compare(key.clone());
            changed.insert(key);
        }
        changed
    }
}
