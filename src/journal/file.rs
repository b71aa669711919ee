//! A journal with a copy on disk, which goes on without the disk.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::open::Lock;
use super::store::{Found, Store, StoreError};
use super::{Entry, Journal, MemoryJournal, State, Title};
use crate::machine::past::Signals;
use crate::record::{ContainerId, Key};

/// A journal in the state directory. See [`super::open()`].
#[derive(Debug)]
pub struct FileJournal {
    pub(super) title: Title,
    pub(super) boot: String,
    /// The machine's id, where it has one.
    pub(super) machine: Option<String>,
    pub(super) path: PathBuf,
    /// Closed before the lock is given up: the fields are dropped in this order.
    pub(super) store: Option<Store>,
    pub(super) lock: Option<Lock>,
    /// What is on disk too, where there is a store.
    pub(super) memory: MemoryJournal,
    pub(super) complete: bool,
    /// Why there is no store.
    pub(super) trouble: Option<StoreError>,
}

impl FileJournal {
    /// Writes to the copy on disk; where there is none, tries to make one of all that is remembered.
    fn keep(&mut self, write: impl FnOnce(&Store) -> Result<(), StoreError>) {
        // Whoever deleted them let another agent in, and has the next start know nothing.
        let is_deleted =
            self.lock.as_ref().is_some_and(|lock| !self.path.exists() || !lock.holds(&self.path));
        let kept = match &self.store {
            Some(store) if !is_deleted => write(store),
            Some(_) => {
                tracing::warn!(event = "journal_deleted", path = %self.path.display(), "the journal or its lock was deleted under the agent: it is written anew");
                self.lock = None;
                self.begin()
            }
            None => self.begin(),
        };
        match kept {
            Ok(()) if self.trouble.take().is_some() => {
                tracing::info!(event = "journal_kept", "the journal is kept again")
            }
            Ok(()) => {}
            Err(reason) => self.give_up(reason),
        }
    }

    /// Begins a new copy on disk with all that is remembered.
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        if self.lock.is_none() {
            self.lock = Some(Lock::take(&self.path).map_err(StoreError::from)?);
        }
        self.store = None;
        let all = Found {
            entries: self.memory.load(),
            doubts: self.memory.doubts(),
            signals: self.memory.signals(),
            complete: self.complete,
            boot: Some(self.boot.clone()),
            closed: false,
            machine: self.machine.clone(),
        };
        self.store = Some(Store::create(&self.path, &self.title, &all)?);
        Ok(())
    }

    /// From now on nothing is kept. What is on disk would mislead the next start.
    pub(super) fn give_up(&mut self, reason: StoreError) {
        self.store = None;
        // Without the lock the file is another agent's.
        let removed = if self.lock.is_some() { fs::remove_file(&self.path) } else { Ok(()) };
        if self.trouble.is_some() {
            return;
        }
        let path = self.path.display();
        tracing::error!(event = "journal_failed", %path, %reason, "the journal cannot be kept, so the next start will list the zone: mend the state directory");
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::error!(event = "journal_not_removed", %path, %error, "the journal cannot be removed either: remove it before the next start");
        }
        self.trouble = Some(reason);
    }
}

impl Journal for FileJournal {
    fn load(&self) -> Vec<Entry> {
        self.memory.load()
    }

    fn record(&mut self, learnt: &[(Key, Option<State>)]) {
        let new = self.memory.learn(learnt);
        if !new.is_empty() {
            self.keep(|store| store.write(&new));
        }
    }

    fn doubts(&self) -> BTreeSet<String> {
        self.memory.doubts()
    }

    fn record_doubts(&mut self, names: &BTreeSet<String>) {
        if self.memory.learn_doubts(names) {
            self.keep(|store| store.write_doubts(names));
        }
    }

    fn complete(&mut self) {
        if !self.complete {
            self.complete = true;
            self.keep(|store| store.write_complete(true));
        }
    }

    fn signals(&self) -> Vec<(ContainerId, Signals)> {
        self.memory.signals()
    }

    fn record_signals(&mut self, container: &ContainerId, signals: Option<&Signals>) {
        if self.memory.learn_signals(container, signals) {
            self.keep(|store| store.write_signals(container, signals));
        }
    }

    fn trouble(&self) -> Option<&StoreError> {
        self.trouble.as_ref()
    }
}
