//! Two agents and one state directory: one of them waits.

use ecssd_testing::route53::front::Counts;
use ecssd_testing::wait::service;
use ecssd_testing::world::World;

#[test]
fn a_second_agent_of_one_state_directory_waits_and_gives_up() {
    let world = World::new("locked");
    let name = service("kept");
    let mut first = world.settled_agent();
    let web = world.web(&name, &[]);
    world.registered(&first, &name, web.host_port("80/tcp"));
    world.front.forget();
    let mut second = world.agent(&[]);
    second.says("waiting for it to hand over");
    assert_eq!(second.ended(), Some(69));
    assert_eq!(second.said("another agent uses this state directory"), 1);
    assert_eq!(world.front.counts(), Counts::default());
    assert!(!first.has_ended());
    assert_eq!(first.drain(), Some(0));
}

#[test]
fn sighup_hands_over_to_an_agent_that_waits() {
    let world = World::new("handover");
    let name = service("kept");
    let mut first = world.settled_agent();
    let web = world.web(&name, &[]);
    world.registered(&first, &name, web.host_port("80/tcp"));
    let before = world.zone.raw();
    world.front.forget();
    let mut second = world.agent(&[]);
    second.says("waiting for it to hand over");
    assert!(!second.has_ended() && second.said("agent starts") == 0);
    assert_eq!(first.hand_over(), Some(0));
    second.says("agent starts");
    let later = service("later");
    let other = world.web(&later, &[]);
    world.registered(&second, &later, other.host_port("80/tcp"));
    assert_eq!(world.front.counts(), Counts { changes: 1, lists: 0, cost: 1 });
    drop(other);
    assert_eq!(second.drain(), Some(0));
    assert_eq!((before.len(), world.services().len()), (2, 0));
}
