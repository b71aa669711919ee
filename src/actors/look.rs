//! One look at a container: at itself, at the one whose network it shares, and at its task's address.
//!
//! Owns whom a look asks. When one is due is for [`crate::machine::looks`], what it means for the TaskResolver.

use super::messages::Look;
use crate::container::Network;
use crate::edge::engine::{Docker, Tasks};
use crate::machine::lifecycle::Desired;
use crate::record::ContainerId;

/// Looks once; `at_task` also at what ECS wants of a container's task.
pub(super) async fn look(
    docker: &dyn Docker,
    tasks: &dyn Tasks,
    id: &ContainerId,
    at_task: bool,
) -> Result<Look, String> {
    let Some(container) = docker.inspect(id).await.map_err(|error| error.to_string())? else {
        return Ok(Look::Nothing);
    };
    let network_owner = match &container.network {
        Network::Shared(owner) if !container.services.is_empty() => {
            docker.inspect(owner).await.map_err(|error| error.to_string())?
        }
        _ => None,
    };
    // The pause container of an awsvpc task has no network that Docker knows of.
    let own_interface = network_owner.as_ref().is_some_and(|owner| owner.network == Network::Isolated);
    let task_address = if container.task_arn.is_some() && own_interface {
        let address = tasks.address(id).await.map_err(|error| error.to_string())?;
        // It can lag behind the container's start.
        Some(address.ok_or_else(|| "the ECS agent does not know its task's address yet".to_owned())?)
    } else {
        None
    };
    let desired = match container.task_arn {
        // An ECS agent that does not answer says nothing.
        Some(_) if at_task => match tasks.is_to_stop(id).await {
            Ok(true) => Desired::Stopped,
            Ok(false) | Err(_) => Desired::Unsaid,
        },
        _ => Desired::Unasked,
    };
    Ok(Look::Container {
        container: Box::new(container),
        network_owner: network_owner.map(Box::new),
        task_address,
        desired,
    })
}
