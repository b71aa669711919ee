//! The barrier: until when nothing is said to the writer, so that the first word is one batch.
//!
//! Owns which containers have been inspected before the barrier opens, and how long the others are waited for. What is
//! known of the zone, and what opens the barrier early, is for [adoption](super).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::moment::Moment;
use crate::record::ContainerId;

/// How long the first list waits for its containers to be inspected and to prove themselves.
pub const BARRIER: Duration = Duration::from_secs(2);

/// What is waited for before the first word to the writer.
#[derive(Debug)]
pub(super) enum Barrier {
    /// A list of what runs; these have been inspected before it.
    ForList { looked_at: BTreeSet<ContainerId> },
    /// The containers on the list; these have not been inspected.
    ForLooks { until: Moment, unseen: BTreeSet<ContainerId> },
}

impl Default for Barrier {
    fn default() -> Self {
        Self::ForList { looked_at: BTreeSet::new() }
    }
}

impl Barrier {
    pub(super) fn on_inspected(&mut self, id: &ContainerId) {
        match self {
            Self::ForList { looked_at } => looked_at.insert(id.clone()),
            Self::ForLooks { unseen, .. } => unseen.remove(id),
        };
    }

    /// A life is over: nobody waits for an inspection of it. What comes after it is one to inspect, if the list shows
    /// it.
    pub(super) fn on_over(&mut self, id: &ContainerId) {
        if let Self::ForLooks { unseen, .. } = self {
            unseen.remove(id);
        }
    }

    pub(super) fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, now: Moment) {
        match self {
            Self::ForList { looked_at } => {
                let unseen = listed.difference(looked_at).cloned().collect();
                *self = Self::ForLooks { until: now + BARRIER, unseen };
            }
            Self::ForLooks { unseen, .. } => unseen.retain(|id| listed.contains(id)),
        }
    }

    /// Whether a container, listed or not, has not been inspected.
    pub(super) fn is_unseen(&self, id: &ContainerId) -> bool {
        match self {
            Self::ForList { looked_at } => !looked_at.contains(id),
            Self::ForLooks { unseen, .. } => unseen.contains(id),
        }
    }

    /// Whether a list has come, and does not show this container.
    pub(super) fn lacks(&self, id: &ContainerId) -> bool {
        matches!(self, Self::ForLooks { unseen, .. } if !unseen.contains(id))
    }

    pub(super) fn opens_at(&self) -> Option<Moment> {
        match self {
            Self::ForList { .. } => None,
            Self::ForLooks { until, .. } => Some(*until),
        }
    }

    /// Whether nothing is waited for any more; `proven` tells whether that is so of what was inspected.
    pub(super) fn is_due(&self, now: Moment, proven: impl FnOnce() -> bool) -> bool {
        match self {
            Self::ForList { .. } => false,
            Self::ForLooks { until, unseen } => now >= *until || unseen.is_empty() && proven(),
        }
    }

    /// The containers that are listed and have not been inspected.
    pub(super) fn into_unseen(self) -> BTreeSet<ContainerId> {
        match self {
            Self::ForList { .. } => BTreeSet::new(),
            Self::ForLooks { unseen, .. } => unseen,
        }
    }
}
