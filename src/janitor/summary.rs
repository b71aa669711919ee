//! What a run did, for machines: one JSON object, and a line of metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::json;

use super::Inspection;
use super::report::{Death, Finding, Report, Verdict};
use super::sweep::Outcome;
use super::watch::Unregistered;
use crate::record::Key;

/// A Lambda's log takes 256 kB a line, its answer little more.
const OUT_OF_SIGHT_MAX: usize = 200;
/// The namespace of the metrics.
const NAMESPACE: &str = "ecssd/janitor";

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunSummary {
    /// The zone.
    pub zone: String,
    /// Whether it was to write.
    pub apply: bool,
    /// Whether the account's rate had no room for it.
    pub skipped: bool,
    /// Why nothing was deleted, if so.
    pub standstill: Option<String>,
    /// Why nothing was deleted by absence, if something waits for that.
    pub doubt: Option<String>,
    /// Why all is kept whose host EC2 does not show, if something is.
    pub blind: Option<String>,
    /// How many records the zone has.
    pub records: usize,
    /// How many of them came to what, and why.
    pub verdicts: BTreeMap<&'static str, BTreeMap<String, usize>>,
    /// Hosts that could not be seen, and were kept.
    pub hosts_out_of_sight: usize,
    /// How many records each of them has; of the first 200.
    pub out_of_sight: BTreeMap<String, usize>,
    /// Hosts that register in the zone.
    pub hosts: usize,
    /// What is due beside deletes, change by change.
    pub others: Vec<String>,
    /// What became of the changes.
    pub changes: Changes,
    /// What targets answered, where they were asked.
    pub health: Option<HealthSummary>,
    /// Running tasks that ask for a record and have none, by host.
    pub unregistered: Unregistered,
    /// How much was asked.
    pub calls: Calls,
    /// How long it took.
    pub seconds: Seconds,
}

/// What became of the changes that were due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// All of them: deletes, and what the zone says of the fleet and of weights.
    pub due: usize,
    /// Made.
    pub made: usize,
    /// Records that were gone already.
    pub gone: usize,
    /// Records that were written anew since they were read.
    pub touched: usize,
    /// Not made for want of time; or perhaps made, without an answer.
    pub left: usize,
    /// Not taken, each with the reason.
    pub refused: Vec<String>,
}

/// Requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Pages of the zone.
    pub lists: usize,
    /// Batches.
    pub changes: usize,
    /// Of ECS.
    pub ecs: usize,
    /// Of EC2.
    pub ec2: usize,
}

/// Durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// The first inspection.
    pub first_inspection: f64,
    /// The second.
    pub last_inspection: f64,
    /// The sweep.
    pub sweep: f64,
    /// All of it, the wait between the inspections too.
    pub total: f64,
}

/// What became of health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HealthSummary {
    /// How many targets were asked.
    pub asked: usize,
    /// Those that did not answer, each with the reason.
    pub silent: Vec<String>,
    /// Whether so many did not that the prober is not believed.
    pub distrusted: bool,
    /// Records of the predecessor whose weight was due to be changed.
    pub weights: usize,
    /// Tasks that should be stopped, and were not.
    pub unhealthy: Vec<String>,
    /// Tasks that were.
    pub stopped: Vec<String>,
}

impl Changes {
    /// Sums up what became of all that was due, and logs it record by record.
    pub(super) fn of(outcomes: Vec<(Key, Outcome)>, report: &Report) -> Self {
        let death = |finding: &Finding| match finding.verdict {
            Verdict::Delete(death) => Some((finding.set.key(), death)),
            _ => None,
        };
        let deaths: BTreeMap<Key, Death> = report.findings.iter().filter_map(death).collect();
        let mut changes = Self { due: outcomes.len(), ..Self::default() };
        for (key, outcome) in outcomes {
            match (outcome, deaths.get(&key)) {
                (Outcome::Made, Some(reason)) => {
                    tracing::info!(event = "record_deleted", record = %key, %reason, "deleted");
                    changes.made += 1;
                }
                (Outcome::Made, None) => {
                    tracing::info!(event = "record_changed", record = %key, "changed");
                    changes.made += 1;
                }
                (Outcome::Gone, _) => changes.gone += 1,
                (Outcome::Touched, _) => {
                    tracing::info!(event = "record_touched", record = %key, "the record was written again since it was read: left alone");
                    changes.touched += 1;
                }
                (Outcome::Left, _) => changes.left += 1,
                (Outcome::Refused(reason), _) => {
                    tracing::error!(event = "record_refused", record = %key, reason, "the zone refused to delete the record");
                    changes.refused.push(format!("{key}: {reason}"));
                }
            }
        }
        changes
    }
}

impl Calls {
    pub(super) fn add(&mut self, other: &Self) {
        self.lists += other.lists;
        self.changes += other.changes;
        self.ecs += other.ecs;
        self.ec2 += other.ec2;
    }
}

impl Seconds {
    pub(super) fn of([first, last]: &[Inspection; 2]) -> Self {
        let took = |it: &Inspection| (it.snapshot.ended - it.list.began).as_secs_f64();
        Self { first_inspection: took(first), last_inspection: took(last), ..Self::default() }
    }
}

impl RunSummary {
    pub(super) fn new(zone: &str, apply: bool) -> Self {
        Self { zone: zone.to_owned(), apply, ..Self::default() }
    }

    /// Of a run that was left to others.
    pub(super) fn of_skipped(zone: &str, apply: bool, reason: &str) -> Self {
        Self { skipped: true, standstill: Some(reason.to_owned()), ..Self::new(zone, apply) }
    }

