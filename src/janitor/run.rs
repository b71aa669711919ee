//! One run: inspect, wait a minute, inspect again, judge, and sweep what is due.
//!
//! Owns the order of things and the time that they may take: the first inspection gets what the second, the minute
//! between them and the sweep leave. A verdict is acted on for a minute; what was not done by then, or by the
//! end of the run's time, is the next run's. Decides nothing itself.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::clients::Clients;
use super::health::{self, Answered, Decision};
use super::options::RunOptions;
use super::reader::list::{List, wait_until};
use super::reader::tasks::RunningTask;
use super::reader::{Limit, Viewers, again, inspect};
use super::report::{Report, Standstill};
use super::rules::APART;
use super::summary::{Calls, Changes, HealthSummary, RunSummary, Seconds};
use super::suspects::Suspects;
use super::sweep::{Outcome, Sweep};
use super::time::Time;
use super::{Inspection, fleet, judge, prober, watch};
use crate::change::pacing::Purpose;
use crate::moment::Moment;
use crate::record::{Action, Change, Key};
use crate::zone::Zone;

/// How long a verdict is acted on.
const SWEEP_LIMIT: Duration = Duration::from_secs(60);
/// What the end of a run takes: the last call, and the report.
const END_RESERVE: Duration = Duration::from_secs(12);
/// What a second inspection takes: a large zone's list, and a few pages of what looked dead.
const SECOND_INSPECTION: Duration = Duration::from_secs(30);
/// How long a run may take where nobody says so.
const RUN_LIMIT: Duration = Duration::from_secs(300);

/// Makes one run, and sums it up.
pub async fn run(options: &RunOptions, clients: &Clients) -> (Report, RunSummary) {
    let time = Arc::clone(&clients.time);
    let began = time.now();
    let end = options.deadline.unwrap_or(began + RUN_LIMIT) - END_RESERVE;
    let mut list = List::new(options.pace);
    let seen = see(options, clients, &mut list, end).await;
    let now = time.now();
    let mut summary = RunSummary::new(clients.zone.name(), options.apply);
    if let Some(inspections) = &seen.inspections {
        summary.seconds = Seconds::of(inspections);
    }
    let report = match (seen.standstill, &seen.inspections) {
        (Some((standstill, inspection)), _) => Report::unjudged(standstill, &inspection),
        (None, Some([first, last])) => judge(clients.zone.name(), first, last, now),
        (None, None) => Report::unjudged(Standstill::OutOfOrder, &Inspection::default()),
    };
    let report = match options.deletes_max {
        Some(most) => report.at_most(most),
        None => report,
    };
    summary.skipped = list.crowded_out;
    summary.judged(&report);
    let decision = health::decide(&seen.probes, &report, &seen.tasks, SystemTime::now());
    if let (None, Some(inspections)) = (&report.standstill, &seen.inspections) {
        summary.hosts = fleet::hosts(&report, clients.zone.name());
        summary.unregistered = watch::unregistered(clients.zone.name(), inspections.each_ref(), &seen.tasks);
    }
    let others = others(&report, clients.zone.name(), summary.hosts, &decision);
    summary.others = others.iter().map(ToString::to_string).collect();
    let deletes = report.deletes().map(|set| Change { action: Action::Delete, set: set.clone() });
    let changes: Vec<Change> = deletes.chain(others).collect();
    let sweep_began = time.now();
    let until = end.min(now + SWEEP_LIMIT);
    summary.changes = Changes { due: changes.len(), left: changes.len(), ..Changes::default() };
    if options.apply {
        let outcomes = sweep(changes, &*clients.zone, &mut list, &*time, until, &mut summary.calls).await;
        summary.changes = Changes::of(outcomes, &report);
    }
    if let Some(health) = &options.health {
        let stops = health.stop && options.apply;
        summary.health = Some(stop(decision, &seen.probes, &seen.tasks, clients, stops).await);
    }
    summary.seconds.sweep = (time.now() - sweep_began).as_secs_f64();
    summary.seconds.total = (time.now() - began).as_secs_f64();
    summary.calls.add(&Calls {
        lists: list.calls,
        ecs: clients.account_regions.iter().map(|account_region| account_region.ecs.calls()).sum(),
        ec2: clients.account_regions.iter().map(|account_region| account_region.ec2.calls()).sum(),
        changes: 0,
    });
    (report, summary)
}

