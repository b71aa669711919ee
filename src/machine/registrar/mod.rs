//! All containers of this host together: which records are wanted now.
//!
//! Owns the lifecycles, the claims on ports, what was found registered at the start, and the barrier that
//! makes the first look at a host one batch. Every decision of the Registrar is made here; the actor only
//! carries what comes out.
//!
//! ## The barrier
//!
//! Until the first list, every container on it, and what the zone holds are known, nothing is said to the
//! writer: what is registered already stays as it is. Then everything goes at once. A container that is
//! slow to prove itself holds the others up for [`BARRIER`] at most. One that cannot be looked at keeps what
//! an earlier run registered of it until it can: a look that fails says nothing of the container.
//!
//! ## One message
//!
//! What one event changes of several containers goes out as one output: a port that changes hands is
//! never wanted of two containers, nor of none where the next one serves, and the writer can swap its
//! records in one batch.

mod foresight;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

pub use self::foresight::Foreseen;
use self::foresight::Foresight;
use super::claims::{Claims, Parked};
use super::lifecycle::{
    Decision, Edge, Effect, Event, Lifecycle, Outlived, Seq, State, Target, Unproven, Wanted, stops,
};
use super::past::{Past, Signals};
use super::probe::Verdict;
use super::publish;
use crate::container::convention::{Protocol, ServiceName};
use crate::container::offer::Endpoint;
use crate::container::{Running, STOP_SIGNAL_DEFAULT, Timestamp};
use crate::record::{ContainerId, RecordSet, RecordType, Registrant, Subject};

/// How long the first list waits for its containers to be looked at and to prove themselves.
pub const BARRIER: Duration = Duration::from_secs(2);

/// The record sets wanted by container.
pub type Wants = BTreeMap<ContainerId, Vec<RecordSet>>;

/// What the roster asks of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// This container's record sets, in place of those it wanted before.
    Want(ContainerId, Vec<RecordSet>),
    /// All containers' record sets: what is not among them is not wanted.
    WantAll(Wants),
    /// Before all has been told: what an earlier run may have wanted of this container is over.
    Over(ContainerId),
    /// Probe these targets of this container, and none else.
    Probe {
        /// The container.
        container: ContainerId,
        /// Its life.
        life: Timestamp,
        /// What to probe; empty to stop.
        targets: Vec<Target>,
    },
    /// Look at this container again.
    Look(ContainerId),
    /// Something for the log.
    Decided(ContainerId, Decision),
    /// For the log: this container restarts too often, and is kept out of DNS until then.
    Held(ContainerId, Duration),
    /// For the log: a service of this container has not passed its check for long.
    Unproven(ContainerId, Unproven),
    /// For the log: a container was asked to stop, runs, and is believed again.
    Outlived(ContainerId, Outlived),
    /// What this container was sent is to be remembered over a restart, in place of what was.
    Signalled(ContainerId, Option<Signals>),
    /// For the log: the step that a container's lifecycle made.
    Stepped(ContainerId, Edge),
    /// For the log: an [outlook](super::outlook) changes what is wanted of this container.
    Foreseen(ContainerId, Foreseen),
    /// For the log: this service waits for a port that another container has.
    Waits(ContainerId, Parked),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Barrier {
    /// No list has come yet; these have been looked at.
    Closed { seen: BTreeSet<ContainerId> },
    /// The list has come.
    Listed { until: Duration },
    /// Wants go to the writer as they change.
    Open,
}

/// All containers of this host.
#[derive(Debug)]
pub struct Roster {
    registrant: Registrant,
    /// How long a stopping signal is believed.
    belief: Duration,
    machines: BTreeMap<ContainerId, Lifecycle>,
    deadlines: BTreeMap<ContainerId, Duration>,
    claims: Claims,
    /// Those for whom a change of the claims may have changed something, within one step.
    affected: BTreeSet<ContainerId>,
    said: Wants,
    waiting: BTreeSet<(ContainerId, ServiceName, u16)>,
    /// What earlier runs registered; `None` until the zone has been read.
    registered: Option<BTreeMap<ContainerId, Vec<Event>>>,
    /// The record sets of earlier runs, by container: before the barrier opens all of them, then those of
    /// containers that run and have not been looked at yet.
    held: Wants,
    /// Those that run and have not been looked at yet.
    unseen: BTreeSet<ContainerId>,
    /// Those of which something was over before the barrier opened: what is heard later of what was registered is
    /// over too.
    over: BTreeSet<ContainerId>,
    /// Answers about containers that a list as young as this did not show are stale.
    floor: Seq,
    barrier: Barrier,
    foresight: Foresight,
    drained: bool,
}

