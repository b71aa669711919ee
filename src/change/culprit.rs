//! Which change of a refused batch is to blame, where the refusal does not say. Pure.
//!
//! A registry takes all of a batch or nothing. Half of those that may be to blame go next: if they are taken,
//! one of the other half is to blame, else one of them. What goes alone and is refused is convicted. So one bad
//! change delays the others by at most ⌈log2 n⌉ + 1 calls. What may not be parted is not: units are tried whole.
//!
//! For the agent's writer and the janitor alike. Which failures are a refusal is said by
//! [`ZoneError::meaning`](crate::zone::ZoneError::meaning); what becomes of a convict is its owner's business.

use std::collections::BTreeSet;

use super::batch::{self, Unit};
use crate::record::{Change, Key};

/// From so many convictions in a row on, without anything taken in between, all may well be bad: then fewer go
/// together, half as many with each, where that is wanted.
const CONVICTIONS_IN_A_ROW: u32 = 3;

/// The search for what is to blame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Culprit {
    /// A refused batch that named nobody: one of these is to blame.
    suspects: BTreeSet<Key>,
    /// Up to so many suspected units let the others have one call first: a last one, all but convicted; or all, where
    /// they are likely to be refused too.
    others_before: usize,
    /// Whether fewer go together where all may well be bad.
    narrows: bool,
    /// Convictions since a batch was last taken.
    in_a_row: u32,
}

impl Culprit {
    /// For changes that are all there from the start: a policy that denies each of them costs a call or two for
    /// each, not ⌈log2 n⌉. What changes between two calls must not be searched so: a batch that was throttled
    /// would not come back whole.
    pub fn narrowing() -> Self {
        Self { narrows: true, ..Self::default() }
    }

    /// What of `units` goes next: the longest that one call may carry, or half of the suspects.
    pub fn next(&self, units: Vec<Unit>) -> Vec<Unit> {
        let suspected = |unit: &Unit| keys(&unit.changes).any(|key| self.suspects.contains(&key));
        let (suspects, others): (Vec<_>, Vec<_>) = units.into_iter().partition(suspected);
        match suspects.len() {
            0 => batch::pack(self.share(&others)).to_vec(),
            n if n <= self.others_before && !others.is_empty() => batch::pack(self.share(&others)).to_vec(),
            n => batch::pack(&suspects[..n.div_ceil(2)]).to_vec(),
        }
    }

    /// A batch was taken: nothing in it is to blame.
    pub fn taken(&mut self, batch: &[Change]) {
        let before = self.suspects.len();
        keys(batch).for_each(|key| self.acquit(&key));
        self.others_before = usize::from(self.suspects.len() < before);
        self.in_a_row = 0;
    }

    /// A batch was refused, and what is to blame was named: nothing else is suspected.
    pub fn named(&mut self) {
        self.suspects.clear();
        self.others_before = 0;
    }

    /// A batch of these units was refused, and nothing was named. Returns whether it is convicted, as one unit that
    /// went alone; else the search goes on in it.
    pub fn refused(&mut self, units: &[Unit]) -> bool {
        let alone = units.len() <= 1;
        // What others are there may be those among whom the search went before: they would take turns for ever.
        self.others_before = 0;
        if alone {
            self.suspects.clear();
            self.in_a_row += 1;
        } else {
            self.suspects = units.iter().flat_map(|unit| keys(&unit.changes)).collect();
        }
        alone
    }

    /// Has these tried by themselves, after the others: they are likely to be refused again.
    pub fn suspect(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.suspects.extend(keys);
        self.others_before = usize::MAX;
    }

    /// Nothing is to be done of this key any more.
    pub fn acquit(&mut self, key: &Key) {
        self.suspects.remove(key);
    }

    /// Whether a search is on.
    pub fn is_sought(&self) -> bool {
        !self.suspects.is_empty()
    }

    fn share<'a>(&self, others: &'a [Unit]) -> &'a [Unit] {
        let halvings = if self.narrows { self.in_a_row.saturating_sub(CONVICTIONS_IN_A_ROW - 1) } else { 0 };
        let share = others.len().checked_shr(halvings).unwrap_or(0);
        &others[..share.max(1).min(others.len())]
    }
}

