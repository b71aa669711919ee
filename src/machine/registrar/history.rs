//! What happened to each container last, and why: for whoever looks. Nothing branches on it.

use std::collections::BTreeMap;

use crate::machine::lifecycle::{Edge, Effect, Reason};
use crate::moment::Moment;
use crate::record::ContainerId;

/// The latest of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latest {
    /// The latest step of its lifecycle, and when it made it.
    pub step: Option<(Moment, Edge)>,
    /// Why its wants changed last, and when.
    pub decision: Option<(Moment, Reason)>,
}

/// The latest of all containers of a host.
#[derive(Debug, Default)]
pub(super) struct History(BTreeMap<ContainerId, Latest>);

impl History {
    /// A lifecycle made a step, which has these effects.
    pub(super) fn on_step(&mut self, id: &ContainerId, effects: &[Effect], now: Moment) {
        for effect in effects {
            match effect {
                Effect::Stepped(edge) => self.of_mut(id).step = Some((now, *edge)),
                Effect::Decided(decision) => self.of_mut(id).decision = Some((now, decision.reason)),
                _ => {}
            }
        }
    }

    pub(super) fn of(&self, id: &ContainerId) -> Latest {
        self.0.get(id).cloned().unwrap_or_default()
    }

    /// Forgets those that are not known any more.
    pub(super) fn retain(&mut self, is_known: impl Fn(&ContainerId) -> bool) {
        self.0.retain(|id, _| is_known(id));
    }

    fn of_mut(&mut self, id: &ContainerId) -> &mut Latest {
        self.0.entry(id.clone()).or_default()
    }
}
