//! Names that no container of this host may have: they are refused with their reason, the others of the same container
//! are not; and what an earlier run registered under one of them goes.

use ecssd::actors::Exit;
use ecssd::container::convention::{Scope, parse};
use ecssd::record::{Action, ContainerId, Owner, RecordSet, RecordType, Registrant, Routing, Subject};
use ecssd::status::Watch;
use ecssd_testing::actors::{World, ZONE};
use ecssd_testing::docker::scripted::ScriptedDocker;
use ecssd_testing::route53::endpoint::Endpoint;

/// All kinds of names, those of a list too, and one that the fleet's setting derives.
const ENVIRONMENT: [&str; 3] =
    ["SERVICE_80_NAME=_web._tcp,_admin._tcp", "SERVICE_80_A=web,wpad", "SERVICE_80_TTL=30"];
const REFUSALS: [&str; 2] = [
    "SERVICE_80_NAME: _admin._tcp is none of the names that --names allows here: _web._tcp, web",
    "SERVICE_80_A: wpad begins with wpad, where browsers look for their proxy",
];

/// How an agent reads names that is told these.
fn scope(names: Option<&str>) -> Scope {
    let allowed = names.map(|names| names.parse().unwrap());
    Scope::new(ZONE, "web1").with_full_names(Some("-all".parse().unwrap())).with_allowed(allowed)
}

/// Has a container ask for these, as it is read by such an agent.
fn ask(docker: &ScriptedDocker, id: &ContainerId, environment: &[&str], scope: &Scope) {
    let convention = parse(environment.iter().copied(), [], scope);
    docker.change(id, |it| (it.services, it.bad_keys) = (convention.services, convention.bad_keys));
}

/// The names of services in the zone, without the zone.
fn names(endpoint: &Endpoint) -> Vec<String> {
    let services = endpoint.sets().into_iter().filter(|set| set.is_of_service());
    let mut names: Vec<_> =
        services.map(|set| set.name.trim_end_matches(ZONE).trim_end_matches('.').to_owned()).collect();
    names.sort();
    names
}

