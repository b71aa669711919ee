//! What is soon over: `--sync`, `--remove`, and plans that write nothing.

use ecssd_testing::route53::front::{Act, Counts, Kind};
use ecssd_testing::wait::service;
use ecssd_testing::world::{OWNER, World};

use crate::others::{HEX, address, move_in, srv};

/// Puts a record of this host there that no container stands for.
fn leave_behind(world: &World, name: &str, port: u16) {
    let target = world.zone.full(OWNER);
    let set = srv(world.zone.full(name), format!("{OWNER}:{HEX}:80"), format!("1 1 {port} {target}"));
    world.zone.create(&[set]);
}

#[test]
fn sync_adds_what_is_missing_takes_out_what_is_over_and_says_so() {
    let world = World::new("sync");
    let (missing, leftover) = (service("missing"), service("leftover"));
    let foreign = move_in(&world, &missing);
    leave_behind(&world, &leftover, 32_768);
    let web = world.web(&missing, &[]);
    let port = web.host_port("80/tcp");
    let (zone, id) = (&world.zone, &web.id);
    let mut expected = vec![
        format!(
            "DELETE {}. 0 IN SRV 1 1 32768 {} ; weight 1 ; {OWNER}:{HEX}:80",
            zone.full(&leftover),
            zone.full(OWNER)
        ),
        format!(
            "CREATE {}. 60 IN A {} ; weight 1 ; {OWNER}",
            zone.full(OWNER),
            world.engine.bridge_address()
        ),
        format!(
            "CREATE {}. 0 IN SRV 1 1 {port} {} ; weight 1 ; {OWNER}:{id}:80",
            zone.full(&missing),
            zone.full(OWNER)
        ),
    ];
    expected.sort();
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };

    // First only said, in all three ways, and nothing is written.
    let before = world.zone.raw();
    for options in [&["--sync", "--dry-run"][..], &["-sync", "--dry-run"][..]] {
        let (code, run) = world.task(options);
        assert_eq!((code, sorted(run.out())), (Some(0), expected.clone()), "{}", run.log());
    }
    let mut daemon = world.agent(&["--dry-run"]);
    daemon.wait_for("its plan", || (daemon.out().len() >= expected.len()).then_some(()));
    assert_eq!(sorted(daemon.out()), expected);
    assert_eq!(daemon.drain(), Some(0));
    assert_eq!((world.zone.raw(), world.front.counts().changes), (before, 0));

    // Then done.
    let (code, run) = world.task(&["--sync"]);
    assert_eq!((code, sorted(run.out())), (Some(0), expected), "{}", run.log());
    assert_eq!((world.front.counts().changes, world.own().len()), (1, 2));
    world.front.forget();
    let (code, run) = world.task(&["--sync"]);
    assert_eq!((code, run.out()), (Some(0), vec![]));
    assert_eq!((world.front.counts().changes, run.said("\"changes\":0")), (0, 1));
    assert_eq!(world.foreign(), foreign);
}

#[test]
fn remove_takes_out_what_is_this_host_s_and_nothing_else() {
    let world = World::new("remove");
    let (name, leftover) = (service("web"), service("leftover"));
    let foreign = move_in(&world, &name);
    let web = world.web(&name, &[]);
    let mut agent = world.agent(&[]);
    agent.wait_for("its record", || (world.own().len() == 2).then_some(()));
    assert_eq!(agent.hand_over(), Some(0));
    leave_behind(&world, &leftover, 32_768);

    let before = world.zone.raw();
    world.front.forget();
    let (code, run) = world.task(&["--remove", "--dry-run"]);
    assert_eq!((code, run.out().len()), (Some(0), 3), "{}", run.log());
    assert!(run.out().iter().all(|line| line.starts_with("DELETE ")));
    assert_eq!((world.zone.raw(), world.front.counts().changes), (before, 0));

    let (code, run) = world.task(&["-remove"]);
    assert_eq!((code, run.out().len()), (Some(0), 3), "{}", run.log());
    assert_eq!((world.own(), world.foreign()), (vec![], foreign));
    assert_eq!(world.front.counts().changes, 1);
    drop(web);
}

#[test]
fn remove_names_what_it_may_not_remove_and_fails() {
    let world = World::new("denied");
    let (name, other) = (service("stuck"), service("free"));
    leave_behind(&world, &name, 32_768);
    leave_behind(&world, &other, 32_769);
    world.zone.create(&[address(world.zone.full(OWNER), Some(OWNER), "10.0.0.7")]);
    let denied = world.zone.full(&name);
    world.front.rule(move |seen| {
        if seen.changes.iter().any(|change| change.set.name.trim_end_matches('.') == denied) {
            Act::Deny
        } else {
            Act::Pass
        }
    });
    let (code, run) = world.task(&["--remove"]);
    assert_eq!(code, Some(75), "{}", run.log());
    let left: Vec<_> = run.log_lines().into_iter().filter(|line| line["event"] == "left_behind").collect();
    assert_eq!(left.len(), 1, "{}", run.log());
    assert!(left[0]["record"].as_str().unwrap().starts_with(&world.zone.full(&name)));
    // The others did not have to stay for it.
    let sets: Vec<String> = world.own().into_iter().map(|set| set.name).collect();
    assert_eq!(sets, [world.zone.full(&name)]);
    // Nor did it ask for ever: one batch of three is taken apart, and what is to blame is known.
    let Counts { changes, .. } = world.front.counts();
    assert!((2..=5).contains(&changes), "{changes}");
    world.front.on(Kind::Change, Act::Pass);
    assert_eq!(world.task(&["--remove"]).0, Some(0));
    assert_eq!(world.own(), []);
}
