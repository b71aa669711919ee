//! The ECS agent's introspection: one GET, for the address of a task that has its own.
//!
//! Docker does not know that address: the ECS agent plugs a network interface into the task's pause
//! container behind Docker's back.

use std::net::Ipv4Addr;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use super::{Tasks, TasksError};
use crate::machine::container::ContainerId;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The ECS agent of this host, port 51678 unless told otherwise.
#[derive(Clone, Debug)]
pub struct EcsIntrospection {
    url: String,
    client: reqwest::Client,
}

impl EcsIntrospection {
    /// The ECS agent at this base URL.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn new(url: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_TIMEOUT)
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client })
    }
}

#[async_trait]
impl Tasks for EcsIntrospection {
    async fn address(&self, id: &ContainerId) -> Result<Option<Ipv4Addr>, TasksError> {
        let url = format!("{}/v1/tasks?dockerid={id}", self.url);
        let failed =
            |error: &dyn std::error::Error| TasksError { url: url.clone(), reason: error.to_string() };
        let answer = self.client.get(&url).send().await.map_err(|error| failed(&error.without_url()))?;
        let answer = answer.error_for_status().map_err(|error| failed(&error.without_url()))?;
        let body = answer.bytes().await.map_err(|error| failed(&error.without_url()))?;
        let task: Task = serde_json::from_slice(&body).map_err(|error| failed(&error))?;
        Ok(task.address(id))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    #[serde(default)]
    containers: Vec<TaskContainer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaskContainer {
    docker_id: String,
    #[serde(default)]
    networks: Vec<Network>,
}

#[derive(Debug, Deserialize)]
struct Network {
    #[serde(rename = "NetworkMode", default)]
    mode: String,
    #[serde(rename = "IPv4Addresses", default)]
    addresses: Vec<Ipv4Addr>,
}

impl Task {
    fn address(&self, id: &ContainerId) -> Option<Ipv4Addr> {
        let id = id.to_string();
        let container = self.containers.iter().find(|container| container.docker_id == id)?;
        let own = container.networks.iter().find(|network| network.mode == "awsvpc")?;
        own.addresses.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_address_of_an_awsvpc_task() {
        let id = "a".repeat(64);
        let json = format!(
            r#"{{"Arn":"arn:aws:ecs:eu-central-1:1:task/c/1","DesiredStatus":"RUNNING","KnownStatus":"RUNNING",
            "Family":"web","Version":"3","Containers":[
            {{"DockerId":"{id}","DockerName":"web","Name":"web",
              "Networks":[{{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.1.7"]}}]}}]}}"#
        );
        let task: Task = serde_json::from_str(&json).unwrap();
        assert_eq!(task.address(&id.parse().unwrap()), Some(Ipv4Addr::new(10, 0, 1, 7)));
        assert_eq!(task.address(&"b".repeat(64).parse().unwrap()), None);
        let bridge = json.replace("awsvpc", "bridge");
        assert_eq!(serde_json::from_str::<Task>(&bridge).unwrap().address(&id.parse().unwrap()), None);
    }
}
