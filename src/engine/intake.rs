//! What came from the engine and has not been taken yet, at most a little of each container.
//!
//! An engine may tell ten thousand events a second, of one container in a crash loop or of a health check that
//! execs. What they mean together is little: the latest of each signal, the latest death, and that a look is
//! due. Owns that sum; how fast it is taken is for whoever takes it.
//!
//! ## Guarantees
//!
//! - What is kept is bounded by the containers that there are.
//! - Whoever is told the sum knows of each container what the events would have told in any order: the
//!   lifecycle compares their times, not their places.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{DockerEvent, Happening};
use crate::machine::container::{ContainerId, Timestamp};

/// Events that wait.
#[derive(Debug, Default)]
pub struct Intake {
    containers: BTreeMap<ContainerId, Sum>,
}

/// What events of one container amount to: each kind, with the latest time and age of it.
#[derive(Debug, Default)]
struct Sum {
    kinds: BTreeMap<Kind, (Timestamp, Duration)>,
}

/// Happenings in the order in which they are told: what may withdraw a record first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Killed(u8),
    Died,
    Changed,
    Destroyed,
}

impl Intake {
    /// An event has come.
    pub fn push(&mut self, event: DockerEvent) {
        let DockerEvent { id, happening, time, age } = event;
        let kind = match happening {
            Happening::Killed(signal) => Kind::Killed(signal),
            Happening::Died => Kind::Died,
            Happening::Changed => Kind::Changed,
            Happening::Destroyed => Kind::Destroyed,
        };
        let latest = self.containers.entry(id).or_default().kinds.entry(kind).or_insert((time, age));
        if latest.0 <= time {
            *latest = (time, age);
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty()
    }

    /// All that waits.
    pub fn take(&mut self) -> Vec<DockerEvent> {
        std::mem::take(&mut self.containers).into_iter().flat_map(|(id, sum)| sum.events(&id)).collect()
    }

    /// The containers that something waits of.
    pub fn containers(&self) -> BTreeSet<&ContainerId> {
        self.containers.keys().collect()
    }
}

impl Sum {
    fn events(self, id: &ContainerId) -> Vec<DockerEvent> {
        let event = |(kind, (time, age))| {
            let happening = match kind {
                Kind::Killed(signal) => Happening::Killed(signal),
                Kind::Died => Happening::Died,
                Kind::Changed => Happening::Changed,
                Kind::Destroyed => Happening::Destroyed,
            };
            DockerEvent { id: id.clone(), happening, time, age }
        };
        self.kinds.into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::{at, id, secs};

    fn event(container: u64, happening: Happening, time: u64) -> DockerEvent {
        DockerEvent { id: id(container), happening, time: at(time), age: secs(1) }
    }

    #[test]
    fn ten_thousand_events_of_a_container_are_told_as_a_few() {
        let mut intake = Intake::default();
        for n in 0..10_000 {
            intake.push(event(1, Happening::Changed, n));
            intake.push(event(1, Happening::Killed(15), n));
            intake.push(event(1, Happening::Died, n));
        }
        intake.push(event(2, Happening::Changed, 5));
        assert_eq!(intake.containers().len(), 2);
        let told = [
            event(1, Happening::Killed(15), 9_999),
            event(1, Happening::Died, 9_999),
            event(1, Happening::Changed, 9_999),
            event(2, Happening::Changed, 5),
        ];
        assert_eq!(intake.take(), told);
        assert!(intake.is_empty());
    }

    #[test]
    fn the_latest_of_each_signal_is_kept_whatever_came_last() {
        let mut intake = Intake::default();
        intake.push(event(1, Happening::Killed(15), 7));
        intake.push(event(1, Happening::Killed(1), 8));
        intake.push(event(1, Happening::Killed(15), 3));
        let told = [event(1, Happening::Killed(1), 8), event(1, Happening::Killed(15), 7)];
        assert_eq!(intake.take(), told);
    }
}
