//! Who has a port: no two containers have live records for one address, protocol and port.
//!
//! Several containers can claim one port: Docker gives the port of a stopped container to the next one, and the news
//! of the two may come in any order; and where processes bind by themselves nobody knows who could, as a connection
//! that succeeds may have been taken by any of them. What a container claims is decided by its
//! [lifecycle](super::lifecycle), which is told what it has lost; how the records are written, by the zone.
//!
//! # Who has it
//!
//! 1. Where Docker publishes the port, those in the network of the container that it is published for; of several
//!    such containers, the one that started last: the others' publication is over.
//! 2. Among these, or where nobody publishes it, among all: who had it, while that life passes its check, has not
//!    answered it since the agent began, or stops or is paused; else, of those that pass, the one that started first;
//!    else, where nobody had it, the first of those that stop or are paused.
//! 3. Where that is nobody, all of them may be asked, and the record stays with who had it. Exception: once Docker
//!    publishes the port for another container, a process that had bound it by itself loses its record, because clients
//!    no longer reach it.
//!
//! Who has no check counts as passing: two such containers on one port are told apart by who came first alone.
//!
//! # Guarantees
//!
//! - A record that is there goes in the same step in which another takes its place, or with its container, or when
//!   Docker publishes for another the port that its process bound by itself.
//! - What others claim changes nothing for who has the port and passes.

mod contest;

use std::collections::{BTreeMap, BTreeSet};

use self::contest::{Contest, Party};
use super::lifecycle::{Claim, Ports, Standing, Taken, Target, Wanted};
use crate::container::Timestamp;
use crate::container::offer::{Binder, Endpoint, Offer};
use crate::record::ContainerId;

/// A service that waits for another container to leave its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// What is offered.
    pub offer: Offer,
    /// Who has the port, and why.
    pub taken: Taken,
}

/// What all containers of the host have to do with ports, and which of it may be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    ports: BTreeMap<ContainerId, Ports>,
    /// The containers that publish or claim a port.
    parties: BTreeMap<Endpoint, BTreeSet<ContainerId>>,
    /// Whose record a port has, and of which life it is: not known where an earlier run wrote it, until its container
    /// has been inspected and records are written.
    incumbents: BTreeMap<Endpoint, (ContainerId, Option<Timestamp>)>,
    /// Those of whom an earlier run wrote a record, and who have not been inspected.
    unseen: BTreeMap<Endpoint, ContainerId>,
    /// Whether records are written: before that, who comes to be known first has had nothing for it.
    settled: bool,
}

impl Claims {
    /// Replaces what `container` has to do with ports. Returns every container for which something may have changed
    /// by it.
    pub fn update(&mut self, container: &ContainerId, ports: Option<Ports>) -> BTreeSet<ContainerId> {
        let before = match &ports {
            Some(ports) => self.ports.insert(container.clone(), ports.clone()),
            None => self.ports.remove(container),
        };
        let touched = touched(before.as_ref(), ports.as_ref());
        let mut affected = BTreeSet::from([container.clone()]);
        for endpoint in touched {
            let parties = self.parties.entry(endpoint).or_default();
            match &ports {
                Some(ports)
                    if ports.published.contains(&endpoint) || ports.endpoints().contains(&endpoint) =>
                {
                    parties.insert(container.clone())
                }
                _ => parties.remove(container),
            };
            affected.extend(parties.iter().cloned());
            if parties.is_empty() {
                self.parties.remove(&endpoint);
            }
            self.install(&endpoint);
        }
        affected
    }

    /// An earlier run of the agent wrote a record of these containers at these ports: they were there first. Returns
    /// whom that may concern.
    pub fn adopt(&mut self, registered: &BTreeMap<Endpoint, ContainerId>) -> BTreeSet<ContainerId> {
        for (endpoint, container) in registered {
            self.incumbents.entry(*endpoint).or_insert_with(|| (container.clone(), None));
            self.install(endpoint);
        }
        registered.keys().flat_map(|endpoint| self.parties(endpoint)).cloned().collect()
    }

