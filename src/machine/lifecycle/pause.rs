//! A pause of a life: its processes are frozen, by `docker pause` or while `docker commit` reads their files.
//!
//! Owns what a pause means by how long it has lasted. A short one changes nothing: a name that is emptied stays unseen
//! for as long as resolvers remember that, which is longer than a commit takes. No check has a say meanwhile, because
//! the kernel takes connections for a process that is frozen. A full name is left alone throughout: who asks for all
//! targets finds out by itself which of them serve.
//!
//! How long a pause had lasted before it was first seen is not known: it counts from then.

use std::time::Duration;

use crate::container::convention::{Answer, Service};
use crate::moment::Moment;

/// A pause that is shorter changes nothing.
pub const WEIGHS_AFTER: Duration = Duration::from_secs(5);
/// After so long what has a weight is withdrawn.
pub const WITHDRAWN_AFTER: Duration = Duration::from_secs(60);

/// A pause that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When it was first seen.
    pub since: Moment,
    /// How far it has come.
    pub phase: Phase,
}

/// How far a pause has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing changes.
    Short,
    /// Weight 0.
    Long,
    /// Nothing is wanted but what has no weight.
    Withdrawn,
}

impl Pause {
    pub(super) fn since(now: Moment) -> Self {
        Self { since: now, phase: Phase::Short }
    }

    pub(super) fn on_time(&mut self, now: Moment) {
        self.phase = match now - self.since {
            lasted if lasted >= WITHDRAWN_AFTER => Phase::Withdrawn,
            lasted if lasted >= WEIGHS_AFTER => Phase::Long,
            _ => Phase::Short,
        };
    }

    /// When its next phase begins.
    pub fn due_at(&self) -> Option<Moment> {
        match self.phase {
            Phase::Short => Some(self.since + WEIGHS_AFTER),
            Phase::Long => Some(self.since + WITHDRAWN_AFTER),
            Phase::Withdrawn => None,
        }
    }
}

impl Phase {
    /// What is left of the weight at which a service would be wanted.
    pub(super) fn weight(self, service: &Service, weight: u8) -> Option<u8> {
        match self {
            Self::Withdrawn if service.answer != Answer::All => None,
            Self::Short => Some(weight),
            Self::Long | Self::Withdrawn => Some(0),
        }
    }
}
