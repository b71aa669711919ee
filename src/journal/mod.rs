//! What this host wrote, remembered over restarts, so that a restart costs no list call; and which of its containers
//! were asked to stop, which an engine that is busy soon forgets.
//!
//! An intent is recorded before a call goes out, and what its answer taught after it: at `kill -9`, at any
//! point, every key that may hold a record of ours is known. [`open()`] gives a [`FileJournal`] in the state
//! directory; [`MemoryJournal`] is for tests and simulations.
//!
//! | file | what it owns |
//! |---|---|
//! | [`open`](mod@open) | the lock, whose journal it is, and how far it may be trusted |
//! | [`aside`] | journals of another owner or zone |
//! | [`file`](mod@file) | a journal with a copy on disk, which goes on without the disk |
//! | `store` | that copy: tables, format, durability |
//! | `shared` | a journal that outlives its writer |
//! | [`cordons`] | the weights that were given by hand, in a file of their own |
//!
//! ## After a crash
//!
//! A batch is applied whole or not at all, and which of the two is not known. Each of its keys is
//! [`State::Unsure`] with **one** set: the one that the change wrote, or meant to remove. It is a guess:
//! after a second crash a key may hold more than two things, so a list of possibilities would never be
//! complete, and the registry's refusal tells a wrong guess for one call.
//!
//! | in flight | not applied: there is | applied: there is | unsure of |
//! |---|---|---|---|
//! | CREATE new | nothing | new | new |
//! | DELETE old | old | nothing | old |
//! | UPSERT new, or DELETE old + CREATE new | old | new | new |
//! | UPSERT new of a key that was unsure | nothing, or any that were tried | new | new |
//!
//! What the [ledger](crate::reconcile::ledger) does next, in all four rows:
//!
//! | then | it does | and it is |
//! |---|---|---|
//! | wanted | UPSERT of what is wanted, whatever is there | one call |
//! | not wanted, the guess is there | DELETE of the guess | one call |
//! | not wanted, nothing is there | DELETE, "not found"; the first call may still be on its way, so once more a minute later, and then it is believed | two calls |
//! | not wanted, another set is there | DELETE, "do not match"; that one record is read, and deleted as it is | two calls and a list of one |
//!
//! "Already exists" cannot come up: an unsure key is never CREATEd.
//!
//! What settles a key settles nothing of a call that is still on its way: the name stays in doubt until a read that
//! begins a minute after that call finds what it did, in whichever run.
//!
//! ## Guarantees
//!
//! - `kill -9`, at any write of any record: the journal is as it was before that record or after it.
//! - A memory that may lack something is never taken for whole: [`Memory`].
//! - A disk that is full or gone stops no registration. What is on it is removed, where it can be, so that
//!   no later start believes it, and is written anew, whole, when the disk takes it again.
//!
//! ## Caveats
//!
//! Nothing is synced while it runs: a record takes 0.04 ms, with an fsync 4 ms on an idle disk and seconds
//! while the host pulls an image, and the agent would stand still meanwhile. So a power cut, and nothing
//! less, can lose the end of it. This is noticed: all that is left is then unsure, and one list finds the
//! records whose intents were lost.

pub mod aside;
pub mod cordons;
pub mod file;
pub mod open;
mod shared;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

pub use self::file::FileJournal;
pub use self::open::{Doubt, Locked, Memory, Opened, machine_id, make_dir, open, try_open};
pub use self::shared::SharedJournal;
pub use self::store::StoreError;
use crate::machine::past::Signals;
use crate::record::{Change, ContainerId, Key, RecordSet};

/// What is remembered of a key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// This was written, and the registry said so.
    Written(RecordSet),
    /// This may be there: the outcome of the last call is not known.
    Unsure(RecordSet),
    /// Something of ours is there; what, has to be read.
    Unread,
}

impl State {
    /// The same, after which anything may have happened.
    #[must_use]
    pub fn doubted(self) -> Self {
        match self {
            Self::Written(set) => Self::Unsure(set),
            doubted => doubted,
        }
    }
}

/// A key and what is remembered of it. A key that is not remembered holds nothing of ours.
pub type Entry = (Key, State);

/// Whose journal it is. Another's is set aside.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Title {
    /// The registry's id of the zone; a zone that was made anew under its old name is another.
    pub zone_id: String,
    /// The zone's name, lower case, without the final dot.
    pub zone: String,
    /// The host, as its marks spell it.
    pub owner: String,
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zone {} ({}), owner {}", self.zone, self.zone_id, self.owner)
    }
}