impl Roster {
    /// A roster that knows nothing yet, and believes a stopping signal for that long.
    pub fn new(registrant: Registrant, belief: Duration) -> Self {
        Self {
            registrant,
            belief,
            machines: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            claims: Claims::default(),
            affected: BTreeSet::new(),
            said: Wants::new(),
            waiting: BTreeSet::new(),
            registered: None,
            held: Wants::new(),
            unseen: BTreeSet::new(),
            over: BTreeSet::new(),
            floor: Seq::default(),
            barrier: Barrier::Closed { seen: BTreeSet::new() },
            foresight: Foresight::default(),
            drained: false,
        }
    }

    /// The lifecycle of a container, if it is known.
    pub fn machine(&self, id: &ContainerId) -> Option<&Lifecycle> {
        self.machines.get(id)
    }

    /// The names of the services of a container that runs.
    pub fn services(&self, id: &ContainerId) -> BTreeSet<String> {
        let Some(State::Live(life)) = self.machines.get(id).map(Lifecycle::state) else {
            return BTreeSet::new();
        };
        life.services.iter().map(|tracked| tracked.offer.service.name.as_str().to_owned()).collect()
    }

    /// The containers that are known.
    pub fn containers(&self) -> impl Iterator<Item = &ContainerId> {
        self.machines.keys()
    }

    /// When [`Roster::on_time`] is due.
    pub fn wake_at(&self) -> Option<Duration> {
        let barrier = match &self.barrier {
            // While the zone is unread, time alone opens nothing.
            Barrier::Listed { until } if self.registered.is_some() => Some(*until),
            Barrier::Listed { .. } | Barrier::Closed { .. } | Barrier::Open => None,
        };
        self.deadlines.values().copied().chain(barrier).chain(self.foresight.wake_at()).min()
    }

    /// All that is wanted, for a writer that lost its memory; `None` before the barrier has opened.
    pub fn wants(&self) -> Option<Wants> {
        (self.barrier == Barrier::Open).then(|| self.all_wants())
    }

    /// Something happened to a container, or was seen of it.
    pub fn on_event(&mut self, id: &ContainerId, event: Event, now: Duration) -> Vec<Output> {
        let stale = match &event {
            Event::Seen { as_of, .. } => *as_of < self.floor && !self.machines.contains_key(id),
            _ => false,
        };
        if stale || self.drained {
            return Vec::new();
        }
        // An answer from before the latest death is no look at what runs now: another one is on its way.
        let seen = match &event {
            Event::Seen { as_of, .. } | Event::Absent { as_of } => {
                self.machines.get(id).is_none_or(|machine| !machine.outdates(*as_of))
            }
            _ => false,
        };
        let over = self.is_over(&event);
        let mut outputs = self.news(id, event, seen, over, now);
        outputs.extend(self.try_open(now));
        outputs
    }

    /// Somebody begins to listen to the engine: this is what it remembers. Before the first list of it.
    pub fn on_past(&mut self, past: &Past, now: Duration) -> Vec<Output> {
        if self.drained {
            return Vec::new();
        }
        let ids: BTreeSet<_> = self.machines.keys().chain(past.traces.keys()).cloned().collect();
        let mut outputs = Vec::new();
        for id in ids {
            let trace = past.traces.get(&id).cloned().unwrap_or_default();
            let signalled = self.machines.get(&id).and_then(Lifecycle::signalled);
            let restarted = signalled.is_some_and(|signal| past.began_after(signal));
            let asked = |(signal, (_, age)): (&u8, &(Timestamp, Duration))| self.asks_to_stop(*signal, *age);
            let over = trace.ended || trace.kills.iter().any(asked);
            let event = Event::Remembered { at: past.at, trace, restarted };
            outputs.extend(self.news(&id, event, false, over, now));
        }
        outputs.extend(self.try_open(now));
        outputs
    }

