//! The batches of the janitor, in every form that there is of them, for the check of its policy.

use std::sync::Arc;
use std::time::Duration;

use ecssd::janitor::run::run;
use ecssd::record::RecordType;
use ecssd_testing::http::serve;
use ecssd_testing::recorded::same_as_recorded;

use crate::ecs::{Ecs, Task};
use crate::route53::Route53;
use crate::scene::{
    clients, docker_id, host_record, legacy, options, port, record, silent_port, srv, zone_at,
};
use ecssd_testing::route53::model::ID;

const ZONE: &str = "sd.internal";
const ALIVE: &str = "i-00000000000000001";
const DEAD: &str = "i-00000000000000002";
/// A host of the predecessor, by its address; nobody listens there.
const LEGACY: &str = "ip-127-0-0-1.ec2.internal";

#[tokio::test]
async fn the_janitor_sends_what_its_policy_was_checked_with() {
    let (route53, ecs) = (Route53::start(ZONE, Duration::ZERO), Ecs::start());
    let ec2 = crate::ec2::Ec2::default();
    let states = [(ALIVE, "running", "127.0.0.1"), (DEAD, "terminated", "10.0.0.2")];
    ec2.instances.lock().unwrap().extend(states.map(|(id, state, ip)| (id.into(), state, ip.into())));
    ecs.host("web", ALIVE);
    ecs.define("_web._tcp", "bridge", "_web._tcp");
    ecs.define("time", "bridge", "time");
    route53.create(vec![
        host_record(ZONE, ALIVE, "127.0.0.1"),
        host_record(ZONE, DEAD, "10.0.0.2"),
        host_record(ZONE, LEGACY, "127.0.0.1"),
    ]);
    // Six tasks that run, of which one has to say something to be believed alive; and one of a host that is gone, with
    // an address of its own.
    let url = serve(|_| (200, "text/plain", String::new()));
    let mut ports = vec![port(&url); 5];
    ports.push(silent_port());
    for (n, port) in ports.into_iter().enumerate() {
        let container = docker_id(n as u64);
        route53.create(vec![legacy(ZONE, "time", LEGACY, &container, port)]);
        let (host, binding) = (Some(ALIVE.to_owned()), Some((80, port)));
        let definition = "time".to_owned();
        ecs.task("web", Task { definition, host, status: "RUNNING", container, binding, address: None });
    }
    let gone = docker_id(99);
    let (label, of_task) = (&gone[..12], format!("{DEAD}:{gone}"));
    let address = record(format!("{label}.{ZONE}"), RecordType::A, of_task, 60, "10.0.1.7".into());
    route53.create(vec![srv(ZONE, "_web._tcp", DEAD, &gone, 32_001), address]);
    let zone = Arc::new(zone_at(&route53.url, ZONE, ID).await);
    // The address that nothing points to any more goes in a later run, and the hint changes when a host has come.
    for n in 3..6 {
        let clients = clients(zone.clone(), &ecs, &ec2.start(Duration::ZERO)).await;
        run(&options(&["--apply", "--check-health"]), &clients).await;
        let next = format!("i-0000000000000000{n}");
        ecs.host("web", &next);
        route53.create(vec![host_record(ZONE, &next, "10.0.0.9")]);
        ec2.instances.lock().unwrap().push((next, "running", "10.0.0.9".into()));
    }
    same_as_recorded("janitor", &route53.counts().1);
}
