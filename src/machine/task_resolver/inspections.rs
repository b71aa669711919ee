//! Which containers are due for an inspection, which inspections are under way, and which wait for a moment.
//!
//! Docker's events are hints; an inspection shows what is. One container has one under way, however many hints come
//! meanwhile: they amount to one more afterwards. A slow one holds up nobody else, and no more than
//! [`INSPECTIONS_MAX`] run at once.
//!
//! Hints that never end would make inspections that never end, each of which takes the container's lock in the
//! engine: after [`ROW`] within [`ROW_WITHIN`] the next one waits. What must not wait needs no inspection: a signal, a
//! death and a removal are told by their events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::machine::lifecycle::Seq;
use crate::moment::Moment;
use crate::record::ContainerId;

/// The most under way: enough to hide that a dying container keeps Docker's lock for 0.4 s, few enough not to crowd
/// the engine of a host with a thousand containers.
pub const INSPECTIONS_MAX: usize = 16;
/// The most of one container within [`ROW_WITHIN`]: a start, another one for its ports, and a restart (its death, its
/// start) all go at once.
pub const ROW: usize = 4;
/// See [`ROW`]; at most so late is a change of health or a pause seen of a container that never rests.
pub const ROW_WITHIN: Duration = Duration::from_secs(1);

/// An inspection to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Of which container.
    pub id: ContainerId,
    /// The place of the latest news by then: what is older than it cannot contradict what is seen.
    pub as_of: Seq,
    /// Whether ECS is asked too, what it wants of the container's task.
    pub at_task: bool,
}

/// The inspections of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspections {
    under_way: BTreeMap<ContainerId, Seq>,
    /// Those under way whose answers come too late to be believed.
    outdated: BTreeSet<ContainerId>,
    /// Where in the news containers started or ended last, as far as one that is under way may be older.
    turned: BTreeMap<ContainerId, Seq>,
    due: BTreeSet<ContainerId>,
    queue: VecDeque<ContainerId>,
    /// Those that are due later, and when.
    later: BTreeSet<(Moment, ContainerId)>,
    /// Those that began within the latest [`ROW_WITHIN`], in order.
    begun: VecDeque<(Moment, ContainerId)>,
    /// How many of these each container had.
    rows: BTreeMap<ContainerId, usize>,
}

impl Inspections {
    /// A container is due.
    pub fn request(&mut self, id: ContainerId) {
        if self.due.insert(id.clone()) {
            self.queue.push_back(id);
        }
    }

    /// A container is due at that time, whatever is asked for before.
    pub fn request_at(&mut self, at: Moment, id: ContainerId) {
        self.later.insert((at, id));
    }

    /// An inspection has ended; whether its answer counts.
    pub fn done(&mut self, id: &ContainerId) -> bool {
        let was_under_way = self.under_way.remove(id).is_some();
        !self.outdated.remove(id) && was_under_way
    }

    /// A list was asked for at this place, and shows these. An inspection of before that is under way is made again
    /// where the list shows the container: whoever hears the list first takes its answer for out of date. Where the list
    /// does not, its answer does not count: all that was known of the container may be forgotten by then, its end too.
    pub fn on_listed(&mut self, listed: &BTreeSet<ContainerId>, as_of: Seq) {
        let older = self.under_way.iter().filter(|(_, began)| **began < as_of).map(|(id, _)| id.clone());
        for id in older.collect::<Vec<_>>() {
            if listed.contains(&id) {
                self.request(id);
            } else {
                self.outdated.insert(id);
            }
        }
    }

    /// A container started, or ended.
    pub fn turned(&mut self, id: &ContainerId, at: Seq) {
        self.turned.insert(id.clone(), at);
    }

    /// Whether a container has started or ended since an inspection began as of this place.
    pub fn has_turned_since(&self, id: &ContainerId, as_of: Seq) -> bool {
        self.turned.get(id).is_some_and(|at| *at > as_of)
    }

