//! Who holds a port: no two containers have live records for one address, protocol and port.
//!
//! Docker gives the host port of a stopped container to the next one, and the news of the two may come
//! in any order. The newest life holds the port; an older claim is parked, and returns when the port is
//! free. What a container wants is decided by its [`super::lifecycle`]; how the records are written, by
//! the zone.

use std::collections::{BTreeMap, BTreeSet};

use super::container::Timestamp;
use super::lifecycle::Wanted;
use super::offer::At;
use super::service::Protocol;
use crate::record::ContainerId;

/// An address that clients connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The host's address or a task's own, and the port.
    pub at: At,
    /// The protocol: tcp and udp ports of one number are different ports.
    pub protocol: Protocol,
}

impl Endpoint {
    fn of(wanted: &Wanted) -> Self {
        Self { at: wanted.offer.at, protocol: wanted.offer.service.protocol }
    }
}

/// A want that waits for another container to leave its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// What is wanted.
    pub wanted: Wanted,
    /// Who holds the port.
    pub holder: ContainerId,
}

/// What all containers of the host want, and which of it may be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    wants: BTreeMap<ContainerId, Vec<Wanted>>,
    claimants: BTreeMap<Endpoint, BTreeSet<(Timestamp, ContainerId)>>,
}

impl Claims {
    /// Replaces what `container` wants. Returns every container whose granted set may have changed by
    /// it, this one first.
    pub fn update(&mut self, container: &ContainerId, wants: Vec<Wanted>) -> Vec<ContainerId> {
        let mut affected = BTreeSet::new();
        for wanted in self.wants.remove(container).unwrap_or_default() {
            let endpoint = Endpoint::of(&wanted);
            if let Some(claimants) = self.claimants.get_mut(&endpoint) {
                claimants.remove(&(wanted.started_at, container.clone()));
                affected.extend(claimants.iter().map(|(_, id)| id.clone()));
                if claimants.is_empty() {
                    self.claimants.remove(&endpoint);
                }
            }
        }
        for wanted in &wants {
            let claimants = self.claimants.entry(Endpoint::of(wanted)).or_default();
            claimants.insert((wanted.started_at, container.clone()));
            affected.extend(claimants.iter().map(|(_, id)| id.clone()));
        }
        if !wants.is_empty() {
            self.wants.insert(container.clone(), wants);
        }
        affected.remove(container);
        std::iter::once(container.clone()).chain(affected).collect()
    }

    /// What of `container`'s wants may be written now, and what waits.
    pub fn granted(&self, container: &ContainerId) -> (Vec<Wanted>, Vec<Parked>) {
        let mut granted = Vec::new();
        let mut parked = Vec::new();
        for wanted in self.wants.get(container).into_iter().flatten() {
            match self.holder(&Endpoint::of(wanted)) {
                Some(holder) if holder != container => {
                    parked.push(Parked { wanted: wanted.clone(), holder: holder.clone() });
                }
                _ => granted.push(wanted.clone()),
            }
        }
        (granted, parked)
    }

    /// The containers that want anything.
    pub fn containers(&self) -> impl Iterator<Item = &ContainerId> {
        self.wants.keys()
    }

    /// Panics where claims are not what is wanted, or a port has two holders: for tests and fuzzing.
    ///
    /// # Panics
    /// As said.
    pub fn check_invariants(&self, wanting: &BTreeMap<&ContainerId, Vec<Wanted>>) {
        let mut held: BTreeMap<Endpoint, (&ContainerId, Timestamp)> = BTreeMap::new();
        let mut claimed: BTreeMap<Endpoint, Timestamp> = BTreeMap::new();
        for (id, wants) in wanting {
            assert_eq!(self.wants.get(*id), Some(wants), "claims are not what {id} wants");
            let (granted, parked) = self.granted(id);
            assert_eq!(granted.len() + parked.len(), wants.len());
            for wanted in granted {
                let holder = held.insert(Endpoint::of(&wanted), (*id, wanted.started_at));
                assert!(holder.is_none_or(|(holder, _)| holder == *id), "two containers hold one port");
            }
            for wanted in wants {
                let newest = claimed.entry(Endpoint::of(wanted)).or_insert(wanted.started_at);
                *newest = wanted.started_at.max(*newest);
            }
        }
        let holds = |(endpoint, newest): (&Endpoint, &Timestamp)| {
            held.get(endpoint).map(|held| held.1) == Some(*newest)
        };
        assert!(claimed.iter().all(holds), "a port that is not held by the newest life");
        assert_eq!(self.claimants.len(), claimed.len(), "a claimant that wants nothing");
    }

