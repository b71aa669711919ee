//! Registrar: carries what happens to its [pure twin](crate::machine::registrar), and what that decides to the
//! writer, the probers and the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef};

use super::health_prober::{Fleet, HealthProber, HealthProberArgs, warn_unproven};
use super::messages::{
    AgentMessage, HealthProberMessage, RegistrarMessage, Route53WriterMessage, TaskResolverMessage,
};
use super::peers::Slot;
use super::showing::Showing;
use super::wake_timer::WakeTimer;
use crate::clock::Clock;
use crate::container::offer::{EffectiveCheck, Offer};
use crate::container::{Health, Timestamp};
use crate::edge::check::Checker;
use crate::journal::SharedJournal;
use crate::machine::claims::Parked;
use crate::machine::departure::records::Overruled;
use crate::machine::lifecycle::{Outlived, Target, Unproven};
use crate::machine::registrar::{self, Output};
use crate::record::{ContainerId, Registrant};
use crate::status::Board;

#[derive(Debug)]
pub(super) struct Registrar;

#[derive(Debug)]
struct Prober {
    actor: ActorRef<HealthProberMessage>,
    life: Timestamp,
    targets: Vec<Target>,
}

pub(super) struct RegistrarArgs {
    /// Whose records they are.
    pub(super) registrant: Registrant,
    /// How long a stopping signal is believed.
    pub(super) stop_belief: Duration,
    /// Where signals are remembered over a restart.
    pub(super) signals: Option<SharedJournal>,
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
    names: BTreeMap<ContainerId, String>,
    probers: BTreeMap<ContainerId, Prober>,
    fleet: Fleet,
    wake: WakeTimer,
    showing: Showing<registrar::Snapshot>,
    rng: fastrand::Rng,
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
        if args.expects_notice {
            registrar.expect_notice();
        }
        let now = args.clock.now();
        let recall =
            |journal: &SharedJournal| registrar.recall_signals(journal.signals(), journal.wall_clock(), now);
        let outputs: Vec<_> = args.signals.iter().flat_map(recall).collect();
        let mut state = RegistrarState {
            registrar,
            rng: fastrand::Rng::with_seed(args.seed),
            fleet: Fleet::new(args.probes_max),
            showing: Showing::on(&args.board.registrar, args.clock),
            args,
            names: BTreeMap::new(),
            probers: BTreeMap::new(),
            wake: WakeTimer::default(),
        };
        for output in outputs {
            state.carry(output).await?;
        }
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
                state.names.insert(id, name);
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
            RegistrarMessage::Listed(ids, as_of) => {
                let outputs = state.registrar.on_listed(&ids, as_of, now);
                state.names.retain(|id, _| state.registrar.lifecycle(id).is_some());
                outputs
            }
            RegistrarMessage::Known { own, is_all } => state.registrar.on_known(&own, is_all, now),
            RegistrarMessage::Found { own, generation } => state.registrar.on_found(&own, generation, now),
            RegistrarMessage::WriterRestarted => {
                state.registrar.wants().map(Output::WantAll).into_iter().collect()
            }
            RegistrarMessage::Probed(prober, id, event) => {
                // What another had found out is out of date: it was stopped because things have changed.
                let is_present = state.probers.get(&id).is_some_and(|it| it.actor.get_id() == prober);
                if is_present { state.registrar.on_event(&id, event, now) } else { Vec::new() }
            }
            RegistrarMessage::ProberFailed(actor) => {
                state.replace_prober(&actor).await?;
                Vec::new()
            }
            RegistrarMessage::WakeDue => {
                state.wake.rang();
                state.registrar.on_time(now)
            }
            RegistrarMessage::Notice(notice) => state.registrar.on_notice(notice, now),
            RegistrarMessage::PrepareDrain => state.registrar.prepare_drain(now),
            RegistrarMessage::Drain(deadline) => {
                let mut outputs = state.registrar.drain(now);
                outputs.retain(|output| !matches!(output, Output::WantAll(_)));
                state.args.writer.cast(Route53WriterMessage::Drain(deadline));
                outputs
            }
        };
        for output in outputs {
            state.carry(output).await?;
        }
        state.schedule(&myself);
        state.show(&myself);
        Ok(())
    }
}

