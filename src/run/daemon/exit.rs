//! What each end is called in the log, to the service manager, and by its exit code.

use super::manager;
use super::registry::Open;
use super::signals::Asked;
use crate::actors::Exit;
use crate::config::Command;
use crate::record::Key;
use crate::run::removal::Removal;

/// What was asked for is not to be had (`EX_UNAVAILABLE`).
pub(super) const UNAVAILABLE: u8 = 69;
/// Actors kept failing (`EX_SOFTWARE`).
pub(super) const GAVE_UP: u8 = 70;
/// Time ran out, or something is left; a next start goes on with it (`EX_TEMPFAIL`).
pub(super) const LEFT_BEHIND: u8 = 75;

/// A signal before there was anything to stop.
pub(super) fn asked_too_early(command: Command, asked: Asked) -> u8 {
    match (command, asked) {
        (Command::Serve, Asked::HandOver) => 0,
        (Command::Serve, Asked::Stop(_)) => {
            tracing::error!(
                event = "stopped_early",
                "stopped before this host or its zone was found: an earlier run's records may be left"
            );
            LEFT_BEHIND
        }
        (Command::Sync | Command::Remove, asked) => interrupted(asked),
    }
}

/// A signal amid a command that is soon over.
pub(super) fn interrupted(asked: Asked) -> u8 {
    tracing::error!(event = "interrupted", "interrupted: it may be half done; run it again");
    match asked {
        Asked::Stop(code) => code,
        Asked::HandOver => LEFT_BEHIND,
    }
}

/// The end of `--remove`.
pub(super) fn removal_code(removal: &Removal, open: &Open) -> u8 {
    let changes = open.changes();
    match removal {
        Removal::Done | Removal::Unconfirmed if open.dry_run => {
            tracing::info!(event = "removal_planned", changes, "would remove this much; nothing was written");
            0
        }
        Removal::Done => {
            tracing::info!(
                event = "removed",
                changes,
                "nothing of this host is left, and every name server answers so"
            );
            0
        }
        Removal::Unconfirmed => {
            tracing::error!(
                event = "removed_unconfirmed",
                changes,
                "nothing of this host is left, but some name servers may answer with it yet"
            );
            LEFT_BEHIND
        }
        Removal::Left(left) => {
            say_left(left);
            tracing::error!(
                event = "removal_incomplete",
                left = left.len(),
                "records are left; run --remove again"
            );
            LEFT_BEHIND
        }
        Removal::Unread => {
            tracing::error!(
                event = "removal_unread",
                "the zone could not be read: records may be left; run --remove again"
            );
            LEFT_BEHIND
        }
    }
}

/// The end of an agent.
pub(super) fn exit_code(exit: &Exit) -> u8 {
    match exit {
        Exit::Drained => {
            manager::safe_to_stop();
            tracing::info!(event = "drained", "every service of this host is withdrawn: safe to stop");
            0
        }
        Exit::Unconfirmed => {
            manager::says("withdrawn, but not every name server was seen to answer so");
            tracing::error!(
                event = "drained_unconfirmed",
                "every service of this host is withdrawn, but not every name server was seen to answer so in \
                 time: some clients may still be sent here"
            );
            LEFT_BEHIND
        }
        Exit::HandedOver => {
            manager::says("handed over: the records stay");
            tracing::info!(
                event = "handed_over",
                "handed over: the records stay for the next agent of this host"
            );
            0
        }
        Exit::Reconciled(left) if left.is_empty() => 0,
        Exit::Reconciled(left) => {
            say_left(left);
            tracing::error!(
                event = "sync_incomplete",
                left = left.len(),
                "not everything could be made as it should be"
            );
            LEFT_BEHIND
        }
        Exit::LeftBehind(Some(left)) => {
            manager::says(&format!("not safe to stop: {} records are left", left.len()));
            say_left(left);
            tracing::error!(
                event = "drain_incomplete",
                left = left.len(),
                "records are left, refused or out of time; start the agent again to remove them"
            );
            LEFT_BEHIND
        }
        Exit::LeftBehind(None) => {
            manager::says("not safe to stop: records may be left");
            tracing::error!(
                event = "drain_unread",
                "the drain's time is over before the zone could be read; records may be left"
            );
            LEFT_BEHIND
        }
        Exit::GaveUp => {
            tracing::error!(
                event = "gave_up",
                "actors kept failing: giving up, records stay; start the agent again"
            );
            GAVE_UP
        }
    }
}

fn say_left(left: &[Key]) {
    for key in left {
        tracing::error!(event = "left_behind", record = %key, "left behind");
    }
}
