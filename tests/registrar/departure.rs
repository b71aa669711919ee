//! What leaving, parting and a notice called off make of the records that there are.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::record::RecordSet;
use ecssd_testing::rehearsal::{Rehearsal, Shown, id, leaving, records};

use crate::unchecked;

const SECOND: Duration = Duration::from_secs(1);

/// Three containers that serve; the second belongs to no task.
fn serving() -> Rehearsal {
    let host = crate::serving();
    assert_eq!(weights(&host), [Some(1), Some(1), Some(1)]);
    host
}

/// The weight that each container's services are all wanted at, those apart that have none; `None` where nothing is wanted.
fn weights(host: &Rehearsal) -> [Option<i64>; 3] {
    [0, 1, 2].map(|n| {
        let wants = host.told().unwrap().get(&id(n))?;
        let weights: BTreeSet<_> = wants.iter().filter_map(RecordSet::weight).collect();
        assert_eq!((wants.len(), weights.len()), (records(n, unchecked(n)).len(), 1));
        weights.first().copied()
    })
}

#[test]
fn a_host_that_leaves_has_weight_0_until_its_end_is_near_and_then_no_records() {
    let mut host = serving();
    host.notice(leaving(None), Some(100));
    assert_eq!(weights(&host), [Some(0); 3]);
    host.wait(99 * SECOND);
    assert_eq!(weights(&host), [Some(0); 3]);
    host.wait(SECOND);
    assert_eq!(weights(&host), [None; 3]);
}

#[test]
fn a_notice_that_is_called_off_restores_weights_and_wants() {
    for waits in [50, 150] {
        let mut host = serving();
        host.notice(leaving(None), Some(100));
        host.wait(waits * SECOND);
        host.notice(leaving(Some(0)), None);
        assert_eq!(weights(&host), [Some(1); 3], "after {waits} s");
    }
}

#[test]
fn without_a_time_records_go_when_their_containers_are_asked_to_stop() {
    let mut host = serving();
    host.notice(leaving(None), None);
    host.wait(3_600 * SECOND);
    assert_eq!(weights(&host), [Some(0); 3]);
    host.killed(1, 1, 15);
    assert_eq!(weights(&host), [Some(0), None, Some(0)]);
}

#[test]
fn tasks_that_leave_take_no_others_along() {
    let mut host = serving();
    host.notice(leaving(Some(0b011)), None);
    assert_eq!(weights(&host), [Some(0), Some(1), Some(1)]);
    host.notice(leaving(Some(0b111)), Some(10));
    assert_eq!(weights(&host), [Some(0), Some(1), Some(0)]);
    host.wait(10 * SECOND);
    assert_eq!(weights(&host), [None, Some(1), None]);
}

#[test]
fn what_comes_while_the_host_leaves_comes_at_weight_0() {
    let mut host = Rehearsal::default();
    host.known(0, 0);
    host.listed(0, 0);
    host.notice(leaving(None), Some(100));
    (0..3).for_each(|n| host.seen(n, unchecked(n), 0));
    assert_eq!(weights(&host), [Some(0); 3]);
}

#[test]
fn what_an_earlier_run_left_of_a_container_not_looked_at_leaves_with_the_host_only() {
    for (tasks, weight) in [(Some(0b111), 1), (None, 0)] {
        let mut host = Rehearsal::default();
        host.known(0b1, 0);
        host.listed(0b1, 0);
        host.wait(2 * SECOND);
        host.notice(leaving(tasks), None);
        assert_eq!(weights(&host)[0], Some(weight), "{tasks:?}");
    }
}

#[test]
fn the_first_word_is_waited_for_as_long_as_a_container_is() {
    let start = || {
        let mut host = Rehearsal::default();
        host.registrar.expect_notice();
        host.known(0, 0);
        (0..3).for_each(|n| host.seen(n, unchecked(n), 0));
        host.listed(0b111, 0);
        assert_eq!(host.told(), None);
        host
    };
    let mut told = start();
    told.notice(leaving(Some(0b101)), None);
    assert_eq!(weights(&told), [Some(0), Some(1), Some(0)]);
    let mut untold = start();
    untold.wait(2 * SECOND);
    assert_eq!(weights(&untold), [Some(1); 3]);
}

#[test]
fn an_agent_that_parts_registers_nothing_new_and_deletes_nothing_that_serves() {
    let mut host = serving();
    host.died(2, 1);
    host.prepare_drain();
    assert_eq!(weights(&host), [Some(0), Some(0), None]);
    host.seen(3, unchecked(2), 0);
    assert!(!host.told().unwrap().contains_key(&id(3)));
    // No notice, and none that is called off, brings the weights back.
    host.notice(leaving(Some(0)), None);
    assert_eq!(weights(&host), [Some(0), Some(0), None]);
    host.died(0, 1);
    assert_eq!(weights(&host), [None, Some(0), None]);
}

#[test]
fn an_agent_that_parts_before_its_first_look_is_over_keeps_what_it_knows_at_weight_0() {
    let mut host = Rehearsal::default();
    host.seen(3, unchecked(1), 0);
    host.prepare_drain();
    assert_eq!(host.told(), None);
    host.known(0b111, 0);
    assert!(!host.told().unwrap().contains_key(&id(3)));
    assert_eq!(weights(&host)[0], Some(0));
    // One that is looked at keeps its record; another that had none gets none.
    host.seen(0, Shown { life: 0, ..unchecked(0) }, 0);
    assert_eq!(weights(&host)[0], Some(0));
    host.seen(4, unchecked(2), 0);
    assert!(!host.told().unwrap().contains_key(&id(4)));
}

#[test]
fn what_was_looked_at_before_the_zone_was_read_is_not_held_beside_what_is_known_of_it() {
    let mut host = Rehearsal::default();
    host.prepare_drain();
    host.seen(2, Shown { life: 0, ..unchecked(0) }, 0);
    host.known(0b100, 0);
    assert_eq!(weights(&host), [None, None, Some(0)]);
    host.notice(leaving(Some(0b100)), Some(0));
    assert_eq!(weights(&host), [None; 3]);
}