    fn holder(&self, endpoint: &Endpoint) -> Option<&ContainerId> {
        self.claimants.get(endpoint)?.last().map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::machine::offer::EffectiveCheck;
    use crate::machine::testing::{at, offer};
    use crate::record::testing::id;

    fn wants(name: &str, port: u16, started_at: u64) -> Vec<Wanted> {
        vec![Wanted { offer: offer(name, port, EffectiveCheck::None), weight: 5, started_at: at(started_at) }]
    }

    fn holds(claims: &Claims, container: u64) -> usize {
        claims.granted(&id(container)).0.len()
    }

    #[test]
    fn the_newest_life_holds_the_port() {
        let mut claims = Claims::default();
        assert_eq!(claims.update(&id(1), wants("_a._tcp", 80, 10)), [id(1)]);
        assert_eq!(claims.update(&id(2), wants("_b._tcp", 80, 20)), [id(2), id(1)]);
        assert_eq!((holds(&claims, 1), holds(&claims, 2)), (0, 1));
        let (_, parked) = claims.granted(&id(1));
        assert_eq!(parked[0].holder, id(2));
        assert_eq!(claims.update(&id(1), wants("_a._tcp", 80, 30)), [id(1), id(2)]);
        assert_eq!((holds(&claims, 1), holds(&claims, 2)), (1, 0));
    }

    #[test]
    fn the_parked_one_returns_when_the_port_is_free() {
        let mut claims = Claims::default();
        claims.update(&id(1), wants("_a._tcp", 80, 10));
        claims.update(&id(2), wants("_b._tcp", 80, 20));
        assert_eq!(claims.update(&id(2), Vec::new()), [id(2), id(1)]);
        assert_eq!(holds(&claims, 1), 1);
        claims.update(&id(1), Vec::new());
        assert_eq!(claims, Claims::default());
    }

    #[test]
    fn tcp_and_udp_are_different_ports_and_two_names_share_one() {
        let mut claims = Claims::default();
        claims.update(&id(1), wants("_a._udp", 80, 10));
        let both = [wants("_a._tcp", 80, 20), wants("_b._tcp", 80, 20)].concat();
        claims.update(&id(2), both);
        assert_eq!((holds(&claims, 1), holds(&claims, 2)), (1, 2));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_port_has_two_holders_in_any_interleaving(
            updates in proptest::collection::vec((0..6_u64, proptest::collection::vec((0..4_u16, any::<bool>()), 0..3), 0..5_u64), 1..60)
        ) {
            let mut claims = Claims::default();
            let mut wanting: BTreeMap<ContainerId, Vec<Wanted>> = BTreeMap::new();
            let mut granted: BTreeMap<ContainerId, Vec<Wanted>> = BTreeMap::new();
            for (container, ports, life) in updates {
                let name = |udp| if udp { "_a._udp" } else { "_a._tcp" };
                let wants: Vec<_> =
                    ports.into_iter().flat_map(|(port, udp)| wants(name(udp), port, life)).collect();
                // Whoever is affected is named: what the others hold stays as it was.
                for id in claims.update(&id(container), wants.clone()) {
                    granted.insert(id.clone(), claims.granted(&id).0);
                }
                wanting.insert(id(container), wants);
                wanting.retain(|_, wants| !wants.is_empty());
                claims.check_invariants(&wanting.iter().map(|(id, wants)| (id, wants.clone())).collect());
                for (id, held) in &granted {
                    prop_assert_eq!(held, &claims.granted(id).0);
                }
            }
        }
    }
}
