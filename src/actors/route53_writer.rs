//! Route53Writer: carries what is told to its [pure twin](crate::reconcile::route53_writer), its calls to the zone, and
//! what comes of both to the Registrar, the Agent, the board and the log.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::watch;

use super::contained::contained;
use super::messages::{AgentMessage, RegistrarMessage, Route53WriterMessage};
use super::peers::Slot;
use super::showing::Showing;
use super::wake_timer::WakeTimer;
use crate::clock::Clock;
use crate::reconcile::route53_writer::{self, Output, Plan};
use crate::reconcile::writer::{Call, Next, Settings, Snapshot};
use crate::status::{Board, Part};
use crate::zone::Zone;

#[derive(Debug)]
pub(super) struct Route53Writer;

pub(super) struct Route53WriterArgs {
    pub(super) zone: Arc<dyn Zone>,
    pub(super) settings: Settings,
    pub(super) plan: Plan,
    /// How many hosts share the account's rate.
    pub(super) fleet: watch::Receiver<Option<u32>>,
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) agent: Slot<AgentMessage>,
    pub(super) registrar: Slot<RegistrarMessage>,
}

pub(super) struct Route53WriterState {
    args: Route53WriterArgs,
    writer: route53_writer::Route53Writer,
    wake: WakeTimer,
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
            writer: route53_writer::Route53Writer::new(args.settings.clone(), args.plan),
            showing: Showing::on(&args.board.writer, args.clock),
            args,
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
        let now = state.args.clock.now();
        let mut outputs = Vec::new();
        match message {
            Route53WriterMessage::Want(id, records) => state.writer.want(id, records, now),
            Route53WriterMessage::WantAll(wants) => state.writer.want_all(wants, now),
            Route53WriterMessage::Moved(address, wants) => state.writer.on_moved(address, wants, now),
            Route53WriterMessage::Ended(id, name) => state.writer.ended(&id, name, now),
            Route53WriterMessage::Answered(call, answer) => {
                outputs = state.writer.on_answer(call, answer, now);
            }
            Route53WriterMessage::WakeDue => state.wake.rang(),
            Route53WriterMessage::Introduce => outputs = state.writer.introduce(),
            Route53WriterMessage::FoundJudged(generation) => {
                outputs = state.writer.on_found_judged(generation);
            }
            Route53WriterMessage::Drain(deadline) => {
                state.writer.drain(now, deadline);
                state.args.zone.drain();
                myself.send_after(state.args.clock.until(deadline), || Route53WriterMessage::DrainOver);
            }
            Route53WriterMessage::DrainOver => outputs.push(state.writer.drained()),
            Route53WriterMessage::Pulse(pulse) => drop(pulse),
            Route53WriterMessage::ShowDue => state.showing.rang(),
        }
        outputs.into_iter().for_each(|output| state.carry(output));
        state.pump(&myself);
        if !is_pulse {
            state.show(&myself);
        }
        Ok(())
    }
}

impl Route53WriterState {
    /// Starts what is due: one call at a time.
    fn pump(&mut self, myself: &ActorRef<Route53WriterMessage>) {
        self.writer.set_hosts(*self.args.fleet.borrow());
        let now = self.args.clock.now();
        match self.writer.next(now) {
            Next::Call(call) => self.call(myself, call),
            Next::At(at) => {
                self.wake.set(myself, self.args.clock, Some(at), || Route53WriterMessage::WakeDue);
            }
            Next::Nothing => {}
        }
        self.writer.reached(now).into_iter().for_each(|output| self.carry(output));
    }

    fn call(&self, myself: &ActorRef<Route53WriterMessage>, call: Call) {
        let (zone, myself) = (self.args.zone.clone(), myself.clone());
        tokio::spawn(async move {
            let answer = contained(call.make(&*zone)).await.unwrap_or_else(|reason| call.unanswered(reason));
            let _ = myself.cast(Route53WriterMessage::Answered(call, answer));
        });
    }

    fn show(&mut self, myself: &ActorRef<Route53WriterMessage>) {
        let writer = &self.writer;
        self.showing.changed(myself, || Route53WriterMessage::ShowDue, |now| writer.snapshot(now));
    }

    fn carry(&self, output: Output) {
        let Route53WriterArgs { board, clock, agent, registrar, .. } = &self.args;
        match output {
            Output::News(news) => self.writer.log(&news, clock.now()),
            Output::Zone(state) => board.set(Part::Zone, state),
            Output::Started => board.set(Part::Start, Ok(())),
            Output::Known { own, is_all } => registrar.cast(RegistrarMessage::Known { own, is_all }),
            Output::Found { own, generation } => {
                registrar.cast(RegistrarMessage::Found { own, generation });
            }
            Output::Drained { left, zone_read, confirmed } => {
                agent.cast(AgentMessage::Drained { left, zone_read, confirmed });
            }
            Output::Reconciled(left) => agent.cast(AgentMessage::Reconciled(left)),
        }
    }
}
