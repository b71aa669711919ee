//! What an agent shows of itself: each container with where its life stops and why, each record, each call; and that
//! showing it changes nothing.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use ecssd::clock::Clock;
use ecssd::machine::agent::StopPlan;
use ecssd::machine::cordon::{Order, What, Wish};
use ecssd::record::{Owner, Registrant};
use ecssd::status::schema::{Container, RecordState, Status, StepState};
use ecssd::status::{Facts, Seen, Watch, assemble, metrics};
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::notices::ScriptedNotices;
use ecssd_testing::route53::endpoint::Endpoint;

/// An agent, and somebody who looks at it.
struct Watched {
    world: World,
    watch: Watch,
    clock: Clock,
}

impl Watched {
    async fn start() -> Self {
        Self::start_with(None).await
    }

    async fn start_with(notices: Option<&ScriptedNotices>) -> Self {
        let (mut seen, endpoint) = (None, Endpoint::new(ZONE));
        let world = World::start_as(ScriptedDocker::default(), &endpoint, |dependencies| {
            seen = Some((dependencies.board.watch(), dependencies.clock));
            dependencies.notices = notices.map(|notices| std::sync::Arc::new(notices.clone()) as _);
            dependencies.stop = StopPlan { delay: Duration::from_secs(20), ..StopPlan::default() };
        });
        let world = world.await;
        let (watch, clock) = seen.unwrap();
        Self { world, watch, clock }
    }

    fn seen(&self) -> Seen {
        Seen::of(&self.watch, Some(self.clock.now()))
    }

    fn status(&self) -> Status {
        let facts = Facts {
            registrant: Registrant {
                owner: Owner::new("web1").unwrap(),
                zone: ZONE.into(),
                address: [10, 0, 0, 7].into(),
            },
            zone_id: "Z1".into(),
            registry: "route53",
            dns: Vec::new(),
            dry_run: false,
        };
        assemble(Some(&facts), &self.seen())
    }

    fn container(&self, name: &str) -> Container {
        let status = self.status();
        status.containers.into_iter().find(|container| container.name == name).unwrap()
    }

