//! What a described task comes to. Pure: from the API's shapes to the terms of the evidence.
//!
//! | | |
//! |---|---|
//! | a container | by its `runtimeId`, where that is a Docker id: on Fargate it is something else |
//! | where it is | its task's container instance; `awsvpc`: the attachment's address |
//! | at which port | its network bindings; in the host's network, or with `awsvpc`, the container's own |

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::time::SystemTime;

use aws_sdk_ecs::types::{Container as DescribedContainer, KeyValuePair, Task};

use super::definitions::Definition;
use crate::janitor::evidence::{Container, Hearing};
use crate::machine::container::ContainerId;
use crate::machine::registration::Owner;
use crate::machine::service::Protocol;

/// All that ECS showed.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whether it hears of the hosts.
    pub hearing: BTreeMap<Owner, Hearing>,
    /// By Docker id.
    pub containers: BTreeMap<ContainerId, Container>,
    /// Full names that something asks for that has not stopped.
    pub services: BTreeSet<String>,
    /// Where something runs that asks for a name.
    pub wanting: Vec<Wanting>,
    /// Tasks on hosts that have not stopped, and ask for a name.
    pub tasks: Vec<RunningTask>,
}

/// A port of a container that asks for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanting {
    /// Its host.
    pub host: Option<Owner>,
    /// Its own, with `awsvpc`.
    pub address: Option<Ipv4Addr>,
    /// At which it can be reached.
    pub port: u16,
    /// The full name.
    pub service: String,
}

/// A task on a host that asks for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningTask {
    /// Which account and region, by number.
    pub territory: usize,
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
    /// Adds a task; `instances` are the hosts by the ARN of their registration. The definition is wanted
    /// where the task has not stopped.
    ///
    /// # Errors
    /// Where something in it is not as the API documents it.
    pub fn add(
        &mut self,
        task: &Task,
        definition: Option<&Definition>,
        instances: &HashMap<String, Owner>,
        zone: &str,
    ) -> Result<(), String> {
        let arn = task.task_arn().ok_or("DescribeTasks: a task without an ARN")?;
        task.last_status().ok_or_else(|| format!("DescribeTasks: {arn} has no status"))?;
        let stopped = is_stopped(task);
        let host = task.container_instance_arn().and_then(|arn| instances.get(arn)).cloned();
        let address = own_address(task).map_err(|error| format!("DescribeTasks: {arn}: {error}"))?;
        let mut asking = Vec::new();
        for container in task.containers() {
            let id: Option<ContainerId> = container.runtime_id().and_then(|id| id.parse().ok());
            if let (Some(id), Some(_)) = (&id, task.container_instance_arn()) {
                let known = Container { instance: host.clone(), stopped };
                self.containers.insert(id.clone(), known);
            }
            let (Some(definition), Some(name)) = (definition.filter(|_| !stopped), container.name()) else {
                continue;
            };
            let wants = definition.wants(name, overrides(task, name), zone);
            for (port, service) in wants.named {
                self.services.insert(service.clone());
                let own = address.is_some() || definition.on_host_network;
                let port = published(container, port).or_else(|| own.then_some(port));
                let wanting = port.map(|port| Wanting { host: host.clone(), address, port, service });
                self.wanting.extend(wanting);
            }
            let named = wants.registered.into_iter().map(|(_, name, protocol)| (name, protocol));
            let named: BTreeSet<(String, Protocol)> = named.collect();
            asking.extend(id.filter(|_| !named.is_empty()).map(|id| (id, named.into_iter().collect())));
        }
        if !asking.is_empty() && task.container_instance_arn().is_some() {
            self.tasks.push(RunningTask {
                territory: 0,
                cluster: task.cluster_arn().unwrap_or_default().to_owned(),
                arn: arn.to_owned(),
                host,
                started: task.started_at().and_then(|at| SystemTime::try_from(*at).ok()),
                containers: asking,
            });
        }
        Ok(())
    }
}

fn overrides<'a>(task: &'a Task, name: &str) -> &'a [KeyValuePair] {
    let all = task.overrides().map(|overrides| overrides.container_overrides()).unwrap_or_default();
    let of_this = all.iter().find(|container| container.name() == Some(name));
    of_this.map(|container| container.environment()).unwrap_or_default()
}

