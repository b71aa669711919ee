//! The predecessor's faults in how it followed containers, and in how it lived: each by its number, with
//! what holds here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ecssd::record::RecordType;
use ecssd_testing::docker::engine::Container;
use ecssd_testing::ecs::{TASK_LABEL, introspection};
use ecssd_testing::http::serve;
use ecssd_testing::route53::front::{Act, Kind, Seen};
use ecssd_testing::wait::service;
use ecssd_testing::world::{World, port};

/// A container that goes on after SIGTERM until it is told that it may end.
fn graceful(world: &World, name: &str) -> Container {
    let key = format!("SERVICE_80_NAME={name}");
    world.engine.graceful("TERM", &["-l", &world.label, "-e", &key, "-e", "SERVICE_80_CHECK=none"])
}

/// After a restart of Docker it was deaf, and spun.
#[test]
fn fault_03_docker_is_found_again_without_spinning() {
    let world = World::new("fault");
    let (before, meanwhile) = (service("before"), service("meanwhile"));
    let web = world.web(&before, &[]);
    let agent = world.agent(&[]);
    let set = world.registered(&agent, &before, web.host_port("80/tcp"));
    world.window.shut();
    let shut = Instant::now();
    agent.says("Docker is away");
    let other = world.web(&meanwhile, &[]);
    agent.wait_for("it to try again", || (world.window.connections() >= 3).then_some(()));
    let (tried, most) = (world.window.connections(), 10.0 + 10.0 * shut.elapsed().as_secs_f64());
    assert!((tried as f64) < most, "{tried} connections");
    assert_eq!(world.zone.named(&before), [set]);
    world.window.open_again();
    world.registered(&agent, &meanwhile, other.host_port("80/tcp"));
}

/// A timer that blocked stopped everything, while the process lived.
#[test]
fn fault_04_a_call_that_hangs_holds_nothing_up_for_ever() {
    let world = World::new("fault");
    let names = [service("first"), service("second")];
    world.front.on(Kind::Change, Act::HoldBefore);
    let first = world.web(&names[0], &[]);
    let agent = world.agent(&[]);
    world
        .front
        .wait_for("a change", |seen| seen.iter().any(|seen| seen.kind == Kind::Change && seen.answered));
    // The first one never gets its answer; the others do.
    world.front.on(Kind::Change, Act::Pass);
    let second = world.web(&names[1], &[]);
    world.registered(&agent, &names[1], second.host_port("80/tcp"));
    world.registered(&agent, &names[0], first.host_port("80/tcp"));
}

/// A container that died before it was inspected ended the agent, and the unit removed every record.
#[test]
fn fault_05_what_dies_at_once_harms_nobody() {
    let world = World::new("fault");
    let (name, brief) = (service("web"), service("brief"));
    let web = world.web(&name, &[]);
    let mut agent = world.agent(&[]);
    let set = world.registered(&agent, &name, web.host_port("80/tcp"));
    let key = format!("SERVICE_80_NAME={brief}");
    // It asks about one that runs, and hears of it when it is no more.
    world.window.hold(true);
    let container = world.run(&["-p", "80", "-e", &key, "-e", "SERVICE_80_CHECK=none"], &["sleep", "1000"]);
    agent.wait_for("a question", || (world.window.held() > 0).then_some(()));
    drop(container);
    world.window.hold(false);
    let later = service("later");
    let other = world.web(&later, &[]);
    world.registered(&agent, &later, other.host_port("80/tcp"));
    world.gone(&agent, &brief);
    assert_eq!((world.zone.named(&name), agent.has_ended()), (vec![set], false));
}

/// `start` and `die` raced: a record stayed that nobody removed.
#[test]
fn fault_06_a_restless_container_ends_as_it_is() {
    let world = World::new("fault");
    let (gone, kept) = (service("gone"), service("kept"));
    let agent = world.agent(&[]);
    let containers = world.many(&[gone.clone(), kept.clone()]);
    for _ in 0..3 {
        containers.iter().for_each(|container| container.docker(&["restart", "-t", "0"]));
    }
    containers[0].docker(&["kill"]);
    world.registered(&agent, &kept, containers[1].host_port("80/tcp"));
    world.gone(&agent, &gone);
    // Nothing of it comes later either.
    let later = service("later");
    let marker = world.web(&later, &[]);
    world.registered(&agent, &later, marker.host_port("80/tcp"));
    assert_eq!((world.zone.named(&gone).len(), world.zone.named(&kept).len()), (0, 1));
}

/// Nothing was ever repaired.
#[test]
fn fault_13_what_was_lost_is_found_again() {
    let world = World::new("fault");
    let (lost, unheard) = (service("lost"), service("unheard"));
    let web = world.web(&lost, &[]);
    let agent = world.agent(&["--resync", "1s", "--rate", "100"]);
    let set = world.registered(&agent, &lost, web.host_port("80/tcp"));
    world.zone.delete(std::slice::from_ref(&set));
    assert_eq!(world.registered(&agent, &lost, port(&set)), set);
    // Events that never came: it stops while nobody listens.
    world.window.shut();
    agent.says("Docker is away");
    web.docker(&["kill"]);
    let other = world.web(&unheard, &[]);
    world.window.open_again();
    world.gone(&agent, &lost);
    world.registered(&agent, &unheard, other.host_port("80/tcp"));
}

/// Records went when the process was dead, and SIGTERM was not handled.
#[test]
fn fault_14_a_record_goes_before_its_process() {
    let world = World::new("fault");
    let names = [service("stopped"), service("drained")];
    let stopped = graceful(&world, &names[0]);
    let drained = graceful(&world, &names[1]);
    let mut agent = world.agent(&[]);
    agent.wait_for("both", || (world.services().len() == 2).then_some(()));
    stopped.stop_around(|| world.gone(&agent, &names[0]));
    assert_eq!((agent.drain(), world.services(), drained.is_running()), (Some(0), vec![], true));
}

