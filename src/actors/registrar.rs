//! Registrar: carries what happens to the [roster](crate::machine::roster), and what that decides to the
//! writer, the probers and the log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef};

use super::Surroundings;
use super::alarm::Alarm;
use super::docker_watcher::Turn;
use super::health_prober::{Fleet, HealthProber, HealthProberArgs, HealthProberMessage};
use super::peers::Peers;
use super::route53_writer::Route53WriterMessage;
use super::task_resolver::TaskResolverMessage;
use crate::machine::container::Timestamp;
use crate::machine::lifecycle::{Event, Seq, Target};
use crate::machine::outlook::Outlook;
use crate::machine::roster::{Foreseen, Output, Roster};
use crate::record::{ContainerId, RecordSet};

#[derive(Debug)]
pub(super) struct Registrar;

#[derive(Debug)]
pub(super) enum RegistrarMessage {
    /// What a container is called, for the log.
    Named(ContainerId, String),
    /// Something happened to a container.
    Event(ContainerId, Event),
    /// All that came of one turn of Docker's events has been told: the next may come.
    TurnOver(Turn),
    /// All that runs, asked for at this place.
    Listed(BTreeSet<ContainerId>, Seq),
    /// What the zone holds of this host.
    Known(Vec<RecordSet>),
    /// The same, when it was read late: the writer waits to hear what of it is wanted.
    Found(Vec<RecordSet>),
    /// The writer lost its memory of what is wanted.
    WriterRestarted,
    /// An actor that may be a prober has failed.
    ProberFailed(ActorId),
    /// A deadline has come.
    WakeDue,
    /// What the host is told of its future.
    Outlook(Outlook),
    /// The agent will drain in a while.
    Part,
    /// Nothing is wanted any more; the writer has to be done by then.
    Drain(Duration),
}

#[derive(Debug)]
struct Prober {
    actor: ActorRef<HealthProberMessage>,
    life: Timestamp,
    targets: Vec<Target>,
}

#[derive(Debug)]
pub(super) struct RegistrarState {
    surroundings: Surroundings,
    peers: Peers,
    roster: Roster,
    names: BTreeMap<ContainerId, String>,
    probers: BTreeMap<ContainerId, Prober>,
    fleet: Fleet,
    wake: Alarm,
    /// Whether the writer waits to hear what of its findings is wanted.
    owes_judgement: bool,
    rng: fastrand::Rng,
}