    /// Of all whose records an earlier run wrote, these have not been inspected. Returns whom that may concern.
    pub fn set_unseen(&mut self, unseen: BTreeMap<Endpoint, ContainerId>) -> BTreeSet<ContainerId> {
        let before = std::mem::replace(&mut self.unseen, unseen);
        let endpoints = before.keys().chain(self.unseen.keys()).copied();
        let changed = endpoints.filter(|endpoint| before.get(endpoint) != self.unseen.get(endpoint));
        let changed: BTreeSet<_> = changed.collect();
        changed.iter().for_each(|endpoint| self.install(endpoint));
        changed.iter().flat_map(|endpoint| self.parties(endpoint)).cloned().collect()
    }

    /// From now on records are written: who may have one has the port. Returns whom that may concern.
    pub fn settle(&mut self) -> BTreeSet<ContainerId> {
        self.settled = true;
        let endpoints: Vec<_> = self.parties.keys().copied().collect();
        endpoints.iter().for_each(|endpoint| self.install(endpoint));
        self.ports.keys().cloned().collect()
    }

    /// What of `container`'s services may be written now, and what waits.
    pub fn granted(&self, container: &ContainerId) -> (Vec<Wanted>, Vec<Parked>) {
        let mut granted = Vec::new();
        let mut parked = Vec::new();
        for (started_at, claim) in self.claims_of(container) {
            let contest = self.contest(&claim.offer.endpoint());
            let waits = claim.weight.is_some() || claim.standing == Standing::Unproven;
            if contest.granted() == Some(container) {
                granted.extend(claim.wanted(started_at));
            } else if let (true, Some(taken)) = (waits, contest.taken_from(container)) {
                parked.push(Parked { offer: claim.offer.clone(), taken });
            }
        }
        (granted, parked)
    }

    /// Which of the ports that `container` claims are another's.
    pub fn taken(&self, container: &ContainerId) -> BTreeMap<Endpoint, Taken> {
        let endpoints = self.claims_of(container).map(|(_, claim)| claim.offer.endpoint());
        let taken = |endpoint| Some((endpoint, self.contest(&endpoint).taken_from(container)?));
        endpoints.filter_map(taken).collect()
    }

    /// A probe that `container` asked for was answered at a port that nobody has: it may have been any of those that
    /// ask the same there. Returns the first of them and what it offers, where that is another one.
    pub fn answerer(&self, container: &ContainerId, target: &Target) -> Option<(&ContainerId, &Offer)> {
        let asked = |id: &ContainerId| {
            let same = |claim: &&Claim| {
                claim.standing != Standing::Away
                    && claim.offer.at == target.at
                    && claim.offer.check == target.check
            };
            self.claims_of(id).map(|(_, claim)| claim).find(same).map(|claim| &claim.offer)
        };
        let contest = self.contest(&asked(container)?.endpoint());
        let first = contest.answerer(container, |id| asked(id).is_some())?;
        asked(first).filter(|_| first != container).map(|offer| (first, offer))
    }

    /// The containers that publish or claim anything.
    pub fn containers(&self) -> impl Iterator<Item = &ContainerId> {
        self.ports.keys()
    }

    /// Panics where this is not what the containers have to do with ports, or a port has the records of two: for tests
    /// and fuzzing.
    ///
    /// # Panics
    /// As said.
    pub fn check_invariants(&self, ports: &BTreeMap<&ContainerId, Ports>) {
        assert!(
            self.ports.iter().eq(ports.iter().map(|(id, ports)| (*id, ports))),
            "not what the containers claim"
        );
        let mut written: BTreeMap<Endpoint, &ContainerId> = BTreeMap::new();
        for id in self.ports.keys() {
            let taken = self.taken(id);
            for wanted in self.granted(id).0 {
                let other = written.insert(wanted.offer.endpoint(), id);
                assert!(other.is_none_or(|other| other == id), "two containers have records for one port");
                let gives_way = taken.get(&wanted.offer.endpoint()).is_some_and(|taken| !taken.keeps);
                assert!(!gives_way, "the record of one whose port is another's");
            }
        }
        for (endpoint, (id, _)) in &self.incumbents {
            let is_there =
                self.parties(endpoint).any(|party| party == id) || self.unseen.get(endpoint) == Some(id);
            assert!(is_there, "{endpoint} is held for {id}, which is not there");
        }
        assert!(self.parties.values().all(|parties| !parties.is_empty()), "a port of nobody");
    }

