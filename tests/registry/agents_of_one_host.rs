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

/// Each would undo what the other does, and `--remove` would empty a host that serves.
#[test]
fn a_command_beside_an_agent_is_refused_with_what_to_do() {
    let world = World::new("beside");
    let name = service("kept");
    let mut agent = world.settled_agent();
    let web = world.web(&name, &[]);
    world.registered(&agent, &name, web.host_port("80/tcp"));
    let before = world.zone.raw();
    for command in [&["--sync"][..], &["--remove"], &["--remove", "--hostname", "web99"]] {
        let (code, run) = world.task(command);
        assert_eq!((code, world.zone.raw()), (Some(69), before.clone()), "{command:?}: {}", run.log());
        assert_eq!(run.said("stop the agent first (SIGHUP keeps the records)"), 1, "{}", run.log());
        assert_eq!(run.said("--state-dir"), 0, "{}", run.log());
    }
    // One with a state directory of its own shows itself by its socket.
    let elsewhere = tempfile::TempDir::new().unwrap();
    let socket = world.state().join("status.sock");
    let (state, socket) = (elsewhere.path().to_str().unwrap(), socket.to_str().unwrap());
    let (code, run) = world.task(&["--remove", "--state-dir", state, "--status-socket", socket]);
    assert_eq!((code, world.zone.raw()), (Some(69), before), "{}", run.log());
    assert_eq!(run.said("it answers at its status socket"), 1, "{}", run.log());
    // A plan writes nothing.
    assert_eq!(world.task(&["--remove", "--dry-run"]).0, Some(0));
    assert_eq!(agent.drain(), Some(0));
}
