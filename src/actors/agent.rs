//! Agent: the supervisor, and the only one that tells the others to stop. In which steps is decided by
//! [`Ending`](crate::machine::agent::Ending); which signal asks for it, by [`run::daemon`](crate::run::daemon).
//!
//! Starts the others again when they panic, and tells those who have to fill them in. Gives up when that
//! happens too often: the service manager starts afresh, and the records stay where they are.

mod children;
mod hand;
mod stop;

use std::net::Ipv4Addr;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::{mpsc, oneshot, watch};

pub use self::hand::Hand;
use super::dependencies::Dependencies;
use super::docker_watcher::SeqSource;
use super::host_watcher::Memory;
use super::messages::{
    AgentMessage, Child, DockerWatcherMessage, HostWatcherMessage, Pulse, RegistrarMessage,
    Route53WriterMessage, TaskResolverMessage,
};
use super::peers::Peers;
use crate::machine::agent::{Ending, Restarts};
use crate::record::Key;
use crate::status::{Board, Readiness};

/// How long a writer that is started again makes no call.
const WRITER_HOLD: Duration = Duration::from_secs(1);

/// How an agent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every service record of this host is gone.
    Drained,
    /// The drain's deadline came first; these are left. `None` when that is not known, because the zone
    /// could not be read.
    LeftBehind(Option<Vec<Key>>),
    /// Every service record of this host is gone, but not every name server was seen to answer so.
    Unconfirmed,
    /// Records stay for the next agent of this host.
    HandedOver,
    /// Everything was as it should be, or made so, but for these.
    Reconciled(Vec<Key>),
    /// Actors kept failing. Records stay.
    GaveUp,
}

#[derive(Debug)]
struct Agent;

struct AgentState {
    dependencies: Dependencies,
    peers: Peers,
    seq: SeqSource,
    children: Vec<(ActorId, Child)>,
    restarts: Restarts,
    /// What is known of the host's future.
    memory: Memory,
    ending: Ending,
    /// The generation of the Route53Writer that was started last.
    writer_generation: u64,
    exit: Option<oneshot::Sender<Exit>>,
}

/// An agent that runs.
#[derive(Debug)]
pub struct Running {
    agent: ActorRef<AgentMessage>,
    exit: oneshot::Receiver<Exit>,
    board: Board,
}

impl Running {
    /// Drains or hands over, as is [planned](crate::machine::agent::StopPlan).
    pub fn stop(&self) {
        let _ = self.agent.cast(AgentMessage::Stop);
    }

    /// Whether it can do its work, and what becomes of that.
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.board.readiness()
    }

    /// Withdraws every service of this host, then ends.
    pub fn drain(&self) {
        let _ = self.agent.cast(AgentMessage::Drain);
    }

    /// Ends at once and leaves the records to the next agent.
    pub fn hand_over(&self) {
        let _ = self.agent.cast(AgentMessage::HandOver);
    }

    /// Where it can be asked whether it is alive, beside all else.
    pub fn heart(&self) -> Heart {
        Heart(self.agent.clone())
    }

    /// Where it can be asked for something.
    pub fn hand(&self) -> Hand {
        Hand::of(self.agent.clone())
    }

    /// Waits for the end.
    pub async fn ended(&mut self) -> Exit {
        (&mut self.exit).await.unwrap_or(Exit::GaveUp)
    }
}

/// Whether an agent is alive.
#[derive(Clone, Debug)]
pub struct Heart(ActorRef<AgentMessage>);

impl Heart {
    /// Is over when every actor but the probers has taken in one more message: never while one of them hangs.
    pub async fn beats(&self) {
        let (pulse, mut felt) = mpsc::channel(1);
        let _ = self.0.cast(AgentMessage::Pulse(Pulse(pulse)));
        felt.recv().await;
    }
}

/// Starts an agent.
///
/// # Errors
/// When an actor could not be started at all.
pub async fn start(dependencies: Dependencies) -> Result<Running, SpawnErr> {
    let (exit, ended) = oneshot::channel();
    let board = dependencies.board.clone();
    let (agent, _) = Actor::spawn(None, Agent, (dependencies, exit)).await?;
    Ok(Running { agent, exit: ended, board })
}

