//! Registrar: carries what happens to its [pure twin](crate::machine::registrar), and what that decides to the
//! writer, the probers and the log.

mod log;
mod orders;
mod probers;

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use self::orders::Orders;
use self::probers::Probers;
use super::messages::{AgentMessage, RegistrarMessage, Route53WriterMessage, TaskResolverMessage};
use super::peers::Slot;
use super::showing::Showing;
use super::wake_timer::WakeTimer;
use crate::clock::Clock;
use crate::edge::check::Checker;
use crate::journal::SharedJournal;
use crate::journal::cordons::CordonMemory;
use crate::machine::registrar::{self, Output};
use crate::record::Registrant;
use crate::status::Board;

#[derive(Debug)]
pub(super) struct Registrar;

pub(super) struct RegistrarArgs {
    /// Whose records they are.
    pub(super) registrant: Registrant,
    /// How long a stopping signal is believed.
    pub(super) stop_belief: Duration,
    /// Whether the host's address may change: no task has one of its own there.
    pub(super) follows_route: bool,
    /// Where signals are remembered over a restart.
    pub(super) signals: Option<SharedJournal>,
    /// Where weights given by hand are remembered.
    pub(super) cordons: Option<Arc<dyn CordonMemory>>,
    /// Whether somebody will say what is about to happen to the host.
    pub(super) expects_notice: bool,
    pub(super) checker: Arc<dyn Checker>,
    pub(super) board: Board,
    /// The most checks of the host in flight.
    pub(super) probes_max: usize,
    pub(super) clock: Clock,
    /// Of the probers' seeds.
    pub(super) seed: u64,
    /// Supervises the probers.
    pub(super) agent: Slot<AgentMessage>,
    pub(super) resolver: Slot<TaskResolverMessage>,
    /// Its own place, which the probers report to.
    pub(super) registrar: Slot<RegistrarMessage>,
    pub(super) writer: Slot<Route53WriterMessage>,
}

pub(super) struct RegistrarState {
    args: RegistrarArgs,
    registrar: registrar::Registrar,
    probers: Probers,
    orders: Orders,
    wake: WakeTimer,
    showing: Showing<registrar::Snapshot>,
}

impl Actor for Registrar {
    type Msg = RegistrarMessage;
    type State = RegistrarState;
    type Arguments = RegistrarArgs;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut registrar = registrar::Registrar::new(args.registrant.clone(), args.stop_belief);
        if args.follows_route {
            registrar.follow_route();
        }
        if args.expects_notice {
            registrar.expect_notice();
        }
        let now = args.clock.now();
        let recall =
            |journal: &SharedJournal| registrar.recall_signals(journal.signals(), journal.wall_clock(), now);
        let mut outputs: Vec<_> = args.signals.iter().flat_map(recall).collect();
        let orders = Orders::remembered_by(args.cordons.clone());
        outputs.extend(orders.restore(&mut registrar, now));
        let mut state = RegistrarState {
            registrar,
            probers: Probers::new(args.probes_max, args.seed),
            orders,
            showing: Showing::on(&args.board.registrar, args.clock),
            args,
            wake: WakeTimer::default(),
        };
        for output in outputs {
            state.carry(output).await?;
        }
        state.orders.settle();
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let now = state.args.clock.now();
        state.showing.on_heard();
        let outputs = match message {
            RegistrarMessage::Named(id, name) => {
                state.registrar.on_named(id, name);
                Vec::new()
            }
            RegistrarMessage::TurnOver(turn) => {
                drop(turn);
                Vec::new()
            }
            RegistrarMessage::Pulse(pulse) => {
                drop(pulse);
                return Ok(());
            }
            RegistrarMessage::ShowDue => {
                state.showing.rang();
                Vec::new()
            }
            RegistrarMessage::Event(id, event) => state.registrar.on_event(&id, event, now),
            RegistrarMessage::Remembered(past) => state.registrar.on_past(&past, now),
            RegistrarMessage::Listed(ids, as_of) => state.registrar.on_listed(&ids, as_of, now),
            RegistrarMessage::Known { own, is_all } => state.registrar.on_known(&own, is_all, now),
            RegistrarMessage::Found { own, generation } => state.registrar.on_found(&own, generation, now),
            RegistrarMessage::WriterRestarted => {
                state.registrar.wants().map(Output::WantAll).into_iter().collect()
            }
            RegistrarMessage::Probed(prober, id, event) => {
                // What another had found out is out of date: it was stopped because things have changed.
                if state.probers.has(&id, &prober) {
                    state.registrar.on_event(&id, event, now)
                } else {
                    Vec::new()
                }
            }
            RegistrarMessage::ProberFailed(actor) => {
                let replaced = state.probers.replacing(&actor);
                replaced.into_iter().collect()
            }
            RegistrarMessage::WakeDue => {
                state.wake.rang();
                state.registrar.on_time(now)
            }
            RegistrarMessage::Notice(notice) => state.registrar.on_notice(notice, now),
            RegistrarMessage::Order(order, reply) => {
                state.orders.take(&order, reply, &mut state.registrar, now)
            }
            RegistrarMessage::Moved(address) => vec![state.registrar.on_moved(address)],
            RegistrarMessage::PrepareDrain => state.registrar.prepare_drain(now),
            RegistrarMessage::Drain(deadline) => state.registrar.drain(deadline, now),
        };
        for output in outputs {
            state.carry(output).await?;
        }
        state.orders.settle();
        state.schedule(&myself);
        state.show(&myself);
        Ok(())
    }
}

