//! What the ledger learns by reading: lookups of a set or of a TTL, reads of the zone, and what a journal kept.

use super::*;
use crate::journal::State;

/// A desk that wants to look up the TTL of the first name's group, and wants a record of another name as well.
fn before_a_group_ttl() -> (Desk, Lookup) {
    let mut desk = Desk::default();
    desk.by_hand(
        Action::Create,
        RecordSet { set_identifier: Some("elsewhere".into()), ttl: 60, ..own(0, 99) },
    );
    desk.want(own(0, 80));
    desk.call(Fault::None);
    let lookup = Lookup::group_of(&own(0, 80).key());
    assert_eq!(desk.ledger.lookup(desk.now), Some(&lookup));
    desk.want(own(60, 80));
    (desk, lookup)
}

#[test]
fn a_lookup_that_is_refused_holds_up_what_depends_on_it_and_nothing_else() {
    let (mut desk, lookup) = before_a_group_ttl();
    let denied = ZoneError::Denied("not authorized to perform: route53:ListResourceRecordSets".into());
    desk.ledger.on_lookup(&lookup, Err(denied), desk.now);
    let held = desk.ledger.parking.get(&own(0, 80).key());
    assert!(held.is_some_and(|parked| parked.reason.contains("not authorized")), "{held:?}");
    assert_eq!(desk.ledger.parking.get(&own(60, 80).key()), None);
    assert_eq!(desk.ledger.lookup(desk.now), None);
    assert_eq!(desk.ledger.due_at(desk.now), Some(desk.now + REFUSED_WAIT));
    desk.call(Fault::None);
    assert_eq!(desk.own_sets(), [own(60, 80)]);
    desk.settle();
    assert_eq!(desk.own_sets().len(), 2);
}

#[test]
fn a_drain_looks_up_a_ttl_only_for_what_is_still_wanted() {
    let (mut desk, lookup) = before_a_group_ttl();
    desk.ledger.drain();
    assert_eq!(desk.ledger.lookup(desk.now), Some(&lookup));
    desk.unwant(&own(0, 80));
    desk.ledger.drain();
    assert_eq!(desk.ledger.lookup(desk.now), None);
}

#[test]
fn the_ttl_of_a_group_is_forgotten_with_it_and_is_no_other_groups() {
    let of_group = |set: RecordSet| RecordSet { name: "_t._tcp.sd.internal".into(), ..set };
    let ours = of_group(own(0, 80));
    let foreign = of_group(RecordSet { set_identifier: Some("elsewhere".into()), ttl: 60, ..own(0, 99) });
    let mut desk = Desk::default();
    desk.by_hand(Action::Create, foreign.clone());
    desk.want(ours.clone());
    desk.settle();
    desk.want(own(0, 80));
    desk.settle();
    assert_eq!(desk.own_sets().iter().map(|set| set.ttl).collect::<Vec<_>>(), [0, 60]);
    desk.unwant(&ours);
    desk.settle();
    desk.by_hand(Action::Delete, foreign);
    desk.want(ours.clone());
    desk.settle();
    assert_eq!(desk.own_sets(), [own(0, 80), ours]);
}

#[test]
fn a_read_tells_what_is_not_as_it_was_known() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.want(own(1, 81));
    desk.settle();
    let read = |desk: &mut Desk| {
        desk.ledger.begin_scan(desk.now);
        let own = desk.own_sets();
        desk.ledger.end_scan(&own, &Extent::Zone)
    };
    assert_eq!(read(&mut desk), BTreeSet::new());
    desk.by_hand(Action::Delete, own(0, 80));
    assert_eq!(read(&mut desk), [own(0, 80).key()].into());
    assert_eq!(desk.ledger.unsettled().collect::<Vec<_>>(), [&own(0, 80).key()]);
}

#[test]
fn only_a_record_of_unknown_outcome_is_doubted_after_a_restart() {
    let entry = |n, state: fn(RecordSet) -> State| (own(n, 80).key(), state(own(n, 80)));
    let ledger = Ledger::restore([entry(0, State::Written), entry(60, State::Unsure)], [], Moment::START);
    assert_eq!(ledger.trust.doubted().collect::<Vec<_>>(), [&own(60, 80).key().name]);
    assert_eq!(ledger.states([own(0, 80).key()]), [(own(0, 80).key(), Some(State::Written(own(0, 80))))]);
}

#[test]
fn what_is_doubted_is_handed_to_the_journal_and_doubted_by_the_next_run() {
    let late = "_late._tcp.sd.internal".to_owned();
    let unsure = (own(60, 80).key(), State::Unsure(own(60, 80)));
    let ledger = Ledger::restore([unsure], [late.clone()], Moment::START);
    let doubts = BTreeSet::from([own(60, 80).key().name, late]);
    assert_eq!(ledger.doubts(), doubts);
    assert_eq!(Ledger::restore([], ledger.doubts(), Moment::START).doubts(), doubts);
}

