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

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{DesiredStatus, Task};

use self::calls::said;
use super::Limit;
use super::definitions::Definition;
use super::directory::{Cluster, Directory};
use super::paced::{Paced, Unread};
use super::tasks::{Seen, is_stopped};
use crate::change::pacing::Rate;
use crate::janitor::time::Time;
use crate::record::Owner;

/// Half of what an account has in each region for lists and descriptions of tasks and container instances, which
/// share one bucket: 100 at once, and 20 a second after that. Agents and deployments need the other half.
/// Source: ECS API reference, "Request throttling".
const RATE: Rate = Rate { per_second: 10.0, burst: 10.0 };
/// Of everything that is listed or described. Source: ECS API reference.
pub(super) const PAGE: usize = 100;

/// ECS in one account and region.
pub struct Ecs {
    client: Client,
    calls: Paced,
    definitions: HashMap<String, Definition>,
}

impl fmt::Debug for Ecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ecs").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Ecs {
    /// Nothing was asked yet.
    pub fn new(client: Client) -> Self {
        Self { client, calls: Paced::new(RATE), definitions: HashMap::new() }
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.calls()
    }

    /// Stops a task.
    ///
    /// # Errors
    /// What ECS says.
    pub async fn stop(&self, cluster: &str, task: &str, reason: &str, time: &dyn Time) -> Result<(), String> {
        self.calls.turn(time).await;
        let request = self.client.stop_task().cluster(cluster).task(task).reason(reason);
        request.send().await.map(|_| ()).map_err(|error| said("StopTask", &error))
    }

    /// The ARNs of all clusters.
    pub(super) async fn clusters(&self, limit: Limit<'_>) -> Result<Vec<String>, Unread> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let (arns, next) = self.list_clusters(token, limit).await?;
            all.extend(arns);
            token = next;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// Learns the hosts of a cluster.
    pub(super) async fn instances(
        &self,
        cluster: &Cluster,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let mut token = None;
        loop {
            let (arns, next) = self.list_instances(&cluster.arn, token, limit).await?;
            self.describe_instances(cluster, arns, seen, limit).await?;
            token = next;
            if token.is_none() {
                return Ok(());
            }
        }
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
        &mut self,
        cluster: &Cluster,
        status: DesiredStatus,
        zone: &str,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let (mut arns, mut token) = self.list_tasks(&cluster.arn, &status, None, limit).await?;
        loop {
            // The next page is listed while this one is described: so they go at their rate, not at each
            // other's.
            let next = async {
                match token.take() {
                    Some(token) => self.list_tasks(&cluster.arn, &status, Some(token), limit).await.map(Some),
                    None => Ok(None),
                }
            };
            let described = self.describe_tasks(&cluster.arn, arns, limit);
            let (described, next) = tokio::try_join!(described, next)?;
            self.learn(cluster, &described, zone, seen, limit).await?;
            match next {
                Some(page) => (arns, token) = page,
                None => return Ok(()),
            }
        }
    }

    /// Learns tasks by their ids or ARNs, up to a page of them.
    pub(super) async fn learn_tasks(
        &mut self,
        cluster: &Cluster,
        ids: Vec<String>,
        zone: &str,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let described = self.describe_tasks(&cluster.arn, ids, limit).await?;
        self.learn(cluster, &described, zone, seen, limit).await
    }

    /// Learns the tasks of a cluster that should run and are not in `known`.
    pub(super) async fn new_tasks(
        &mut self,
        cluster: &Cluster,
        known: &Directory,
        zone: &str,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let mut token = None;
        loop {
            let (mut arns, next) =
                self.list_tasks(&cluster.arn, &DesiredStatus::Running, token, limit).await?;
            arns.retain(|arn| !known.knows(arn));
            self.learn_tasks(cluster, arns, zone, seen, limit).await?;
            token = next;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn learn(
        &mut self,
        cluster: &Cluster,
        tasks: &[Task],
        zone: &str,
        seen: &mut Seen,
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        for task in tasks {
            let arn = task.task_definition_arn().filter(|_| !is_stopped(task));
            if let Some(arn) = arn.filter(|arn| !self.definitions.contains_key(*arn)) {
                let definition = self.definition(arn, limit).await?;
                self.definitions.insert(arn.to_owned(), definition);
            }
            seen.add(task, cluster, arn.and_then(|arn| self.definitions.get(arn)), zone);
        }
        Ok(())
    }
}
