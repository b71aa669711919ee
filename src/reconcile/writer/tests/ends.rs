//! How a writer ends: a drain, a removal, a task that is soon over.

use std::time::Duration;

use super::*;

#[test]
fn a_task_that_is_soon_over_waits_for_the_minute_that_settles_a_lost_delete() {
    let kept = journal(true);
    let mut stage = Stage::new(settings(Some(kept.clone()), false));
    stage.want(&[srv("i-0a", 1), srv("i-0a", 2)]);
    stage.settle();
    stage.writer.want(&[srv("i-0a", 1)], &[]);
    stage.step(Duration::from_secs(1), |zone, call| {
        call.make(zone).now_or_never();
        call.unanswered("cut".into())
    });
    let mut stage = Stage::on(stage.zone.clone(), settings(Some(kept), true));
    stage.settle();
    stage.want(&[srv("i-0a", 2)]);
    stage.settle();
    assert!(!stage.progress().is_over(), "it would say that something is left");
    stage.now += Duration::from_secs(60);
    stage.settle();
    assert!(stage.progress() == Progress::Settled);
}

#[test]
fn a_drain_names_what_is_on_its_way_and_writes_no_address_that_nobody_needs() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(&[srv("i-0a", 1)]);
    assert!(matches!(stage.writer.next(stage.now), Next::Call(_)));
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(1));
    assert!(stage.writer.unsettled().contains(&srv("i-0a", 1).key()));
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.writer.want(&[], &[srv("i-0a", 1)]);
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(1));
    stage.settle();
    assert_eq!(stage.calls, []);
    assert_eq!(stage.progress(), Progress::Settled);
}

#[test]
fn a_drain_does_not_wait_for_a_resync() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.by_hand(Action::Create, (0..90).map(|n| srv("i-0b", n)));
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    stage.now += Duration::from_secs(2_200);
    let one_set = |zone: &EmbeddedZone, call: &Call| match call {
        Call::Read(start) => Answer::Listed(zone.list(start.as_ref(), 1).now_or_never().unwrap()),
        _ => call.make(zone).now_or_never().unwrap(),
    };
    for _ in 0..5 {
        assert!(stage.step(Duration::from_secs(1), one_set));
    }
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    stage.settle();
    assert_eq!(stage.progress(), Progress::Settled);
    assert_eq!((stage.reads(), stage.own()), (5, vec![host()]));
}

#[test]
fn the_hosts_address_follows_the_host_and_outlives_a_drain_but_not_a_removal() {
    let kept = journal(true);
    let mut stage = Stage::new(settings(Some(kept.clone()), false));
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    let mut moved = settings(Some(kept.clone()), false);
    moved.registrant.address = [10, 9, 9, 9].into();
    let mut stage = Stage::on(stage.zone.clone(), moved);
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    assert!(stage.own().iter().any(|set| set.values == ["10.9.9.9"]));
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    stage.settle();
    assert_eq!(stage.own().iter().map(|set| set.kind).collect::<Vec<_>>(), [RecordType::A]);
    let mut stage = Stage::on(stage.zone.clone(), settings(Some(kept), true));
    stage.writer.remove(stage.now, stage.now + Duration::from_secs(25));
    stage.settle();
    assert_eq!(stage.own(), []);
    assert_eq!(stage.progress(), Progress::Settled);
}

#[test]
fn a_drain_takes_along_what_a_late_read_has_found() {
    let mut stage = Stage::new(settings(Some(journal(false)), false));
    stage.by_hand(Action::Create, [srv("i-0a", 1), host()]);
    stage.want(&[srv("i-0a", 2)]);
    // Found, and nobody has said yet what of it is wanted.
    while stage.writer.found().is_none() {
        assert!(stage.step(Duration::from_secs(1), |zone, call| call.make(zone).now_or_never().unwrap()));
    }
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    assert!(stage.writer.unsettled().contains(&srv("i-0a", 1).key()));
    stage.settle();
    assert_eq!(stage.progress(), Progress::Settled);
    assert_eq!(stage.own(), [host()]);
}

#[test]
fn what_is_under_way_is_not_settled() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(&[srv("i-0a", 1)]);
    assert!(matches!(stage.writer.next(stage.now), Next::Call(_)));
    // It is wanted no more, and may be written a moment later.
    stage.writer.want(&[srv("i-0a", 1)], &[]);
    assert!(stage.progress() == Progress::Working);
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    assert!(stage.progress() == Progress::Working);
}

#[test]
fn a_drain_that_does_not_know_everything_reads_first_what_there_is() {
    let mut stage = Stage::new(settings(Some(journal(false)), false));
    stage.by_hand(Action::Create, [srv("i-0a", 1), host(), srv("i-0b", 2)]);
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    assert_eq!(stage.progress(), Progress::Reading);
    stage.settle();
    assert_eq!(stage.progress(), Progress::Settled);
    assert_eq!(stage.own(), [host()]);
}

#[test]
fn a_delete_of_unknown_outcome_that_finds_nothing_is_left_to_the_journal_by_a_drain() {
    let kept = journal(true);
    let mut stage = Stage::new(settings(Some(kept.clone()), false));
    stage.want(&[srv("i-0a", 9)]);
    stage.settle();
    stage.want(&[srv("i-0a", 1)]);
    // Its create is lost on the way, and arrives when the agent has gone.
    let mut late = Vec::new();
    stage.step(Duration::from_secs(1), |_, call| {
        if let Call::Change(batch) = call {
            late = batch.clone();
        }
        call.unanswered("cut".into())
    });
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    stage.settle();
    assert_eq!(stage.progress(), Progress::Settled);
    stage.zone.change(&late).now_or_never().unwrap().unwrap();
    let mut stage = Stage::on(stage.zone.clone(), settings(Some(kept), false));
    stage.want(&[]);
    stage.settle();
    assert_eq!((stage.own(), stage.reads()), (vec![host()], 0));
}
