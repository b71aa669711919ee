//! The containers of a host together: the barrier, the ports, the drain; and any order of it all.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

mod cordon;
mod departure;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use ecssd::container::Running;
use ecssd::machine::adoption::BARRIER;
use ecssd::machine::lifecycle::{Event, Reason, STOP_BELIEF, Seq};
use ecssd::machine::past::{Past, Signals, Turn};
use ecssd::machine::publish::Wants;
use ecssd::machine::registrar::{Output, Registrar};
use ecssd::moment::Moment;
use ecssd::record::{ContainerId, RecordSet};
use ecssd_testing::rehearsal::{self, CONTAINERS, NAMED, PORTS, Rehearsal, Shown, id, leaving, records};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn shown(port: u8) -> Shown {
    Shown { life: 1, port, unchecked: false, running: Running::Running }
}

fn unchecked(port: u8) -> Shown {
    Shown { unchecked: true, ..shown(port) }
}

/// Three containers that serve.
fn serving() -> Rehearsal {
    let mut host = Rehearsal::default();
    host.known(0, 0);
    (0..3).for_each(|n| host.seen(n, unchecked(n), 0));
    host.listed(0b111, 0);
    host
}

fn wants(containers: &[(u8, Shown)]) -> Wants {
    let sorted = |mut records: Vec<RecordSet>| {
        records.sort_by_key(RecordSet::key);
        records
    };
    containers
        .iter()
        .map(|(container, shown)| (id(*container), sorted(records(*container, *shown))))
        .collect()
}

/// A host whose barrier has opened on nothing.
fn open() -> Rehearsal {
    let mut host = Rehearsal::default();
    host.known(0, 0);
    host.listed(0, 0);
    assert_eq!(host.told(), Some(&Wants::new()));
    host
}

// === the barrier ===

#[test]
fn says_everything_at_once_when_all_is_known() {
    let mut host = Rehearsal::default();
    host.seen(0, unchecked(0), 0);
    host.listed(0b11, 0);
    host.known(0, 0);
    assert_eq!(host.told(), None);
    host.seen(1, shown(1), 0);
    assert_eq!(host.told(), None);
    host.probed(1, true);
    assert_eq!(host.told(), Some(&wants(&[(0, shown(0)), (1, shown(1))])));
}

#[test]
fn what_a_host_that_moves_wants_is_said_once_all_is_known_and_until_it_has_drained() {
    let to = std::net::Ipv4Addr::new(10, 0, 0, 99);
    let says = |host: &mut Rehearsal| match host.registrar.on_moved(to) {
        Output::Moved(address, wants) if address == to => wants.is_some(),
        output => panic!("{output:?}"),
    };
    assert!(!says(&mut Rehearsal::default()));
    let mut host = serving();
    assert!(says(&mut host));
    host.drain();
    assert!(!says(&mut host));
}

#[test]
fn a_container_that_is_slow_holds_the_others_up_for_two_seconds() {
    let mut host = Rehearsal::default();
    host.known(0, 0);
    host.listed(0b11, 0);
    host.seen(0, unchecked(0), 0);
    host.wait(SECOND);
    assert_eq!(host.told(), None);
    host.wait(SECOND);
    assert_eq!(host.told(), Some(&wants(&[(0, shown(0))])));
}

#[test]
fn an_unread_zone_keeps_the_barrier_shut_without_waking_anybody() {
    let mut host = Rehearsal::default();
    host.seen(0, unchecked(0), 0);
    host.listed(0b1, 0);
    host.wait(10 * SECOND);
    assert_eq!((host.told(), host.registrar.wake_at()), (None, None));
    host.known(0, 0);
    assert_eq!(host.told(), Some(&wants(&[(0, shown(0))])));
}

#[test]
fn a_restart_keeps_what_is_registered_and_drops_what_is_gone() {
    let mut host = Rehearsal::default();
    host.listed(0b011, 0);
    host.known(0b101, 0);
    host.seen(0, shown(0), 0);
    host.seen(1, unchecked(1), 0);
    assert_eq!(host.told(), Some(&wants(&[(0, shown(0)), (1, shown(1))])));
}

