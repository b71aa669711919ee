//! An agent ends, however hard, and the next one goes on.

use ecssd::record::Action;
use ecssd_testing::process::Process;
use ecssd_testing::route53::front::{Act, Counts, Kind};
use ecssd_testing::wait::service;
use ecssd_testing::world::World;

#[test]
fn with_its_journal_a_new_agent_lists_and_writes_nothing() {
    let world = World::new("journal");
    let name = service("kept");
    let mut agent = world.settled_agent();
    let web = world.web(&name, &[]);
    world.registered(&agent, &name, web.host_port("80/tcp"));
    for kill in [false, true] {
        if kill {
            agent.kill_9();
        } else {
            assert_eq!(agent.hand_over(), Some(0));
        }
        let before = world.zone.raw();
        world.front.forget();
        agent = world.agent(&[]);
        agent.says("the journal knows all of this host");
        // One that comes later shows that there was time to write more.
        let later = service("later");
        let other = world.web(&later, &[]);
        world.registered(&agent, &later, other.host_port("80/tcp"));
        assert_eq!(world.front.counts(), Counts { changes: 1, lists: 0, cost: 1 });
        other.docker(&["rm", "-f"]);
        world.gone(&agent, &later);
        assert_eq!(world.zone.raw(), before);
    }
}

/// Where the agent is when it is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Killed {
    NotForwarded,
    NotAnswered,
    Answered,
}

fn kill_9_in_a_change(at: Killed) {
    let world = World::new("killed");
    let mut agent = world.settled_agent();
    let (comes, goes) = (service("comes"), service("goes"));
    let gone_web = world.web(&goes, &[]);
    world.registered(&agent, &goes, gone_web.host_port("80/tcp"));
    let act = match at {
        Killed::NotForwarded => Act::HoldBefore,
        Killed::NotAnswered => Act::HoldAfter,
        Killed::Answered => Act::Pass,
    };
    let kill_at_the_next = |agent: &mut Process| {
        world
            .front
            .wait_for("a change", |seen| seen.iter().any(|seen| seen.kind == Kind::Change && seen.answered));
        agent.kill_9();
        world.front.cut();
        world.front.forget();
    };

    // In a registration.
    world.front.forget();
    world.front.on(Kind::Change, act.clone());
    let web = world.web(&comes, &[]);
    kill_at_the_next(&mut agent);
    let mut agent = world.agent(&[]);
    let port = web.host_port("80/tcp");
    world.registered(&agent, &comes, port);
    // What it may have written is written once more, with or before what comes after it.
    let marker = service("marker");
    let marker_web = world.web(&marker, &[]);
    world.registered(&agent, &marker, marker_web.host_port("80/tcp"));

    // In a withdrawal.
    world.front.forget();
    world.front.on(Kind::Change, act);
    gone_web.docker(&["rm", "-f"]);
    world.front.wait_for("the delete", |seen| {
        let of_it = |seen: &&ecssd_testing::route53::front::Seen| {
            seen.answered && seen.changes.iter().any(|change| change.action == Action::Delete)
        };
        seen.iter().find(of_it).is_some()
    });
    kill_at_the_next(&mut agent);
    let mut agent = world.agent(&[]);
    world.gone(&agent, &goes);
    world.registered(&agent, &comes, port);
    let later = service("later");
    let other = world.web(&later, &[]);
    world.registered(&agent, &later, other.host_port("80/tcp"));
    assert_eq!((world.services().len(), world.own().len()), (3, 4));
    assert_eq!(world.front.counts().lists, 0);
    assert_eq!(agent.drain(), Some(0));
    assert_eq!((world.services().len(), world.front.counts().lists), (0, 0));
}

#[test]
fn kill_9_before_a_change_is_passed_on() {
    kill_9_in_a_change(Killed::NotForwarded);
}

#[test]
fn kill_9_before_a_change_is_answered() {
    kill_9_in_a_change(Killed::NotAnswered);
}

#[test]
fn kill_9_right_after_the_answer() {
    kill_9_in_a_change(Killed::Answered);
}
