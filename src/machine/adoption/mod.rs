//! Adoption: takes over what an earlier run of the agent left in the zone.
//!
//! Owns what that was, which of it still counts, and the [barrier](BARRIER) before the first word to the writer. What
//! a container makes of having been registered is decided by its [lifecycle](super::lifecycle), whose port it is by
//! the [claims](super::claims); how the zone is read, by the writer.
//!
//! # The protocol
//!
//! | message | from, to | says |
//! |---|---|---|
//! | `Introduce` | Agent, writer | one of you is new: tell the registrar what the zone holds |
//! | `Known` | writer, registrar | what the zone holds of this host, or is to hold; whether that is all |
//! | `Found` | writer, registrar | what a read of the whole zone showed, where it came after the first write; which writer asks |
//! | `WantAll` | registrar, writer | all that is wanted: what is not among it is deleted |
//! | `FoundJudged` | registrar, writer | what of the found is wanted has been said to the writer that asked: it deletes the rest |
//! | `Want` of nothing | registrar, writer | before all is said: what an earlier run wanted of this container is over |
//!
//! # The phases
//!
//! | phase | lasts until | is kept |
//! |---|---|---|
//! | gathering | the zone is known, the list has come, and every container on it has been inspected and has proved itself, or [`BARRIER`] is over; an agent that is about to drain waits for the zone alone | all that is said of the zone and of containers |
//! | settling | all that was registered is told, or over, and no read of the zone is to come | what is held of containers that were not inspected, and what is still to be told |
//! | ended | for good | nothing |
//!
//! # Guarantees
//!
//! - What was registered of a container that may run is wanted until an inspection, its end or a list says otherwise,
//!   or its lifecycle has been told. An inspection that fails says nothing of a container.
//! - What was registered of a life that is over before the barrier opens is not adopted, whenever it is heard of.
//! - The barrier opens once, and not before the zone is known.

mod barrier;
mod estate;
mod gathering;
mod settling;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

pub use self::barrier::BARRIER;
use self::estate::Estate;
use self::gathering::Gathering;
use self::settling::Settling;
use super::lifecycle::{Event, Lifecycle};
use super::publish;
use crate::container::offer::Endpoint;
use crate::moment::Moment;
use crate::record::{ContainerId, Key, RecordSet, Registrant, Subject};

/// What an earlier run left, and how far it is taken over.
#[derive(Debug)]
pub struct Adoption {
    registrant: Registrant,
    /// Whether the host has moved, or may have: then all addresses of services are its own. Tasks with one of their own
    /// are on instances of EC2 alone, which never move.
    moves: bool,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Gathering(Gathering),
    Settling(Settling),
    Ended,
}

/// What a piece of news means for the records that an earlier run left of this container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// None of it.
    Nothing,
    /// It has been inspected: its lifecycle speaks for it from here on.
    Inspected,
    /// The life that was registered is over, or is asked to stop.
    Over,
}

/// What is taken over of what the zone holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The ports that were registered, of lives that may go on: these containers were there first.
    pub ports: BTreeMap<Endpoint, ContainerId>,
    /// The containers that were registered and are gone.
    pub gone: Vec<ContainerId>,
}

/// What the writer is told when the barrier opens, beside all that is wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// The keys of what the zone holds of this host.
    pub stands: BTreeSet<Key>,
    /// The generation of the writer that waits to hear what of the found is wanted.
    pub owes_judgement: Option<u64>,
}

impl Adoption {
    /// Nothing is known yet.
    pub fn new(registrant: Registrant) -> Self {
        Self { registrant, moves: false, phase: Phase::Gathering(Gathering::default()) }
    }

    /// The host's address is that of its route, and may change.
    pub fn follow_route(&mut self) {
        self.moves = true;
    }

    /// The host has this address from now on.
    pub fn on_moved(&mut self, address: Ipv4Addr) {
        self.registrant.address = address;
        self.moves = true;
        self.lead_here(&[]);
    }

    /// These were read: what they hold of services' addresses may be of any that a host that moves has had.
    fn lead_here(&mut self, sets: &[RecordSet]) {
        let registrant = self.registrant.clone();
        let host = sets.iter().find(|set| registrant.subject(set) == Some(Subject::Host));
        self.moves |= host.is_some_and(|set| set.values != [registrant.address.to_string()]);
        let estate = if self.moves { self.estate_mut() } else { None };
        estate.into_iter().for_each(|estate| estate.lead_here(&registrant));
    }