    /// Whose record a port may have, has it from now on, for as long as that life claims it.
    fn install(&mut self, endpoint: &Endpoint) {
        if let Some((id, life)) = self.incumbents.remove(endpoint) {
            let claimed = self.ports.get(&id).filter(|ports| ports.claims_at(endpoint).next().is_some());
            let claimed = claimed.map(|ports| ports.started_at);
            let waits_for_a_look = claimed.is_none() && self.unseen.get(endpoint) == Some(&id);
            if waits_for_a_look || claimed.is_some() && (life.is_none() || life == claimed) {
                // Until records are written, nobody knows of which life an earlier run wrote it.
                let life = if self.settled { claimed } else { life };
                self.incumbents.insert(*endpoint, (id, life));
            }
        }
        let granted = self.contest(endpoint).granted().filter(|_| self.settled).cloned();
        if let Some(granted) = granted {
            let life = self.ports.get(&granted).map(|ports| ports.started_at);
            self.incumbents.insert(*endpoint, (granted, life));
        }
    }

    fn contest(&self, endpoint: &Endpoint) -> Contest<'_> {
        let ports = || self.parties(endpoint).filter_map(|id| Some((id, self.ports.get(id)?)));
        let published = ports().filter(|(_, ports)| ports.published.contains(endpoint));
        let published = published.map(|(id, ports)| (ports.started_at, id));
        // The container whose network a port leads into may not have been inspected yet.
        let led_into =
            ports().filter_map(|(_, ports)| ports.claims_at(endpoint).next()?.offer.binder.network());
        let publisher = published.chain(led_into).max().map(|(_, id)| id);
        let incumbent = self.incumbents.get(endpoint);
        let mut parties: Vec<_> = ports().filter_map(|(id, ports)| ports.party(id, endpoint)).collect();
        if let Some((registered, None)) = incumbent {
            // What an earlier run knew of it is still to be told.
            let it = parties.iter_mut().find(|party| party.id == registered);
            let unproven = it.filter(|party| party.standing == Standing::Unproven);
            unproven.into_iter().for_each(|party| party.standing = Standing::Unjudged);
        }
        Contest {
            publisher,
            incumbent: incumbent.map(|(id, _)| id),
            unseen: self.unseen.get(endpoint),
            parties,
        }
    }

    fn parties(&self, endpoint: &Endpoint) -> impl Iterator<Item = &ContainerId> {
        self.parties.get(endpoint).into_iter().flatten()
    }

    fn claims_of(&self, container: &ContainerId) -> impl Iterator<Item = (Timestamp, &Claim)> {
        let ports = self.ports.get(container).into_iter();
        ports.flat_map(|ports| ports.claims.iter().map(|claim| (ports.started_at, claim)))
    }
}

impl Ports {
    fn party<'a>(&'a self, id: &'a ContainerId, endpoint: &Endpoint) -> Option<Party<'a>> {
        let binder = &self.claims_at(endpoint).next()?.offer.binder;
        Some(Party {
            id,
            started_at: self.started_at,
            network: binder.network().map(|(_, container)| container),
            // Of several services at one port, the best speaks for the process.
            standing: self.claims_at(endpoint).map(|claim| claim.standing).min()?,
            wants: self.claims_at(endpoint).any(|claim| claim.weight.is_some()),
        })
    }

    fn claims_at(&self, endpoint: &Endpoint) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(move |claim| claim.offer.endpoint() == *endpoint)
    }

    fn endpoints(&self) -> BTreeSet<Endpoint> {
        self.claims.iter().map(|claim| claim.offer.endpoint()).collect()
    }
}

impl Binder {
    /// Into whose network Docker leads the port, and since when.
    fn network(&self) -> Option<(Timestamp, &ContainerId)> {
        match self {
            Self::Docker { container, started_at } => Some((*started_at, container)),
            Self::Process => None,
        }
    }
}

/// The ports for which something may have changed. Of a range of thousands that is published, hardly any.
fn touched(before: Option<&Ports>, after: Option<&Ports>) -> BTreeSet<Endpoint> {
    let both = || before.into_iter().chain(after);
    let mut touched: BTreeSet<_> = both().flat_map(Ports::endpoints).collect();
    match (before, after) {
        (Some(before), Some(after)) if before.started_at == after.started_at => {
            touched.extend(before.published.symmetric_difference(&after.published));
        }
        _ => touched.extend(both().flat_map(|ports| &ports.published)),
    }
    touched
}

#[cfg(test)]
mod tests;
