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
