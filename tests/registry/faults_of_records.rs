//! The predecessor's faults in what it wrote and deleted: each by its number, with what holds here.

use ecssd::record::{Action, RecordType};
use ecssd_testing::route53::front::{Act, Kind};
use ecssd_testing::route53::hosted::{HostedZone, unique_zone};
use ecssd_testing::wait::service;
use ecssd_testing::world::{OWNER, World};

use crate::others::{HEX, address, move_in, srv};

/// It created the host's address at each start: "already exists" from the second on, and never a new one.
#[test]
fn fault_01_a_host_s_address_is_followed_across_starts() {
    let world = World::new("fault");
    let name = service("web");
    // Nobody answers at those addresses.
    let unchecked = |name: &str| {
        let key = format!("SERVICE_80_NAME={name}");
        world.run(&["-p", "80", "-e", &key, "-e", "SERVICE_80_CHECK=none"], &["sleep", "1000"])
    };
    let _web = unchecked(&name);
    for (value, lost) in [("10.0.0.7", false), ("10.0.0.7", false), ("10.0.0.8", false), ("10.0.0.8", true)] {
        if lost {
            // Without its journal it does not know that the address stands there already.
            std::fs::remove_dir_all(world.state()).unwrap();
        }
        let mut agent = world.agent(&["--address", value]);
        // Before, it does not listen to signals.
        agent.says("agent starts");
        agent.wait_for(value, || {
            let hosts = world.zone.named(OWNER);
            (hosts.len() == 1 && hosts[0].values == [value]).then_some(())
        });
        // What comes later is written, so what was to be written before has been.
        let later = service("later");
        let marker = unchecked(&later);
        world.registered(&agent, &later, marker.host_port("80/tcp"));
        assert_eq!((world.zone.named(&name).len(), world.zone.named(OWNER).len()), (1, 1));
        drop(marker);
        world.gone(&agent, &later);
        assert_eq!((agent.hand_over(), agent.said("refused")), (Some(0), 0), "{}", agent.log());
    }
}

/// Its records pointed to a name that it did not make.
#[test]
fn fault_02_a_record_s_target_stands_in_the_zone() {
    let world = World::new("fault");
    let name = service("web");
    let web = world.web(&name, &[]);
    let agent = world.agent(&[]);
    let set = world.registered(&agent, &name, web.host_port("80/tcp"));
    let target = set.values[0].split(' ').nth(3).unwrap();
    let addresses = world.zone.sets().into_iter().filter(|set| set.name == target);
    let values: Vec<String> = addresses.flat_map(|set| set.values).collect();
    assert_eq!(values, [world.engine.bridge_address().to_string()]);
}

/// It looked for the identifier alone: of two services of a container it deleted one twice.
#[test]
fn fault_07_a_delete_goes_by_name_and_identifier() {
    let world = World::new("fault");
    let agent = world.agent(&[]);
    for (first, second) in [("a", "z"), ("z", "a")] {
        let (first, second) = (service(first), service(second));
        let names = format!("SERVICE_80_NAME={first},{second}");
        let both = world.run(&["-p", "80", "-e", &names, "-e", "SERVICE_80_CHECK=none"], &["sleep", "1000"]);
        agent.wait_for("both", || (world.services().len() == 2).then_some(()));
        let ids: Vec<_> = world.services().into_iter().map(|set| set.set_identifier).collect();
        assert_eq!(ids[0], ids[1], "one identifier, two names");
        world.front.forget();
        both.docker(&["kill"]);
        agent.wait_for("neither", || world.services().is_empty().then_some(()));
        let deletes: Vec<String> =
            world.front.batches().concat().into_iter().map(|change| change.set.name).collect();
        assert_eq!(deletes.len(), 2, "{deletes:?}");
        assert!(deletes.contains(&world.zone.full(&first)) && deletes.contains(&world.zone.full(&second)));
    }
}

/// It compared identifiers alone: a container's second service was never repaired.
#[test]
fn fault_08_every_service_of_a_container_is_repaired() {
    let world = World::new("fault");
    let names = [service("a"), service("z")];
    let keys = format!("SERVICE_80_NAME={}", names.join(","));
    let _both = world.run(&["-p", "80", "-e", &keys, "-e", "SERVICE_80_CHECK=none"], &["sleep", "1000"]);
    assert_eq!(world.task(&["-sync"]).0, Some(0));
    for name in &names {
        world.zone.delete(&world.zone.named(name));
        assert_eq!((world.task(&["-sync"]).0, world.services().len()), (Some(0), 2));
    }
}

/// It paged by identifier alone: page one for ever, or an error.
#[test]
fn fault_09_a_large_zone_is_read_once() {
    let world = World::new("fault");
    let name = service("web");
    let sets: Vec<_> = (0..650)
        .map(|n| {
            let (label, owner) =
                (if n < 400 { name.clone() } else { format!("_other{n}._tcp") }, format!("host{n}"));
            srv(world.zone.full(&label), format!("{owner}:{HEX}:80"), format!("1 1 {} {owner}", 1_000 + n))
        })
        .collect();
    sets.chunks(200).for_each(|sets| world.zone.create(sets));
    let foreign = world.foreign();
    let _web = world.web(&name, &[]);
    assert_eq!(world.task(&["-sync"]).0, Some(0));
    assert_eq!((world.own().len(), world.front.counts().lists), (2, 3));
    assert_eq!((world.task(&["-remove"]).0, world.own()), (Some(0), vec![]));
    assert_eq!((foreign.len(), world.foreign()), (650, foreign));
}

