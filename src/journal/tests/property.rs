//! Random batches, outcomes, restarts and kills, against a plain map.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proptest::prelude::*;

use super::*;
use crate::journal::MemoryJournal;
use crate::record::Action;
use crate::zone::embedded::testing::{change, delete, multivalue, upsert};

#[derive(Clone, Debug)]
enum Step {
    Intend(Vec<Change>),
    Learn(Vec<(Key, Option<State>)>),
    Restart,
    Kill,
}

fn any_set() -> impl Strategy<Value = RecordSet> {
    let weighted = ("[a-e]", 0i64..3).prop_map(|(id, weight)| srv("web", &id, weight));
    let multivalue =
        ("[a-e]", 0..3_u8).prop_map(|(id, last)| multivalue("all", &id, &format!("10.0.0.{last}")));
    prop_oneof![weighted, multivalue]
}

fn any_change() -> impl Strategy<Value = Change> {
    any_set().prop_flat_map(|set| {
        prop::sample::select(vec![change(set.clone()), delete(set.clone()), upsert(set)])
    })
}

fn any_state() -> impl Strategy<Value = (Key, Option<State>)> {
    any_set().prop_flat_map(|set| {
        let states =
            [None, Some(State::Unread), Some(State::Written(set.clone())), Some(State::Unsure(set.clone()))];
        (Just(set.key()), prop::sample::select(states.to_vec()))
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(any_change(), 0..6).prop_map(Step::Intend),
        6 => prop::collection::vec(any_state(), 0..6).prop_map(Step::Learn),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
    ]
}

/// A journal in a directory of its own; a kill leaves the old one as it is, open and forgotten.
fn killed(dir: &tempfile::TempDir) -> tempfile::TempDir {
    let next = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join("journal.redb"), next.path().join("journal.redb")).unwrap();
    next
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn remembers_what_a_map_would(steps in prop::collection::vec(any_step(), 1..30)) {
        let mut dir = tempfile::tempdir().unwrap();
        let mut journal = reopen(dir.path()).journal;
        journal.complete();
        let mut map: BTreeMap<Key, State> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Intend(batch) => {
                    journal.intend(&batch);
                    for Change { set, .. } in batch {
                        map.insert(set.key(), State::Unsure(set));
                    }
                }
                Step::Learn(learnt) => {
                    journal.record(&learnt);
                    for (key, state) in learnt {
                        match state {
                            Some(state) => map.insert(key, state),
                            None => map.remove(&key),
                        };
                    }
                }
                Step::Restart => {
                    drop(journal);
                    journal = reopen(dir.path()).journal;
                }
                Step::Kill => {
                    let next = killed(&dir);
                    journal = reopen(next.path()).journal;
                    dir = next;
                }
            }
            prop_assert_eq!(journal.load(), map.clone().into_iter().collect::<Vec<_>>());
        }
        let next = killed(&dir);
        prop_assert_eq!(memory(next.path()), Memory::Kept(map.into_iter().collect()));
    }
}

#[test]
fn of_a_swap_what_it_creates_may_be_there() {
    let mut journal = MemoryJournal::default();
    journal.intend(&[delete(srv("web", "a", 1)), change(srv("web", "a", 2))]);
    assert_eq!(journal.load(), [unsure(&srv("web", "a", 2))]);
    journal.intend(&[delete(srv("web", "a", 2))]);
    assert!(matches!(&journal.load()[..], [(_, State::Unsure(set))] if set.weight() == Some(2)));
    assert_eq!(delete(srv("web", "a", 2)).action, Action::Delete);
}

#[test]
fn doubts_are_kept_over_any_end_until_they_are_settled() {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let dir = tempfile::tempdir().unwrap();
    let mut journal = reopen(dir.path()).journal;
    journal.complete();
    journal.record_doubts(&names(&["_a._tcp.sd.internal", "_b._tcp.sd.internal"]));
    journal.record_doubts(&names(&["_b._tcp.sd.internal", "_c._tcp.sd.internal"]));
    let next = killed(&dir);
    assert_eq!(reopen(next.path()).journal.doubts(), names(&["_b._tcp.sd.internal", "_c._tcp.sd.internal"]));
    journal.record_doubts(&names(&[]));
    drop(journal);
    let closed = reopen(dir.path());
    assert_eq!((closed.journal.doubts(), closed.memory), (names(&[]), Memory::Kept(vec![])));
}
