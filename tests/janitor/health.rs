//! Targets that are asked, over the network: what follows from those that do not answer.

use std::sync::Arc;
use std::time::Duration;

use ecssd::janitor::run::run;
use ecssd::janitor::summary::RunSummary;

use crate::ecs::{Ecs, Task};
use crate::route53::Route53;
use crate::scene::{clients, docker_id, host_record, legacy, options, port, silent_port, srv, zone_at};
use ecssd_testing::http::serve;
use ecssd_testing::route53::model::ID;

const ZONE: &str = "sd.internal";
const HOST: &str = "i-00000000000000001";
/// A host of the predecessor, by its address.
const LEGACY: &str = "ip-127-0-0-1.ec2.internal";

/// A port that answers, and one that does not.
fn ports() -> (u16, u16) {
    let url = serve(|request| {
        let status = if request.target() == "/alive" { 200 } else { 404 };
        (status, "text/plain", String::new())
    });
    (port(&url), silent_port())
}

/// Four targets of one service, the last of which is silent; likewise of the predecessor.
async fn asked(arguments: &[&str]) -> (RunSummary, Ecs, Route53) {
    let (route53, ecs) = (Route53::start(ZONE, Duration::ZERO), Ecs::start());
    let ec2 = crate::ec2::Ec2::default();
    ec2.instances.lock().unwrap().push((HOST.into(), "running", "127.0.0.1".into()));
    ecs.host("web", HOST);
    ecs.define("_web._tcp", "bridge", "_web._tcp");
    ecs.define("time", "bridge", "time");
    route53.create(vec![host_record(ZONE, HOST, "127.0.0.1"), host_record(ZONE, LEGACY, "127.0.0.1")]);
    let (answers, silent) = ports();
    for n in 0..8 {
        let port = if n % 4 == 3 { silent } else { answers };
        let (container, is_former) = (docker_id(n), n > 3);
        let service = if is_former { "time" } else { "_web._tcp" };
        route53.create(vec![match is_former {
            true => legacy(ZONE, service, LEGACY, &container, port),
            false => srv(ZONE, service, HOST, &container, port),
        }]);
        let host = Some(HOST.to_owned());
        let binding = Some((80, port));
        let definition = service.to_owned();
        ecs.task("web", Task { definition, host, status: "RUNNING", container, binding, address: None });
    }
    let zone = zone_at(&route53.url, ZONE, ID).await;
    let clients = clients(Arc::new(zone), &ecs, &ec2.start(Duration::ZERO)).await;
    let (_, summary) = run(&options(arguments), &clients).await;
    (summary, ecs, route53)
}

fn weights(route53: &Route53) -> Vec<i64> {
    let sets = route53.zone.snapshot().into_iter();
    sets.filter(|set| set.name.starts_with("time.")).filter_map(|set| set.weight()).collect()
}

#[tokio::test]
async fn is_not_asked_unless_told() {
    let (summary, ecs, route53) = asked(&["--apply"]).await;
    assert_eq!((summary.health, ecs.with(|ecs| ecs.stopped.len())), (None, 0));
    assert_eq!(weights(&route53), [1; 4]);
}

#[tokio::test]
async fn the_predecessors_go_to_weight_0_and_tasks_are_stopped_only_where_told() {
    let health = ["--apply", "--check-health", "--check-health-path", "/alive"];
    let (summary, ecs, route53) = asked(&health).await;
    let told = summary.health.unwrap();
    assert_eq!((told.asked, told.silent.len(), told.unhealthy.len(), told.distrusted), (8, 2, 1, false));
    assert_eq!(ecs.with(|ecs| ecs.stopped.len()), 0);
    let mut weights = weights(&route53);
    weights.sort_unstable();
    assert_eq!((weights, route53.marks().len()), (vec![0, 1, 1, 1], 10));

    let (summary, ecs, _) = asked(&[&health[..], &["--stop-unhealthy"]].concat()).await;
    assert_eq!(summary.health.unwrap().stopped.len(), 1);
    assert_eq!(ecs.with(|ecs| ecs.stopped.clone()), [&docker_id(3)[32..]]);
}

#[tokio::test]
async fn a_plan_stops_nothing_and_weighs_nothing() {
    let plan = ["--check-health", "--check-health-path", "/alive", "--stop-unhealthy"];
    let (summary, ecs, route53) = asked(&plan).await;
    assert_eq!((summary.health.unwrap().unhealthy.len(), ecs.with(|ecs| ecs.stopped.len())), (1, 0));
    assert_eq!(weights(&route53), [1; 4]);
}

/// A path that nobody knows is like a prober without a way to its targets.
#[tokio::test]
async fn fault_23_where_most_are_silent_nothing_follows() {
    let (summary, ecs, route53) = asked(&["--apply", "--check-health", "--stop-unhealthy"]).await;
    let health = summary.health.unwrap();
    assert_eq!((health.silent.len(), health.distrusted, health.stopped.len()), (8, true, 0));
    assert_eq!(ecs.with(|ecs| ecs.stopped.len()), 0);
    assert_eq!(weights(&route53), [1; 4]);
}
