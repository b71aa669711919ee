//! One run of a scenario, from its start to the peace after it.

use std::collections::BTreeMap;
use std::time::Duration;

use tracing_subscriber::layer::SubscriberExt;

use super::court::Violation;
use super::log::Log;
use super::mutant::Mutant;
use super::scenario::{Scenario, What};
use super::supervisor::supervise;
use super::world::World;
use ecssd::moment::Moment;

/// How long the faults have been over before the zone is looked at: a start too many is held for five minutes,
/// a signal is believed for as long as the longest stop timeout here.
const CALM: Duration = Duration::from_secs(440);
/// What a resync varies by, and what a registry, a refused change and an agent may take beside it.
const RESYNC_AT_MOST: f64 = 1.25;
const SLACK: Duration = Duration::from_secs(1_200);
/// How often the zone is looked at while it is not yet what it should be.
const LOOK: Duration = Duration::from_secs(30);

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub violation: Option<Violation>,
    pub history: String,
    pub counts: BTreeMap<&'static str, u64>,
    pub steps: BTreeMap<String, u64>,
    pub simulated: Duration,
}

impl Outcome {
    /// All that was delivered to agents, or happened to them.
    pub fn events(&self) -> u64 {
        const EVENTS: [&str; 7] =
            ["Docker event", "look", "list", "probe", "change call", "list of records", "operation"];
        EVENTS.iter().filter_map(|what| self.counts.get(what)).sum()
    }
}

/// Runs a scenario on a clock of its own.
pub fn run(scenario: &Scenario, mutant: Mutant) -> Outcome {
    let log = Log::default();
    // For whoever looks for a bug: what the agents log.
    let aloud = std::env::var_os("ECSSD_SIMULATE_ALOUD").map(|_| {
        tracing_subscriber::fmt::layer()
            .without_time()
            .with_ansi(false)
            .with_target(false)
            .with_writer(std::io::stderr)
    });
    let _logging =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()).with(aloud));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime on this thread");
    let (world, simulated) = runtime.block_on(async {
        let world = live(scenario, mutant, &log).await;
        let simulated = world.lock().now.since_start();
        (world, simulated)
    });
    // Agents end here, wherever they are.
    drop(runtime);
    let state = world.lock();
    Outcome {
        violation: state.court.verdict().cloned(),
        history: state.history.clone(),
        counts: state.counts.clone(),
        steps: log.noted().steps.clone(),
        simulated,
    }
}

async fn live(scenario: &Scenario, mutant: Mutant, log: &Log) -> World {
    let world = World::new(scenario, mutant, log.clone());
    for host in 0..scenario.hosts {
        tokio::spawn(supervise(world.clone(), host));
    }
    for operation in &scenario.operations {
        reach(&world, operation.time()).await;
        let what = operation.what;
        if !operate(&world, operation.host, what) {
            return world.clone();
        }
        match what {
            What::Lag { ms } => {
                let lag = Duration::from_millis(ms.into());
                world.lock().stood_still += lag;
                tokio::time::advance(lag).await;
            }
            What::Panic { line, times } => log.panic_at(line, times),
            _ => {}
        }
    }
    make_peace(&world, scenario, log).await;
    world
}

/// Does one thing, unless all is over.
fn operate(world: &World, host: usize, what: What) -> bool {
    let mut state = world.lock();
    let goes_on = state.court.verdict().is_none();
    if goes_on {
        state.count("operation");
        state.count(what.kind());
        state.tell(host, format_args!("{what:?}"));
        state.operate(host, what);
    }
    goes_on
}

/// Lets time pass until then, and does what is due meanwhile.
pub async fn reach(world: &World, until: Moment) {
    loop {
        let next = {
            let mut state = world.lock();
            state.run_due();
            if state.now >= until || state.court.verdict().is_some() {
                return;
            }
            state.later.keys().next().map_or(until, |(at, _)| *at).min(until)
        };
        world.sleep_until(next).await;
    }
}

async fn make_peace(world: &World, scenario: &Scenario, log: &Log) {
    log.heal();
    let began = {
        let mut state = world.lock();
        state.tell(0, format_args!("the faults are over"));
        state.account.down_until = Moment::START;
        state.account.noisy_until = Moment::START;
        state.account.poisoned.clear();
        state.account.denied.clear();
        let now = state.now;
        state.hosts.iter_mut().for_each(|host| host.heal(now));
        (0..state.hosts.len()).for_each(|host| state.call_off(host));
        // Whoever could not remove what is of another name tries it again.
        (0..state.hosts.len()).for_each(|host| state.tries_again(host));
        state.now
    };
    let resync = Duration::from_secs(scenario.resync_minutes * 60);
    let end = began + CALM.max(resync.mul_f64(RESYNC_AT_MOST)) + SLACK;
    let mut at = began + CALM;
    loop {
        reach(world, at).await;
        let mut state = world.lock();
        if state.court.verdict().is_some() || state.unrest().is_none() {
            state.court_peace();
            return;
        }
        if at >= end {
            state.court_peace();
            return;
        }
        // Hosts that ended are the janitor's.
        state.janitor_looks();
        at += LOOK;
    }
}