#[test]
fn a_signal_heard_before_the_first_list_is_no_look() {
    let mut host = Rehearsal::default();
    host.killed(0, 1, 1);
    host.known(0b1, 0);
    host.listed(0b1, 0);
    assert_eq!(host.told(), None);
    host.seen(0, shown(0), 0);
    assert_eq!(host.told(), Some(&wants(&[(0, shown(0))])));
}

#[test]
fn what_was_asked_to_stop_before_it_was_inspected_is_not_held_on_to() {
    // A signal that may mean anything else is no such news.
    for (signal, held) in [(15, false), (9, false), (1, true)] {
        let mut host = Rehearsal::default();
        host.known(0b10, 0);
        host.listed(0b11, 0);
        host.killed(1, 0, signal);
        host.seen(0, shown(1), 0);
        host.probed(0, true);
        host.wait(BARRIER);
        let wanted = host.told().expect("the barrier is open");
        assert_eq!((wanted.contains_key(&id(0)), wanted.contains_key(&id(1))), (true, held), "{signal}");
    }
}

#[test]
fn what_ended_or_was_asked_to_stop_while_nobody_listened_is_not_held_on_to() {
    let life = rehearsal::sight(1, shown(0)).started_at;
    let now = Moment::after(1_000 * SECOND);
    let past = |turn| {
        let mut past = Past::new(Seq(2), false);
        past.push(&id(1), turn, life, Duration::ZERO);
        past
    };
    let recalled = || vec![(id(1), Signals { life, kills: [(15, life)].into() })];
    let held = |tell: &dyn Fn(&mut Registrar) -> Vec<Output>| {
        let mut host = Rehearsal::default();
        drop(tell(&mut host.registrar));
        host.known(0b10, 0);
        host.listed(0b11, 0);
        host.seen(0, shown(1), 0);
        host.probed(0, true);
        host.wait(BARRIER);
        let wanted = host.told().expect("the barrier is open");
        assert!(wanted.contains_key(&id(0)));
        wanted.contains_key(&id(1))
    };
    assert!(!held(&|registrar| registrar.on_past(&past(Turn::Ended), now)));
    assert!(!held(&|registrar| registrar.on_past(&past(Turn::Killed(15)), now)));
    assert!(held(&|registrar| registrar.on_past(&past(Turn::Killed(1)), now)));
    assert!(!held(&|registrar| registrar.recall_signals(recalled(), SystemTime::UNIX_EPOCH, now)));
}

#[test]
fn what_an_earlier_run_registered_does_not_prove_what_was_paused_since() {
    let mut host = Rehearsal::default();
    host.known(0b1, 0);
    host.seen(0, Shown { running: Running::Paused, ..shown(0) }, 0);
    host.wait(Duration::from_secs(5));
    host.seen(0, shown(0), 0);
    host.listed(0b1, 0);
    host.wait(BARRIER);
    let weights = |host: &Rehearsal| -> Vec<_> {
        let told = host.told().expect("the barrier is open");
        told.values().flatten().filter_map(RecordSet::weight).collect()
    };
    assert_eq!(weights(&host), [0; 4], "what it was before the pause says nothing");
    host.probed(0, true);
    assert_eq!(host.told(), Some(&wants(&[(0, shown(0))])));
}

#[test]
fn what_the_zone_holds_later_proves_nothing() {
    let mut host = open();
    host.seen(0, shown(0), 0);
    host.known(0b1, 0);
    assert_eq!(host.told(), Some(&Wants::new()));
}

#[test]
fn what_is_found_late_of_a_container_that_is_unproven_or_was_not_looked_at_holds_on() {
    let start = || {
        let mut host = Rehearsal::default();
        host.known(0, 0);
        host.listed(0b111, 0);
        host.seen(0, shown(0), 0);
        host.seen(2, unchecked(2), 0);
        host.wait(BARRIER);
        assert_eq!(
            host.told(),
            Some(&wants(&[(2, unchecked(2))])),
            "one waits for its check, one for a look"
        );
        host
    };
    let mut unproven = start();
    unproven.found(0b1, 0);
    assert_eq!(unproven.told(), Some(&wants(&[(0, shown(0)), (2, unchecked(2))])));
    let mut unseen = start();
    unseen.found(0b10, 1);
    assert_eq!(unseen.told(), Some(&wants(&[(1, shown(1)), (2, unchecked(2))])));
    // The look says otherwise.
    unseen.absent(1, 0);
    assert_eq!(unseen.told(), Some(&wants(&[(2, unchecked(2))])));
    unseen.found(0b10, 1);
    assert_eq!(unseen.told(), Some(&wants(&[(2, unchecked(2))])), "it is over");
}

