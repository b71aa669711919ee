//! What sources say, one after the other, and what of it is news.

use std::collections::BTreeSet;

use super::*;
use crate::container::Timestamp;
use crate::moment::at;

const SECOND: Duration = Duration::from_secs(1);
/// The wall clock at the agent's start.
const WALL: SystemTime = SystemTime::UNIX_EPOCH;

fn spot(at: i64) -> Said {
    let at = Some(Timestamp::from_unix_nanos(at * 1_000_000_000));
    Said::HostEnds { what: "spot".into(), at }
}

fn draining(tasks: &[&str]) -> Said {
    let tasks = tasks.iter().map(|&task| task.to_owned()).collect();
    Said::TasksEnd { what: "DRAINING".into(), tasks }
}

fn away() -> AskError {
    AskError::Away("no answer".into())
}

/// A source answers at a second by both clocks.
fn hears(notices: &mut Notices, second: u32, source: Source, answer: Result<Said, AskError>) -> Vec<News> {
    notices.on_answer(source, answer, at(second.into()), WALL + SECOND * second)
}

#[test]
fn a_notice_is_told_once_and_its_end_counts_down() {
    let mut notices = Notices::default();
    assert_eq!(hears(&mut notices, 10, Source::Spot, Ok(Said::Nothing)), []);
    assert_eq!(notices.notice(), Notice::default());
    assert_eq!(hears(&mut notices, 15, Source::Spot, Ok(spot(130))), [News::Says(spot(130))]);
    let leaves = Notice { leaving: Leaving::Everybody, withdraw_at: Some(at(110)), reason: "spot".into() };
    assert_eq!(notices.notice(), leaves);
    assert_eq!(hears(&mut notices, 20, Source::Spot, Ok(spot(130))), []);
    assert_eq!(notices.notice(), leaves);
    assert_eq!(hears(&mut notices, 25, Source::Spot, Ok(Said::Nothing)), [News::CalledOff(spot(130))]);
    assert_eq!(notices.notice(), Notice::default());
}

#[test]
fn silence_calls_nothing_off_and_is_told_once() {
    let mut notices = Notices::default();
    hears(&mut notices, 0, Source::Spot, Ok(spot(100)));
    let before = notices.notice();
    assert_eq!(hears(&mut notices, 5, Source::Spot, Err(away())), [News::Fails(away())]);
    assert_eq!(hears(&mut notices, 10, Source::Spot, Err(AskError::Away("other words".into()))), []);
    assert_eq!(notices.notice(), before);
    assert!(notices.away().unwrap().contains("spot interruption (no answer)"));
    assert_eq!(hears(&mut notices, 15, Source::Spot, Ok(spot(100))), [News::Answers]);
    assert_eq!(notices.away(), None);
}

#[test]
fn what_never_answered_is_told_and_is_no_fault() {
    let mut notices = Notices::default();
    assert_eq!(hears(&mut notices, 0, Source::Spot, Err(away())), [News::Fails(away())]);
    assert_eq!(notices.away(), None);
    hears(&mut notices, 5, Source::Spot, Ok(Said::Nothing));
    hears(&mut notices, 10, Source::Spot, Err(away()));
    assert!(notices.away().is_some());
}

#[test]
fn what_may_not_be_asked_is_told_and_is_no_fault() {
    let mut notices = Notices::default();
    let denied = || AskError::Denied("ecs:DescribeContainerInstances".into());
    assert_eq!(hears(&mut notices, 0, Source::Cluster, Err(denied())), [News::Fails(denied())]);
    assert_eq!(notices.away(), None);
    assert!(notices.has_asked(&[Source::Cluster]) && !notices.has_asked(&[Source::Cluster, Source::Spot]));
}

#[test]
fn a_clock_that_is_set_counts_from_the_next_answer() {
    let mut notices = Notices::default();
    // An hour behind: no notice comes more than two minutes ahead.
    notices.on_answer(Source::Spot, Ok(spot(3_700)), at(10), WALL + 10 * SECOND);
    assert_eq!(notices.notice().withdraw_at, Some(at(110)));
    // Set right: 85 s are left.
    notices.on_answer(Source::Spot, Ok(spot(3_700)), at(15), WALL + 3_615 * SECOND);
    assert_eq!(notices.notice().withdraw_at, Some(at(80)));
    // An end that has passed is now.
    notices.on_answer(Source::Spot, Ok(spot(3_700)), at(20), WALL + 9_000 * SECOND);
    assert_eq!(notices.notice().withdraw_at, Some(Moment::START));
}

#[test]
fn the_end_of_the_host_is_that_of_its_tasks_and_the_earliest_time_counts() {
    let mut notices = Notices::default();
    hears(&mut notices, 0, Source::Cluster, Ok(draining(&["a"])));
    assert_eq!(notices.notice().leaving, Leaving::Tasks(["a".to_owned()].into()));
    hears(&mut notices, 0, Source::Scaling, Ok(Said::HostEnds { what: "scaled in".into(), at: None }));
    assert_eq!((notices.notice().leaving, notices.notice().withdraw_at), (Leaving::Everybody, None));
    hears(&mut notices, 0, Source::Spot, Ok(spot(100)));
    let notice = notices.notice();
    assert_eq!((notice.withdraw_at, &*notice.reason), (Some(at(80)), "spot; scaled in; DRAINING"));
}

#[test]
fn a_task_that_ecs_begins_to_stop_goes_on_leaving() {
    let mut notices = Notices::default();
    let leaving = |notices: &Notices| match notices.notice().leaving {
        Leaving::Tasks(tasks) => tasks,
        _ => BTreeSet::new(),
    };
    hears(&mut notices, 0, Source::Cluster, Ok(draining(&["a", "b"])));
    assert_eq!(hears(&mut notices, 20, Source::Cluster, Ok(draining(&["a", "b", "c"]))), []);
    assert_eq!(hears(&mut notices, 30, Source::Cluster, Ok(draining(&["b"]))), []);
    assert_eq!(leaving(&notices).len(), 3);
    hears(&mut notices, 60, Source::Cluster, Ok(Said::Nothing));
    hears(&mut notices, 90, Source::Cluster, Ok(draining(&["b"])));
    assert_eq!(leaving(&notices).len(), 1);
}

#[test]
fn nothing_is_called_off_before_all_were_asked_and_nothing_is_told_twice() {
    let (mut notices, polled) = (Notices::default(), [Source::Spot, Source::Cluster]);
    hears(&mut notices, 0, Source::Spot, Ok(Said::Nothing));
    assert_eq!(notices.news(&polled, None), None);
    hears(&mut notices, 0, Source::Cluster, Ok(Said::Nothing));
    let nothing = notices.news(&polled, None).unwrap();
    assert_eq!((&nothing, notices.news(&polled, Some(&nothing))), (&Notice::default(), None));
    let mut notices = Notices::default();
    hears(&mut notices, 0, Source::Spot, Ok(spot(100)));
    let leaves = notices.news(&polled, None).unwrap();
    assert_eq!((&leaves.leaving, notices.news(&polled, Some(&leaves))), (&Leaving::Everybody, None));
}

#[test]
fn advice_moves_nothing() {
    let mut notices = Notices::default();
    let advice = Said::Advice("rebalance".into());
    assert_eq!(hears(&mut notices, 0, Source::Rebalance, Ok(advice.clone())), [News::Says(advice)]);
    assert_eq!(notices.notice(), Notice::default());
}
