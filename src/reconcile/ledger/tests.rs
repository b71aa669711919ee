//! The ledger against the real model of a zone, with an adversary between.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::record::testing::{id, registrant};
use crate::record::{Action, RecordType, Routing};
use crate::zone::ZoneError;
use crate::zone::refusal::{Cause, Named, Refusal};

mod any;
mod desk;
mod poison;
mod reads;

use desk::{Desk, Fault, own};

fn unlike(set: &RecordSet, weight: i64) -> RecordSet {
    RecordSet { routing: Routing::Weighted(weight), ..set.clone() }
}

#[test]
fn a_clean_start_and_stop_cost_one_a_record() {
    let mut desk = Desk::default();
    for n in 0..50 {
        desk.want(own(n, 32_768 + n));
    }
    desk.settle();
    for n in 0..50 {
        desk.unwant(&own(n, 0));
    }
    desk.settle();
    assert_eq!((desk.calls, desk.cost), (2, 100));
    assert_eq!(desk.own_sets(), []);
}

#[test]
fn nothing_new_is_written_to_a_contested_name_nor_points_to_it() {
    let address = |value: &str| RecordSet {
        name: "i-0a.sd.internal".into(),
        kind: RecordType::A,
        set_identifier: Some("i-0a".into()),
        routing: Routing::Weighted(1),
        ttl: 60,
        values: vec![value.into()],
    };
    let service = RecordSet { values: vec!["1 1 80 i-0a.sd.internal".into()], ..own(0, 80) };
    let now = Moment::START;
    let mut ledger = Ledger::default();
    ledger.contest(Some("i-0a.sd.internal".to_owned()));
    for set in [address("10.0.0.7"), service] {
        ledger.want(set.key(), Some(set));
    }
    assert!(ledger.batch(now).is_empty() && !ledger.settled());
    ledger.contest(None);
    assert_eq!(ledger.batch(now).len(), 2);
    // What was there before follows its host.
    let mut ledger = Ledger::new([address("10.0.0.7")]);
    ledger.contest(Some("i-0a.sd.internal".to_owned()));
    ledger.want(address("").key(), Some(address("10.0.0.8")));
    assert_eq!(ledger.batch(now)[0].changes.len(), 2);
}

#[test]
fn what_waits_for_something_else_than_the_pace_is_no_backlog() {
    let now = Moment::START;
    let backlog = |ledger: &Ledger| (ledger.backlog(now), ledger.load().cost);
    let wanting = || {
        let mut ledger = Ledger::default();
        ledger.want(own(0, 80).key(), Some(own(0, 80)));
        ledger
    };
    assert_eq!(backlog(&wanting()), (1, 1));
    let mut contested = wanting();
    contested.contest(Some("i-1.sd.internal".to_owned()));
    assert_eq!(backlog(&contested), (0, 1));
    let answered = |error: ZoneError| {
        let mut ledger = wanting();
        let batch: Vec<_> = ledger.batch(now).into_iter().flat_map(|unit| unit.changes).collect();
        ledger.on_answer(&batch, &Err(error), now);
        ledger
    };
    assert_eq!(backlog(&answered(ZoneError::Denied("no".to_owned()))), (0, 1), "it is parked");
    let key = Named { name: Some(own(0, 0).name), ..Named::default() };
    let refusal = Refusal { cause: Cause::TtlDiffers, key, text: "no".to_owned() };
    assert_eq!(backlog(&answered(ZoneError::Rejected(vec![refusal]))), (0, 1), "its group's TTL is read");
}

#[test]
fn what_is_to_leave_is_urgent_until_it_is_wanted_again() {
    let mut ledger = Ledger::new([own(0, 80)]);
    for wanted in [false, true, false] {
        ledger.want(own(0, 80).key(), wanted.then(|| own(0, 80)));
        let load = Load { cost: usize::from(!wanted), urgent: usize::from(!wanted) };
        assert_eq!(ledger.load(), load);
    }
}

