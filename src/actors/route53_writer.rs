//! Route53Writer: makes the zone what is wanted of it, one call at a time.
//!
//! Carries between the [ledger](crate::zone::ledger), which knows what to write, the
//! [pacer](crate::zone::pacing), which knows when, and the zone. Starts by reading what the zone holds of
//! this host, and writes nothing until it was told all that is wanted: what is registered already stays.

use std::collections::BTreeSet;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::AbortHandle;

use super::agent::AgentMessage;
use super::peers::Peers;
use super::registrar::RegistrarMessage;
use super::{Surroundings, contained};
use crate::machine::container::ContainerId;
use crate::machine::record::{Change, Key, RecordSet, RecordType};
use crate::machine::registration::Registrant;
use crate::machine::roster::Wants;
use crate::zone::batch::{self, Unit};
use crate::zone::ledger::{Ledger, Lookup, Note};
use crate::zone::pacing::Pacer;
use crate::zone::{ListStart, PAGE_ITEMS_MAX, Zone, ZoneError};

#[derive(Debug)]
pub(super) struct Route53Writer;

#[derive(Debug)]
pub(super) enum Route53WriterMessage {
    /// This container's record sets, in place of those it wanted before.
    Want(ContainerId, Vec<RecordSet>),
    /// All containers' record sets.
    WantAll(Wants),
    /// The zone was read.
    Read(Result<Vec<RecordSet>, ZoneError>),
    /// A batch was answered.
    Answered(Vec<Change>, Result<(), ZoneError>),
    /// A lookup was answered.
    LookedUp(Lookup, Result<Option<RecordSet>, ZoneError>),
    /// The pacer or a parked change is due.
    WakeDue,
    /// The Registrar lost its memory of what the zone holds.
    Introduce,
    /// Nothing is wanted any more but the host's address; to be done by then.
    Drain(Duration),
    /// The time of a drain is over.
    DrainOver,
}

#[derive(Debug)]
pub(super) struct Route53WriterState {
    surroundings: Surroundings,
    peers: Peers,
    /// `None` until the zone was read.
    ledger: Option<Ledger>,
    wants: Wants,
    /// Whether all that is wanted has been told.
    told: bool,
    pacer: Pacer,
    in_flight: bool,
    draining: bool,
    wake: Option<AbortHandle>,
    rng: fastrand::Rng,
    /// The failure that was last logged, so that a streak of one kind is one line.
    failing: Option<&'static str>,
}

impl Actor for Route53Writer {
    type Msg = Route53WriterMessage;
    type State = Route53WriterState;
    type Arguments = (Surroundings, Peers);

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        (surroundings, peers): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut state = Route53WriterState {
            pacer: Pacer::new(surroundings.pace),
            rng: fastrand::Rng::with_seed(surroundings.seed),
            surroundings,
            peers,
            ledger: None,
            wants: Wants::new(),
            told: false,
            in_flight: false,
            draining: false,
            wake: None,
            failing: None,
        };
        state.pump(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Route53WriterMessage::Want(id, records) => state.want(id, records),
            Route53WriterMessage::WantAll(wants) => state.want_all(wants),
            Route53WriterMessage::Read(answer) => state.on_read(answer),
            Route53WriterMessage::Answered(batch, answer) => state.on_answered(&batch, &answer),
            Route53WriterMessage::LookedUp(lookup, answer) => state.on_looked_up(&lookup, answer),
            Route53WriterMessage::WakeDue => state.wake = None,
            Route53WriterMessage::Introduce => state.introduce(),
            Route53WriterMessage::Drain(deadline) => state.drain(&myself, deadline),
            Route53WriterMessage::DrainOver => state.report_drained(),
        }
        state.pump(&myself);
        Ok(())
    }
}

impl Route53WriterState {
    fn want(&mut self, id: ContainerId, records: Vec<RecordSet>) {
        if self.draining {
            return;
        }
        let old = self.wants.remove(&id).unwrap_or_default();
        if let Some(ledger) = self.ledger.as_mut().filter(|_| self.told) {
            want_instead(ledger, &self.surroundings.registrant, &old, &records);
        }
        if !records.is_empty() {
            self.wants.insert(id, records);
        }
    }

    fn want_all(&mut self, wants: Wants) {
        if self.draining {
            return;
        }
        let old: Vec<_> = std::mem::replace(&mut self.wants, wants).into_values().flatten().collect();
        let new: Vec<_> = self.wants.values().flatten().cloned().collect();
        self.told = true;
        if let Some(ledger) = &mut self.ledger {
            want_instead(ledger, &self.surroundings.registrant, &old, &new);
        }
    }

