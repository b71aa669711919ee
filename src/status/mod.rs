//! What an operator sees of an agent: whether it can do its work and, where it cannot, why.
//!
//! Shows, and decides nothing: no part of the agent reads it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// A part of the agent's work, in the order in which reasons are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// It goes: what there was at the start is written.
    Start,
    /// The container engine answers.
    Docker,
    /// The zone takes calls; credentials are part of it.
    Zone,
    /// Whoever knows what is about to happen to the host answers.
    Notices,
    /// It does not end.
    Stop,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Docker => "Docker",
            Self::Zone => "zone",
            Self::Notices => "notices",
            Self::Stop => "stop",
        })
    }
}

/// Whether the agent can do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// These parts cannot, and why; never empty.
    NotReady(Vec<(Part, String)>),
}

impl Readiness {
    /// Why a part cannot do its work.
    pub fn reason(&self, part: Part) -> Option<&str> {
        let Self::NotReady(parts) = self else { return None };
        parts.iter().find(|(other, _)| *other == part).map(|(_, reason)| reason.as_str())
    }

    fn set(&mut self, part: Part, state: Result<(), String>) {
        let mut parts = match std::mem::replace(self, Self::Ready) {
            Self::Ready => Vec::new(),
            Self::NotReady(parts) => parts,
        };
        parts.retain(|(other, _)| *other != part);
        parts.extend(state.err().map(|reason| (part, reason)));
        parts.sort();
        if !parts.is_empty() {
            *self = Self::NotReady(parts);
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NotReady(parts) = self else { return f.write_str("ready") };
        f.write_str("not ready")?;
        for (place, (part, reason)) in parts.iter().enumerate() {
            write!(f, "{} {part}: {reason}", if place == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// Where the parts say how they do. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct Board(Arc<watch::Sender<Readiness>>);

impl Default for Board {
    fn default() -> Self {
        let reason = "the first look at this host is not over".to_owned();
        Self(Arc::new(watch::Sender::new(Readiness::NotReady(vec![(Part::Start, reason)]))))
    }
}

impl Board {
    /// A part does its work, or cannot, and why. A change is logged once.
    pub fn set(&self, part: Part, state: Result<(), String>) {
        let changed = self.0.send_if_modified(|readiness| {
            let was = readiness.clone();
            readiness.set(part, state);
            was != *readiness
        });
        if changed {
            let readiness = self.0.borrow().to_string();
            tracing::info!(event = "readiness", "{readiness}");
        }
    }

    /// How it is, and what becomes of it.
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.0.subscribe()
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
