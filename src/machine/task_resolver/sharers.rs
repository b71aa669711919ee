//! Containers that share another one's network: whom a signal to that one is meant for as well, and whom its end concerns.
//!
//! Owns the ties, as inspections show them, and what an owner was sent while it was not known who shares with it:
//! an agent that begins hears of the signal before it can know that. What a signal means for the life of a container
//! is decided by its [lifecycle](crate::machine::lifecycle).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::container::{STOP_SIGNAL_DEFAULT, Timestamp};
use crate::machine::lifecycle::{Seq, may_end, stops};
use crate::moment::Moment;
use crate::record::ContainerId;

/// Stands for any signal that may end a process, and that no image names as its own way to stop.
const SIGABRT: u8 = 6;

/// A signal that a container was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The place of the news.
    pub at: Seq,
    /// When, by Docker's clock.
    pub time: Timestamp,
    /// When the agent heard of it.
    pub heard: Moment,
    /// How old it was by then.
    pub age: Duration,
}

/// Who shares whose network.
#[derive(Clone, Debug, Default)]
pub struct Sharers {
    by_owner: BTreeMap<ContainerId, Shared>,
    /// The latest of each signal that a container was sent since its latest start or end.
    sent: BTreeMap<ContainerId, BTreeMap<u8, Sent>>,
}

#[derive(Clone, Debug)]
struct Shared {
    /// The signal that asks the owner to stop.
    stop_signal: u8,
    containers: BTreeSet<ContainerId>,
}

impl Sharers {
    /// A container was sent a signal. Returns for whom it is meant, and as which: itself last.
    pub fn signalled(&mut self, id: &ContainerId, signal: u8, sent: Sent) -> Vec<(ContainerId, u8)> {
        self.sent.entry(id.clone()).or_default().insert(signal, sent);
        let mut meant = Vec::new();
        if let Some(shared) = self.by_owner.get(id)
            && let Some(signal) = shared.meant_as(signal)
        {
            meant.extend(shared.containers.iter().map(|tied| (tied.clone(), signal)));
        }
        meant.push((id.clone(), signal));
        meant
    }

    /// A container started, or its life ended: what it was sent before is over.
    pub fn turned(&mut self, id: &ContainerId) {
        self.sent.remove(id);
    }

    /// Those that live no longer than this container, and have no other network than its.
    pub fn of(&self, owner: &ContainerId) -> impl Iterator<Item = &ContainerId> {
        self.by_owner.get(owner).into_iter().flat_map(|shared| &shared.containers)
    }

    /// An inspection shows that a life of `id`, which began then, shares the network of `owner`, which takes
    /// `stop_signal` for a stop. Returns what the owner was sent since that is meant for `id` too, where nobody could
    /// know it by then: whoever starts beside an owner that stops has not been asked to stop.
    pub fn tie(
        &mut self,
        (id, started_at): (&ContainerId, Timestamp),
        owner: &ContainerId,
        stop_signal: u8,
    ) -> Vec<(u8, Sent)> {
        let new = || Shared { stop_signal, containers: BTreeSet::new() };
        let shared = self.by_owner.entry(owner.clone()).or_insert_with(new);
        if !shared.containers.insert(id.clone()) {
            return Vec::new();
        }
        let sent = self.sent.get(owner).into_iter().flatten().filter(|(_, sent)| sent.time >= started_at);
        sent.filter_map(|(signal, sent)| Some((shared.meant_as(*signal)?, *sent))).collect()
    }

    /// Forgets all containers but these.
    pub fn retain(&mut self, listed: &BTreeSet<ContainerId>) {
        self.sent.retain(|id, _| listed.contains(id));
        self.by_owner.retain(|_, shared| {
            shared.containers.retain(|id| listed.contains(id));
            !shared.containers.is_empty()
        });
    }

