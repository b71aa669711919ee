//! The ledger's knowledge, as a [journal](crate::journal) keeps it over a restart.

use super::Ledger;
use crate::journal::{Entry, State};
use crate::moment::Moment;
use crate::record::Key;

impl Ledger {
    /// A ledger that knows what a journal remembered.
    pub fn restore(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut ledger = Self::default();
        for (key, state) in entries {
            if !matches!(state, State::Written(_)) {
                // What was under way when the last run ended may come late.
                ledger.trust.on_unheard(&key.name, Moment::START);
            }
            ledger.observed.recall(key.clone(), state);
            ledger.compare(key);
        }
        ledger
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
