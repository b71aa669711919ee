//! Makes a zone what is wanted of it, one call at a time.
//!
//! Sans-IO: says which call comes next and when, and takes its answer. Brings together the
//! [ledger](super::ledger), which knows what to write, the [pacer](crate::change::pacing), which knows when, the
//! [journal](crate::journal), which remembers, and the reads that find what none of them knows. An actor
//! carries its calls in the daemon, a plain loop where one thing is done and over.
//!
//! | before the first write | it is |
//! |---|---|
//! | the journal holds all | written at once, and nothing is listed |
//! | the journal is lost, or lacks something | written at once; then the zone is listed, and own records that nobody wants are deleted |
//! | the zone is to be read first | written when it was |
//!
//! A drain is told once, and each part keeps what it makes of it:
//!
//! | part | in a drain |
//! |---|---|
//! | `wants` | nothing is wanted but the host's address, and nothing that is told later |
//! | the [ledger](super::ledger) | nothing waits, and a delete that finds nothing is done |
//! | `reading` | nothing is read that does not have to be known |
//! | the [pacer](crate::change::pacing) | no wait is longer than half of what is left |
//!
//! ## Guarantees
//!
//! - One call at a time, never before the pacer lets it.
//! - An intent is in the journal before its call goes out, and what the answer taught after it.
//! - Only keys that carry exactly our mark are ever changed.
//! - What somebody else changed of our records is found and mended, by name, at every resync.

mod answer;
mod call;
mod calls;
mod confirm;
mod crowded;
mod following;
mod held;
mod news;
mod progress;
mod propagation;
mod reach;
mod reading;
mod scan;
mod settings;
mod snapshot;
mod spread;
mod wants;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

pub use self::call::{Answer, Call, Next};
pub use self::calls::{Begun, CALLS_MAX, Calls, Ended};
use self::confirm::Confirmation;
use self::crowded::Crowded;
use self::held::Held;
pub use self::news::News;
pub use self::progress::Progress;
use self::propagation::Propagation;
pub use self::propagation::{Early, Missing, Stopped, Stops};
use self::reach::Reach;
use self::reading::{Due, Knowledge, Reads};
pub use self::settings::Settings;
#[cfg(test)]
pub(crate) use self::settings::testing;
pub use self::snapshot::Snapshot;
pub use self::spread::{Sizes, Spread};
use self::wants::Wants;
use super::ledger::{Extent, Ledger};
use crate::change::batch::{self, Unit};
use crate::change::pacing::{Pacer, Purpose};
use crate::journal::SharedJournal;
use crate::moment::Moment;
use crate::record::{Key, RecordSet};

/// The writer of one host's records.
#[derive(Debug)]
pub struct Writer {
    settings: Settings,
    wants: Wants,
    ledger: Ledger,
    reads: Reads,
    confirmation: Confirmation,
    propagation: Propagation,
    reach: Reach,
    crowded: Crowded,
    pacer: Pacer,
    /// Until when nothing can be written, as far as was found out.
    held: Option<Held>,
    rng: fastrand::Rng,
    /// The keys of the call that is under way.
    in_flight: Option<BTreeSet<Key>>,
}

impl Writer {
    /// A writer that knows what its journal does, and makes no call before then.
    pub fn starting_at(settings: Settings, then: Moment) -> Self {
        let (entries, whole) = settings.journal.as_ref().map(SharedJournal::load).unwrap_or_default();
        let doubts = settings.journal.as_ref().map(SharedJournal::doubts).unwrap_or_default();
        let knowledge = match (settings.read_first, whole) {
            (true, _) => Knowledge::TooLittle,
            (false, false) => Knowledge::Partial,
            (false, true) => Knowledge::Whole,
        };
        let mut writer = Self {
            wants: Wants::new(settings.registrant.host_record()),
            ledger: Ledger::restore(entries, doubts, then),
            reads: Reads::new(knowledge, Moment::after(settings.read_after)),
            confirmation: Confirmation::default(),
            propagation: Propagation::default(),
            reach: Reach::default(),
            crowded: Crowded::default(),
            pacer: Pacer::new(settings.pace),
            held: None,
            rng: fastrand::Rng::with_seed(settings.seed),
            in_flight: None,
            settings,
        };
        writer.wants.keep_host(&mut writer.ledger);
        if then > Moment::START {
            writer.pacer.hold_until(then);
        }
        writer
    }

    /// A writer that knows what its journal does.
    pub fn new(settings: Settings) -> Self {
        Self::starting_at(settings, Moment::START)
    }

    /// What the zone holds of ours, as far as is known; `None` where it has to be read first.
    pub fn observed(&self) -> Option<Vec<RecordSet>> {
        (self.reads.knowledge() != Knowledge::TooLittle).then(|| self.ledger.observed().cloned().collect())
    }

    /// Whether all is known that the zone can hold of ours.
    pub fn knows_all(&self) -> bool {
        self.reads.knowledge() == Knowledge::Whole
    }

    /// How many hosts share the account's rate, where that is known.
    pub fn set_hosts(&mut self, hosts: Option<u32>) {
        self.pacer.set_hosts(hosts);
    }

    /// Replaces one set of wants by another; the host's address goes in with the first service.
    pub fn want(&mut self, old: &[RecordSet], new: &[RecordSet]) {
        self.wants.replace(old, new, &mut self.ledger);
    }

    /// The host has this address from now on.
    pub fn on_moved(&mut self, address: Ipv4Addr) {
        self.settings.registrant.address = address;
        self.wants.on_moved(self.settings.registrant.host_record(), &mut self.ledger);
    }

    /// With the last [`Writer::want`], everything has been told.
    pub fn told_all(&mut self) {
        self.wants.complete();
    }

