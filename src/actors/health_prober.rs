//! HealthProber: one per container; asks its targets in turn, and says when a verdict changes.
//!
//! At most one probe of a target is in flight, and none outlives its prober. How many of a container and of the
//! host, and who is next, is decided by [permits](crate::machine::permits); whether silence counts while most of
//! the host's containers are silent, by [suspicion](crate::machine::suspicion); what a verdict means for a record,
//! elsewhere.

mod fleet;

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef};
use tokio::task::JoinSet;

pub(super) use self::fleet::Fleet;
use super::contained::contained;
use super::messages::{HealthProberMessage, RegistrarMessage};
use super::peers::Slot;
use crate::clock::Clock;
use crate::container::Timestamp;
use crate::container::offer::Offer;
use crate::edge::check::{CheckError, Checker};
use crate::machine::lifecycle::{Event, Target, Unproven};
use crate::machine::probe::{CLOSES_AT_ONCE, Probe, Verdict};
use crate::machine::suspicion::{DOUBT_MAX, Outcome, Turn};
use crate::record::ContainerId;
use crate::status::{self, Checked, Checks};

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
    pub(super) checks: Checks,
    pub(super) clock: Clock,
    pub(super) seed: u64,
}

pub(super) struct HealthProberState {
    args: HealthProberArgs,
    probes: Vec<Probe>,
    /// What each target answered last.
    latest: Vec<Option<Result<(), CheckError>>>,
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
            latest: args.targets.iter().map(|_| None).collect(),
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
            HealthProberMessage::Answered { index, answer, took } => {
                state.on_answered(&myself, index, answer, took);
            }
            HealthProberMessage::Explain(unproven) => state.explain(&unproven),
        }
        Ok(())
    }
}

impl HealthProberState {
    fn ask(&mut self, myself: ActorRef<HealthProberMessage>, index: usize) {
        while self.in_flight.try_join_next().is_some() {}
        let HealthProberArgs { checker, targets, fleet, clock, .. } = &self.args;
        let (checker, target, fleet) = (checker.clone(), targets[index].clone(), fleet.clone());
        let (clock, container) = (*clock, self.args.container.clone());
        let hold = self.probes[index].hold();
        self.in_flight.spawn(async move {
            let _permit = fleet.permit(container).await;
            let asked = clock.now();
            let own_fault = |reason| Err(CheckError::NotAsked(reason));
            let ask = async {
                match hold {
                    Some(hold) => checker.check_first(&target, hold).await,
                    None => checker.check(&target).await,
                }
            };
            let answer = contained(ask).await.unwrap_or_else(own_fault);
            let took = clock.now() - asked;
            let _ = myself.cast(HealthProberMessage::Answered { index, answer, took });
        });
    }

    fn on_answered(
        &mut self,
        myself: &ActorRef<HealthProberMessage>,
        index: usize,
        answer: Result<(), CheckError>,
        took: Duration,
    ) {
        // What came with the answer is not kept until the next question.
        while self.in_flight.try_join_next().is_some() {}
        let answer = self.settled(index, answer);
        self.show(index, &answer, took);
        let lag = took.saturating_sub(self.args.targets[index].timing.timeout);
        let verdict = match outcome(&answer) {
            // Heard, and for now it tells nothing.
            Some(outcome) if self.is_believed(index, outcome, lag) && !is_closed(&answer) => {
                self.probes[index].on_result(outcome == Outcome::Passed)
            }
            Some(_) => None,
            None => {
                self.say_not_asked(&answer);
                None
            }
        };
        let pause = self.probes[index].pause(self.rng.f64());
        myself.send_after(pause, move || HealthProberMessage::Due(index));
        if let Some(verdict) = verdict {
            self.report(myself.get_id(), index, verdict, &answer);
        }
        self.latest[index] = Some(answer);
    }

    /// The same; a pass, where a connection was closed at once and that is taken for the service's own way.
    fn settled(&mut self, index: usize, answer: Result<(), CheckError>) -> Result<(), CheckError> {
        let HealthProberArgs { container, name, targets, clock, .. } = &self.args;
        if !is_closed(&answer) || !self.probes[index].on_closed(clock.now()) {
            return answer;
        }
        tracing::warn!(
            event = "closes_at_once",
            container = container.short(), name, at = %targets[index].at, seconds = CLOSES_AT_ONCE.as_secs(),
            "each connection is closed at once, by the service or by Docker's proxy, as nobody listens: that cannot be \
             told, so it passes. Check by SERVICE_<port>_CHECK_HTTP=/path, or give the image a HEALTHCHECK"
        );
        Ok(())
    }