/// The memory of a writer. Synchronous, and without errors: what cannot be kept is said, and gone on
/// without.
pub trait Journal: fmt::Debug + Send {
    /// All that is remembered, by key.
    fn load(&self) -> Vec<Entry>;

    /// Records what is known of these keys now; `None` where nothing of ours is there. After each answer
    /// of the registry, for the keys that it taught something of.
    fn record(&mut self, learnt: &[(Key, Option<State>)]);

    /// The names under which a call of unknown outcome may yet be applied, whatever is known of their keys.
    fn doubts(&self) -> BTreeSet<String>;

    /// Records these names, in place of those that were recorded. New ones before what is known of their keys: a later
    /// call settles a key, and says nothing of one that is still on its way. What is settled is left out after that.
    fn record_doubts(&mut self, names: &BTreeSet<String>);

    /// Records that `batch` is about to be sent. Before each call that changes the zone.
    fn intend(&mut self, batch: &[Change]) {
        // In a swap the CREATE comes last, and is what may be there.
        let last: BTreeMap<Key, State> =
            batch.iter().map(|change| (change.set.key(), State::Unsure(change.set.clone()))).collect();
        self.record(&last.into_iter().map(|(key, state)| (key, Some(state))).collect::<Vec<_>>());
    }

    /// Records that this is all the zone can hold of ours: it was listed, or the host is so new that it has
    /// written nothing before. Until then a restart does not trust this memory alone.
    fn complete(&mut self);

    /// What containers were sent that asks them to stop.
    fn signals(&self) -> Vec<(ContainerId, Signals)>;

    /// Records what a container was sent, in place of what was recorded; `None` where that is over.
    fn record_signals(&mut self, container: &ContainerId, signals: Option<&Signals>);

    /// The clock that says how long ago those were sent: of all clocks only the wall's goes on over a restart.
    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Why nothing is kept over a restart, if so: for the status page.
    fn trouble(&self) -> Option<&StoreError>;
}

/// A journal that ends with its process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryJournal {
    entries: BTreeMap<Key, State>,
    doubts: BTreeSet<String>,
    signals: BTreeMap<ContainerId, Signals>,
}

impl MemoryJournal {
    /// A journal that remembers this already.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { entries: entries.into_iter().collect(), ..Self::default() }
    }

    /// Takes what is new in `learnt`, and returns it.
    fn learn(&mut self, learnt: &[(Key, Option<State>)]) -> Vec<(Key, Option<State>)> {
        let mut new = Vec::new();
        for (key, state) in learnt {
            if self.entries.get(key) == state.as_ref() {
                continue;
            }
            match state {
                Some(state) => self.entries.insert(key.clone(), state.clone()),
                None => self.entries.remove(key),
            };
            new.push((key.clone(), state.clone()));
        }
        new
    }

    /// As [`Journal::record_doubts`]; whether that is new.
    fn learn_doubts(&mut self, names: &BTreeSet<String>) -> bool {
        let new = self.doubts != *names;
        if new {
            self.record_doubts(names);
        }
        new
    }

    /// As [`Journal::record_signals`]; whether that is new.
    fn learn_signals(&mut self, container: &ContainerId, signals: Option<&Signals>) -> bool {
        let new = self.signals.get(container) != signals;
        self.record_signals(container, signals);
        new
    }
}

impl Journal for MemoryJournal {
    fn load(&self) -> Vec<Entry> {
        self.entries.clone().into_iter().collect()
    }

    fn record(&mut self, learnt: &[(Key, Option<State>)]) {
        self.learn(learnt);
    }

    fn doubts(&self) -> BTreeSet<String> {
        self.doubts.clone()
    }

    fn record_doubts(&mut self, names: &BTreeSet<String>) {
        self.doubts.clone_from(names);
    }

    fn complete(&mut self) {}

    fn signals(&self) -> Vec<(ContainerId, Signals)> {
        self.signals.clone().into_iter().collect()
    }

    fn record_signals(&mut self, container: &ContainerId, signals: Option<&Signals>) {
        match signals {
            Some(signals) => self.signals.insert(container.clone(), signals.clone()),
            None => self.signals.remove(container),
        };
    }

    fn trouble(&self) -> Option<&StoreError> {
        None
    }
}
