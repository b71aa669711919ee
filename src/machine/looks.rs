//! Which containers are to be looked at, and which looks are under way.
//!
//! Docker's events are hints; a look (an inspect) shows what is. One container has one look under way,
//! however many hints come meanwhile: they amount to one more look afterwards. A slow look holds up
//! nobody else, and no more than [`LOOKS_MAX`] run at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::container::ContainerId;
use super::lifecycle::Seq;

/// The most looks under way: enough to hide that a dying container keeps Docker's lock for 0.4 s, few
/// enough not to crowd the engine of a host with a thousand containers.
pub const LOOKS_MAX: usize = 16;

/// The looks of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    under_way: BTreeMap<ContainerId, Seq>,
    wanted: BTreeSet<ContainerId>,
    queue: VecDeque<ContainerId>,
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

    /// The next look to start, as of `now`.
    pub fn next(&mut self, now: Seq) -> Option<ContainerId> {
        if self.under_way.len() >= LOOKS_MAX {
            return None;
        }
        let index = self.queue.iter().position(|id| !self.under_way.contains_key(id))?;
        let id = self.queue.remove(index)?;
        self.wanted.remove(&id);
        self.under_way.insert(id.clone(), now);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ContainerId {
        format!("{n:064x}").parse().unwrap()
    }

    #[test]
    fn hints_during_a_look_amount_to_one_more() {
        let mut looks = Looks::default();
        looks.want(id(1));
        assert_eq!(looks.next(Seq(1)), Some(id(1)));
        for _ in 0..100 {
            looks.want(id(1));
        }
        assert_eq!(looks.next(Seq(2)), None);
        looks.done(&id(1));
        assert_eq!(looks.next(Seq(3)), Some(id(1)));
        looks.done(&id(1));
        assert_eq!(looks.next(Seq(4)), None);
    }

    #[test]
    fn a_slow_look_holds_up_nobody_else() {
        let mut looks = Looks::default();
        looks.want(id(1));
        assert_eq!(looks.next(Seq(1)), Some(id(1)));
        looks.want(id(1));
        looks.want(id(2));
        assert_eq!(looks.next(Seq(2)), Some(id(2)));
    }

    #[test]
    fn only_so_many_run_at_once() {
        let mut looks = Looks::default();
        (0..40).for_each(|n| looks.want(id(n)));
        let started: Vec<_> = std::iter::from_fn(|| looks.next(Seq(1))).collect();
        assert_eq!(started.len(), LOOKS_MAX);
        looks.done(&id(3));
        assert_eq!(looks.next(Seq(2)), Some(id(16)));
        assert_eq!(looks.next(Seq(2)), None);
    }
}
