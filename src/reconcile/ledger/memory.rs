//! The ledger's knowledge, as a [journal](crate::journal) keeps it over a restart.

use std::time::Duration;

use super::{Known, Ledger};
use crate::journal::{Entry, State};
use crate::record::Key;

impl Ledger {
    /// A ledger that knows what a journal remembered. How often a delete found nothing is not remembered:
    /// the minute that makes it believable starts anew.
    pub fn restore(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut ledger = Self::default();
        for (key, state) in entries {
            let known = match state {
                State::Written(set) => Known::Written(set),
                State::Unsure(set) => Known::Unsure { set, absent: false },
                State::Unread => Known::Unread,
            };
            if !matches!(known, Known::Written(_)) {
                // What was under way when the last run ended may come late.
                ledger.doubted.insert(key.name.clone(), Duration::ZERO);
            }
            ledger.known.insert(key.clone(), known);
            ledger.compare(key);
        }
        ledger
    }

    /// What is known of these keys, for a journal to record; `None` where nothing of ours is there.
    pub fn states(&self, keys: impl IntoIterator<Item = Key>) -> Vec<(Key, Option<State>)> {
        let state = |known: &Known| match known {
            Known::Written(set) => State::Written(set.clone()),
            Known::Unsure { set, .. } => State::Unsure(set.clone()),
            Known::Unread => State::Unread,
        };
        let entry = |key: Key| {
            let state = self.known.get(&key).map(state);
            (key, state)
        };
        keys.into_iter().map(entry).collect()
    }
}
