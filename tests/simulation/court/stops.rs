//! S18: whoever is said to have ended before every name server had heard of its withdrawal was asked to stop, and had.

use ecssd::moment::Moment;
use ecssd::record::{Action, Change, ContainerId};

use super::mark;
use crate::world::{INSYNC_AFTER, State};

impl State {
    /// A batch was applied.
    pub(super) fn court_deletes(&mut self, batch: &[Change]) {
        let deleted = batch.iter().filter(|change| change.action == Action::Delete);
        for change in deleted {
            if let Some(id) = mark(&change.set).get(1).and_then(|id| id.parse::<ContainerId>().ok()) {
                self.court.deleted.entry(id).or_default().push(self.now);
            }
        }
    }

    /// An agent says so of a container, which it calls by the beginning of its id.
    pub fn court_told_early(&mut self, short: &str) {
        self.count("said to have ended too early");
        let now = self.now;
        let mut all = self.hosts.iter().flat_map(|host| host.containers.values());
        let stopped = all.find(|it| it.id.short() == short).map(|it| (it.stopped.clone(), it.id.clone()));
        let Some((stopped, id)) = stopped else {
            return self.court.accuse(
                "S18",
                now,
                format!("{short} is said to have ended too early, and never was"),
            );
        };
        let deleted = self.court.deleted.get(&id).cloned().unwrap_or_default();
        // The agent hears late how far a withdrawal has got: meanwhile another life may have begun, and ended.
        let is_early = stopped.iter().enumerate().any(|(nth, ended)| {
            let is_of_it = |at: &Moment| stopped.get(nth + 1).is_none_or(|next| at < next);
            deleted.iter().any(|at| *ended < *at + INSYNC_AFTER && is_of_it(at))
        });
        if !is_early {
            let text = format!(
                "{short} is said to have ended too early: it did at {stopped:?}, and was deleted at {deleted:?}"
            );
            self.court.accuse("S18", now, text);
        }
    }
}
