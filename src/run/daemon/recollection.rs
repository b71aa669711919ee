//! Opens the journal, and says what is kept beside it: records of another owner or zone, which somebody has to remove.

use std::time::Duration;

use super::error::RunError;
use crate::config::Config;
use crate::journal::aside::Aside;
use crate::journal::{self, Locked, Memory, Opened, StoreError, Title};
use crate::run::former;
use crate::status::Board;

/// How long another agent of this host gets to hand over.
const HAND_OVER_WAIT: Duration = Duration::from_secs(30);
/// And how long to a command, which is not for an agent that goes on: it may be about to end.
const COMMAND_WAIT: Duration = Duration::from_secs(3);

pub(super) async fn open_journal(config: &Config, title: &Title, board: &Board) -> Result<Opened, RunError> {
    let is_command = config.command.is_over_soon();
    let wait = if is_command { COMMAND_WAIT } else { HAND_OVER_WAIT };
    let opened = journal::open(&config.state_dir, title, wait).await;
    let opened = opened.map_err(|Locked { path, waited }| match is_command {
        true => RunError::Beside { sign: format!("it holds {}", path.display()) },
        false => RunError::Locked(Locked { path, waited }),
    })?;
    if !is_command {
        tell(config, &opened.asides, board);
    }
    match &opened.memory {
        // An agent does its work without; a command may have that agent beside it.
        Memory::Without(StoreError::LockDenied(reason)) if is_command => {
            Err(RunError::MaybeBeside { sign: reason.clone() })
        }
        _ => Ok(opened),
    }
}

/// Names each record that a journal which was set aside knows of, with the command that removes it.
fn tell(config: &Config, asides: &[Aside], board: &Board) {
    for Aside { title, keys, .. } in asides {
        let command = config.removal_line(&title.zone, &title.zone_id, &title.owner);
        for key in keys {
            tracing::warn!(
                event = "record_of_another",
                name = key.name,
                mark = key.set_identifier,
                owner = title.owner,
                "this state directory was another host's or another zone's, and this record of it may stand: if that host is gone, stop the agent and remove its records by: {command}. Where that zone, or they, are gone, remove journal-*.redb of the state directory"
            );
        }
    }
    former::show_left(board, asides.iter().map(|aside| aside.keys.len()).sum());
}
