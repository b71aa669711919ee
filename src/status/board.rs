//! Where the parts of an agent say how they do: whether each can work, and what it knows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::checks::Checks;
use super::feed::{Feed, View};
use super::{Discovery, Part, Questions, Readiness};
use crate::machine::departure::notices::SourceState;
use crate::machine::task_resolver::Troubles;
use crate::machine::{docker_watcher, registrar};
use crate::moment::Moment;
use crate::reconcile::writer;

/// How far the agent's own end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// In a word.
    pub phase: &'static str,
    /// Until when everything is to be withdrawn, by the agent's clock.
    pub deadline: Option<Moment>,
}

/// Where the parts say how they do. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct Board {
    readiness: Arc<watch::Sender<Readiness>>,
    /// Since when each part is as it is.
    since: Arc<Mutex<BTreeMap<Part, Instant>>>,
    /// What the Registrar knows.
    pub registrar: Feed<registrar::Snapshot>,
    /// What the Route53Writer knows.
    pub writer: Feed<writer::Snapshot>,
    /// What the DockerWatcher knows.
    pub docker: Feed<docker_watcher::Snapshot>,
    /// What the TaskResolver found wrong with containers.
    pub troubles: Feed<Troubles>,
    /// What the HostWatcher heard.
    pub notices: Feed<Vec<SourceState>>,
    /// How far the agent's own end has come.
    pub ending: Feed<Ending>,
    /// What targets answered.
    pub checks: Checks,
    /// What DNS was asked, where it is answered here.
    pub questions: Questions,
    /// What was told to those who ask for targets over HTTP.
    pub discovery: Discovery,
}

impl Default for Board {
    fn default() -> Self {
        let reason = "the first look at this host is not over".to_owned();
        Self {
            readiness: Arc::new(watch::Sender::new(Readiness::NotReady(vec![(Part::Start, reason)]))),
            since: Arc::new(Mutex::new(Part::ALL.map(|part| (part, Instant::now())).into())),
            registrar: Feed::default(),
            writer: Feed::default(),
            docker: Feed::default(),
            troubles: Feed::default(),
            notices: Feed::default(),
            ending: Feed::default(),
            checks: Checks::default(),
            questions: Questions::default(),
            discovery: Discovery::default(),
        }
    }
}

impl Board {
    /// A part does its work, or cannot, and why. A change is logged once.
    pub fn set(&self, part: Part, state: Result<(), String>) {
        let mut turned = false;
        let changed = self.readiness.send_if_modified(|readiness| {
            let was = readiness.clone();
            readiness.set(part, state);
            turned = was.reason(part).is_some() != readiness.reason(part).is_some();
            was != *readiness
        });
        if turned {
            self.since.lock().unwrap_or_else(PoisonError::into_inner).insert(part, Instant::now());
        }
        if changed {
            let readiness = self.readiness.borrow().to_string();
            tracing::info!(event = "readiness", "{readiness}");
        }
    }

    /// How it is, and what becomes of it.
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.readiness.subscribe()
    }

    /// Somebody looks at all of it, from here on.
    pub fn watch(&self) -> Watch {
        Watch {
            readiness: self.readiness.subscribe(),
            since: self.since.clone(),
            registrar: self.registrar.view(),
            writer: self.writer.view(),
            docker: self.docker.view(),
            troubles: self.troubles.view(),
            notices: self.notices.view(),
            ending: self.ending.view(),
            checks: self.checks.clone(),
            questions: self.questions.clone(),
            discovery: self.discovery.clone(),
        }
    }
}

/// Whoever looks at a board.
#[derive(Clone, Debug)]
pub struct Watch {
    readiness: watch::Receiver<Readiness>,
    since: Arc<Mutex<BTreeMap<Part, Instant>>>,
    /// What the Registrar knows.
    pub registrar: View<registrar::Snapshot>,
    /// What the Route53Writer knows.
    pub writer: View<writer::Snapshot>,
    /// What the DockerWatcher knows.
    pub docker: View<docker_watcher::Snapshot>,
    /// What the TaskResolver found wrong with containers.
    pub troubles: View<Troubles>,
    /// What the HostWatcher heard.
    pub notices: View<Vec<SourceState>>,
    /// How far the agent's own end has come.
    pub ending: View<Ending>,
    /// What targets answered.
    pub checks: Checks,
    /// What DNS was asked.
    pub questions: Questions,
    /// What was told to those who ask for targets over HTTP.
    pub discovery: Discovery,
}

impl Watch {
    /// Whether the agent can do its work.
    pub fn readiness(&self) -> Readiness {
        self.readiness.borrow().clone()
    }

    /// For how long a part has been as it is.
    pub fn since(&self, part: Part) -> Duration {
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.get(&part).map(Instant::elapsed).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_when_every_part_is_and_says_why_not() {
        let board = Board::default();
        let text = || board.readiness().borrow().to_string();
        assert_eq!(text(), "not ready: start: the first look at this host is not over");
        board.set(Part::Start, Ok(()));
        assert_eq!(text(), "ready");
        board.set(Part::Zone, Err("no credentials".into()));
        board.set(Part::Docker, Err("it is away".into()));
        assert_eq!(text(), "not ready: Docker: it is away; zone: no credentials");
        board.set(Part::Docker, Ok(()));
        assert_eq!(board.readiness().borrow().reason(Part::Zone), Some("no credentials"));
        board.set(Part::Zone, Ok(()));
        assert_eq!(*board.readiness().borrow(), Readiness::Ready);
    }

    #[test]
    fn what_does_not_change_wakes_nobody() {
        let board = Board::default();
        let mut readiness = board.readiness();
        board.set(Part::Docker, Ok(()));
        assert!(!readiness.has_changed().unwrap());
        board.set(Part::Docker, Err("away".into()));
        assert!(readiness.has_changed().unwrap());
        readiness.mark_unchanged();
        board.set(Part::Docker, Err("away".into()));
        assert!(!readiness.has_changed().unwrap());
    }
}
