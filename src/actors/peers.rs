//! How actors find each other: through slots that the supervisor refills after a restart.
//!
//! A reference to an actor dies with it. What is sent into an empty slot is lost, which is no loss:
//! whoever comes up anew asks the others for what it missed.

use std::sync::{Arc, PoisonError, RwLock};

use ractor::{ActorRef, Message};

use super::messages::{
    AgentMessage, DockerWatcherMessage, HostWatcherMessage, Pulse, RegistrarMessage, Route53WriterMessage,
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

impl Peers {
    /// Sends a pulse through everybody but the Agent, who sends it.
    pub(super) fn pulse(&self, pulse: &Pulse) {
        self.watcher.cast(DockerWatcherMessage::Pulse(pulse.clone()));
        self.resolver.cast(TaskResolverMessage::Pulse(pulse.clone()));
        self.registrar.cast(RegistrarMessage::Pulse(pulse.clone()));
        self.writer.cast(Route53WriterMessage::Pulse(pulse.clone()));
        // Where nobody knows what comes, nobody watches.
        if self.host.get().is_some() {
            self.host.cast(HostWatcherMessage::Pulse(pulse.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::marker::PhantomData;
    use std::time::Duration;

    use ractor::{Actor, ActorProcessingErr};
    use tokio::sync::mpsc;

    use super::*;

    /// Takes in any message, or hangs at the first one.
    struct Dummy<M>(PhantomData<fn() -> M>);

    impl<M: Message> Actor for Dummy<M> {
        type Msg = M;
        type State = bool;
        type Arguments = bool;

        async fn pre_start(&self, _: ActorRef<M>, hangs: bool) -> Result<bool, ActorProcessingErr> {
            Ok(hangs)
        }

        async fn handle(
            &self,
            _: ActorRef<M>,
            message: M,
            hangs: &mut bool,
        ) -> Result<(), ActorProcessingErr> {
            // It has not been taken in before whoever took it is done with it.
            let _held = message;
            if *hangs {
                std::future::pending::<()>().await;
            }
            Ok(())
        }
    }

    async fn put<M: Message>(slot: &Slot<M>, hangs: bool) -> ActorRef<M> {
        let (actor, _) = Actor::spawn(None, Dummy(PhantomData), hangs).await.unwrap();
        slot.fill(actor.clone());
        actor
    }

    /// Whether a pulse goes through; actors have all the time there is, on a clock that is paused.
    async fn is_felt(peers: &Peers) -> bool {
        let (pulse, mut felt) = mpsc::channel::<Infallible>(1);
        peers.pulse(&Pulse(pulse));
        tokio::time::timeout(Duration::from_secs(3_600), felt.recv()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_pulse_goes_through_all_and_not_past_one_that_hangs() {
        // With nobody in its place there is nobody to wait for.
        assert!(is_felt(&Peers::default()).await);
        for hanging in ["none", "watcher", "resolver", "registrar", "writer", "host"] {
            let peers = Peers::default();
            put(&peers.watcher, hanging == "watcher").await;
            put(&peers.resolver, hanging == "resolver").await;
            put(&peers.registrar, hanging == "registrar").await;
            put(&peers.writer, hanging == "writer").await;
            put(&peers.host, hanging == "host").await;
            assert_eq!(is_felt(&peers).await, hanging == "none", "{hanging}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_no_more_holds_nothing_up() {
        let peers = Peers::default();
        let writer = put(&peers.writer, true).await;
        assert!(!is_felt(&peers).await);
        writer.kill();
        assert!(is_felt(&peers).await);
    }
}
