//! Who may have a check in flight: a fair share for every container of a host.
//!
//! A check that hangs holds its permit until its timeout. Owns the rule that keeps the hung checks of some
//! containers from delaying those of the others; opening connections is the prober's business.
//!
//! ## Guarantees
//!
//! - At most [`PER_CONTAINER`] checks of a container are in flight, and at most as many of the host as it was
//!   made for.
//! - The container with the fewest in flight is next; among equals, whoever has waited longest.
//! - The last quarter of all permits goes to containers that have none: one that hangs cannot use up the host's.

use std::collections::BTreeMap;

use crate::record::ContainerId;

/// The most checks of one container in flight. A container with more targets than this asks them in turn.
pub const PER_CONTAINER: usize = 4;

/// One that waits for a permit.
#[derive(Debug)]
struct Waiting<T> {
    container: ContainerId,
    ticket: T,
}

/// All permits of a host. A ticket is whatever tells a waiting one that it may go.
#[derive(Debug)]
pub struct Permits<T> {
    max: usize,
    in_flight: BTreeMap<ContainerId, usize>,
    waiting: Vec<Waiting<T>>,
}

impl<T> Permits<T> {
    /// Permits for `max` checks of the host in flight.
    pub fn new(max: usize) -> Self {
        Self { max, in_flight: BTreeMap::new(), waiting: Vec::new() }
    }

    /// Lines up for a permit.
    pub fn wait(&mut self, container: ContainerId, ticket: T) {
        self.waiting.push(Waiting { container, ticket });
    }

    /// The next that may go; its permit is taken.
    pub fn grant(&mut self) -> Option<(ContainerId, T)> {
        let free = self.max.saturating_sub(self.in_flight.values().sum());
        let of = |waiting: &Waiting<T>| self.in_flight.get(&waiting.container).copied().unwrap_or_default();
        let may = |held: usize| free > 0 && held < PER_CONTAINER && (held == 0 || free > self.max / 4);
        let next = self.waiting.iter().enumerate().map(|(index, waiting)| (of(waiting), index));
        let (_, index) = next.filter(|(held, _)| may(*held)).min()?;
        let Waiting { container, ticket } = self.waiting.remove(index);
        *self.in_flight.entry(container.clone()).or_default() += 1;
        Some((container, ticket))
    }

    /// A check is over, and its permit free.
    pub fn give_back(&mut self, container: &ContainerId) {
        if let Some(held) = self.in_flight.get_mut(container) {
            *held -= 1;
            if *held == 0 {
                self.in_flight.remove(container);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::testing::id;

    fn granted(permits: &mut Permits<u32>) -> Vec<u32> {
        std::iter::from_fn(|| permits.grant().map(|(_, ticket)| ticket)).collect()
    }

    #[test]
    fn a_hundred_hung_checks_of_one_container_hold_four_permits() {
        let mut permits = Permits::new(64);
        (0..100).for_each(|ticket| permits.wait(id(1), ticket));
        assert_eq!(granted(&mut permits), [0, 1, 2, 3]);
        permits.wait(id(2), 1_000);
        assert_eq!(granted(&mut permits), [1_000]);
        permits.give_back(&id(1));
        assert_eq!(granted(&mut permits), [4]);
    }

    #[test]
    fn hung_checks_of_many_containers_leave_room_for_one_that_has_none() {
        let mut permits = Permits::new(64);
        for container in 1..=30 {
            (0..100).for_each(|ticket| permits.wait(id(container), ticket));
        }
        // Each has one; then more, while over a quarter is free.
        assert_eq!(granted(&mut permits).len(), 48);
        permits.wait(id(99), 1_000);
        assert_eq!(granted(&mut permits), [1_000]);
    }

    #[test]
    fn who_has_the_fewest_in_flight_is_next_and_then_who_waited_longest() {
        let mut permits = Permits::new(4);
        for (container, ticket) in [(1, 10), (1, 11), (2, 20), (3, 30)] {
            permits.wait(id(container), ticket);
        }
        assert_eq!(granted(&mut permits), [10, 20, 30]);
        permits.give_back(&id(2));
        assert_eq!(granted(&mut permits), [11]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_container_has_more_than_its_share_and_nobody_is_forgotten(
            steps in proptest::collection::vec((0..6_u64, any::<bool>()), 1..200), max in 1..20_usize,
        ) {
            let mut permits = Permits::new(max);
            let (mut asked, mut held) = (0, Vec::new());
            for (container, ends) in steps {
                if ends {
                    if let Some(at) = held.iter().position(|it| *it == id(container)) {
                        permits.give_back(&held.swap_remove(at));
                    }
                } else {
                    permits.wait(id(container), asked);
                    asked += 1;
                }
                while let Some((container, _)) = permits.grant() {
                    held.push(container);
                }
                prop_assert!(held.len() <= max);
                for container in 0..6 {
                    prop_assert!(held.iter().filter(|it| **it == id(container)).count() <= PER_CONTAINER);
                }
                let idle = |waiting: &Waiting<u32>| !held.contains(&waiting.container);
                prop_assert!(held.len() == max || !permits.waiting.iter().any(idle), "a permit is free for it");
            }
            let mut over = held.len();
            while let Some(container) = held.pop() {
                permits.give_back(&container);
                while let Some((container, _)) = permits.grant() {
                    held.push(container);
                    over += 1;
                }
            }
            prop_assert!(permits.waiting.is_empty() && over <= usize::try_from(asked).unwrap());
        }
    }
}
