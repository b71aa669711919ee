//! What nobody else sees: tasks that run and ask for a record, and have none. A host whose agent is dead looks
//! like this. Pure.
//!
//! A task counts that ran at the first inspection, and of which neither list has a record: by the second, a minute
//! later, its agent has registered it.

use std::collections::{BTreeMap, BTreeSet};

use super::Inspection;
use super::entry::Entry;
use super::evidence::InstanceState;
use super::reader::tasks::RunningTask;
use crate::record::{ContainerId, Owner, RecordSet};

/// What has no record, by host.
pub type Unregistered = BTreeMap<String, BTreeSet<String>>;

/// Full names that containers of `tasks` ask for, and that neither list has of them. A host that does not run
/// has no agent to ask after.
pub fn unregistered(zone: &str, [first, last]: [&Inspection; 2], tasks: &[RunningTask]) -> Unregistered {
    let hosts = &first.snapshot.what.hosts;
    let lists = first.list.what.iter().chain(&last.list.what);
    let registered: BTreeSet<(ContainerId, String)> = lists.filter_map(|set| registered(set, zone)).collect();
    let mut unregistered = Unregistered::new();
    for task in tasks.iter().filter(|task| task.started.is_some()) {
        let is_on = |host: &&Owner| hosts.get(host).is_some_and(|host| host.state == InstanceState::Running);
        let Some(host) = task.host.as_ref().filter(is_on) else { continue };
        for (id, names) in &task.containers {
            for (name, _) in names {
                if !registered.contains(&(id.clone(), name.clone())) {
                    let task = task.arn.rsplit('/').next().unwrap_or(&task.arn);
                    let text = format!("{name} of task {task}");
                    unregistered.entry(host.to_string()).or_default().insert(text);
                }
            }
        }
    }
    unregistered
}

/// Ours and the predecessor's.
fn registered(set: &RecordSet, zone: &str) -> Option<(ContainerId, String)> {
    let entry = Entry::read(set, zone).ok()?;
    Some((entry.container()?.clone(), set.key().name))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::container::convention::Protocol;
    use crate::janitor::evidence::{AgentConnection, Host};
    use crate::record::testing::id;
    use crate::record::{RecordType, Routing};

    fn task(n: u64, started: bool) -> RunningTask {
        RunningTask {
            account_region: 0,
            cluster: "c".into(),
            arn: format!("arn:aws:ecs:eu-central-1:111122223333:task/c/{n}"),
            host: Some(Owner::new("i-0a").unwrap()),
            started: started.then_some(SystemTime::UNIX_EPOCH),
            containers: vec![(id(n), vec![("_web._tcp.sd.internal".into(), Protocol::Tcp)])],
        }
    }

    fn record(n: u64, name: &str) -> RecordSet {
        RecordSet {
            name: format!("{name}."),
            kind: RecordType::Srv,
            set_identifier: Some(format!("i-0a:{}:80", id(n))),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec!["1 1 80 i-0a.sd.internal".into()],
        }
    }

    fn inspection(list: &[RecordSet], state: InstanceState) -> Inspection {
        let mut inspection = Inspection::default();
        inspection.list.what = list.to_vec();
        let host = Host { state, agent: AgentConnection::Connected };
        inspection.snapshot.what.hosts.insert(Owner::new("i-0a").unwrap(), host);
        inspection
    }

    #[test]
    fn names_what_runs_without_a_record_by_host() {
        let list = [record(1, "_web._tcp.sd.internal"), record(2, "_other._tcp.sd.internal")];
        let tasks: Vec<_> = (1..=3).map(|n| task(n, n < 3)).collect();
        let first = inspection(&list, InstanceState::Running);
        let found = unregistered("sd.internal", [&first, &first], &tasks);
        let expected = BTreeSet::from(["_web._tcp.sd.internal of task 2".to_owned()]);
        assert_eq!(found, Unregistered::from([("i-0a".to_owned(), expected)]));
        // It was registered meanwhile, or it was there and ended.
        let other =
            inspection(&[&list[..], &[record(2, "_web._tcp.sd.internal")]].concat(), InstanceState::Running);
        assert!(unregistered("sd.internal", [&first, &other], &tasks).is_empty());
        assert!(unregistered("sd.internal", [&other, &first], &tasks).is_empty());
        let off = inspection(&list, InstanceState::Terminated);
        assert!(unregistered("sd.internal", [&off, &off], &tasks).is_empty());
    }
}
