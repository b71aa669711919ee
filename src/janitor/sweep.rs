//! Which batch of changes comes next, and what became of each change. Pure.
//!
//! Changes go as the agent's go: in the units of [`batch`], packed by the real limits. A unit is all that
//! must not be parted. What is refused is found by the words of the refusal, or by halving; it spoils no
//! other. Nothing is read again and no value is mended: what is not any more as it was read has been touched
//! by somebody since, and is left to the next run.

use std::collections::VecDeque;

use crate::record::{Change, Key};
use crate::zone::ZoneError;
use crate::zone::batch::{self, Unit};
use crate::zone::refusal::{self, Cause};

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
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
#[derive(Debug, Default)]
pub struct Sweep {
    /// Halves of refused batches, the next one last.
    parts: Vec<Vec<Unit>>,
    rest: VecDeque<Unit>,
    fates: Vec<(Key, Fate)>,
}

impl Sweep {
    /// Nothing is made yet.
    pub fn new(changes: Vec<Change>) -> Self {
        Self { rest: batch::units(changes).into(), ..Self::default() }
    }

    /// The next batch; none when all is done. It stays the next until it is answered for good.
    pub fn next_batch(&mut self) -> Option<Vec<Change>> {
        if self.parts.is_empty() {
            let taken = batch::pack(self.rest.make_contiguous()).len();
            if taken > 0 {
                self.parts.push(self.rest.drain(..taken).collect());
            }
        }
        let part = self.parts.last()?;
        Some(part.iter().flat_map(|unit| unit.changes.clone()).collect())
    }

    /// What the zone said of the batch that came last. After any other failure than a refusal it is the next
    /// one again.
    pub fn answered(&mut self, answer: Result<(), &ZoneError>) {
        let Some(part) = self.parts.pop() else { return };
        match answer {
            Ok(()) => part.into_iter().for_each(|unit| self.settle(unit, &Fate::Made)),
            Err(ZoneError::Rejected(reasons)) => self.refused(part, reasons),
            Err(ZoneError::Denied(reason) | ZoneError::Invalid(reason)) => {
                self.halve(part, Fate::Refused(reason.clone()));
            }
            Err(_) => self.parts.push(part),
        }
    }

    /// What became of each change; what has no answer is left.
    pub fn end(mut self) -> Vec<(Key, Fate)> {
        let open: Vec<Unit> = self.parts.drain(..).flatten().chain(self.rest.drain(..)).collect();
        open.into_iter().for_each(|unit| self.settle(unit, &Fate::Left));
        self.fates
    }

    fn settle(&mut self, unit: Unit, fate: &Fate) {
        let fates = unit.changes.into_iter().map(|change| (change.set.key(), fate.clone()));
        self.fates.extend(fates);
    }

    /// Takes out the units that the reasons name; where they name none, looks for them in the halves.
    fn refused(&mut self, part: Vec<Unit>, reasons: &[String]) {
        let batch: Vec<Change> = part.iter().flat_map(|unit| unit.changes.clone()).collect();
        let mut named: Vec<Option<Fate>> = vec![None; part.len()];
        for reason in reasons {
            let refusal = refusal::read(reason, &batch);
            if let [index] = refusal.suspects[..] {
                let mut end = 0;
                let unit = part.iter().position(|unit| {
                    end += unit.changes.len();
                    index < end
                });
                if let Some(unit) = unit {
                    named[unit] = Some(fate(refusal.cause, reason));
                }
            }
        }
        if named.iter().all(Option::is_none) {
            let reason = reasons.join(", ");
            let refusal = reasons.first().map(|reason| refusal::read(reason, &batch).cause);
            return self.halve(part, fate(refusal.unwrap_or(Cause::Other), &reason));
        }
        let mut left = Vec::new();
        for (unit, fate) in part.into_iter().zip(named) {
            match fate {
                Some(fate) => self.settle(unit, &fate),
                None => left.push(unit),
            }
        }
        self.push(left);
    }

