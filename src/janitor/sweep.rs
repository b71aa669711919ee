//! Which batch of changes comes next, and what became of each change. Pure.
//!
//! Changes go as the agent's go: in the units of [`batch`], packed by the real limits. A unit is all that
//! must not be parted. What is refused is named by the refusal, or [searched for](crate::change::culprit); it spoils
//! no other. Nothing is read again and no value is mended: what is not any more as it was read has been touched
//! by somebody since, and is left to the next run.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::batch::{self, Unit};
use crate::change::culprit::Culprit;
use crate::record::{Change, Key};
use crate::zone::refusal::Cause;
use crate::zone::{Meaning, ZoneError};

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is made.
    Made,
    /// Its record was gone already.
    Gone,
    /// Its record is another one by now.
    Touched,
    /// The zone does not take it.
    Refused(String),
    /// There was no time for it; or it may be made, and nobody said so.
    Left,
}

/// Changes on their way into the zone.
#[derive(Debug)]
pub struct Sweep {
    /// What has no answer yet, in the order in which it may go.
    open: Vec<Unit>,
    culprit: Culprit,
    outcomes: Vec<(Key, Outcome)>,
}

impl Sweep {
    /// Nothing is made yet.
    pub fn new(changes: Vec<Change>) -> Self {
        Self { open: batch::units(changes), culprit: Culprit::narrowing(), outcomes: Vec::new() }
    }

    /// The next batch; none when all is done. It stays the next until it is answered for good.
    pub fn next_batch(&self) -> Option<Vec<Change>> {
        let batch = changes(&self.next());
        (!batch.is_empty()).then_some(batch)
    }

    /// What the zone said of the batch that came last. After any other failure than a refusal it is the next
    /// one again.
    pub fn answered(&mut self, answer: Result<(), &ZoneError>) {
        let units = self.next();
        match answer {
            Ok(()) => {
                self.culprit.taken(&changes(&units));
                self.settle(&units, &Outcome::Made);
            }
            Err(error) if error.meaning() == Meaning::Refused => self.refused(&units, error),
            Err(_) => {}
        }
    }

    /// What became of each change; what has no answer is left.
    pub fn end(mut self) -> Vec<(Key, Outcome)> {
        let open = self.open.clone();
        self.settle(&open, &Outcome::Left);
        self.outcomes
    }

    fn next(&self) -> Vec<Unit> {
        self.culprit.next(self.open.clone())
    }

    fn settle(&mut self, units: &[Unit], outcome: &Outcome) {
        let keys: BTreeSet<Key> = changes(units).iter().map(|change| change.set.key()).collect();
        self.open.retain(|unit| !unit.changes.iter().any(|change| keys.contains(&change.set.key())));
        self.outcomes.extend(changes(units).iter().map(|change| (change.set.key(), outcome.clone())));
    }

    /// Takes out the units that are named; where none is, the search goes on.
    fn refused(&mut self, units: &[Unit], error: &ZoneError) {
        let batch = changes(units);
        let mut named: BTreeMap<usize, Outcome> = BTreeMap::new();
        for refusal in error.refusals() {
            let key = refusal.culprit(&batch).map(|index| batch[index].set.key());
            let is_it = |unit: &Unit| unit.changes.iter().any(|change| Some(change.set.key()) == key);
            if let Some(unit) = units.iter().position(is_it) {
                named.insert(unit, outcome(refusal.cause, &refusal.text));
            }
        }
        if !named.is_empty() {
            self.culprit.named();
            named.iter().for_each(|(unit, outcome)| self.settle(&units[*unit..=*unit], outcome));
        } else if self.culprit.refused(units) {
            let cause = error.refusals().first().map_or(Cause::Other, |refusal| refusal.cause);
            self.settle(units, &outcome(cause, &error.to_string()));
        }
    }
}

fn changes(units: &[Unit]) -> Vec<Change> {
    units.iter().flat_map(|unit| unit.changes.clone()).collect()
}

