//! The ledger's knowledge, as a [journal](crate::journal) keeps it over a restart.

use std::collections::BTreeSet;

use super::Ledger;
use crate::journal::{Entry, State};
use crate::moment::Moment;
use crate::record::Key;

impl Ledger {
    /// A ledger that knows what a journal remembered, from then on; under the names in `doubts` something may come late.
    pub fn restore(
        entries: impl IntoIterator<Item = Entry>,
        doubts: impl IntoIterator<Item = String>,
        then: Moment,
    ) -> Self {
        let mut ledger = Self::default();
        doubts.into_iter().for_each(|name| ledger.trust.on_unheard(&name, then));
        for (key, state) in entries {
            if !matches!(state, State::Written(_)) {
                // What was under way when the last run ended may come late.
                ledger.trust.on_unheard(&key.name, then);
            }
            ledger.observed.recall(key.clone(), state);
            ledger.compare(key);
        }
        ledger
    }

    /// The names under which something may come late, for a journal to record.
    pub fn doubts(&self) -> BTreeSet<String> {
        self.trust.doubted().cloned().collect()
    }

    /// What is known of these keys, for a journal to record; `None` where nothing of ours is there.
    pub fn states(&self, keys: impl IntoIterator<Item = Key>) -> Vec<(Key, Option<State>)> {
        let entry = |key: Key| {
            let state = self.observed.state(&key);
            (key, state)
        };
        keys.into_iter().map(entry).collect()
    }
}