    /// One that is alone is the one that was meant.
    fn halve(&mut self, mut part: Vec<Unit>, fate: Fate) {
        if part.len() == 1 {
            part.into_iter().for_each(|unit| self.settle(unit, &fate));
            return;
        }
        let second = part.split_off(part.len() / 2);
        self.push(second);
        self.push(part);
    }

    fn push(&mut self, part: Vec<Unit>) {
        if !part.is_empty() {
            self.parts.push(part);
        }
    }
}

fn fate(cause: Cause, reason: &str) -> Fate {
    match cause {
        Cause::NotFound => Fate::Gone,
        Cause::ValuesDiffer | Cause::AlreadyExists => Fate::Touched,
        Cause::TtlDiffers | Cause::Other => Fate::Refused(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Action, RecordSet, RecordType};

    fn delete(n: usize) -> Change {
        Change {
            action: Action::Delete,
            set: RecordSet {
                name: "_web._tcp.sd.internal".into(),
                kind: RecordType::Srv,
                set_identifier: Some(format!("id{n}")),
                weight: Some(1),
                multivalue: false,
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
    ) -> (usize, Vec<Fate>) {
        let mut sweep = Sweep::new(changes);
        let mut calls = 0;
        while let Some(batch) = sweep.next_batch() {
            calls += 1;
            assert!(calls < 100, "no end");
            let answer = zone(&batch);
            sweep.answered(answer.as_ref().copied());
        }
        let mut fates = sweep.end();
        fates
            .sort_by_key(|(key, _)| key.set_identifier.as_ref().and_then(|id| id[2..].parse::<usize>().ok()));
        (calls, fates.into_iter().map(|(_, fate)| fate).collect())
    }

    #[test]
    fn five_hundred_and_sixty_go_in_one_call() {
        for (n, expected) in [(0, 0), (1, 1), (560, 1), (1_000, 2), (1_200, 3)] {
            let (calls, fates) = run(deletes(n), |_| Ok(()));
            assert_eq!((calls, fates), (expected, vec![Fate::Made; n]));
        }
    }

    #[test]
    fn one_that_was_touched_since_survives_and_holds_up_no_other() {
        let is_7 = |change: &Change| change.set.set_identifier.as_deref() == Some("id7");
        for (words, fate) in [
            ("but the values provided do not match the current values", Fate::Touched),
            ("but it was not found", Fate::Gone),
        ] {
            for named in [", set-identifier='id7'", ""] {
                let reason = format!(
                    "Tried to delete resource record set [name='_web._tcp.sd.internal.', type='SRV'{named}] {words}"
                );
                let (calls, fates) = run(deletes(100), |batch| match batch.iter().any(is_7) {
                    true => Err(ZoneError::Rejected(vec![reason.clone()])),
                    false => Ok(()),
                });
                let mut expected = vec![Fate::Made; 100];
                expected[7] = fate.clone();
                assert_eq!(fates, expected);
                // By its name at once, else by halving.
                assert!(calls <= if named.is_empty() { 15 } else { 2 }, "{calls}");
            }
        }
    }

    #[test]
    fn a_name_that_a_policy_denies_holds_up_no_other() {
        let is_3 = |change: &Change| change.set.set_identifier.as_deref() == Some("id3");
        let (calls, fates) = run(deletes(64), |batch| match batch.iter().any(is_3) {
            true => Err(ZoneError::Denied("not that".to_owned())),
            false => Ok(()),
        });
        assert_eq!(fates.iter().filter(|fate| **fate == Fate::Made).count(), 63);
        assert_eq!(fates[3], Fate::Refused("not that".to_owned()));
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
        assert!(sweep.end().iter().all(|(_, fate)| *fate == Fate::Left));
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
        let (calls, fates) =
            run(deletes(20), |batch| Err(ZoneError::Rejected(batch.iter().map(gone).collect())));
        assert_eq!((calls, fates), (1, vec![Fate::Gone; 20]));
    }
}
