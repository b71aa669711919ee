//! A pause of a life: its processes are frozen, by `docker pause` or while `docker commit` reads their files.
//!
//! Owns what a pause means by how long it has lasted. A short one changes nothing: a name that is emptied stays unseen
//! for as long as resolvers remember that, which is longer than a commit takes. No check has a say meanwhile, because
//! the kernel takes connections for a process that is frozen. A full name is left alone throughout: who asks for all
//! targets finds out by itself which of them serve.
//!
//! How long a pause had lasted before it was first seen is not known: it counts from then. Time alone changes nothing, it
//! only asks for an inspection, and one that shows the pause still there takes the weight or the record. So while Docker
//! is away nothing is withdrawn.

use std::time::Duration;

use crate::container::convention::{Answer, Service};
use crate::moment::Moment;

/// A pause that is shorter changes nothing; from then on the weight is 0.
pub const WEIGHTLESS_AFTER: Duration = Duration::from_secs(5);
/// After so long what has a weight is withdrawn.
pub const WITHDRAWN_AFTER: Duration = Duration::from_secs(60);

/// A pause that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When it was first seen.
    pub since: Moment,
    /// How far it has come.
    pub phase: Phase,
    /// When the next inspection may show that it has come further.
    inspect_at: Option<Moment>,
}

/// How far a pause has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing changes.
    Short,
    /// Weight 0.
    Weightless,
    /// Nothing is wanted but what has no weight.
    Withdrawn,
}

impl Pause {
    /// One that was not there before: what it means is said by [`Self::on_seen`].
    pub(super) fn since(now: Moment) -> Self {
        Self { since: now, phase: Phase::Short, inspect_at: None }
    }

    /// An inspection shows that it goes on.
    pub(super) fn on_seen(&mut self, now: Moment) {
        let lasted = now - self.since;
        let phase = match lasted {
            lasted if lasted >= WITHDRAWN_AFTER => Phase::Withdrawn,
            lasted if lasted >= WEIGHTLESS_AFTER => Phase::Weightless,
            _ => Phase::Short,
        };
        self.phase = self.phase.max(phase);
        let next = [WEIGHTLESS_AFTER, WITHDRAWN_AFTER].into_iter().find(|after| lasted < *after);
        self.inspect_at = next.map(|after| self.since + after);
    }

    /// An earlier run had taken the weight for it.
    pub(super) fn on_weightless(&mut self) {
        self.phase = self.phase.max(Phase::Weightless);
    }

    /// How far it had come when it ended. Nobody saw how long it lasted after the last inspection, so it may have been
    /// long, but nothing is withdrawn for it any more.
    pub(super) fn ended(&self, now: Moment) -> Phase {
        let is_long = now - self.since >= WEIGHTLESS_AFTER;
        self.phase.max(if is_long { Phase::Weightless } else { Phase::Short })
    }

    /// When it is to be inspected.
    pub(super) fn due_at(&self) -> Option<Moment> {
        self.inspect_at
    }

    /// Time has passed: the inspection that is due is asked for.
    pub(super) fn on_tick(&mut self, now: Moment) {
        self.inspect_at = self.inspect_at.filter(|at| *at > now);
    }
}

impl Phase {
    /// What is left of the weight at which a service would be wanted.
    pub(super) fn weight(self, service: &Service, weight: u8) -> Option<u8> {
        match self {
            Self::Withdrawn if service.answer != Answer::All => None,
            Self::Short => Some(weight),
            Self::Weightless | Self::Withdrawn => Some(0),
        }
    }
}
