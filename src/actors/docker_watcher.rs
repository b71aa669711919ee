//! DockerWatcher: "this container changed", in the order in which it was learnt.
//!
//! Keeps a subscription to the engine's events, and a list after each subscribing and once a minute.
//! Numbers everything that it passes on. What it means is for the TaskResolver and the Registrar.

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
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::container::event::Listed;
use crate::edge::engine::intake::Intake;
use crate::edge::engine::{Docker, DockerError, Subscription};
use crate::machine::lifecycle::Seq;
use crate::status::{Board, Part};

/// How often everything is listed: what an event that Docker dropped costs at most.
const LIST_EVERY: Duration = Duration::from_secs(60);
/// A stream that lived so long was a good one: the next reconnect does not wait long.
const GOOD_STREAM: Duration = Duration::from_secs(5);

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
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) seq: SeqSource,
    /// How often every container is looked at, whatever the lists say.
    pub(super) resync: Duration,
    /// Of the waits between subscriptions.
    pub(super) seed: u64,
    pub(super) resolver: Slot<TaskResolverMessage>,
}

pub(super) struct DockerWatcherState {
    args: DockerWatcherArgs,
    backoff: Backoff,
    rng: fastrand::Rng,
    generation: u64,
    subscribed_at: Option<Duration>,
    all_looked_at: Duration,
    stream: Option<AbortHandle>,
    list_timer: Option<AbortHandle>,
    /// Whether the engine answers, as far as the log says; `None` before the first word of it.
    answers: Option<bool>,
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
            args,
            backoff: Backoff::new(
                Duration::from_millis(100),
                Duration::from_millis(200),
                Duration::from_secs(1),
            ),
            generation: 0,
            subscribed_at: None,
            all_looked_at: Duration::ZERO,
            stream: None,
            list_timer: None,
            answers: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DockerWatcherMessage::Subscribe => state.subscribe(myself),
            DockerWatcherMessage::Subscribed(generation, past, whole) if generation == state.generation => {
                state.subscribed_at = Some(state.args.clock.now());
                let at = state.args.seq.next();
                state.args.resolver.cast(TaskResolverMessage::Remembered { past, whole, at });
                state.look_at_all();
                state.list(myself);
            }
            DockerWatcherMessage::Happened(generation, events, turn) if generation == state.generation => {
                let events = events.into_iter().map(|event| (event, state.args.seq.next())).collect();
                state.args.resolver.cast(TaskResolverMessage::Happened(events, turn));
            }
            DockerWatcherMessage::Ended(generation, error) if generation == state.generation => {
                state.on_ended(myself, error);
            }
            DockerWatcherMessage::ListDue => state.list(myself),
            DockerWatcherMessage::Listed(as_of, list) => state.on_listed(myself, as_of, list),
            DockerWatcherMessage::Pulse(pulse) => drop(pulse),
            // Of a subscription that has been replaced.
            DockerWatcherMessage::Subscribed(..)
            | DockerWatcherMessage::Happened(..)
            | DockerWatcherMessage::Ended(..) => {}
        }
        Ok(())
    }
}

impl DockerWatcherState {
    fn subscribe(&mut self, myself: ActorRef<DockerWatcherMessage>) {
        if let Some(stream) = self.stream.take() {
            stream.abort();
        }
        self.generation += 1;
        self.subscribed_at = None;
        let docker = self.args.docker.clone();
        let end = EndOfStream { watcher: myself, generation: self.generation, error: None };
        let stream = tokio::spawn(async move {
            let error = follow(&*docker, &end).await.err();
            end.with(error);
        });
        self.stream = Some(stream.abort_handle());
    }

    fn on_ended(&mut self, myself: ActorRef<DockerWatcherMessage>, error: Option<DockerError>) {
        let now = self.args.clock.now();
        if self.subscribed_at.take().is_some_and(|since| now - since >= GOOD_STREAM) {
            self.backoff.reset();
        }
        if self.answers.replace(false) != Some(false) {
            let reason =
                error.map_or_else(|| "it closed the stream of events".to_owned(), |error| error.to_string());
            tracing::warn!(event = "docker_away", %reason, "Docker is away: records stay as they are, trying again until it answers");
            self.args.board.set(Part::Docker, Err(reason));
        }
        let wait = self.backoff.next(self.rng.f64());
        myself.send_after(wait, || DockerWatcherMessage::Subscribe);
    }

    /// What happened unseen may show in no list: a container that was started again looks as before. So after
    /// each gap, and once in a resync period, all that is listed is looked at.
    fn look_at_all(&mut self) {
        self.all_looked_at = self.args.clock.now();
        self.args.resolver.cast(TaskResolverMessage::InspectAll);
    }

    fn list(&mut self, myself: ActorRef<DockerWatcherMessage>) {
        if self.args.clock.now() >= self.all_looked_at + self.args.resync {
            self.look_at_all();
        }
        let (docker, as_of) = (self.args.docker.clone(), self.args.seq.latest());
        self.list_in(&myself, LIST_EVERY);
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
                if self.answers.replace(true) != Some(true) {
                    tracing::info!(event = "docker_answers", running = list.len(), "Docker answers");
                    self.args.board.set(Part::Docker, Ok(()));
                }
                self.args.resolver.cast(TaskResolverMessage::Listed(list, as_of));
            }
            Err(error) => {
                if self.subscribed_at.is_some() {
                    if self.answers.replace(false) != Some(false) {
                        tracing::warn!(event = "docker_list_failed", %error, "Docker did not list its containers: trying again");
                        self.args.board.set(Part::Docker, Err(error.to_string()));
                    }
                    self.list_in(&myself, Duration::from_secs(1));
                }
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
    let Subscription { past, whole, mut live } = docker.events().await?;
    let _ = end.watcher.cast(DockerWatcherMessage::Subscribed(end.generation, past, whole));
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
