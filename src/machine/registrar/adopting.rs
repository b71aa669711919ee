//! What [adoption](crate::machine::adoption) makes the registrar say: what the zone holds comes in, and the first word
//! goes out.

use std::collections::BTreeMap;

use super::{Output, Registrar, Wants};
use crate::container::offer::Endpoint;
use crate::moment::Moment;
use crate::record::{ContainerId, RecordSet};

impl Registrar {
    /// What the zone holds of this host, and whether that is all. Once wants have gone out, it holds what they made of
    /// it, and proves nothing of a container.
    pub fn on_known(&mut self, known: &[RecordSet], is_all: bool, now: Moment) -> Vec<Output> {
        let runs = |id: &ContainerId| self.containers.get(id).is_some();
        let Some(adopted) = self.adoption.on_known(known, is_all, runs) else { return Vec::new() };
        let mut outputs = self.adopt(&adopted.ports, now);
        outputs.extend(adopted.gone.into_iter().map(Output::Over));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// What the zone holds of this host, when it could not be read before wants had gone out. What an
    /// earlier run registered of a container that has not been inspected, or has not proved itself since,
    /// holds on, beside what is known of it. Says everything again, so that the writer of this generation may delete
    /// the rest.
    pub fn on_found(&mut self, found: &[RecordSet], generation: u64, now: Moment) -> Vec<Output> {
        if self.departure.has_drained() {
            return Vec::new();
        }
        let adopted = self.adoption.on_found(found, generation);
        let mut outputs = self.adopt(&adopted.ports, now);
        if self.adoption.is_open() {
            self.say_all_instead(&mut outputs);
            outputs.push(Output::FoundJudged(generation));
        } else {
            outputs.extend(self.try_open(now));
        }
        outputs
    }

    fn adopt(&mut self, ports: &BTreeMap<Endpoint, ContainerId>, now: Moment) -> Vec<Output> {
        let mut outputs = self.hold(now);
        self.grants.adopt(ports);
        outputs.extend(self.settle(now));
        let ids: Vec<_> = self.containers.ids().cloned().collect();
        outputs.extend(ids.iter().flat_map(|id| self.tell_registered(id, now)));
        outputs
    }

    /// Tells a lifecycle what the zone already holds of its container.
    pub(super) fn tell_registered(&mut self, id: &ContainerId, now: Moment) -> Vec<Output> {
        let Some(lifecycle) = self.containers.get(id) else { return Vec::new() };
        let told = self.adoption.tell(id, lifecycle);
        told.into_iter().flat_map(|event| self.step(id, event, now)).collect()
    }

    /// Before all is said: that what an earlier run wanted of a container is over, where it is.
    pub(super) fn over(&self, id: &ContainerId) -> Option<Output> {
        self.adoption.is_over(self.containers.get(id)).then(|| Output::Over(id.clone()))
    }

    /// A container has been inspected, or is over: what an earlier run wrote of it counts no more.
    pub(super) fn release(&mut self, id: &ContainerId, now: Moment) -> Vec<Output> {
        if !self.adoption.release(id) {
            return Vec::new();
        }
        let mut outputs = self.hold(now);
        if self.adoption.is_open() {
            self.say_all_instead(&mut outputs);
        }
        outputs
    }

    /// Those that have not been inspected have their ports as long as what an earlier run wrote of them stays.
    fn hold(&mut self, now: Moment) -> Vec<Output> {
        self.grants.set_unseen(self.adoption.unseen_ports());
        self.settle(now)
    }

    pub(super) fn try_open(&mut self, now: Moment) -> Vec<Output> {
        let proven = || !self.containers.any_unproven() && !self.departure.awaits_notice();
        if !self.adoption.is_due(now, self.departure.prepares_drain(), proven) {
            return Vec::new();
        }
        let mut outputs = self.hold(now);
        self.grants.settle();
        outputs.extend(self.settle(now));
        let Some(opened) = self.adoption.open() else { return outputs };
        self.departure.on_registered(opened.stands);
        self.publication.say_all(self.granted_records());
        outputs.push(Output::WantAll(self.all_wants()));
        outputs.extend(opened.owes_judgement.map(Output::FoundJudged));
        outputs
    }

    /// What is granted, and what is held.
    pub(super) fn all_wants(&self) -> Wants {
        // Of which task a container is that has not been inspected, nobody knows.
        let held = self.adoption.held();
        let weigh = |(id, sets): (_, &Vec<RecordSet>)| {
            (id, self.departure.overrule(None, self.cordons.weigh_held(id, sets.clone())))
        };
        self.publication.with(held.map(weigh))
    }

    fn say_all_instead(&self, outputs: &mut Vec<Output>) {
        outputs.retain(|output| !output.is_want());
        outputs.push(Output::WantAll(self.all_wants()));
    }
}
