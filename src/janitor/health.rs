//! What follows from targets that do not answer. Pure; opt-in.
//!
//! Health is no evidence of death, and deletes nothing. Where a live agent owns a record, weights are that
//! agent's business: it is reported, and where an operator says so, the task is stopped. The predecessor's
//! agents know no health: their records go to weight 0, and back when they answer again.
//!
//! # What holds it back
//!
//! - With over half of all targets silent, it is the prober that is broken.
//! - With all targets of a service silent, stopping some helps nobody, and a name that is all at weight 0 is
//!   served as if none were.
//! - One task of a service in a run, and none that was started just now.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, SystemTime};

use super::entry::{About, Entry, named_address};
use super::reader::tasks::RunningTask;
use super::report::{Kept, Report, Verdict};
use crate::record::{Action, Change, ContainerId, Key, RecordSet, RecordType, Routing};

/// A task gets so long from its start until it has to answer.
pub const START_GRACE: Duration = Duration::from_secs(300);

/// A target that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Its record.
    pub set: RecordSet,
    /// Whose.
    pub container: ContainerId,
    /// Whether the predecessor wrote it.
    pub legacy: bool,
    /// Where it is asked.
    pub address: SocketAddrV4,
}

/// Why a target does not serve, as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

/// A target, and what it answered.
pub type Answered = (Probed, Result<(), NoAnswer>);

/// The targets of a list that speak TCP, and whose address is in it or in their name.
pub fn targets(list: &[RecordSet], zone: &str) -> Vec<Probed> {
    let addresses: BTreeMap<&str, Ipv4Addr> = list
        .iter()
        .filter(|set| set.kind == RecordType::A && Entry::read(set, zone).is_ok())
        .filter_map(|set| Some((set.name.as_str(), set.values.first()?.parse().ok()?)))
        .collect();
    let probed = |set: &RecordSet| {
        let entry = Entry::read(set, zone).ok()?;
        let (container, legacy) = match &entry.about {
            About::Service(id, _) => (id.clone(), false),
            About::Legacy(id, _) => (id.clone(), true),
            About::Host(_) | About::Task(_) | About::ServiceAddress(_) => return None,
        };
        if set.name.contains("._udp.") {
            return None;
        }
        let srv = set.srv_values().next()?;
        let of_host = entry.host.name_in(zone);
        let by_name = addresses.get(srv.target.as_str()).copied();
        // The predecessor's targets are names of EC2's own, or bare ones.
        let by_host = || named_address(&entry.host).or_else(|| addresses.get(of_host.as_str()).copied());
        let address = by_name.or_else(|| by_host().filter(|_| legacy))?;
        Some(Probed { set: set.clone(), container, legacy, address: SocketAddrV4::new(address, srv.port) })
    };
    let mut targets: Vec<Probed> = list.iter().filter_map(probed).collect();
    // A copy that has a weighted name and a full one is one target.
    let of = |probed: &Probed| (probed.container.clone(), probed.address);
    let is_weighted = |probed: &Probed| probed.set.weight().is_some();
    let weighted: BTreeSet<_> = targets.iter().filter(|probed| is_weighted(probed)).map(of).collect();
    targets.retain(|probed| is_weighted(probed) || !weighted.contains(&of(probed)));
    targets
}

/// What is to be done about health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Targets that do not answer, and why.
    pub silent: Vec<(Key, NoAnswer)>,
    /// Why nothing follows from that, if so.
    pub distrusted: bool,
    /// Records of the predecessor that get another weight, each change a swap.
    pub weights: Vec<Change>,
    /// Tasks to stop, by their place among the first inspection's tasks.
    pub stops: Vec<usize>,
}

