//! What Docker and the ECS agent say, by the same GETs as an agent asks.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;

use crate::config::Config;
use crate::container::convention::Scope;
use crate::doctor::facts::{Away, AwayKind, Daemon, Engine, Found, Unheard, Unseen};
use crate::edge::engine::{Docker, DockerError, EcsIntrospection, Nobody, Tasks, UnixDocker, daemon};
use crate::edge::host::notices::cluster::Cluster;
use crate::edge::imds::vpc::Vpc;
use crate::machine::departure::{AskError, Said};
use crate::record::ContainerId;

/// Of all containers together.
const LOOK_LIMIT: Duration = Duration::from_secs(30);
/// Containers that are looked at at once.
const LOOKS_AT_ONCE: usize = 8;

/// What they said.
pub(super) struct Answers {
    pub(super) engine: Result<Engine, Away>,
    pub(super) daemon: Option<Daemon>,
    pub(super) containers: Result<Vec<Found>, String>,
    pub(super) unseen: Vec<Unseen>,
    pub(super) ecs_agent: Result<(), String>,
    pub(super) drains: Option<Result<bool, Unheard>>,
}

/// Asks them.
pub(super) async fn ask(config: &Config, host_label: &str, vpc: Option<Vpc>) -> Answers {
    let scope = Scope::new(&config.zone, host_label)
        .with_full_names(config.full_names.clone())
        .with_allowed(config.names.clone())
        .with_ttl_max(config.ttl_max);
    let docker = UnixDocker::new(config.docker_socket.clone(), scope);
    let engine = docker.version().await.map_err(|error| away(&error));
    let tasks = EcsIntrospection::new(&config.ecs_introspection, vpc).map_err(|error| error.to_string());
    let told = match &tasks {
        Ok(tasks) => Some(tasks.container_instance().await),
        Err(_) => None,
    };
    let ecs_agent = match (&told, &tasks) {
        (Some(told), _) => told.as_ref().map(|_| ()).map_err(ToString::to_string),
        (None, tasks) => tasks.as_ref().map(|_| ()).map_err(Clone::clone),
    };
    let is_instance = matches!(&told, Some(Ok(Some(_))));
    let tasks = tasks.ok().filter(|_| ecs_agent.is_ok());
    let drains = match &tasks {
        Some(tasks) if is_instance => Some(drains(tasks.clone()).await),
        _ => None,
    };
    let containers = match &engine {
        Ok(_) => timeout(LOOK_LIMIT, containers(&docker, tasks.as_ref())).await,
        Err(away) => Ok(Err(away.reason.clone())),
    };
    let late = |_| Err(format!("the containers were not looked at within {} s", LOOK_LIMIT.as_secs()));
    let daemon = daemon::of_this_host(&config.docker_socket);
    let (containers, unseen) = match containers.unwrap_or_else(late) {
        Ok((found, unseen)) => (Ok(found), unseen),
        Err(reason) => (Err(reason), Vec::new()),
    };
    Answers { engine, daemon, containers, unseen, ecs_agent, drains }
}

fn away(error: &DockerError) -> Away {
    let kind = match error {
        DockerError::Unreachable { kind: Nobody::NoSocket, .. } => AwayKind::NoSocket,
        DockerError::Unreachable { kind: Nobody::NotAllowed, .. } => AwayKind::NotAllowed,
        DockerError::Unreachable { kind: Nobody::NotThere, .. } => AwayKind::NotThere,
        DockerError::Timeout(_) => AwayKind::Hangs,
        DockerError::Unreachable { kind: Nobody::Broken, .. } | DockerError::Refused { .. } => {
            AwayKind::Broken
        }
    };
    Away { kind, reason: error.to_string() }
}

async fn drains(ecs_agent: EcsIntrospection) -> Result<bool, Unheard> {
    match timeout(LOOK_LIMIT, Cluster::new(ecs_agent).ask()).await {
        Ok(Ok(said)) => Ok(said != Said::Nothing),
        Ok(Err(AskError::Denied(reason))) => Err(Unheard::Denied(reason)),
        Ok(Err(error)) => Err(Unheard::Away(error.to_string())),
        Err(_) => Err(Unheard::Away(format!("no answer within {} s", LOOK_LIMIT.as_secs()))),
    }
}

/// One that cannot be looked at hides no other.
async fn containers(
    docker: &impl Docker,
    tasks: Option<&EcsIntrospection>,
) -> Result<(Vec<Found>, Vec<Unseen>), String> {
    let running = docker.running().await.map_err(|error| error.to_string())?;
    let look = async |id: ContainerId| {
        let container = match docker.inspect(&id).await {
            Ok(container) => container?,
            Err(error) => return Some(Err(Unseen { id, reason: error.to_string() })),
        };
        let task_address = match tasks.filter(|_| container.task_arn.is_some()) {
            Some(tasks) => tasks.address(&id).await.ok().flatten(),
            None => None,
        };
        Some(Ok(Found { container, task_address }))
    };
    let looks = futures_util::stream::iter(running.into_iter().map(|listed| look(listed.id)));
    let looks: Vec<Option<Result<Found, Unseen>>> = looks.buffered(LOOKS_AT_ONCE).collect().await;
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    for look in looks.into_iter().flatten() {
        match look {
            Ok(one) => found.push(one),
            Err(one) => unseen.push(one),
        }
    }
    Ok((found, unseen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Container;
    use crate::container::event::Listed;
    use crate::edge::engine::{DockerError, Subscription};
    use crate::record::testing::id;

    /// Lists two: one that cannot be looked at, and one that has gone meanwhile.
    struct Sick;

    #[async_trait::async_trait]
    impl Docker for Sick {
        async fn events(&self) -> Result<Subscription, DockerError> {
            Err(DockerError::Timeout("/events"))
        }

        async fn running(&self) -> Result<Vec<Listed>, DockerError> {
            Ok([1, 2].map(|n| Listed { id: id(n), fingerprint: String::new() }).to_vec())
        }

        async fn inspect(&self, asked: &ContainerId) -> Result<Option<Container>, DockerError> {
            if *asked == id(1) { Err(DockerError::Timeout("/containers/<id>/json")) } else { Ok(None) }
        }
    }

    #[tokio::test]
    async fn an_engine_that_is_away_is_so_for_a_reason_of_a_kind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker.sock");
        let kind = async || {
            let docker = UnixDocker::new(path.clone(), Scope::new("sd.internal", "web1"));
            away(&docker.version().await.unwrap_err()).kind
        };
        assert_eq!(kind().await, AwayKind::NoSocket);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert_eq!(kind().await, AwayKind::NotThere);
        assert_eq!(away(&DockerError::Timeout("/version")).kind, AwayKind::Hangs);
    }

    #[tokio::test]
    async fn one_that_cannot_be_looked_at_is_named_and_fails_no_other() {
        let (found, unseen) = containers(&Sick, None).await.unwrap();
        let unseen: Vec<_> = unseen.into_iter().map(|unseen| unseen.id).collect();
        assert_eq!((found, unseen), (Vec::new(), vec![id(1)]));
    }
}
