//! Route53Writer: carries between the [writer](crate::reconcile::writer), which decides what to call and when, the
//! zone, the Registrar and the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::watch;

use super::contained::contained;
use super::messages::{AgentMessage, RegistrarMessage, Route53WriterMessage};
use super::peers::Slot;
use super::showing::Showing;
use super::wake_timer::WakeTimer;
use crate::clock::Clock;
use crate::machine::publish::Wants;
use crate::reconcile::writer::{Answer, Call, Calls, News, Next, Settings, Snapshot, Writer};
use crate::record::{ContainerId, RecordSet, RecordType};
use crate::status::{Board, Part};
use crate::zone::{Meaning, Zone};

#[derive(Debug)]
pub(super) struct Route53Writer;

pub(super) struct Route53WriterArgs {
    pub(super) zone: Arc<dyn Zone>,
    pub(super) settings: Settings,
    /// It makes no call before then.
    pub(super) hold_until: Duration,
    /// Whether to say when everything is as it should be.
    pub(super) once: bool,
    /// Whether a drain is over only when every name server answers so.
    pub(super) confirm: bool,
    /// How many hosts share the account's rate.
    pub(super) fleet: watch::Receiver<Option<u32>>,
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) agent: Slot<AgentMessage>,
    pub(super) registrar: Slot<RegistrarMessage>,
}

pub(super) struct Route53WriterState {
    args: Route53WriterArgs,
    writer: Writer,
    wants: Wants,
    draining: bool,
    /// Whether what there was at the start is written.
    started: bool,
    reported: bool,
    wake: WakeTimer,
    calls: Calls,
    next_at: Option<Duration>,
    showing: Showing<Snapshot>,
}

impl Actor for Route53Writer {
    type Msg = Route53WriterMessage;
    type State = Route53WriterState;
    type Arguments = Route53WriterArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut state = Route53WriterState {
            writer: Writer::starting_at(args.settings.clone(), args.hold_until),
            showing: Showing::on(&args.board.writer, args.clock),
            calls: Calls::default(),
            next_at: None,
            args,
            wants: Wants::new(),
            draining: false,
            started: false,
            reported: false,
            wake: WakeTimer::default(),
        };
        // A predecessor's last word on the zone may be old.
        state.args.board.set(Part::Zone, Ok(()));
        state.pump(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        state.showing.on_heard();
        let is_pulse = matches!(message, Route53WriterMessage::Pulse(_));
        match message {
            Route53WriterMessage::Want(id, records) => state.want(id, records),
            Route53WriterMessage::WantAll(wants) => state.want_all(wants),
            Route53WriterMessage::Answered(call, answer) => state.on_answered(call, answer),
            Route53WriterMessage::WakeDue => state.wake.rang(),
            Route53WriterMessage::Introduce => state.introduce(),
            Route53WriterMessage::FoundJudged => state.on_found_judged(),
            Route53WriterMessage::Drain(deadline) => state.drain(&myself, deadline),
            Route53WriterMessage::DrainOver => state.report_drained(),
            Route53WriterMessage::Pulse(pulse) => drop(pulse),
            Route53WriterMessage::ShowDue => state.showing.rang(),
        }
        state.pump(&myself);
        if !is_pulse {
            state.show(&myself);
        }
        Ok(())
    }
}

impl Route53WriterState {
    fn want(&mut self, id: ContainerId, records: Vec<RecordSet>) {
        if self.draining {
            return;
        }
        let old = self.wants.remove(&id).unwrap_or_default();
        self.writer.want(&old, &records);
        if !records.is_empty() {
            self.wants.insert(id, records);
        }
    }

    fn want_all(&mut self, wants: Wants) {
        if self.draining {
            return;
        }
        let old: Vec<_> = std::mem::replace(&mut self.wants, wants).into_values().flatten().collect();
        let new: Vec<_> = self.wants.values().flatten().cloned().collect();
        self.writer.want(&old, &new);
        self.writer.told_all();
    }

    fn on_found_judged(&mut self) {
        let news = self.writer.judged_found();
        self.tell(news);
    }

