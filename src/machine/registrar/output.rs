//! What the registrar asks of the world.

use std::net::Ipv4Addr;

use super::Wants;
use crate::container::Timestamp;
use crate::machine::claims::Parked;
use crate::machine::cordon::{Cordon, Ended};
use crate::machine::departure::records::Overruled;
use crate::machine::lifecycle::restarts::Hold;
use crate::machine::lifecycle::{Decision, Edge, Outlived, Target, Unproven};
use crate::machine::past::Signals;
use crate::moment::Moment;
use crate::record::{ContainerId, RecordSet};

/// What the registrar asks of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// This container's record sets, in place of those it wanted before.
    Want(ContainerId, Vec<RecordSet>),
    /// All containers' record sets: what is not among them is not wanted.
    WantAll(Wants),
    /// The host has this address from now on, and with it all this is wanted, where all has been said before.
    Moved(Ipv4Addr, Option<Wants>),
    /// Nothing is wanted any more, for good; the writer has until then.
    Drain(Moment),
    /// All that is wanted has been said of what the writer of this generation found by a late read of the zone.
    FoundJudged(u64),
    /// Before all has been said: what an earlier run may have wanted of this container is over.
    Over(ContainerId),
    /// This container has ended as it was asked to: how far its withdrawal has got by now is worth knowing.
    Ended(ContainerId),
    /// Probe these targets of this container, and none else.
    Probe {
        /// The container.
        container: ContainerId,
        /// Its life.
        life: Timestamp,
        /// What to probe; empty to stop.
        targets: Vec<Target>,
    },
    /// Inspect this container, also what ECS wants of it.
    InspectTask(ContainerId),
    /// Something for the log.
    Decided(ContainerId, Decision),
    /// For the log: this container is part of a crash loop, and kept out of DNS for that.
    Held(ContainerId, Hold),
    /// For the log: a service of this container has not passed its check for long.
    Unproven(ContainerId, Unproven),
    /// For the log: a container was asked to stop, runs, and is believed again.
    Outlived(ContainerId, Outlived),
    /// What this container was sent is to be remembered over a restart, in place of what was.
    Signalled(ContainerId, Option<Signals>),
    /// For the log: the step that a container's lifecycle made.
    Stepped(ContainerId, Edge),
    /// For the log: a [departure](crate::machine::departure) or a
    /// [cordon](crate::machine::cordon) changes what is wanted of this container.
    Overruled(ContainerId, Overruled),
    /// All cordons in force are to be remembered over a restart, in place of those that were.
    KeepCordons(Vec<Cordon>),
    /// For the log: an operator gave this weight.
    Cordoned(Cordon),
    /// For the log: an operator ended this cordon.
    Uncordoned(Cordon),
    /// For the log: this cordon ended by itself.
    CordonEnded(Cordon, Ended),
    /// For the log: this service waits for a port that another container has.
    Waits(ContainerId, Parked),
}

impl Output {
    /// Whether it says what is wanted.
    pub fn is_want(&self) -> bool {
        matches!(self, Self::Want(..) | Self::WantAll(_) | Self::Moved(..))
    }
}

/// Of several words to one prober, the last.
pub(super) fn last_probes(outputs: Vec<Output>) -> Vec<Output> {
    let mut told = std::collections::BTreeSet::new();
    let mut last = |output: &Output| match output {
        Output::Probe { container, .. } => told.insert(container.clone()),
        _ => true,
    };
    let mut kept: Vec<_> = outputs.into_iter().rev().filter(|output| last(output)).collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::at;
    use crate::record::testing::id;

    #[test]
    fn of_several_words_to_one_prober_the_last_is_told_and_of_all_else_each() {
        let probe =
            |container, life| Output::Probe { container: id(container), life: at(life), targets: vec![] };
        let outputs = vec![probe(1, 1), Output::Over(id(1)), probe(2, 1), probe(1, 2), Output::Over(id(1))];
        let told = [Output::Over(id(1)), probe(2, 1), probe(1, 2), Output::Over(id(1))];
        assert_eq!(last_probes(outputs), told);
    }
}
