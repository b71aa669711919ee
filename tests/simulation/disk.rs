//! A host's disk, as far as a journal needs one: what is kept over a death of the process, lost with the power,
//! or no longer taken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ecssd::journal::{Entry, Journal, MemoryJournal, State, StoreError};
use ecssd::machine::past::Signals;
use ecssd::record::{ContainerId, Key};

use super::agent::Agent;
use super::scenario::Point;

/// How many of the last writes a power cut may take.
const UNSYNCED: usize = 3;

/// What is on it. A journal that cannot be kept is removed: half of one would mislead.
#[derive(Debug, Default)]
pub struct Disk {
    entries: BTreeMap<Key, State>,
    /// Under which names a call may yet be applied.
    doubts: BTreeSet<String>,
    /// The entries before the last writes, and these names.
    before: Vec<(BTreeMap<Key, State>, BTreeSet<String>)>,
    /// Which containers were asked to stop.
    signals: Vec<(ContainerId, Signals)>,
    complete: bool,
    exists: bool,
    full: bool,
    /// Whether the machine went down since it was written.
    doubtful: bool,
}

impl Disk {
    pub fn power_off(&mut self) {
        if let Some(before) = self.before.drain(..).next() {
            (self.entries, self.doubts) = before;
        }
        self.doubtful = true;
    }

    pub fn fill(&mut self) {
        self.full = true;
    }

    pub fn mend(&mut self) {
        self.full = false;
    }

    /// What an agent that starts now remembers, and whether that is all.
    pub fn open(&mut self) -> (Vec<Entry>, bool) {
        let whole = self.exists && self.complete && !self.doubtful && !self.full;
        let entries = std::mem::take(&mut self.entries);
        let entries: Vec<Entry> = match (self.exists && !self.full, whole) {
            (true, true) => entries.into_iter().collect(),
            (true, false) => entries.into_iter().map(|(key, state)| (key, state.doubted())).collect(),
            (false, _) => Vec::new(),
        };
        self.entries = entries.iter().cloned().collect();
        self.before.clear();
        (self.complete, self.doubtful, self.exists) = (whole, false, !self.full);
        (entries, whole)
    }

    /// Whether what was written is there.
    pub fn is_kept(&self) -> bool {
        self.exists
    }

    fn write(&mut self, memory: &MemoryJournal) {
        if self.full {
            self.exists = false;
            (self.signals, self.doubts) = Default::default();
            return;
        }
        let entries = std::mem::replace(&mut self.entries, memory.load().into_iter().collect());
        let before = (entries, std::mem::replace(&mut self.doubts, memory.doubts()));
        self.exists = true;
        self.before.push(before);
        let old = self.before.len().saturating_sub(UNSYNCED);
        self.before.drain(..old);
    }
}

/// The journal of one agent on that disk.
pub struct SimJournal {
    agent: Agent,
    memory: MemoryJournal,
    complete: bool,
}

impl SimJournal {
    /// With what is on its disk beside these entries.
    pub fn new(agent: Agent, entries: Vec<Entry>, disk: &Disk, whole: bool) -> Self {
        let mut memory = MemoryJournal::new(entries);
        memory.record_doubts(&disk.doubts);
        disk.signals.iter().for_each(|(container, signals)| memory.record_signals(container, Some(signals)));
        Self { agent, memory, complete: whole }
    }
}

impl std::fmt::Debug for SimJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimJournal")
    }
}

impl Journal for SimJournal {
    fn load(&self) -> Vec<Entry> {
        self.memory.load()
    }

    fn record(&mut self, learnt: &[(Key, Option<State>)]) {
        self.memory.record(learnt);
        // What is written just before a call is an intent.
        let intent = learnt.iter().any(|(_, state)| matches!(state, Some(State::Unsure(_))));
        let point = if intent { Point::Intend } else { Point::Record };
        let Some(mut state) = self.agent.step(point) else { return };
        state.count("journal write");
        // What is meant is known, whether or not it is asked for.
        for (_, known) in learnt {
            if let Some(State::Unsure(set) | State::Written(set)) = known {
                state.court_knows(self.agent.host, set);
            }
        }
        let disk = &mut state.hosts[self.agent.host].disk;
        disk.complete = self.complete;
        disk.write(&self.memory);
    }

    fn doubts(&self) -> BTreeSet<String> {
        self.memory.doubts()
    }

    fn record_doubts(&mut self, names: &BTreeSet<String>) {
        if self.memory.doubts() == *names {
            return;
        }
        self.memory.record_doubts(names);
        let Some(mut state) = self.agent.step(Point::Record) else { return };
        state.count("doubt written");
        let disk = &mut state.hosts[self.agent.host].disk;
        disk.complete = self.complete;
        disk.write(&self.memory);
    }

    fn complete(&mut self) {
        self.complete = true;
        let Some(mut state) = self.agent.step(Point::Record) else { return };
        let disk = &mut state.hosts[self.agent.host].disk;
        disk.complete = true;
        disk.write(&self.memory);
    }

    fn signals(&self) -> Vec<(ContainerId, Signals)> {
        self.memory.signals()
    }

    fn record_signals(&mut self, container: &ContainerId, signals: Option<&Signals>) {
        self.memory.record_signals(container, signals);
        let Some(mut state) = self.agent.step(Point::Record) else { return };
        state.count("signal written");
        let now = state.now;
        let host = &mut state.hosts[self.agent.host];
        host.disk.signals = self.signals();
        host.disk.write(&self.memory);
        let kept = host.disk.is_kept();
        host.notes(container, signals.filter(|_| kept), now);
    }

    fn wall_clock(&self) -> SystemTime {
        let mut state = self.agent.world.lock();
        let now = state.now;
        let nanos = state.hosts[self.agent.host].wall(now);
        SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos.try_into().unwrap_or(0))
    }

    fn trouble(&self) -> Option<&StoreError> {
        None
    }
}
