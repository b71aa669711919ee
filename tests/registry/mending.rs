//! What somebody else does to this host's records.

use std::time::Instant;

use ecssd::record::{Action, RecordSet, Routing};
use ecssd_testing::wait::service;
use ecssd_testing::world::{OWNER, World};

use crate::others::address;

/// Looks often enough for a test. At the usual rate a resync is made rarer than was asked.
const OFTEN: [&str; 4] = ["--resync", "2s", "--rate", "100"];
/// The shortest time between two looks: 20 % less than was asked.
const PERIOD_MIN: f64 = 1.6;

#[test]
fn what_is_deleted_by_hand_comes_back() {
    let world = World::new("mend");
    let name = service("web");
    let web = world.web(&name, &[]);
    let agent = world.agent(&OFTEN);
    let set = world.registered(&agent, &name, web.host_port("80/tcp"));
    agent.says("zone read");
    let host = world.zone.named(OWNER).remove(0);
    world.front.forget();
    let began = Instant::now();
    for gone in [vec![set.clone()], vec![host.clone()], vec![set.clone(), host.clone()]] {
        world.zone.delete(&gone);
        agent.wait_for("it to be mended", || (world.own().len() == 2).then_some(()));
        assert_eq!(
            (world.zone.named(&name), world.zone.named(OWNER)),
            (vec![set.clone()], vec![host.clone()])
        );
    }
    let counts = world.front.counts();
    let looks_max = began.elapsed().as_secs_f64() / PERIOD_MIN + 1.0;
    // A page a look: this zone has no more.
    assert!((3.0..=looks_max).contains(&(counts.lists as f64)), "{counts:?}, at most {looks_max}");
    assert_eq!(counts.changes, 3);
}

#[test]
fn a_weight_that_is_edited_by_hand_is_mended() {
    let world = World::new("weight");
    let name = service("web");
    let web = world.web(&name, &[]);
    let agent = world.agent(&OFTEN);
    let set = world.registered(&agent, &name, web.host_port("80/tcp"));
    let edited = RecordSet { routing: Routing::Weighted(0), ..set.clone() };
    world.zone.change(Action::Upsert, &[edited]).unwrap();
    agent.wait_for("its weight", || (world.zone.named(&name) == [set.clone()]).then_some(()));
    assert_eq!(world.services().len(), 1);
}

#[test]
fn a_weight_that_is_edited_by_hand_stops_no_withdrawal() {
    let world = World::new("edited");
    let names = [service("stops"), service("drains")];
    let webs: Vec<_> = names.iter().map(|name| world.web(name, &[])).collect();
    let mut agent = world.agent(&[]);
    agent.says("zone read");
    for (name, web) in names.iter().zip(&webs) {
        let set = world.registered(&agent, name, web.host_port("80/tcp"));
        let edited = RecordSet { routing: Routing::Weighted(200), ..set };
        world.zone.change(Action::Upsert, &[edited]).unwrap();
    }
    world.front.forget();
    webs[0].docker(&["stop", "-t", "0"]);
    world.gone(&agent, &names[0]);
    assert_eq!(world.services().len(), 1);
    assert_eq!(agent.drain(), Some(0));
    assert_eq!(world.services(), []);
    // For each of them: refused, looked up, deleted.
    let counts = world.front.counts();
    assert_eq!((counts.changes, counts.lists), (4, 2));
}

#[test]
fn somebody_else_s_address_under_this_host_s_name_stops_registration_until_it_is_gone() {
    let world = World::new("contest");
    let theirs = address(world.zone.full(OWNER), Some("somebody"), "10.0.9.9");
    world.zone.create(std::slice::from_ref(&theirs));
    let agent = world.agent(&OFTEN);
    agent.says("pass another --hostname, or remove it");
    let name = service("web");
    let web = world.web(&name, &[]);
    // Two more looks, with the service waiting: it is not for want of time.
    world.front.forget();
    world.front.wait_for("two looks", |seen| seen.len() >= 2);
    assert_eq!((world.services(), world.zone.named(OWNER)), (vec![], vec![theirs.clone()]));
    world.zone.delete(&[theirs]);
    world.registered(&agent, &name, web.host_port("80/tcp"));
    assert_eq!((world.own().len(), agent.said("this host's name is its own again")), (2, 1));
}
