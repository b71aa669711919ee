//! What is wanted of the zone, from the first word to the withdrawal, and that this host's address goes with its
//! services.
//!
//! Owns the phase. The record sets that are wanted are kept by the [ledger](crate::reconcile::ledger).

use std::collections::BTreeSet;

use crate::reconcile::ledger::Ledger;
use crate::record::{Key, RecordSet};

/// No phase comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Not all has been told: nothing is written.
    Gathering,
    /// What the containers want.
    Serving,
    /// Nothing but the host's address, where it was written: answers that lead to it may still be held.
    Draining,
    /// Nothing.
    Removing,
}

/// What is wanted of the zone.
#[derive(Debug)]
pub(super) struct Wants {
    phase: Phase,
    /// The host's address.
    host: RecordSet,
}

impl Wants {
    /// Nothing has been told of a host with this address.
    pub(super) fn new(host: RecordSet) -> Self {
        Self { phase: Phase::Gathering, host }
    }

    /// Whether all has been told.
    pub(super) fn are_complete(&self) -> bool {
        self.phase > Phase::Gathering
    }

    /// Whether nothing is wanted any more.
    pub(super) fn are_withdrawn(&self) -> bool {
        self.phase >= Phase::Draining
    }

    /// Replaces these by others.
    pub(super) fn replace(&self, old: &[RecordSet], new: &[RecordSet], ledger: &mut Ledger) {
        if self.are_withdrawn() {
            return;
        }
        let kept: BTreeSet<Key> = new.iter().map(RecordSet::key).collect();
        for key in old.iter().map(RecordSet::key).filter(|key| !kept.contains(key)) {
            ledger.want(key, None);
        }
        for set in new {
            ledger.want(set.key(), Some(set.clone()));
        }
        if !new.is_empty() {
            ledger.want(self.host.key(), Some(self.host.clone()));
        }
    }

    /// All has been told.
    pub(super) fn complete(&mut self) {
        self.phase = self.phase.max(Phase::Serving);
    }

    /// Nothing is wanted any more but the host's address; where that was never written, it need not be now.
    pub(super) fn drain(&mut self, is_calling: bool, ledger: &mut Ledger) {
        self.phase = self.phase.max(Phase::Draining);
        let stays = is_calling || ledger.holds(&self.host.key());
        self.withdraw(stays, ledger);
    }

    /// Nothing is wanted any more.
    pub(super) fn remove(&mut self, ledger: &mut Ledger) {
        self.phase = Phase::Removing;
        self.withdraw(false, ledger);
    }

    /// The host's address stays where it stands, and follows a change of address.
    pub(super) fn keep_host(&self, ledger: &mut Ledger) {
        if self.phase != Phase::Removing && ledger.holds(&self.host.key()) {
            ledger.want(self.host.key(), Some(self.host.clone()));
        }
    }

    /// The host's address is this from now on: what stands of it, or is wanted, follows.
    pub(super) fn on_moved(&mut self, host: RecordSet, ledger: &mut Ledger) {
        self.host = host;
        self.keep_host(ledger);
        if ledger.desired_keys().any(|key| *key == self.host.key()) {
            ledger.want(self.host.key(), Some(self.host.clone()));
        }
    }

    fn withdraw(&self, host_stays: bool, ledger: &mut Ledger) {
        let host = self.host.key();
        let unwanted: Vec<Key> =
            ledger.desired_keys().filter(|key| !host_stays || **key != host).cloned().collect();
        unwanted.into_iter().for_each(|key| ledger.want(key, None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::registrant;
    use crate::record::{RecordType, Routing};

    fn service(n: u16) -> RecordSet {
        RecordSet {
            name: "_web._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some(format!("i-0a:{n:064x}:80")),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec![format!("1 1 {n} i-0a.sd.internal")],
        }
    }

    fn wanted(ledger: &Ledger) -> Vec<Key> {
        ledger.desired_keys().cloned().collect()
    }

    #[test]
    fn the_hosts_address_comes_with_the_first_service_and_outlives_the_last() {
        let host = registrant("i-0a").host_record();
        let (mut wants, mut ledger) = (Wants::new(host.clone()), Ledger::default());
        wants.replace(&[], &[], &mut ledger);
        wants.keep_host(&mut ledger);
        assert_eq!((wanted(&ledger), wants.are_complete()), (vec![], false));
        wants.replace(&[], &[service(1)], &mut ledger);
        wants.complete();
        wants.replace(&[service(1)], &[service(2)], &mut ledger);
        assert_eq!(wanted(&ledger), [service(2).key(), host.key()]);
        wants.replace(&[service(2)], &[], &mut ledger);
        assert_eq!((wanted(&ledger), wants.are_complete()), (vec![host.key()], true));
    }

    #[test]
    fn a_drain_keeps_an_address_that_stands_or_is_on_its_way() {
        let host = registrant("i-0a").host_record();
        for (stands, is_calling) in [(false, false), (true, false), (false, true)] {
            let mut ledger = Ledger::new(stands.then(|| host.clone()));
            let mut wants = Wants::new(host.clone());
            wants.replace(&[], &[service(1)], &mut ledger);
            wants.drain(is_calling, &mut ledger);
            assert_eq!(wanted(&ledger).len(), usize::from(stands || is_calling));
            // What is told now comes too late.
            wants.replace(&[], &[service(2)], &mut ledger);
            wants.complete();
            assert!(wants.are_withdrawn() && !wanted(&ledger).contains(&service(2).key()));
        }
    }

    #[test]
    fn another_address_takes_the_place_of_what_stands_or_is_wanted_and_nothing_else() {
        let host = registrant("i-0a").host_record();
        let other = RecordSet { values: vec!["10.0.0.8".into()], ..host.clone() };
        for (stands, wanted, removed, follows) in [
            (false, false, false, false),
            (true, false, false, true),
            (false, true, false, true),
            (true, true, true, false),
        ] {
            let mut ledger = Ledger::new(stands.then(|| host.clone()));
            let mut wants = Wants::new(host.clone());
            if wanted {
                wants.replace(&[], &[service(1)], &mut ledger);
            }
            if removed {
                wants.remove(&mut ledger);
            }
            wants.on_moved(other.clone(), &mut ledger);
            let rows = ledger.rows();
            let desired =
                rows.iter().filter_map(|row| row.desired.as_deref()).find(|set| set.key() == host.key());
            assert_eq!(desired, follows.then_some(&other), "{stands} {wanted} {removed}");
        }
        // It is on its way, and the last service has left meanwhile.
        let (mut ledger, mut wants) = (Ledger::default(), Wants::new(host));
        wants.replace(&[], &[service(1)], &mut ledger);
        wants.replace(&[service(1)], &[], &mut ledger);
        wants.on_moved(other.clone(), &mut ledger);
        assert_eq!(ledger.rows()[0].desired.as_deref(), Some(&other));
    }

    #[test]
    fn a_removal_keeps_nothing_and_a_drain_does_not_undo_it() {
        let host = registrant("i-0a").host_record();
        let (mut wants, mut ledger) = (Wants::new(host.clone()), Ledger::new([host]));
        wants.keep_host(&mut ledger);
        assert_eq!(wanted(&ledger).len(), 1);
        wants.remove(&mut ledger);
        wants.drain(true, &mut ledger);
        wants.keep_host(&mut ledger);
        assert_eq!(wanted(&ledger), []);
    }
}
