//! ECS: which `calls` tell what runs where.
//!
//! | call | how often |
//! |---|---|
//! | `ListClusters` | a page of 100 |
//! | `ListContainerInstances`, `DescribeContainerInstances` | each a page of 100, of every cluster |
//! | `ListTasks`, `DescribeTasks` | each a page of 100: those that should not run, then those that should |
//! | `DescribeTaskDefinition` | once a run for each that is in use: they never change |
//!
//! A task that ends between the two lists may be in neither: then it is not known, and kept. One that ECS has
//! forgotten when it is described is as good as not listed.

mod calls;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{DesiredStatus, Task};

use self::calls::{pages, said};
use super::Limit;
use super::definitions::Definition;
use super::directory::{Cluster, Directory};
use super::paced::{Paced, Unread};
use super::tasks::{Seen, is_stopped};
use crate::change::pacing::Rate;
use crate::container::convention::Scope as NameScope;
use crate::janitor::time::Time;
use crate::record::Owner;

/// Half of what an account has in each region for lists and descriptions of tasks and container instances, which
/// share one bucket: 100 at once, and 20 a second after that. Agents and deployments need the other half.
/// Source: ECS API reference, "Request throttling".
const RATE: Rate = Rate { per_second: 10.0, burst: 10.0 };
/// Of everything that is listed or described. Source: ECS API reference.
pub(super) const PAGE: usize = 100;

/// A task goes on: what ECS said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StopError(String);

/// ECS in one account and region.
pub struct Ecs {
    client: Client,
    calls: Paced,
    definitions: Mutex<HashMap<String, Arc<Definition>>>,
}

impl fmt::Debug for Ecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ecs").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Ecs {
    /// Nothing was asked yet.
    pub fn new(client: Client) -> Self {
        Self { client, calls: Paced::new(RATE), definitions: Mutex::default() }
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.calls()
    }

    /// Stops a task.
    ///
    /// # Errors
    /// What ECS says.
    pub async fn stop(
        &self,
        cluster: &str,
        task: &str,
        reason: &str,
        time: &dyn Time,
    ) -> Result<(), StopError> {
        self.calls.turn(time).await;
        let request = self.client.stop_task().cluster(cluster).task(task).reason(reason);
        request.send().await.map(|_| ()).map_err(|error| StopError(said("StopTask", &error)))
    }

    /// The ARNs of all clusters.
    pub(super) async fn clusters(&self, limit: Limit<'_>) -> Result<Vec<String>, Unread> {
        let mut all = Vec::new();
        let list = async |token| self.list_clusters(token, limit).await;
        pages(list, async |arns| {
            all.extend(arns);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// Learns the hosts of a cluster.
    pub(super) async fn instances(
        &self,
        cluster: &Cluster,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let list = async |token| self.list_instances(&cluster.arn, token, limit).await;
        pages(list, async |arns| self.describe_instances(cluster, arns, seen, limit).await).await
    }

    /// Learns a page of hosts.
    pub(super) async fn describe_instances(
        &self,
        cluster: &Cluster,
        arns: Vec<String>,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        for instance in self.instances_of(&cluster.arn, arns, limit).await? {
            let id = instance.ec2_instance_id().and_then(|id| Owner::new(id).ok());
            // One that is odd, or of no EC2 instance, keeps what it runs and holds up nobody else.
            let (Some(arn), Some(id)) = (instance.container_instance_arn(), id) else { continue };
            // A registration that is ending or failed tells nothing of its tasks any more.
            let settled = matches!(instance.status(), Some("ACTIVE" | "DRAINING"));
            let connection = seen.agents.entry(id.clone()).or_default();
            *connection = connection.and(settled && instance.agent_connected());
            seen.directory.note_registration(cluster.number, arn, id);
        }
        Ok(())
    }

    /// Learns the tasks of a cluster that should be in this state.
    pub(super) async fn tasks(
        &self,
        cluster: &Cluster,
        status: DesiredStatus,
        names: &NameScope,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let list = async |token| self.list_tasks(&cluster.arn, &status, token, limit).await;
        pages(list, async |arns| self.learn_tasks(cluster, arns, names, seen, limit).await).await
    }

    /// Learns tasks by their ids or ARNs, up to a page of them.
    pub(super) async fn learn_tasks(
        &self,
        cluster: &Cluster,
        ids: Vec<String>,
        names: &NameScope,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let described = self.describe_tasks(&cluster.arn, ids, limit).await?;
        self.learn(cluster, &described, names, seen, limit).await
    }

    /// Learns the tasks of a cluster that should run and are not in `known`.
    pub(super) async fn new_tasks(
        &self,
        cluster: &Cluster,
        known: &Directory,
        names: &NameScope,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let list = async |token| self.list_tasks(&cluster.arn, &DesiredStatus::Running, token, limit).await;
        pages(list, async |mut arns: Vec<String>| {
            arns.retain(|arn| !known.knows(arn));
            self.learn_tasks(cluster, arns, names, seen, limit).await
        })
        .await
    }

    /// Learns where the tasks of a cluster are, and which have stopped; not what they ask for.
    pub(super) async fn living_tasks(
        &self,
        cluster: &Cluster,
        status: &DesiredStatus,
        names: &NameScope,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let list = async |token| self.list_tasks(&cluster.arn, status, token, limit).await;
        pages(list, async |arns: Vec<String>| {
            let described = self.describe_tasks(&cluster.arn, arns, limit).await?;
            described.iter().for_each(|task| seen.add(task, cluster, None, names));
            Ok(())
        })
        .await
    }

    async fn learn(
        &self,
        cluster: &Cluster,
        tasks: &[Task],
        names: &NameScope,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        for task in tasks {
            let arn = task.task_definition_arn().filter(|_| !is_stopped(task));
            let definition = match arn {
                Some(arn) => Some(self.known_definition(arn, limit).await?),
                None => None,
            };
            seen.add(task, cluster, definition.as_deref(), names);
        }
        Ok(())
    }

    async fn known_definition(&self, arn: &str, limit: Limit<'_>) -> Result<Arc<Definition>, Unread> {
        let known = || self.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(definition) = known().get(arn).cloned() {
            return Ok(definition);
        }
        let definition = Arc::new(self.definition(arn, limit).await?);
        known().insert(arn.to_owned(), definition.clone());
        Ok(definition)
    }
}