#[test]
fn what_is_found_of_one_that_died_unseen_is_not_held() {
    let mut host = Rehearsal::default();
    host.known(0, 0);
    host.listed(0b1, 0);
    host.wait(BARRIER);
    host.died(0, 1);
    host.found(0b1, 0);
    assert_eq!(host.told(), Some(&Wants::new()));
}

#[test]
fn what_is_found_joins_what_is_known() {
    let mut host = Rehearsal::default();
    host.known(0b11, 0);
    host.listed(0b111, 0);
    host.wait(BARRIER);
    // Held until they are looked at; what was written since is not among what is found.
    assert_eq!(host.told().map(Wants::len), Some(1), "one place is one container's");
    let told = host.told().cloned();
    host.found(0b100, 1);
    let also = host.told().unwrap();
    assert!(told.unwrap().iter().all(|(id, sets)| also.get(id) == Some(sets)));
    assert!(also.contains_key(&id(2)));
}

#[test]
fn what_is_found_before_the_barrier_opens_is_known() {
    let mut host = Rehearsal::default();
    host.found(0b1, 0);
    host.listed(0b1, 0);
    host.seen(0, shown(0), 0);
    assert_eq!(host.told(), Some(&wants(&[(0, shown(0))])));
}

#[test]
fn every_order_of_a_start_ends_the_same() {
    let steps: [fn(&mut Rehearsal); 6] = [
        |host| host.listed(0b11, 0),
        |host| host.known(0b10, 1),
        |host| host.seen(0, shown(0), 0),
        |host| host.seen(1, shown(1), 0),
        |host| host.probed(0, true),
        |host| host.probed(1, true),
    ];
    let mut count = 0;
    for order in permutations((0..steps.len()).collect()) {
        let place = |step| order.iter().position(|other| *other == step);
        if place(4) < place(2) || place(5) < place(3) {
            continue;
        }
        count += 1;
        let mut host = Rehearsal::default();
        for step in &order {
            steps[*step](&mut host);
            let first = host.told().is_none_or(|told| told.contains_key(&id(1)));
            assert!(first, "{order:?}: what was registered was not in the first word");
        }
        assert_eq!(host.told(), Some(&wants(&[(0, shown(0)), (1, shown(1))])), "{order:?}");
    }
    println!("{count} orders");
    assert_eq!(count, 180);
}

fn permutations(items: Vec<usize>) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for index in 0..items.len() {
        let mut rest = items.clone();
        let first = rest.remove(index);
        all.extend(permutations(rest).into_iter().map(|tail| [&[first][..], &tail].concat()));
    }
    all
}

#[test]
fn before_all_is_said_the_end_of_what_was_registered_is_said_at_once() {
    let now = Moment::after(1_000 * SECOND);
    let life = rehearsal::sight(0, shown(0)).started_at;
    let killed = |age| Event::Killed { at: Seq(50), signal: 15, time: life, age };
    for (event, is_over) in [
        (Event::Died { at: Seq(50), time: life }, true),
        (killed(STOP_BELIEF - SECOND), true),
        (killed(STOP_BELIEF), false),
    ] {
        let mut host = Rehearsal::default();
        host.known(0b1, 0);
        host.listed(0b11, 0);
        let outputs = host.registrar.on_event(&id(0), event.clone(), now);
        assert_eq!(outputs.contains(&Output::Over(id(0))), is_over, "{event:?}");
        let opens = host.registrar.on_time(now + BARRIER);
        let holds = |output: &Output| matches!(output, Output::WantAll(wants) if wants.contains_key(&id(0)));
        assert_eq!(opens.iter().any(holds), !is_over, "{event:?}");
    }
}

