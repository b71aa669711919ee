//! What nobody else sees: tasks that run and ask for a record, and have none. A host whose agent is dead looks
//! like this. Pure.
//!
//! A task counts that ran already at the first look, a minute before the last list: by then its agent has
//! registered it, or has it registered at weight 0.

use std::collections::{BTreeMap, BTreeSet};

use super::Look;
use super::entry::Entry;
use super::evidence::Power;
use super::reader::Tasks;
use crate::record::{ContainerId, Owner, RecordSet};

/// What has no record, by host.
pub type Unregistered = BTreeMap<String, BTreeSet<String>>;

/// Full names that containers of both `tasks` ask for, and that the last list does not have of them. A host
/// that does not run has no agent to ask after.
pub fn unregistered(zone: &str, last_look: &Look, [first, last]: [&Tasks; 2]) -> Unregistered {
    let (list, hosts) = (&last_look.list.what, &last_look.snapshot.what.hosts);
    let running = |tasks: &Tasks| -> BTreeSet<ContainerId> {
        let tasks = tasks.iter().filter(|task| task.started.is_some());
        tasks.flat_map(|task| task.containers.iter().map(|(id, _)| id.clone())).collect()
    };
    let before = running(first);
    let registered: BTreeSet<(ContainerId, String)> =
        list.iter().filter_map(|set| registered(set, zone)).collect();
    let mut unregistered = Unregistered::new();
    for task in last.iter().filter(|task| task.started.is_some()) {
        let is_on = |host: &&Owner| hosts.get(host).is_some_and(|host| host.power == Power::Running);
        let Some(host) = task.host.as_ref().filter(is_on) else { continue };
        for (id, names) in task.containers.iter().filter(|(id, _)| before.contains(id)) {
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
    use crate::janitor::evidence::{Hearing, Host};
    use crate::janitor::reader::tasks::RunningTask;
    use crate::machine::service::Protocol;
    use crate::record::RecordType;
    use crate::record::testing::id;

    fn task(n: u64, started: bool) -> RunningTask {
        RunningTask {
            territory: 0,
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
            weight: Some(1),
            multivalue: false,
            ttl: 0,
            values: vec!["1 1 80 i-0a.sd.internal".into()],
        }
    }

    fn look(list: &[RecordSet], power: Power) -> Look {
        let mut look = Look::default();
        look.list.what = list.to_vec();
        let host = Host { power, ecs: Hearing::Heard };
        look.snapshot.what.hosts.insert(Owner::new("i-0a").unwrap(), host);
        look
    }

    #[test]
    fn names_what_runs_without_a_record_by_host() {
        let list = [record(1, "_web._tcp.sd.internal"), record(2, "_other._tcp.sd.internal")];
        let tasks: Tasks = (1..=3).map(|n| task(n, n < 3)).collect();
        let last = look(&list, Power::Running);
        let found = unregistered("sd.internal", &last, [&tasks, &tasks]);
        let expected = BTreeSet::from(["_web._tcp.sd.internal of task 2".to_owned()]);
        assert_eq!(found, Unregistered::from([("i-0a".to_owned(), expected)]));
        // It came meanwhile, or went.
        assert!(unregistered("sd.internal", &last, [&Tasks::new(), &tasks]).is_empty());
        assert!(unregistered("sd.internal", &last, [&tasks, &Tasks::new()]).is_empty());
        assert!(unregistered("sd.internal", &look(&list, Power::Terminated), [&tasks, &tasks]).is_empty());
    }
}
