//! The agent of this host, and where it keeps what outlives it.

use super::facts::{Agent, Facts, Registry, StateKind};
use super::finding::Finding;

/// A journal of 1,000 containers has less than 2 MB, and is written anew beside the old one.
const FREE_FINE: u64 = 16 << 20;
/// What others may do.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Judges the agent.
pub fn agent(agent: &Agent) -> Finding {
    const SUBJECT: &str = "agent";
    match agent {
        Agent::Ready => Finding::fine(SUBJECT, "it runs, and is ready"),
        Agent::Silent(reason) => Finding::warning(
            SUBJECT,
            reason,
            "start it, or call this as root and with the agent's --status-socket or --state-dir",
        ),
        Agent::Hangs(reason) => Finding::broken(
            SUBJECT,
            reason,
            "restart it (systemctl restart ecssd): records stay, the next one goes on with them",
        ),
        Agent::NotReady(reasons) => Finding::broken(
            SUBJECT,
            format!("it runs, and is not ready: {}", reasons.join("; ")),
            "see the lines below, and ecssd --status",
        ),
    }
}

/// Judges the state directory.
pub fn directory(facts: &Facts) -> Finding {
    const SUBJECT: &str = "state directory";
    let state = &facts.state;
    let path = state.path.display();
    let without = match &facts.registry {
        Registry::Local { .. } => "and the zone is kept there: the agent exits with 69",
        Registry::Route53(_) => "so each start lists the zone",
    };
    match &state.kind {
        StateKind::Absent { can_be_made: true } => {
            Finding::fine(SUBJECT, format!("{path} is not there yet, and the agent makes it"))
        }
        StateKind::Absent { can_be_made: false } => Finding::broken(
            SUBJECT,
            format!("{path} is not there, and cannot be made here, {without}"),
            "make it for the agent's user, or mount one, or pass another --state-dir",
        ),
        StateKind::NoDirectory => Finding::broken(
            SUBJECT,
            format!("{path} is no directory, {without}"),
            "move that away, or pass another --state-dir",
        ),
        StateKind::Unreadable(reason) => Finding::broken(
            SUBJECT,
            format!("{path} cannot be looked at: {reason}"),
            "call this as root or as the agent's user, or pass another --state-dir",
        ),
        StateKind::Directory { writable: false, .. } => Finding::broken(
            SUBJECT,
            format!("{path} cannot be written to, {without}"),
            "give it to the agent's user, mount it writable, or pass another --state-dir",
        ),
        StateKind::Directory { free: 0, .. } => Finding::broken(
            SUBJECT,
            format!("the disk of {path} is full, {without}"),
            "make room, or pass another --state-dir",
        ),
        StateKind::Directory { free, .. } if *free < FREE_FINE => Finding::warning(
            SUBJECT,
            format!("the disk of {path} has only {} kB left", free / 1_024),
            "make room, or pass another --state-dir",
        ),
        StateKind::Directory { mode, .. } if mode & WRITABLE_BY_OTHERS != 0 => Finding::warning(
            SUBJECT,
            format!(
                "others may write to {path} (mode {mode:o}), and so to what this host believes to have written"
            ),
            format!("chmod go-w {path}"),
        ),
        StateKind::Directory { .. } => Finding::fine(SUBJECT, format!("{path} can be written to")),
    }
}
