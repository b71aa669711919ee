//! S18: whoever is said to have ended before every name server had heard of its withdrawal was asked to stop, and had.

use ecssd::record::{Action, Change, ContainerId};

use super::mark;
use crate::world::{INSYNC_AFTER, State};

impl State {
    /// A batch was applied.
    pub(super) fn court_deletes(&mut self, batch: &[Change]) {
        let deleted = batch.iter().filter(|change| change.action == Action::Delete);
        for change in deleted {
            if let Some(id) = mark(&change.set).get(1).and_then(|id| id.parse::<ContainerId>().ok()) {
                self.court.deleted.insert(id, self.now);
            }
        }
    }

    /// An agent says so of a container, which it calls by the beginning of its id.
    pub fn court_told_early(&mut self, short: &str) {
        self.count("said to have ended too early");
        let now = self.now;
        let mut all = self.hosts.iter().flat_map(|host| host.containers.values());
        let stopped = all.find(|it| it.id.short() == short).map(|it| (it.stopped, it.id.clone()));
        let Some((stopped, id)) = stopped else {
            return self.court.accuse(
                "S18",
                now,
                format!("{short} is said to have ended too early, and never was"),
            );
        };
        let spread = self.court.deleted.get(&id).map(|at| *at + INSYNC_AFTER);
        let is_early = stopped.zip(spread).is_some_and(|(stopped, spread)| stopped < spread);
        if !is_early {
            let text = format!(
                "{short} is said to have ended too early: it did at {stopped:?}, and all had heard of it at {spread:?}"
            );
            self.court.accuse("S18", now, text);
        }
    }
}