    /// What an earlier run heard of signals. Before anything else is told.
    pub fn recall_signals(
        &mut self,
        recalled: Vec<(ContainerId, Signals)>,
        wall: SystemTime,
        now: Duration,
    ) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (id, signals) in recalled {
            outputs.extend(self.news(&id, Event::Recalled { signals, wall }, false, true, now));
        }
        outputs
    }

    /// Whether an event says that what was registered of a container before is over.
    fn is_over(&self, event: &Event) -> bool {
        match event {
            Event::Died { .. } | Event::Started { .. } => true,
            Event::Killed { signal, age, .. } => self.asks_to_stop(*signal, *age),
            _ => false,
        }
    }

    /// Whether a signal of this age asks for a stop that is still believed. What the image takes as its stop signal is
    /// not known yet.
    fn asks_to_stop(&self, signal: u8, age: Duration) -> bool {
        stops(signal, STOP_SIGNAL_DEFAULT) && age < self.belief
    }

    fn news(&mut self, id: &ContainerId, event: Event, seen: bool, over: bool, now: Duration) -> Vec<Output> {
        if seen || over {
            self.unseen.remove(id);
        }
        if over && self.barrier != Barrier::Open {
            self.over.insert(id.clone());
        }
        if let (true, Barrier::Closed { seen }) = (seen, &mut self.barrier) {
            seen.insert(id.clone());
        }
        let mut outputs = self.credit(id, &event, now).unwrap_or_else(|| self.step(id, event, now));
        outputs.extend(self.recall(id, now));
        if (over || seen) && self.is_past(id) {
            outputs.push(Output::Over(id.clone()));
        }
        if seen || over {
            outputs.extend(self.release(id, now));
        }
        outputs
    }

    /// A complete list of what runs, asked for at `as_of`.
    pub fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, as_of: Seq, now: Duration) -> Vec<Output> {
        if self.drained {
            return Vec::new();
        }
        self.floor = self.floor.max(as_of);
        let gone: Vec<_> = self.machines.keys().filter(|id| !listed.contains(*id)).cloned().collect();
        let mut outputs = Vec::new();
        for id in gone {
            outputs.extend(self.step(&id, Event::Absent { as_of }, now));
            if self.machines.get(&id).is_some_and(|machine| machine.forgettable(as_of, now)) {
                self.machines.remove(&id);
                self.deadlines.remove(&id);
            }
        }
        if let Barrier::Closed { seen } = &self.barrier {
            self.unseen = listed.difference(seen).cloned().collect();
            self.barrier = Barrier::Listed { until: now + BARRIER };
        } else {
            self.unseen.retain(|id| listed.contains(id));
        }
        if let Some(registered) = &mut self.registered {
            registered.retain(|id, _| listed.contains(id));
        }
        let gone: Vec<_> = self.held.keys().filter(|id| !listed.contains(*id)).cloned().collect();
        for id in gone {
            outputs.extend(self.release(&id, now));
            outputs.extend(self.is_past(&id).then_some(Output::Over(id)));
        }
        outputs.extend(self.try_open(now));
        outputs
    }

    /// What the zone holds of this host. Once wants have gone out, it holds what they made of it, and
    /// proves nothing of a container.
    pub fn on_known(&mut self, known: &[RecordSet], now: Duration) -> Vec<Output> {
        if self.barrier == Barrier::Open {
            return Vec::new();
        }
        self.stands(known, true);
        self.held = self.by_container(known);
        self.held.retain(|id, _| !self.over.contains(id));
        self.registered = None;
        let mut gone = Vec::new();
        if let Barrier::Listed { .. } = self.barrier {
            let there = |id: &ContainerId| self.unseen.contains(id) || self.machines.contains_key(id);
            gone = self.held.keys().filter(|id| !there(id)).cloned().collect();
            self.held.retain(|id, _| !gone.contains(id));
        }
        let mut outputs = self.adopt(known, now);
        outputs.extend(gone.into_iter().map(Output::Over));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// What the zone holds of this host, when it could not be read before wants had gone out. What an
    /// earlier run registered of a container that has not been looked at, or has not proved itself since,
    /// holds on, beside what is known of it. Says everything again, so that the writer may delete the rest.
    pub fn on_found(&mut self, found: &[RecordSet], now: Duration) -> Vec<Output> {
        if self.drained {
            return Vec::new();
        }
        let open = self.barrier == Barrier::Open;
        if !open {
            self.stands(found, false);
        }
        for (id, sets) in self.by_container(found) {
            if open && !self.unseen.contains(&id) || self.over.contains(&id) {
                continue;
            }
            let held = self.held.entry(id).or_default();
            let known: BTreeSet<_> = held.iter().map(RecordSet::key).collect();
            held.extend(sets.into_iter().filter(|set| !known.contains(&set.key())));
            held.sort_by_key(RecordSet::key);
        }
        let mut outputs = self.adopt(found, now);
        if open {
            outputs.retain(|output| !matches!(output, Output::Want(..) | Output::WantAll(_)));
            outputs.push(Output::WantAll(self.all_wants()));
        } else {
            outputs.extend(self.try_open(now));
        }
        outputs
    }

    fn adopt(&mut self, known: &[RecordSet], now: Duration) -> Vec<Output> {
        let events: Vec<_> = known.iter().filter_map(|set| self.registered_event(set, known)).collect();
        let registered = self.registered.get_or_insert_default();
        for (id, event) in events.into_iter().filter(|(id, _)| !self.over.contains(id)) {
            registered.entry(id).or_default().push(event);
        }
        let mut outputs = self.hold(now);
        let mut by_container = self.by_container(known);
        by_container.retain(|id, _| !self.over.contains(id));
        self.affected.extend(self.claims.adopt(&self.endpoints(&by_container)));
        outputs.extend(self.settle(now));
        let ids: Vec<_> = self.machines.keys().cloned().collect();
        outputs.extend(ids.iter().flat_map(|id| self.recall(id, now)));
        outputs
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: Duration) -> Vec<Output> {
        let due: Vec<_> =
            self.deadlines.iter().filter(|(_, at)| **at <= now).map(|(id, _)| id.clone()).collect();
        let mut outputs = Vec::new();
        for id in due {
            self.deadlines.remove(&id);
            outputs.extend(self.step(&id, Event::Tick, now));
        }
        outputs.extend(self.foresee_on_time(now));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// The agent ends: nothing is wanted any more, for good.
    pub fn drain(&mut self, now: Duration) -> Vec<Output> {
        if self.drained {
            return Vec::new();
        }
        let ids: Vec<_> = self.machines.keys().cloned().collect();
        let mut outputs: Vec<_> = ids.iter().flat_map(|id| self.step(id, Event::Drain, now)).collect();
        // One message to the writer, so that it is one batch.
        outputs.retain(|output| !matches!(output, Output::Want(..) | Output::WantAll(_)));
        self.drained = true;
        self.claims = Claims::default();
        self.barrier = Barrier::Open;
        self.said.clear();
        self.held.clear();
        self.foresight = Foresight::default();
        outputs.push(Output::WantAll(Wants::new()));
        outputs
    }

    /// Panics where what is kept contradicts itself: for tests and fuzzing, after any call.
    ///
    /// # Panics
    /// Where something that can be derived from the containers' lifecycles is not what they say.
    pub fn check_invariants(&self, now: Duration) {
        let ports = self.machines.iter().filter_map(|(id, machine)| Some((id, machine.ports()?))).collect();
        self.claims.check_invariants(&ports);
        assert!(self.affected.is_empty(), "somebody was not told that a port changed hands");
        for (id, machine) in &self.machines {
            let told = machine.taken().is_none_or(|taken| *taken == self.claims.taken(id));
            assert!(told, "{id} does not know which of its ports are another's");
        }
        let granted = self.granted_records();
        if self.barrier == Barrier::Open {
            assert_eq!(self.said, granted, "what was said is not what is granted");
        } else {
            assert!(self.said.is_empty(), "something was said before the barrier opened");
        }
        for (id, machine) in &self.machines {
            let timed = machine
                .deadline()
                .is_none_or(|at| at <= now || self.deadlines.get(id).is_some_and(|deadline| *deadline == at));
            assert!(timed, "{id} waits for a time at which nobody wakes it");
        }
        assert!(self.deadlines.keys().all(|id| self.machines.contains_key(id)), "a timer of nobody");
        assert!(!self.drained || (ports.is_empty() && self.said.is_empty()), "wanted after the drain");
    }

    /// Whether what may have been wanted of a container before this roster began is over, as far as can be told
    /// before the barrier opens: nothing is wanted of it now, and nothing that was registered speaks for it.
    fn is_past(&self, id: &ContainerId) -> bool {
        self.barrier != Barrier::Open
            && self.machines.get(id).is_none_or(|machine| {
                machine.wanted().is_empty() && (self.registered.is_some() || !machine.unproven())
            })
    }

    /// An answer at a port that several claim and nobody has counts for the one that had it, or else started first: it
    /// is asked anew, so that its own answers count from then on.
    fn credit(&mut self, id: &ContainerId, event: &Event, now: Duration) -> Option<Vec<Output>> {
        let Event::Probed { life, target, verdict: Verdict::Up } = event else { return None };
        let current = self.machines.get(id)?.probing().filter(|(probed, _)| probed == life)?;
        current.1.contains(target).then_some(())?;
        let (first, offer) = self.claims.answerer(id, target)?;
        let (first, target) = (first.clone(), Target::of(offer)?);
        let (life, _) = self.machines.get(&first)?.probing()?;
        let mut outputs = self.step(&first, Event::Probed { life, target, verdict: Verdict::Up }, now);
        let probing = self.machines.get(&first).and_then(Lifecycle::probing);
        outputs.extend(probing.map(|(life, targets)| Output::Probe { container: first, life, targets }));
        Some(outputs)
    }

    fn step(&mut self, id: &ContainerId, event: Event, now: Duration) -> Vec<Output> {
        let mut outputs = self.advance(id, event, now);
        outputs.extend(self.settle(now));
        last_probes(outputs)
    }

    /// Tells containers which of their ports have changed hands, and says what comes of it all as one.
    fn settle(&mut self, now: Duration) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut affected = BTreeSet::new();
        while let Some(id) = self.affected.pop_first() {
            let taken = self.claims.taken(&id);
            let told = self.machines.get(&id).and_then(Lifecycle::taken);
            if told.is_some_and(|told| *told != taken) {
                outputs.extend(self.advance(&id, Event::Taken(taken), now));
            }
            affected.insert(id);
        }
        outputs.extend(self.say(affected));
        outputs
    }

    fn advance(&mut self, id: &ContainerId, event: Event, now: Duration) -> Vec<Output> {
        let over = match &event {
            Event::Died { .. } | Event::Started { .. } | Event::Absent { .. } => true,
            Event::Remembered { trace, .. } => trace.ended,
            // Whatever runs later in its place has to prove itself.
            Event::Seen { sight, .. } => sight.running != Running::Running,
            _ => false,
        };
        let machine = self.machines.remove(id).unwrap_or_else(|| Lifecycle::believing(self.belief));
        let before = machine.signals();
        let recalled = matches!(event, Event::Recalled { .. });
        let (machine, effects) = machine.step(event, now);
        let signals = machine.signals();
        // What ends with this run goes on with the next.
        let signalled = (before != signals && *machine.state() != State::Drained
            || recalled && signals.is_none())
        .then(|| Output::Signalled(id.clone(), signals));
        if let (true, Some(registered)) = (over || machine.leaves(), &mut self.registered) {
            registered.remove(id);
        }
        self.machines.insert(id.clone(), machine);
        // It is remembered before anything is done about it.
        let mut outputs = Vec::from_iter(signalled);
        outputs.extend(effects.into_iter().flat_map(|effect| self.carry(id, effect)));
        outputs
    }

    fn carry(&mut self, id: &ContainerId, effect: Effect) -> Vec<Output> {
        match effect {
            Effect::Claim(ports) => {
                self.affected.extend(self.claims.update(id, ports));
                Vec::new()
            }
            Effect::Probe { life, targets } => vec![Output::Probe { container: id.clone(), life, targets }],
            Effect::Look => vec![Output::Look(id.clone())],
            Effect::WakeAt(at) => {
                self.deadlines.insert(id.clone(), at);
                Vec::new()
            }
            Effect::Decided(decision) => vec![Output::Decided(id.clone(), decision)],
            Effect::Held(until) => vec![Output::Held(id.clone(), until)],
            Effect::Unproven(unproven) => vec![Output::Unproven(id.clone(), unproven)],
            Effect::Outlived(outlived) => vec![Output::Outlived(id.clone(), outlived)],
            Effect::Stepped(edge) => vec![Output::Stepped(id.clone(), edge)],
        }
    }

    fn say(&mut self, affected: BTreeSet<ContainerId>) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut changed = Vec::new();
        for id in affected {
            let (granted, parked) = self.claims.granted(&id);
            let waits: BTreeSet<_> = parked.iter().map(|parked| waiting_key(&id, parked)).collect();
            let new = parked.into_iter().filter(|parked| !self.waiting.contains(&waiting_key(&id, parked)));
            outputs.extend(new.map(|parked| Output::Waits(id.clone(), parked)));
            self.waiting.retain(|(waiting, ..)| *waiting != id);
            self.waiting.extend(waits);
            let records = self.records(&id, &granted);
            if self.barrier == Barrier::Open && self.said.get(&id).map_or(&[][..], Vec::as_slice) != records {
                outputs.extend(self.overruled(&id, &records));
                self.said.insert(id.clone(), records.clone());
                changed.push((id, records));
            }
        }
        self.said.retain(|_, records| !records.is_empty());
        outputs.extend(match <[_; 1]>::try_from(changed) {
            // What is held gives way where a container that is known comes to its place.
            Ok([(id, records)]) if self.held.is_empty() => Some(Output::Want(id, records)),
            Ok(_) => Some(Output::WantAll(self.all_wants())),
            Err(changed) if changed.is_empty() => None,
            Err(_) => Some(Output::WantAll(self.all_wants())),
        });
        outputs
    }

    fn records(&self, id: &ContainerId, granted: &[Wanted]) -> Vec<RecordSet> {
        let mut records: Vec<_> =
            granted.iter().flat_map(|wanted| publish::records(&self.registrant, id, wanted)).collect();
        records.sort_by_key(RecordSet::key);
        records.dedup();
        self.foresight.see(self.machines.get(id).and_then(Lifecycle::task), records)
    }

    /// Tells a machine what the zone already holds of its container.
    fn recall(&mut self, id: &ContainerId, now: Duration) -> Vec<Output> {
        let Some(machine) = self.machines.get(id) else { return Vec::new() };
        if let Some(events) = self.registered.as_mut().and_then(|known| known.get_mut(id)) {
            // That another has its port is no news of an earlier run: should it be free later, that proves nothing.
            let lost = machine.taken().into_iter().flatten().filter(|(_, taken)| !taken.keeps);
            let lost: BTreeSet<_> = lost.map(|(endpoint, _)| endpoint.at).collect();
            events.retain(|event| !matches!(event, Event::Registered { at, .. } if lost.contains(at)));
        }
        let unproven = machine.unproven();
        let registered = self.registered.as_mut().filter(|_| unproven).and_then(|known| known.remove(id));
        registered.into_iter().flatten().flat_map(|event| self.step(id, event, now)).collect()
    }

    fn try_open(&mut self, now: Duration) -> Vec<Output> {
        let complete = || {
            let proven = self.unseen.is_empty() && !self.machines.values().any(Lifecycle::unproven);
            proven && !self.foresight.awaited
        };
        let due = match &self.barrier {
            Barrier::Listed { until } => self.foresight.parts() || now >= *until || complete(),
            Barrier::Closed { .. } => self.foresight.parts(),
            Barrier::Open => false,
        };
        if self.registered.is_none() || !due {
            return Vec::new();
        }
        match &self.barrier {
            // What was not looked at may still be there, listed or not.
            Barrier::Closed { seen } => self.held.retain(|id, _| !seen.contains(id)),
            Barrier::Listed { .. } | Barrier::Open => self.held.retain(|id, _| self.unseen.contains(id)),
        }
        let mut outputs = self.hold(now);
        self.affected.extend(self.claims.settle());
        outputs.extend(self.settle(now));
        self.barrier = Barrier::Open;
        self.keep_what_stands();
        self.said = self.granted_records();
        outputs.push(Output::WantAll(self.all_wants()));
        outputs
    }

    /// A container has been looked at, or is over: what an earlier run wrote of it counts no more.
    fn release(&mut self, id: &ContainerId, now: Duration) -> Vec<Output> {
        if self.held.remove(id).is_none() {
            return Vec::new();
        }
        let mut outputs = self.hold(now);
        if self.barrier == Barrier::Open {
            outputs.retain(|output| !matches!(output, Output::Want(..) | Output::WantAll(_)));
            outputs.push(Output::WantAll(self.all_wants()));
        }
        outputs
    }

    /// Those that have not been looked at have their ports as long as what an earlier run wrote of them stays.
    fn hold(&mut self, now: Duration) -> Vec<Output> {
        let unseen = self.held.iter().filter(|(id, _)| self.is_unseen(id));
        let unseen = unseen.map(|(id, sets)| (id.clone(), sets.clone())).collect();
        self.affected.extend(self.claims.set_unseen(self.endpoints(&unseen)));
        self.settle(now)
    }

    fn is_unseen(&self, id: &ContainerId) -> bool {
        match &self.barrier {
            Barrier::Closed { seen } => !seen.contains(id),
            Barrier::Listed { .. } | Barrier::Open => self.unseen.contains(id),
        }
    }

    /// What is granted, and what is held: but a place is one container's, first of all one that is known.
    fn all_wants(&self) -> Wants {
        let mut places: BTreeMap<_, _> =
            self.said.iter().flat_map(|(id, sets)| sets.iter().map(move |set| (place(set), id))).collect();
        let mut wants = self.said.clone();
        // Of which task a container is that has not been looked at, nobody knows.
        let held: Wants =
            self.held.iter().map(|(id, sets)| (id.clone(), self.foresight.see(None, sets.clone()))).collect();
        for (id, held) in &held {
            for set in held {
                // Containers of one task have one address, each under a name of its own.
                let address = set.kind == RecordType::A;
                if address || *places.entry(place(set)).or_insert(id) == id {
                    wants.entry(id.clone()).or_default().push(set.clone());
                }
            }
        }
        wants.retain(|_, records| !records.is_empty());
        wants
    }

    /// The ports to which record sets lead, and whose these are.
    fn endpoints(&self, sets: &Wants) -> BTreeMap<Endpoint, ContainerId> {
        let mut endpoints = BTreeMap::new();
        for (id, sets) in sets {
            for set in sets.iter().filter(|set| set.kind == RecordType::Srv) {
                let at = publish::endpoint(&self.registrant, set, |name| address_of(name, sets));
                let protocol = if place(set).0 { Protocol::Udp } else { Protocol::Tcp };
                if let Some(at) = at {
                    endpoints.entry(Endpoint { at, protocol }).or_insert_with(|| id.clone());
                }
            }
        }
        endpoints
    }

    fn granted_records(&self) -> Wants {
        let of = |id: &ContainerId| (id.clone(), self.records(id, &self.claims.granted(id).0));
        self.claims.containers().map(of).filter(|(_, records)| !records.is_empty()).collect()
    }

    fn registered_event(&self, set: &RecordSet, known: &[RecordSet]) -> Option<(ContainerId, Event)> {
        let Subject::Service(id, container_port) = self.registrant.subject(set)? else { return None };
        let at = publish::endpoint(&self.registrant, set, |name| address_of(name, known))?;
        let service = set.key().name;
        let weight = set.weight().and_then(|weight| weight.try_into().ok())?;
        Some((id, Event::Registered { service, container_port, at, weight }))
    }

    /// The record sets of each container; the host's own are not among them.
    fn by_container(&self, sets: &[RecordSet]) -> Wants {
        let mut by_container = Wants::new();
        for set in sets {
            if let Some(Subject::Container(id) | Subject::Service(id, _)) = self.registrant.subject(set) {
                by_container.entry(id).or_default().push(set.clone());
            }
        }
        by_container.values_mut().for_each(|sets| sets.sort_by_key(RecordSet::key));
        by_container
    }
}

/// What a service's record set leads to: udp and tcp ports of one number are different places.
fn place(set: &RecordSet) -> (bool, &[String]) {
    (set.name.split('.').any(|label| label == "_udp"), &set.values)
}

/// Of several words to one prober, the last.
fn last_probes(outputs: Vec<Output>) -> Vec<Output> {
    let mut told = BTreeSet::new();
    let mut last = |output: &Output| match output {
        Output::Probe { container, .. } => told.insert(container.clone()),
        _ => true,
    };
    let mut kept: Vec<_> = outputs.into_iter().rev().filter(|output| last(output)).collect();
    kept.reverse();
    kept
}

fn waiting_key(id: &ContainerId, parked: &Parked) -> (ContainerId, ServiceName, u16) {
    let service = &parked.offer.service;
    (id.clone(), service.name.clone(), service.container_port)
}

fn address_of(name: &str, known: &[RecordSet]) -> Option<Ipv4Addr> {
    let set = known.iter().find(|set| set.kind == RecordType::A && set.key().name == name)?;
    set.values.first()?.parse().ok()
}