impl Actor for Agent {
    type Msg = AgentMessage;
    type State = AgentState;
    type Arguments = (Dependencies, oneshot::Sender<Exit>);

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        (dependencies, exit): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut state = AgentState {
            dependencies,
            peers: Peers::default(),
            seq: SeqSource::default(),
            children: Vec::new(),
            restarts: Restarts::default(),
            memory: Memory::default(),
            ending: Ending::default(),
            writer_generation: 0,
            exit: Some(exit),
        };
        state.peers.agent.fill(myself.clone());
        // From the end of the line to its beginning, so that nothing is sent into an empty slot.
        for child in [Child::Writer, Child::Registrar, Child::Host, Child::Resolver, Child::Watcher] {
            state.spawn(&myself, child).await?;
        }
        state.peers.writer.cast(Route53WriterMessage::Introduce);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AgentMessage::Stop => state.stop(&myself),
            AgentMessage::Judged(reason) => state.on_judged(&myself, reason),
            AgentMessage::JudgementOverdue => state.on_judged(&myself, None),
            AgentMessage::Drain => state.drain(&myself),
            AgentMessage::DelayOver => state.delay_over(&myself),
            AgentMessage::HandOver => state.hand_over(&myself),
            AgentMessage::Drained { left, zone_read, confirmed } if left.is_empty() && zone_read => {
                state.end(&myself, if confirmed { Exit::Drained } else { Exit::Unconfirmed });
            }
            AgentMessage::Drained { left, zone_read, .. } => {
                state.end(&myself, Exit::LeftBehind(zone_read.then_some(left)));
            }
            AgentMessage::Reconciled(left) => state.end(&myself, Exit::Reconciled(left)),
            AgentMessage::DrainOverdue => state.end(&myself, Exit::LeftBehind(None)),
            AgentMessage::Restart(child) => state.restart(&myself, child).await,
            AgentMessage::Moved(address) => state.on_moved(address),
            AgentMessage::Order(order, reply) => {
                state.peers.registrar.cast(RegistrarMessage::Order(order, reply));
            }
            AgentMessage::Pulse(pulse) => state.peers.pulse(&pulse),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // A prober that is stopped because its container ended is no failure.
        if let SupervisionEvent::ActorFailed(actor, error) = event {
            state.on_failed(&myself, &actor, &error).await;
        }
        Ok(())
    }
}

impl AgentState {
    async fn on_failed(
        &mut self,
        myself: &ActorRef<AgentMessage>,
        actor: &ActorCell,
        error: &ActorProcessingErr,
    ) {
        let child = self.children.iter().find(|(id, _)| *id == actor.get_id()).map(|(_, child)| *child);
        tracing::error!(event = "actor_restarted", actor = ?child, %error, "an actor failed and is started again");
        if !self.may_restart(myself) {
            return;
        }
        match child {
            Some(child) => self.restart(myself, child).await,
            None => self.peers.registrar.cast(RegistrarMessage::ProberFailed(actor.get_id())),
        }
    }

    fn may_restart(&mut self, myself: &ActorRef<AgentMessage>) -> bool {
        let may = self.restarts.may_restart(self.dependencies.clock.now());
        if !may {
            self.end(myself, Exit::GaveUp);
        }
        may
    }

    async fn restart(&mut self, myself: &ActorRef<AgentMessage>, child: Child) {
        if let Err(error) = self.spawn(myself, child).await {
            tracing::error!(event = "actor_not_started", actor = ?child, %error, "an actor did not start");
            if self.may_restart(myself) {
                myself.send_after(Duration::from_millis(100), move || AgentMessage::Restart(child));
            }
            return;
        }
        if child == Child::Registrar {
            self.stop_probers(myself);
        }
        self.fill_in(child);
    }

    /// The probers of a Registrar that is gone answer to nobody: its successor has some of its own.
    fn stop_probers(&self, myself: &ActorRef<AgentMessage>) {
        for child in myself.get_cell().get_children() {
            if !self.children.iter().any(|(id, _)| *id == child.get_id()) {
                child.stop(None);
            }
        }
    }

    /// Gives a new incarnation what its predecessor knew, by asking those who still know.
    fn fill_in(&self, child: Child) {
        let Peers { watcher, resolver, registrar, writer, host, .. } = &self.peers;
        match child {
            Child::Watcher => {}
            Child::Host if self.ending.is_judging() => host.cast(HostWatcherMessage::Judge),
            Child::Host => {}
            Child::Resolver => watcher.cast(DockerWatcherMessage::Subscribe),
            Child::Registrar => {
                // Its predecessor may have failed before it said so.
                let address = self.dependencies.writer.registrant.address;
                writer.cast(Route53WriterMessage::Moved(address, None));
                writer.cast(Route53WriterMessage::Introduce);
                resolver.cast(TaskResolverMessage::StartOver);
                // Events are replayed with it: a container that was asked to stop is not taken for well.
                watcher.cast(DockerWatcherMessage::Subscribe);
                if self.dependencies.notices.is_some() {
                    host.cast(HostWatcherMessage::Tell);
                }
                if self.ending.is_leaving() {
                    registrar.cast(RegistrarMessage::PrepareDrain);
                }
            }
            Child::Writer => {
                writer.cast(Route53WriterMessage::Introduce);
                registrar.cast(RegistrarMessage::WriterRestarted);
            }
        }
        if let Some(deadline) = self.ending.deadline() {
            registrar.cast(RegistrarMessage::Drain(deadline));
        }
    }

    /// Whoever is started from now on is told so at its start.
    fn on_moved(&mut self, address: Ipv4Addr) {
        self.dependencies.writer.registrant.address = address;
        self.dependencies.checker.on_moved(address);
        self.peers.resolver.cast(TaskResolverMessage::Moved(address));
        self.peers.registrar.cast(RegistrarMessage::Moved(address));
    }

    fn end(&mut self, myself: &ActorRef<AgentMessage>, exit: Exit) {
        if let Some(sender) = self.exit.take() {
            let _ = sender.send(exit);
            myself.get_cell().stop(None);
        }
    }
}