    /// Whatever waits to be written, or is on its way, was proved before it was wanted: a Registrar that starts
    /// again takes it for registered. Once all has been told, nothing else is: the rest is on its way out.
    fn introduce(&self) {
        if let Some(mut known) = self.writer.known() {
            if self.writer.is_told() {
                known.clear();
            }
            let mut sets: BTreeMap<_, _> = known.into_iter().map(|set| (set.key(), set)).collect();
            sets.extend(self.wants.values().flatten().map(|set| (set.key(), set.clone())));
            let (own, is_all) = (sets.into_values().collect(), self.writer.knows_all());
            self.args.registrar.cast(RegistrarMessage::Known { own, is_all });
        }
        if let Some(found) = self.writer.found() {
            self.args.registrar.cast(RegistrarMessage::Found(found));
        }
    }

    fn drain(&mut self, myself: &ActorRef<Route53WriterMessage>, deadline: Duration) {
        self.draining = true;
        self.wants.clear();
        let now = self.args.clock.now();
        if self.args.confirm {
            self.writer.confirm(now);
        }
        self.writer.drain(now, deadline);
        self.args.zone.drain();
        myself.send_after(self.args.clock.until(deadline), || Route53WriterMessage::DrainOver);
    }

    fn report_drained(&self) {
        let left = self.writer.unsettled().into_iter().filter(|key| key.kind == RecordType::Srv).collect();
        let confirmed = self.writer.confirmed() == Some(true);
        self.args.agent.cast(AgentMessage::Drained { left, zone_read: self.writer.knows_all(), confirmed });
    }

    /// Starts what is due: one call at a time.
    fn pump(&mut self, myself: &ActorRef<Route53WriterMessage>) {
        self.writer.set_hosts(*self.args.fleet.borrow());
        let now = self.args.clock.now();
        let next = self.writer.next(now);
        self.next_at = if let Next::At(at) = next { Some(at) } else { None };
        match next {
            Next::Call(call) => self.call(myself, call),
            Next::At(at) => {
                self.wake.set(myself, self.args.clock, Some(at), || Route53WriterMessage::WakeDue);
            }
            Next::Nothing => {}
        }
        let progress = self.writer.progress(now);
        if !self.started && progress.has_written() {
            self.started = true;
            self.args.board.set(Part::Start, Ok(()));
        }
        // What was refused stays so for longer than a drain lasts.
        if self.draining && progress.is_over() {
            self.report_drained();
        } else if self.args.once && !self.draining && !self.reported && progress.is_over() {
            self.reported = true;
            self.args.agent.cast(AgentMessage::Reconciled(self.writer.unsettled().into_iter().collect()));
        }
    }

    fn call(&mut self, myself: &ActorRef<Route53WriterMessage>, call: Call) {
        self.calls.begin(&call, self.args.clock.now());
        let (zone, myself) = (self.args.zone.clone(), myself.clone());
        tokio::spawn(async move {
            let answer = contained(call.make(&*zone)).await.unwrap_or_else(|reason| call.unanswered(reason));
            let _ = myself.cast(Route53WriterMessage::Answered(call, answer));
        });
    }

    fn on_answered(&mut self, call: Call, answer: Answer) {
        let now = self.args.clock.now();
        self.calls.end(&call, &answer, now);
        let news = self.writer.on_answer(call, answer, now);
        self.tell(news);
    }

    fn show(&mut self, myself: &ActorRef<Route53WriterMessage>) {
        let (writer, next_at, calls) = (&self.writer, self.next_at, &self.calls);
        let snapshot = |now| writer.snapshot(now, next_at, calls.clone());
        self.showing.changed(myself, || Route53WriterMessage::ShowDue, snapshot);
    }

    fn show_readiness(&self, news: &News) {
        let state = match news {
            News::Recovered => Ok(()),
            // It answers, and wants to be asked less often: that is waited out.
            News::Failing(error) if error.meaning() == Meaning::Later => Ok(()),
            News::Failing(error) => Err(error.to_string()),
            _ => return,
        };
        self.args.board.set(Part::Zone, state);
    }

    fn tell(&self, news: Vec<News>) {
        let now = self.args.clock.now();
        for news in news {
            self.writer.log(&news, now);
            self.show_readiness(&news);
            match news {
                News::Known(own) => {
                    self.args.registrar.cast(RegistrarMessage::Known { own, is_all: true });
                }
                News::Found(own) => self.args.registrar.cast(RegistrarMessage::Found(own)),
                _ => {}
            }
        }
    }
}
