//! The world that agents live in: one zone, one account, hosts with an engine, a disk and a process each.
//!
//! One lock, held for one step at a time. What is due later waits in one queue, so that a run has one order.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecssd::janitor::Inspection;
use ecssd::machine::agent::StopPlan;
use ecssd::moment::Moment;
use ecssd::zone::embedded::{EmbeddedZone, Options, Throttle};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::account::Account;
use super::court::Court;
use super::host::Host;
use super::later::Later;
use super::log::Log;
use super::mutant::Mutant;
use super::scenario::Scenario;
use super::truth::ZONE;

/// How long the name servers take.
pub const INSYNC_AFTER: Duration = Duration::from_secs(15);

/// A handle to the world of one run.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    epoch: Instant,
    log: Log,
    /// The court has a verdict.
    pub guilty: Notify,
}

/// All of it.
pub struct State {
    pub seed: u64,
    pub mutant: Mutant,
    pub resync: Duration,
    pub stop: StopPlan,
    pub notices: bool,
    pub now: Moment,
    /// For how long in all processes stood still.
    pub stood_still: Duration,
    pub hosts: Vec<Host>,
    pub account: Account,
    pub court: Court,
    pub history: String,
    pub counts: BTreeMap<&'static str, u64>,
    /// What is due, in order of time and then of asking.
    pub later: BTreeMap<(Moment, u64), Later>,
    asked: u64,
    /// Of a run of the janitor that is under way.
    pub first_inspection: Option<Inspection>,
}

impl World {
    pub fn new(scenario: &Scenario, mutant: Mutant, log: Log) -> Self {
        let throttle = if scenario.legacy { Throttle::Legacy } else { Throttle::Standard };
        let options = Options { throttle, insync_after: INSYNC_AFTER, ..Options::default() };
        let zone = EmbeddedZone::in_memory(ZONE, options).expect("a zone's name");
        let state = State {
            seed: scenario.seed,
            mutant,
            resync: Duration::from_secs(scenario.resync_minutes * 60),
            stop: StopPlan {
                delay: Duration::from_secs(scenario.drain_delay_seconds),
                confirm: scenario.confirm,
                ..StopPlan::default()
            },
            notices: scenario.notices,
            now: Moment::START,
            stood_still: Duration::ZERO,
            hosts: (0..scenario.hosts).map(|index| Host::new(index, scenario)).collect(),
            account: Account::new(zone, scenario.legacy, scenario.off_ec2),
            court: Court::default(),
            history: String::new(),
            counts: BTreeMap::new(),
            later: BTreeMap::new(),
            asked: 0,
            first_inspection: None,
        };
        Self(Arc::new(Inner { state: Mutex::new(state), epoch: Instant::now(), log, guilty: Notify::new() }))
    }

    /// The world as it is now.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = Moment::after(self.0.epoch.elapsed());
        // Whose actor it was, the log does not say.
        for _ in 0..std::mem::take(&mut self.0.log.noted().panicked) {
            (0..state.hosts.len()).for_each(|host| state.court_panics(host));
        }
        let early = std::mem::take(&mut self.0.log.noted().early);
        early.iter().for_each(|container| state.court_told_early(container));
        if state.court.verdict().is_some() {
            self.0.guilty.notify_one();
        }
        state
    }

    /// Waits until then, or until the court has a verdict.
    pub async fn sleep_until(&self, at: Moment) {
        tokio::select! {
            biased;
            () = self.0.guilty.notified() => {}
            () = tokio::time::sleep_until(self.0.epoch + at.since_start()) => {}
        }
    }
}

impl State {
    /// Counts something.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Writes a line of history.
    pub fn tell(&mut self, host: usize, what: std::fmt::Arguments<'_>) {
        let now = self.now;
        let _ = writeln!(self.history, "{:>12.6} h{host} {what}", now.since_start().as_secs_f64());
    }

    /// Something is to happen later.
    pub fn later(&mut self, wait: Duration, what: Later) {
        self.asked += 1;
        self.later.insert((self.now + wait, self.asked), what);
    }
}
