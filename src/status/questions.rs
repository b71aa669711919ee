//! How many questions DNS was asked, by type and by what came of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was asked and what was answered, both in the words of DNS, from lists that stand in the program.
pub type Kind = (&'static str, &'static str);

/// Where whoever answers counts. A clone is another handle to it.
#[derive(Clone, Debug, Default)]
pub struct Questions(Arc<Mutex<BTreeMap<Kind, u64>>>);

impl Questions {
    /// One more was answered.
    pub fn on_answered(&self, kind: Kind) {
        *self.inner().entry(kind).or_default() += 1;
    }

    /// How many of each kind there were.
    pub fn totals(&self) -> BTreeMap<Kind, u64> {
        self.inner().clone()
    }

    // A panic between two of these leaves nothing half done.
    fn inner(&self) -> MutexGuard<'_, BTreeMap<Kind, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