fn said(world: &World, text: &str) -> usize {
    world.log.lines().iter().filter(|line| line.contains(text)).count()
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_said_once_and_shown_and_never_written_and_the_rest_is() {
    let mut watch: Option<Watch> = None;
    let (docker, endpoint) = (ScriptedDocker::default(), Endpoint::new(ZONE));
    let world = World::start_as(docker, &endpoint, |it| watch = Some(it.board.watch())).await;
    let id = world.docker.start(1, "_other._tcp", 80);
    ask(&world.docker, &id, &ENVIRONMENT, &scope(Some("_web._tcp,web")));
    world.pass(5).await;
    assert_eq!(names(&endpoint), ["_web._tcp", "web"]);

    // It is looked at again for each of these, and nobody is told again.
    for _ in 0..5 {
        world.docker.change(&id, |_| {});
        world.pass(600).await;
    }
    // Of a key one line: the first thing that is wrong with it.
    let [of_name, of_address] = REFUSALS;
    assert_eq!([of_name, of_address].map(|text| said(&world, text)), [1, 1], "{:?}", world.log.lines());
    let troubles = watch.unwrap().troubles.latest().expect("it shows them");
    assert_eq!(troubles[&id], [of_address, of_name]);
    let written = world.batches_since(0).into_iter().flatten();
    let written: Vec<_> = written.filter(|change| change.set.is_of_service()).map(|it| it.set.name).collect();
    assert_eq!(written.len(), 2, "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn the_full_name_that_the_fleet_gives_is_judged_like_any_other() {
    let world = World::start().await;
    let id = world.docker.start(1, "_web._tcp", 80);
    let environment = ["SERVICE_80_NAME=_web._tcp"];
    ask(&world.docker, &id, &environment, &scope(Some("_web._tcp")));
    world.pass(5).await;
    assert_eq!(names(&world.endpoint), ["_web._tcp"]);
    let reason =
        "the full name of _web._tcp.sd.internal is none of the names that --names allows here: _web._tcp";
    assert_eq!(said(&world, reason), 1, "{:?}", world.log.lines());
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_started_anew_with_fewer_names_withdraws_the_rest_in_one_batch() {
    let mut world = World::start().await;
    let id = world.docker.start(1, "_web._tcp", 80);
    ask(&world.docker, &id, &ENVIRONMENT, &scope(None));
    world.pass(5).await;
    assert_eq!(
        names(&world.endpoint),
        ["_admin-all._tcp", "_admin._tcp", "_web-all._tcp", "_web._tcp", "web"]
    );
    let before = world.endpoint.batches().len();
    world.agent.hand_over();
    assert_eq!(world.ended().await, Exit::HandedOver);

    ask(&world.docker, &id, &ENVIRONMENT, &scope(Some("*._tcp")));
    let next = World::start_with(world.docker.clone(), &world.endpoint).await;
    next.pass(60).await;
    let [batch] = &next.batches_since(before)[..] else { panic!("{:?}", next.batches_since(before)) };
    let [change] = &batch[..] else { panic!("{batch:?}") };
    assert_eq!((change.action, change.set.kind), (Action::Delete, RecordType::A));
    assert_eq!(names(&next.endpoint), ["_admin-all._tcp", "_admin._tcp", "_web-all._tcp", "_web._tcp"]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_started_anew_with_no_name_of_a_container_withdraws_all_of_it() {
    let mut world = World::start().await;
    let id = world.docker.start(1, "_web._tcp", 80);
    ask(&world.docker, &id, &ENVIRONMENT, &scope(None));
    world.docker.start(2, "_other._tcp", 81);
    world.pass(5).await;
    world.agent.hand_over();
    assert_eq!(world.ended().await, Exit::HandedOver);

    ask(&world.docker, &id, &ENVIRONMENT, &scope(Some("_other._tcp")));
    let next = World::start_with(world.docker.clone(), &world.endpoint).await;
    next.pass(60).await;
    assert_eq!(names(&next.endpoint), ["_other._tcp"]);
    let gone = next.log.lines();
    assert!(gone.iter().any(|line| line.contains("_web._tcp")), "{gone:?}");
}

/// A container that asks for names of this TTL, on a host that gives new ones 300 s at most.
fn with_ttl(world: &World, seconds: u32) {
    let id = world.docker.start(1, "_web._tcp", 80);
    let ttl = format!("SERVICE_80_TTL={seconds}");
    let scope = Scope::new(ZONE, "web1").with_ttl_max(300);
    ask(&world.docker, &id, &["SERVICE_80_NAME=_web._tcp", &ttl], &scope);
}

/// Another host's record of the same service.
fn elsewhere(ttl: i64) -> RecordSet {
    let other =
        Registrant { owner: Owner::new("web2").unwrap(), zone: ZONE.into(), address: [10, 0, 0, 8].into() };
    let id: ContainerId = format!("{:064x}", 9).parse().unwrap();
    RecordSet {
        name: format!("_web._tcp.{ZONE}"),
        kind: RecordType::Srv,
        set_identifier: Some(other.mark(Subject::Service(id, 80)).to_string()),
        ttl,
        values: vec!["1 1 80 web2.sd.internal".into()],
        ..other.host_record()
    }
}

fn ttls(endpoint: &Endpoint) -> Vec<i64> {
    let services = endpoint.sets().into_iter().filter(RecordSet::is_of_service);
    services.map(|set| set.ttl).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_record_of_a_name_has_the_most_ttl_where_more_is_asked_for_and_that_is_said_once() {
    for (asked, has, warnings) in [(301, 300, 1), (300, 300, 0), (0, 0, 0)] {
        let world = World::start().await;
        with_ttl(&world, asked);
        world.pass(3_600).await;
        assert_eq!(ttls(&world.endpoint), [has]);
        assert_eq!(said(&world, "is more than --ttl-max, 300 seconds; 300 counts"), warnings);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ttl_that_a_name_has_is_taken_over_however_long_it_is() {
    for (theirs, asked) in [(3_600, 3_600), (3_600, 0), (90_000, 301), (60, 301)] {
        let endpoint = Endpoint::new(ZONE);
        assert!(endpoint.by_hand(Action::Create, elsewhere(theirs)));
        let world = World::start_with(ScriptedDocker::default(), &endpoint).await;
        with_ttl(&world, asked);
        world.pass(60).await;
        assert_eq!(ttls(&endpoint), [theirs, theirs], "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_service_shares_the_address_of_another_host_whatever_its_ttl_and_once_that_has_gone_it_has_the_name()
 {
    for ttl in [0, 59, 60, 61] {
        let endpoint = Endpoint::new(ZONE);
        let host = Registrant {
            owner: Owner::new("web2").unwrap(),
            zone: ZONE.into(),
            address: [10, 0, 0, 8].into(),
        };
        assert!(endpoint.by_hand(Action::Create, host.host_record()));
        let world = World::start_with(ScriptedDocker::default(), &endpoint).await;
        let id = world.docker.start(1, "_web._tcp", 80);
        let ttl = format!("SERVICE_80_TTL={ttl}");
        ask(
            &world.docker,
            &id,
            &["SERVICE_80_NAME=_web._tcp", "SERVICE_80_A=web2", &ttl],
            &Scope::new(ZONE, "web1"),
        );
        world.pass(60).await;
        let at_name = |endpoint: &Endpoint| {
            endpoint.sets().into_iter().filter(|set| set.name == "web2.sd.internal").collect::<Vec<_>>()
        };
        assert_eq!(at_name(&endpoint), [host.host_record()], "{ttl}");
        assert_eq!(names(&endpoint), ["_web._tcp"], "the other name of the container is registered");
        let reason = "host web2 has its address under this name; give the container another";
        assert_eq!(said(&world, reason), 1, "{:?}", world.log.lines());
        world.pass(3_600).await;
        assert_eq!(at_name(&endpoint), [host.host_record()]);

        assert!(endpoint.by_hand(Action::Delete, host.host_record()));
        world.pass(1_200).await;
        assert_eq!(names(&endpoint), ["_web._tcp", "web2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_stands_alone_under_a_name_is_refused_by_the_registry_and_holds_up_no_other() {
    let endpoint = Endpoint::new(ZONE);
    let alone = RecordSet {
        name: format!("web.{ZONE}"),
        kind: RecordType::A,
        set_identifier: None,
        routing: Routing::Simple,
        ttl: 0,
        values: vec!["10.0.0.9".into()],
    };
    assert!(endpoint.by_hand(Action::Create, alone.clone()));
    let world = World::start_with(ScriptedDocker::default(), &endpoint).await;
    let id = world.docker.start(1, "_web._tcp", 80);
    ask(&world.docker, &id, &["SERVICE_80_NAME=_web._tcp", "SERVICE_80_A=web"], &Scope::new(ZONE, "web1"));
    world.pass(60).await;
    assert!(endpoint.sets().contains(&alone));
    assert_eq!(names(&endpoint), ["_web._tcp"]);
    assert_eq!(said(&world, "the zone refused the change"), 1, "{:?}", world.log.lines());
}
