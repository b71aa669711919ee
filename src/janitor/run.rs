//! One run: look, wait a minute, look again, judge, and sweep what is due.
//!
//! Owns the order of things and the time that they may take: the first look gets what the second, the minute
//! between them and the sweep leave. A verdict is acted on for a minute; what was not done by then, or by the
//! end of the run's time, is the next run's. Decides nothing itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::account::{Account, Calls, Changes, HealthAccount, Seconds};
use super::health::{self, Answered, Decision};
use super::reader::list::{List, wait_until};
use super::reader::tasks::RunningTask;
use super::reader::{Limit, Scope, Territory, again, look};
use super::report::{Report, Standstill};
use super::rules::APART;
use super::suspects::Suspects;
use super::sweep::{Fate, Sweep};
use super::time::Time;
use super::{Look, fleet, judge, prober, watch};
use crate::change::pacing::Pace;
use crate::edge::check::Checker;
use crate::record::{Action, Change, Key};
use crate::zone::Zone;

/// How long a verdict is acted on.
const SWEEP_LIMIT: Duration = Duration::from_secs(60);
/// What the end of a run takes: the last call, and the report.
const END_RESERVE: Duration = Duration::from_secs(12);
/// What a second look takes: a large zone's list, and a few pages of what looked dead.
const SECOND_LOOK: Duration = Duration::from_secs(30);
/// How long a run may take where nobody says so.
const RUN_LIMIT: Duration = Duration::from_secs(300);

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// What to read.
    pub scope: Scope,
    /// Whether to write.
    pub apply: bool,
    /// At most so many deletes, beside all caps.
    pub deletes_max: Option<usize>,
    /// Of calls to Route 53.
    pub pace: Pace,
    /// Whether to ask targets.
    pub health: Option<Health>,
    /// When it has to be over, by the run's time.
    pub deadline: Option<Duration>,
}

/// What to ask targets, and what may follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The path of the GET.
    pub path: String,
    /// Whether tasks may be stopped.
    pub stop: bool,
}

/// What a run has to do with.
pub struct World {
    /// The zone.
    pub zone: Arc<dyn Zone>,
    /// The VPCs that use it, by id, where that is known.
    pub vpcs: Option<BTreeSet<String>>,
    /// Accounts and regions.
    pub territories: Vec<Territory>,
    /// Asks targets.
    pub checker: Arc<dyn Checker>,
    /// The time.
    pub time: Arc<dyn Time>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("territories", &self.territories).finish_non_exhaustive()
    }
}

/// Makes one run, and accounts for it.
pub async fn run(order: &Order, world: &mut World) -> (Report, Account) {
    let time = Arc::clone(&world.time);
    let began = time.now();
    let end = order.deadline.unwrap_or(began + RUN_LIMIT).saturating_sub(END_RESERVE);
    let mut list = List::new(order.pace);
    let seen = see(order, world, &mut list, end).await;
    let now = time.now();
    let mut account = Account::new(world.zone.name(), order.apply);
    if let Some(looks) = &seen.looks {
        account.seconds = Seconds::of(looks);
    }
    let report = match (seen.standstill, &seen.looks) {
        (Some((standstill, look)), _) => Report::unjudged(standstill, &look),
        (None, Some([first, last])) => judge(world.zone.name(), first, last, now),
        (None, None) => Report::unjudged(Standstill::OutOfOrder, &Look::default()),
    };
    let report = match order.deletes_max {
        Some(most) => report.at_most(most),
        None => report,
    };
    account.skipped = list.crowded_out;
    account.judged(&report);
    let decision = health::decide(&seen.probes, &report, &seen.tasks, SystemTime::now());
    if let (None, Some(looks)) = (&report.standstill, &seen.looks) {
        account.hosts = fleet::hosts(&report, world.zone.name());
        account.unregistered = watch::unregistered(world.zone.name(), looks.each_ref(), &seen.tasks);
    }
    let others = others(&report, world.zone.name(), account.hosts, &decision);
    account.others = others.iter().map(ToString::to_string).collect();
    let deletes = report.deletes().map(|set| Change { action: Action::Delete, set: set.clone() });
    let changes: Vec<Change> = deletes.chain(others).collect();
    let sweep_began = time.now();
    let until = end.min(now + SWEEP_LIMIT);
    account.changes = Changes { due: changes.len(), left: changes.len(), ..Changes::default() };
    if order.apply {
        let fates = sweep(changes, &*world.zone, &mut list, &*time, until, &mut account.calls).await;
        account.changes = Changes::of(fates, &report);
    }
    if let Some(health) = &order.health {
        let stops = health.stop && order.apply;
        account.health = Some(stop(decision, &seen.probes, &seen.tasks, world, stops).await);
    }
    account.seconds.sweep = (time.now() - sweep_began).as_secs_f64();
    account.seconds.total = (time.now() - began).as_secs_f64();
    account.calls.add(&Calls {
        lists: list.calls,
        ecs: world.territories.iter().map(|territory| territory.ecs.calls()).sum(),
        ec2: world.territories.iter().map(|territory| territory.ec2.calls()).sum(),
        changes: 0,
    });
    (report, account)
}

