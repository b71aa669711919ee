//! What an earlier run left of each container: its record sets, and what is to be told of them.
//!
//! Owns both, until they are given away or dropped. When that is, is decided by [adoption](super).

use std::collections::{BTreeMap, BTreeSet};

use super::Adopted;
use crate::machine::lifecycle::{Event, Lifecycle, Registered};
use crate::machine::publish::{self, Wants};
use crate::record::{ContainerId, RecordSet, Registrant, Subject};

/// What an earlier run left.
#[derive(Debug, Default)]
pub(super) struct Estate {
    held: Wants,
    /// What the lifecycle of each container is to be told.
    registered: BTreeMap<ContainerId, Vec<Event>>,
}

impl Estate {
    /// The zone holds these record sets of this host, beside those that are known. Of containers that are over nothing
    /// is taken, and of the others only those are held of which it is said.
    pub(super) fn take_over(
        &mut self,
        registrant: &Registrant,
        sets: &[RecordSet],
        over: &BTreeSet<ContainerId>,
        is_held: impl Fn(&ContainerId) -> bool,
    ) -> Adopted {
        let mut by_container = publish::by_container(registrant, sets);
        by_container.retain(|id, _| !over.contains(id));
        let ports = publish::endpoints(registrant, &by_container);
        for (id, event) in publish::registered(registrant, sets) {
            if !over.contains(&id) {
                self.registered.entry(id).or_default().push(event);
            }
        }
        for (id, sets) in by_container.into_iter().filter(|(id, _)| is_held(id)) {
            let held = self.held.entry(id).or_default();
            let known: BTreeSet<_> = held.iter().map(RecordSet::key).collect();
            let new = sets.into_iter().filter(|set| !known.contains(&set.key()));
            held.extend(new);
            held.sort_by_key(RecordSet::key);
        }
        Adopted { ports, gone: Vec::new() }
    }

    /// Has what is held of services' addresses lead to the host, and what is told of them be of the host's.
    pub(super) fn lead_here(&mut self, registrant: &Registrant) {
        let is_address =
            |set: &&mut RecordSet| matches!(registrant.subject(set), Some(Subject::ServiceAddress(_)));
        for set in self.held.values_mut().flatten().filter(is_address) {
            set.values = vec![registrant.address.to_string()];
        }
        for event in self.registered.values_mut().flatten() {
            if let Event::Registered { at: Registered::Address(own), .. } = event {
                *own = None;
            }
        }
    }

    /// Holds nothing of these any more. Returns them.
    pub(super) fn drop_held(&mut self, is_gone: impl Fn(&ContainerId) -> bool) -> Vec<ContainerId> {
        self.held.extract_if(.., |id, _| is_gone(id)).map(|(id, _)| id).collect()
    }

    /// Tells nothing of what is not listed. Returns those of them that are held.
    pub(super) fn on_listed(&mut self, listed: &BTreeSet<ContainerId>) -> Vec<ContainerId> {
        self.registered.retain(|id, _| listed.contains(id));
        self.held.keys().filter(|id| !listed.contains(*id)).cloned().collect()
    }

    /// Hands a lifecycle that still waits for its check what an earlier run registered. Dropped are records at a port
    /// that another container has now (freed later, it proves nothing), and services that it offers without waiting.
    pub(super) fn tell(&mut self, id: &ContainerId, machine: &Lifecycle) -> Vec<Event> {
        let Some(events) = self.registered.get_mut(id) else { return Vec::new() };
        let lost = machine.taken().into_iter().flatten().filter(|(_, taken)| !taken.keeps);
        let lost: BTreeSet<_> = lost.map(|(endpoint, _)| endpoint.at).collect();
        let waits = machine.unproven();
        events.retain(|event| match event {
            Event::Registered { at: Registered::Target { at, .. }, .. } if lost.contains(at) => false,
            Event::Registered { service, at, .. } => waits || !machine.offers(service, at),
            _ => true,
        });
        if !waits && !events.is_empty() {
            return Vec::new();
        }
        self.registered.remove(id).unwrap_or_default()
    }

    pub(super) fn forget(&mut self, id: &ContainerId) {
        self.registered.remove(id);
    }

    pub(super) fn release(&mut self, id: &ContainerId) -> bool {
        self.held.remove(id).is_some()
    }

    pub(super) fn held(&self) -> &Wants {
        &self.held
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.registered.is_empty()
    }
}
