//! What the writer has been told, of the containers that have been inspected.
//!
//! Owns that, and whose a place is where somebody else's record sets are held beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::Wants;
use crate::machine::publish::place;
use crate::record::{ContainerId, RecordSet, RecordType};

/// What the writer has been told; nothing before the barrier opens.
#[derive(Debug, Default)]
pub(super) struct Publication {
    said: Wants,
}

impl Publication {
    /// What was said last of a container.
    pub(super) fn of(&self, id: &ContainerId) -> &[RecordSet] {
        self.said.get(id).map_or(&[], Vec::as_slice)
    }

    /// This is wanted of a container from now on.
    pub(super) fn say(&mut self, id: &ContainerId, records: Vec<RecordSet>) {
        if records.is_empty() {
            self.said.remove(id);
        } else {
            self.said.insert(id.clone(), records);
        }
    }

    /// This is all that is wanted of those that have been inspected.
    pub(super) fn say_all(&mut self, said: Wants) {
        self.said = said;
    }

    /// What is wanted, with what is held beside it: but a place is one container's, first of all one that has been
    /// inspected. The address of a service gives way with its port.
    pub(super) fn with<'a>(&self, held: impl Iterator<Item = (&'a ContainerId, Vec<RecordSet>)>) -> Wants {
        let held: Vec<_> = held.collect();
        let mut places: BTreeMap<_, _> =
            self.said.iter().flat_map(|(id, sets)| sets.iter().map(move |set| (place(set), id))).collect();
        let mut wants = self.said.clone();
        for (id, held) in &held {
            let ports = held.iter().filter(|set| set.kind == RecordType::Srv);
            let lost: BTreeSet<_> = ports
                .filter(|set| *places.entry(place(set)).or_insert(id) != *id)
                .map(RecordSet::key)
                .collect();
            // Containers of one task have one address, each under a name of its own.
            let gives_way = |set: &RecordSet| match set.kind {
                RecordType::A => !lost.is_empty() && set.is_of_service(),
                _ => lost.contains(&set.key()),
            };
            let kept = held.iter().filter(|set| !gives_way(set)).cloned();
            wants.entry((*id).clone()).or_default().extend(kept);
        }
        wants.retain(|_, records| !records.is_empty());
        wants
    }

    pub(super) fn check_invariants(&self, is_open: bool, granted: &Wants) {
        if is_open {
            assert_eq!(self.said, *granted, "what was said is not what is granted");
        } else {
            assert!(self.said.is_empty(), "something was said before the barrier opened");
        }
    }
}
