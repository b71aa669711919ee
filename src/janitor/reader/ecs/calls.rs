//! The calls of ECS, each made until it succeeds, and what makes an answer whole.

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::describe_container_instances::DescribeContainerInstancesOutput;
use aws_sdk_ecs::operation::describe_task_definition::DescribeTaskDefinitionOutput;
use aws_sdk_ecs::operation::describe_tasks::DescribeTasksOutput;
use aws_sdk_ecs::types::{ContainerInstance, DesiredStatus, Failure as NotTold, Task};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::Ecs;
use crate::janitor::reader::Limit;
use crate::janitor::reader::definitions::Definition;
use crate::janitor::reader::paced::{Failure, Unread};
use crate::janitor::reader::tasks::is_stopped;
use crate::printable::printable;
use crate::zone::{Course, route53};

/// ARNs, and where the next page begins.
pub(super) type Listed = (Vec<String>, Option<String>);

impl Ecs {
    pub(super) async fn list_clusters(
        &self,
        token: Option<String>,
        limit: Limit<'_>,
    ) -> Result<Listed, Unread> {
        const CALL: &str = "ListClusters";
        let send = async || self.client.list_clusters().set_next_token(token.clone()).send().await;
        self.call(CALL, limit, send, |page| list(CALL, page.cluster_arns, page.next_token)).await
    }

    pub(super) async fn list_instances(
        &self,
        cluster: &str,
        token: Option<String>,
        limit: Limit<'_>,
    ) -> Result<Listed, Unread> {
        const CALL: &str = "ListContainerInstances";
        let request = self.client.list_container_instances().cluster(cluster).set_next_token(token);
        let send = async || request.clone().send().await;
        self.call(CALL, limit, send, |page| list(CALL, page.container_instance_arns, page.next_token)).await
    }

    pub(super) async fn list_tasks(
        &self,
        cluster: &str,
        status: &DesiredStatus,
        token: Option<String>,
        limit: Limit<'_>,
    ) -> Result<Listed, Unread> {
        const CALL: &str = "ListTasks";
        let request = self.client.list_tasks().cluster(cluster).desired_status(status.clone());
        let request = request.set_next_token(token);
        let send = async || request.clone().send().await;
        self.call(CALL, limit, send, |page| list(CALL, page.task_arns, page.next_token)).await
    }

    pub(super) async fn instances_of(
        &self,
        cluster: &str,
        arns: Vec<String>,
        limit: Limit<'_>,
    ) -> Result<Vec<ContainerInstance>, Unread> {
        const CALL: &str = "DescribeContainerInstances";
        let asked = arns.len();
        if asked == 0 {
            return Ok(Vec::new());
        }
        let whole = |instance: &ContainerInstance| instance.container_instance_arn().is_some();
        let request = self.client.describe_container_instances().cluster(cluster);
        let request = request.set_container_instances(Some(arns));
        let send = async || request.clone().send().await;
        let read = |answer: DescribeContainerInstancesOutput| {
            all_told(CALL, asked, answer.container_instances().len(), answer.failures())?;
            let instances = answer.container_instances.unwrap_or_default();
            all_whole(instances, whole, || broken(CALL, "an instance without ARN"))
        };
        self.call(CALL, limit, send, read).await
    }

    pub(super) async fn describe_tasks(
        &self,
        cluster: &str,
        ids: Vec<String>,
        limit: Limit<'_>,
    ) -> Result<Vec<Task>, Unread> {
        const CALL: &str = "DescribeTasks";
        let asked = ids.len();
        if asked == 0 {
            return Ok(Vec::new());
        }
        let whole = |task: &Task| {
            let says = is_stopped(task) || task.task_definition_arn().is_some();
            task.task_arn().is_some() && task.last_status().is_some() && says
        };
        let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(ids));
        let send = async || request.clone().send().await;
        let read = |answer: DescribeTasksOutput| {
            all_told(CALL, asked, answer.tasks().len(), answer.failures())?;
            let tasks = answer.tasks.unwrap_or_default();
            all_whole(tasks, whole, || broken(CALL, "a task without ARN, status or task definition"))
        };
        self.call(CALL, limit, send, read).await
    }

    pub(super) async fn definition(&self, arn: &str, limit: Limit<'_>) -> Result<Definition, Unread> {
        const CALL: &str = "DescribeTaskDefinition";
        let send = async || self.client.describe_task_definition().task_definition(arn).send().await;
        let read = |answer: DescribeTaskDefinitionOutput| {
            let definition = answer.task_definition.ok_or_else(|| broken(CALL, "an answer without one"))?;
            Ok(Definition::read(&definition))
        };
        self.call(CALL, limit, send, read).await.map_err(|unread| unread.of(arn))
    }

    /// Makes a call until it succeeds. `read` takes of the answer what it is asked for, or says what it lacks.
    async fn call<T, R, E>(
        &self,
        call: &str,
        limit: Limit<'_>,
        send: impl AsyncFn() -> Result<T, SdkError<E, HttpResponse>>,
        read: impl Fn(T) -> Result<R, Failure>,
    ) -> Result<R, Unread>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            // A call of the SDK is a future of very many layers.
            let told = Box::pin(send()).await.map_err(|error| failure(call, &error)).and_then(&read);
            if let Some(told) = attempts.settle(told)? {
                return Ok(told);
            }
        }
    }
}

/// Lists to the end, and takes each page. The next one is listed while this one is taken: so calls go at their rate,
/// not at each other's.
pub(super) async fn pages(
    list: impl AsyncFn(Option<String>) -> Result<Listed, Unread>,
    mut take: impl AsyncFnMut(Vec<String>) -> Result<(), Unread>,
) -> Result<(), Unread> {
    let (mut arns, mut token) = list(None).await?;
    let mut course = Course::default();
    loop {
        if let Some(token) = &token {
            course.go_on(token.clone()).map_err(|endless| Unread::Failed(endless.to_string()))?;
        }
        let next = async {
            match &token {
                Some(token) => list(Some(token.clone())).await.map(Some),
                None => Ok(None),
            }
        };
        let ((), next) = tokio::try_join!(take(arns), next)?;
        match next {
            Some(page) => (arns, token) = page,
            None => return Ok(()),
        }
    }
}

fn all_whole<T>(
    all: Vec<T>,
    is_whole: impl Fn(&T) -> bool,
    broken: impl Fn() -> Failure,
) -> Result<Vec<T>, Failure> {
    if all.iter().all(is_whole) { Ok(all) } else { Err(broken()) }
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
        (Some(code), Some(message)) => format!("{call}: {}: {}", printable(code), printable(message)),
        (Some(code), None) => format!("{call}: {}", printable(code)),
        _ => format!("{call}: {}", route53::said(error)),
    }
}
