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

/// The longest that a notice with a time comes ahead. A later time means that this host's clock is behind, so it counts
/// as this.
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
mod tests;
