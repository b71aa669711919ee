//! One port, and those that claim it: who has it, whose record it may have, and what the others are told.
//!
//! The rules stand at the top of [claims](super).

use crate::container::Timestamp;
use crate::machine::lifecycle::{Standing, Taken, Why};
use crate::record::ContainerId;

/// A container that claims the port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Party<'a> {
    pub(super) id: &'a ContainerId,
    pub(super) started_at: Timestamp,
    /// Where Docker binds the port, into whose network it leads.
    pub(super) network: Option<&'a ContainerId>,
    pub(super) standing: Standing,
    /// Whether it wants a record.
    pub(super) wants: bool,
}

/// Those that claim a port.
#[derive(Debug)]
pub(super) struct Contest<'a> {
    /// For whom Docker publishes it.
    pub(super) publisher: Option<&'a ContainerId>,
    /// Whose record it has.
    pub(super) incumbent: Option<&'a ContainerId>,
    /// Whose record it has from an earlier run, where that one has not been inspected.
    pub(super) unseen: Option<&'a ContainerId>,
    pub(super) parties: Vec<Party<'a>>,
}

impl<'a> Contest<'a> {
    /// Who has the port, as far as anybody can tell.
    pub(super) fn holder(&self) -> Option<(&'a ContainerId, Why)> {
        // Of two that an earlier run registered there, one may be gone.
        let had_it = self.incumbent_candidate().or_else(|| self.first(Standing::Unjudged));
        let goes_on = had_it.and_then(|party| match party.standing {
            Standing::Passing => Some((party.id, Why::Serves)),
            Standing::Unjudged => Some((party.id, Why::Unjudged)),
            Standing::Away => Some((party.id, Why::Lingers)),
            Standing::Failing | Standing::Unproven => None,
        });
        // What has not been inspected says nothing of itself yet.
        let unseen = self.unseen.filter(|_| self.publisher.is_none());
        (unseen.map(|id| (id, Why::Unseen)))
            .or(goes_on)
            .or_else(|| self.first(Standing::Passing).map(|party| (party.id, Why::Serves)))
            // One that never had it does not keep from it the one that did.
            .or_else(|| {
                self.first(Standing::Away).filter(|_| had_it.is_none()).map(|party| (party.id, Why::Lingers))
            })
    }

    /// Whose record the port may have.
    pub(super) fn granted(&self) -> Option<&'a ContainerId> {
        let wants = |party: &&Party<'a>| party.wants;
        let rightful = match self.holder() {
            Some((id, _)) => self.party(id),
            None => self.incumbent_candidate().filter(wants).or_else(|| self.first(Standing::Failing)),
        };
        let stays = || self.incumbent_that_may_stay().filter(wants);
        rightful.filter(wants).or_else(stays).map(|party| party.id)
    }

    /// How another container comes to have the port that this one claims, where one does.
    pub(super) fn taken_from(&self, id: &ContainerId) -> Option<Taken> {
        let (by, why) = match self.holder() {
            Some((holder, _)) if holder == id => return None,
            holder if self.candidates().any(|party| party.id == id) => holder?,
            _ => (self.publisher?, Why::Published),
        };
        let keeps = self.incumbent_that_may_stay().is_some_and(|party| party.id == id)
            && self.granted().is_none_or(|granted| granted == id);
        Some(Taken { by: by.clone(), why, keeps })
    }

    /// Of those of whom the same is asked, the one to whom an answer to `by` counts: the one that had the port, else
    /// the one that started first. `None` where the port is somebody's already, or `by` cannot have it.
    pub(super) fn answerer(
        &self,
        by: &ContainerId,
        is_asked: impl Fn(&ContainerId) -> bool,
    ) -> Option<&'a ContainerId> {
        if self.holder().is_some() || !self.candidates().any(|party| party.id == by) {
            return None;
        }
        let asked = self.candidates().filter(|party| is_asked(party.id));
        let order = |party: &&Party<'a>| (self.incumbent != Some(party.id), party.started_at, party.id);
        asked.min_by_key(order).map(|party| party.id)
    }

    /// Those that can have it: where it is published, those in the network that it leads into.
    fn candidates(&self) -> impl Iterator<Item = &Party<'a>> {
        self.parties.iter().filter(|party| party.network == self.publisher)
    }

    fn incumbent_candidate(&self) -> Option<&Party<'a>> {
        self.candidates().find(|party| self.incumbent == Some(party.id))
    }

    /// Whose record may stay until a rightful one can have it. Where Docker publishes the port, what a process of the
    /// host's network bound is reached no more; what Docker published before may be.
    fn incumbent_that_may_stay(&self) -> Option<&Party<'a>> {
        let incumbent = self.incumbent.and_then(|id| self.party(id));
        incumbent.filter(|party| self.publisher.is_none() || party.network.is_some())
    }

    fn first(&self, of: Standing) -> Option<&Party<'a>> {
        let them = self.candidates().filter(|party| party.standing == of);
        them.min_by_key(|party| (party.started_at, party.id))
    }

    fn party(&self, id: &ContainerId) -> Option<&Party<'a>> {
        self.parties.iter().find(|party| party.id == id)
    }
}