    fn on_read(&mut self, answer: Result<Vec<RecordSet>, ZoneError>) {
        self.on_call_answered(answer.as_ref().map(|_| ()));
        let Ok(sets) = answer else { return };
        let own: Vec<_> = sets.into_iter().filter(|set| self.surroundings.registrant.owns(set)).collect();
        tracing::info!(zone = self.surroundings.zone.name(), own = own.len(), "zone read");
        let mut ledger = Ledger::new(own.iter().cloned());
        // The host's address outlives its services at a stop, and follows a change of address.
        let host = self.surroundings.registrant.host_record();
        if own.iter().any(|set| set.key() == host.key()) {
            ledger.want(host.key(), Some(host));
        }
        if self.draining {
            ledger.drain();
        }
        if self.told {
            let wanted: Vec<_> = self.wants.values().flatten().cloned().collect();
            want_instead(&mut ledger, &self.surroundings.registrant, &[], &wanted);
        }
        self.ledger = Some(ledger);
        self.peers.registrar.cast(RegistrarMessage::Known(own));
    }

    fn introduce(&self) {
        if let Some(ledger) = &self.ledger {
            self.peers.registrar.cast(RegistrarMessage::Known(ledger.known().cloned().collect()));
        }
    }

    fn drain(&mut self, myself: &ActorRef<Route53WriterMessage>, deadline: Duration) {
        self.want_all(Wants::new());
        self.draining = true;
        if let Some(ledger) = &mut self.ledger {
            ledger.drain();
        }
        myself.send_after(self.surroundings.clock.until(deadline), || Route53WriterMessage::DrainOver);
    }

    fn report_drained(&self) {
        let left = match &self.ledger {
            Some(ledger) => ledger.unsettled().filter(|key| key.kind == RecordType::Srv).cloned().collect(),
            None => Vec::new(),
        };
        self.peers.agent.cast(AgentMessage::Drained { left, zone_read: self.ledger.is_some() });
    }

    /// Starts what is due: one call at a time.
    fn pump(&mut self, myself: &ActorRef<Route53WriterMessage>) {
        if self.in_flight {
            return;
        }
        let now = self.surroundings.clock.now();
        let Some(ledger) = &self.ledger else {
            if self.may_call(myself, now, 0, true) {
                self.read(myself);
            }
            return;
        };
        if !self.told {
            return;
        }
        if let Some(lookup) = ledger.lookup().cloned() {
            if self.may_call(myself, now, 0, true) {
                self.look_up(myself, lookup);
            }
            return;
        }
        let units = ledger.batch(now);
        if units.is_empty() {
            if self.draining && ledger.settled() {
                self.report_drained();
            } else if let Some(at) = ledger.due_at() {
                self.wake_at(myself, at);
            }
            return;
        }
        let urgent = self.draining || units.iter().any(Unit::urgent);
        let changes: Vec<_> = units.into_iter().flat_map(|unit| unit.changes).collect();
        let cost = changes.iter().map(batch::cost).sum();
        if self.may_call(myself, now, cost, urgent) {
            self.change(myself, changes);
        }
    }

    /// Whether a call may go now; if not, the writer is woken when it may.
    fn may_call(
        &mut self,
        myself: &ActorRef<Route53WriterMessage>,
        now: Duration,
        cost: usize,
        urgent: bool,
    ) -> bool {
        let at = self.pacer.ready_at(now, cost, urgent);
        if at > now {
            self.wake_at(myself, at);
            return false;
        }
        self.pacer.on_call(now, cost);
        self.in_flight = true;
        true
    }

    fn wake_at(&mut self, myself: &ActorRef<Route53WriterMessage>, at: Duration) {
        if let Some(timer) = self.wake.take() {
            timer.abort();
        }
        let timer = myself.send_after(self.surroundings.clock.until(at), || Route53WriterMessage::WakeDue);
        self.wake = Some(timer.abort_handle());
    }

    fn change(&self, myself: &ActorRef<Route53WriterMessage>, changes: Vec<Change>) {
        let zone = self.surroundings.zone.clone();
        call(myself, async move {
            let answer = contained(zone.change(&changes)).await.unwrap_or_else(panicked).map(|_| ());
            Route53WriterMessage::Answered(changes, answer)
        });
    }