    /// How the steps of a container's only service stand.
    fn life(&self, name: &str) -> Vec<StepState> {
        let [service] = &self.container(name).services[..] else { panic!("{:?}", self.container(name)) };
        service.life.iter().map(|step| step.state).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_weight_by_hand_shows_with_its_end_at_the_host_and_at_each_service_that_has_it() {
    let watched = Watched::start().await;
    watched.world.docker.start(1, "_web._tcp", 32001);
    watched.world.docker.start(2, "_api._tcp", 32002);
    watched.world.pass(12).await;
    let wish = Wish::Cordon { weight: 0, lasts: Some(Duration::from_secs(100)) };
    let order = Order { what: What::parse("_web._tcp").unwrap(), wish };
    watched.world.agent.hand().order(order).await.unwrap().unwrap();
    watched.world.pass(40).await;
    let status = watched.status();
    let [cordon] = &status.cordons[..] else { panic!("{:?}", status.cordons) };
    let name = format!("_web._tcp.{ZONE}");
    assert_eq!((cordon.scope.as_str(), &cordon.what, cordon.weight), ("service", &name, 0));
    assert!(cordon.ends_in.is_some_and(|seconds| (59.0..=60.0).contains(&seconds)), "{cordon:?}");
    let services = || status.containers.iter().flat_map(|container| &container.services);
    let by_hand: Vec<_> = services().map(|service| (service.name == name, service.cordoned)).collect();
    assert!(by_hand.contains(&(true, Some(0))) && by_hand.contains(&(false, None)), "{by_hand:?}");
    let registered = &services().find(|service| service.name == name).unwrap().life[3];
    let why = "at weight 0, by hand (ecssd --cordon)";
    assert_eq!((registered.state, registered.why.as_deref()), (StepState::Weak, Some(why)));
    let text = ecssd::status::text::render(&status);
    for words in [&format!("\ncordoned: service {name}, weight 0 for "), ", ends in ", "(weight 0 by hand): "]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let metrics = metrics::render(&status, &watched.seen());
    for line in [
        "ecssd_cordons{scope=\"service\"} 1",
        "ecssd_cordons{scope=\"all\"} 0",
        "ecssd_cordoned_containers 1",
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}: {metrics}");
    }
    watched.world.pass(70).await;
    assert_eq!(watched.status().cordons, []);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_registered_shows_its_whole_life_its_check_and_its_record() {
    let watched = Watched::start().await;
    watched.world.docker.start(1, "_web._tcp", 32001);
    watched.world.pass(12).await;
    let status = watched.status();
    assert!(status.ready, "{:?}", status.sources);
    let (host, zone) = (status.host.unwrap(), status.zone.unwrap());
    assert_eq!((host.name.as_str(), zone.name.as_str()), ("web1.sd.internal", ZONE));
    let container = watched.container("c1");
    assert_eq!((container.state.as_str(), container.waits_for.as_deref()), ("live", None));
    assert_eq!(watched.life("c1"), [StepState::Done; 4]);
    let [service] = &container.services[..] else { panic!("{container:?}") };
    assert_eq!(service.checked.as_ref().map(|checked| checked.outcome.as_str()), Some("passed"));
    let record = service.record.as_ref().unwrap();
    assert_eq!(
        record.observed.as_deref(),
        Some("_web._tcp.sd.internal. 0 IN SRV 1 1 32001 web1.sd.internal ; weight 1")
    );
    assert_eq!((record.desired.as_ref(), record.state), (record.observed.as_ref(), RecordState::Registered));
    // The host's address belongs to no container.
    let [host] = &status.records[..] else { panic!("{:?}", status.records) };
    assert_eq!((host.name.as_str(), host.r#type.as_str()), ("web1.sd.internal", "A"));
    let call = status.writer.calls.iter().find(|call| call.action == "ChangeResourceRecordSets").unwrap();
    assert_eq!((call.outcome.as_str(), call.writes, call.deletes), ("ok", 2, 0));
    assert_eq!((status.writer.queue, status.writer.refused), (0, 0));
    assert_eq!(status.docker.running, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_life_says_where_it_stops_and_why() {
    let watched = Watched::start().await;
    watched.world.checks.fail(32001);
    watched.world.docker.start(1, "_web._tcp", 32001);
    watched.world.pass(12).await;
    let waits = watched.container("c1").waits_for.unwrap();
    assert!(waits.contains("(TCP connect) has not passed for") && waits.contains("told to fail"), "{waits}");
    assert_eq!(watched.life("c1")[1], StepState::Waits);
    watched.world.checks.pass(32001);
    watched.world.pass(12).await;
    assert_eq!(watched.life("c1"), [StepState::Done; 4]);
    watched.world.checks.fail(32001);
    watched.world.pass(20).await;
    assert_eq!(watched.life("c1")[1..], [StepState::Weak, StepState::Done, StepState::Weak]);
    assert_eq!(watched.container("c1").waits_for, None, "its check fails, and there is nothing to wait for");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_port_is_told_who_has_it_and_not_that_a_check_fails() {
    let watched = Watched::start().await;
    watched.world.docker.start(1, "_web._tcp", 32001);
    watched.world.pass(12).await;
    // Docker publishes a port for one at a time: the first has ended, and Docker is yet to say so.
    watched.world.docker.start(2, "_api._tcp", 32001);
    watched.world.pass(70).await;
    let waits = watched.container("c1").waits_for.unwrap();
    assert!(waits.contains("host port 32001 is held by c2"), "{waits}");
    assert_eq!(watched.life("c1")[1..3], [StepState::Ahead, StepState::Waits]);
}

/// Of an agent that has registered and withdrawn something, so that it has a value of each.
#[tokio::test(start_paused = true)]
async fn its_metrics_are_as_prometheus_wants_them() {
    let watched = Watched::start().await;
    let id = watched.world.docker.start(1, "_web._tcp", 32001);
    watched.world.docker.start(2, "_web._tcp", 32002);
    watched.world.pass(12).await;
    watched.world.docker.die(&id);
    watched.world.pass(12).await;
    let text = metrics::render(&watched.status(), &watched.seen());
    for series in [
        "ecssd_ready 1",
        "ecssd_containers{state=\"live\"} 1",
        "ecssd_services{state=\"registered\"} 1",
        "ecssd_records_desired 2",
        "ecssd_records_observed 2",
        "ecssd_zone_changes_total{action=\"CREATE\"} 3",
        "ecssd_zone_changes_total{action=\"DELETE\"} 1",
        "ecssd_docker_running_containers 2",
        "ecssd_written_after_seconds_count 3",
    ] {
        assert!(text.lines().any(|line| line == series), "{series} is not in {text}");
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool, of Debian's package prometheus, is there");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
}

#[tokio::test(start_paused = true)]
async fn a_part_that_hangs_shows_as_one_that_was_not_heard_of() {
    let watched = Watched::start().await;
    watched.world.pass(1).await;
    watched.world.agent.heart().beats().await;
    let heard = |name: &str| {
        let parts = watched.status().parts;
        parts.into_iter().find(|part| part.name == name).unwrap().heard_ago
    };
    for part in ["DockerWatcher", "TaskResolver", "Registrar", "Route53Writer"] {
        assert_eq!(heard(part), 0.0, "{part}");
    }
    // Between two lists nothing happens on an empty host.
    watched.world.pass(50).await;
    assert_eq!(heard("Registrar"), 50.0);
}

#[tokio::test(start_paused = true)]
async fn a_notice_and_a_drain_show_what_leaves_and_what_is_left() {
    let notices = ScriptedNotices::default();
    let watched = Watched::start_with(Some(&notices)).await;
    watched.world.docker.start(1, "_web._tcp", 32001);
    watched.world.pass(12).await;
    assert_eq!(
        (watched.status().departure.leaving.as_str(), watched.status().stop.phase.as_str()),
        ("nobody", "serving")
    );
    notices.interrupt_in(100);
    watched.world.pass(8).await;
    let departure = watched.status().departure;
    assert_eq!(departure.leaving, "everybody");
    assert!(departure.withdrawn_in.is_some_and(|seconds| (60.0..80.0).contains(&seconds)), "{departure:?}");
    assert!(
        departure.notices.iter().any(|notice| notice.says.as_ref().is_some_and(|says| says.contains("ends")))
    );
    watched.world.agent.drain();
    watched.world.pass(2).await;
    let status = watched.status();
    assert_eq!(status.stop.phase, "delaying");
    assert!(!status.ready && status.sources.iter().any(|source| source.name == "stop" && !source.ready));
    assert_eq!(watched.life("c1")[3], StepState::Weak);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_zone_refuses_is_shown_with_its_reason() {
    let watched = Watched::start().await;
    watched.world.endpoint.deny(["_web._tcp.sd.internal".to_owned()]);
    watched.world.docker.start(1, "_web._tcp", 32001);
    watched.world.pass(12).await;
    let container = watched.container("c1");
    let record = container.services[0].record.as_ref().unwrap();
    assert_eq!(record.state, RecordState::Refused, "{record:?}");
    assert!(container.waits_for.unwrap().contains("the zone refused it"), "{:?}", watched.status().writer);
}
