//! ECS: which calls tell what runs where.
//!
//! | call | how often |
//! |---|---|
//! | `ListClusters` | a page of 100 |
//! | `ListContainerInstances`, `DescribeContainerInstances` | each a page of 100, of every cluster |
//! | `ListTasks`, `DescribeTasks` | each a page of 100, first those that should run, then those that should not |
//! | `DescribeTaskDefinition` | once a run for each that is in use: they never change |
//!
//! Those that should run come first: a task that ends meanwhile is in one of the two, or in both. One that
//! ECS has forgotten when it is described is as good as not listed.

use std::collections::HashMap;
use std::fmt;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::types::{DesiredStatus, Failure, Task};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::definitions::Definition;
use super::paced::Paced;
use super::tasks::{Seen, is_stopped};
use crate::record::Owner;
use crate::zone::pacing::Rate;
use crate::zone::route53::chain;

/// An account has 50 reads of clusters at once in each region, and 20 a second after that (assumed; of tasks it
/// has more). Source: ECS API reference, "Request throttling".
const RATE: Rate = Rate { per_second: 20.0, burst: 40.0 };
/// Of everything that is listed or described. Source: ECS API reference.
const PAGE: i32 = 100;

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

    /// Reads these clusters, or all; notes which of those given it has found.
    ///
    /// # Errors
    /// The first thing that could not be read.
    pub(super) async fn read(
        &mut self,
        zone: &str,
        wanted: &[String],
        found: &mut [bool],
        seen: &mut Seen,
    ) -> Result<(), String> {
        for cluster in self.clusters().await? {
            let is_it = |wanted: &String| *wanted == cluster || cluster.rsplit('/').next() == Some(wanted);
            let matches: Vec<usize> = (0..wanted.len()).filter(|&n| is_it(&wanted[n])).collect();
            if wanted.is_empty() || !matches.is_empty() {
                matches.into_iter().for_each(|n| found[n] = true);
                let instances = self.instances(&cluster, seen).await?;
                for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
                    self.tasks(&cluster, status, &instances, zone, seen).await?;
                }
            }
        }
        Ok(())
    }

    /// Stops a task.
    ///
    /// # Errors
    /// What ECS says.
    pub async fn stop(&mut self, cluster: &str, task: &str, reason: &str) -> Result<(), String> {
        self.calls.turn().await;
        let request = self.client.stop_task().cluster(cluster).task(task).reason(reason);
        request.send().await.map(|_| ()).map_err(|error| said("StopTask", &error))
    }

    async fn clusters(&mut self) -> Result<Vec<String>, String> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            self.calls.turn().await;
            let request = self.client.list_clusters().max_results(PAGE).set_next_token(token);
            let page = request.send().await.map_err(|error| said("ListClusters", &error))?;
            all.extend(page.cluster_arns.ok_or("ListClusters: an answer without a list")?);
            token = page.next_token;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// The hosts of a cluster, by the ARN of their registration.
    async fn instances(&mut self, cluster: &str, seen: &mut Seen) -> Result<HashMap<String, Owner>, String> {
        let (mut hosts, mut token) = (HashMap::new(), None);
        loop {
            self.calls.turn().await;
            let request = self.client.list_container_instances().cluster(cluster).max_results(PAGE);
            let page = request.set_next_token(token).send().await;
            let page = page.map_err(|error| said("ListContainerInstances", &error))?;
            let arns = page.container_instance_arns;
            let arns = arns.ok_or("ListContainerInstances: an answer without a list")?;
            if !arns.is_empty() {
                self.describe_instances(cluster, arns, &mut hosts, seen).await?;
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(hosts);
            }
        }
    }

    async fn describe_instances(
        &mut self,
        cluster: &str,
        arns: Vec<String>,
        hosts: &mut HashMap<String, Owner>,
        seen: &mut Seen,
    ) -> Result<(), String> {
        const CALL: &str = "DescribeContainerInstances";
        self.calls.turn().await;
        let asked = arns.len();
        let request = self.client.describe_container_instances().cluster(cluster);
        let answer = request.set_container_instances(Some(arns)).send().await;
        let answer = answer.map_err(|error| said(CALL, &error))?;
        all_told(CALL, asked, answer.container_instances().len(), answer.failures())?;
        for instance in answer.container_instances() {
            let id = instance.ec2_instance_id().and_then(|id| Owner::new(id).ok());
            let (Some(arn), Some(id)) = (instance.container_instance_arn(), id) else {
                return Err(format!("{CALL}: an instance without ARN or EC2 id"));
            };
            // A registration that is ending or failed tells nothing of its tasks any more.
            let settled = matches!(instance.status(), Some("ACTIVE" | "DRAINING"));
            let heard = seen.hearing.entry(id.clone()).or_default();
            *heard = heard.and(settled && instance.agent_connected());
            hosts.insert(arn.to_owned(), id);
        }
        Ok(())
    }

    async fn tasks(
        &mut self,
        cluster: &str,
        status: DesiredStatus,
        instances: &HashMap<String, Owner>,
        zone: &str,
        seen: &mut Seen,
    ) -> Result<(), String> {
        let mut page = self.list_tasks(cluster, &status, None).await?;
        loop {
            // The next page is listed while this one is described: so they go at their rate, not at each
            // other's.
            let next = async {
                match page.1.take() {
                    Some(token) => self.list_tasks(cluster, &status, Some(token)).await.map(Some),
                    None => Ok(None),
                }
            };
            let described = self.describe_tasks(cluster, page.0);
            let (described, next) = tokio::try_join!(described, next)?;
            for task in described {
                self.learn_definition(&task).await?;
                let definition = task.task_definition_arn().and_then(|arn| self.definitions.get(arn));
                seen.add(&task, definition, instances, zone)?;
            }
            match next {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
    }

    /// A page, and where the next one begins.
    async fn list_tasks(
        &self,
        cluster: &str,
        status: &DesiredStatus,
        token: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), String> {
        self.calls.turn().await;
        let request = self.client.list_tasks().cluster(cluster).desired_status(status.clone());
        let page = request.max_results(PAGE).set_next_token(token).send().await;
        let page = page.map_err(|error| said("ListTasks", &error))?;
        Ok((page.task_arns.ok_or("ListTasks: an answer without a list")?, page.next_token))
    }

    async fn describe_tasks(&self, cluster: &str, arns: Vec<String>) -> Result<Vec<Task>, String> {
        const CALL: &str = "DescribeTasks";
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        self.calls.turn().await;
        let asked = arns.len();
        let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(arns));
        let answer = request.send().await.map_err(|error| said(CALL, &error))?;
        all_told(CALL, asked, answer.tasks().len(), answer.failures())?;
        Ok(answer.tasks.unwrap_or_default())
    }

    async fn learn_definition(&mut self, task: &Task) -> Result<(), String> {
        const CALL: &str = "DescribeTaskDefinition";
        if is_stopped(task) {
            return Ok(());
        }
        let arn = task.task_definition_arn();
        let arn = arn.ok_or("DescribeTasks: a task without a task definition")?;
        if self.definitions.contains_key(arn) {
            return Ok(());
        }
        self.calls.turn().await;
        let answer = self.client.describe_task_definition().task_definition(arn).send().await;
        let answer = answer.map_err(|error| format!("{arn}: {}", said(CALL, &error)))?;
        let definition = answer.task_definition.ok_or_else(|| format!("{CALL}: an answer without one"))?;
        self.definitions.insert(arn.to_owned(), Definition::read(&definition));
        Ok(())
    }
}

/// Each that was asked for must be told of. One that ECS does not have any more may be missing.
fn all_told(call: &str, asked: usize, told: usize, failures: &[Failure]) -> Result<(), String> {
    if let Some(failure) = failures.iter().find(|failure| failure.reason() != Some("MISSING")) {
        let reason = failure.reason().unwrap_or("no reason");
        return Err(format!("{call}: {}: {reason}", failure.arn().unwrap_or("?")));
    }
    if told + failures.len() < asked {
        return Err(format!("{call}: asked for {asked}, told of {}", told + failures.len()));
    }
    Ok(())
}

fn said<E>(call: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{call}: {code}: {message}"),
        (Some(code), None) => format!("{call}: {code}"),
        _ => format!("{call}: {}", chain(error)),
    }
}
