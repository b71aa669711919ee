//! When a writer asks, and what it makes of the answer: waits, reads, and what it is told of a fleet.

use std::time::Duration;

use super::*;
use crate::zone::{ChangeInfo, ChangeStatus};

const MINUTE: Duration = Duration::from_secs(60);

fn answer(zone: &EmbeddedZone, call: &Call) -> Answer {
    call.make(zone).now_or_never().unwrap()
}

/// A writer that has written this, knows all, and has nothing to do until the next resync.
pub(super) fn settled(sets: &[RecordSet]) -> Stage {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(sets);
    stage.settle();
    assert_eq!(stage.progress(), Progress::Settled);
    stage
}

pub(super) fn due(stage: &mut Stage) -> Moment {
    let Next::At(at) = stage.writer.next(stage.now) else { panic!("something goes at once, or never") };
    at
}

#[test]
fn a_writer_that_goes_on_for_another_makes_no_call_before_its_time_and_another_at_once() {
    let start = |then| {
        let mut writer = Writer::starting_at(settings(Some(journal(true)), false), then);
        writer.want(&[], &[srv("i-0a", 1)]);
        writer.told_all();
        writer.next(Moment::START)
    };
    assert!(matches!(start(Moment::START), Next::Call(_)));
    assert!(matches!(start(at(7)), Next::At(then) if then >= at(7)));
}

#[test]
fn what_was_written_is_known_to_the_next_registrar() {
    let mut known = settled(&[srv("i-0a", 1)]).writer.observed().unwrap();
    known.sort_by_key(RecordSet::key);
    assert_eq!(known, [srv("i-0a", 1), host()]);
}

#[test]
fn what_leaves_gathers_for_less_long_than_what_comes() {
    let mut stage = settled(&[srv("i-0a", 1)]);
    stage.writer.want(&[], &[srv("i-0a", 2)]);
    assert_eq!(due(&mut stage), stage.now + Duration::from_millis(500));
    stage.writer.want(&[srv("i-0a", 1)], &[]);
    assert_eq!(due(&mut stage), stage.now + Duration::from_millis(100));
    stage.writer.want(&[srv("i-0a", 2)], &[]);
    assert_eq!(due(&mut stage), stage.now + Duration::from_millis(100));
    stage.now += Duration::from_millis(100);
    assert!(matches!(stage.writer.next(stage.now), Next::Call(_)));
}

#[test]
fn a_read_that_is_throttled_is_waited_out_and_said() {
    let mut stage = Stage::new(settings(None, true));
    let throttled = || ZoneError::Throttled("Rate exceeded".into());
    let mut waited = Duration::ZERO;
    for _ in 0..20 {
        let before = stage.now;
        assert!(stage.step(MINUTE, |_, _| Answer::Listed(Err(throttled()))));
        waited = waited.max(stage.now - before);
    }
    assert!(waited > Duration::from_secs(5), "{waited:?}");
    assert_eq!(stage.news, [News::Failing(throttled())]);
}

#[test]
fn a_fleet_reads_its_own_names_as_seldom_as_it_is_large() {
    let next = |hosts| {
        let mut stage = Stage::new(settings(Some(journal(true)), false));
        stage.writer.set_hosts(hosts);
        stage.want(&[srv("i-0a", 1)]);
        stage.settle();
        due(&mut stage) - stage.now
    };
    let day = 24 * 60 * MINUTE;
    assert!(next(None) < 40 * MINUTE);
    assert!((day.mul_f64(0.7)..day.mul_f64(1.3)).contains(&next(Some(10_000_000))), "a hint may be wrong");
}

#[test]
fn a_resync_that_is_due_begins_with_its_timer() {
    let mut stage = settled(&[srv("i-0a", 1)]);
    stage.now = due(&mut stage);
    assert!(matches!(stage.writer.next(stage.now), Next::Call(Call::Read(_))));
}

#[test]
fn a_resync_finds_who_else_has_this_hosts_name() {
    let foreign = RecordSet { set_identifier: Some("i-0b".into()), ..host() };
    let mut stage = settled(&[srv("i-0a", 1)]);
    stage.by_hand(Action::Delete, [host()]);
    stage.by_hand(Action::Create, [RecordSet { set_identifier: None, routing: Routing::Simple, ..foreign }]);
    stage.now = due(&mut stage);
    stage.settle();
    assert!(stage.news.iter().any(|news| matches!(news, News::Contested(_))), "{:?}", stage.news);
}

#[test]
fn a_host_that_has_nothing_in_the_zone_reads_nothing() {
    let mut stage = settled(&[]);
    for _ in 0..3 {
        stage.now = due(&mut stage);
        stage.settle();
    }
    assert_eq!(stage.calls, []);
}

#[test]
fn a_read_tells_which_full_names_are_crowded() {
    let full = |owner: &str, n| RecordSet {
        name: "_web-all._tcp.sd.internal".into(),
        routing: Routing::Multivalue,
        ..srv(owner, n)
    };
    let mut stage = settled(&[full("i-0a", 1)]);
    stage.by_hand(Action::Create, (2..10).map(|n| full("i-0b", n)));
    stage.by_hand(Action::Create, (20..50).map(|n| srv("i-0b", n)));
    stage.now = due(&mut stage);
    stage.settle();
    let crowded = |news: &&News| matches!(news, News::Crowded { copies: 9, .. });
    assert_eq!(stage.news.iter().filter(crowded).count(), 1, "{:?}", stage.news);
}

#[test]
fn what_is_not_everywhere_yet_is_asked_after_every_two_seconds() {
    let mut stage = settled(&[srv("i-0a", 1)]);
    let pending = |id: &str| Ok(ChangeInfo { id: id.to_owned(), status: ChangeStatus::Pending });
    stage.writer.confirm(stage.now);
    stage.writer.drain(stage.now, stage.now + MINUTE);
    assert!(stage.step(Duration::from_secs(1), |zone, call| {
        answer(zone, call);
        Answer::Changed(pending("C1"))
    }));
    for _ in 0..3 {
        assert_eq!(due(&mut stage), stage.now + Duration::from_secs(2));
        assert!(stage.step(Duration::from_secs(2), |_, call| {
            assert_eq!(*call, Call::Status("C1".to_owned()));
            Answer::Status(pending("C1"))
        }));
    }
    assert_eq!(stage.progress(), Progress::Confirming);
}
