//! Before the first word to the writer: what is gathered of the zone and of the containers.
//!
//! Owns that, and when it is enough. The [`Barrier`] knows who has been inspected.

use std::collections::BTreeSet;

use super::barrier::Barrier;
use super::estate::Estate;
use super::settling::{Late, Settling};
use super::{Adopted, Opened};
use crate::moment::Moment;
use crate::record::{ContainerId, Key, RecordSet, Registrant};

/// Nothing has been said to the writer.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    barrier: Barrier,
    /// Those that died, were started or were asked to stop: whatever was registered of them is over, whenever it is
    /// heard of.
    over: BTreeSet<ContainerId>,
    /// `None` until it is known.
    zone: Option<Zone>,
}

/// What is known of the zone.
#[derive(Debug, Default)]
struct Zone {
    estate: Estate,
    /// The keys of what it holds of this host.
    stands: BTreeSet<Key>,
    /// Whether a read of the whole zone is to come.
    to_be_read: bool,
    /// The generation of the writer that waits to hear what of the found is wanted.
    to_be_judged: Option<u64>,
}

impl Gathering {
    pub(super) fn on_inspected(&mut self, id: &ContainerId) {
        self.barrier.on_inspected(id);
    }

    pub(super) fn on_over(&mut self, id: &ContainerId) {
        self.barrier.on_over(id);
        self.over.insert(id.clone());
    }

    pub(super) fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, now: Moment) {
        self.barrier.on_listed(listed, now);
    }

    pub(super) fn on_known(
        &mut self,
        registrant: &Registrant,
        known: &[RecordSet],
        is_all: bool,
        runs: impl Fn(&ContainerId) -> bool,
    ) -> Adopted {
        let mut estate = Estate::default();
        let mut adopted = estate.take_over(registrant, known, &self.over, |_| true);
        adopted.gone = estate.drop_held(|id| self.barrier.lacks(id) && !runs(id));
        self.zone = Some(Zone {
            estate,
            stands: known.iter().map(RecordSet::key).collect(),
            to_be_read: !is_all,
            to_be_judged: self.zone.as_ref().and_then(|zone| zone.to_be_judged),
        });
        adopted
    }

    pub(super) fn on_found(
        &mut self,
        registrant: &Registrant,
        found: &[RecordSet],
        generation: u64,
    ) -> Adopted {
        let zone = self.zone.get_or_insert_default();
        zone.stands.extend(found.iter().map(RecordSet::key));
        (zone.to_be_read, zone.to_be_judged) = (false, Some(generation));
        zone.estate.take_over(registrant, found, &self.over, |_| true)
    }

    pub(super) fn knows_zone(&self) -> bool {
        self.zone.is_some()
    }

    pub(super) fn is_unseen(&self, id: &ContainerId) -> bool {
        self.barrier.is_unseen(id)
    }

    /// Never while the zone is not known.
    pub(super) fn wake_at(&self) -> Option<Moment> {
        self.barrier.opens_at().filter(|_| self.knows_zone())
    }

    pub(super) fn is_due(&self, now: Moment, is_urgent: bool, proven: impl FnOnce() -> bool) -> bool {
        self.knows_zone() && (is_urgent || self.barrier.is_due(now, proven))
    }

    /// What comes after it: what is held from here on is what has not been inspected. `None` while the zone is not
    /// known.
    pub(super) fn open(&mut self) -> Option<(Settling, Opened)> {
        let Zone { mut estate, stands, to_be_read, to_be_judged } = self.zone.take()?;
        let Self { barrier, over, .. } = std::mem::take(self);
        estate.drop_held(|id| !barrier.is_unseen(id));
        let late = to_be_read.then(|| Late { unseen: barrier.into_unseen(), over });
        Some((Settling::new(estate, late), Opened { stands, owes_judgement: to_be_judged }))
    }

    pub(super) fn estate(&self) -> Option<&Estate> {
        self.zone.as_ref().map(|zone| &zone.estate)
    }

    pub(super) fn estate_mut(&mut self) -> Option<&mut Estate> {
        self.zone.as_mut().map(|zone| &mut zone.estate)
    }
}
