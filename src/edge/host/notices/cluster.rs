//! What ECS says of this host's container instance: whether it drains, and which tasks go with that.
//!
//! Which container instance it is, the ECS agent of this host tells. Off ECS nobody answers there, and nothing
//! is asked; an ECS agent that was there once may be away for a while.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_config::Region;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::parse;
use crate::aws;
use crate::edge::engine::{ContainerInstance, EcsIntrospection};
use crate::machine::departure::{AskError, Said};

/// The most of anything that a page of ECS holds, or a call may ask for.
/// Source: ECS API reference, ListTasks, DescribeTasks.
const PAGE_ITEMS_MAX: i32 = 100;

/// The ECS side of this host.
pub struct Cluster {
    introspection: EcsIntrospection,
    /// What was learnt last of where it is.
    last: Mutex<Option<ContainerInstance>>,
    client: Mutex<Option<(String, Client)>>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("introspection", &self.introspection).finish_non_exhaustive()
    }
}

impl Cluster {
    /// That of the host with this ECS agent.
    pub fn new(introspection: EcsIntrospection) -> Self {
        Self { introspection, last: Mutex::default(), client: Mutex::default() }
    }

    /// Whether the container instance drains.
    ///
    /// # Errors
    /// When ECS does not answer, or may not be asked.
    pub async fn ask(&self) -> Result<Said, AskError> {
        let Some(here) = self.container_instance().await else { return Ok(Said::Nothing) };
        let client = self.client(&here).await;
        if !drains(&client, &here).await? {
            return Ok(Said::Nothing);
        }
        let tasks = service_tasks(&client, &here).await?;
        Ok(Said::TasksEnd { what: "its ECS container instance is DRAINING".to_owned(), tasks })
    }

    async fn container_instance(&self) -> Option<ContainerInstance> {
        let told = self.introspection.container_instance().await.ok().flatten();
        let mut here = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some() {
            *here = told;
        }
        here.clone()
    }

    /// A client for the region that the container instance is in.
    async fn client(&self, here: &ContainerInstance) -> Client {
        let region = here.region().unwrap_or_default().to_owned();
        let known = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, client)) = known.filter(|(of, _)| *of == region) {
            return client;
        }
        let client = Client::new(&aws::config(None, Region::new(region.clone())).await);
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some((region, client.clone()));
        client
    }
}

async fn drains(client: &Client, here: &ContainerInstance) -> Result<bool, AskError> {
    let asked =
        client.describe_container_instances().cluster(&here.cluster).container_instances(&here.instance);
    let answer = asked.send().await.map_err(ask_error)?;
    let Some(instance) = answer.container_instances().first() else {
        let reason = answer.failures().first().and_then(|failure| failure.reason()).unwrap_or("nothing");
        return Err(AskError::Away(format!("ECS says {reason} of {}", here.instance)));
    };
    Ok(instance.status() == Some("DRAINING"))
}

/// The tasks of services on this container instance, by ARN.
async fn service_tasks(client: &Client, here: &ContainerInstance) -> Result<BTreeSet<String>, AskError> {
    let mut tasks = BTreeSet::new();
    let request = client.list_tasks().cluster(&here.cluster).container_instance(&here.instance);
    let mut pages = request.max_results(PAGE_ITEMS_MAX).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(ask_error)?;
        // An empty page may have others after it.
        if page.task_arns().is_empty() {
            continue;
        }
        let asked = client.describe_tasks().cluster(&here.cluster).set_tasks(page.task_arns);
        let answer = asked.send().await.map_err(ask_error)?;
        let of_services =
            answer.tasks().iter().filter(|task| parse::of_a_service(task.started_by(), task.group()));
        tasks.extend(of_services.filter_map(|task| task.task_arn()).map(str::to_owned));
    }
    Ok(tasks)
}

fn ask_error<E, R>(error: SdkError<E, R>) -> AskError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    let text = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => DisplayErrorContext(&error).to_string(),
    };
    match error.code() {
        Some("AccessDeniedException") => AskError::Denied(text),
        _ => AskError::Away(format!("ECS: {text}")),
    }
}

#[cfg(test)]
mod tests;
