//! A journal that outlives its writer: one that panicked is started again, and goes on with what is in it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::{Entry, Journal, Opened, State};
use crate::machine::past::Signals;
use crate::record::{Change, ContainerId, Key};

/// A handle to one journal. A clone is another handle to it.
#[derive(Clone)]
pub struct SharedJournal(Arc<Mutex<Inner>>);

struct Inner {
    journal: Box<dyn Journal>,
    whole: bool,
}

impl SharedJournal {
    /// Shares a journal; `whole` if it remembers all that the zone can hold of this host.
    pub fn new(journal: Box<dyn Journal>, whole: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner { journal, whole })))
    }

    /// All that is remembered, and whether that is all there can be.
    pub fn load(&self) -> (Vec<Entry>, bool) {
        let inner = self.inner();
        (inner.journal.load(), inner.whole)
    }

    /// Whether it remembers all that the zone can hold of this host, and why nothing is kept over a restart, if so.
    pub fn state(&self) -> (bool, Option<String>) {
        let inner = self.inner();
        (inner.whole, inner.journal.trouble().map(ToString::to_string))
    }

    /// As [`Journal::intend`].
    pub fn intend(&self, batch: &[Change]) {
        self.inner().journal.intend(batch);
    }

    /// As [`Journal::record`].
    pub fn record(&self, learnt: &[(Key, Option<State>)]) {
        self.inner().journal.record(learnt);
    }

    /// As [`Journal::doubts`].
    pub fn doubts(&self) -> BTreeSet<String> {
        self.inner().journal.doubts()
    }

    /// As [`Journal::record_doubts`].
    pub fn record_doubts(&self, names: &BTreeSet<String>) {
        self.inner().journal.record_doubts(names);
    }

    /// As [`Journal::complete`].
    pub fn complete(&self) {
        let mut inner = self.inner();
        inner.journal.complete();
        inner.whole = true;
    }

    /// As [`Journal::signals`].
    pub fn signals(&self) -> Vec<(ContainerId, Signals)> {
        self.inner().journal.signals()
    }

    /// As [`Journal::record_signals`].
    pub fn record_signals(&self, container: &ContainerId, signals: Option<&Signals>) {
        self.inner().journal.record_signals(container, signals);
    }

    /// As [`Journal::wall_clock`].
    pub fn wall_clock(&self) -> SystemTime {
        self.inner().journal.wall_clock()
    }

    // A panic between two calls leaves no journal half written: each is one step.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Opened> for SharedJournal {
    fn from(opened: Opened) -> Self {
        let whole = opened.memory.whole();
        Self::new(opened.journal, whole)
    }
}

impl fmt::Debug for SharedJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner().journal.fmt(f)
    }
}
