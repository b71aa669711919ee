//! Which containers are to be looked at, which looks are under way, and which wait for a moment.
//!
//! Docker's events are hints; a look (an inspect) shows what is. One container has one look under way,
//! however many hints come meanwhile: they amount to one more look afterwards. A slow look holds up
//! nobody else, and no more than [`LOOKS_MAX`] run at once.
//!
//! Hints that never end would make looks that never end, each of which takes the container's lock in the engine:
//! after [`ROW`] looks within [`ROW_WITHIN`] the next one waits. What must not wait needs no look: a signal, a
//! death and a removal are told by their events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::lifecycle::Seq;
use crate::record::ContainerId;

/// The most looks under way: enough to hide that a dying container keeps Docker's lock for 0.4 s, few
/// enough not to crowd the engine of a host with a thousand containers.
pub const LOOKS_MAX: usize = 16;
/// The most looks at one container within [`ROW_WITHIN`]: a start, another look for its ports, and a restart (its
/// death, its start) all go at once.
pub const ROW: usize = 4;
/// See [`ROW`]; at most so late is a change of health or a pause seen of a container that never rests.
pub const ROW_WITHIN: Duration = Duration::from_secs(1);

/// The looks of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    under_way: BTreeMap<ContainerId, Seq>,
    wanted: BTreeSet<ContainerId>,
    queue: VecDeque<ContainerId>,
    /// The looks that began within the latest [`ROW_WITHIN`], in order.
    begun: VecDeque<(Duration, ContainerId)>,
    /// How many of these each container had.
    rows: BTreeMap<ContainerId, usize>,
}

impl Looks {
    /// A container deserves a look.
    pub fn want(&mut self, id: ContainerId) {
        if self.wanted.insert(id.clone()) {
            self.queue.push_back(id);
        }
    }

    /// A look has ended.
    pub fn done(&mut self, id: &ContainerId) {
        self.under_way.remove(id);
    }

    /// A look at this container is of no interest any more.
    pub fn forget(&mut self, id: &ContainerId) {
        if self.wanted.remove(id) {
            self.queue.retain(|queued| queued != id);
        }
    }

    /// The next look to start, as of `as_of`.
    pub fn next(&mut self, as_of: Seq, now: Duration) -> Option<ContainerId> {
        self.forget_rows(now);
        if self.under_way.len() >= LOOKS_MAX {
            return None;
        }
        let index = self.queue.iter().position(|id| !self.under_way.contains_key(id) && !self.rests(id))?;
        let id = self.queue.remove(index)?;
        self.wanted.remove(&id);
        self.under_way.insert(id.clone(), as_of);
        self.begun.push_back((now, id.clone()));
        *self.rows.entry(id.clone()).or_default() += 1;
        Some(id)
    }

    /// When [`Looks::next`] has one that it has not now, though no look has ended till then.
    pub fn due_at(&self) -> Option<Duration> {
        if self.under_way.len() >= LOOKS_MAX {
            return None;
        }
        let waits = |id| self.wanted.contains(id) && !self.under_way.contains_key(id);
        self.begun.iter().find(|(_, id)| waits(id)).map(|(at, _)| *at + ROW_WITHIN)
    }

    fn rests(&self, id: &ContainerId) -> bool {
        self.rows.get(id).is_some_and(|row| *row >= ROW)
    }

    fn forget_rows(&mut self, now: Duration) {
        while let Some((_, id)) = self.begun.pop_front_if(|(at, _)| *at + ROW_WITHIN <= now) {
            if let Some(row) = self.rows.get_mut(&id) {
                *row -= 1;
            }
            if self.rows.get(&id) == Some(&0) {
                self.rows.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn id(n: u8) -> ContainerId {
        format!("{n:064x}").parse().unwrap()
    }

    #[test]
    fn hints_during_a_look_amount_to_one_more() {
        let mut looks = Looks::default();
        looks.want(id(1));
        assert_eq!(looks.next(Seq(1), NOW), Some(id(1)));
        for _ in 0..100 {
            looks.want(id(1));
        }
        assert_eq!(looks.next(Seq(2), NOW), None);
        looks.done(&id(1));
        assert_eq!(looks.next(Seq(3), NOW), Some(id(1)));
        looks.done(&id(1));
        assert_eq!(looks.next(Seq(4), NOW), None);
    }

    #[test]
    fn a_slow_look_holds_up_nobody_else() {
        let mut looks = Looks::default();
        looks.want(id(1));
        assert_eq!(looks.next(Seq(1), NOW), Some(id(1)));
        looks.want(id(1));
        looks.want(id(2));
        assert_eq!(looks.next(Seq(2), NOW), Some(id(2)));
    }

    #[test]
    fn only_so_many_run_at_once() {
        let mut looks = Looks::default();
        (0..40).for_each(|n| looks.want(id(n)));
        let started: Vec<_> = std::iter::from_fn(|| looks.next(Seq(1), NOW)).collect();
        assert_eq!(started.len(), LOOKS_MAX);
        looks.done(&id(3));
        assert_eq!(looks.next(Seq(2), NOW), Some(id(16)));
        assert_eq!(looks.next(Seq(2), NOW), None);
    }

    /// Looks at a container that never rests, each over at once, in so many milliseconds; when they began.
    fn restless(looks: &mut Looks, container: u8, millis: std::ops::Range<u64>) -> Vec<u64> {
        let mut began = Vec::new();
        for now in millis {
            looks.want(id(container));
            if looks.next(Seq(now), Duration::from_millis(now)).is_some() {
                looks.done(&id(container));
                began.push(now);
            }
        }
        began
    }

    #[test]
    fn the_first_few_looks_go_at_once_and_then_as_many_a_second() {
        let mut looks = Looks::default();
        let began = restless(&mut looks, 1, 0..2_500);
        assert_eq!(began, [0, 1, 2, 3, 1_000, 1_001, 1_002, 1_003, 2_000, 2_001, 2_002, 2_003]);
    }

    #[test]
    fn a_look_that_waits_is_due_when_its_row_is_over_and_holds_up_nobody_else() {
        let mut looks = Looks::default();
        assert_eq!(restless(&mut looks, 2, 100..101), [100]);
        assert_eq!(looks.due_at(), None);
        assert_eq!(restless(&mut looks, 1, 200..300).len(), ROW);
        assert_eq!(looks.due_at(), Some(Duration::from_millis(1_200)));
        assert_eq!(restless(&mut looks, 2, 300..301), [300]);
        assert_eq!(looks.next(Seq(9), Duration::from_millis(1_199)), None);
        assert_eq!(looks.next(Seq(9), Duration::from_millis(1_200)), Some(id(1)));
        assert_eq!(looks.due_at(), None);
    }

    #[test]
    fn what_is_forgotten_is_not_due() {
        let mut looks = Looks::default();
        restless(&mut looks, 1, 0..100);
        looks.forget(&id(1));
        assert_eq!(looks.due_at(), None);
        assert_eq!(looks.next(Seq(9), Duration::from_secs(9)), None);
    }

    #[test]
    fn what_rests_leaves_no_trace() {
        let mut looks = Looks::default();
        (0..40).for_each(|n| looks.want(id(n)));
        while let Some(id) = looks.next(Seq(1), NOW) {
            looks.done(&id);
        }
        assert_eq!(looks.next(Seq(1), ROW_WITHIN), None);
        assert_eq!(looks, Looks::default());
    }
}