/// It took all for its own that begins with its name: web1 deleted what was web10's.
#[test]
fn fault_10_web1_leaves_what_is_web10_s() {
    let world = World::new("fault");
    let name = service("web");
    let foreign = move_in(&world, &name);
    let _web = world.web(&name, &[]);
    let mut agent = world.agent(&["--resync", "1s", "--rate", "100"]);
    agent.wait_for("its own", || (world.own().len() == 2).then_some(()));
    world
        .front
        .wait_for("three looks", |seen| seen.iter().filter(|seen| seen.kind == Kind::List).count() > 2);
    assert_eq!(agent.drain(), Some(0));
    assert_eq!(world.foreign(), foreign);
    assert_eq!(world.task(&["-sync"]).0, Some(0));
    assert_eq!(world.task(&["-remove"]).0, Some(0));
    assert_eq!((world.own(), world.foreign()), (vec![], foreign));
}

/// It took the first zone of a list, which begins at the name and goes on with others.
#[test]
fn fault_11_a_zone_of_another_name_is_never_taken() {
    let name = unique_zone("fault");
    let next = HostedZone::make(&format!("z{name}"), true);
    let world = World::with_zone(HostedZone::absent(&name));
    let _web = world.web(&service("web"), &[]);
    let agent = world.agent(&[]);
    agent.says("there is no hosted zone");
    assert_eq!((world.front.counts().changes, next.raw()), (0, vec![]));
}

/// A bad change spoilt its batch, silently.
#[test]
fn fault_12_a_bad_change_is_named_and_spoils_no_other() {
    let world = World::new("fault");
    let names: Vec<String> = (0..8).map(|_| service("web")).collect();
    let bad = world.zone.full(&names[3]);
    let refused = bad.clone();
    world.front.rule(move |seen| {
        let it = seen.changes.iter().find(|change| change.set.name.trim_end_matches('.') == refused);
        it.map_or(Act::Pass, |change| {
            let id = change.set.set_identifier.as_deref().unwrap_or_default();
            Act::Reject(format!(
                "RRSet with DNS name {refused}., type SRV, SetIdentifier {id} is not wanted here."
            ))
        })
    });
    let _webs = world.many(&names);
    let mut agent = world.agent(&[]);
    agent.wait_for("the others", || (world.services().len() == 7).then_some(()));
    let named = |line: &serde_json::Value| {
        line["level"] == "ERROR" && line["change"].as_str().is_some_and(|change| change.contains(&bad))
    };
    agent.wait_for("its name in the log", || agent.log_lines().iter().any(named).then_some(()));
    // As many calls as it takes to find it, and no more.
    assert!(world.front.counts().changes <= 5, "{:?}", world.front.counts());
    assert_eq!(agent.drain(), Some(0));
    assert_eq!(world.services(), []);
    // At a removal the exit code says so.
    let stuck = srv(bad.clone(), format!("{OWNER}:{HEX}:80"), format!("1 1 1 {}", world.zone.full(OWNER)));
    world.zone.create(&[stuck]);
    let (code, run) = world.task(&["-remove"]);
    assert_eq!((code, world.own().len(), run.said("left behind")), (Some(75), 1, 1), "{}", run.log());
}

/// Its log said "created" also where nothing was.
#[test]
fn fault_17_the_log_says_written_of_what_was_written() {
    let world = World::new("fault");
    let name = service("web");
    world.front.on(Kind::Change, Act::Deny);
    let web = world.web(&name, &[]);
    // A drain that had nothing to withdraw does not wait for what is denied.
    let mut agent = world.agent(&["--drain-timeout", "600s"]);
    agent.says("the registry denies a call");
    assert_eq!((agent.said("\"event\":\"written\""), world.own().len()), (0, 0), "{}", agent.log());
    assert_eq!(agent.drain(), Some(0), "{}", agent.log());
    world.front.on(Kind::Change, Act::Pass);
    let agent = world.agent(&[]);
    world.registered(&agent, &name, web.host_port("80/tcp"));
    agent.wait_for("both in the log", || (agent.said("\"event\":\"written\"") == 2).then_some(()));
    assert!(world.zone.sets().iter().all(|set| agent.said(&set.name) > 0));
}

/// Beside the faults: two containers of one service are two keys, each written once and deleted once.
#[test]
fn two_containers_of_one_service_are_two_keys() {
    let world = World::new("fault");
    let name = service("web");
    world.zone.create(&[address(world.zone.full("database"), None, "10.0.9.1")]);
    let _webs = [world.web(&name, &[]), world.web(&name, &[])];
    let mut agent = world.agent(&[]);
    agent.wait_for("both", || (world.services().len() == 2).then_some(()));
    assert_eq!(agent.drain(), Some(0));
    for batch in world.front.batches() {
        let keys: std::collections::BTreeSet<_> = batch.iter().map(|change| change.set.key()).collect();
        assert_eq!(keys.len(), batch.len());
        assert!(batch.iter().all(|change| change.action != Action::Upsert));
        assert!(batch.iter().all(|change| matches!(change.set.kind, RecordType::A | RecordType::Srv)));
    }
}
