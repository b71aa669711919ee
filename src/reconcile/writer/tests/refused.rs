//! What is refused, contested or cannot be looked up holds up nothing else.

use std::time::Duration;

use super::*;
use crate::zone::refusal::{Cause, Named, Refusal};

#[test]
fn a_lookup_that_fails_holds_up_nothing_else_and_is_made_in_the_end() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.by_hand(Action::Create, [RecordSet { ttl: 30, ..srv("i-0b", 1) }]);
    stage.want(&[srv("i-0a", 1)]);
    let listless = |zone: &EmbeddedZone, call: &Call| match call {
        Call::Change(_) => call.make(zone).now_or_never().unwrap(),
        _ => call.unanswered("cut".into()),
    };
    for n in 2..30 {
        let other = RecordSet { name: format!("_n{n}._tcp.sd.internal"), ..srv("i-0a", n) };
        stage.writer.want(&[], &[other]);
        stage.step(Duration::from_secs(60), listless);
        stage.step(Duration::from_secs(60), listless);
    }
    assert!(stage.own().len() >= 28, "{}", stage.own().len());
    let rejected = stage.changes().len();
    assert!(rejected < 40, "{rejected} changes");
    stage.now += Duration::from_secs(60);
    stage.settle();
    assert!(stage.own().contains(&RecordSet { ttl: 30, ..srv("i-0a", 1) }));
    assert_eq!(stage.progress(), Progress::Settled);
}

/// The address of another host whose name begins as this one's does.
fn elsewhere() -> RecordSet {
    let set_identifier = Some("i-0a.elsewhere".into());
    RecordSet { set_identifier, values: vec!["10.9.9.9".into()], ..host() }
}

#[test]
fn a_foreign_address_under_this_hosts_name_stops_registration_until_it_is_gone() {
    let foreign = elsewhere();
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    stage.by_hand(Action::Create, [foreign.clone()]);
    stage.now += Duration::from_secs(2_200);
    stage.settle();
    assert!(matches!(stage.news.last(), Some(News::Contested(set)) if *set == foreign));
    stage.writer.want(&[srv("i-0a", 1)], &[srv("i-0a", 2)]);
    stage.settle();
    // What is over goes; nothing new comes.
    assert_eq!(stage.own(), [host()]);
    assert_eq!(stage.writer.unsettled().len(), 1);
    // What stands already still follows its container's health.
    stage.by_hand(Action::Delete, [foreign]);
    stage.now += Duration::from_secs(60);
    let before = stage.reads();
    stage.settle();
    assert!(stage.news.contains(&News::Uncontested));
    assert_eq!((stage.own().len(), stage.reads() - before), (2, 1));
}

#[test]
fn a_service_that_was_there_first_under_this_hosts_name_is_not_joined() {
    let service = RecordSet {
        set_identifier: Some(format!("i-0b:{:064x}:a", 1)),
        ttl: 0,
        values: vec!["10.0.0.8".into()],
        ..host()
    };
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.by_hand(Action::Create, [service.clone()]);
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    assert!(stage.news.contains(&News::Contested(service.clone())), "{:?}", stage.news);
    assert_eq!(stage.own(), []);
    stage.by_hand(Action::Delete, [service]);
    stage.now += Duration::from_secs(60);
    stage.settle();
    assert!(stage.news.contains(&News::Uncontested), "{:?}", stage.news);
    assert!(stage.own().contains(&host()) && stage.own().len() == 2, "with its own TTL: {:?}", stage.own());
}

#[test]
fn while_its_name_is_contested_a_record_that_stands_still_changes_its_weight() {
    let foreign = elsewhere();
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    stage.by_hand(Action::Create, [foreign]);
    stage.now += Duration::from_secs(2_200);
    stage.settle();
    stage.writer.want(&[srv("i-0a", 1)], &[RecordSet { routing: Routing::Weighted(0), ..srv("i-0a", 1) }]);
    stage.settle();
    assert!(stage.own().iter().any(|set| set.weight() == Some(0)));
}

#[test]
fn a_record_that_carries_what_we_cannot_see_is_parked_and_holds_up_nothing() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    let key = srv("i-0a", 1).key();
    // As of a set with a health check: what is listed of it is what we wrote, and no DELETE matches.
    let mismatch = |zone: &EmbeddedZone, call: &Call| match call {
        Call::Change(batch) if batch.iter().any(|change| change.set.key() == key) => {
            let Key { name, kind, set_identifier } = key.clone();
            let key = Named { name: Some(name), kind: Some(kind), set_identifier };
            let text = "the values provided do not match the current values".to_owned();
            let refusal = Refusal { cause: Cause::ValuesDiffer, key, text };
            Answer::Changed(Err(ZoneError::Rejected(vec![refusal])))
        }
        _ => call.make(zone).now_or_never().unwrap(),
    };
    stage.writer.want(&[srv("i-0a", 1)], &[srv("i-0a", 2)]);
    let before = stage.calls.len();
    while stage.step(Duration::from_secs(5), mismatch) {
        assert!(stage.calls.len() < before + 10, "it goes on for ever");
    }
    assert!(stage.own().contains(&srv("i-0a", 2)));
    assert_eq!(stage.writer.unsettled(), [srv("i-0a", 1).key()].into());
    assert_eq!(stage.progress(), Progress::Stuck);
}

#[test]
fn an_unsure_record_whose_successor_waits_is_asked_about_once() {
    let foreign = elsewhere();
    let kept = journal(true);
    kept.intend(&[Change { action: Action::Create, set: srv("i-0a", 1) }]);
    let mut stage = Stage::new(settings(Some(kept), true));
    stage.by_hand(Action::Create, [foreign, host()]);
    stage.settle();
    assert!(stage.news.iter().any(|news| matches!(news, News::Contested(_))));
    stage.want(&[RecordSet { values: vec!["1 1 99 i-0a.sd.internal".into()], ..srv("i-0a", 1) }]);
    for _ in 0..5 {
        stage.settle();
        stage.now += Duration::from_secs(60);
    }
    assert_eq!(stage.changes().len(), 1, "a delete that found nothing");
    assert_eq!(stage.own(), [host()]);
}

#[test]
fn an_address_that_is_refused_holds_back_what_would_point_to_it() {
    let simple = RecordSet { set_identifier: None, routing: Routing::Simple, ..host() };
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.by_hand(Action::Create, [simple.clone()]);
    stage.want(&[srv("i-0a", 1), srv("i-0a", 2)]);
    stage.settle();
    assert_eq!(stage.own(), []);
    let parked = stage
        .news
        .iter()
        .filter(|news| matches!(news, News::Note(crate::reconcile::ledger::Note::Parked(..))));
    assert_eq!(parked.count(), 1, "only the address is to blame: {:?}", stage.news);
    stage.by_hand(Action::Delete, [simple]);
    stage.now += REFUSED_WAIT;
    stage.settle();
    assert_eq!(stage.own().len(), 3);
}