#[test]
fn who_takes_a_port_goes_with_who_leaves_it_though_a_calls_worth_stands_between() {
    let mut ledger = Ledger::new([own(0, 80)]);
    ledger.want(own(0, 80).key(), None);
    for n in 1..=999 {
        let set = own(n, if n == 999 { 80 } else { 10_000 + n });
        ledger.want(set.key(), Some(set));
    }
    let units = ledger.batch(Moment::START);
    let first: Vec<_> = units[0].changes.iter().map(|change| change.set.key()).collect();
    assert_eq!(first, [own(0, 80).key(), own(999, 80).key()]);
}

#[test]
fn packs_as_many_creates_into_a_call_as_it_takes() {
    for n in [560, 561, 562, 1_122, 1_123] {
        let mut desk = Desk::default();
        for n in 0..n {
            let mut set = own(n, 30_000 + n);
            set.values = vec![format!("1 1 {} ip-10-123-145-167.eu-central-1.compute.internal", 30_000 + n)];
            assert_eq!(set.values[0].len(), 57);
            desk.want(set);
        }
        desk.settle();
        assert_eq!(desk.calls, usize::from(n).div_ceil(32_000 / 57));
    }
}

#[test]
fn a_changed_weight_is_an_upsert_and_another_port_a_swap() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.settle();
    desk.want(unlike(&own(0, 80), 0));
    desk.settle();
    assert_eq!(desk.last_actions(), [Action::Upsert]);
    desk.want(own(0, 81));
    desk.settle();
    assert_eq!(desk.last_actions(), [Action::Delete, Action::Create]);
    assert_eq!(desk.own_sets(), [own(0, 81)]);
}

#[test]
fn a_create_and_a_delete_that_were_not_written_annihilate() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.unwant(&own(0, 80));
    desk.settle();
    assert_eq!(desk.calls, 0);
}

#[test]
fn what_exists_under_our_mark_is_written_over_or_read_and_deleted() {
    let mut desk = Desk::default();
    desk.by_hand(Action::Create, own(0, 99));
    desk.want(own(0, 80));
    desk.settle();
    assert_eq!((desk.own_sets(), desk.calls), (vec![own(0, 80)], 2));
    desk.by_hand(Action::Upsert, unlike(&own(0, 80), 7));
    desk.unwant(&own(0, 80));
    desk.settle();
    assert_eq!((desk.own_sets(), desk.lookups), (vec![], 1));
}

#[test]
fn a_group_that_others_began_gives_its_ttl_and_again_when_it_began_anew() {
    let foreign = |ttl| RecordSet { set_identifier: Some("elsewhere".into()), ttl, ..own(0, 99) };
    let mut desk = Desk::default();
    desk.by_hand(Action::Create, foreign(60));
    desk.want(own(0, 80));
    desk.settle();
    assert_eq!(desk.own_sets()[0].ttl, 60);
    // Everything of the group goes by hand, and another begins with another TTL.
    let written = desk.own_sets()[0].clone();
    desk.by_hand(Action::Delete, written.clone());
    desk.by_hand(Action::Delete, foreign(60));
    desk.by_hand(Action::Create, foreign(30));
    desk.want(own(0, 81));
    desk.settle();
    assert_eq!(desk.own_sets()[0].ttl, 30);
}

#[test]
fn after_an_unknown_outcome_a_missing_record_is_believed_a_minute_later() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.call(Fault::LateAfterNext);
    desk.unwant(&own(0, 80));
    // The delete finds nothing, and then the create arrives.
    desk.call(Fault::None);
    assert_eq!((desk.own_sets().len(), desk.ledger.due_at(desk.now)), (1, Some(desk.now + LATE_WAIT)));
    desk.settle();
    assert_eq!(desk.own_sets(), []);
}

#[test]
fn what_is_wanted_again_does_not_wait_for_a_late_call() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.call(Fault::UnknownBefore);
    desk.unwant(&own(0, 80));
    let batch: Vec<_> = desk.ledger.batch(desk.now).into_iter().flat_map(|unit| unit.changes).collect();
    let refused = desk.ask(&batch);
    desk.ledger.want(own(0, 80).key(), Some(own(0, 80)));
    desk.ledger.on_answer(&batch, &refused, desk.now);
    desk.call(Fault::None);
    assert_eq!(desk.own_sets(), [own(0, 80)]);
}