    /// Of a run that had nothing to read with.
    pub(super) fn of_unread(zone: &str, apply: bool, reason: &str) -> Self {
        Self { standstill: Some(reason.to_owned()), ..Self::new(zone, apply) }
    }

    pub(super) fn judged(&mut self, report: &Report) {
        self.standstill = report.standstill.as_ref().map(ToString::to_string);
        self.doubt = report.doubt.as_ref().map(ToString::to_string);
        self.blind = report.blind.as_ref().map(ToString::to_string);
        self.records = report.findings.len();
        for (verdict, count) in report.counts() {
            let (word, reason) = match verdict {
                Verdict::Keep(kept) => ("keep", format!("{kept:?}")),
                Verdict::Wait(death, held) => ("wait", format!("{death:?}, {held:?}")),
                Verdict::Delete(death) => ("delete", format!("{death:?}")),
            };
            *self.verdicts.entry(word).or_default().entry(reason).or_default() += count;
        }
        let hosts = report.out_of_sight(&self.zone);
        self.hosts_out_of_sight = hosts.len();
        let named = hosts.into_iter().map(|(host, records)| (host.to_string(), records));
        self.out_of_sight = named.take(OUT_OF_SIGHT_MAX).collect();
    }

    /// How many records came to `verdict`.
    pub fn verdicts_of(&self, verdict: &str) -> usize {
        self.verdicts.get(verdict).map(|reasons| reasons.values().sum()).unwrap_or_default()
    }

    /// Whether all that was to be done is done: nothing stood still or waits in doubt, and nothing is left or
    /// refused.
    pub fn is_done(&self) -> bool {
        let left = self.apply && (self.changes.left > 0 || !self.changes.refused.is_empty());
        self.standstill.is_none() && self.doubt.is_none() && !left
    }

    /// A line in the format that CloudWatch turns into metrics. Of a run that stood still, no number of what it did
    /// not see: a zero would clear an alarm.
    /// Source: CloudWatch user guide, "Specification: Embedded metric format".
    pub fn metrics(&self, now: SystemTime) -> serde_json::Value {
        let silent = self.health.as_ref().map(|health| health.silent.len());
        let stopped = self.health.as_ref().map(|health| health.stopped.len());
        let standstill = usize::from(self.standstill.is_some());
        let unregistered: usize = self.unregistered.values().map(BTreeSet::len).sum();
        let counts = [
            ("Records", Some(self.records)),
            ("Hosts", Some(self.hosts)),
            ("HostsOutOfSight", Some(self.hosts_out_of_sight)),
            ("Dead", Some(self.verdicts_of("delete") + self.verdicts_of("wait"))),
            ("Waiting", Some(self.verdicts_of("wait"))),
            ("ChangesMade", Some(self.changes.made)),
            ("ChangesLeft", Some(self.changes.left)),
            ("ChangesTouched", Some(self.changes.touched)),
            ("ChangesRefused", Some(self.changes.refused.len())),
            ("Standstill", Some(standstill)),
            ("Doubt", Some(usize::from(self.doubt.is_some()))),
            ("Unregistered", Some(unregistered)),
            ("Route53Calls", Some(self.calls.lists + self.calls.changes)),
            ("TargetsSilent", silent),
            ("TasksStopped", stopped),
        ];
        let always = ["Standstill", "Route53Calls"];
        let is_seen = |name: &str| self.standstill.is_none() || always.contains(&name);
        let counts = counts.into_iter().filter(|(name, _)| is_seen(name));
        let counts = counts.filter_map(|(name, count)| Some((name, count?)));
        let (mut names, mut line) = (Vec::new(), serde_json::Map::new());
        for (name, count) in counts {
            names.push(json!({"Name": name, "Unit": "Count"}));
            line.insert(name.to_owned(), json!(count));
        }
        names.push(json!({"Name": "Duration", "Unit": "Seconds"}));
        line.insert("Duration".to_owned(), json!(self.seconds.total));
        line.insert("Zone".to_owned(), json!(self.zone));
        let millis = now.duration_since(UNIX_EPOCH).map(|since| since.as_millis()).unwrap_or_default();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let metrics = json!([{"Namespace": NAMESPACE, "Dimensions": [["Zone"]], "Metrics": names}]);
        line.insert("_aws".to_owned(), json!({"Timestamp": millis, "CloudWatchMetrics": metrics}));
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_named_is_there() {
        let mut summary = RunSummary::new("sd.internal", true);
        for health in [None, Some(HealthSummary::default())] {
            summary.health = health;
            let line = summary.metrics(UNIX_EPOCH + std::time::Duration::from_millis(1_500));
            assert_eq!(line["_aws"]["Timestamp"], 1_500);
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((12..=100).contains(&metrics.len()));
            assert!(metrics.iter().all(|metric| line[metric["Name"].as_str().unwrap()].is_number()));
            let dimension = directive["Dimensions"][0][0].as_str().unwrap();
            assert_eq!(line[dimension], "sd.internal");
        }
    }

    /// Zeros would clear the alarms of a run that did not look.
    #[test]
    fn a_run_that_stood_still_says_so_and_tells_no_number_of_what_it_did_not_see() {
        let summary = RunSummary::of_unread("sd.internal", true, "no credentials");
        let line = summary.metrics(UNIX_EPOCH);
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        let names: Vec<_> = metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Standstill", "Route53Calls", "Duration"]);
        assert_eq!((&line["Standstill"], line.get("Records")), (&json!(1), None));
    }
}