/// What a run saw.
#[derive(Default)]
struct SeenAll {
    looks: Option<[Look; 2]>,
    /// Why there is nothing to judge, and the records that it is said of.
    standstill: Option<(Standstill, Look)>,
    tasks: Vec<RunningTask>,
    probes: Vec<Answered>,
}

impl SeenAll {
    fn still(standstill: Standstill, look: Look) -> Self {
        Self { standstill: Some((standstill, look)), ..Self::default() }
    }
}

async fn see(order: &Order, world: &mut World, list: &mut List, end: Duration) -> SeenAll {
    let World { zone, vpcs, territories, time, checker } = world;
    let time = &**time;
    let until = end.saturating_sub(APART + SECOND_LOOK);
    if time.now() >= until {
        return SeenAll::still(Standstill::NoTime(end.saturating_sub(time.now())), Look::default());
    }
    let limit = Limit { time, until };
    let (first, seen) = look(&**zone, list, territories, &order.scope, vpcs.as_ref(), limit).await;
    let missing = [&first.list.missing[..], &first.snapshot.missing[..]].concat();
    // Whatever a second look shows, there is no verdict without the first.
    if !missing.is_empty() {
        return SeenAll::still(Standstill::Incomplete(missing), first);
    }
    let wait = wait_until(time, first.snapshot.ended + APART);
    let probes = async {
        match &order.health {
            Some(health) => {
                let targets = health::targets(&first.list.what, zone.name());
                prober::ask_all(&**checker, targets, &health.path).await
            }
            None => Vec::new(),
        }
    };
    let ((), probes) = tokio::join!(wait, probes);
    let suspects = Suspects::of(zone.name(), &first);
    let before = (&first.snapshot.what, &seen);
    let last = again::look(&**zone, list, territories, &suspects, before, Limit { time, until: end }).await;
    SeenAll { looks: Some([first, last]), standstill: None, tasks: seen.tasks, probes }
}

/// What is due beside deletes.
fn others(report: &Report, zone: &str, hosts: usize, decision: &Decision) -> Vec<Change> {
    if report.is_distrusted() {
        return Vec::new();
    }
    let mut others = fleet::changes(report, zone, hosts);
    others.extend(decision.weights.iter().cloned());
    others
}

async fn sweep(
    changes: Vec<Change>,
    zone: &dyn Zone,
    list: &mut List,
    time: &dyn Time,
    until: Duration,
    calls: &mut Calls,
) -> Vec<(Key, Fate)> {
    let mut sweep = Sweep::new(changes);
    while let Some(batch) = sweep.next_batch() {
        let cost = batch.iter().map(crate::change::batch::cost).sum();
        let at = list.pacer.ready_at(time.now(), cost, true);
        if at > until {
            break;
        }
        wait_until(time, at).await;
        list.pacer.on_call(time.now(), cost);
        calls.changes += 1;
        let answer = zone.change(&batch).await;
        let answer = answer.as_ref().map(|_| ());
        if let Err(error) = answer {
            tracing::warn!(event = "batch_refused", %error, changes = batch.len(), "the zone refused a batch of deletes");
        }
        list.pacer.on_answer(time.now(), answer, fastrand::f64());
        sweep.answered(answer);
    }
    sweep.end()
}

/// Stops what is to be stopped, if it may be, and accounts for health.
async fn stop(
    decision: Decision,
    probes: &[Answered],
    tasks: &[RunningTask],
    world: &mut World,
    may_stop: bool,
) -> HealthAccount {
    let silent = decision.silent.iter().map(|(key, reason)| format!("{key}: {reason}")).collect();
    let mut account = HealthAccount {
        asked: probes.len(),
        silent,
        distrusted: decision.distrusted,
        weights: decision.weights.len() / 2,
        ..HealthAccount::default()
    };
    for task in decision.stops.iter().filter_map(|&stop| tasks.get(stop)) {
        if !may_stop {
            account.unhealthy.push(task.arn.clone());
            continue;
        }
        let Some(territory) = world.territories.get(task.territory) else { continue };
        let reason = "ecssd janitor: no answer to the health check";
        match territory.ecs.stop(&task.cluster, &task.arn, reason, &*world.time).await {
            Ok(()) => account.stopped.push(task.arn.clone()),
            Err(error) => {
                tracing::error!(
                    event = "task_not_stopped",
                    task = task.arn,
                    error,
                    "a task could not be stopped"
                );
                account.unhealthy.push(task.arn.clone());
            }
        }
    }
    account
}
