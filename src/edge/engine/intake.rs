//! What came from the engine and has not been taken yet, at most a little of each container.
//!
//! An engine may tell ten thousand events a second, of one container in a crash loop or of a health check that
//! execs. What they mean together is little: the last time that each thing happened to a container. Owns that
//! sum; how fast it is taken is for whoever takes it.
//!
//! ## Guarantees
//!
//! - What is kept is bounded by the containers that there are.
//! - What is kept is told in the order in which it came: which signals, starts and ends came after which. Clocks
//!   have no say in it.

use std::collections::BTreeMap;

use crate::container::event::{DockerEvent, Happening};
use crate::record::ContainerId;

/// Events that wait: of each container, each thing that happened, when it happened last.
#[derive(Debug, Default)]
pub struct Intake {
    waiting: BTreeMap<(ContainerId, Happening), (u64, DockerEvent)>,
    came: u64,
}

impl Intake {
    /// An event has come.
    pub fn push(&mut self, event: DockerEvent) {
        self.came += 1;
        self.waiting.insert((event.id.clone(), event.happening), (self.came, event));
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All that waits.
    pub fn take(&mut self) -> Vec<DockerEvent> {
        let mut waiting: Vec<_> = std::mem::take(&mut self.waiting).into_values().collect();
        waiting.sort_by_key(|(came, _)| *came);
        waiting.into_iter().map(|(_, event)| event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::at;
    use crate::machine::testing::secs;
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
            event(1, Happening::Changed, 9_999),
            event(1, Happening::Killed(15), 9_999),
            event(1, Happening::Died, 9_999),
            event(2, Happening::Changed, 5),
        ];
        assert_eq!(intake.take(), told);
        assert!(intake.is_empty());
    }

    #[test]
    fn what_came_last_is_told_last_whatever_the_clock_says() {
        let mut intake = Intake::default();
        intake.push(event(1, Happening::Killed(15), 7));
        intake.push(event(1, Happening::Died, 8));
        intake.push(event(1, Happening::Started, 2));
        intake.push(event(1, Happening::Killed(15), 3));
        let told = [
            event(1, Happening::Died, 8),
            event(1, Happening::Started, 2),
            event(1, Happening::Killed(15), 3),
        ];
        assert_eq!(intake.take(), told);
    }
}
