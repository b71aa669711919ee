//! The lifecycles of the containers of a host.
//!
//! Owns them, when each is to be woken, when one is forgotten, and what its [like](crate::machine::crash_loops) mean
//! for one that begins. What a step of one changes for the others is for the
//! [registrar](super).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::machine::crash_loops::CrashLoops;
use crate::machine::lifecycle::restarts::Hold;
use crate::machine::lifecycle::{Effect, Event, Lifecycle, Seq, State};
use crate::machine::past::Signals;
use crate::moment::Moment;
use crate::record::ContainerId;

/// The lifecycles of the containers of a host.
#[derive(Debug)]
pub(super) struct Containers {
    /// How long a stopping signal is believed.
    belief: Duration,
    /// Whoever shows them shares them until their next step.
    lifecycles: BTreeMap<ContainerId, Arc<Lifecycle>>,
    deadlines: BTreeMap<ContainerId, Moment>,
    crash_loops: CrashLoops,
    /// Answers about containers that a list as young as this did not show are stale.
    floor: Seq,
}

/// What came of a step.
#[derive(Debug)]
pub(super) struct Stepped {
    /// Where that has changed: the signals that are to be remembered over a restart.
    pub(super) signalled: Option<Option<Signals>>,
    pub(super) effects: Vec<Effect>,
}

impl Containers {
    pub(super) fn believing(belief: Duration) -> Self {
        let (lifecycles, deadlines) = (BTreeMap::new(), BTreeMap::new());
        let (crash_loops, floor) = (CrashLoops::default(), Seq::default());
        Self { belief, lifecycles, deadlines, crash_loops, floor }
    }

    pub(super) fn get(&self, id: &ContainerId) -> Option<&Lifecycle> {
        self.lifecycles.get(id).map(Arc::as_ref)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &ContainerId> {
        self.lifecycles.keys()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ContainerId, &Lifecycle)> {
        self.lifecycles.iter().map(|(id, lifecycle)| (id, &**lifecycle))
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = (&ContainerId, &Arc<Lifecycle>)> {
        self.lifecycles.iter()
    }

    /// The ECS task of the life that is watched.
    pub(super) fn task(&self, id: &ContainerId) -> Option<&str> {
        self.get(id).and_then(Lifecycle::task)
    }

    /// Whether a verdict is still awaited on any of them that is asked.
    pub(super) fn any_unproven(&self) -> bool {
        self.lifecycles.values().any(|machine| machine.unproven() && !machine.is_paused())
    }

    /// How long a stopping signal is believed.
    pub(super) fn belief(&self) -> Duration {
        self.belief
    }

    /// Whether an event is an answer of before the list that did not show its container.
    pub(super) fn is_stale(&self, id: &ContainerId, event: &Event) -> bool {
        matches!(event, Event::Seen { as_of, .. } if *as_of < self.floor) && self.get(id).is_none()
    }

    /// Takes one event of one container. One that was not known is from here on.
    pub(super) fn step(&mut self, id: &ContainerId, event: Event, now: Moment) -> Stepped {
        let known = self.lifecycles.remove(id).map(Arc::unwrap_or_clone);
        let lifecycle = known.unwrap_or_else(|| Lifecycle::believing(self.belief));
        let lifecycle = match self.hold(&event, now) {
            Some(hold) => lifecycle.beside(hold),
            None => lifecycle,
        };
        let is_recalled = matches!(event, Event::Recalled { .. });
        let before = lifecycle.signals();
        let (lifecycle, mut effects) = lifecycle.step(event, now);
        let signals = lifecycle.signals();
        // What ends with this run goes on with the next.
        let has_changed = before != signals && *lifecycle.state() != State::Drained;
        let signalled = (has_changed || is_recalled && signals.is_none()).then_some(signals);
        self.lifecycles.insert(id.clone(), Arc::new(lifecycle));
        effects.retain(|effect| match effect {
            Effect::WakeAt(at) => {
                self.deadlines.insert(id.clone(), *at);
                false
            }
            Effect::Crashed(family) => {
                self.crash_loops.on_crash(family.clone(), now);
                false
            }
            Effect::Held(hold) => self.crash_loops.is_news(hold),
            _ => true,
        });
        Stepped { signalled, effects }
    }

    /// How a first life is kept out that an inspection shows, where its like are in a crash loop.
    fn hold(&self, event: &Event, now: Moment) -> Option<Hold> {
        let Event::Seen { sight, .. } = event else { return None };
        let family = sight.family.as_ref().filter(|_| !sight.lived_before)?;
        self.crash_loops.hold(family, now)
    }

    /// A list that was asked for at `as_of`. Returns those that it does not show.
    pub(super) fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, as_of: Seq) -> Vec<ContainerId> {
        self.floor = self.floor.max(as_of);
        self.ids().filter(|id| !listed.contains(*id)).cloned().collect()
    }

    /// Forgets a container of which nothing is to be remembered, now that a list of then does not show it.
    pub(super) fn forget(&mut self, id: &ContainerId, as_of: Seq, now: Moment) {
        if self.get(id).is_some_and(|lifecycle| lifecycle.forgettable(as_of, now)) {
            self.lifecycles.remove(id);
            self.deadlines.remove(id);
        }
    }

    pub(super) fn wake_at(&self) -> Option<Moment> {
        self.deadlines.values().copied().min()
    }

    /// Takes those for whom time itself changes something.
    pub(super) fn take_due(&mut self, now: Moment) -> Vec<ContainerId> {
        self.deadlines.extract_if(.., |_, at| *at <= now).map(|(id, _)| id).collect()
    }

    pub(super) fn check_invariants(&self, now: Moment) {
        for (id, lifecycle) in self.iter() {
            let timed = lifecycle
                .deadline()
                .is_none_or(|at| at <= now || self.deadlines.get(id).is_some_and(|deadline| *deadline == at));
            assert!(timed, "{id} waits for a time at which nobody wakes it");
        }
        assert!(self.deadlines.keys().all(|id| self.lifecycles.contains_key(id)), "a timer of nobody");
    }
}
