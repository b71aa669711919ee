//! Why nothing could be begun.

use std::io;

use crate::edge::host::identity::IdentityError;
use crate::edge::imds::ImdsError;
use crate::journal::Locked;
use crate::serve::dns::DnsError;
use crate::zone::embedded::OpenError;
use crate::zone::route53::FindError;

/// What is needed and is not to be had; the texts say what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The process cannot be told to stop.
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
    /// The metadata service's endpoint is none.
    #[error(transparent)]
    Imds(#[from] ImdsError),
    /// This host cannot be told from others.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The zone in the state directory cannot be opened.
    #[error(transparent)]
    Zone(#[from] OpenError),
    /// There is no hosted zone to write to.
    #[error(transparent)]
    NoZone(#[from] FindError),
    /// DNS cannot be answered, or no longer.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// Another agent has the state directory.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// An agent runs, and would undo what a command does, or be undone by it.
    #[error(
        "an agent runs here ({sign}): stop the agent first (SIGHUP keeps the records); where something starts it again \
         then, as the shipped unit does: systemctl stop ecssd"
    )]
    Beside {
        /// What shows it.
        sign: String,
    },
    /// Whether one runs cannot be seen.
    #[error("an agent may run here ({sign}): stop it first, or call this as root or as the agent's user")]
    MaybeBeside {
        /// What hides it.
        sign: String,
    },
    /// The ECS agent cannot be asked.
    #[error(transparent)]
    EcsAgent(#[from] reqwest::Error),
    /// The agent's supervisor does not start.
    #[error(transparent)]
    Start(#[from] ractor::SpawnErr),
}
