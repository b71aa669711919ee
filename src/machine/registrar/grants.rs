//! Which ports are granted to which containers, and who is still to be told that this has changed.
//!
//! Owns the [claims](Claims) of a host and what has been said of those that wait. What a container makes of it that
//! another has its port is decided by its lifecycle.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::convention::ServiceName;
use crate::container::offer::Endpoint;
use crate::machine::claims::{Claims, Parked};
use crate::machine::lifecycle::{Ports, Wanted};
use crate::record::ContainerId;

/// The ports of a host.
#[derive(Debug, Default)]
pub(super) struct Grants {
    claims: Claims,
    /// Those for whom a change of the claims may have changed something, within one step.
    affected: BTreeSet<ContainerId>,
    /// The services of which the log has said that they wait for a port.
    waiting: BTreeSet<(ContainerId, ServiceName, u16)>,
}

impl Grants {
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// As [`Claims::update`].
    pub(super) fn update(&mut self, id: &ContainerId, ports: Option<Ports>) {
        self.affected.extend(self.claims.update(id, ports));
    }

    /// As [`Claims::adopt`].
    pub(super) fn adopt(&mut self, ports: &BTreeMap<Endpoint, ContainerId>) {
        self.affected.extend(self.claims.adopt(ports));
    }

    /// As [`Claims::set_unseen`].
    pub(super) fn set_unseen(&mut self, ports: BTreeMap<Endpoint, ContainerId>) {
        self.affected.extend(self.claims.set_unseen(ports));
    }

    /// As [`Claims::settle`].
    pub(super) fn settle(&mut self) {
        self.affected.extend(self.claims.settle());
    }

    /// One for whom something may have changed, and who has not been told.
    pub(super) fn take_affected(&mut self) -> Option<ContainerId> {
        self.affected.pop_first()
    }

    /// What of a container may be written now, and what waits of which the log has not said so.
    pub(super) fn say_granted(&mut self, id: &ContainerId) -> (Vec<Wanted>, Vec<Parked>) {
        let (granted, parked) = self.claims.granted(id);
        let service = |parked: &Parked| {
            let service = &parked.offer.service;
            (id.clone(), service.name.clone(), service.container_port)
        };
        let waits: BTreeSet<_> = parked.iter().map(service).collect();
        let new = parked.into_iter().filter(|parked| !self.waiting.contains(&service(parked))).collect();
        self.waiting.retain(|(waiting, ..)| waiting != id);
        self.waiting.extend(waits);
        (granted, new)
    }

    pub(super) fn check_invariants(&self, ports: &BTreeMap<&ContainerId, Ports>) {
        self.claims.check_invariants(ports);
        assert!(self.affected.is_empty(), "somebody was not told that a port changed hands");
    }
}
