//! How actors find each other: through slots that the supervisor refills after a restart.
//!
//! A reference to an actor dies with it. What is sent into an empty slot is lost, which is no loss:
//! whoever comes up anew asks the others for what it missed.

use std::sync::{Arc, PoisonError, RwLock};

use ractor::{ActorRef, Message};

use super::messages::{
    AgentMessage, DockerWatcherMessage, HostWatcherMessage, RegistrarMessage, Route53WriterMessage,
    TaskResolverMessage,
};

/// The place of one actor, whichever incarnation of it is there now.
#[derive(Debug)]
pub(super) struct Slot<M: Message>(Arc<RwLock<Option<ActorRef<M>>>>);

impl<M: Message> Clone for Slot<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Message> Default for Slot<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Message> Slot<M> {
    /// Puts an actor here, in place of an earlier one.
    pub(super) fn fill(&self, actor: ActorRef<M>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(actor);
    }

    /// Sends to whoever is here.
    pub(super) fn cast(&self, message: M) {
        let actor = self.get();
        if actor.is_none_or(|actor| actor.cast(message).is_err()) {
            tracing::debug!(actor = std::any::type_name::<M>(), "message to an actor that is not there");
        }
    }

    /// Whoever is here.
    pub(super) fn get(&self) -> Option<ActorRef<M>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The places of all actors but the probers.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    pub(super) agent: Slot<AgentMessage>,
    pub(super) watcher: Slot<DockerWatcherMessage>,
    pub(super) host: Slot<HostWatcherMessage>,
    pub(super) resolver: Slot<TaskResolverMessage>,
    pub(super) registrar: Slot<RegistrarMessage>,
    pub(super) writer: Slot<Route53WriterMessage>,
}
