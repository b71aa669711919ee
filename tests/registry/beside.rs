//! Beside the predecessor, on one host and in one zone: to it, from it, and back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use ecssd_testing::docker::engine::Container;
use ecssd_testing::wait::service;
use ecssd_testing::world::{World, port};

use crate::others::{OLD_HOST, Predecessor};

/// On EC2 this is what a host goes by; the predecessor took its host name.
const INSTANCE: [&str; 2] = ["-hostname", "i-0abc0123456789def"];

/// Watches a service while something happens: at every look it has a record, and every one leads to the
/// live port. Returns how often it looked.
fn watching(world: &World, name: &str, live: u16, something: impl FnOnce()) -> usize {
    let (over, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let sets = world.zone.named(name);
                assert!(!sets.is_empty(), "no record at look {}", looks.load(Ordering::Relaxed));
                assert!(sets.iter().all(|set| port(set) == live && set.weight() == Some(1)), "{sets:?}");
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        // However that ends, the watcher does.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(something));
        over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        done.unwrap();
    });
    looks.into_inner()
}

fn both(world: &World, name: &str) -> Option<()> {
    (world.zone.named(name).len() == 2).then_some(())
}

fn old_one_registered(world: &World, name: &str, web: &Container) {
    let old = Predecessor(&world.zone);
    old.start();
    old.register(name, &web.id, web.host_port("80/tcp"));
}

#[test]
fn moving_over_and_back_leaves_no_gap() {
    let world = World::new("moving");
    let name = service("web");
    let web = world.web(&name, &[]);
    let live = web.host_port("80/tcp");
    let old = Predecessor(&world.zone);
    old_one_registered(&world, &name, &web);

    // Over: ours is started beside it, then the old one removes its own.
    let mut agent = None;
    let looks = watching(&world, &name, live, || {
        let ours = world.agent(&INSTANCE);
        ours.wait_for("both", || both(&world, &name));
        old.remove();
        ours.says("zone read");
        agent = Some(ours);
    });
    assert!(looks > 2, "{looks}");
    assert_eq!((world.zone.named(&name).len(), old.own().len()), (1, 0));
    let target = world.zone.full(INSTANCE[1]);
    assert!(world.zone.named(&name)[0].values[0].ends_with(&target));
    assert_eq!(world.zone.named(INSTANCE[1]).len(), 1);

    // Back: ours leaves its records, the old one registers, and only then they go.
    let looks = watching(&world, &name, live, || {
        assert_eq!(agent.as_mut().unwrap().hand_over(), Some(0));
        old_one_registered(&world, &name, &web);
        let (code, run) = world.task(&["-remove", INSTANCE[0], INSTANCE[1]]);
        assert_eq!(code, Some(0), "{}", run.log());
    });
    assert!(looks > 2, "{looks}");
    assert_eq!(world.zone.sets().len(), 2);
    assert_eq!(old.own().len(), 2);
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