/// It registered what could not answer yet.
#[test]
fn fault_15_a_service_comes_once_it_answers() {
    let world = World::new("fault");
    let (slow, prompt) = (service("slow"), service("prompt"));
    let agent = world.agent(&[]);
    let command = "while ! test -e /ready; do sleep 0.05; done; exec httpd -f -p 80 -h /www";
    let slow_web = world.run(&["-p", "80", "-e", &format!("SERVICE_80_NAME={slow}")], &["sh", "-c", command]);
    let prompt_web = world.web(&prompt, &[]);
    world.registered(&agent, &prompt, prompt_web.host_port("80/tcp"));
    assert_eq!(world.zone.named(&slow), []);
    slow_web.exec(&["touch", "/ready"]);
    world.registered(&agent, &slow, slow_web.host_port("80/tcp"));
}

/// A container of an ECS task that has a network of its own, and the container that keeps that network.
fn task(world: &World, name: &str) -> [Container; 2] {
    let pause = world.run(&["--network", "none"], &["sleep", "1000"]);
    let (key, network) = (format!("SERVICE_80_NAME={name}"), format!("container:{}", pause.id));
    let options = ["--network", &network, "-e", &key, "-e", "SERVICE_80_CHECK=none", "-l", TASK_LABEL];
    [world.run(&options, &["sleep", "1000"]), pause]
}

/// It knew bridges with published ports, and said nothing of the rest. IPv6 is still to come, and said.
#[test]
fn fault_16_every_network_is_registered_or_said_to_be_none() {
    let world = World::new("fault");
    let agent = world.agent(&["--ecs-introspection", &introspection("10.9.8.7")]);
    let [bridge, host, awsvpc, six] = ["bridge", "host", "awsvpc", "six"].map(service);
    let web = world.web(&bridge, &[]);
    let key = format!("SERVICE_8080_NAME={host}");
    let _host =
        world.run(&["--network", "host", "-e", &key, "-e", "SERVICE_8080_CHECK=none"], &["sleep", "1000"]);
    let [container, _pause] = task(&world, &awsvpc);
    let six_web = world.run(
        &["-p", "[::1]::80", "-e", &format!("SERVICE_80_NAME={six}"), "-e", "SERVICE_80_CHECK=none"],
        &["sleep", "1000"],
    );
    world.registered(&agent, &bridge, web.host_port("80/tcp"));
    world.registered(&agent, &host, 8_080);
    let set = world.registered(&agent, &awsvpc, 80);
    let target = world.zone.full(&container.id[..12]);
    assert_eq!(set.values, [format!("1 1 80 {target}")]);
    let addresses: Vec<_> = world.zone.sets().into_iter().filter(|set| set.name == target).collect();
    assert_eq!((addresses[0].kind, &addresses[0].values[..]), (RecordType::A, &["10.9.8.7".to_owned()][..]));
    let said =
        |line: &serde_json::Value| line["container"] == six_web.id[..12] && line.to_string().contains("IPv6");
    agent.wait_for("a word of IPv6", || agent.log_lines().iter().any(said).then_some(()));
    assert_eq!(world.zone.named(&six), []);
}

/// It made JSON by hand, and panicked where the introspection did not know a container.
#[test]
fn fault_18_an_introspection_that_knows_nothing_harms_nobody() {
    for body in ["{}", "", "{\"Arn\":\"a\\\"b\",\"Containers\":[{}]}"] {
        let world = World::new("fault");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let url = serve(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            (200, "application/json", body.to_owned())
        });
        let mut agent = world.agent(&["-cw-send-events", "--ecs-introspection", &url]);
        let (unknown, name) = (service("unknown"), service("web"));
        let _task = task(&world, &unknown);
        agent.wait_for("a question", || (asked.load(Ordering::Relaxed) > 0).then_some(()));
        let web = world.web(&name, &[]);
        world.registered(&agent, &name, web.host_port("80/tcp"));
        assert_eq!((world.zone.named(&unknown), agent.said("failed and is started again")), (vec![], 0));
        assert_eq!(agent.drain(), Some(0));
    }
}

/// After three retries a throttled record was lost.
#[test]
fn fault_19_a_throttled_record_is_never_lost() {
    let world = World::new("fault");
    let (there, comes) = (service("there"), service("comes"));
    let web = world.web(&there, &[]);
    let agent = world.agent(&[]);
    world.registered(&agent, &there, web.host_port("80/tcp"));
    agent.says("zone read");
    world.front.forget();
    world.front.on(Kind::Change, Act::Throttle);
    let other = world.web(&comes, &[]);
    web.docker(&["kill"]);
    let throttled = |seen: &[Seen]| seen.iter().filter(|seen| seen.kind == Kind::Change).count();
    world.front.wait_for("more than three", |seen| throttled(seen) > 3);
    assert_eq!((world.zone.named(&there).len(), world.zone.named(&comes).len()), (1, 0));
    world.front.on(Kind::Change, Act::Pass);
    world.registered(&agent, &comes, other.host_port("80/tcp"));
    world.gone(&agent, &there);
    // Nothing was taken apart for it: what waited went in one call.
    let passed = |seen: &Seen| seen.kind == Kind::Change && seen.act == Act::Pass;
    let calls = world.front.seen().iter().filter(|seen| passed(seen)).count();
    assert_eq!((calls, world.front.counts().lists), (1, 0));
}