/// What a run saw.
#[derive(Default)]
struct SeenAll {
    inspections: Option<[Inspection; 2]>,
    /// Why there is nothing to judge, and the records that it is said of.
    standstill: Option<(Standstill, Inspection)>,
    tasks: Vec<RunningTask>,
    probes: Vec<Answered>,
}

impl SeenAll {
    fn still(standstill: Standstill, inspection: Inspection) -> Self {
        Self { standstill: Some((standstill, inspection)), ..Self::default() }
    }
}

async fn see(options: &RunOptions, clients: &Clients, list: &mut List, end: Moment) -> SeenAll {
    let Clients { zone, vpcs, account_regions, time, checker } = clients;
    let time = &**time;
    let until = end - (APART + SECOND_INSPECTION);
    if time.now() >= until {
        return SeenAll::still(Standstill::NoTime(end - time.now()), Inspection::default());
    }
    let limit = Limit { time, until };
    let viewers = Viewers { vpcs, said: &options.scope.home };
    let (first, seen) = inspect(&**zone, list, account_regions, &options.scope, viewers, limit).await;
    let missing = [&first.list.missing[..], &first.snapshot.missing[..]].concat();
    // Whatever a second inspection shows, there is no verdict without the first.
    if !missing.is_empty() {
        return SeenAll::still(Standstill::Incomplete(missing), first);
    }
    let wait = wait_until(time, first.snapshot.ended + APART);
    let probes = async {
        match &options.health {
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
    let last = again::inspect(
        &**zone,
        list,
        account_regions,
        &options.scope,
        &suspects,
        before,
        Limit { time, until: end },
    )
    .await;
    SeenAll { inspections: Some([first, last]), standstill: None, tasks: seen.tasks, probes }
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

/// Sends changes until all have an answer, or there is no time.
pub(super) async fn sweep(
    changes: Vec<Change>,
    zone: &dyn Zone,
    list: &mut List,
    time: &dyn Time,
    until: Moment,
    calls: &mut Calls,
) -> Vec<(Key, Outcome)> {
    let mut sweep = Sweep::new(changes);
    while let Some(batch) = sweep.next_batch() {
        let cost = batch.iter().map(crate::change::batch::cost).sum();
        let at = list.pacer.ready_at(time.now(), cost, Purpose::Withdraw);
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

/// Stops what is to be stopped, if it may be, and sums up health.
async fn stop(
    decision: Decision,
    probes: &[Answered],
    tasks: &[RunningTask],
    clients: &Clients,
    may_stop: bool,
) -> HealthSummary {
    let silent = decision.silent.iter().map(|(key, reason)| format!("{key}: {reason}")).collect();
    let mut summary = HealthSummary {
        asked: probes.len(),
        silent,
        distrusted: decision.distrusted,
        weights: decision.weights.len() / 2,
        ..HealthSummary::default()
    };
    for task in decision.stops.iter().filter_map(|&stop| tasks.get(stop)) {
        if !may_stop {
            summary.unhealthy.push(task.arn.clone());
            continue;
        }
        let Some(account_region) = clients.account_regions.get(task.account_region) else { continue };
        let reason = "ecssd janitor: no answer to the health check";
        match account_region.ecs.stop(&task.cluster, &task.arn, reason, &*clients.time).await {
            Ok(()) => summary.stopped.push(task.arn.clone()),
            Err(error) => {
                tracing::error!(
                    event = "task_not_stopped",
                    task = task.arn,
                    %error,
                    "a task could not be stopped"
                );
                summary.unhealthy.push(task.arn.clone());
            }
        }
    }
    summary
}