    /// Whether the barrier has opened: all that is wanted has been said.
    pub fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Gathering(_))
    }

    /// Whether nothing is left to adopt.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// When time itself opens the barrier: never while the zone is not known.
    pub fn wake_at(&self) -> Option<Moment> {
        self.gathering().and_then(Gathering::wake_at)
    }

    /// Something was heard of a container.
    pub fn on_news(&mut self, id: &ContainerId, bearing: Bearing) {
        match (&mut self.phase, bearing) {
            (Phase::Ended, _) | (_, Bearing::Nothing) => {}
            (Phase::Gathering(gathering), Bearing::Inspected) => gathering.on_inspected(id),
            (Phase::Gathering(gathering), Bearing::Over) => gathering.on_over(id),
            (Phase::Settling(settling), Bearing::Inspected | Bearing::Over) => settling.on_seen(id),
        }
    }

    /// A complete list of what runs. Returns the containers that were held and are gone: each is to be
    /// [released](Self::release).
    pub fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, now: Moment) -> Vec<ContainerId> {
        match &mut self.phase {
            Phase::Gathering(gathering) => gathering.on_listed(listed, now),
            Phase::Settling(settling) => settling.on_listed(listed),
            Phase::Ended => {}
        }
        let gone = self.estate_mut().map(|estate| estate.on_listed(listed)).unwrap_or_default();
        self.end_if_settled();
        gone
    }

    /// What the zone holds of this host, in place of what was known before, and whether that is all that it can hold.
    /// `None` once the barrier has opened: then the zone holds what was made of it since, and proves nothing of a
    /// container.
    pub fn on_known(
        &mut self,
        known: &[RecordSet],
        is_all: bool,
        runs: impl Fn(&ContainerId) -> bool,
    ) -> Option<Adopted> {
        let Phase::Gathering(gathering) = &mut self.phase else { return None };
        let adopted = gathering.on_known(&self.registrant, known, is_all, runs);
        self.lead_here(known);
        Some(adopted)
    }

    /// What a read of the whole zone showed, beside what is known; what is read again has been judged. The writer of
    /// this generation is owed a word on what of it is wanted: at once where the barrier is open, else when it
    /// [opens](Opened).
    pub fn on_found(&mut self, found: &[RecordSet], generation: u64) -> Adopted {
        let adopted = match &mut self.phase {
            Phase::Gathering(gathering) => gathering.on_found(&self.registrant, found, generation),
            Phase::Settling(settling) => settling.on_found(&self.registrant, found),
            Phase::Ended => Adopted::default(),
        };
        self.lead_here(found);
        self.end_if_settled();
        adopted
    }

    /// Takes what the lifecycle of a container is to be told of what was registered.
    pub fn tell(&mut self, id: &ContainerId, machine: &Lifecycle) -> Vec<Event> {
        let told = self.estate_mut().map(|estate| estate.tell(id, machine)).unwrap_or_default();
        self.end_if_settled();
        told
    }

    /// The life that was registered has ended: nothing of it is told any more.
    pub fn forget(&mut self, id: &ContainerId) {
        self.estate_mut().into_iter().for_each(|estate| estate.forget(id));
        self.end_if_settled();
    }

    /// A container has been inspected, or is over or gone: its record sets are held no more. Returns whether any were.
    pub fn release(&mut self, id: &ContainerId) -> bool {
        let was_held = self.estate_mut().is_some_and(|estate| estate.release(id));
        self.end_if_settled();
        was_held
    }

    /// Whether what an earlier run wanted of a container is over, as far as can be told before the barrier opens:
    /// nothing is wanted of it now, and nothing that was registered speaks for it.
    pub fn is_over(&self, machine: Option<&Lifecycle>) -> bool {
        let Some(gathering) = self.gathering() else { return false };
        let speaks = |machine: &Lifecycle| machine.unproven() && !gathering.knows_zone();
        machine.is_none_or(|machine| machine.wanted().is_empty() && !speaks(machine))
    }

    /// The record sets that are held; before the barrier opens also of what has been inspected.
    pub fn held(&self) -> impl Iterator<Item = (&ContainerId, &Vec<RecordSet>)> {
        self.estate().into_iter().flat_map(Estate::held)
    }

    /// The ports of those that have not been inspected: theirs as long as their record sets are held.
    pub fn unseen_ports(&self) -> BTreeMap<Endpoint, ContainerId> {
        let is_unseen = |id: &ContainerId| self.gathering().is_none_or(|gathering| gathering.is_unseen(id));
        publish::endpoints(&self.registrant, self.held().filter(|(id, _)| is_unseen(id)))
    }

    /// Whether the barrier is to open; `proven` tells whether all that was inspected has proved itself, and who is
    /// urgent waits for the zone alone.
    pub fn is_due(&self, now: Moment, is_urgent: bool, proven: impl FnOnce() -> bool) -> bool {
        self.gathering().is_some_and(|gathering| gathering.is_due(now, is_urgent, proven))
    }

    /// Opens the barrier: what is held from here on is what has not been inspected. `None` where it has opened, or the
    /// zone is not known.
    pub fn open(&mut self) -> Option<Opened> {
        let Phase::Gathering(gathering) = &mut self.phase else { return None };
        let (settling, opened) = gathering.open()?;
        self.phase = Phase::Settling(settling);
        self.end_if_settled();
        Some(opened)
    }

    /// The agent drains: nothing is adopted any more.
    pub fn end(&mut self) {
        self.phase = Phase::Ended;
    }

    fn gathering(&self) -> Option<&Gathering> {
        match &self.phase {
            Phase::Gathering(gathering) => Some(gathering),
            Phase::Settling(_) | Phase::Ended => None,
        }
    }

    fn estate(&self) -> Option<&Estate> {
        match &self.phase {
            Phase::Gathering(gathering) => gathering.estate(),
            Phase::Settling(settling) => Some(settling.estate()),
            Phase::Ended => None,
        }
    }

    fn estate_mut(&mut self) -> Option<&mut Estate> {
        match &mut self.phase {
            Phase::Gathering(gathering) => gathering.estate_mut(),
            Phase::Settling(settling) => Some(settling.estate_mut()),
            Phase::Ended => None,
        }
    }

    fn end_if_settled(&mut self) {
        if matches!(&self.phase, Phase::Settling(settling) if settling.is_over()) {
            self.phase = Phase::Ended;
        }
    }
}

#[cfg(test)]
mod tests;
