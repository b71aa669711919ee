//! The batches of a whole agent, in every form that there is of them, for the check of its policies.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use ecssd::actors::Exit;
use ecssd::container::Network;
use ecssd::edge::engine::{Tasks, TasksError};
use ecssd::record::{ContainerId, Owner};
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::recorded::same_as_recorded;
use ecssd_testing::route53::endpoint::Endpoint;

/// Every task has an address of its own.
struct Addressed;

#[async_trait]
impl Tasks for Addressed {
    async fn address(&self, _id: &ContainerId) -> Result<Option<Ipv4Addr>, TasksError> {
        Ok(Some(Ipv4Addr::new(10, 0, 1, 7)))
    }

    async fn is_to_stop(&self, _id: &ContainerId) -> Result<bool, TasksError> {
        Ok(false)
    }
}

#[tokio::test(start_paused = true)]
async fn the_agent_sends_what_its_policy_was_checked_with() {
    let docker = ScriptedDocker::default();
    let mut world = World::start_as(docker, &Endpoint::new(ZONE), |dependencies| {
        dependencies.tasks = Arc::new(Addressed);
        dependencies.writer.registrant.owner = Owner::new("i-0123456789abcdef0").unwrap();
    })
    .await;
    // Its first batch: the host's address, and services of all protocols and forms of names.
    world.docker.start(1, "_web._tcp", 32_001);
    let calc = world.docker.start(2, "_calc._tcp", 32_002);
    world.docker.start(3, "calc", 32_003);
    world.pass(5).await;
    // A service that fails, and recovers.
    world.checks.fail(32_002);
    world.pass(60).await;
    world.checks.pass(32_002);
    world.pass(60).await;
    // A port that another container takes over from one that is gone, and from one that is still there: a swap.
    world.docker.die(&calc);
    world.docker.start(4, "_calc._tcp", 32_002);
    world.pass(30).await;
    world.docker.start(7, "_dns._tcp", 32_001);
    world.pass(30).await;
    // A copy with names of all three kinds.
    crate::names::start(&world.docker, 8);
    world.pass(30).await;
    // A task with an address of its own.
    let pause = world.docker.start(5, "_none._tcp", 32_005);
    world.docker.change(&pause, |pause| {
        pause.services.clear();
        pause.network = Network::Isolated;
    });
    let task = world.docker.start(6, "_task._tcp", 32_006);
    world.docker.set_task(&task, "arn:aws:ecs:us-east-1:111122223333:task/demo/1");
    world.docker.change(&task, |task| task.network = Network::Shared(pause.clone()));
    world.pass(60).await;
    world.docker.kill(&task, 15);
    world.pass(5).await;
    world.agent.stop();
    assert_eq!(world.ended().await, Exit::Drained);
    same_as_recorded("agent", &world.endpoint.batches());
}
