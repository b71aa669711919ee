//! The calls of ECS, each made until it succeeds, and what makes an answer whole.

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::types::{ContainerInstance, DesiredStatus, Failure as NotTold, Task};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::Ecs;
use crate::janitor::reader::Limit;
use crate::janitor::reader::definitions::Definition;
use crate::janitor::reader::paced::{Failure, Unread};
use crate::janitor::reader::tasks::is_stopped;
use crate::zone::route53::chain;

/// ARNs, and where the next page begins.
pub(super) type Listed = (Vec<String>, Option<String>);

impl Ecs {
    pub(super) async fn list_clusters(
        &self,
        token: Option<String>,
        limit: Limit<'_>,
    ) -> Result<Listed, Unread> {
        const CALL: &str = "ListClusters";
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            let answer = self.client.list_clusters().set_next_token(token.clone()).send().await;
            let listed = answer.map_err(|error| failure(CALL, &error));
            let listed = listed.and_then(|page| list(CALL, page.cluster_arns, page.next_token));
            if let Some(listed) = attempts.settle(listed)? {
                return Ok(listed);
            }
        }
    }

    pub(super) async fn list_instances(
        &self,
        cluster: &str,
        token: Option<String>,
        limit: Limit<'_>,
    ) -> Result<Listed, Unread> {
        const CALL: &str = "ListContainerInstances";
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            let request = self.client.list_container_instances().cluster(cluster);
            let answer = request.set_next_token(token.clone()).send().await;
            let listed = answer.map_err(|error| failure(CALL, &error));
            let listed = listed.and_then(|page| list(CALL, page.container_instance_arns, page.next_token));
            if let Some(listed) = attempts.settle(listed)? {
                return Ok(listed);
            }
        }
    }

    pub(super) async fn list_tasks(
        &self,
        cluster: &str,
        status: &DesiredStatus,
        token: Option<String>,
        limit: Limit<'_>,
    ) -> Result<Listed, Unread> {
        const CALL: &str = "ListTasks";
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            let request = self.client.list_tasks().cluster(cluster).desired_status(status.clone());
            let answer = request.set_next_token(token.clone()).send().await;
            let listed = answer.map_err(|error| failure(CALL, &error));
            let listed = listed.and_then(|page| list(CALL, page.task_arns, page.next_token));
            if let Some(listed) = attempts.settle(listed)? {
                return Ok(listed);
            }
        }
    }

    pub(super) async fn instances_of(
        &self,
        cluster: &str,
        arns: Vec<String>,
        limit: Limit<'_>,
    ) -> Result<Vec<ContainerInstance>, Unread> {
        const CALL: &str = "DescribeContainerInstances";
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let asked = arns.len();
        let whole = |instances: &[ContainerInstance]| {
            instances.iter().all(|it| it.container_instance_arn().is_some() && it.ec2_instance_id().is_some())
        };
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            let request = self.client.describe_container_instances().cluster(cluster);
            let answer = request.set_container_instances(Some(arns.clone())).send().await;
            let told = answer.map_err(|error| failure(CALL, &error)).and_then(|answer| {
                all_told(CALL, asked, answer.container_instances().len(), answer.failures())?;
                let instances = answer.container_instances.unwrap_or_default();
                let broken = || broken(CALL, "an instance without ARN or EC2 id");
                whole(&instances).then_some(instances).ok_or_else(broken)
            });
            if let Some(told) = attempts.settle(told)? {
                return Ok(told);
            }
        }
    }

    pub(super) async fn describe_tasks(
        &self,
        cluster: &str,
        ids: Vec<String>,
        limit: Limit<'_>,
    ) -> Result<Vec<Task>, Unread> {
        const CALL: &str = "DescribeTasks";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let asked = ids.len();
        let whole = |tasks: &[Task]| {
            let says = |task: &Task| is_stopped(task) || task.task_definition_arn().is_some();
            tasks.iter().all(|task| task.task_arn().is_some() && task.last_status().is_some() && says(task))
        };
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(ids.clone()));
            let answer = request.send().await;
            let told = answer.map_err(|error| failure(CALL, &error)).and_then(|answer| {
                all_told(CALL, asked, answer.tasks().len(), answer.failures())?;
                let tasks = answer.tasks.unwrap_or_default();
                let broken = || broken(CALL, "a task without ARN, status or task definition");
                whole(&tasks).then_some(tasks).ok_or_else(broken)
            });
            if let Some(told) = attempts.settle(told)? {
                return Ok(told);
            }
        }
    }

    pub(super) async fn definition(&self, arn: &str, limit: Limit<'_>) -> Result<Definition, Unread> {
        const CALL: &str = "DescribeTaskDefinition";
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            let answer = self.client.describe_task_definition().task_definition(arn).send().await;
            let told = answer.map_err(|error| failure(CALL, &error)).and_then(|answer| {
                answer.task_definition.ok_or_else(|| broken(CALL, "an answer without one"))
            });
            if let Some(told) = attempts.settle(told).map_err(|unread| unread.of(arn))? {
                return Ok(Definition::read(&told));
            }
        }
    }
}

fn list(call: &str, arns: Option<Vec<String>>, next: Option<String>) -> Result<Listed, Failure> {
    Ok((arns.ok_or_else(|| broken(call, "an answer without a list"))?, next))
}

/// Each that was asked for must be told of. One that ECS does not have any more may be missing.
fn all_told(call: &str, asked: usize, told: usize, failures: &[NotTold]) -> Result<(), Failure> {
    if let Some(failure) = failures.iter().find(|failure| failure.reason() != Some("MISSING")) {
        let reason = failure.reason().unwrap_or("no reason");
        return Err(Failure::Passing(format!("{call}: {}: {reason}", failure.arn().unwrap_or("?"))));
    }
    if told + failures.len() < asked {
        return Err(Failure::Passing(format!(
            "{call}: asked for {asked}, told of {}",
            told + failures.len()
        )));
    }
    Ok(())
}

/// What lacks something that every such answer has.
fn broken(call: &str, what: &str) -> Failure {
    Failure::Passing(format!("{call}: {what}"))
}

/// What says no to the question itself says so again; all else may pass.
fn failure<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let is_final = match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(told) => {
            let is_throttled =
                error.code().is_some_and(|code| code.contains("Throttl") || code == "RequestLimitExceeded");
            !is_throttled && told.raw().status().is_client_error()
        }
        _ => false,
    };
    let reason = said(call, error);
    if is_final { Failure::Final(reason) } else { Failure::Passing(reason) }
}

pub(super) fn said<E>(call: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{call}: {code}: {message}"),
        (Some(code), None) => format!("{call}: {code}"),
        _ => format!("{call}: {}", chain(error)),
    }
}
