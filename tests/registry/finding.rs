//! Which zone it is.

use std::os::unix::fs::PermissionsExt as _;

use ecssd_testing::route53::front::Counts;
use ecssd_testing::route53::hosted::{HostedZone, unique_zone};
use ecssd_testing::wait::service;
use ecssd_testing::world::World;

#[test]
fn a_zone_that_comes_after_the_agent_is_found() {
    let name = unique_zone("late");
    let mut world = World::with_zone(HostedZone::absent(&name));
    let service = service("web");
    let web = world.web(&service, &[]);
    let mut agent = world.agent(&[]);
    agent.says("make a private one");
    // Who wonders why can ask.
    agent.wait_for("its socket", || world.state().join("status.sock").exists().then_some(()));
    let mode = std::fs::metadata(world.state()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others could read what the journal knows, or write it");
    world.zone = HostedZone::make(&name, true);
    world.registered(&agent, &service, web.host_port("80/tcp"));
    assert_eq!(agent.drain(), Some(0));
}

#[test]
fn a_zone_that_is_made_anew_under_its_old_name_is_found_by_the_same_process() {
    let mut world = World::new("anew");
    let (first, second) = (service("web"), service("api"));
    let one = world.web(&first, &[]);
    let mut agent = world.agent(&[]);
    world.registered(&agent, &first, one.host_port("80/tcp"));
    let gone = world.zone.clone();
    gone.remove();
    // What is to be written next is told that there is no such zone.
    let other = world.web(&second, &[]);
    agent.says("no such hosted zone");
    world.zone = HostedZone::make(&gone.name, true);
    for (name, container) in [(&first, &one), (&second, &other)] {
        world.registered(&agent, name, container.host_port("80/tcp"));
    }
    assert_ne!(world.zone.id, gone.id);
    assert_eq!((agent.said("zone_replaced"), agent.said("handed_over")), (1, 0));
    // Its status is that of the new one.
    assert_eq!(agent.drain(), Some(0));
}

#[test]
fn a_command_that_is_soon_over_waits_for_no_zone_that_is_not_there() {
    let world = World::with_zone(HostedZone::absent(&unique_zone("nowhere")));
    for option in ["--sync", "--remove"] {
        let (code, task) = world.task(&[option]);
        assert_eq!(code, Some(69), "{}", task.log());
        assert_eq!((task.said("there is no hosted zone"), task.said("one_shot_timeout")), (1, 0));
    }
}

#[test]
fn where_there_is_doubt_nothing_is_written_and_an_id_settles_it() {
    let world = World::new("twin");
    let twin = HostedZone::make(&world.zone.name, true);
    let service = service("web");
    let web = world.web(&service, &[]);
    let mut agent = world.agent(&[]);
    agent.says("several private hosted zones");
    agent.says("pass --zone-id ID");
    for id in [&world.zone.id, &twin.id] {
        assert!(agent.said(id) > 0);
    }
    assert_eq!(world.front.counts(), Counts::default());
    // It has written nothing that it knows of, and says that there may be more.
    assert_eq!(agent.drain(), Some(75));
    let mut agent = world.agent(&["--zone-id", &world.zone.id]);
    world.registered(&agent, &service, web.host_port("80/tcp"));
    assert_eq!(agent.drain(), Some(0));
    assert_eq!(twin.raw(), Vec::<String>::new());
}

#[test]
fn a_public_zone_is_never_written_to() {
    let world = World::with_zone(HostedZone::make(&unique_zone("public"), false));
    let service = service("web");
    let web = world.web(&service, &[]);
    let by_id = ["--zone-id", world.zone.id.as_str()];
    for options in [&[][..], &by_id[..]] {
        let agent = world.agent(options);
        agent.says("is public");
        agent.says("pass a");
    }
    assert_eq!(world.front.counts(), Counts::default());
    // With a private one of the same name there is no doubt.
    let private = HostedZone::make(&world.zone.name, true);
    let agent = world.agent(&[]);
    agent.wait_for("its record", || (private.named(&service).len() == 1).then_some(()));
    assert_eq!(world.zone.raw(), Vec::<String>::new());
    drop(web);
}
