//! What a described task comes to. Pure: from the API's shapes to the terms of the evidence.
//!
//! | | |
//! |---|---|
//! | a container | by its `runtimeId`, where that is a Docker id: on Fargate it is something else |
//! | where it is | its task's container instance |
//! | what it asks for | its task definition, and what the task overrides of that |

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use aws_sdk_ecs::types::{Container, KeyValuePair, Task};

use super::definitions::Definition;
use super::directory::{Cluster, Directory};
use crate::container::convention::{Protocol, Scope};
use crate::janitor::evidence::{self, AgentConnection};
use crate::record::{ContainerId, Owner};

/// All that ECS showed.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whether the hosts' ECS agents are connected.
    pub agents: BTreeMap<Owner, AgentConnection>,
    /// By Docker id.
    pub containers: BTreeMap<ContainerId, evidence::Container>,
    /// Full names that something asks for that has not stopped.
    pub services: BTreeSet<String>,
    /// Tasks on hosts that have not stopped, and ask for a name.
    pub tasks: Vec<RunningTask>,
    /// Where ECS is asked again.
    pub directory: Directory,
}

/// A task on a host that asks for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningTask {
    /// Which account and region, by number.
    pub account_region: usize,
    /// The cluster's ARN.
    pub cluster: String,
    /// The task's ARN.
    pub arn: String,
    /// Its host, where ECS says so.
    pub host: Option<Owner>,
    /// Since when all of it runs; not yet, where there is none.
    pub started: Option<SystemTime>,
    /// Its containers that ask for a name, and those names.
    pub containers: Vec<(ContainerId, Vec<(String, Protocol)>)>,
}

/// Whether ECS says that a task is over.
pub fn is_stopped(task: &Task) -> bool {
    task.last_status() == Some("STOPPED")
}

impl Seen {
    /// Adds a task. The definition is wanted where the task has not stopped.
    pub fn add(&mut self, task: &Task, cluster: &Cluster, definition: Option<&Definition>, names: &Scope) {
        let Some(arn) = task.task_arn() else { return };
        let stopped = is_stopped(task);
        let registration = task.container_instance_arn();
        let host = registration.and_then(|arn| self.directory.host(arn)).cloned();
        let ids = task.containers().iter().filter_map(docker_id).filter(|_| registration.is_some());
        self.directory.note_task(cluster.number, arn, ids);
        let mut asking = Vec::new();
        for container in task.containers() {
            let id = docker_id(container);
            if let (Some(id), Some(_)) = (&id, registration) {
                let known = evidence::Container { instance: host.clone(), stopped };
                self.containers.insert(id.clone(), known);
            }
            let (Some(definition), Some(name)) = (definition.filter(|_| !stopped), container.name()) else {
                continue;
            };
            let wants = definition.wants(name, overrides(task, name), names);
            let named = wants.registered.into_iter().map(|(_, name, protocol)| (name, protocol));
            let named: BTreeSet<(String, Protocol)> = named.collect();
            self.services.extend(wants.named);
            self.services.extend(named.iter().map(|(name, _)| name.clone()));
            asking.extend(id.filter(|_| !named.is_empty()).map(|id| (id, named.into_iter().collect())));
        }
        if !asking.is_empty() && registration.is_some() {
            self.tasks.push(RunningTask {
                account_region: cluster.account_region,
                cluster: cluster.arn.clone(),
                arn: arn.to_owned(),
                host,
                started: task.started_at().and_then(|at| SystemTime::try_from(*at).ok()),
                containers: asking,
            });
        }
    }
}

fn docker_id(container: &Container) -> Option<ContainerId> {
    container.runtime_id()?.parse().ok()
}

fn overrides<'a>(task: &'a Task, name: &str) -> &'a [KeyValuePair] {
    let all = task.overrides().map(|overrides| overrides.container_overrides()).unwrap_or_default();
    let of_this = all.iter().find(|container| container.name() == Some(name));
    of_this.map(|container| container.environment()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::builders::TaskBuilder;
    use aws_sdk_ecs::types::{ContainerDefinition, TaskDefinition};

    use super::*;

    const ID: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

    fn definition() -> Definition {
        let pair = |key: &str, value: &str| KeyValuePair::builder().name(key).value(value).build();
        let container = ContainerDefinition::builder().name("web");
        let container = container.environment(pair("SERVICE_80_NAME", "_web._tcp"));
        let container = container.environment(pair("SERVICE_80_ALL", "_web-all._tcp")).build();
        Definition::read(&TaskDefinition::builder().container_definitions(container).build())
    }

    fn web(id: &str) -> Container {
        Container::builder().name("web").runtime_id(id).build()
    }

    fn add(task: TaskBuilder) -> Seen {
        let (mut seen, cluster) =
            (Seen::default(), Cluster { number: 0, account_region: 0, arn: "c".into() });
        seen.directory.note_registration(0, "ci", Owner::new("i-0a").unwrap());
        seen.add(&task.build(), &cluster, Some(&definition()), &Scope::new("sd.internal", ""));
        seen
    }

    #[test]
    fn a_task_on_a_host_runs_there_and_asks_for_its_names() {
        let task = Task::builder().task_arn("t").last_status("RUNNING").container_instance_arn("ci");
        let seen = add(task.containers(web(ID)));
        let host = Some(Owner::new("i-0a").unwrap());
        assert_eq!((seen.containers.len(), &seen.tasks[0].host), (1, &host));
        assert_eq!(seen.containers.values().next().unwrap().instance, host);
        assert!(seen.services.iter().eq(["_web-all._tcp.sd.internal", "_web._tcp.sd.internal"]));
    }

    #[test]
    fn a_task_on_fargate_tells_no_more_than_that_its_service_is_wanted() {
        let task = Task::builder().task_arn("t").last_status("RUNNING");
        let seen = add(task.containers(web("1234-0")));
        assert_eq!((seen.containers.len(), seen.tasks.len(), seen.services.len()), (0, 0, 2));
    }

    #[test]
    fn what_has_stopped_wants_nothing() {
        let task = Task::builder().task_arn("t").last_status("STOPPED").container_instance_arn("ci");
        let seen = add(task.containers(web(ID)));
        assert!(seen.containers.values().all(|container| container.stopped));
        assert!(seen.services.is_empty() && seen.tasks.is_empty());
    }
}