    /// Whoever is told has forgotten all that would show an answer of before to be old.
    pub fn outdate_all(&mut self) {
        self.outdated.extend(self.under_way.keys().cloned());
    }

    /// This container is of no interest any more.
    pub fn forget(&mut self, id: &ContainerId) {
        if self.due.remove(id) {
            self.queue.retain(|queued| queued != id);
        }
        self.later.retain(|(_, waiting)| waiting != id);
    }

    /// The next one to start, as of `as_of`.
    pub fn next(&mut self, as_of: Seq, now: Moment) -> Option<ContainerId> {
        while let Some(id) = self.pop_later(now) {
            self.request(id);
        }
        self.forget_rows(now);
        if self.under_way.len() >= INSPECTIONS_MAX {
            return None;
        }
        let index = self.queue.iter().position(|id| !self.under_way.contains_key(id) && !self.rests(id))?;
        let id = self.queue.remove(index)?;
        self.due.remove(&id);
        self.under_way.insert(id.clone(), as_of);
        let oldest = self.under_way.values().min().copied().unwrap_or(as_of);
        self.turned.retain(|_, at| *at > oldest);
        self.begun.push_back((now, id.clone()));
        *self.rows.entry(id.clone()).or_default() += 1;
        Some(id)
    }

    /// When [`Inspections::next`] will have an inspection to begin, if none that is under way ends before.
    pub fn due_at(&self) -> Option<Moment> {
        let later = self.later.first().map(|(at, _)| *at);
        if self.under_way.len() >= INSPECTIONS_MAX {
            return later;
        }
        let waits = |id| self.due.contains(id) && !self.under_way.contains_key(id);
        let rested = self.begun.iter().find(|(_, id)| waits(id)).map(|(at, _)| *at + ROW_WITHIN);
        rested.into_iter().chain(later).min()
    }

    fn pop_later(&mut self, now: Moment) -> Option<ContainerId> {
        let (at, _) = self.later.first()?;
        if *at > now { None } else { self.later.pop_first().map(|(_, id)| id) }
    }

    fn rests(&self, id: &ContainerId) -> bool {
        self.rows.get(id).is_some_and(|row| *row >= ROW)
    }

