//! The actors: thin, each turns messages into calls of the pure parts and what comes out into I/O.
//!
//! ```text
//! Agent (supervisor)
//!  ├── DockerWatcher   hints: events and lists, numbered          → TaskResolver
//!  ├── TaskResolver    looks: what a container is and offers      → Registrar
//!  ├── Registrar       decides: one lifecycle per container       → Route53Writer, HealthProbers
//!  ├── HealthProber    one per container: verdicts                → Registrar
//!  ├── HostWatcher     notices: what is about to happen to the host → Registrar
//!  └── Route53Writer   writes: wanted against known, in batches   → Registrar (what is known), Agent
//! ```
//!
//! Mail carries hints and values, never the only copy of something: an actor that panics is started
//! again and gets its state from the others, from Docker and from the zone. Mailboxes are unbounded, so
//! pending work lives in maps keyed by container or record.

mod agent;
mod alarm;
mod docker_watcher;
mod health_prober;
mod host_watcher;
mod look;
mod peers;
mod registrar;
mod route53_writer;
mod task_resolver;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::watch;

pub use agent::{Exit, Running, start};

use crate::check::Checker;
use crate::clock::Clock;
use crate::engine::{Docker, Tasks};
use crate::host::notices::Sources;
use crate::machine::stop::StopPlan;
use crate::status::Board;
use crate::zone::Zone;
use crate::zone::writer::Settings;

/// What an agent works with. Everything that touches the world comes in here, so that a whole agent can
/// run in a test.
#[derive(Clone)]
pub struct Surroundings {
    /// The container engine.
    pub docker: Arc<dyn Docker>,
    /// The ECS agent.
    pub tasks: Arc<dyn Tasks>,
    /// What asks targets whether they serve.
    pub checker: Arc<dyn Checker>,
    /// The zone that is written to.
    pub zone: Arc<dyn Zone>,
    /// How it is written to, and who this host is in it. Its seed is what all jitter is drawn from.
    pub writer: Settings,
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

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("registrant", &self.writer.registrant).finish_non_exhaustive()
    }
}

/// Runs something of the world's; a panic in it is a failure of that one thing.
async fn contained<T>(asked: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(asked).catch_unwind().await.map_err(|_| "it panicked".to_owned())
}