#[test]
fn an_answer_from_before_a_turn_that_an_engine_remembers_is_no_inspection() {
    let now = Moment::after(1_000 * SECOND);
    let sight = rehearsal::sight(0, unchecked(0));
    let mut past = Past::new(Seq(50), false);
    past.push(&id(0), Turn::Started, sight.started_at, Duration::ZERO);
    let mut host = Rehearsal::default();
    host.known(0, 0);
    drop(host.registrar.on_past(&past, now));
    host.listed(0b1, 0);
    let seen = |as_of| Event::Seen { as_of: Seq(as_of), sight: Box::new(sight.clone()) };
    drop(host.registrar.on_event(&id(0), seen(49), now));
    assert_eq!(host.registrar.wants(), None, "another answer is on its way");
    drop(host.registrar.on_event(&id(0), seen(50), now));
    assert_eq!(host.registrar.wants(), Some(wants(&[(0, unchecked(0))])));
}

#[test]
fn what_is_paused_holds_up_nobody() {
    let mut host = Rehearsal::default();
    host.known(0, 0);
    host.seen(0, Shown { running: Running::Paused, ..shown(0) }, 0);
    host.seen(1, unchecked(1), 0);
    host.listed(0b11, 0);
    assert_eq!(host.told(), Some(&wants(&[(1, unchecked(1))])));
}

/// How a registrar hears that a life is over.
type End<'a> = &'a dyn Fn(&mut Registrar) -> Vec<Output>;

#[test]
fn what_was_registered_of_a_life_that_is_over_says_nothing_of_the_next() {
    let now = Moment::after(2_000 * SECOND);
    let first = rehearsal::sight(0, shown(0));
    let stopped = || Box::new(rehearsal::sight(0, Shown { running: Running::Stopped, ..shown(0) }));
    let mut past = Past::new(Seq(50), false);
    past.push(&id(0), Turn::Ended, first.started_at, Duration::ZERO);
    let ends: [End<'_>; 5] = [
        &|it| it.on_event(&id(0), Event::Died { at: Seq(50), time: first.started_at }, now),
        &|it| it.on_event(&id(0), Event::Started { at: Seq(50) }, now),
        &|it| it.on_event(&id(0), Event::Absent { as_of: Seq(50) }, now),
        &|it| it.on_event(&id(0), Event::Seen { as_of: Seq(50), sight: stopped() }, now),
        &|it| it.on_past(&past, now),
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let mut host = Rehearsal::default();
        host.known(0b1, 0);
        host.listed(0b1, 0);
        host.wait(BARRIER);
        assert!(host.told().is_some_and(|told| told.contains_key(&id(0))), "it was not inspected yet");
        drop(end(&mut host.registrar));
        let next = rehearsal::sight(0, Shown { life: 2, ..shown(0) });
        let seen = Event::Seen { as_of: Seq(60), sight: Box::new(next) };
        drop(host.registrar.on_event(&id(0), seen, now));
        assert_eq!(host.registrar.wants(), Some(Wants::new()), "the {n}th: it has not passed its check");
    }
}

// === the ports ===

#[test]
fn what_one_container_wants_is_said_of_it_alone() {
    let mut host = open();
    host.seen(1, unchecked(1), 0);
    let sight = Event::Seen { as_of: Seq(1), sight: Box::new(rehearsal::sight(0, unchecked(0))) };
    let outputs = host.registrar.on_event(&id(0), sight, Moment::after(1_000 * SECOND));
    let told: Vec<_> = outputs.iter().filter(|output| output.is_want()).collect();
    assert!(matches!(told[..], [Output::Want(container, _)] if *container == id(0)), "{told:?}");
}

#[test]
fn who_serves_at_a_port_keeps_it_from_one_that_began_earlier() {
    let mut host = open();
    host.seen(3, unchecked(0), 0);
    host.seen(1, unchecked(0), 0);
    assert_eq!(holders(&host), [id(3)]);
    host.died(3, 1);
    assert_eq!(holders(&host), [id(1)]);
}