#[test]
fn the_ttl_of_a_group_is_known_for_as_long_as_anything_of_it_is_wanted() {
    for (first, last) in [(0, 1), (1, 0)] {
        let mut desk = Desk::default();
        let foreign = RecordSet { set_identifier: Some("elsewhere".into()), ttl: 60, ..own(0, 99) };
        desk.by_hand(Action::Create, foreign);
        (0..2).for_each(|n| desk.want(own(n, 80 + n)));
        desk.settle();
        let known = |desk: &Desk| desk.ledger.ttls.get(&own(0, 0).name, RecordType::Srv);
        assert_eq!(known(&desk), Some(60));
        desk.unwant(&own(first, 80 + first));
        desk.settle();
        assert_eq!(known(&desk), Some(60), "another of the group is left");
        desk.want(own(50, 82));
        desk.unwant(&own(last, 80 + last));
        desk.settle();
        assert_eq!(known(&desk), None, "what is left is of another name");
    }
}

#[test]
fn the_set_that_stands_after_a_group_is_none_of_it() {
    let key = own(0, 80).key();
    let read = |found: RecordSet| {
        let mut ledger = Ledger::default();
        ledger.on_lookup(&Lookup::group_of(&key), Ok(Some(found)), Moment::START);
        ledger.ttls.get(&key.name, key.kind)
    };
    let of_group = RecordSet { set_identifier: Some("elsewhere".into()), ttl: 60, ..own(0, 99) };
    assert_eq!(read(of_group.clone()), Some(60));
    assert_eq!(read(RecordSet { kind: RecordType::Txt, ..of_group.clone() }), None);
    assert_eq!(read(RecordSet { name: own(50, 0).name, ..of_group.clone() }), None);
    let lookup = Lookup::group_of(&key);
    assert!(lookup.is_group_of(&of_group) && !lookup.is_group_of(&own(50, 0)));
}

#[test]
fn a_lookup_that_is_refused_is_due_again_though_no_change_waits_for_it() {
    let now = Moment::after(Duration::from_secs(1_000));
    let mut ledger = Ledger::restore([(own(0, 80).key(), State::Unread)], [], now);
    ledger.want(own(0, 80).key(), None);
    let lookup = ledger.lookup(now).cloned().unwrap();
    assert_eq!(lookup, Lookup::Set(own(0, 80).key()));
    ledger.on_lookup(&lookup, Err(ZoneError::Denied("route53:ListResourceRecordSets".into())), now);
    assert_eq!((ledger.lookup(now), ledger.due_at(now)), (None, Some(now + REFUSED_WAIT)));
    assert_eq!(ledger.lookup(now + REFUSED_WAIT), Some(&lookup));
}

#[test]
fn the_ttl_of_what_leaves_is_not_given_to_what_comes() {
    let old = RecordSet { ttl: 60, ..own(0, 80) };
    let mut ledger = Ledger::new([old.clone()]);
    ledger.want(old.key(), None);
    ledger.want(own(1, 81).key(), Some(own(1, 81)));
    assert_eq!(ledger.fit(&own(1, 81)).ttl, 0);
    ledger.want(old.key(), Some(old.clone()));
    assert_eq!(ledger.fit(&own(1, 81)).ttl, 60, "one that stays began the group");
}

#[test]
fn beside_another_hosts_address_what_is_wanted_of_services_waits_and_nothing_else() {
    let service = |name: &str, n: u64| RecordSet {
        name: name.to_owned(),
        kind: RecordType::A,
        set_identifier: Some(format!("i-0a:{}:a", id(n))),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec!["10.0.0.7".to_owned()],
    };
    let (beside, elsewhere, left) =
        (service("web1.sd.internal", 1), service("api.sd.internal", 1), service("web1.sd.internal", 2));
    let host = RecordSet { set_identifier: Some("i-0a".to_owned()), ..beside.clone() };
    let mut ledger = Ledger::new([left.clone()]);
    for set in [&beside, &elsewhere, &host] {
        ledger.want(set.key(), Some(set.clone()));
    }
    let now = Moment::START;
    let notes = ledger.on_address_of_host(&Lookup::group_of(&beside.key()), &registrant("web1").owner, now);
    let parked = |note: &Note| match note {
        Note::Parked(change, _) => change.set.clone(),
        note => panic!("{note:?}"),
    };
    assert_eq!(notes.iter().map(parked).collect::<Vec<_>>(), [beside]);
    let due: Vec<_> = ledger.batch(now).into_iter().flat_map(|unit| unit.changes).collect();
    let due = due.into_iter().map(|change| (change.action, change.set)).collect::<Vec<_>>();
    assert_eq!(due, [(Action::Delete, left), (Action::Create, elsewhere), (Action::Create, host)]);
}
