//! The API beside a naive map, and when each call is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::moment::at;
use crate::record::{Action, Key, RecordSet};
use crate::zone::embedded::name::OwnerName;
use crate::zone::embedded::testing::{a, change, delete, srv, upsert};

const START: Moment = Moment::START;

fn model(options: Options) -> Model {
    Model::new(Contents::new(OwnerName::parse("sd.internal").unwrap()), options, 1)
}

fn apply(model: &mut Model, batch: &[Change]) -> Result<Accepted, ZoneError> {
    model.change(batch, START, |_| Ok(()))
}

#[test]
fn a_change_is_pending_until_its_delay_is_over() {
    let mut model = model(Options { insync_after: Duration::from_secs(30), ..Options::default() });
    let info = apply(&mut model, &[change(srv("web", "a", 1))]).unwrap().info;
    assert_eq!((info.id.as_str(), info.status), ("/change/C0000000000000001", ChangeStatus::Pending));
    let status =
        |model: &mut Model, seconds| model.change_status(&info.id, at(seconds)).map(|info| info.status);
    assert_eq!(status(&mut model, 29), Ok(ChangeStatus::Pending));
    assert_eq!(status(&mut model, 30), Ok(ChangeStatus::InSync));
    let unknown = model.change_status("/change/C2", START);
    assert_eq!(unknown, Err(ZoneError::NoSuchChange("/change/C2".to_owned())));
}

#[test]
fn forgets_the_oldest_change_ids() {
    let mut model = model(Options::default());
    let first = apply(&mut model, &[change(srv("web", "a", 1))]).unwrap().info.id;
    for _ in 1..CHANGES_REMEMBERED_MAX {
        apply(&mut model, &[upsert(srv("web", "a", 1))]).unwrap();
    }
    assert!(model.change_status(&first, START).is_ok());
    apply(&mut model, &[upsert(srv("web", "a", 1))]).unwrap();
    assert!(model.change_status(&first, START).is_err());
}

#[test]
fn takes_back_what_could_not_be_kept() {
    let mut model = model(Options::default());
    let full = || ZoneError::Unknown("disk full".to_owned());
    let batch = [change(srv("web", "a", 1))];
    assert_eq!(model.change(&batch, START, |_| Err(full())), Err(full()));
    assert_eq!(model.contents().len(), 2);
    assert!(apply(&mut model, &batch).is_ok());
}

#[test]
fn asks_the_gate_first_and_keeps_nothing_that_is_refused() {
    let mut model = model(Options { throttle: Throttle::Legacy, ..Options::default() });
    let unkept = |_: &[Change]| panic!("a refused batch was kept");
    assert!(matches!(model.change(&[], START, unkept), Err(ZoneError::Invalid(_))));
    let absent = [delete(srv("web", "a", 1))];
    assert!(matches!(model.change(&absent, START, unkept), Err(ZoneError::Rejected(_))));
    for _ in 0..3 {
        model.list(None, 1, START).unwrap();
    }
    assert!(matches!(model.change(&[], START, unkept), Err(ZoneError::Throttled(_))));
    assert!(matches!(model.list(None, 1, START), Err(ZoneError::Throttled(_))));
    assert!(matches!(model.change_status("x", START), Err(ZoneError::Throttled(_))));
}

#[test]
fn is_busy_only_with_what_it_accepted() {
    let mut model = model(Options { one_change_in_flight: true, ..Options::default() });
    apply(&mut model, &[delete(srv("web", "a", 1))]).unwrap_err();
    let accepted = apply(&mut model, &[change(srv("web", "a", 1))]).unwrap();
    assert_eq!(accepted.served_at, Moment::after(Duration::from_micros(150_500)));
    assert!(matches!(apply(&mut model, &[change(srv("web", "b", 1))]), Err(ZoneError::Busy(_))));
    assert!(model.change(&[change(srv("web", "b", 1))], accepted.served_at, |_| Ok(())).is_ok());
}