#[test]
fn a_port_that_changes_hands_is_one_message() {
    let mut host = open();
    host.seen(0, unchecked(0), 0);
    let younger = Shown { life: 2, ..unchecked(0) };
    let sight = Event::Seen { as_of: Seq(1), sight: Box::new(rehearsal::sight(2, younger)) };
    let outputs = host.registrar.on_event(&id(2), sight, Moment::after(SECOND));
    let told: Vec<_> = outputs.iter().filter(|output| output.is_want()).collect();
    assert_eq!(told, [&Output::WantAll(wants(&[(2, younger)]))]);
}

/// The containers of which anything is wanted.
fn holders(host: &Rehearsal) -> Vec<ContainerId> {
    host.told().unwrap().keys().cloned().collect()
}

#[test]
fn the_newest_publication_has_a_port_and_the_parked_one_returns() {
    let mut host = open();
    host.seen(2, Shown { life: 2, ..unchecked(0) }, 0);
    host.seen(0, unchecked(0), 0);
    assert_eq!(holders(&host), [id(2)]);
    host.died(2, 2);
    assert_eq!(holders(&host), [id(0)]);
}

#[test]
fn a_probe_of_a_port_that_another_has_is_not_made_and_its_check_passes_anew_when_that_one_has_ended() {
    let mut host = open();
    host.seen(1, shown(0), 0);
    host.seen(3, shown(0), 0);
    assert!(host.probes(1) && host.probes(3), "nobody has it yet");
    host.probed(1, true);
    assert_eq!((holders(&host), host.probes(3)), (vec![id(1)], false));
    // It drains, and its socket answers: it has the port until it has ended.
    host.killed(1, 1, 15);
    assert_eq!((holders(&host), host.probes(3)), (vec![], false));
    host.died(1, 1);
    assert_eq!((holders(&host), host.probes(3)), (vec![], true));
    host.probed(3, true);
    assert_eq!(holders(&host), [id(3)]);
}

#[test]
fn the_first_answer_counts_for_the_oldest_of_those_that_ask() {
    let mut host = open();
    [5, 3, 1].into_iter().filter(|n| *n < CONTAINERS).for_each(|n| host.seen(n, shown(0), 0));
    host.probed(3, true);
    assert_eq!((holders(&host), host.probes(1), host.probes(3)), (vec![id(1)], true, false));
    host.probed(1, false);
    assert!(host.probes(3), "it has it no more");
    host.probed(3, true);
    assert_eq!(holders(&host), [id(1)], "it had it, and the port answers what is asked of it");
}

#[test]
fn who_is_paused_has_its_port() {
    let mut host = open();
    host.seen(1, shown(0), 0);
    host.probed(1, true);
    host.seen(3, shown(0), 0);
    host.seen(1, Shown { running: Running::Paused, ..shown(0) }, 0);
    host.wait(Duration::from_secs(60));
    host.seen(1, Shown { running: Running::Paused, ..shown(0) }, 0);
    assert_eq!((holders(&host), host.probes(3)), (vec![id(1)], false), "its full name stays");
    host.seen(1, shown(0), 0);
    host.probed(1, true);
    assert_eq!(holders(&host), [id(1)]);
}

#[test]
fn a_publisher_takes_the_port_at_once_as_what_the_other_bound_is_reached_no_more() {
    let mut host = open();
    host.seen(1, shown(0), 0);
    host.probed(1, true);
    assert_eq!(holders(&host), [id(1)]);
    host.seen(0, shown(0), 0);
    assert_eq!((holders(&host), host.probes(0), host.probes(1)), (vec![], true, false));
    host.probed(0, true);
    assert_eq!((holders(&host), host.probes(1)), (vec![id(0)], false));
    host.died(0, 1);
    assert_eq!((holders(&host), host.probes(1)), (vec![], true));
    host.probed(1, true);
    assert_eq!(holders(&host), [id(1)]);
}

