//! HealthProber: one per container; asks its targets in turn, and says when a verdict changes.
//!
//! At most one probe of a target is in flight. What a verdict means for a record is decided elsewhere.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::contained;
use super::peers::Slot;
use super::registrar::RegistrarMessage;
use crate::check::Checker;
use crate::machine::container::{ContainerId, Timestamp};
use crate::machine::lifecycle::{Event, Target};
use crate::machine::probe::{Probe, Verdict};

#[derive(Debug)]
pub(super) struct HealthProber;

#[derive(Debug)]
pub(super) enum HealthProberMessage {
    /// This target is to be asked.
    Due(usize),
    /// This target was asked.
    Answered(usize, Result<(), String>),
}

pub(super) struct HealthProberArgs {
    pub(super) container: ContainerId,
    pub(super) name: String,
    pub(super) life: Timestamp,
    pub(super) targets: Vec<Target>,
    pub(super) checker: Arc<dyn Checker>,
    pub(super) registrar: Slot<RegistrarMessage>,
    pub(super) seed: u64,
}

pub(super) struct HealthProberState {
    args: HealthProberArgs,
    probes: Vec<Probe>,
    rng: fastrand::Rng,
}

impl Actor for HealthProber {
    type Msg = HealthProberMessage;
    type State = HealthProberState;
    type Arguments = HealthProberArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        for index in 0..args.targets.len() {
            myself.cast(HealthProberMessage::Due(index))?;
        }
        Ok(HealthProberState {
            probes: args.targets.iter().map(|target| Probe::new(target.timing.interval)).collect(),
            rng: fastrand::Rng::with_seed(args.seed),
            args,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            HealthProberMessage::Due(index) => state.ask(myself, index),
            HealthProberMessage::Answered(index, answer) => state.on_answered(&myself, index, answer),
        }
        Ok(())
    }
}

impl HealthProberState {
    fn ask(&self, myself: ActorRef<HealthProberMessage>, index: usize) {
        let (checker, target) = (self.args.checker.clone(), self.args.targets[index].clone());
        tokio::spawn(async move {
            let answer = contained(checker.check(&target)).await.unwrap_or_else(Err);
            let _ = myself.cast(HealthProberMessage::Answered(index, answer));
        });
    }

    fn on_answered(
        &mut self,
        myself: &ActorRef<HealthProberMessage>,
        index: usize,
        answer: Result<(), String>,
    ) {
        let probe = &mut self.probes[index];
        let verdict = probe.on_result(answer.is_ok());
        myself.send_after(probe.pause(self.rng.f64()), move || HealthProberMessage::Due(index));
        if let Some(verdict) = verdict {
            self.report(index, verdict, answer);
        }
    }

    fn report(&self, index: usize, verdict: Verdict, answer: Result<(), String>) {
        let HealthProberArgs { container, name, life, targets, registrar, .. } = &self.args;
        let at = targets[index].at.to_string();
        match answer {
            Ok(()) => tracing::debug!(container = container.short(), name, at, "its check passes"),
            Err(reason) => {
                tracing::warn!(container = container.short(), name, at, %reason, "its check fails")
            }
        }
        let event = Event::Probed { life: *life, target: targets[index].clone(), verdict };
        registrar.cast(RegistrarMessage::Event(container.clone(), event));
    }
}