    fn forget_rows(&mut self, now: Moment) {
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
    use crate::moment::at;

    const NOW: Moment = Moment::START;

    fn id(n: u8) -> ContainerId {
        format!("{n:064x}").parse().unwrap()
    }

    #[test]
    fn hints_during_an_inspection_amount_to_one_more() {
        let mut inspections = Inspections::default();
        inspections.request(id(1));
        assert_eq!(inspections.next(Seq(1), NOW), Some(id(1)));
        for _ in 0..100 {
            inspections.request(id(1));
        }
        assert_eq!(inspections.next(Seq(2), NOW), None);
        inspections.done(&id(1));
        assert_eq!(inspections.next(Seq(3), NOW), Some(id(1)));
        inspections.done(&id(1));
        assert_eq!(inspections.next(Seq(4), NOW), None);
    }

    #[test]
    fn what_is_under_way_from_before_a_list_is_made_again_where_the_list_shows_it() {
        let mut inspections = Inspections::default();
        for (n, as_of) in [(1, Seq(1)), (2, Seq(1)), (3, Seq(2))] {
            inspections.request(id(n));
            assert_eq!(inspections.next(as_of, NOW), Some(id(n)));
        }
        // The second is gone, and the third was asked for with the list.
        inspections.on_listed(&[id(1), id(3), id(4)].into(), Seq(2));
        assert_eq!([1, 2, 3, 4].map(|n| inspections.done(&id(n))), [true, false, true, false]);
        assert_eq!(inspections.next(Seq(2), NOW), Some(id(1)));
        assert_eq!(inspections.next(Seq(2), NOW), None);
    }

    #[test]
    fn a_slow_inspection_holds_up_nobody_else() {
        let mut inspections = Inspections::default();
        inspections.request(id(1));
        assert_eq!(inspections.next(Seq(1), NOW), Some(id(1)));
        inspections.request(id(1));
        inspections.request(id(2));
        assert_eq!(inspections.next(Seq(2), NOW), Some(id(2)));
    }

    #[test]
    fn only_so_many_run_at_once() {
        let mut inspections = Inspections::default();
        (0..40).for_each(|n| inspections.request(id(n)));
        let started: Vec<_> = std::iter::from_fn(|| inspections.next(Seq(1), NOW)).collect();
        assert_eq!(started.len(), INSPECTIONS_MAX);
        inspections.done(&id(3));
        assert_eq!(inspections.next(Seq(2), NOW), Some(id(16)));
        assert_eq!(inspections.next(Seq(2), NOW), None);
    }

    /// Inspections at a container that never rests, each over at once, in so many milliseconds; when they began.
    fn restless(inspections: &mut Inspections, container: u8, millis: std::ops::Range<u64>) -> Vec<u64> {
        let mut began = Vec::new();
        for now in millis {
            inspections.request(id(container));
            if inspections.next(Seq(now), Moment::after(Duration::from_millis(now))).is_some() {
                inspections.done(&id(container));
                began.push(now);
            }
        }
        began
    }

    #[test]
    fn the_first_few_inspections_go_at_once_and_then_as_many_a_second() {
        let mut inspections = Inspections::default();
        let began = restless(&mut inspections, 1, 0..2_500);
        assert_eq!(began, [0, 1, 2, 3, 1_000, 1_001, 1_002, 1_003, 2_000, 2_001, 2_002, 2_003]);
    }

    #[test]
    fn an_inspection_that_waits_is_due_when_its_row_is_over_and_holds_up_nobody_else() {
        let mut inspections = Inspections::default();
        assert_eq!(restless(&mut inspections, 2, 100..101), [100]);
        assert_eq!(inspections.due_at(), None);
        assert_eq!(restless(&mut inspections, 1, 200..300).len(), ROW);
        assert_eq!(inspections.due_at(), Some(Moment::after(Duration::from_millis(1_200))));
        assert_eq!(restless(&mut inspections, 2, 300..301), [300]);
        assert_eq!(inspections.next(Seq(9), Moment::after(Duration::from_millis(1_199))), None);
        assert_eq!(inspections.next(Seq(9), Moment::after(Duration::from_millis(1_200))), Some(id(1)));
        assert_eq!(inspections.due_at(), None);
    }

    #[test]
    fn what_is_asked_for_later_is_due_then_though_it_was_inspected_meanwhile() {
        let (mut inspections, at) = (Inspections::default(), at(2));
        inspections.request_at(at, id(1));
        assert_eq!((inspections.next(Seq(1), NOW), inspections.due_at()), (None, Some(at)));
        inspections.request(id(1));
        assert_eq!(inspections.next(Seq(2), NOW), Some(id(1)));
        inspections.done(&id(1));
        assert_eq!(inspections.next(Seq(3), at), Some(id(1)));
        inspections.done(&id(1));
        assert_eq!((inspections.next(Seq(3), at), inspections.due_at()), (None, None));
        inspections.request_at(at, id(2));
        inspections.forget(&id(2));
        assert_eq!(inspections.due_at(), None);
    }

    #[test]
    fn what_is_forgotten_is_not_due() {
        let mut inspections = Inspections::default();
        restless(&mut inspections, 1, 0..100);
        inspections.forget(&id(1));
        assert_eq!(inspections.due_at(), None);
        assert_eq!(inspections.next(Seq(9), at(9)), None);
    }

    #[test]
    fn what_rests_leaves_no_trace() {
        let mut inspections = Inspections::default();
        (0..40).for_each(|n| inspections.request(id(n)));
        while let Some(id) = inspections.next(Seq(1), NOW) {
            inspections.done(&id);
        }
        assert_eq!(inspections.next(Seq(1), NOW + ROW_WITHIN), None);
        assert_eq!(inspections, Inspections::default());
    }
}