#[test]
fn logs_the_last_batches_and_what_came_of_them() {
    let mut model = model(Options { batches_logged_max: 2, ..Options::default() });
    for id in ["a", "b", "a"] {
        let _ = apply(&mut model, &[change(srv("web", id, 1))]);
    }
    let outcomes: Vec<bool> = model.logged().map(|logged| logged.outcome.is_ok()).collect();
    assert_eq!(outcomes, [true, false]);
}

#[test]
fn caps_a_page_at_three_hundred() {
    let mut model = model(Options::default());
    for host in 0..4 {
        let batch: Vec<Change> =
            (0..100).map(|n| change(srv(&format!("web{host}"), &format!("i{n}"), 1))).collect();
        apply(&mut model, &batch).unwrap();
    }
    let page = model.list(None, 1_000, START).unwrap();
    assert_eq!((page.sets.len(), page.next.is_some()), (300, true));
}

fn any_set() -> impl Strategy<Value = RecordSet> {
    let weighted = (0..3_u8, 0..3_u8, 0..2_i64)
        .prop_map(|(name, id, weight)| srv(&format!("s{name}"), &format!("i{id}"), weight));
    let simple =
        (0..4_u8, 0..2_u8).prop_map(|(name, last)| a(&format!("s{name}"), &[&format!("10.0.0.{last}")]));
    prop_oneof![weighted, simple]
}

fn any_batch() -> impl Strategy<Value = Vec<Change>> {
    let action = prop::sample::select(vec![Action::Create, Action::Delete, Action::Upsert]);
    prop::collection::vec((action, any_set()).prop_map(|(action, set)| Change { action, set }), 1..5)
}

/// What a zone is to somebody who knows only creates, deletes and keys: `None` where it must refuse.
fn naive(before: &BTreeMap<Key, RecordSet>, batch: &[Change]) -> Option<BTreeMap<Key, RecordSet>> {
    let mut after = before.clone();
    for (index, Change { action, set }) in batch.iter().enumerate() {
        let earlier: Vec<Action> =
            batch[..index].iter().filter(|other| other.set.key() == set.key()).map(|c| c.action).collect();
        let allowed = earlier.is_empty() || (earlier == [Action::Delete] && *action == Action::Create);
        let exists = after.get(&set.key());
        let fits = match action {
            Action::Create => exists.is_none(),
            Action::Delete => exists == Some(set),
            Action::Upsert => true,
        };
        if !allowed || !fits {
            return None;
        }
        match action {
            Action::Delete => after.remove(&set.key()),
            Action::Create | Action::Upsert => after.insert(set.key(), set.clone()),
        };
    }
    Some(after)
}

fn held(model: &Model) -> BTreeMap<Key, RecordSet> {
    let own = model.contents().sets().filter(|set| set.name != "sd.internal.");
    own.map(|set| (set.key(), RecordSet { name: set.key().name, ..set.clone() })).collect()
}

proptest! {
    #[test]
    fn agrees_with_a_naive_map(batches in prop::collection::vec(any_batch(), 0..30)) {
        let mut model = model(Options::default());
        for batch in batches {
            let before = held(&model);
            let expected = naive(&before, &batch);
            prop_assert_eq!(apply(&mut model, &batch).is_ok(), expected.is_some(), "{:?}", batch);
            prop_assert_eq!(held(&model), expected.unwrap_or(before));
        }
    }

    #[test]
    fn lists_every_set_once_at_any_page_size(batches in prop::collection::vec(any_batch(), 0..30), size in 1..9_usize) {
        let mut model = model(Options::default());
        for batch in batches {
            let _ = apply(&mut model, &batch);
        }
        let (mut listed, mut start) = (Vec::new(), None);
        loop {
            let page = model.list(start.as_ref(), size, START).unwrap();
            prop_assert!(page.sets.len() <= size && (page.next.is_none() || page.sets.len() == size));
            listed.extend(page.sets);
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        let all: Vec<RecordSet> = model.contents().sets().cloned().collect();
        prop_assert_eq!(listed, all);
    }
}
