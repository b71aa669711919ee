//! One inspection of a container: of itself, of the one whose network it shares, and of its task's address.
//!
//! Owns who is asked. When one is due, and what it means, is for [`crate::machine::task_resolver`].

use super::{Docker, DockerError, Tasks, TasksError};
use crate::container::Network;
use crate::machine::lifecycle::Desired;
use crate::machine::task_resolver::Inspection;
use crate::record::ContainerId;

/// Why a container could not be inspected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectionError {
    /// Docker did not answer.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// The ECS agent did not answer.
    #[error(transparent)]
    Tasks(#[from] TasksError),
    /// The ECS agent answers, and lags behind the container's start.
    #[error("the ECS agent does not know its task's address yet")]
    AddressUnknown,
}

/// Asks once; with `at_task` also what ECS wants of the container's task.
///
/// # Errors
/// When Docker does not answer, or the ECS agent does not know the task's address yet.
pub async fn inspect(
    docker: &dyn Docker,
    tasks: &dyn Tasks,
    id: &ContainerId,
    at_task: bool,
) -> Result<Inspection, InspectionError> {
    let Some(container) = docker.inspect(id).await? else {
        return Ok(Inspection::Nothing);
    };
    let network_owner = match &container.network {
        Network::Shared(owner) if !container.services.is_empty() => docker.inspect(owner).await?,
        _ => None,
    };
    // The pause container of an awsvpc task has no network that Docker knows of.
    let own_interface = network_owner.as_ref().is_some_and(|owner| owner.network == Network::Isolated);
    let task_address = if container.task_arn.is_some() && own_interface {
        Some(tasks.address(id).await?.ok_or(InspectionError::AddressUnknown)?)
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
    Ok(Inspection::Container {
        container: Box::new(container),
        network_owner: network_owner.map(Box::new),
        task_address,
        desired,
    })
}
