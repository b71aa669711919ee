//! One change that is always refused, among n: how long it holds up the others.

use super::*;
use crate::moment::at;
use crate::zone::ZoneError;
use crate::zone::refusal::{Cause, Named, Refusal};

/// The calls after the first refusal until all but the n-th are in the zone, and the bound.
fn calls_after_refusal(mut desk: Desk, n: u16) -> (usize, usize) {
    desk.call(Fault::None);
    let first = desk.calls;
    assert_eq!(desk.own_count(), 0);
    while desk.own_count() < usize::from(n) - 1 {
        assert!(desk.call(Fault::None), "waits with {} of {n} written", desk.own_count());
    }
    let delay = desk.calls - first;
    desk.call(Fault::None);
    assert!(!desk.call(Fault::None) && desk.ledger.unsettled().count() == 1, "the poison waits alone");
    let bound = usize::try_from(n.next_power_of_two().ilog2()).unwrap() + 1;
    (delay, bound)
}

fn worst(make: impl Fn(u16, u16) -> Desk) {
    let mut worst = 0;
    for n in (2..=64).chain((65..=600_u16).step_by(13)) {
        // All places where there are few, else one near the front, which is refused most often.
        let places: Vec<_> = if n <= 32 { (0..n).collect() } else { vec![n * 7 % n.isqrt()] };
        for at in places {
            let (calls, bound) = calls_after_refusal(make(n, at), n);
            assert!(calls <= bound, "{n} changes, the {at}th refused: {calls} calls");
            worst = worst.max(calls);
        }
    }
    println!("at most {worst} calls after the first refusal, for 2 to 600 changes");
}

#[test]
fn an_invalid_change_delays_the_others_by_few_calls() {
    worst(|n, at| {
        let mut desk = Desk::default();
        for k in 0..n {
            let mut set = own(k, 80 + k);
            if k == at {
                set.values = vec!["1 1 99999 i-1.sd.internal".into()];
            }
            desk.want(set);
        }
        desk
    });
}

#[test]
fn a_denied_name_delays_the_others_by_few_calls() {
    worst(|n, at| {
        let mut desk = Desk::default();
        for k in 0..n {
            let mut set = own(k, 80 + k);
            if k == at {
                set.name = "_denied._tcp.sd.internal".into();
            }
            desk.want(set);
        }
        desk.denied = Some("_denied._tcp.sd.internal".into());
        desk
    });
}

#[test]
fn a_denied_swap_delays_the_others_by_few_calls_though_its_delete_is_denied_too() {
    for n in 2..=64 {
        let mut desk = Desk::default();
        let denied = |port| RecordSet { name: "_denied._tcp.sd.internal".into(), ..own(0, port) };
        desk.want(denied(79));
        desk.settle();
        desk.want(denied(80));
        (1..n).for_each(|k| desk.want(own(k, 80 + k)));
        desk.denied = Some(denied(0).name);
        desk.call(Fault::None);
        let first = desk.calls;
        while desk.own_count() < usize::from(n) {
            assert!(desk.call(Fault::None), "waits with {} of {n} written", desk.own_count());
        }
        let bound = usize::try_from(n.next_power_of_two().ilog2()).unwrap() + 1;
        assert!(desk.calls - first <= bound, "{n}: {} calls", desk.calls - first);
        desk.denied = None;
        desk.settle();
        assert!(desk.own_sets().contains(&denied(80)));
    }
}

#[test]
fn a_refusal_that_names_the_record_costs_one_call() {
    let mut desk = Desk::default();
    (0..300).for_each(|n| desk.want(own(n, 80 + n)));
    desk.by_hand(Action::Create, own(7, 99));
    desk.call(Fault::None);
    desk.call(Fault::None);
    assert_eq!(desk.own_count(), 300);
}