    fn show(&self, index: usize, answer: &Result<(), CheckError>, took: Duration) {
        let HealthProberArgs { container, targets, checks, clock, .. } = &self.args;
        let outcome = match outcome(answer) {
            Some(Outcome::Passed) => status::Outcome::Passed,
            Some(Outcome::Refused) => status::Outcome::Refused,
            Some(Outcome::TimedOut) => status::Outcome::TimedOut,
            None => status::Outcome::NotAsked,
        };
        let error = answer.as_ref().err().map(ToString::to_string);
        checks.on_checked(container, &targets[index], Checked { at: clock.now(), took, outcome, error });
    }

    fn say_not_asked(&self, answer: &Result<(), CheckError>) {
        if let (Err(reason), true) = (answer, self.args.fleet.says_not_asked(self.args.clock.now())) {
            tracing::error!(event = "checks_impossible", %reason, "containers cannot be checked: the weights of their records stay as they are");
        }
    }

    /// Hears an outcome, and says whether it counts.
    fn is_believed(&self, index: usize, outcome: Outcome, lag: Duration) -> bool {
        let HealthProberArgs { container, fleet, clock, .. } = &self.args;
        let mut suspicion = fleet.suspicion();
        match suspicion.on_outcome(container, index, outcome, lag, clock.now()) {
            Some(Turn::Doubts) => tracing::warn!(
                event = "checks_doubted",
                seconds = DOUBT_MAX.as_secs(),
                "most containers of this host are silent at once, or this agent is too slow: for at most so long, \
                 no check that times out changes a weight"
            ),
            Some(Turn::Trusts) => {
                tracing::info!(event = "checks_trusted", "checks that time out count again")
            }
            None => {}
        }
        suspicion.believes(outcome)
    }

    fn report(&self, prober: ActorId, index: usize, verdict: Verdict, answer: &Result<(), CheckError>) {
        let HealthProberArgs { container, name, life, targets, registrar, .. } = &self.args;
        let at = targets[index].at.to_string();
        match answer {
            Ok(()) => tracing::debug!(container = container.short(), name, at, "its check passes"),
            Err(reason) => {
                tracing::warn!(event = "check_failed", container = container.short(), name, at, %reason, "its check fails")
            }
        }
        let event = Event::Probed { life: *life, target: targets[index].clone(), verdict };
        registrar.cast(RegistrarMessage::Probed(prober, container.clone(), event));
    }

    fn explain(&self, unproven: &Unproven) {
        let HealthProberArgs { container, name, targets, .. } = &self.args;
        let target = Target::of(&unproven.offer);
        let index = targets.iter().position(|other| Some(other) == target.as_ref());
        let last = match index.and_then(|index| self.latest[index].as_ref()) {
            Some(Ok(())) => "passed, but not twice in a row".to_owned(),
            Some(Err(error)) => error.to_string(),
            None => "none".to_owned(),
        };
        warn_unproven(container, name, unproven, &last);
    }
}

/// Says why a service is not in DNS: its check, where it is asked, and what came of it last.
pub(super) fn warn_unproven(container: &ContainerId, name: &str, unproven: &Unproven, last: &str) {
    let Unproven { offer: Offer { service, at, check, .. }, waited, .. } = unproven;
    let (service, port) = (&service.name, service.container_port);
    tracing::warn!(
        event = "not_registered",
        container = container.short(), name, %service, port, %at, %check, last, seconds = waited.as_secs(),
        "not in DNS: it has not passed its check since it was started"
    );
}

fn is_closed(answer: &Result<(), CheckError>) -> bool {
    matches!(answer, Err(CheckError::Closed(_)))
}

/// What an answer says of the target; `None` where it was not asked.
fn outcome(answer: &Result<(), CheckError>) -> Option<Outcome> {
    match answer {
        Ok(()) => Some(Outcome::Passed),
        Err(CheckError::Refused(_) | CheckError::Closed(_)) => Some(Outcome::Refused),
        Err(CheckError::TimedOut(_)) => Some(Outcome::TimedOut),
        Err(CheckError::NotAsked(_)) => None,
    }
}
