//! The ECS agent of a host, as far as its introspection goes.

use crate::http::{Request, serve};

/// The task that [`introspection`] knows.
pub const TASK_LABEL: &str = "com.amazonaws.ecs.task-arn=arn:aws:ecs:eu-central-1:1:task/c/t";

/// Says of every container that it belongs to a task whose network interface has this address, as the ECS agent
/// does; returns the URL. Asked for its container instance, it knows the cluster alone.
pub fn introspection(address: &'static str) -> String {
    serve(move |request| match asked_of(request) {
        None if request.target() == "/v1/metadata" => {
            (200, "application/json", r#"{"Cluster":"c","ContainerInstanceArn":null}"#.to_owned())
        }
        None => (404, "text/plain", String::new()),
        Some(id) => (200, "application/json", task(id, address)),
    })
}

fn asked_of(request: &Request) -> Option<&str> {
    request.target().split_once("dockerid=").map(|(_, id)| id)
}

fn task(id: &str, address: &str) -> String {
    format!(
        r#"{{"Arn":"arn:aws:ecs:eu-central-1:1:task/c/t","DesiredStatus":"RUNNING","KnownStatus":"RUNNING",
        "Family":"f","Version":"1","Containers":[{{"DockerId":"{id}","DockerName":"d","Name":"n",
        "Networks":[{{"NetworkMode":"awsvpc","IPv4Addresses":["{address}"]}}]}}]}}"#
    )
}