#[test]
fn a_full_name_delays_the_others_by_few_calls_however_many_find_no_room() {
    let mut desk = Desk::default();
    let (name, routing) = ("_full._tcp.sd.internal", Routing::Weighted(1));
    let full = |n: u16| RecordSet { name: name.into(), routing, ..own(n, 80 + n) };
    for n in 0..97 {
        desk.by_hand(Action::Create, RecordSet { set_identifier: Some(format!("i-2:{n}")), ..full(n) });
    }
    (0..40).for_each(|n| desk.want(full(n)));
    (100..140).for_each(|n| desk.want(own(n, 80 + n)));
    while desk.call(Fault::None) {}
    assert_eq!(desk.own_count(), 40 + 3, "what finds room goes in");
    assert_eq!(desk.ledger.unsettled().count(), 37);
    assert!(desk.calls <= 2 * (1 + 7) + 3, "{} calls", desk.calls);
}

#[test]
fn a_refused_successor_does_not_keep_the_record_of_the_dead() {
    let mut desk = Desk::default();
    desk.want(own(0, 80));
    desk.settle();
    desk.unwant(&own(0, 80));
    desk.want(own(50, 80));
    desk.denied = Some(own(50, 0).name);
    desk.call(Fault::None);
    desk.call(Fault::None);
    assert_eq!(desk.own_sets(), []);
    desk.denied = None;
    desk.settle();
    assert_eq!(desk.own_sets(), [own(50, 80)]);
}

#[test]
fn a_delete_of_what_was_never_written_settles_though_its_value_is_invalid() {
    let mut desk = Desk::default();
    let poison = RecordSet { values: vec!["1 1 99999 i-1.sd.internal".into()], ..own(0, 0) };
    desk.want(poison.clone());
    desk.call(Fault::UnknownBefore);
    desk.unwant(&poison);
    desk.settle();
    assert_eq!((desk.calls, desk.lookups), (2, 1));
}

#[test]
fn what_is_refused_as_a_doubtful_delete_is_tried_again_after_the_others_once_it_is_read() {
    let nobody = Refusal { cause: Cause::Other, key: Named::default(), text: "not permitted".into() };
    let refused = Err(ZoneError::Rejected(vec![nobody]));
    let (now, mut ledger) = (at(1), Ledger::new([own(0, 80)]));
    // The port changes hands, and nobody knows what became of the call.
    for (set, wanted) in [(own(0, 80), false), (own(1, 80), true), (own(2, 81), true)] {
        ledger.want(set.key(), wanted.then_some(set));
    }
    let batch = |ledger: &Ledger| ledger.batch(now).into_iter().flat_map(|unit| unit.changes).collect();
    let keys = |batch: &Vec<Change>| batch.iter().map(|change| change.set.key()).collect::<Vec<_>>();
    let all: Vec<Change> = batch(&ledger);
    ledger.on_answer(&all, &Err(ZoneError::Unknown("no answer".into())), now);
    // One of them is to blame: the swap, whose delete may be so only for what it says.
    let all: Vec<Change> = batch(&ledger);
    assert!(ledger.on_answer(&all, &refused, now).is_empty());
    let swap: Vec<Change> = batch(&ledger);
    assert_eq!(keys(&swap), [own(0, 80).key(), own(1, 80).key()]);
    assert!(ledger.on_answer(&swap, &refused, now).is_empty());
    let lookup = ledger.lookup(now).unwrap().clone();
    ledger.on_lookup(&lookup, Ok(Some(own(0, 80))), now);
    let others: Vec<Change> = batch(&ledger);
    assert_eq!(keys(&others), [own(2, 81).key()]);
    ledger.on_answer(&others, &Ok(()), now);
    assert_eq!(keys(&batch(&ledger)), keys(&swap));
    let notes = ledger.on_answer(&swap, &refused, now);
    assert!(matches!(&notes[..], [Note::Parked(change, _)] if change.set == own(1, 80)), "{notes:?}");
}

const DENIED: &str = "_denied._tcp.sd.internal";

#[test]
fn after_a_boot_who_takes_a_port_goes_in_one_call_with_who_may_not_leave_it() {
    let mut desk = Desk::default();
    for set in [own(1, 101), own(50, 100)] {
        desk.want(set);
    }
    desk.settle();
    desk.boot();
    // The engine gave the ports anew.
    for set in [own(1, 100), own(50, 101)] {
        desk.want(set);
    }
    desk.denied = Some(own(50, 0).name);
    for _ in 0..40 {
        desk.call(Fault::None);
        desk.check_nobody_shares_a_port();
        desk.now = desk.ledger.due_at(desk.now).unwrap_or(desk.now);
    }
    desk.denied = None;
    desk.settle_checking(Desk::check_nobody_shares_a_port);
    assert_eq!(desk.own_sets(), [own(1, 100), own(50, 101)]);
}

