//! HostWatcher: what is about to happen to the host, as often as it may be asked, and where clients reach it.
//!
//! Polls the [sources](crate::edge::host::notices), each by itself, and tells the Registrar what they amount to.
//! What that does to records, and what a source's words mean, is decided elsewhere.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::watch;

use super::contained::contained;
use super::messages::{AgentMessage, HostWatcherMessage, RegistrarMessage};
use super::peers::Slot;
use crate::clock::Clock;
use crate::edge::host::notices::Sources;
use crate::machine::departure::notices::{News, Notices};
use crate::machine::departure::{AskError, Leaving, Notice, Said, Source};
use crate::machine::whereabouts::{self, Whereabouts};
use crate::status::{Board, Part};

/// How much a period varies, either way.
const JITTER: f64 = 0.2;
/// How long one answer may take, however many calls it is made of.
const ASK_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct HostWatcher;

/// What was heard outlives the watcher: after a restart nothing is called off.
pub(super) type Memory = Arc<Mutex<Notices>>;

pub(super) struct HostWatcherArgs {
    pub(super) sources: Arc<dyn Sources>,
    pub(super) memory: Memory,
    /// Where clients reach the host.
    pub(super) address: Ipv4Addr,
    /// How many hosts share the account's rate: they ask less often.
    pub(super) fleet: watch::Receiver<Option<u32>>,
    pub(super) board: Board,
    pub(super) clock: Clock,
    /// Of the periods.
    pub(super) seed: u64,
    pub(super) agent: Slot<AgentMessage>,
    pub(super) registrar: Slot<RegistrarMessage>,
}

pub(super) struct HostWatcherState {
    args: HostWatcherArgs,
    told: Option<Notice>,
    whereabouts: Whereabouts,
    rng: fastrand::Rng,
}

impl Actor for HostWatcher {
    type Msg = HostWatcherMessage;
    type State = HostWatcherState;
    type Arguments = HostWatcherArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        for source in args.sources.polled() {
            myself.cast(HostWatcherMessage::Due(source))?;
        }
        if args.sources.address().is_some() {
            myself.cast(HostWatcherMessage::AddressDue)?;
        }
        let rng = fastrand::Rng::with_seed(args.seed);
        let whereabouts = Whereabouts::new(args.address);
        let state = HostWatcherState { args, told: None, whereabouts, rng };
        state.show();
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        state.args.board.notices.on_heard(state.args.clock.now());
        match message {
            HostWatcherMessage::Due(source) => {
                state.ask(&myself, source, move |answer| HostWatcherMessage::Answered(source, answer));
            }
            HostWatcherMessage::Answered(source, answer) => {
                let period = source.period(*state.args.fleet.borrow());
                let wait = period.mul_f64(1.0 + JITTER * (2.0 * state.rng.f64() - 1.0));
                myself.send_after(wait, move || HostWatcherMessage::Due(source));
                state.on_answer(source, answer);
                state.tell();
            }
            HostWatcherMessage::AddressDue => {
                myself.send_after(whereabouts::PERIOD, || HostWatcherMessage::AddressDue);
                state.locate();
            }
            HostWatcherMessage::Tell => {
                state.told = None;
                state.tell();
            }
            HostWatcherMessage::Pulse(pulse) => drop(pulse),
            HostWatcherMessage::Judge if state.notice().leaving == Leaving::Everybody => state.judge(),
            HostWatcherMessage::Judge => {
                state.ask(&myself, Source::System, HostWatcherMessage::SystemAnswered);
            }
            HostWatcherMessage::SystemAnswered(answer) => {
                state.on_answer(Source::System, answer);
                state.tell();
                state.judge();
            }
        }
        Ok(())
    }
}

impl HostWatcherState {
    fn ask(
        &self,
        myself: &ActorRef<HostWatcherMessage>,
        source: Source,
        answered: impl FnOnce(Result<Said, AskError>) -> HostWatcherMessage + Send + 'static,
    ) {
        let (sources, myself) = (self.args.sources.clone(), myself.clone());
        tokio::spawn(async move {
            let asked = contained(tokio::time::timeout(ASK_LIMIT, sources.ask(source))).await;
            let late = |_| Err(AskError::Away(format!("no answer within {ASK_LIMIT:?}")));
            let answer =
                asked.map_or_else(|reason| Err(AskError::Away(reason)), |asked| asked.unwrap_or_else(late));
            let _ = myself.cast(answered(answer));
        });
    }