    /// Forgets a container.
    pub fn forget(&mut self, id: &ContainerId) {
        self.sent.remove(id);
        self.by_owner.retain(|_, shared| {
            shared.containers.remove(id);
            !shared.containers.is_empty()
        });
    }
}

impl Shared {
    /// What stops the owner stops all who share its network, whatever signal that is, and what may end it may end
    /// them.
    fn meant_as(&self, signal: u8) -> Option<u8> {
        if stops(signal, self.stop_signal) {
            Some(STOP_SIGNAL_DEFAULT)
        } else {
            may_end(signal, self.stop_signal).then_some(SIGABRT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::at;
    use crate::machine::testing::{SIGHUP, SIGQUIT, SIGTERM, secs};
    use crate::record::testing::id;

    fn sent() -> Sent {
        Sent { at: Seq(1), time: at(5), heard: Moment::after(secs(7)), age: secs(1) }
    }

    /// The first container owns the network.
    fn tie(sharers: &mut Sharers, container: u64, stop_signal: u8) -> Vec<(u8, Sent)> {
        sharers.tie((&id(container), at(2)), &id(1), stop_signal)
    }

    #[test]
    fn what_stops_or_may_end_the_owner_is_meant_for_its_sharers() {
        let mut sharers = Sharers::default();
        assert_eq!(tie(&mut sharers, 2, SIGQUIT), []);
        assert_eq!(sharers.of(&id(1)).collect::<Vec<_>>(), [&id(2)]);
        let mut meant = |signal| sharers.signalled(&id(1), signal, sent());
        assert_eq!(meant(SIGQUIT), [(id(2), STOP_SIGNAL_DEFAULT), (id(1), SIGQUIT)]);
        assert_eq!(meant(SIGABRT), [(id(2), SIGABRT), (id(1), SIGABRT)]);
        assert_eq!(meant(SIGHUP), [(id(1), SIGHUP)]);
        assert_eq!(sharers.signalled(&id(2), SIGTERM, sent()), [(id(2), SIGTERM)]);
    }

    #[test]
    fn who_is_tied_after_the_signal_hears_of_it_once() {
        let mut sharers = Sharers::default();
        let latest = Sent { time: at(9), age: secs(2), ..sent() };
        for sent in [sent(), latest] {
            sharers.signalled(&id(1), SIGTERM, sent);
        }
        sharers.signalled(&id(1), SIGHUP, sent());
        assert_eq!(tie(&mut sharers, 2, SIGTERM), [(SIGTERM, latest)]);
        assert_eq!(tie(&mut sharers, 2, SIGTERM), []);
        assert_eq!(tie(&mut sharers, 3, SIGTERM), [(SIGTERM, latest)]);
        assert_eq!(sharers.tie((&id(4), at(10)), &id(1), SIGTERM), [], "it started after that");
    }

    #[test]
    fn who_is_left_shares_on() {
        let mut sharers = Sharers::default();
        tie(&mut sharers, 2, SIGTERM);
        tie(&mut sharers, 3, SIGTERM);
        sharers.forget(&id(2));
        sharers.retain(&[id(1), id(3)].into());
        assert_eq!(sharers.of(&id(1)).collect::<Vec<_>>(), [&id(3)]);
        sharers.retain(&[id(1)].into());
        assert_eq!(sharers.of(&id(1)).count(), 0);
    }

    #[test]
    fn what_is_over_or_gone_is_told_to_nobody() {
        let over: [fn(&mut Sharers); 3] = [
            |sharers| sharers.turned(&id(1)),
            |sharers| sharers.forget(&id(1)),
            |sharers| sharers.retain(&[id(2)].into()),
        ];
        for over in over {
            let mut sharers = Sharers::default();
            sharers.signalled(&id(1), SIGTERM, sent());
            over(&mut sharers);
            assert_eq!(tie(&mut sharers, 2, SIGTERM), []);
            sharers.forget(&id(2));
            assert_eq!(sharers.of(&id(1)).count(), 0);
        }
    }
}
