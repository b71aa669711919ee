//! Beside the predecessor, on one host and in one zone: to it, from it, and back.

use ecssd_testing::docker::engine::Container;
use ecssd_testing::wait::service;
use ecssd_testing::world::World;

use crate::consumer::Consumer;
use crate::others::{OLD_HOST, Predecessor};

/// On EC2 this is what a host goes by; the predecessor took its host name.
const INSTANCE: [&str; 2] = ["-hostname", "i-0abc0123456789def"];

/// Requests at 50 a second: two seconds of what each step leaves.
const AT_EACH_STEP: usize = 100;

fn both(world: &World, name: &str) -> Option<()> {
    (world.zone.named(name).len() == 2).then_some(())
}

fn old_one_registered(world: &World, name: &str, web: &Container) {
    let old = Predecessor(&world.zone);
    old.start();
    old.register(name, &web.id, web.host_port("80/tcp"));
}

/// By the steps of docs/migrating.md.
#[test]
fn moving_over_and_back_fails_no_request() {
    let world = World::new("moving");
    let name = service("web");
    let web = world.web(&name, &[]);
    let old = Predecessor(&world.zone);
    old_one_registered(&world, &name, &web);
    let (requests, failures) = Consumer::new(&world, &name).during(|consumer| {
        consumer.asks(AT_EACH_STEP);

        // Over: ours is started beside it, then the old one removes its own.
        let mut ours = world.agent(&INSTANCE);
        ours.wait_for("both", || both(&world, &name));
        consumer.asks(AT_EACH_STEP);
        old.remove();
        ours.says("zone read");
        consumer.asks(AT_EACH_STEP);
        assert_eq!((world.zone.named(&name).len(), old.own().len()), (1, 0));
        let target = world.zone.full(INSTANCE[1]);
        assert!(world.zone.named(&name)[0].values[0].ends_with(&target));
        assert_eq!(world.zone.named(INSTANCE[1]).len(), 1);

        // Back: ours leaves its records, the old one registers, and only then they go.
        assert_eq!(ours.hand_over(), Some(0));
        consumer.asks(AT_EACH_STEP);
        old_one_registered(&world, &name, &web);
        consumer.asks(AT_EACH_STEP);
        let (code, run) = world.task(&["--remove", INSTANCE[0], INSTANCE[1]]);
        assert_eq!(code, Some(0), "{}", run.log());
        consumer.asks(AT_EACH_STEP);
    });
    println!("moved over and back: {requests} requests, {} failed", failures.len());
    assert_eq!(failures, Vec::<String>::new());
    assert!(requests >= 6 * AT_EACH_STEP, "{requests}");
    assert_eq!(world.zone.sets().len(), 2);
    assert_eq!(old.own().len(), 2);
}

/// A service gets a second name, a full one, beside which the predecessor keeps its own to the first; its clients move to
/// that and back, and it goes again. No container is started anew for it.
#[test]
fn a_service_gets_a_second_name_and_loses_it_and_no_request_fails() {
    let world = World::new("second-name");
    let name = service("web");
    let second = name.replace("._tcp", "-all._tcp");
    let web = world.web(&name, &[]);
    old_one_registered(&world, &name, &web);
    let with_second = [&INSTANCE[..], &["--full-names", "-all"]].concat();
    let (requests, failures) = Consumer::new(&world, &name).during(|first| {
        let mut ours = world.agent(&INSTANCE);
        ours.wait_for("both", || both(&world, &name));
        let before = world.zone.named(&name);
        first.asks(AT_EACH_STEP);

        assert_eq!(ours.hand_over(), Some(0));
        let mut ours = world.agent(&with_second);
        ours.wait_for("the second name", || (world.zone.named(&second).len() == 1).then_some(()));
        let (requests, failures) = Consumer::new(&world, &second).during(|moved| {
            moved.asks(AT_EACH_STEP);
            // It is there through a restart, too.
            assert_eq!(ours.hand_over(), Some(0));
            ours = world.agent(&with_second);
            ours.says("readiness");
            moved.asks(AT_EACH_STEP);
        });
        assert_eq!(failures, Vec::<String>::new());
        assert!(requests >= 2 * AT_EACH_STEP, "{requests}");

        // Back: the clients first, then the name.
        assert_eq!(ours.hand_over(), Some(0));
        let ours = world.agent(&INSTANCE);
        ours.wait_for("no second name", || world.zone.named(&second).is_empty().then_some(()));
        first.asks(AT_EACH_STEP);
        assert_eq!(world.zone.named(&name), before);
    });
    println!("to a second name and back: {requests} requests, {} failed", failures.len());
    assert_eq!(failures, Vec::<String>::new());
    assert!(requests >= 3 * AT_EACH_STEP, "{requests}");
    // Of the first name there was nothing to write but once.
    let batches = world.front.batches();
    let of_first = batches.iter().flatten().filter(|change| change.set.name == world.zone.full(&name));
    assert_eq!(of_first.count(), 1, "{batches:?}");
}

#[test]
fn neither_touches_what_is_the_other_s() {
    let world = World::new("beside");
    let name = service("web");
    let web = world.web(&name, &[]);
    old_one_registered(&world, &name, &web);
    let old = Predecessor(&world.zone);
    let theirs = old.own();
    let mut agent = world.agent(&[&INSTANCE[..], &["--resync", "1s", "--rate", "100"]].concat());
    agent.wait_for("both", || both(&world, &name));
    agent.says("zone read");
    world.front.forget();
    world.front.wait_for("two looks", |seen| seen.len() >= 2);
    assert_eq!(old.own(), theirs);
    assert_eq!(agent.hand_over(), Some(0));
    // Its `-remove`, and a start after it, leave ours.
    let ours = |world: &World| {
        let of_it = |xml: &String| xml.contains(INSTANCE[1]);
        world.zone.raw().into_iter().filter(of_it).collect::<Vec<_>>()
    };
    let before = ours(&world);
    old.remove();
    old_one_registered(&world, &name, &web);
    assert_eq!((ours(&world), before.len()), (before.clone(), 2));
    let (code, _) = world.task(&[&["-sync"][..], &INSTANCE[..]].concat());
    assert_eq!(code, Some(0));
    assert_eq!((ours(&world), old.own()), (before, theirs.clone()));
    // Ours drains and is removed; the old one's stay.
    let mut agent = world.agent(&INSTANCE);
    agent.says("agent starts");
    assert_eq!(agent.drain(), Some(0));
    let (code, _) = world.task(&[&["-remove"][..], &INSTANCE[..]].concat());
    assert_eq!((code, ours(&world)), (Some(0), vec![]));
    assert_eq!(old.own(), theirs);
    assert!(theirs.iter().all(|set| set.set_identifier.as_deref().unwrap().starts_with(OLD_HOST)));
}