impl Actor for Registrar {
    type Msg = RegistrarMessage;
    type State = RegistrarState;
    type Arguments = (Surroundings, Peers);

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        (surroundings, peers): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut roster = Roster::new(surroundings.writer.registrant.clone(), surroundings.clock.now());
        if surroundings.notices.is_some() {
            roster.expect_outlook();
        }
        Ok(RegistrarState {
            roster,
            rng: fastrand::Rng::with_seed(surroundings.writer.seed),
            surroundings,
            peers,
            names: BTreeMap::new(),
            probers: BTreeMap::new(),
            fleet: Fleet::default(),
            owes_judgement: false,
            wake: Alarm::default(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let now = state.surroundings.clock.now();
        let outputs = match message {
            RegistrarMessage::Named(id, name) => {
                state.names.insert(id, name);
                Vec::new()
            }
            RegistrarMessage::TurnOver(turn) => {
                drop(turn);
                Vec::new()
            }
            RegistrarMessage::Event(id, event) => state.roster.on_event(&id, event, now),
            RegistrarMessage::Listed(ids, as_of) => {
                let outputs = state.roster.on_listed(&ids, as_of, now);
                state.names.retain(|id, _| state.roster.machine(id).is_some());
                outputs
            }
            RegistrarMessage::Known(known) => state.roster.on_known(&known, now),
            RegistrarMessage::Found(found) => {
                state.owes_judgement = true;
                state.roster.on_found(&found, now)
            }
            RegistrarMessage::WriterRestarted => {
                state.roster.wants().map(Output::WantAll).into_iter().collect()
            }
            RegistrarMessage::ProberFailed(actor) => {
                state.replace_prober(&actor).await?;
                Vec::new()
            }
            RegistrarMessage::WakeDue => {
                state.wake.rang();
                state.roster.on_time(now)
            }
            RegistrarMessage::Outlook(outlook) => state.roster.on_outlook(outlook, now),
            RegistrarMessage::Part => state.roster.part(now),
            RegistrarMessage::Drain(deadline) => {
                let mut outputs = state.roster.drain(now);
                outputs.retain(|output| !matches!(output, Output::WantAll(_)));
                state.peers.writer.cast(Route53WriterMessage::Drain(deadline));
                outputs
            }
        };
        for output in outputs {
            state.carry(output).await?;
        }
        if state.owes_judgement && state.roster.wants().is_some() {
            state.owes_judgement = false;
            state.peers.writer.cast(Route53WriterMessage::FoundJudged);
        }
        state.schedule(&myself);
        Ok(())
    }
}

impl RegistrarState {
    async fn carry(&mut self, output: Output) -> Result<(), ActorProcessingErr> {
        match output {
            Output::Want(id, records) => self.peers.writer.cast(Route53WriterMessage::Want(id, records)),
            Output::Over(id) => self.peers.writer.cast(Route53WriterMessage::Want(id, Vec::new())),
            Output::WantAll(wants) => self.peers.writer.cast(Route53WriterMessage::WantAll(wants)),
            Output::Look(id) => self.peers.resolver.cast(TaskResolverMessage::Look(id)),
            Output::Probe { container, life, targets } => self.probe(container, life, targets).await?,
            Output::Decided(id, decision) => {
                let (service, port, reason) = (&decision.service, decision.container_port, decision.reason);
                let (container, name) = (id.short(), self.name(&id));
                match decision.weight {
                    Some(weight) => {
                        let at = decision.at.to_string();
                        tracing::info!(container, name, %service, port, at, weight, %reason, "wanted");
                    }
                    None => tracing::info!(container, name, %service, port, %reason, "no longer wanted"),
                }
            }
            Output::Held(id, until) => {
                let (container, name) = (id.short(), self.name(&id));
                let seconds = self.surroundings.clock.until(until).as_secs();
                tracing::warn!(container, name, seconds, "restarts too often: kept out of DNS for this long");
            }
            Output::Stepped(id, edge) => tracing::debug!(container = id.short(), %edge, "step"),
            Output::Foreseen(id, Foreseen { service, weight, reason }) => {
                let (container, name) = (id.short(), self.name(&id));
                match weight {
                    Some(weight) => tracing::info!(container, name, service, weight, reason, "foreseen"),
                    None => tracing::info!(container, name, service, reason, "foreseen: not wanted"),
                }
            }
            Output::Waits(id, parked) => {
                let (container, name) = (id.short(), self.name(&id));
                let (service, at) = (&parked.wanted.offer.service.name, parked.wanted.offer.at.to_string());
                let holder = parked.holder.short();
                tracing::warn!(container, name, %service, at, holder, "waits: a newer container holds the port");
            }
        }
        Ok(())
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
        let services = self.roster.services(&container);
        self.fleet.suspicion().seat(container.clone(), services, targets.len());
        if targets.is_empty() {
            return Ok(());
        }
        let args = HealthProberArgs {
            container: container.clone(),
            name: self.name(&container).to_owned(),
            life,
            targets: targets.clone(),
            checker: self.surroundings.checker.clone(),
            registrar: self.peers.registrar.clone(),
            fleet: self.fleet.clone(),
            clock: self.surroundings.clock,
            seed: self.rng.u64(..),
        };
        // The Agent supervises probers as it does all others: one budget of restarts for the host.
        let Some(agent) = self.peers.agent.get() else { return Ok(()) };
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

    fn schedule(&mut self, myself: &ActorRef<RegistrarMessage>) {
        let clock = self.surroundings.clock;
        self.wake.set(myself, clock, self.roster.wake_at(), || RegistrarMessage::WakeDue);
    }
}