/// After a start that knows what stands, and one that does not; within a call, and beyond one.
#[test]
fn of_ports_that_change_hands_all_around_a_denied_name_only_its_own_records_wait_for_more_than_their_first_wait()
 {
    for (all, boots) in [(2_u16, false), (2, true), (30, false), (30, true), (510, true)] {
        let denied = all - all.div_ceil(51);
        let mut desk = Desk::default();
        let named = |n, port| {
            let name = if n < denied { own(n, port).name } else { DENIED.to_owned() };
            RecordSet { name, ..own(n, port) }
        };
        (0..all).for_each(|n| desk.want(named(n, 30_000 + n)));
        desk.settle();
        if boots {
            desk.boot();
        }
        let next = |n| named(n, 30_000 + (n + 1) % all);
        (0..all).for_each(|n| desk.want(next(n)));
        desk.denied = Some(DENIED.to_owned());
        let (began, calls) = (desk.now, desk.calls);
        while desk.now < began + DENIED_WAIT * 2 {
            if !desk.call(Fault::None) {
                desk.now = desk.ledger.due_at(desk.now).unwrap();
            }
            desk.now += Duration::from_millis(300);
        }
        let sets = desk.own_sets();
        let waiting: Vec<_> = (0..denied).filter(|n| !sets.contains(&next(*n))).collect();
        assert!(waiting.is_empty(), "{all}, boots: {boots}: {waiting:?} wait");
        assert!(desk.calls - calls <= 40, "{all}, boots: {boots}: {} calls", desk.calls - calls);
    }
}

#[test]
fn one_denied_change_speaks_for_all_of_its_name_and_action() {
    let mut desk = Desk::default();
    let denied = |n, port| RecordSet { name: DENIED.to_owned(), ..own(n, port) };
    desk.denied = Some(DENIED.to_owned());
    (100..164).for_each(|n| desk.want(denied(n, 30_000 + n)));
    (200..264).for_each(|n| desk.want(own(n, 30_000 + n)));
    let (now, mut calls) = (desk.now, 0);
    while desk.call(Fault::None) {
        calls += 1;
    }
    assert_eq!(desk.own_sets().len(), 64);
    assert!(calls <= 9, "{calls} calls");
    assert_eq!(desk.ledger.due_at(now), desk.ledger.parking.ends().max(), "they are tried again together");
    // What is mended comes in one call.
    desk.denied = None;
    desk.now = desk.ledger.due_at(now).unwrap();
    let calls = desk.calls;
    desk.settle();
    assert_eq!((desk.own_sets().len(), desk.calls - calls), (128, 1));
}

#[test]
fn a_denied_change_is_tried_again_ever_more_rarely() {
    let mut desk = Desk::default();
    desk.denied = Some(own(0, 0).name);
    desk.want(own(0, 80));
    let waits: Vec<f64> = (0..7)
        .map(|_| {
            desk.call(Fault::None);
            let wait = desk.ledger.due_at(desk.now).unwrap() - desk.now;
            desk.now += wait;
            wait.as_secs_f64() / 60.0
        })
        .collect();
    for (wait, longest) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]) {
        assert!(*wait >= 1.0 && (0.8 * longest..=longest).contains(wait), "{waits:?}");
    }
    desk.denied = None;
    desk.settle();
    assert_eq!(desk.own_sets(), [own(0, 80)]);
}

fn now() -> Moment {
    at(1_000)
}

fn due(ledger: &Ledger) -> Vec<Change> {
    ledger.batch(now()).into_iter().flat_map(|unit| unit.changes).collect()
}

/// Sends what is due, which is refused without a word on what is wrong.
fn refuse(ledger: &mut Ledger) -> Vec<Change> {
    let batch = due(ledger);
    ledger.on_answer(&batch, &Err(ZoneError::Rejected(vec![Refusal::unnamed("no")])), now());
    batch
}