#[test]
fn a_missing_record_that_was_wanted_meanwhile_is_believed_a_minute_later_too() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.call(Fault::LateAfterNext);
    desk.unwant(&own(0, 80));
    let batch: Vec<_> = desk.ledger.batch(desk.now).into_iter().flat_map(|unit| unit.changes).collect();
    let refused = desk.ask(&batch);
    desk.ledger.want(own(0, 80).key(), Some(own(0, 80)));
    desk.ledger.on_answer(&batch, &refused, desk.now);
    desk.ledger.want(own(0, 80).key(), None);
    // The same delete finds nothing again, and then the create arrives.
    desk.call(Fault::None);
    assert_eq!((desk.own_sets().len(), desk.ledger.due_at(desk.now)), (1, Some(desk.now + LATE_WAIT)));
    desk.settle();
    assert_eq!(desk.own_sets(), []);
}

#[test]
fn what_waits_costs_what_it_will_when_it_goes() {
    let mut ledger = Ledger::new([own(0, 80), own(1, 81), own(2, 82)]);
    (0..3).for_each(|n| ledger.want(own(n, 80 + n).key(), Some(own(n, 80 + n))));
    assert_eq!(ledger.backlog(Moment::START), 0);
    ledger.want(own(0, 80).key(), Some(unlike(&own(0, 80), 7)));
    ledger.want(own(1, 81).key(), None);
    ledger.want(own(2, 82).key(), Some(own(2, 83)));
    ledger.want(own(3, 84).key(), Some(own(3, 84)));
    assert_eq!(ledger.backlog(Moment::START), 2 + 1 + 2 + 1);
}

#[test]
fn a_drain_believes_at_once_that_nothing_is_there() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.call(Fault::UnknownBefore);
    desk.unwant(&own(0, 80));
    desk.ledger.drain();
    desk.call(Fault::None);
    assert!(desk.ledger.settled());
}

#[test]
fn a_drain_tries_again_at_once_what_waits() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.settle();
    desk.unwant(&own(0, 80));
    desk.denied = Some(own(0, 0).name);
    desk.call(Fault::None);
    desk.denied = None;
    assert!(!desk.call(Fault::None));
    desk.ledger.drain();
    desk.call(Fault::None);
    assert_eq!(desk.own_sets(), []);
}

#[test]
fn half_of_a_refused_batch_is_within_the_limits_even_as_upserts() {
    let mut desk = Desk::default();
    for n in 0..561 {
        let mut set = own(n, 30_000 + n);
        set.values = vec![format!("1 1 {} ip-10-123-145-167.eu-central-1.compute.internal", 30_000 + n)];
        desk.want(set);
    }
    desk.denied = Some(own(0, 0).name);
    desk.call(Fault::None);
    desk.call(Fault::UnknownBefore);
    desk.call(Fault::None);
}

#[test]
fn a_task_address_leaves_no_earlier_than_what_points_to_it() {
    let name = |n: u16| format!("{n:012x}.sd.internal");
    let mut desk = Desk::default();
    for n in 0..600 {
        let address =
            RecordSet { name: name(n), kind: RecordType::A, values: vec!["10.0.0.1".into()], ..own(n, 0) };
        desk.want(address);
        let mut set = own(n, 80);
        set.values = vec![format!("1 1 80 {}", name(n))];
        desk.want(set);
    }
    desk.settle_checking(no_dangling);
    for set in desk.own_sets() {
        desk.unwant(&set);
    }
    desk.settle_checking(no_dangling);
    assert_eq!(desk.own_sets(), []);
}

fn no_dangling(desk: &Desk) {
    let sets = desk.own_sets();
    let addresses: BTreeSet<_> =
        sets.iter().filter(|set| set.kind == RecordType::A).map(|set| set.name.as_str()).collect();
    let targets = sets
        .iter()
        .filter(|set| set.kind == RecordType::Srv)
        .filter_map(|set| set.values[0].rsplit(' ').next());
    assert!(targets.into_iter().all(|target| addresses.contains(target)), "an answer leads nowhere");
}
