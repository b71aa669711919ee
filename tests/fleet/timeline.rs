//! What happens, in the order of time; at one moment, in the order in which it was told.

use std::collections::BTreeMap;

use ecssd::moment::Moment;

#[derive(Debug)]
pub struct Timeline<E> {
    events: BTreeMap<(Moment, u64), E>,
    told: u64,
}

impl<E> Default for Timeline<E> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), told: 0 }
    }
}

impl<E> Timeline<E> {
    pub fn push(&mut self, at: Moment, event: E) {
        self.told += 1;
        self.events.insert((at, self.told), event);
    }

    pub fn pop(&mut self) -> Option<(Moment, E)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