fn keys(changes: &[Change]) -> impl Iterator<Item = Key> {
    changes.iter().map(|change| change.set.key())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Action, RecordSet, RecordType, Routing};

    fn unit(n: usize) -> Unit {
        let set = RecordSet {
            name: "_web._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some(format!("id{n:04}")),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec![format!("1 1 {n} host.sd.internal")],
        };
        Unit { changes: vec![Change { action: Action::Create, set }] }
    }

    /// What was convicted in the end, and for each call how many units it took.
    fn search(mut culprit: Culprit, n: usize, bad: &BTreeSet<usize>) -> (BTreeSet<usize>, Vec<usize>) {
        let mut open: Vec<(usize, Unit)> = (0..n).map(|n| (n, unit(n))).collect();
        let (mut convicts, mut calls) = (BTreeSet::new(), Vec::new());
        while !open.is_empty() {
            let next = culprit.next(open.iter().map(|(_, unit)| unit.clone()).collect());
            assert!(!next.is_empty(), "nothing goes, and {} are open", open.len());
            let batch: Vec<Change> = next.iter().flat_map(|unit| unit.changes.clone()).collect();
            let tried: BTreeSet<usize> =
                open.iter().filter(|(_, unit)| next.contains(unit)).map(|(n, _)| *n).collect();
            if tried.is_disjoint(bad) {
                culprit.taken(&batch);
                open.retain(|(n, _)| !tried.contains(n));
                calls.push(tried.len());
                continue;
            }
            calls.push(0);
            if culprit.refused(&next) {
                assert_eq!(tried.len(), 1);
                open.retain(|(n, _)| !tried.contains(n));
                convicts.extend(tried);
            }
        }
        (convicts, calls)
    }

    fn log2(n: usize) -> usize {
        n.next_power_of_two().ilog2() as usize
    }

    #[test]
    fn one_bad_change_delays_the_others_by_few_calls() {
        for n in (2..=33).chain([64, 65, 130]) {
            for bad in 0..n {
                let (convicts, calls) = search(Culprit::default(), n, &[bad].into());
                assert_eq!(convicts, [bad].into());
                let mut taken = 0;
                let all = calls.iter().position(|count| {
                    taken += count;
                    taken == n - 1
                });
                // The first call is the one that was refused.
                assert!(all.unwrap() <= log2(n) + 1, "{n} changes, the {bad}th bad: {calls:?}");
            }
        }
    }

    #[test]
    fn where_all_is_bad_no_change_costs_the_whole_search() {
        let (convicts, calls) = search(Culprit::narrowing(), 512, &(0..512).collect());
        assert_eq!(convicts.len(), 512);
        assert!(calls.len() < 2 * 512, "{} calls", calls.len());
    }

    #[test]
    fn a_last_suspect_lets_the_others_go_first() {
        let units: Vec<_> = (0..4).map(unit).collect();
        let batch = |units: &[Unit]| units.iter().flat_map(|unit| unit.changes.clone()).collect::<Vec<_>>();
        let mut culprit = Culprit::default();
        assert!(!culprit.refused(&units));
        let half = culprit.next(units.clone());
        assert_eq!(half, units[..2]);
        assert!(!culprit.refused(&half));
        assert_eq!(culprit.next(units.clone()), units[..1]);
        culprit.taken(&batch(&units[..1]));
        assert_eq!(culprit.next(units[1..].to_vec()), units[2..]);
        culprit.taken(&batch(&units[2..]));
        // What came meanwhile does not put it off once more.
        assert_eq!(culprit.next(vec![units[1].clone(), unit(4)]), units[1..2]);
        assert!(culprit.is_sought() && culprit.refused(&units[1..2]) && !culprit.is_sought());
    }

    #[test]
    fn where_the_refusal_names_what_is_to_blame_all_others_go_together_again() {
        let units: Vec<_> = (0..4).map(unit).collect();
        let mut culprit = Culprit::default();
        assert!(!culprit.refused(&units));
        assert_eq!(culprit.next(units.clone()).len(), 2);
        culprit.named();
        assert_eq!(culprit.next(units.clone()), units);
    }

    #[test]
    fn with_each_conviction_in_a_row_from_the_third_on_half_as_many_go_together() {
        let units: Vec<_> = (0..16).map(unit).collect();
        let mut culprit = Culprit::narrowing();
        let mut together = Vec::new();
        for bad in 16..22 {
            together.push(culprit.next(units.clone()).len());
            assert!(culprit.refused(&[unit(bad)]));
        }
        assert_eq!(together, [16, 16, 16, 8, 4, 2]);
        culprit.taken(&units[0].changes);
        assert_eq!(culprit.next(units.clone()).len(), 16);
    }

    #[test]
    fn those_that_are_likely_to_be_refused_again_wait_for_one_call_of_the_others() {
        let units: Vec<_> = (0..5).map(unit).collect();
        let batch = |units: &[Unit]| units.iter().flat_map(|unit| unit.changes.clone()).collect::<Vec<_>>();
        let mut culprit = Culprit::default();
        culprit
            .suspect(units[..2].iter().flat_map(|unit| unit.changes.iter().map(|change| change.set.key())));
        assert_eq!(culprit.next(units.clone()), units[2..]);
        culprit.taken(&batch(&units[2..]));
        // What came meanwhile does not put them off once more.
        assert_eq!(culprit.next(units.clone()), units[..1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn convicts_what_is_bad_and_nothing_else(
            n in 1..80_usize,
            bad in proptest::collection::btree_set(0..80_usize, 0..12),
            narrows: bool
        ) {
            let culprit = if narrows { Culprit::narrowing() } else { Culprit::default() };
            let bad: BTreeSet<usize> = bad.into_iter().filter(|bad| *bad < n).collect();
            let (convicts, calls) = search(culprit, n, &bad);
            prop_assert_eq!(&convicts, &bad);
            prop_assert!(calls.len() <= 1 + 2 * bad.len() * (log2(n) + 3), "{} calls", calls.len());
        }
    }
}