#[test]
fn a_weight_that_is_refused_leaves_the_record_where_it_stands() {
    let mut ledger = Ledger::new([own(0, 80)]);
    ledger.want(own(0, 80).key(), Some(unlike(&own(0, 80), 7)));
    assert_eq!(refuse(&mut ledger).iter().map(|change| change.action).collect::<Vec<_>>(), [Action::Upsert]);
    assert_eq!(due(&ledger), []);
    assert!(!ledger.settled() && ledger.stuck(now()));
}

#[test]
fn a_successor_that_was_refused_waits_on_when_what_it_replaces_is_gone() {
    let mut ledger = Ledger::new([own(0, 80)]);
    ledger.want(own(0, 80).key(), Some(own(0, 81)));
    assert_eq!(refuse(&mut ledger).len(), 2);
    let batch = due(&ledger);
    assert_eq!(batch, [Change { action: Action::Delete, set: own(0, 80) }]);
    ledger.on_answer(&batch, &Ok(()), now());
    assert_eq!(due(&ledger), [], "it would be refused again at once");
    assert!(ledger.due_at(now()).is_some_and(|at| at >= now() + Duration::from_secs(480)));
}

#[test]
fn what_is_refused_waits_though_it_is_wanted_again_and_not_where_something_else_is() {
    let mut ledger = Ledger::default();
    ledger.want(own(0, 80).key(), Some(own(0, 80)));
    refuse(&mut ledger);
    ledger.want(own(0, 80).key(), Some(own(0, 80)));
    assert_eq!(due(&ledger), []);
    ledger.want(own(0, 80).key(), Some(own(0, 81)));
    assert_eq!(due(&ledger).len(), 1, "nobody has refused that");
}

#[test]
fn an_address_whose_weight_is_refused_stands_and_may_be_pointed_to() {
    let address = RecordSet {
        name: "i-1.sd.internal".into(),
        kind: RecordType::A,
        values: vec!["10.0.0.7".into()],
        ..own(0, 0)
    };
    let mut ledger = Ledger::new([address.clone()]);
    ledger.want(address.key(), Some(unlike(&address, 7)));
    refuse(&mut ledger);
    ledger.want(own(0, 80).key(), Some(own(0, 80)));
    assert_eq!(due(&ledger), [Change { action: Action::Create, set: own(0, 80) }]);
}

#[test]
fn a_zone_that_is_full_holds_up_all_that_is_new_whatever_else_is_wrong() {
    let refusal = |cause| Refusal { cause, key: Named::default(), text: "no".to_owned() };
    for (others, left) in [(vec![Cause::ZoneFull], 0), (vec![Cause::Other, Cause::ZoneFull], 0), (vec![], 1)]
    {
        let mut ledger = Ledger::default();
        ledger.want(own(0, 80).key(), Some(own(0, 80)));
        let batch = due(&ledger);
        ledger.want(own(1, 81).key(), Some(own(1, 81)));
        let refusals = [Cause::Other].into_iter().chain(others).map(refusal).collect();
        ledger.on_answer(&batch, &Err(ZoneError::Rejected(refusals)), now());
        assert_eq!(due(&ledger).len(), left);
    }
}

#[test]
fn a_ttl_that_is_refused_again_after_it_was_read_anew_waits() {
    let mut ledger = Ledger::default();
    ledger.want(own(0, 80).key(), Some(own(0, 80)));
    for read in 1..=3 {
        let batch = due(&ledger);
        let key = Named { name: Some(own(0, 0).name), ..Named::default() };
        let refusal = Refusal { cause: Cause::TtlDiffers, key, text: "no".to_owned() };
        let notes = ledger.on_answer(&batch, &Err(ZoneError::Rejected(vec![refusal])), now());
        let lookup = ledger.lookup(now()).cloned();
        assert_eq!((lookup.is_some(), notes.len()), if read < 3 { (true, 0) } else { (false, 1) });
        let foreign = RecordSet { set_identifier: Some("elsewhere".into()), ttl: 60, ..own(0, 99) };
        lookup.into_iter().for_each(|lookup| ledger.on_lookup(&lookup, Ok(Some(foreign.clone())), now()));
    }
    assert_eq!(due(&ledger), []);
}