impl RegistrarState {
    async fn carry(&mut self, output: Output) -> Result<(), ActorProcessingErr> {
        match output {
            Output::Want(id, records) => self.args.writer.cast(Route53WriterMessage::Want(id, records)),
            Output::Over(id) => self.args.writer.cast(Route53WriterMessage::Want(id, Vec::new())),
            Output::WantAll(wants) => self.args.writer.cast(Route53WriterMessage::WantAll(wants)),
            Output::FoundJudged(generation) => {
                self.args.writer.cast(Route53WriterMessage::FoundJudged(generation));
            }
            Output::InspectTask(id) => self.args.resolver.cast(TaskResolverMessage::InspectTask(id)),
            Output::Probe { container, life, targets } => self.probe(container, life, targets).await?,
            Output::Decided(id, decision) => {
                let (service, port, reason) = (&decision.service, decision.container_port, decision.reason);
                let (container, name) = (id.short(), self.name(&id));
                match decision.weight {
                    Some(weight) => {
                        let at = decision.at.to_string();
                        tracing::info!(event = "registering", container, name, %service, port, at, weight, %reason, "registering");
                    }
                    None => {
                        tracing::info!(event = "withdrawing", container, name, %service, port, %reason, "withdrawing")
                    }
                }
            }
            Output::Held(id, until) => {
                let (container, name) = (id.short(), self.name(&id));
                let seconds = self.args.clock.until(until).as_secs();
                tracing::warn!(
                    event = "restarts_too_often",
                    container,
                    name,
                    seconds,
                    "restarts too often: kept out of DNS for this long"
                );
            }
            Output::Unproven(id, unproven) => self.explain(&id, unproven),
            Output::Outlived(id, outlived) => {
                let (container, name) = (id.short(), self.name(&id));
                match outlived {
                    Outlived::Belief(since) => {
                        let seconds = since.as_secs();
                        tracing::warn!(
                            event = "stop_not_believed",
                            container,
                            name,
                            seconds,
                            "was asked to stop this long ago and still runs: it counts as running again (--stop-belief)"
                        );
                    }
                    Outlived::Engine => tracing::warn!(
                        event = "stop_over",
                        container,
                        name,
                        "was asked to stop before Docker was restarted, which ended that stop: it counts as running again"
                    ),
                }
            }
            Output::Signalled(id, signals) => {
                if let Some(journal) = &self.args.signals {
                    journal.record_signals(&id, signals.as_ref());
                }
            }
            Output::Stepped(id, edge) => tracing::debug!(container = id.short(), %edge, "step"),
            Output::Overruled(id, Overruled { service, routing, reason }) => {
                let (container, name) = (id.short(), self.name(&id));
                match routing {
                    Some(routing) => {
                        tracing::info!(
                            event = "weight_changed",
                            container,
                            name,
                            service,
                            weight = routing.weight(),
                            reason,
                            "weight changed"
                        )
                    }
                    None => tracing::info!(
                        event = "withdrawn_early",
                        container,
                        name,
                        service,
                        reason,
                        "withdrawn"
                    ),
                }
            }
            Output::Waits(id, parked) => self.warn_parked(&id, &parked),
        }
        Ok(())
    }

    /// What was answered last, its prober knows; of a HEALTHCHECK, Docker has said it.
    fn explain(&self, id: &ContainerId, unproven: Unproven) {
        if let Some(taken) = unproven.taken {
            return self.warn_parked(id, &Parked { offer: unproven.offer, taken });
        }
        match (&unproven.offer.check, self.probers.get(id)) {
            (EffectiveCheck::Tcp | EffectiveCheck::Http { .. }, Some(prober)) => {
                let _ = prober.actor.cast(HealthProberMessage::Explain(unproven));
            }
            _ => {
                let last = match unproven.health {
                    Some(Health::Starting) => "starting, as Docker has it",
                    Some(Health::Unhealthy) => {
                        "unhealthy, as Docker has it: see State.Health of docker inspect"
                    }
                    Some(Health::Healthy) | None => "none",
                };
                warn_unproven(id, self.name(id), &unproven, last);
            }
        }
    }

    fn warn_parked(&self, id: &ContainerId, parked: &Parked) {
        let Parked { offer: Offer { service, at, .. }, taken } = parked;
        let (container, name) = (id.short(), self.name(id));
        let (service, holder, holder_name, why) =
            (&service.name, taken.by.short(), self.name(&taken.by), taken.why);
        tracing::warn!(
            event = "port_taken",
            container, name, %service, %at, holder, holder_name, %why,
            "not in DNS: another container holds its port"
        );
    }

    fn name(&self, id: &ContainerId) -> &str {
        self.names.get(id).map_or("", String::as_str)
    }

    async fn probe(
        &mut self,
        container: ContainerId,
        life: Timestamp,
        targets: Vec<Target>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(prober) = self.probers.remove(&container) {
            prober.actor.stop(None);
        }
        let services = self.registrar.services(&container);
        self.args.board.checks.retain(&container, &targets);
        self.fleet.suspicion().seat(container.clone(), services, targets.len());
        if targets.is_empty() {
            return Ok(());
        }
        let args = HealthProberArgs {
            container: container.clone(),
            name: self.name(&container).to_owned(),
            life,
            targets: targets.clone(),
            checker: self.args.checker.clone(),
            registrar: self.args.registrar.clone(),
            fleet: self.fleet.clone(),
            checks: self.args.board.checks.clone(),
            clock: self.args.clock,
            seed: self.rng.u64(..),
        };
        // The Agent supervises probers as it does all others: one budget of restarts for the host.
        let Some(agent) = self.args.agent.get() else { return Ok(()) };
        let (actor, _) = HealthProber::spawn_linked(None, HealthProber, args, agent.get_cell()).await?;
        self.probers.insert(container, Prober { actor, life, targets });
        Ok(())
    }

    async fn replace_prober(&mut self, failed: &ActorId) -> Result<(), ActorProcessingErr> {
        let found = self.probers.iter().find(|(_, prober)| prober.actor.get_id() == *failed);
        let Some((container, prober)) = found else { return Ok(()) };
        let (container, life, targets) = (container.clone(), prober.life, prober.targets.clone());
        self.probe(container, life, targets).await
    }

    fn show(&mut self, myself: &ActorRef<RegistrarMessage>) {
        let (registrar, names) = (&self.registrar, &self.names);
        let name = |id: &ContainerId| names.get(id).cloned().unwrap_or_default();
        self.showing.changed(myself, || RegistrarMessage::ShowDue, |now| registrar.snapshot(now, name));
    }

    fn schedule(&mut self, myself: &ActorRef<RegistrarMessage>) {
        let clock = self.args.clock;
        self.wake.set(myself, clock, self.registrar.wake_at(), || RegistrarMessage::WakeDue);
    }
}