#[test]
fn after_a_restart_who_was_registered_has_the_port_whoever_is_looked_at_first() {
    for known_last in [false, true] {
        let mut host = Rehearsal::default();
        if !known_last {
            host.known(0b1000, 0);
        }
        host.seen(1, unchecked(0), 0);
        host.listed(0b1010, 0);
        host.seen(3, shown(0), 0);
        if known_last {
            host.known(0b1000, 0);
        }
        assert_eq!(host.told(), Some(&wants(&[(3, shown(0))])), "known last: {known_last}");
        host.died(3, 1);
        assert_eq!(holders(&host), [id(1)]);
    }
}

#[test]
fn who_was_registered_and_has_not_been_looked_at_has_the_port() {
    let mut host = Rehearsal::default();
    host.known(0b1000, 0);
    host.listed(0b1010, 0);
    host.seen(1, unchecked(0), 0);
    host.wait(BARRIER);
    assert_eq!(holders(&host), [id(3)]);
    host.absent(3, 0);
    assert_eq!(holders(&host), [id(1)]);
}

// === signals ===

#[test]
fn what_a_container_was_sent_is_to_be_remembered_until_it_is_over_and_beyond_a_drain() {
    let life = rehearsal::sight(0, unchecked(0)).started_at;
    let now = Moment::after(1_000 * SECOND);
    let killed = || Event::Killed { at: Seq(50), signal: 15, time: life, age: Duration::ZERO };
    let sent = Signals { life, kills: [(15, life)].into() };
    let to_remember = |outputs: Vec<Output>| {
        outputs.into_iter().find_map(|output| match output {
            Output::Signalled(_, signals) => Some(signals),
            _ => None,
        })
    };
    let signalled = || {
        let mut host = open();
        host.seen(0, unchecked(0), 0);
        assert_eq!(to_remember(host.registrar.on_event(&id(0), killed(), now)), Some(Some(sent.clone())));
        host
    };
    let mut host = signalled();
    assert_eq!(to_remember(host.registrar.on_event(&id(0), killed(), now)), None, "it was said");
    let died = Event::Died { at: Seq(51), time: life };
    assert_eq!(to_remember(host.registrar.on_event(&id(0), died, now)), Some(None));
    assert_eq!(to_remember(signalled().registrar.drain(now, now)), None, "the next run has to know");
    let recall = |wall| open().registrar.recall_signals(vec![(id(0), sent.clone())], wall, now);
    let long_after = SystemTime::UNIX_EPOCH + 100_000 * SECOND;
    assert_eq!(to_remember(recall(long_after)), Some(None), "it is not believed any more");
    assert_eq!(to_remember(recall(SystemTime::UNIX_EPOCH)), Some(Some(sent.clone())));
}

#[test]
fn a_stop_that_an_engine_did_not_live_to_see_is_over_with_it() {
    let now = Moment::after(1_000 * SECOND);
    let stopping = || {
        let mut host = open();
        host.seen(0, unchecked(0), 0);
        host.killed(0, 1, 15);
        assert_eq!(host.registrar.wake_at(), Some(now + STOP_BELIEF));
        host.registrar
    };
    let seen = || Event::Seen { as_of: Seq(60), sight: Box::new(rehearsal::sight(0, unchecked(0))) };
    for (is_new, serves) in [(true, true), (false, false)] {
        let mut registrar = stopping();
        drop(registrar.on_past(&Past::new(Seq(50), is_new), now));
        drop(registrar.on_event(&id(0), seen(), now));
        assert_eq!(registrar.wants().unwrap().contains_key(&id(0)), serves, "a new engine: {is_new}");
    }
}

