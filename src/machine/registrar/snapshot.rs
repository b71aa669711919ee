//! What a registrar knows, copied for whoever shows it: no actor has to be asked.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::Registrar;
use super::history::Latest;
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
    /// Whether the barrier has opened: the writer is told what is wanted of them.
    pub is_open: bool,
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
    pub lifecycle: Arc<Lifecycle>,
    /// What happened to it last.
    pub latest: Latest,
}

impl Registrar {
    /// What is known now.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        let known = |(id, lifecycle): (&ContainerId, &Arc<Lifecycle>)| Known {
            id: id.clone(),
            name: self.name(id).to_owned(),
            lifecycle: lifecycle.clone(),
            latest: self.history.of(id),
        };
        Snapshot {
            taken_at: now,
            address: self.registrant.address,
            containers: self.containers.shared().map(known).collect(),
            is_open: self.adoption.is_open(),
            held: self.adoption.held().map(|(id, _)| id.clone()).collect(),
            notice: self.departure.notice().cloned(),
            cordons: self.cordons.clone(),
            prepares_drain: self.departure.prepares_drain(),
            has_drained: self.departure.has_drained(),
        }
    }
}
