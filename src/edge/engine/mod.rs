//! The container engine, and the ECS agent beside it: what they say, in this system's terms.
//!
//! Owns the seams ([`Docker`], [`Tasks`]) and the adapters behind them. Only GET is ever sent. What an
//! answer means is decided in [`crate::machine`].

pub mod daemon;
mod docker;
pub mod inspect;
pub mod inspection;
pub mod intake;
mod introspection;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;

pub use docker::{ANSWER_OCTETS_MAX, LINE_OCTETS_MAX, LIST_OCTETS_MAX, UnixDocker};
pub use introspection::{ContainerInstance, EcsIntrospection};

use crate::container::Container;
use crate::container::engine::Caveat;
use crate::container::event::{DockerEvent, Listed};
use crate::edge::imds::ImdsError;
use crate::record::ContainerId;

/// What a container engine is asked.
#[async_trait]
pub trait Docker: Send + Sync + 'static {
    /// All that the engine remembers, and then what happens.
    async fn events(&self) -> Result<Subscription, DockerError>;

    /// The containers that run or are paused now.
    async fn running(&self) -> Result<Vec<Listed>, DockerError>;

    /// One container; `None` when there is no such container (any more).
    async fn inspect(&self, id: &ContainerId) -> Result<Option<Container>, DockerError>;
}

/// A subscription to the engine's events. Each comes once, in the order in which it happened.
pub struct Subscription {
    /// What the engine keeps from whoever watches it.
    pub caveats: BTreeSet<Caveat>,
    /// What the engine remembers: of 256 events of any kind those that are of a container's life.
    pub past: Vec<DockerEvent>,
    /// Whether the engine has forgotten nothing since it started.
    pub whole: bool,
    /// What happens from then on. Ends when the engine goes away.
    pub live: Events,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { caveats, past, whole, .. } = self;
        let mut shown = f.debug_struct("Subscription");
        shown.field("caveats", caveats).field("past", past).field("whole", whole).finish_non_exhaustive()
    }
}

/// A stream of events.
pub type Events = Pin<Box<dyn Stream<Item = Result<DockerEvent, DockerError>> + Send>>;

/// What the ECS agent of this host is asked.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// The address of the task that this container belongs to, where it has one of its own (`awsvpc`).
    async fn address(&self, id: &ContainerId) -> Result<Option<Ipv4Addr>, TasksError>;

    /// Whether ECS wants the task that this container belongs to stopped.
    async fn is_to_stop(&self, id: &ContainerId) -> Result<bool, TasksError>;
}

/// Why the engine did not answer. Holds nothing of what a container's environment says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DockerError {
    /// There is nobody at the socket.
    #[error("no Docker engine at {socket}: {reason}")]
    Unreachable {
        /// The socket's path.
        socket: String,
        /// What kind of failure it was.
        kind: Nobody,
        /// The same in the system's words.
        reason: String,
    },
    /// It took too long.
    #[error("no answer from Docker to {0} in time")]
    Timeout(&'static str),
    /// It answered with an error, or with what cannot be understood.
    #[error("Docker answered {request} with an error: {reason}")]
    Refused {
        /// What was asked.
        request: &'static str,
        /// What it said.
        reason: String,
    },
}

/// Why nobody answers at the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// There is no such socket.
    NoSocket,
    /// This process may not use it.
    NotAllowed,
    /// Nobody listens at it.
    NotThere,
    /// Something else.
    Broken,
}

/// Why nothing is known of a task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TasksError {
    /// The ECS agent did not answer.
    #[error("no answer from the ECS agent's introspection at {url}: {reason}")]
    Unanswered {
        /// What was asked.
        url: String,
        /// Why it failed.
        reason: String,
    },
    /// Whoever answers there is of no cluster.
    #[error("{url} answers, but names no cluster: this is no ECS host, or its agent has just started")]
    NoCluster {
        /// Where it is.
        url: String,
    },
    /// The address that it gave is not one of the VPC's.
    #[error("the ECS agent says that a task has the address {address}, which is not one of this host's VPC")]
    Elsewhere {
        /// The address.
        address: Ipv4Addr,
    },
    /// EC2 did not say which addresses are the VPC's.
    #[error("whether the address of a task is one of this host's VPC is not known: {0}")]
    VpcUnknown(ImdsError),
}