fn outcome(cause: Cause, reason: &str) -> Outcome {
    match cause {
        Cause::NotFound => Outcome::Gone,
        Cause::ValuesDiffer | Cause::AlreadyExists => Outcome::Touched,
        Cause::TtlDiffers | Cause::ZoneFull | Cause::GroupFull | Cause::Other => {
            Outcome::Refused(reason.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Action, RecordSet, RecordType, Routing};
    use crate::zone::route53::refusal::read;

    fn delete(n: usize) -> Change {
        Change {
            action: Action::Delete,
            set: RecordSet {
                name: "_web._tcp.sd.internal".into(),
                kind: RecordType::Srv,
                set_identifier: Some(format!("id{n}")),
                routing: Routing::Weighted(1),
                ttl: 0,
                values: vec![format!("1 1 {n} ip-10-123-145-167.eu-central-1.compute.internal")],
            },
        }
    }

    fn deletes(n: usize) -> Vec<Change> {
        (0..n).map(delete).collect()
    }

    /// Calls until all is done, and what became of the changes.
    fn run(
        changes: Vec<Change>,
        mut zone: impl FnMut(&[Change]) -> Result<(), ZoneError>,
    ) -> (usize, Vec<Outcome>) {
        let mut sweep = Sweep::new(changes);
        let mut calls = 0;
        while let Some(batch) = sweep.next_batch() {
            calls += 1;
            assert!(calls < 100, "no end");
            let answer = zone(&batch);
            sweep.answered(answer.as_ref().copied());
        }
        let mut outcomes = sweep.end();
        outcomes
            .sort_by_key(|(key, _)| key.set_identifier.as_ref().and_then(|id| id[2..].parse::<usize>().ok()));
        (calls, outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    #[test]
    fn five_hundred_and_sixty_go_in_one_call() {
        for (n, expected) in [(0, 0), (1, 1), (560, 1), (1_000, 2), (1_200, 3)] {
            let (calls, outcomes) = run(deletes(n), |_| Ok(()));
            assert_eq!((calls, outcomes), (expected, vec![Outcome::Made; n]));
        }
    }

    #[test]
    fn one_that_was_touched_since_survives_and_holds_up_no_other() {
        let is_7 = |change: &Change| change.set.set_identifier.as_deref() == Some("id7");
        for (words, outcome) in [
            ("but the values provided do not match the current values", Outcome::Touched),
            ("but it was not found", Outcome::Gone),
        ] {
            for named in [", set-identifier='id7'", ""] {
                let reason = format!(
                    "Tried to delete resource record set [name='_web._tcp.sd.internal.', type='SRV'{named}] {words}"
                );
                let (calls, outcomes) = run(deletes(100), |batch| match batch.iter().any(is_7) {
                    true => Err(ZoneError::Rejected(vec![read(reason.clone())])),
                    false => Ok(()),
                });
                let mut expected = vec![Outcome::Made; 100];
                expected[7] = outcome.clone();
                assert_eq!(outcomes, expected);
                // By its name at once, else by halving.
                assert!(calls <= if named.is_empty() { 15 } else { 2 }, "{calls}");
            }
        }
    }

    #[test]
    fn a_name_that_a_policy_denies_holds_up_no_other() {
        let is_3 = |change: &Change| change.set.set_identifier.as_deref() == Some("id3");
        let (calls, outcomes) = run(deletes(64), |batch| match batch.iter().any(is_3) {
            true => Err(ZoneError::Denied("not that".to_owned())),
            false => Ok(()),
        });
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Made).count(), 63);
        assert_eq!(outcomes[3], Outcome::Refused("access denied: not that".to_owned()));
        assert!(calls <= 13, "{calls}");
    }

    #[test]
    fn what_was_throttled_or_is_unknown_is_the_next_again() {
        let mut sweep = Sweep::new(deletes(3));
        for error in [ZoneError::Throttled(String::new()), ZoneError::Unknown(String::new())] {
            assert_eq!(sweep.next_batch().unwrap().len(), 3);
            sweep.answered(Err(&error));
        }
        assert_eq!(sweep.next_batch().unwrap().len(), 3);
        assert!(sweep.end().iter().all(|(_, outcome)| *outcome == Outcome::Left));
    }

    /// It was made, and only the answer was lost.
    #[test]
    fn what_is_not_there_any_more_is_done() {
        let gone = |change: &Change| {
            let id = change.set.set_identifier.as_deref().unwrap();
            format!(
                "Tried to delete resource record set [name='_web._tcp.sd.internal.', type='SRV', \
                 set-identifier='{id}'] but it was not found"
            )
        };
        let (calls, outcomes) =
            run(deletes(20), |batch| Err(ZoneError::Rejected(batch.iter().map(gone).map(read).collect())));
        assert_eq!((calls, outcomes), (1, vec![Outcome::Gone; 20]));
    }
}
