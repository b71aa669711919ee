//! What is told to those who ask for targets over HTTP, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where whoever answers counts. A clone is another handle to it.
#[derive(Clone, Debug, Default)]
pub struct Discovery(Arc<Mutex<Discovered>>);

/// What has been told so far. Nothing, where nobody is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// How many answers of each kind there were, in a word.
    pub answers: BTreeMap<&'static str, u64>,
    /// How many lists of the zone were made for them, by what came of it.
    pub lists: BTreeMap<&'static str, u64>,
    /// How many names are kept.
    pub names: usize,
    /// Of what was told last for each of them, how old the oldest was.
    pub age: Duration,
}

impl Discovery {
    /// Another answer was given.
    pub fn on_answer(&self, outcome: &'static str) {
        *self.inner().answers.entry(outcome).or_default() += 1;
    }

    /// Another page of the zone was listed, or could not be.
    pub fn on_list(&self, outcome: &'static str) {
        *self.inner().lists.entry(outcome).or_default() += 1;
    }

    /// So many names are kept, and so old was the oldest answer.
    pub fn show(&self, (names, age): (usize, Duration)) {
        let mut inner = self.inner();
        (inner.names, inner.age) = (names, age);
    }

    /// What has been told so far.
    pub fn so_far(&self) -> Discovered {
        self.inner().clone()
    }

    // A panic between two of these leaves nothing half done.
    fn inner(&self) -> MutexGuard<'_, Discovered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
