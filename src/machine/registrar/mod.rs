//! All containers of this host together: which records are wanted now.
//!
//! The pure twin of the Registrar, whose actor only carries what comes out. Owns the order in which one event goes
//! through the organs below, and what one event makes of several containers.
//!
//! | organ | owns |
//! |---|---|
//! | `containers` | the [lifecycles](super::lifecycle), and when each is woken |
//! | `grants` | the [claims](super::claims) on ports, and who is to be told of a change |
//! | `publication` | what the writer has been told |
//! | `history` | what happened to each container last, for whoever looks |
//! | [`adoption`](super::adoption) | what an earlier run left, and the barrier before the first word |
//! | [`departure`](super::departure) | what is about to stop, and what that makes of records |
//! | [`cordons`](super::cordon) | which weights are given by hand |
//!
//! ## One message
//!
//! What one event changes of several containers goes out as one output: a port that changes hands is
//! never wanted of two containers, nor of none where the next one serves, and the writer can swap its
//! records in one batch.

mod adopting;
mod containers;
mod cordoning;
mod grants;
mod history;
mod leaving;
mod moving;
mod output;
mod publication;
mod snapshot;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use self::containers::Containers;
use self::grants::Grants;
use self::history::History;
pub use self::history::Latest;
pub use self::output::Output;
use self::publication::Publication;
pub use self::snapshot::{Known, Snapshot};
use super::adoption::{Adoption, Bearing};
use super::cordon::Cordons;
use super::departure::records::Departure;
use super::lifecycle::{Event, Lifecycle, Seq, State, stops};
use super::past::{Past, Signals};
use super::publish::Wants;
use crate::container::STOP_SIGNAL_DEFAULT;
use crate::moment::Moment;
use crate::record::{ContainerId, Registrant};

/// All containers of this host.
#[derive(Debug)]
pub struct Registrar {
    registrant: Registrant,
    containers: Containers,
    grants: Grants,
    publication: Publication,
    history: History,
    adoption: Adoption,
    departure: Departure,
    cordons: Cordons,
    /// What each container is called, for whoever reads of it.
    names: BTreeMap<ContainerId, String>,
}

impl Registrar {
    /// A registrar that knows nothing yet, and believes a stopping signal for that long.
    pub fn new(registrant: Registrant, belief: Duration) -> Self {
        Self {
            containers: Containers::believing(belief),
            grants: Grants::default(),
            publication: Publication::default(),
            history: History::default(),
            adoption: Adoption::new(registrant.clone()),
            departure: Departure::default(),
            cordons: Cordons::default(),
            names: BTreeMap::new(),
            registrant,
        }
    }

    /// The lifecycle of a container, if it is known.
    pub fn lifecycle(&self, id: &ContainerId) -> Option<&Lifecycle> {
        self.containers.get(id)
    }

    /// The names of the services of a container that runs.
    pub fn services(&self, id: &ContainerId) -> BTreeSet<String> {
        let Some(State::Live(life)) = self.containers.get(id).map(Lifecycle::state) else {
            return BTreeSet::new();
        };
        life.services.iter().map(|tracked| tracked.offer.service.name.as_str().to_owned()).collect()
    }

    /// The containers that are known.
    pub fn containers(&self) -> impl Iterator<Item = &ContainerId> {
        self.containers.ids()
    }

    /// When [`Registrar::on_time`] is due.
    pub fn wake_at(&self) -> Option<Moment> {
        let Self { containers, adoption, departure, cordons, .. } = self;
        let all = [containers.wake_at(), adoption.wake_at(), departure.wake_at(), cordons.wake_at()];
        all.into_iter().flatten().min()
    }

    /// All that is wanted, for a writer that lost its memory; `None` before the barrier has opened.
    pub fn wants(&self) -> Option<Wants> {
        self.adoption.is_open().then(|| self.all_wants())
    }

    /// What a container is called.
    pub fn on_named(&mut self, id: ContainerId, name: String) {
        self.names.insert(id, name);
    }

    /// What a container is called; empty where that is not known.
    pub fn name(&self, id: &ContainerId) -> &str {
        self.names.get(id).map_or("", String::as_str)
    }

    /// Something happened to a container, or was seen of it.
    pub fn on_event(&mut self, id: &ContainerId, event: Event, now: Moment) -> Vec<Output> {
        if self.departure.has_drained() || self.containers.is_stale(id, &event) {
            return Vec::new();
        }
        let bearing = self.bearing(id, &event);
        let mut outputs = self.news(id, event, bearing, now);
        outputs.extend(self.try_open(now));
        outputs
    }

