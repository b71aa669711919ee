//! What is a host's in the zone, and what says that it lives. Pure.
//!
//! | what is seen | what it says |
//! |---|---|
//! | EC2 calls the instance terminated | it is dead, whatever else is seen: others may have its address by now |
//! | EC2 calls it stopped | it is dead until it is started again, unless one of its ports answers |
//! | EC2 shows it otherwise; or ECS has a container there that has not stopped | it lives |
//! | one of its records' ports answers | it lives, or another host has its address |
//! | EC2 or ECS could not be asked | nothing, so it may live |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddrV4;

use crate::janitor::entry::{Entry, is_instance_id, mark_of};
use crate::janitor::evidence::{Container, InstanceState, Snapshot};
use crate::janitor::health;
use crate::record::{ContainerId, Owner, RecordSet, RecordType, Subject};

/// Ports of one host that are asked; one that answers is enough.
const PORTS_MAX: usize = 32;

/// A host that is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As its marks spell it.
    pub owner: Owner,
    /// All its records, in the order in which they go: an address after what leads to it.
    pub records: Vec<RecordSet>,
    /// What EC2 says of it.
    pub state: Option<InstanceState>,
    /// What says that it lives.
    pub signs: Vec<Sign>,
    /// What was asked, and did not answer.
    pub silent: Vec<SocketAddrV4>,
}

/// What says that a host lives, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// EC2's word, of this instance.
    Instance(Owner, InstanceState),
    /// ECS has this container of it, and has not seen it stop.
    Container(ContainerId),
    /// A port of one of its records.
    Answers(SocketAddrV4),
    /// EC2 or ECS could not be asked, for this reason.
    Unasked(String),
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(id, state) => write!(f, "EC2 says that {id} is {}", word(*state)),
            Self::Container(id) => {
                write!(f, "ECS says that its container {} has not stopped", &id.as_str()[..12])
            }
            Self::Answers(at) => {
                write!(f, "{at} answers: it lives, or another host has its address by now")
            }
            Self::Unasked(reason) => {
                write!(f, "EC2 and ECS could not be asked whether it runs: {reason}")
            }
        }
    }
}

/// As EC2 spells it.
pub fn word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Pending => "pending",
        InstanceState::Running => "running",
        InstanceState::Stopping => "stopping",
        InstanceState::Stopped => "stopped",
        InstanceState::ShuttingDown => "shutting-down",
        InstanceState::Terminated => "terminated",
    }
}

impl Host {
    /// What a list and a snapshot have of it; `missing` is what of the snapshot could not be read.
    pub fn of(
        owner: &Owner,
        zone: &str,
        list: &[RecordSet],
        snapshot: &Snapshot,
        missing: &[String],
    ) -> Self {
        let is_its = |set: &&RecordSet| mark_of(set, zone).is_some_and(|mark| mark.owner == *owner);
        let mut records: Vec<RecordSet> = list.iter().filter(is_its).cloned().collect();
        records.sort_by_key(|set| rank(set, zone));
        let of_records: BTreeSet<ContainerId> =
            records.iter().filter_map(|set| container(mark_of(set, zone)?.subject)).collect();
        let mut host =
            Self { owner: owner.clone(), records, state: None, signs: Vec::new(), silent: Vec::new() };
        host.hear(&of_records, snapshot);
        if !host.is_over() {
            host.signs.extend(missing.iter().cloned().map(Sign::Unasked));
        }
        host
    }

    /// What EC2 and ECS say. Of a host that goes by a name, only its containers tell which instance it is.
    fn hear(&mut self, of_records: &BTreeSet<ContainerId>, snapshot: &Snapshot) {
        let known = of_records.iter().filter_map(|id| snapshot.containers.get_key_value(id));
        let mut containers: BTreeMap<_, _> = known.collect();
        let mut instances = BTreeSet::new();
        if is_instance_id(&self.owner) {
            instances.insert(&self.owner);
            self.state = snapshot.hosts.get(&self.owner).map(|host| host.state);
            let there = snapshot.containers.iter();
            containers.extend(there.filter(|(_, known)| known.instance.as_ref() == Some(&self.owner)));
        } else {
            instances.extend(containers.values().filter_map(|known| known.instance.as_ref()));
        }
        let states = instances.iter().filter_map(|id| Some((*id, snapshot.hosts.get(id)?.state)));
        let living: Vec<_> = states.filter(|(_, state)| !is_off(*state)).collect();
        self.signs.extend(living.into_iter().map(|(id, state)| Sign::Instance(id.clone(), state)));
        // ECS is the last to notice that a host has gone.
        let has_gone = |id: &Owner| snapshot.hosts.get(id).is_some_and(|host| is_off(host.state));
        let runs = |known: &Container| {
            !known.stopped && !known.instance.as_ref().is_some_and(has_gone) && !has_gone(&self.owner)
        };
        let running = containers.iter().find(|(_, known)| runs(known)).map(|(id, _)| (*id).clone());
        self.signs.extend(running.map(Sign::Container));
    }

    /// Whether EC2 says that it will never come back.
    pub fn is_over(&self) -> bool {
        self.state == Some(InstanceState::Terminated)
    }

    /// The ports that could still answer for it.
    pub fn ports(&self, zone: &str, list: &[RecordSet]) -> Vec<SocketAddrV4> {
        if self.is_over() {
            return Vec::new();
        }
        let is_its = |probed: &health::Probed| {
            Entry::read(&probed.set, zone).is_ok_and(|entry| entry.host == self.owner)
        };
        let targets = health::targets(list, zone).into_iter().filter(is_its);
        let ports: BTreeSet<SocketAddrV4> = targets.map(|probed| probed.address).collect();
        ports.into_iter().take(PORTS_MAX).collect()
    }

    /// What became of asking its ports.
    pub fn heard(&mut self, answers: impl IntoIterator<Item = (SocketAddrV4, bool)>) {
        for (at, answered) in answers {
            match answered {
                // One is enough.
                true if self.signs.iter().any(|sign| matches!(sign, Sign::Answers(_))) => {}
                true => self.signs.push(Sign::Answers(at)),
                false => self.silent.push(at),
            }
        }
    }

    /// Whether its records stay.
    pub fn is_refused(&self, force: bool) -> bool {
        !force && !self.records.is_empty() && !self.signs.is_empty()
    }
}

fn is_off(state: InstanceState) -> bool {
    matches!(state, InstanceState::Stopped | InstanceState::Terminated)
}

fn container(subject: Subject) -> Option<ContainerId> {
    match subject {
        Subject::Host => None,
        Subject::Container(id) | Subject::Service(id, _) | Subject::ServiceAddress(id) => Some(id),
    }
}

fn rank(set: &RecordSet, zone: &str) -> u8 {
    match mark_of(set, zone).map(|mark| mark.subject) {
        _ if set.kind == RecordType::Srv => 0,
        Some(Subject::ServiceAddress(_)) => 1,
        Some(Subject::Container(_)) => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests;