/// The address of a task that has its own; only those have an attachment of this type.
/// Source: ECS API reference, Attachment.
fn own_address(task: &Task) -> Result<Option<Ipv4Addr>, String> {
    let of_type = |attachment: &&aws_sdk_ecs::types::Attachment| {
        matches!(attachment.r#type(), Some("ElasticNetworkInterface" | "eni"))
    };
    let Some(interface) = task.attachments().iter().find(of_type) else { return Ok(None) };
    let detail = interface.details().iter().find(|detail| detail.name() == Some("privateIPv4Address"));
    // It comes once the interface is attached; one of IPv6 alone has none.
    let Some(address) = detail.and_then(|detail| detail.value()) else { return Ok(None) };
    address.parse().map(Some).map_err(|_| format!("{address:?} is no IPv4 address"))
}

/// The host's port for a container's.
fn published(container: &DescribedContainer, port: u16) -> Option<u16> {
    let range = |text: Option<&str>| {
        let (first, last) = text?.split_once('-')?;
        Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?))
    };
    container.network_bindings().iter().find_map(|binding| {
        if binding.container_port() == Some(i32::from(port)) {
            return binding.host_port()?.try_into().ok();
        }
        let (first, last) = range(binding.container_port_range())?;
        let (host_first, _) = range(binding.host_port_range())?;
        (first..=last).contains(&port).then(|| host_first.checked_add(port - first))?
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{Attachment, ContainerDefinition, NetworkBinding, NetworkMode, TaskDefinition};

    use super::*;

    const ID: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

    fn definition(mode: NetworkMode) -> Definition {
        let pair = KeyValuePair::builder().name("SERVICE_80_NAME").value("_web._tcp").build();
        let container = ContainerDefinition::builder().name("web").environment(pair).build();
        Definition::read(
            &TaskDefinition::builder().network_mode(mode).container_definitions(container).build(),
        )
    }

    fn task() -> aws_sdk_ecs::types::builders::TaskBuilder {
        Task::builder().task_arn("t").last_status("RUNNING").container_instance_arn("ci")
    }

    fn web(binding: NetworkBinding) -> DescribedContainer {
        DescribedContainer::builder().name("web").runtime_id(ID).network_bindings(binding).build()
    }

    fn add(task: Task, mode: NetworkMode) -> Seen {
        let mut seen = Seen::default();
        let instances = HashMap::from([("ci".to_owned(), Owner::new("i-0a").unwrap())]);
        seen.add(&task, Some(&definition(mode)), &instances, "sd.internal").unwrap();
        seen
    }

    #[test]
    fn a_published_port_is_the_hosts() {
        let binding = NetworkBinding::builder().container_port(80).host_port(32_768).build();
        let seen = add(task().containers(web(binding)).build(), NetworkMode::Bridge);
        assert_eq!((seen.wanting[0].port, seen.wanting[0].address), (32_768, None));
        assert_eq!(seen.tasks[0].host, Some(Owner::new("i-0a").unwrap()));
        let range = NetworkBinding::builder().container_port_range("70-90").host_port_range("1070-1090");
        let seen = add(task().containers(web(range.build())).build(), NetworkMode::Bridge);
        assert_eq!(seen.wanting[0].port, 1080);
        assert!(seen.services.contains("_web._tcp.sd.internal"));
    }

    #[test]
    fn a_task_with_an_address_of_its_own_keeps_its_port() {
        let address = KeyValuePair::builder().name("privateIPv4Address").value("10.0.3.9").build();
        let interface = Attachment::builder().r#type("ElasticNetworkInterface").details(address).build();
        let container = DescribedContainer::builder().name("web").runtime_id(ID).build();
        let seen = add(task().containers(container).attachments(interface).build(), NetworkMode::Awsvpc);
        assert_eq!((seen.wanting[0].port, seen.wanting[0].address), (80, Some([10, 0, 3, 9].into())));
    }

    #[test]
    fn a_task_on_fargate_tells_no_more_than_that_its_service_is_wanted() {
        let container = DescribedContainer::builder().name("web").runtime_id("1234-0").build();
        let task = Task::builder().task_arn("t").last_status("RUNNING").containers(container).build();
        let seen = add(task, NetworkMode::Awsvpc);
        assert_eq!((seen.containers.len(), seen.tasks.len(), seen.services.len()), (0, 0, 1));
    }

    #[test]
    fn what_has_stopped_wants_nothing() {
        let container = DescribedContainer::builder().name("web").runtime_id(ID).build();
        let seen = add(task().last_status("STOPPED").containers(container).build(), NetworkMode::Host);
        assert!(seen.containers.values().all(|container| container.stopped));
        assert!(seen.services.is_empty() && seen.wanting.is_empty() && seen.tasks.is_empty());
    }

    #[test]
    fn an_answer_that_lacks_what_it_must_have_is_no_answer() {
        let mut seen = Seen::default();
        let task = Task::builder().task_arn("t").build();
        assert!(seen.add(&task, None, &HashMap::new(), "sd.internal").is_err());
    }
}
