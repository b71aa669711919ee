//! What each source said last, and what follows from all of it. Pure.
//!
//! ## Guarantees
//!
//! - A source that fails keeps what it said last: silence calls nothing off, and announces nothing.
//! - A failure is told once, until the source answers again.
//! - Tasks that leave while a container instance drains do so until that is called off, also when ECS does
//!   not name them any more because it has begun to stop them.
//!
//! A notice's time is by the wall clock. It is made one of the agent's at each answer anew, so that a clock
//! that is set right meanwhile counts from the next one on.

mod snapshot;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

pub use self::snapshot::SourceState;
use super::{AskError, Leaving, Notice, Said, Source, WITHDRAW_BEFORE_END};
use crate::moment::Moment;

/// The longest that a notice with a time comes ahead: what says more goes by a clock that is behind.
/// Source: EC2 user guide, "Spot Instance interruption notices".
const LEAD_MAX: Duration = Duration::from_secs(120);

/// Something for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A source says something that it did not say before.
    Says(Said),
    /// It says nothing of the kind any more.
    CalledOff(Said),
    /// It fails.
    Fails(AskError),
    /// It answers again.
    Answers,
}

#[derive(Clone, Debug)]
struct Heard {
    said: Said,
    /// When this was said first.
    since: Moment,
    /// When the host ends.
    end: Option<Moment>,
}

/// What all sources said.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    heard: BTreeMap<Source, Heard>,
    failing: BTreeMap<Source, AskError>,
}

impl Notices {
    /// A source was asked.
    pub fn on_answer(
        &mut self,
        source: Source,
        answer: Result<Said, AskError>,
        now: Moment,
        wall: SystemTime,
    ) -> Vec<News> {
        let mut news = Vec::new();
        match answer {
            Ok(said) => {
                news.extend(self.failing.remove(&source).map(|_| News::Answers));
                news.extend(self.hear(source, said, now, wall));
            }
            Err(error) => {
                let kind = std::mem::discriminant(&error);
                let known =
                    self.failing.get(&source).is_some_and(|known| std::mem::discriminant(known) == kind);
                if !known {
                    self.failing.insert(source, error.clone());
                    news.push(News::Fails(error));
                }
            }
        }
        news
    }

    fn hear(&mut self, source: Source, mut said: Said, now: Moment, wall: SystemTime) -> Option<News> {
        let before = self.heard.remove(&source);
        let was = before.as_ref().map_or(&Said::Nothing, |heard| &heard.said);
        if let (Said::TasksEnd { tasks, .. }, Said::TasksEnd { tasks: leaving, .. }) = (&mut said, was) {
            tasks.extend(leaving.iter().cloned());
        }
        let same = *was == said;
        let since = before.as_ref().filter(|_| same).map_or(now, |heard| heard.since);
        let end = match &said {
            Said::HostEnds { at: Some(at), .. } => Some((now + at.until(wall)).min(since + LEAD_MAX)),
            _ => None,
        };
        let news = match (was, &said) {
            _ if same => None,
            (was, Said::Nothing) => Some(News::CalledOff(was.clone())),
            // Further tasks that end have no line of their own: what happens to their records is logged.
            (Said::TasksEnd { .. }, Said::TasksEnd { .. }) => None,
            (_, said) => Some(News::Says(said.clone())),
        };
        self.heard.insert(source, Heard { said, since, end });
        news
    }

    /// Whether each of these has been asked.
    fn has_asked(&self, sources: &[Source]) -> bool {
        sources.iter().all(|source| self.heard.contains_key(source) || self.failing.contains_key(source))
    }

    /// What is to be told now to whoever was told this before, where these sources are asked. That nobody leaves waits
    /// until each of them was, so that what only one has said so far calls nothing off.
    pub fn news(&self, polled: &[Source], told: Option<&Notice>) -> Option<Notice> {
        let notice = self.notice();
        let is_known = notice.leaving != Leaving::Nobody || self.has_asked(polled);
        Some(notice).filter(|notice| is_known && !told.is_some_and(|told| notice.repeats(told)))
    }

    /// What all of it amounts to.
    pub fn notice(&self) -> Notice {
        let mut notice = Notice::default();
        let mut reasons = Vec::new();
        for Heard { said, end, .. } in self.heard.values() {
            match said {
                Said::Nothing | Said::Advice(_) => {}
                Said::HostEnds { what, .. } => {
                    let withdraw_at = end.map(|end| end - WITHDRAW_BEFORE_END);
                    notice.withdraw_at = notice.withdraw_at.into_iter().chain(withdraw_at).min();
                    notice.leaving = Leaving::Everybody;
                    reasons.push(what.as_str());
                }
                Said::TasksEnd { what, tasks } => {
                    if notice.leaving == Leaving::Nobody {
                        notice.leaving = Leaving::Tasks(tasks.clone());
                    }
                    reasons.push(what.as_str());
                }
            }
        }
        notice.reason = reasons.join("; ");
        notice
    }

    /// Why not all that may come is known. A source that never answered, or may not be asked, is no reason: an
    /// agent may be set up to go without it.
    pub fn away(&self) -> Option<String> {
        let answered = |source| self.heard.contains_key(source);
        let away = (self.failing.iter())
            .filter(|(source, error)| matches!(error, AskError::Away(_)) && answered(*source));
        let away: Vec<_> = away.map(|(source, error)| format!("{source} ({error})")).collect();
        (!away.is_empty()).then(|| format!("nothing new is heard of {}", away.join(", ")))
    }
}

#[cfg(test)]
mod tests {
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
    fn hears(
        notices: &mut Notices,
        second: u32,
        source: Source,
        answer: Result<Said, AskError>,
    ) -> Vec<News> {
        notices.on_answer(source, answer, at(second.into()), WALL + SECOND * second)
    }

    #[test]
    fn a_notice_is_told_once_and_its_end_counts_down() {
        let mut notices = Notices::default();
        assert_eq!(hears(&mut notices, 10, Source::Spot, Ok(Said::Nothing)), []);
        assert_eq!(notices.notice(), Notice::default());
        assert_eq!(hears(&mut notices, 15, Source::Spot, Ok(spot(130))), [News::Says(spot(130))]);
        let leaves =
            Notice { leaving: Leaving::Everybody, withdraw_at: Some(at(110)), reason: "spot".into() };
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
        assert!(
            notices.has_asked(&[Source::Cluster]) && !notices.has_asked(&[Source::Cluster, Source::Spot])
        );
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
}
