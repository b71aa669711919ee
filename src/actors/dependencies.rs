//! What a whole agent works with. Everything that touches the world comes in here, so that one can run in a test.
//!
//! The Agent deals it out: no other actor sees more of it than its own part.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::edge::check::Checker;
use crate::edge::engine::{Docker, Tasks};
use crate::edge::host::notices::Sources;
use crate::journal::SharedJournal;
use crate::journal::cordons::CordonMemory;
use crate::machine::agent::StopPlan;
use crate::reconcile::writer::Settings;
use crate::status::Board;
use crate::zone::Zone;

/// What an agent works with.
#[derive(Clone)]
pub struct Dependencies {
    /// The container engine.
    pub docker: Arc<dyn Docker>,
    /// The ECS agent.
    pub tasks: Arc<dyn Tasks>,
    /// What asks targets whether they serve.
    pub checker: Arc<dyn Checker>,
    /// The most checks in flight at once.
    pub probes_max: usize,
    /// The zone that is written to.
    pub zone: Arc<dyn Zone>,
    /// How it is written to, and who this host is in it. Every actor draws its jitter from a seed of its own,
    /// made from the one that stands here.
    pub writer: Settings,
    /// How long a stopping signal is believed.
    pub stop_belief: Duration,
    /// Whether the host is published at the address of its route, which may change: off EC2.
    pub follows_route: bool,
    /// Where signals are remembered over a restart; `None` where nothing is.
    pub signals: Option<SharedJournal>,
    /// Where weights given by hand are remembered over a restart; `None` where none are.
    pub cordons: Option<Arc<dyn CordonMemory>>,
    /// Whether to end once everything is as it should be, rather than at a signal.
    pub once: bool,
    /// How many hosts share the account's rate, where it is known.
    pub fleet: watch::Receiver<Option<u32>>,
    /// Who may know what is about to happen to the host.
    pub notices: Option<Arc<dyn Sources>>,
    /// How it ends.
    pub stop: StopPlan,
    /// Where its parts say how they do.
    pub board: Board,
    /// The agent's clock.
    pub clock: Clock,
}

impl std::fmt::Debug for Dependencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dependencies").field("registrant", &self.writer.registrant).finish_non_exhaustive()
    }
}