impl RegistrarState {
    async fn carry(&mut self, output: Output) -> Result<(), ActorProcessingErr> {
        let RegistrarArgs { writer, resolver, signals, .. } = &self.args;
        match output {
            Output::Want(id, records) => writer.cast(Route53WriterMessage::Want(id, records)),
            Output::Over(id) => writer.cast(Route53WriterMessage::Want(id, Vec::new())),
            Output::Ended(id) => {
                let name = self.registrar.name(&id).to_owned();
                writer.cast(Route53WriterMessage::Ended(id, name));
            }
            Output::WantAll(wants) => writer.cast(Route53WriterMessage::WantAll(wants)),
            Output::Moved(address, wants) => writer.cast(Route53WriterMessage::Moved(address, wants)),
            Output::Drain(deadline) => writer.cast(Route53WriterMessage::Drain(deadline)),
            Output::FoundJudged(generation) => writer.cast(Route53WriterMessage::FoundJudged(generation)),
            Output::InspectTask(id) => resolver.cast(TaskResolverMessage::InspectTask(id)),
            Output::Probe { container, life, targets } => {
                self.probers.start(&self.args, &self.registrar, container, life, targets).await?;
            }
            Output::KeepCordons(all) => self.orders.keep(all),
            Output::Signalled(id, told) => {
                if let Some(journal) = signals {
                    journal.record_signals(&id, told.as_ref());
                }
            }
            // What was answered last, its prober knows; of a HEALTHCHECK, Docker has said it.
            Output::Unproven(id, unproven) => {
                if let Some(unproven) = self.probers.explain(&id, unproven) {
                    log::unproven(&self.registrar, &id, &unproven);
                }
            }
            said => log::output(&self.registrar, self.args.clock, &said),
        }
        Ok(())
    }

    fn show(&mut self, myself: &ActorRef<RegistrarMessage>) {
        let registrar = &self.registrar;
        self.showing.changed(myself, || RegistrarMessage::ShowDue, |now| registrar.snapshot(now));
    }

    fn schedule(&mut self, myself: &ActorRef<RegistrarMessage>) {
        let clock = self.args.clock;
        self.wake.set(myself, clock, self.registrar.wake_at(), || RegistrarMessage::WakeDue);
    }
}
