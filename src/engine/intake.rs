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

use std::collections::BTreeMap;
use std::time::Duration;

use super::{DockerEvent, Happening};
use crate::machine::container::Timestamp;
use crate::record::ContainerId;

/// Events that wait: of each container, each thing that happened, with the latest time and age of it.
#[derive(Debug, Default)]
pub struct Intake(BTreeMap<(ContainerId, Happening), (Timestamp, Duration)>);

impl Intake {
    /// An event has come.
    pub fn push(&mut self, DockerEvent { id, happening, time, age }: DockerEvent) {
        let latest = self.0.entry((id, happening)).or_insert((time, age));
        if latest.0 <= time {
            *latest = (time, age);
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that waits.
    pub fn take(&mut self) -> Vec<DockerEvent> {
        let event = |((id, happening), (time, age))| DockerEvent { id, happening, time, age };
        std::mem::take(&mut self.0).into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::{at, secs};
    use crate::record::testing::id;

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