/// Decides, by the probes of this run and the verdict on the same records.
pub fn decide(probes: &[Answered], report: &Report, tasks: &[RunningTask], now: SystemTime) -> Decision {
    let mut decision = Decision::default();
    // What is dead needs no answer, and what was changed is in somebody's hands.
    let lives: HashSet<&RecordSet> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::Keep(kept) if kept != Kept::Unjudged))
        .map(|finding| &finding.set)
        .collect();
    let probes: Vec<_> = probes.iter().filter(|(probed, _)| lives.contains(&probed.set)).collect();
    let silent = |(probed, answer): &&Answered| Some((probed.set.key(), answer.as_ref().err()?.clone()));
    decision.silent = probes.iter().filter_map(silent).collect();
    decision.distrusted = decision.silent.len() * 2 > probes.len();
    if decision.distrusted || report.is_distrusted() {
        return decision;
    }
    let mut services: BTreeMap<&str, Vec<&Answered>> = BTreeMap::new();
    for probe in probes {
        services.entry(&probe.0.set.name).or_default().push(probe);
    }
    for probes in services.values() {
        let all_silent = probes.iter().all(|(_, answer)| answer.is_err());
        for (probed, answer) in probes.iter().filter(|(probed, _)| probed.legacy) {
            match (answer, probed.set.weight()) {
                (Ok(()), Some(0)) => decision.weights.extend(swap(&probed.set, 1)),
                (Err(_), Some(1..)) if !all_silent => decision.weights.extend(swap(&probed.set, 0)),
                _ => {}
            }
        }
        if !all_silent {
            let silent = probes.iter().filter(|(probed, answer)| !probed.legacy && answer.is_err());
            let mut stoppable = silent.filter_map(|(probed, _)| task_of(&probed.container, tasks, now));
            decision.stops.extend(stoppable.next());
        }
    }
    decision.stops.sort_unstable();
    decision.stops.dedup();
    decision
}

/// The task of a container that has run long enough.
fn task_of(container: &ContainerId, tasks: &[RunningTask], now: SystemTime) -> Option<usize> {
    tasks.iter().position(|task| {
        let age = task.started.and_then(|started| now.duration_since(started).ok());
        age.is_some_and(|age| age >= START_GRACE) && task.containers.iter().any(|(id, _)| id == container)
    })
}

