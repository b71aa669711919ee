//! A ledger that is rebuilt from a journal after a crash: the table in the room's description, row by row.

use crate::change::batch::Unit;
use crate::journal::{Entry, Journal, MemoryJournal, State};
use crate::moment::Moment;
use crate::reconcile::ledger::{LATE_WAIT, Ledger, Lookup};
use crate::record::{Action, Key, RecordSet};
use crate::zone::embedded::testing::{change, delete, srv, upsert};
use crate::zone::embedded::{EmbeddedZone, Options};
use crate::zone::{ListStart, Zone, ZoneError};

fn written(set: &RecordSet) -> Entry {
    (set.key(), State::Written(set.clone()))
}

fn learnt(entries: &[Entry]) -> Vec<(Key, Option<State>)> {
    entries.iter().cloned().map(|(key, state)| (key, Some(state))).collect()
}

/// What a writer did until its ledger was settled.
#[derive(Debug, Default, PartialEq)]
struct Done {
    calls: Vec<Vec<Action>>,
    lists: usize,
}

/// A writer in a nutshell, with a journal; ends when all is settled.
async fn settle(ledger: &mut Ledger, journal: &mut dyn Journal, zone: &EmbeddedZone) -> Done {
    let (mut done, mut now) = (Done::default(), Moment::START);
    for _ in 0..20 {
        if let Some(lookup) = ledger.lookup(now).cloned() {
            let Lookup::Set(key) = &lookup else { panic!("{lookup:?}") };
            let page = zone.list(Some(&ListStart::from(key.clone())), 1).await.unwrap();
            let found = page.sets.into_iter().next().map(RecordSet::canonical);
            ledger.on_lookup(&lookup, Ok(found), now);
            done.lists += 1;
            journal.record(&ledger.states([key.clone()]));
            continue;
        }
        let batch: Vec<_> = ledger.batch(now).into_iter().flat_map(|unit: Unit| unit.changes).collect();
        if batch.is_empty() {
            match ledger.due_at(now) {
                Some(at) => now = at,
                None => break,
            }
            continue;
        }
        journal.intend(&batch);
        let answer = zone.change(&batch).await.map(drop);
        ledger.on_answer(&batch, &answer, now);
        journal.record(&ledger.states(batch.iter().map(|change| change.set.key())));
        done.calls.push(batch.iter().map(|change| change.action).collect());
    }
    assert!(ledger.settled(), "{ledger:?}");
    assert!(now <= Moment::START + LATE_WAIT);
    done
}

fn own(zone: &EmbeddedZone) -> Vec<RecordSet> {
    zone.snapshot().into_iter().map(RecordSet::canonical).filter(|set| set.set_identifier.is_some()).collect()
}

#[tokio::test]
async fn every_row_of_the_table() {
    use Action::{Delete, Upsert};
    let (old, new, other) = (srv("web", "a", 1), srv("web", "a", 2), srv("web", "a", 3));
    let moved = RecordSet { values: vec!["1 1 81 i-a.sd.internal".into()], ..new.clone() };
    let create = vec![change(new.clone())];
    let remove = vec![delete(old.clone())];
    let weigh = vec![upsert(new.clone())];
    let swap = vec![delete(old.clone()), change(moved)];
    let gone =
        |calls: &[&[Action]], lists| Done { calls: calls.iter().map(|call| call.to_vec()).collect(), lists };
    for (stood, batch, applied, unwanted) in [
        (None, &create, false, gone(&[&[Delete], &[Delete]], 0)),
        (None, &create, true, gone(&[&[Delete]], 0)),
        (Some(&old), &remove, false, gone(&[&[Delete]], 0)),
        (Some(&old), &remove, true, gone(&[&[Delete], &[Delete]], 0)),
        (Some(&old), &weigh, false, gone(&[&[Delete], &[Delete]], 1)),
        (Some(&old), &weigh, true, gone(&[&[Delete]], 0)),
        (Some(&old), &swap, false, gone(&[&[Delete], &[Delete]], 1)),
        (Some(&old), &swap, true, gone(&[&[Delete]], 0)),
        // Of a key that was unsure already: nothing, or anything.
        (None, &weigh, false, gone(&[&[Delete], &[Delete]], 0)),
        (Some(&other), &weigh, false, gone(&[&[Delete], &[Delete]], 1)),
    ] {
        for wanted in [None, Some(&old), Some(&new), Some(&other)] {
            let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
            let mut journal = MemoryJournal::default();
            if let Some(set) = stood {
                zone.change(&[change(set.clone())]).await.unwrap();
                journal.record(&learnt(&[written(set)]));
            }
            journal.intend(batch);
            if applied {
                zone.change(batch).await.unwrap();
            }
            let mut ledger = Ledger::restore(journal.load(), [], Moment::START);
            if let Some(set) = wanted {
                ledger.want(set.key(), Some(set.clone()));
            }
            let done = settle(&mut ledger, &mut journal, &zone).await;
            let case = format!("{batch:?}, applied {applied}, wanted {wanted:?}");
            assert_eq!(own(&zone), Vec::from_iter(wanted.cloned()), "{case}");
            assert_eq!(journal.load(), Vec::from_iter(wanted.map(written)), "{case}");
            let expected = if wanted.is_some() { &gone(&[&[Upsert]], 0) } else { &unwanted };
            assert_eq!(&done, expected, "{case}");
        }
    }
}

#[tokio::test]
async fn what_was_written_and_is_still_wanted_costs_no_call() {
    let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
    let mut journal = MemoryJournal::default();
    let (kept, unread) = (srv("web", "a", 1), srv("web", "b", 1));
    zone.change(&[change(kept.clone()), change(unread.clone())]).await.unwrap();
    journal.record(&learnt(&[written(&kept), (unread.key(), State::Unread)]));
    let mut ledger = Ledger::restore(journal.load(), [], Moment::START);
    ledger.want(kept.key(), Some(kept.clone()));
    assert_eq!(ledger.observed().collect::<Vec<_>>(), [&kept]);
    // The other is not wanted, and has to be read before it can be deleted.
    let done = settle(&mut ledger, &mut journal, &zone).await;
    assert_eq!(done, Done { calls: vec![vec![Action::Delete]], lists: 1 });
    assert_eq!(own(&zone), std::slice::from_ref(&kept));
    assert_eq!(journal.load(), [written(&kept)]);
}

#[test]
fn a_call_that_was_not_taken_leaves_what_was_known() {
    let set = srv("web", "a", 1);
    let mut journal = MemoryJournal::new([written(&set)]);
    let mut ledger = Ledger::restore(journal.load(), [], Moment::START);
    let batch = [delete(set.clone())];
    journal.intend(&batch);
    ledger.on_answer(&batch, &Err(ZoneError::Throttled(String::new())), Moment::START);
    journal.record(&ledger.states([set.key()]));
    assert_eq!(journal.load(), [written(&set)]);
}