    /// Whether everything has been told.
    pub fn is_told(&self) -> bool {
        self.wants.are_complete()
    }

    /// What waits for the answer to [`News::Found`], for whoever lost it.
    pub fn found(&self) -> Option<Vec<RecordSet>> {
        self.reads.found().map(|own| self.ledger.untouched(own))
    }

    /// All is wanted that is to be wanted of what was [found](News::Found): the rest is deleted.
    pub fn judged_found(&mut self) -> Vec<News> {
        let found = self.reads.on_judged();
        found.map(|own| self.take_in(&own, &Extent::Zone)).into_iter().flatten().collect()
    }

    /// Nothing is wanted any more, and there is time until `deadline`. The host's address stays: answers
    /// that lead to it may still be held.
    pub fn drain(&mut self, now: Moment, deadline: Moment) {
        self.wants.drain(self.in_flight.is_some(), &mut self.ledger);
        self.on_withdrawn(now, deadline);
    }

    /// The same, and the host's address is not wanted either.
    pub fn remove(&mut self, now: Moment, deadline: Moment) {
        self.wants.remove(&mut self.ledger);
        self.on_withdrawn(now, deadline);
    }

    /// What is withdrawn is over only when every name server answers so.
    pub fn confirm(&mut self, now: Moment) {
        self.confirmation.begin(now);
    }

    /// Whether every name server answers with what was written, where that is to be
    /// [confirmed](Writer::confirm): `None` while it is asked, `false` where it cannot be told.
    pub fn confirmed(&self) -> Option<bool> {
        self.confirmation.verdict()
    }

    /// How far it has come.
    pub fn progress(&self, now: Moment) -> Progress {
        if !self.is_told() || self.in_flight.is_some() || !self.ledger.stuck(now) {
            return Progress::Working;
        }
        match (self.reads.are_over(), self.ledger.settled(), self.confirmed()) {
            (false, ..) => Progress::Reading,
            (true, false, _) => Progress::Stuck,
            (true, true, None) => Progress::Confirming,
            (true, true, Some(_)) => Progress::Settled,
        }
    }

    /// The keys that are not as wanted, or may not be, for a call is under way.
    pub fn unsettled(&self) -> BTreeSet<Key> {
        self.ledger.unsettled().chain(self.in_flight.iter().flatten()).cloned().collect()
    }

    /// What to do next. A call that is handed out is under way until its answer comes.
    pub fn next(&mut self, now: Moment) -> Next {
        if self.in_flight.is_some() {
            return Next::Nothing;
        }
        if self.reads.knowledge() == Knowledge::TooLittle {
            return self.read(now);
        }
        if !self.is_told() {
            return Next::Nothing;
        }
        self.pacer.set_backlog(now, self.ledger.backlog(now));
        let due_at = self.ledger.due_at(now);
        let mut next = due_at.map_or(Next::Nothing, Next::At);
        if let Some(until) = self.held_until(now) {
            next = next.sooner(Next::At(until));
        } else {
            let units = self.ledger.batch(now);
            if let Some(lookup) = self.ledger.lookup_before(&units, now).cloned() {
                return self.send(now, Call::LookUp(lookup), 0, Purpose::Read);
            }
            let is_urgent = self.wants.are_withdrawn() || units.iter().any(Unit::urgent);
            let write = self.write(now, units, is_urgent);
            self.hold(&write, is_urgent, due_at);
            next = next.sooner(write);
        }
        for step in [Self::read, Self::ask_after, Self::follow] {
            if matches!(next, Next::Call(_)) {
                return next;
            }
            next = next.sooner(step(self, now));
        }
        next
    }

    /// Takes the answer to the call that was under way.
    pub fn on_answer(&mut self, call: Call, answer: Answer, now: Moment) -> Vec<News> {
        self.in_flight = None;
        self.held = None;
        self.learn(call, answer, now)
    }

    fn on_withdrawn(&mut self, now: Moment, deadline: Moment) {
        self.judged_found();
        self.reads.drain();
        self.ledger.drain();
        self.propagation.drain();
        self.held = None;
        self.pacer.drain(now, deadline);
    }

    fn write(&mut self, now: Moment, units: Vec<Unit>, is_urgent: bool) -> Next {
        if units.is_empty() {
            return Next::Nothing;
        }
        let changes: Vec<_> = units.into_iter().flat_map(|unit| unit.changes).collect();
        let cost = changes.iter().map(batch::cost).sum();
        let purpose = if is_urgent { Purpose::Withdraw } else { Purpose::Write };
        self.send(now, Call::Change(changes), cost, purpose)
    }

    /// Reads on, or begins a read that is due.
    fn read(&mut self, now: Moment) -> Next {
        let hosts = self.pacer.hosts();
        match self.reads.next(now, &self.settings, hosts, &mut self.ledger, &mut self.rng) {
            Due::Page(start) => self.send(now, Call::Read(start), 0, Purpose::Read),
            Due::At(at) => Next::At(at),
            Due::Nothing => Next::Nothing,
        }
    }

    /// Sends a call if it may go now.
    fn send(&mut self, now: Moment, call: Call, cost: usize, purpose: Purpose) -> Next {
        let at = self.pacer.ready_at(now, cost, purpose);
        if at > now {
            return Next::At(at);
        }
        if let (Call::Change(batch), Some(journal)) = (&call, &self.settings.journal) {
            journal.intend(batch);
        }
        self.pacer.on_call(now, cost);
        self.in_flight = Some(call.changes().iter().map(|change| change.set.key()).collect());
        Next::Call(call)
    }
}

#[cfg(test)]
mod tests;
