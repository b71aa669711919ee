//! What a writer tells of how far its changes have got: who ended too early, how long changes take, and when it asks.

use std::time::Duration;

use super::asks::{due, settled};
use super::*;
use crate::record::testing::id;
use crate::zone::{ChangeInfo, ChangeStatus};

const SECOND: Duration = Duration::from_secs(1);

fn status(status: ChangeStatus) -> Result<ChangeInfo, ZoneError> {
    Ok(ChangeInfo { id: "C1".to_owned(), status })
}

/// The zone takes a batch as change C1, which is on its way from there.
fn accept(zone: &EmbeddedZone, call: &Call) -> Answer {
    call.make(zone).now_or_never().unwrap();
    Answer::Changed(status(ChangeStatus::Pending))
}

/// Container 1 wants this from now on.
fn want(stage: &mut Stage, old: &[RecordSet], new: &[RecordSet]) {
    stage.writer.want(old, new);
    stage.writer.wanted([(&id(1), old, new)], stage.now);
}

/// A writer whose container 1 was withdrawn just now, by change C1.
fn leaving() -> Stage {
    let mut stage = settled(&[srv("i-0a", 1)]);
    stage.now += SECOND;
    want(&mut stage, &[srv("i-0a", 1)], &[]);
    assert!(stage.step(Duration::ZERO, accept));
    stage.news.clear();
    stage
}

fn end(stage: &mut Stage) {
    stage.writer.ended(&id(1), "web".to_owned(), stage.now);
}

/// Asks after C1 now.
fn ask(stage: &mut Stage, answer: Result<ChangeInfo, ZoneError>) {
    assert!(stage.step(Duration::ZERO, |_, call| {
        assert_eq!(*call, Call::Status("C1".to_owned()));
        Answer::Status(answer)
    }));
}

fn early(missing: Missing) -> News {
    let services = ["_web._tcp.sd.internal".to_owned()].into();
    News::Early(Early { container: id(1), name: "web".into(), services, served: 10 * SECOND, missing })
}

fn came_of_it(stopped: Stopped) -> Stops {
    Stops::counted([("_web._tcp.sd.internal".to_owned(), stopped)])
}

#[test]
fn who_ends_before_its_withdrawal_is_everywhere_is_told_and_counted() {
    let mut stage = leaving();
    assert!(due(&mut stage) > stage.now + 60 * SECOND, "it asks before the end");
    stage.now += 10 * SECOND;
    end(&mut stage);
    ask(&mut stage, status(ChangeStatus::Pending));
    assert_eq!(due(&mut stage), stage.now + 5 * SECOND);
    stage.now += 5 * SECOND;
    ask(&mut stage, status(ChangeStatus::InSync));
    let missing = Missing { at_least: Duration::ZERO, at_most: Some(5 * SECOND) };
    assert_eq!(stage.news, [early(missing)]);
    let counted = came_of_it(Stopped { early: 1, longest: 5 * SECOND, ..Stopped::default() });
    assert_eq!(stage.writer.stops(), &counted);
}

#[test]
fn who_ends_early_is_told_by_time_alone_where_no_answer_says_when_all_had_heard() {
    let mut stage = leaving();
    stage.now += 10 * SECOND;
    end(&mut stage);
    ask(&mut stage, status(ChangeStatus::Pending));
    assert_eq!(stage.writer.on_time(stage.now + 299 * SECOND), []);
    let missing = Missing { at_least: Duration::ZERO, at_most: None };
    assert_eq!(stage.writer.on_time(stage.now + 300 * SECOND), [early(missing)]);
}

#[test]
fn who_was_never_written_is_no_stop() {
    let mut stage = settled(&[]);
    want(&mut stage, &[], &[srv("i-0a", 1)]);
    want(&mut stage, &[srv("i-0a", 1)], &[]);
    end(&mut stage);
    assert_eq!(stage.writer.on_time(stage.now + 300 * SECOND), []);
    assert_eq!(stage.writer.stops(), &came_of_it(Stopped::default()));
}

#[test]
fn what_is_sampled_is_asked_after_and_tells_how_long_it_took_from_the_wish() {
    let mut stage = settled(&[]);
    let wanted = stage.now;
    want(&mut stage, &[], &[srv("i-0a", 1)]);
    assert!(stage.step(SECOND, accept));
    stage.writer.sample("C1", vec![wanted], stage.now);
    assert_eq!(due(&mut stage), stage.now + 5 * SECOND);
    stage.now += 5 * SECOND;
    ask(&mut stage, status(ChangeStatus::InSync));
    let spread = stage.writer.in_sync_after();
    assert_eq!((spread.count, spread.sum), (1, stage.now - wanted));
}

#[test]
fn a_registry_that_denies_the_question_is_told_of_and_nobody_is_said_to_have_ended_early() {
    let denied = || ZoneError::Denied("route53:GetChange".into());
    let mut stage = leaving();
    end(&mut stage);
    ask(&mut stage, Err(denied()));
    assert_eq!(stage.news, [News::Unconfirmable(denied())]);
    assert_eq!(stage.writer.stops(), &came_of_it(Stopped { unknown: 1, ..Stopped::default() }));
}