    fn look_up(&self, myself: &ActorRef<Route53WriterMessage>, lookup: Lookup) {
        let zone = self.surroundings.zone.clone();
        let start = match &lookup {
            Lookup::Set(key) => ListStart::from(key.clone()),
            Lookup::GroupTtl(name, kind) => {
                ListStart { name: Some(name.clone()), kind: Some(*kind), set_identifier: None }
            }
        };
        call(myself, async move {
            let answer = contained(zone.list(Some(&start), 1)).await.unwrap_or_else(panicked);
            Route53WriterMessage::LookedUp(
                lookup,
                answer.map(|page| page.sets.into_iter().next().map(RecordSet::canonical)),
            )
        });
    }

    fn read(&self, myself: &ActorRef<Route53WriterMessage>) {
        let zone = self.surroundings.zone.clone();
        call(myself, async move {
            Route53WriterMessage::Read(contained(read_all(&*zone)).await.unwrap_or_else(panicked))
        });
    }

    fn on_answered(&mut self, batch: &[Change], answer: &Result<(), ZoneError>) {
        self.on_call_answered(answer.as_ref().copied());
        let now = self.surroundings.clock.now();
        let Some(ledger) = &mut self.ledger else { return };
        for note in ledger.on_answer(batch, answer, now) {
            log(&note, now);
        }
    }

    fn on_looked_up(&mut self, lookup: &Lookup, answer: Result<Option<RecordSet>, ZoneError>) {
        self.on_call_answered(answer.as_ref().map(|_| ()));
        if let (Ok(found), Some(ledger)) = (answer, &mut self.ledger) {
            ledger.on_lookup(lookup, found);
        }
    }

    fn on_call_answered(&mut self, answer: Result<(), &ZoneError>) {
        self.in_flight = false;
        let now = self.surroundings.clock.now();
        self.pacer.on_answer(now, answer, self.rng.f64());
        let kind = answer.err().map(ZoneError::kind);
        if kind != self.failing {
            match answer {
                Err(error) => tracing::warn!(%error, "the zone did not take a call; what waits is kept"),
                Ok(()) => tracing::info!("the zone answers again"),
            }
            self.failing = kind;
        }
    }
}

/// Everything that the zone holds, page by page.
async fn read_all(zone: &dyn Zone) -> Result<Vec<RecordSet>, ZoneError> {
    let mut sets = Vec::new();
    let mut start: Option<ListStart> = None;
    loop {
        let page = zone.list(start.as_ref(), PAGE_ITEMS_MAX).await?;
        sets.extend(page.sets.into_iter().map(RecordSet::canonical));
        match page.next {
            Some(next) => start = Some(next),
            None => return Ok(sets),
        }
    }
}

/// Replaces one set of wants by another; the host's address goes in with the first service.
fn want_instead(ledger: &mut Ledger, registrant: &Registrant, old: &[RecordSet], new: &[RecordSet]) {
    let kept: BTreeSet<Key> = new.iter().map(RecordSet::key).collect();
    for key in old.iter().map(RecordSet::key).filter(|key| !kept.contains(key)) {
        ledger.want(key, None);
    }
    for set in new {
        ledger.want(set.key(), Some(set.clone()));
    }
    if !new.is_empty() {
        let host = registrant.host_record();
        ledger.want(host.key(), Some(host));
    }
}

fn call(
    myself: &ActorRef<Route53WriterMessage>,
    asked: impl Future<Output = Route53WriterMessage> + Send + 'static,
) {
    let myself = myself.clone();
    tokio::spawn(async move {
        let _ = myself.cast(asked.await);
    });
}

fn panicked<T>(reason: String) -> Result<T, ZoneError> {
    Err(ZoneError::Unknown(reason))
}

fn log(note: &Note, now: Duration) {
    match note {
        Note::Done(Change { action, set }) => {
            let (record, value) = (set.key().name, set.values.join(", "));
            let id = set.set_identifier.as_deref().unwrap_or_default();
            tracing::info!(%action, record, kind = %set.kind, value, weight = set.weight, id, "written");
        }
        Note::Parked(change, parked) => {
            let again = parked.until.saturating_sub(now).as_secs();
            tracing::error!(%change, reason = parked.reason, "refused: tried again in {again} s, others go on");
        }
        Note::AlreadyGone(key) => tracing::warn!(record = %key, "was gone already"),
    }
}