#[test]
fn it_is_told_who_ended_as_it_was_asked_to_and_of_nobody_else() {
    let now = Moment::after(1_000 * SECOND);
    let life = rehearsal::sight(0, unchecked(0)).started_at;
    let died = |place| Event::Died { at: Seq(place), time: life };
    let is_told = |signals: &[u8], event| {
        let mut host = open();
        host.seen(0, unchecked(0), 0);
        signals.iter().for_each(|signal| host.killed(0, 1, *signal));
        host.registrar.on_event(&id(0), event, now).contains(&Output::Ended(id(0)))
    };
    assert!(is_told(&[15], died(50)) && is_told(&[15, 9], died(50)));
    assert!(!is_told(&[9], died(50)), "it had no choice");
    assert!(!is_told(&[], died(50)), "nobody asked");
    assert!(!is_told(&[15], died(1)), "it was asked after that");
    let again = Event::Killed { at: Seq(50), signal: 15, time: life, age: Duration::ZERO };
    assert!(!is_told(&[15], again), "it has not ended");

    // It crashed, and then the container whose network it uses was asked to stop.
    let mut host = open();
    host.seen(0, unchecked(0), 0);
    drop(host.registrar.on_event(&id(0), died(50), now));
    let asked = Event::Killed { at: Seq(51), signal: 15, time: life, age: Duration::ZERO };
    drop(host.registrar.on_event(&id(0), asked.clone(), now));
    assert!(
        !host.registrar.on_event(&id(0), died(52), now).contains(&Output::Ended(id(0))),
        "it had ended before"
    );
    // Its next life can be asked.
    drop(host.registrar.on_event(&id(0), Event::Started { at: Seq(53) }, now));
    let Event::Killed { signal, time, age, .. } = asked else { unreachable!() };
    drop(host.registrar.on_event(&id(0), Event::Killed { at: Seq(54), signal, time, age }, now));
    assert!(host.registrar.on_event(&id(0), died(55), now).contains(&Output::Ended(id(0))));
}

// === the drain ===

#[test]
fn a_drain_is_one_message_and_is_said_again_to_whoever_has_not_heard_it() {
    let mut host = open();
    host.seen(0, unchecked(0), 0);
    let (deadline, now) = (Moment::after(2_000 * SECOND), Moment::after(1_000 * SECOND));
    let said = host.registrar.drain(deadline, now);
    assert_eq!(said.last(), Some(&Output::Drain(deadline)));
    let reason = said.iter().find_map(|output| match output {
        Output::Decided(_, decision) => Some(decision.reason),
        _ => None,
    });
    assert_eq!((reason, said.iter().filter(|output| output.is_want()).count()), (Some(Reason::Drain), 0));
    assert_eq!(host.registrar.drain(deadline, now), [Output::Drain(deadline)]);
}

// === lists ===

#[test]
fn a_look_from_before_a_list_revives_nothing() {
    let mut host = open();
    host.seen(0, unchecked(0), 0);
    host.killed(1, 1, 15);
    host.listed(0, 0);
    assert_eq!(host.told(), Some(&Wants::new()));
    host.seen(0, unchecked(0), 1);
    assert_eq!(host.told(), Some(&Wants::new()));
}

#[test]
fn a_death_is_remembered_beyond_an_older_list() {
    let mut host = open();
    host.seen(0, unchecked(0), 0);
    host.killed(1, 1, 1);
    host.died(0, 1);
    host.listed(0, 2);
    host.seen(0, unchecked(0), 1);
    assert_eq!(host.told(), Some(&Wants::new()));
}

#[test]
fn forgets_what_is_gone() {
    let mut host = open();
    host.seen(0, shown(0), 0);
    host.died(0, 1);
    host.listed(0, 0);
    assert_eq!((host.registrar.containers().count(), host.registrar.wake_at()), (0, None));
}

#[test]
fn shows_what_a_container_is_called_offers_and_did_last_and_forgets_that_with_it() {
    let mut host = open();
    host.registrar.on_named(id(0), "web".to_owned());
    host.seen(0, unchecked(0), 0);
    let names = records(0, unchecked(0)).into_iter().map(|set| set.name).collect();
    assert_eq!((host.registrar.name(&id(0)), host.registrar.services(&id(0))), ("web", names));
    assert_eq!((host.registrar.name(&id(1)), host.registrar.services(&id(1))), ("", BTreeSet::new()));
    assert_eq!(host.registrar.containers().collect::<Vec<_>>(), [&id(0)]);
    let shown = host.registrar.snapshot(Moment::START).containers;
    let latest = shown[0].latest.clone();
    assert_eq!(latest.decision.map(|(_, reason)| reason), Some(Reason::Seen));
    assert_eq!(latest.step.map(|(_, edge)| edge.to_string()), Some("idle -> live (seen running)".to_owned()));
    host.died(0, 1);
    host.listed(0, 0);
    assert_eq!((host.registrar.name(&id(0)), host.registrar.services(&id(0))), ("", BTreeSet::new()));
}

