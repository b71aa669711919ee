//! Where Prometheus is told targets, and from when on: of Route 53 as soon as the agent starts, of the zone in this
//! process once DNS answers for it, since before that it may lack services that run.

use super::registry::Open;
use crate::config::{Command, Config};
use crate::serve::targets::{Directory, serve};
use crate::serve::web::Front;
use crate::status::Board;
use crate::zone::Zone;

/// Targets that are served, where that was asked for.
#[derive(Debug)]
pub(super) struct Targets(Option<(Directory, Front)>);

impl Targets {
    /// Serves them, with at most so many connections; not for a command that is soon over.
    pub(super) fn serve(config: &Config, board: &Board, connections_max: usize) -> Self {
        let listen = config.sd_listen.filter(|_| config.command == Command::Serve);
        let Some(listen) = listen else { return Self(None) };
        let directory = Directory::new(board.discovery.clone());
        let front = serve(listen, directory.clone(), connections_max);
        let said = front.inspect_err(|error| {
            tracing::warn!(event = "sd_not_served", %error, "no targets are served to Prometheus: all else goes on");
        });
        Self(said.ok().map(|front| (directory, front)))
    }

    /// From here on they are those of this zone.
    pub(super) fn open(&self, open: &Open) {
        if let Self(Some((directory, _))) = self {
            open.open_directory(directory);
        }
    }

    /// Reads this zone as they are asked for, for ever.
    pub(super) async fn read(&self, zone: &dyn Zone) -> std::convert::Infallible {
        match self {
            Self(Some((directory, _))) => directory.read(zone).await,
            Self(None) => std::future::pending().await,
        }
    }
}
