//! Whose turn it is: which change is asked after next, and when.
//!
//! Among those that are due for the sake of stops, one that nobody has asked after since a container's end goes before
//! one whose containers are all known to have ended too early: the former soon tells nothing any more
//! ([`TELLS_FOR`](super::stops::TELLS_FOR)), the latter only by how much.

use super::{Followed, Propagation, Stop, budget};
use crate::moment::Moment;

/// What an answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tells {
    /// Whether a container ended too early, which nobody has asked since.
    Whether,
    /// Anything else.
    Else,
    /// Only by how much.
    HowMuch,
}

/// When a question is due: first by when it may go, then by what it tells and how long it has waited for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Moment,
    tells: Tells,
    wanted: Moment,
}

impl Propagation {
    /// The change to ask after, and when; or when something is known by its age.
    pub(in super::super) fn next(&self) -> Option<(Option<&str>, Moment)> {
        let limits = self.stops.iter().filter_map(Stop::limit);
        let mut all: Vec<(Option<&str>, Due)> =
            limits.map(|at| (None, Due { at, tells: Tells::Else, wanted: at })).collect();
        for (id, change) in &self.changes {
            let dues = [self.due_for_stops(id, change), self.due_for_samples(change)];
            all.extend(dues.into_iter().flatten().map(|due| (Some(id.as_str()), due)));
        }
        if all.iter().any(|(_, due)| due.tells == Tells::Whether) {
            all.retain(|(_, due)| due.tells != Tells::HowMuch);
        }
        all.into_iter().min_by_key(|(_, due)| *due).map(|(id, due)| (id, due.at))
    }

    /// It is asked after now.
    pub(in super::super) fn ask(&mut self, id: &str, now: Moment) {
        let for_stop = self.changes.get(id).is_some_and(|change| self.due_for_stops(id, change).is_some());
        self.budget.on_asked(now, for_stop);
        self.asking = Some((id.to_owned(), now));
    }

    fn due_for_samples(&self, change: &Followed) -> Option<Due> {
        (!change.sampled.is_empty()).then(|| {
            let since = change.asked.unwrap_or(change.accepted);
            let wanted = since + budget::wait(since - change.accepted);
            Due { at: self.budget.for_samples(wanted), tells: Tells::Else, wanted }
        })
    }

    fn due_for_stops(&self, id: &str, change: &Followed) -> Option<Due> {
        let waiting = || self.stops.iter().filter(|stop| stop.waits_for(id));
        let ended = waiting().filter_map(|stop| stop.ended).max()?;
        let (wanted, tells) = match change.asked {
            Some(asked) if asked >= ended => (asked + budget::wait(asked - change.accepted), Tells::Else),
            // Whether it ended in time, only a question that is sent now tells.
            _ => (ended, Tells::Whether),
        };
        let tells = if waiting().all(Stop::is_early) { Tells::HowMuch } else { tells };
        Some(Due { at: self.budget.for_stops(wanted), tells, wanted })
    }
}
