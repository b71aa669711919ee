//! A host's disk, as far as a journal needs one: what is kept over a death of the process, lost with the power,
//! or no longer taken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ecssd::journal::{Entry, Journal, MemoryJournal, State, StoreError};
use ecssd::machine::past::Signals;
use ecssd::record::{ContainerId, Key};

use super::agent::Agent;
use super::mutant::Mutant;
use super::scenario::Point;

/// How many of the last writes a power cut may take.
const UNSYNCED: usize = 3;

/// The zone that is written to, and another.
pub const HERE: &str = "Z1";
pub const ELSEWHERE: &str = "Z0";

/// Whose a journal is: of which zone, and owner.
type Title = (&'static str, String);
/// What a journal names and doubts, and whether that is all.
type Saved = (BTreeMap<Key, State>, BTreeSet<String>, bool);

/// What is on it. A journal that cannot be kept is removed: half of one would mislead.
#[derive(Debug, Default)]
pub struct Disk {
    /// The id of the machine, which a copy takes along.
    machine: String,
    /// Whose the journal is, where there was one.
    title: Option<Title>,
    /// What was set aside of others, and whether that was whole.
    asides: BTreeMap<Title, Saved>,
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
    /// Whether the last process to write it closed it.
    closed: bool,
    /// Whether the machine went down since it was written.
    is_of_earlier_boot: bool,
}

impl Disk {
    pub fn of_machine(index: usize) -> Self {
        Self { machine: format!("{:032x}", index + 1), ..Self::default() }
    }

    /// The same on another machine; no process of that one holds it.
    pub fn copy(&self) -> Self {
        Self {
            machine: self.machine.clone(),
            title: self.title.clone(),
            asides: self.asides.clone(),
            entries: self.entries.clone(),
            doubts: self.doubts.clone(),
            complete: self.complete,
            exists: self.exists,
            closed: self.closed,
            // Of another boot in any case.
            is_of_earlier_boot: true,
            ..Self::default()
        }
    }

    /// What it holds of these owners is not there.
    pub fn lacks(&mut self, owners: &BTreeSet<String>) {
        self.asides.retain(|(_, owner), _| !owners.contains(owner));
        self.exists &= self.title.as_ref().is_none_or(|(_, owner)| !owners.contains(owner));
    }

    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// What it holds is of that zone.
    pub fn is_of_zone(&mut self, zone: &'static str) {
        if let Some((of, _)) = &mut self.title {
            *of = zone;
        }
    }

    /// Whoever starts now has this title: what is another's is set aside, and what was set aside of this one comes back.
    /// Whether it did.
    pub fn is_opened_by(&mut self, owner: &str) -> bool {
        let title = (HERE, owner.to_owned());
        let before = self.title.replace(title.clone());
        if before.as_ref() == Some(&title) {
            return false;
        }
        if let Some(before) = before.filter(|_| self.exists) {
            let whole = self.is_whole();
            let (entries, doubts) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.doubts));
            if !entries.is_empty() || !doubts.is_empty() {
                self.asides.insert(before, (entries, doubts, whole));
            }
        }
        self.before.clear();
        let back = self.asides.remove(&title);
        self.exists = back.is_some();
        // While it had another name, others may have taken what it left.
        (self.closed, self.is_of_earlier_boot) = (true, back.is_some());
        if let Some((entries, doubts, whole)) = back {
            (self.entries, self.doubts, self.complete) = (entries, doubts, whole);
        }
        self.exists
    }

    /// Those that were set aside and name something: of which zone and owner, and what.
    pub fn asides(&self) -> impl Iterator<Item = (&'static str, &str, Vec<Key>)> {
        let named = self.asides.iter().filter(|(_, (entries, ..))| !entries.is_empty());
        named.map(|((zone, owner), (entries, ..))| (*zone, owner.as_str(), entries.keys().cloned().collect()))
    }

    /// What was set aside of that owner is of no use any more.
    pub fn forgets(&mut self, owner: &str) {
        self.asides.remove(&(HERE, owner.to_owned()));
    }

    pub fn power_off(&mut self) {
        if let Some(before) = self.before.drain(..).next() {
            (self.entries, self.doubts) = before;
        }
        self.is_of_earlier_boot = true;
    }

    /// The process that writes it ends in order: all is on it.
    pub fn close(&mut self) {
        self.closed = true;
        self.before.clear();
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether it is whole, and of an earlier boot: who starts now knows what it left, and not what became of it.
    pub fn is_in_order(&self) -> bool {
        self.is_whole() && self.is_of_earlier_boot
    }

    /// Whether it is known that no call is on its way any more.
    pub fn has_no_doubts(&self) -> bool {
        self.doubts.is_empty()
    }

    fn is_whole(&self) -> bool {
        let lost = self.is_of_earlier_boot && !self.closed;
        self.exists && self.complete && !lost && !self.full
    }

    pub fn fill(&mut self) {
        self.full = true;
    }

    pub fn mend(&mut self) {
        self.full = false;
    }

    /// What an agent that starts now remembers, and whether that is all.
    pub fn open(&mut self, mutant: Mutant) -> (Vec<Entry>, bool) {
        let whole = self.is_whole();
        let is_certain = whole && (!self.is_of_earlier_boot || mutant == Mutant::TrustsWhatItLeft);
        let entries = std::mem::take(&mut self.entries);
        let entries: Vec<Entry> = match (self.exists && !self.full, is_certain) {
            (true, true) => entries.into_iter().collect(),
            (true, false) => entries.into_iter().map(|(key, state)| (key, state.doubted())).collect(),
            (false, _) => Vec::new(),
        };
        self.entries = entries.iter().cloned().collect();
        self.before.clear();
        (self.complete, self.closed, self.exists) = (whole, false, !self.full);
        self.is_of_earlier_boot = false;
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