/// The same record with another weight: not if it is another record by now.
fn swap(set: &RecordSet, weight: i64) -> [Change; 2] {
    let new = RecordSet { routing: Routing::Weighted(weight), ..set.clone() };
    [Change { action: Action::Delete, set: set.clone() }, Change { action: Action::Create, set: new }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::convention::Protocol;
    use crate::janitor::Finding;
    use crate::janitor::reader::tasks::RunningTask;
    use crate::record::Owner;
    use crate::record::testing::{id, registrant};

    const ZONE: &str = "sd.internal";
    const HOST: &str = "i-0123456789abcdef0";

    /// A record of ours, or with a host of the predecessor, of the service `name`.
    fn record(name: &str, n: u64, legacy: bool) -> RecordSet {
        let (mark, target) = match legacy {
            true => (format!("ip-10-0-0-7.ec2.internal:{}", id(n)), "ip-10-0-0-7.ec2.internal".to_owned()),
            false => (format!("{HOST}:{}:80", id(n)), format!("{HOST}.{ZONE}")),
        };
        RecordSet {
            name: format!("{name}.{ZONE}"),
            kind: RecordType::Srv,
            set_identifier: Some(mark),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec![format!("1 1 {} {target}", 32_000 + n)],
        }
    }

    fn tasks(n: u64, age: Duration) -> Vec<RunningTask> {
        let task = |n: u64| RunningTask {
            account_region: 0,
            cluster: "c".into(),
            arn: format!("t{n}"),
            host: Some(Owner::new(HOST).unwrap()),
            started: Some(now() - age),
            containers: vec![(id(n), vec![("_web._tcp.sd.internal".into(), Protocol::Tcp)])],
        };
        (0..n).map(task).collect()
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)
    }

    fn decided(sets: &[RecordSet], silent: &[usize], tasks: &[RunningTask]) -> Decision {
        let mut list = sets.to_vec();
        list.push(registrant(HOST).host_record());
        let probed = targets(&list, ZONE);
        assert_eq!(probed.len(), sets.len());
        let answer =
            |(n, probed)| (probed, if silent.contains(&n) { Err(NoAnswer("no".into())) } else { Ok(()) });
        let probes: Vec<_> = probed.into_iter().enumerate().map(answer).collect();
        let finding = |set: RecordSet| Finding { set, verdict: Verdict::Keep(Kept::Runs) };
        let report = Report {
            standstill: None,
            doubt: None,
            blind: None,
            findings: list.into_iter().map(finding).collect(),
        };
        decide(&probes, &report, tasks, now())
    }

    fn web(n: u64) -> Vec<RecordSet> {
        (0..n).map(|n| record("_web._tcp", n, false)).collect()
    }

    #[test]
    fn asks_where_clients_are_led_and_no_udp() {
        let mut list =
            vec![record("_web._tcp", 1, false), record("_web._tcp", 2, true), record("_dns._udp", 3, false)];
        list.push(registrant(HOST).host_record());
        let addresses: Vec<String> =
            targets(&list, ZONE).iter().map(|probed| probed.address.to_string()).collect();
        assert_eq!(addresses, ["10.0.0.7:32001", "10.0.0.7:32002"]);
    }

    #[test]
    fn stops_one_task_of_a_service_and_none_that_was_just_started() {
        let tasks_of_old = tasks(8, START_GRACE);
        let decision = decided(&web(8), &[1, 2], &tasks_of_old);
        assert_eq!((decision.silent.len(), decision.stops), (2, vec![1]));
        assert_eq!(decided(&web(8), &[1], &tasks(8, Duration::from_secs(299))).stops, [0; 0]);
    }

    #[test]
    fn stops_nothing_where_all_of_a_service_is_silent() {
        let mut sets = web(3);
        sets.extend((10..20).map(|n| record("_api._tcp", n, false)));
        let decision = decided(&sets, &[0, 1, 2], &tasks(20, START_GRACE));
        assert_eq!((decision.silent.len(), decision.stops.len(), decision.distrusted), (3, 0, false));
    }

    /// What stopped every task of the predecessor's users: no route from the Lambda to the hosts.
    #[test]
    fn fault_23_a_prober_that_reaches_nobody_stops_nobody() {
        let tasks = tasks(20, START_GRACE);
        for silent in [11, 20] {
            let decision = decided(&web(20), &(0..silent).collect::<Vec<_>>(), &tasks);
            assert!(decision.distrusted && decision.stops.is_empty() && decision.weights.is_empty());
        }
        assert_eq!(decided(&web(20), &(0..10).collect::<Vec<_>>(), &tasks).stops.len(), 1);
    }

    #[test]
    fn weighs_the_predecessors_records_and_never_a_whole_service() {
        let mut sets: Vec<_> = (0..4).map(|n| record("time", n, true)).collect();
        let decision = decided(&sets, &[3], &Vec::new());
        let weights: Vec<_> =
            decision.weights.iter().map(|change| (change.action, change.set.weight())).collect();
        assert_eq!(weights, [(Action::Delete, Some(1)), (Action::Create, Some(0))]);
        assert_eq!(decision.stops, [0; 0]);
        sets[3].routing = Routing::Weighted(0);
        let back = decided(&sets, &[], &Vec::new());
        assert_eq!(back.weights[1].set.weight(), Some(1));
        sets.push(record("calc", 9, true));
        assert_eq!(decided(&sets, &[4], &Vec::new()).weights.len(), 2, "the last of calc is weighed");
    }

    #[test]
    fn what_is_dead_is_not_asked_to_answer() {
        let sets = web(2);
        let probes: Vec<_> = targets(&[sets.clone(), vec![registrant(HOST).host_record()]].concat(), ZONE)
            .into_iter()
            .map(|probed| (probed, Err(NoAnswer("no".to_owned()))))
            .collect();
        let dead = Verdict::Delete(super::super::report::Death::HostTerminated);
        let findings = sets.into_iter().map(|set| Finding { set, verdict: dead }).collect();
        let decision = decide(
            &probes,
            &Report { standstill: None, doubt: None, blind: None, findings },
            &tasks(2, START_GRACE),
            now(),
        );
        assert_eq!(decision.silent, []);
    }
}
