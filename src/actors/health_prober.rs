//! HealthProber: one per container; asks its targets in turn, and says when a verdict changes.
//!
//! At most one probe of a target is in flight, at most [`PROBES_MAX`] of a host, and none outlives its prober.
//! What a verdict means for a record is decided elsewhere; whether a failure counts at all while most of the
//! host's targets are silent, by [suspicion](crate::machine::suspicion).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::contained::contained;
use super::messages::{HealthProberMessage, RegistrarMessage};
use super::peers::Slot;
use crate::check::{CheckError, Checker};
use crate::clock::Clock;
use crate::machine::container::Timestamp;
use crate::machine::lifecycle::{Event, Target};
use crate::machine::probe::{Probe, Verdict};
use crate::machine::suspicion::{DOUBT_MAX, Outcome, Suspicion, Turn};
use crate::record::ContainerId;

/// The most probes of a host in flight: a thousand containers that start together are asked in turn.
const PROBES_MAX: usize = 64;

/// What the probers of a host share.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    /// The right to a probe.
    turns: Arc<Semaphore>,
    /// What they all hear.
    suspicion: Arc<Mutex<Suspicion>>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(PROBES_MAX)), suspicion: Arc::default() }
    }
}

impl Fleet {
    /// What they all hear.
    pub(super) fn suspicion(&self) -> std::sync::MutexGuard<'_, Suspicion> {
        self.suspicion.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(super) struct HealthProber;

pub(super) struct HealthProberArgs {
    pub(super) container: ContainerId,
    pub(super) name: String,
    pub(super) life: Timestamp,
    pub(super) targets: Vec<Target>,
    pub(super) checker: Arc<dyn Checker>,
    pub(super) registrar: Slot<RegistrarMessage>,
    pub(super) fleet: Fleet,
    pub(super) clock: Clock,
    pub(super) seed: u64,
}

pub(super) struct HealthProberState {
    args: HealthProberArgs,
    probes: Vec<Probe>,
    /// Ended with the prober.
    in_flight: JoinSet<()>,
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
            in_flight: JoinSet::new(),
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
            HealthProberMessage::Answered { index, answer, lag } => {
                state.on_answered(&myself, index, answer, lag);
            }
        }
        Ok(())
    }
}

impl HealthProberState {
    fn ask(&mut self, myself: ActorRef<HealthProberMessage>, index: usize) {
        while self.in_flight.try_join_next().is_some() {}
        let HealthProberArgs { checker, targets, fleet, clock, .. } = &self.args;
        let (checker, target, turns) = (checker.clone(), targets[index].clone(), fleet.turns.clone());
        let clock = *clock;
        self.in_flight.spawn(async move {
            // Nobody closes it.
            let Ok(_turn) = turns.acquire_owned().await else { return };
            let asked = clock.now();
            let refused = |reason| Err(CheckError::Refused(reason));
            let answer = contained(checker.check(&target)).await.unwrap_or_else(refused);
            let lag = (clock.now() - asked).saturating_sub(target.timing.timeout);
            let _ = myself.cast(HealthProberMessage::Answered { index, answer, lag });
        });
    }

    fn on_answered(
        &mut self,
        myself: &ActorRef<HealthProberMessage>,
        index: usize,
        answer: Result<(), CheckError>,
        lag: Duration,
    ) {
        let believed = self.is_believed(index, &answer, lag);
        let probe = &mut self.probes[index];
        let verdict = if believed { probe.on_result(answer.is_ok()) } else { None };
        myself.send_after(probe.pause(self.rng.f64()), move || HealthProberMessage::Due(index));
        if let Some(verdict) = verdict {
            self.report(index, verdict, answer);
        }
    }

    /// Hears a result, and says whether it counts.
    fn is_believed(&self, index: usize, answer: &Result<(), CheckError>, lag: Duration) -> bool {
        let outcome = match answer {
            Ok(()) => Outcome::Passed,
            Err(CheckError::Refused(_)) => Outcome::Refused,
            Err(CheckError::TimedOut(_)) => Outcome::TimedOut,
        };
        let HealthProberArgs { container, fleet, clock, .. } = &self.args;
        let mut suspicion = fleet.suspicion();
        match suspicion.on_outcome(container, index, outcome, lag, clock.now()) {
            Some(Turn::Doubts) => tracing::warn!(
                seconds = DOUBT_MAX.as_secs(),
                "most of this host's checks time out at once, or this agent is too slow: for at most so long, \
                 no failed check changes a weight"
            ),
            Some(Turn::Trusts) => tracing::info!("failed checks count again"),
            None => {}
        }
        suspicion.believes(outcome)
    }

    fn report(&self, index: usize, verdict: Verdict, answer: Result<(), CheckError>) {
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