    /// Somebody begins to listen to the engine: this is what it remembers. Before the first list of it.
    pub fn on_past(&mut self, past: &Past, now: Moment) -> Vec<Output> {
        if self.departure.has_drained() {
            return Vec::new();
        }
        let ids: BTreeSet<_> = self.containers.ids().chain(past.traces.keys()).cloned().collect();
        let mut outputs = Vec::new();
        for id in ids {
            let trace = past.traces.get(&id).cloned().unwrap_or_default();
            let signalled = self.containers.get(&id).and_then(Lifecycle::signalled);
            let restarted = signalled.is_some_and(|signal| past.began_after(signal));
            let is_asked = trace.kills.iter().any(|(signal, (_, age))| self.asks_to_stop(*signal, *age));
            let bearing = if trace.ended || is_asked { Bearing::Over } else { Bearing::Nothing };
            outputs.extend(self.news(&id, Event::Remembered { at: past.at, trace, restarted }, bearing, now));
        }
        outputs.extend(self.try_open(now));
        outputs
    }

    /// What an earlier run heard of signals. Before anything else is told.
    pub fn recall_signals(
        &mut self,
        recalled: Vec<(ContainerId, Signals)>,
        wall: SystemTime,
        now: Moment,
    ) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (id, signals) in recalled {
            outputs.extend(self.news(&id, Event::Recalled { signals, wall }, Bearing::Over, now));
        }
        outputs
    }

    /// A complete list of what runs, asked for at `as_of`.
    pub fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, as_of: Seq, now: Moment) -> Vec<Output> {
        if self.departure.has_drained() {
            return Vec::new();
        }
        self.cordons.on_listed(listed, now);
        let mut outputs = Vec::new();
        for id in self.containers.on_listed(listed, as_of) {
            outputs.extend(self.step(&id, Event::Absent { as_of }, now));
            self.containers.forget(&id, as_of, now);
        }
        self.history.retain(|id| self.containers.get(id).is_some());
        self.names.retain(|id, _| self.containers.get(id).is_some());
        for id in self.adoption.on_listed(listed, now) {
            outputs.extend(self.release(&id, now));
            outputs.extend(self.over(&id));
        }
        outputs.extend(self.try_open(now));
        outputs
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: Moment) -> Vec<Output> {
        let mut outputs = Vec::new();
        for id in self.containers.take_due(now) {
            outputs.extend(self.step(&id, Event::Tick, now));
        }
        outputs.extend(self.depart_on_time(now));
        outputs.extend(self.cordon_on_time(now));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// The agent ends, and has until then: nothing is wanted any more, for good. A writer that was started since the
    /// first time has to hear it too.
    pub fn drain(&mut self, deadline: Moment, now: Moment) -> Vec<Output> {
        if self.departure.has_drained() {
            return vec![Output::Drain(deadline)];
        }
        let ids: Vec<_> = self.containers.ids().cloned().collect();
        let mut outputs: Vec<_> = ids.iter().flat_map(|id| self.step(id, Event::Drain, now)).collect();
        // One message to the writer, so that it is one batch.
        outputs.retain(|output| !output.is_want());
        self.grants = Grants::default();
        self.publication = Publication::default();
        self.adoption.end();
        self.departure.drain();
        outputs.push(Output::Drain(deadline));
        outputs
    }

    /// Panics where what is kept contradicts itself: for tests and fuzzing, after any call.
    ///
    /// # Panics
    /// Where something that can be derived from the containers' lifecycles is not what they say.
    pub fn check_invariants(&self, now: Moment) {
        let ports: BTreeMap<_, _> =
            self.containers.iter().filter_map(|(id, lifecycle)| Some((id, lifecycle.ports()?))).collect();
        self.grants.check_invariants(&ports);
        for (id, lifecycle) in self.containers.iter() {
            let told = lifecycle.taken().is_none_or(|taken| *taken == self.grants.claims().taken(id));
            assert!(told, "{id} does not know which of its ports are another's");
        }
        self.publication.check_invariants(self.adoption.is_open(), &self.granted_records());
        self.containers.check_invariants(now);
        let drained = self.departure.has_drained();
        assert!(!drained || ports.is_empty() && self.all_wants().is_empty(), "wanted after the drain");
    }

    /// What an event means for the records that an earlier run left of a container. An answer that was asked for before
    /// the latest death says nothing of what runs now: another inspection is on its way.
    fn bearing(&self, id: &ContainerId, event: &Event) -> Bearing {
        let is_outdated = |as_of| self.containers.get(id).is_some_and(|lifecycle| lifecycle.outdates(as_of));
        match event {
            Event::Seen { as_of, .. } | Event::Absent { as_of } if !is_outdated(*as_of) => Bearing::Inspected,
            Event::Died { .. } | Event::Started { .. } => Bearing::Over,
            Event::Killed { signal, age, .. } if self.asks_to_stop(*signal, *age) => Bearing::Over,
            _ => Bearing::Nothing,
        }
    }

    /// Whether a signal of this age asks for a stop that is still believed. What the image takes as its stop signal is
    /// not known yet.
    fn asks_to_stop(&self, signal: u8, age: Duration) -> bool {
        stops(signal, STOP_SIGNAL_DEFAULT) && age < self.containers.belief()
    }
}
