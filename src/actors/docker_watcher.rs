//! DockerWatcher: "this container changed", in the order in which it was learnt.
//!
//! Carries out what its [pure twin](crate::machine::docker_watcher) decides: keeps a subscription to the engine's
//! events, and a list after each subscribing and once a minute. Numbers everything that it passes on. What it means is
//! for the TaskResolver and the Registrar.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::contained::contained;
use super::messages::{DockerWatcherMessage, TaskResolverMessage, Turn};
use super::peers::Slot;
use super::showing::Showing;
use crate::clock::Clock;
use crate::container::engine::Caveat;
use crate::container::event::Listed;
use crate::edge::check::Checker;
use crate::edge::engine::intake::Intake;
use crate::edge::engine::{Docker, DockerError, Subscription};
use crate::machine::docker_watcher::{self, ListPlan};
use crate::machine::lifecycle::Seq;
use crate::status::{Board, Part};

#[derive(Debug)]
pub(super) struct DockerWatcher;

/// The numbers outlive the watcher: after a restart they go on.
#[derive(Clone, Debug, Default)]
pub(super) struct SeqSource(Arc<AtomicU64>);

impl SeqSource {
    fn latest(&self) -> Seq {
        Seq(self.0.load(Ordering::Relaxed))
    }

    fn next(&self) -> Seq {
        Seq(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

pub(super) struct DockerWatcherArgs {
    pub(super) docker: Arc<dyn Docker>,
    /// Is told whether a proxy may be before the ports that it asks at.
    pub(super) checker: Arc<dyn Checker>,
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) seq: SeqSource,
    /// How often every container is inspected, whatever the lists say.
    pub(super) resync: Duration,
    /// Of the waits between subscriptions.
    pub(super) seed: u64,
    pub(super) resolver: Slot<TaskResolverMessage>,
}

pub(super) struct DockerWatcherState {
    args: DockerWatcherArgs,
    engine: docker_watcher::DockerWatcher,
    rng: fastrand::Rng,
    stream: Option<AbortHandle>,
    list_timer: Option<AbortHandle>,
    showing: Showing<docker_watcher::Snapshot>,
}

impl Actor for DockerWatcher {
    type Msg = DockerWatcherMessage;
    type State = DockerWatcherState;
    type Arguments = DockerWatcherArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        myself.cast(DockerWatcherMessage::Subscribe)?;
        Ok(DockerWatcherState {
            rng: fastrand::Rng::with_seed(args.seed),
            engine: docker_watcher::DockerWatcher::new(args.resync),
            showing: Showing::on(&args.board.docker, args.clock),
            args,
            stream: None,
            list_timer: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        state.showing.on_heard();
        let timer = myself.clone();
        match message {
            DockerWatcherMessage::Subscribe => state.subscribe(myself),
            DockerWatcherMessage::Subscribed(generation, caveats, past, whole)
                if state.engine.hears(generation) =>
            {
                state.engine.on_subscribed(state.args.clock.now());
                state.on_caveats(caveats);
                let at = state.args.seq.next();
                state.args.resolver.cast(TaskResolverMessage::Remembered { past, whole, at });
                state.list(myself);
            }
            DockerWatcherMessage::Happened(generation, events, turn) if state.engine.hears(generation) => {
                let events = events.into_iter().map(|event| (event, state.args.seq.next())).collect();
                state.args.resolver.cast(TaskResolverMessage::Happened(events, turn));
            }
            DockerWatcherMessage::Ended(generation, error) if state.engine.hears(generation) => {
                state.on_ended(myself, error);
            }
            DockerWatcherMessage::ListDue => state.list(myself),
            DockerWatcherMessage::Listed(as_of, list) => state.on_listed(myself, as_of, list),
            DockerWatcherMessage::Pulse(pulse) => {
                drop(pulse);
                return Ok(());
            }
            DockerWatcherMessage::ShowDue => state.showing.rang(),
            // Of a subscription that has been replaced.
            DockerWatcherMessage::Subscribed(..)
            | DockerWatcherMessage::Happened(..)
            | DockerWatcherMessage::Ended(..) => {}
        }
        let engine = &state.engine;
        state.showing.changed(&timer, || DockerWatcherMessage::ShowDue, |_| engine.snapshot());
        Ok(())
    }
}

impl DockerWatcherState {
    fn subscribe(&mut self, myself: ActorRef<DockerWatcherMessage>) {
        if let Some(stream) = self.stream.take() {
            stream.abort();
        }
        let docker = self.args.docker.clone();
        let end = EndOfStream { watcher: myself, generation: self.engine.subscribe(), error: None };
        let stream = tokio::spawn(async move {
            let error = follow(&*docker, &end).await.err();
            end.with(error);
        });
        self.stream = Some(stream.abort_handle());
    }

    /// Before anything is listed, and so before a port is asked at that a proxy may hold.
    fn on_caveats(&mut self, caveats: BTreeSet<Caveat>) {
        self.args.checker.on_proxy(caveats.iter().any(|caveat| matches!(caveat, Caveat::Proxy(_))));
        for caveat in self.engine.on_caveats(caveats) {
            match caveat {
                Caveat::Proxy(proxy) => tracing::warn!(
                    event = "checks_proxied",
                    reason = %proxy,
                    "a TCP check of a published port tells that a process has begun to listen, and not that it goes on: \
                     check by SERVICE_<port>_CHECK_HTTP=/path, or give the image a HEALTHCHECK"
                ),
                Caveat::NoSignals => tracing::warn!(
                    event = "signals_unheard",
                    "this is Podman, which tells of no stopping signal: a record goes when its process has ended. Let \
                     services serve on for a while after SIGTERM, or use Docker"
                ),
                Caveat::HealthchecksFreeze => {}
            }
        }
    }

    fn on_ended(&mut self, myself: ActorRef<DockerWatcherMessage>, error: Option<DockerError>) {
        let (wait, news) = self.engine.on_ended(self.args.clock.now(), self.rng.f64());
        let reason =
            error.map_or_else(|| "it closed the stream of events".to_owned(), |error| error.to_string());
        if news.is_some() {
            tracing::warn!(event = "docker_away", %reason, "Docker is away: records stay as they are, trying again until it answers");
        }
        // Why it is away may change while it is.
        self.args.board.set(Part::Docker, Err(reason));
        myself.send_after(wait, || DockerWatcherMessage::Subscribe);
    }

    fn list(&mut self, myself: ActorRef<DockerWatcherMessage>) {
        let ListPlan { all, next } = self.engine.on_list(self.args.clock.now());
        if all {
            self.args.resolver.cast(TaskResolverMessage::InspectAll);
        }
        let (docker, as_of) = (self.args.docker.clone(), self.args.seq.latest());
        self.list_in(&myself, next);
        tokio::spawn(async move {
            let panicked = |reason| Err(DockerError::Refused { request: "/containers/json", reason });
            let list = contained(docker.running()).await.unwrap_or_else(panicked);
            let _ = myself.cast(DockerWatcherMessage::Listed(as_of, list));
        });
    }

    fn on_listed(
        &mut self,
        myself: ActorRef<DockerWatcherMessage>,
        as_of: Seq,
        list: Result<Vec<Listed>, DockerError>,
    ) {
        match list {
            Ok(list) => {
                if self.engine.on_listed(list.len(), self.args.clock.now()).is_some() {
                    tracing::info!(event = "docker_answers", running = list.len(), "Docker answers");
                    self.args.board.set(Part::Docker, Ok(()));
                }
                self.args.resolver.cast(TaskResolverMessage::Listed(list, as_of));
            }
            Err(error) => {
                let (again, news) = self.engine.on_list_failed();
                if news.is_some() {
                    tracing::warn!(event = "docker_list_failed", %error, "Docker did not list its containers: trying again");
                }
                if again.is_some() {
                    self.args.board.set(Part::Docker, Err(error.to_string()));
                }
                again.into_iter().for_each(|wait| self.list_in(&myself, wait));
            }
        }
    }

    fn list_in(&mut self, myself: &ActorRef<DockerWatcherMessage>, wait: Duration) {
        if let Some(timer) = self.list_timer.take() {
            timer.abort();
        }
        let timer = myself.send_after(wait, || DockerWatcherMessage::ListDue);
        self.list_timer = Some(timer.abort_handle());
    }
}

/// Passes events on until there are no more. While the last ones are on their way to the Registrar, what comes
/// is summed up here: a storm of events makes no mailbox grow.
async fn follow(docker: &dyn Docker, end: &EndOfStream) -> Result<(), DockerError> {
    let Subscription { caveats, past, whole, mut live } = docker.events().await?;
    let _ = end.watcher.cast(DockerWatcherMessage::Subscribed(end.generation, caveats, past, whole));
    let (mut intake, turns) = (Intake::default(), Arc::new(Semaphore::new(1)));
    let mut ended = false;
    while !(ended && intake.is_empty()) {
        tokio::select! {
            biased;
            // Nobody closes it.
            Ok(turn) = turns.clone().acquire_owned(), if !intake.is_empty() => {
                let happened = DockerWatcherMessage::Happened(end.generation, intake.take(), Turn(turn));
                // A watcher that is gone has been replaced, and its successor has a stream of its own.
                if end.watcher.cast(happened).is_err() {
                    break;
                }
            }
            event = live.next(), if !ended => match event {
                Some(event) => intake.push(event?),
                None => ended = true,
            },
        }
    }
    Ok(())
}

/// Tells the watcher that its stream ended, however it ended: also by a panic.
#[derive(Debug)]
struct EndOfStream {
    watcher: ActorRef<DockerWatcherMessage>,
    generation: u64,
    error: Option<DockerError>,
}

impl EndOfStream {
    fn with(mut self, error: Option<DockerError>) {
        self.error = error;
    }
}

impl Drop for EndOfStream {
    fn drop(&mut self) {
        let _ = self.watcher.cast(DockerWatcherMessage::Ended(self.generation, self.error.take()));
    }
}