    fn on_answer(&self, source: Source, answer: Result<Said, AskError>) {
        let (now, wall) = (self.args.clock.now(), self.args.sources.wall_clock());
        let news = self.notices(|notices| notices.on_answer(source, answer, now, wall));
        news.iter().for_each(|news| log(source, news));
        self.show();
    }

    /// Reads where clients reach the host, and tells the Agent where that is another place.
    fn locate(&mut self) {
        let Some(read) = self.args.sources.address() else { return };
        let news = self.whereabouts.on_read(read.ok());
        let doubt = self.whereabouts.doubt();
        news.iter().for_each(|news| log_address(*news, doubt.as_deref()));
        self.args.board.set(Part::Address, doubt.map_or(Ok(()), Err));
        if let Some(whereabouts::News::Moved { to, .. }) = news {
            self.args.agent.cast(AgentMessage::Moved(to));
        }
    }

    /// Shows whether all is heard that there is to hear.
    fn show(&self) {
        let away = self.notices(|notices| notices.away());
        self.args.board.set(Part::Notices, away.map_or(Ok(()), Err));
        if self.args.board.notices.is_watched() {
            self.args.board.notices.show(self.notices(|notices| notices.sources()));
        }
    }

    /// Tells the Registrar what has changed.
    fn tell(&mut self) {
        let polled = self.args.sources.polled();
        let told = self.told.as_ref();
        if let Some(notice) = self.notices(|notices| notices.news(&polled, told)) {
            self.told = Some(notice.clone());
            self.args.registrar.cast(RegistrarMessage::Notice(notice));
        }
    }

    /// Tells the Agent whether the host goes.
    fn judge(&self) {
        let notice = self.notice();
        let goes = notice.leaving == Leaving::Everybody;
        self.args.agent.cast(AgentMessage::Judged(goes.then_some(notice.reason)));
    }

    fn notice(&self) -> Notice {
        self.notices(|notices| notices.notice())
    }

    fn notices<T>(&self, of: impl FnOnce(&mut Notices) -> T) -> T {
        of(&mut self.args.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn log_address(news: whereabouts::News, doubt: Option<&str>) {
    use whereabouts::News::{Certain, Doubted, Moved};
    match news {
        Doubted => {
            let reason = doubt.unwrap_or_default();
            tracing::warn!(
                event = "address_doubted",
                reason,
                "whether clients reach this host at its records' address is in doubt: they stay as they are; where the route out does not tell it, pass --address"
            );
        }
        Certain => {
            tracing::info!(event = "address_certain", "clients reach this host at its records' address")
        }
        Moved { from, to } => {
            tracing::warn!(event = "address_changed", %from, %to, "this host has another address: its records follow");
        }
    }
}

fn log(source: Source, news: &News) {
    match news {
        News::Says(Said::HostEnds { what, .. }) => {
            tracing::warn!(
                event = "host_ends",
                what,
                "this host is about to end: its services go to weight 0 now, and are withdrawn before the end"
            );
        }
        News::Says(Said::TasksEnd { what, tasks }) => {
            tracing::warn!(
                event = "tasks_end",
                what,
                tasks = tasks.len(),
                "tasks are about to be stopped: their services go to weight 0"
            );
        }
        News::Says(Said::Advice(what)) => tracing::info!(
            event = "notice_advice",
            what,
            "the cloud advises to replace this host: nothing changes"
        ),
        News::CalledOff(Said::Advice(_)) | News::Says(Said::Nothing) | News::CalledOff(Said::Nothing) => {}
        News::CalledOff(_) => {
            tracing::warn!(event = "notice_withdrawn", %source, "the notice was withdrawn: weights and records are again as before it")
        }
        News::Fails(AskError::Denied(reason)) => tracing::warn!(
            event = "draining_unreadable",
            reason,
            "DRAINING goes unnoticed, all else goes on: allow this host's role ecs:DescribeContainerInstances, \
             ecs:ListTasks and ecs:DescribeTasks"
        ),
        News::Fails(error) => {
            tracing::warn!(event = "notices_away", %source, %error, "the source of notices does not answer: its latest notice holds, and it is asked again");
        }
        News::Answers => {
            tracing::info!(event = "notices_answer", %source, "the source of notices answers again")
        }
    }
}