// === anything ===

#[derive(Clone, Debug)]
enum Operation {
    Seen { container: u8, shown: Shown, late: u8 },
    Absent { container: u8, late: u8 },
    Killed { container: u8, life: u8, signal: u8 },
    Died { container: u8, life: u8 },
    Probed { container: u8, up: bool },
    Listed { containers: u8, late: u8 },
    Known { containers: u8, port: u8 },
    Found { containers: u8, port: u8 },
    Wait(u64),
    Notice { tasks: Option<u8>, withdraw_in: Option<u8> },
    Order { named: u8, weight: Option<u8>, lasts: Option<u8> },
    PrepareDrain,
    Drain,
}

fn operation() -> impl Strategy<Value = Operation> {
    let container = 0..CONTAINERS;
    let running = prop_oneof![
        6 => Just(Running::Running),
        1 => Just(Running::Paused),
        1 => Just(Running::Stopped)
    ];
    let shown = (0..4_u8, 0..PORTS, any::<bool>(), running)
        .prop_map(|(life, port, unchecked, running)| Shown { life, port, unchecked, running });
    prop_oneof![
        9 => (container.clone(), shown, 0..3_u8)
            .prop_map(|(container, shown, late)| Operation::Seen { container, shown, late }),
        1 => (container.clone(), 0..3_u8).prop_map(|(container, late)| Operation::Absent { container, late }),
        3 => (container.clone(), 0..4_u8, prop_oneof![Just(15), Just(1)])
            .prop_map(|(container, life, signal)| Operation::Killed { container, life, signal }),
        3 => (container.clone(), 0..4_u8).prop_map(|(container, life)| Operation::Died { container, life }),
        5 => (container, any::<bool>()).prop_map(|(container, up)| Operation::Probed { container, up }),
        2 => (any::<u8>(), 0..3_u8).prop_map(|(containers, late)| Operation::Listed { containers, late }),
        2 => (any::<u8>(), 0..PORTS).prop_map(|(containers, port)| Operation::Known { containers, port }),
        1 => (any::<u8>(), 0..PORTS).prop_map(|(containers, port)| Operation::Found { containers, port }),
        3 => prop_oneof![Just(1), Just(2), Just(60), Just(200)].prop_map(Operation::Wait),
        2 => (proptest::option::of(any::<u8>()), proptest::option::of(0..120_u8))
            .prop_map(|(tasks, withdraw_in)| Operation::Notice { tasks, withdraw_in }),
        2 => (0..NAMED, proptest::option::of(prop_oneof![Just(0), Just(7), Just(255)]), proptest::option::of(0..120_u8))
            .prop_map(|(named, weight, lasts)| Operation::Order { named, weight, lasts }),
        1 => prop_oneof![18 => Just(Operation::Wait(1)), 1 => Just(Operation::PrepareDrain), 2 => Just(Operation::Drain)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tells_what_its_machines_want_through_any_operations(
        operations in proptest::collection::vec(operation(), 1..80)
    ) {
        let mut host = Rehearsal::default();
        for operation in operations {
            match operation {
                Operation::Seen { container, shown, late } => host.seen(container, shown, late),
                Operation::Absent { container, late } => host.absent(container, late),
                Operation::Killed { container, life, signal } => host.killed(container, life, signal),
                Operation::Died { container, life } => host.died(container, life),
                Operation::Probed { container, up } => host.probed(container, up),
                Operation::Listed { containers, late } => host.listed(containers, late),
                Operation::Known { containers, port } => host.known(containers, port),
                Operation::Found { containers, port } => host.found(containers, port),
                Operation::Wait(secs) => host.wait(Duration::from_secs(secs)),
                Operation::Notice { tasks, withdraw_in } => host.notice(leaving(tasks), withdraw_in),
                Operation::Order { named, weight, lasts } => {
                    host.order(named, weight, lasts);
                }
                Operation::PrepareDrain => host.prepare_drain(),
                Operation::Drain => host.drain(),
            }
        }
        host.drain();
        prop_assert_eq!(host.told(), Some(&Wants::new()));
    }
}
