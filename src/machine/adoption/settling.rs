//! After the first word to the writer: what has not been inspected yet, and a read of the zone that is still to come.
//!
//! Owns what is held and told until then, and by what a late read is judged.

use std::collections::BTreeSet;

use super::Adopted;
use super::estate::Estate;
use crate::record::{ContainerId, RecordSet, Registrant};

/// All has been said to the writer.
#[derive(Debug)]
pub(super) struct Settling {
    estate: Estate,
    /// `None` where no read of the zone is to come.
    late: Option<Late>,
}

/// By what a late read of the zone is judged.
#[derive(Debug)]
pub(super) struct Late {
    /// Listed when the barrier opened, and not inspected since.
    pub(super) unseen: BTreeSet<ContainerId>,
    /// Those that died, were started or were asked to stop before the barrier opened.
    pub(super) over: BTreeSet<ContainerId>,
}

impl Settling {
    pub(super) fn new(estate: Estate, late: Option<Late>) -> Self {
        Self { estate, late }
    }

    /// A container was inspected, or is over.
    pub(super) fn on_seen(&mut self, id: &ContainerId) {
        if let Some(late) = &mut self.late {
            late.unseen.remove(id);
        }
    }

    pub(super) fn on_listed(&mut self, listed: &BTreeSet<ContainerId>) {
        if let Some(late) = &mut self.late {
            late.unseen.retain(|id| listed.contains(id));
        }
    }

    /// What is read again has been judged.
    pub(super) fn on_found(&mut self, registrant: &Registrant, found: &[RecordSet]) -> Adopted {
        let Some(Late { unseen, over }) = self.late.take() else { return Adopted::default() };
        self.estate.take_over(registrant, found, &over, |id| unseen.contains(id))
    }

    /// Whether nothing is left to adopt.
    pub(super) fn is_over(&self) -> bool {
        self.late.is_none() && self.estate.is_empty()
    }

    pub(super) fn estate(&self) -> &Estate {
        &self.estate
    }

    pub(super) fn estate_mut(&mut self) -> &mut Estate {
        &mut self.estate
    }
}
