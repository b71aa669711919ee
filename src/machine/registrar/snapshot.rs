//! What a registrar knows, copied for whoever shows it: no actor has to be asked.

use std::net::Ipv4Addr;

use super::history::Latest;
use super::{Registrar, Wants};
use crate::machine::cordon::Cordons;
use crate::machine::departure::Notice;
use crate::machine::lifecycle::Lifecycle;
use crate::moment::Moment;
use crate::record::ContainerId;

/// What a registrar knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When it was taken, by the agent's clock.
    pub taken_at: Moment,
    /// Where clients reach the host.
    pub address: Ipv4Addr,
    /// The containers that are known.
    pub containers: Vec<Known>,
    /// What the writer was told of all of them; `None` before the barrier opens.
    pub wants: Option<Wants>,
    /// Those that an earlier run registered, and that have not been inspected.
    pub held: Vec<ContainerId>,
    /// What the host is told of its future.
    pub notice: Option<Notice>,
    /// The weights that are given by hand.
    pub cordons: Cordons,
    /// Whether every weight is 0 because the agent is about to drain.
    pub prepares_drain: bool,
    /// Whether the agent has drained.
    pub has_drained: bool,
}

/// One container.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Which one.
    pub id: ContainerId,
    /// What it is called; empty where that is not known.
    pub name: String,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// What happened to it last.
    pub latest: Latest,
}

impl Registrar {
    /// What is known now.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        let known = |(id, lifecycle): (&ContainerId, &Lifecycle)| Known {
            id: id.clone(),
            name: self.name(id).to_owned(),
            lifecycle: lifecycle.clone(),
            latest: self.history.of(id),
        };
        Snapshot {
            taken_at: now,
            address: self.registrant.address,
            containers: self.containers.iter().map(known).collect(),
            wants: self.wants(),
            held: self.adoption.held().map(|(id, _)| id.clone()).collect(),
            notice: self.departure.notice().cloned(),
            cordons: self.cordons.clone(),
            prepares_drain: self.departure.prepares_drain(),
            has_drained: self.departure.has_drained(),
        }
    }
}
