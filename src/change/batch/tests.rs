//! What goes together, in which order, and how much of it fits.

use super::*;
use crate::record::testing::{id, registrant};
use crate::record::{RecordSet, Routing};

fn srv(action: Action, id: &str, port: u16) -> Change {
    let target = "ip-10-123-145-167.eu-central-1.compute.internal";
    Change {
        action,
        set: RecordSet {
            name: "_web._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some(id.into()),
            routing: Routing::Weighted(1),
            ttl: 0,
            values: vec![format!("1 1 {port} {target}")],
        },
    }
}

fn ids(unit: &Unit) -> Vec<String> {
    let id = |change: &Change| change.set.set_identifier.clone().unwrap_or_default();
    unit.changes.iter().map(|change| format!("{} {}", change.action, id(change))).collect()
}

#[test]
fn a_port_that_changes_hands_is_one_unit() {
    let units = units(vec![
        srv(Action::Create, "new", 32768),
        srv(Action::Create, "other", 32769),
        srv(Action::Delete, "old", 32768),
    ]);
    assert_eq!(
        units.iter().map(ids).collect::<Vec<_>>(),
        [vec!["DELETE old", "CREATE new"], vec!["CREATE other"]]
    );
}

#[test]
fn a_port_that_an_upsert_may_leave_is_one_unit_with_who_takes_it() {
    let changes = vec![
        srv(Action::Upsert, "new", 32768),
        srv(Action::Upsert, "other", 32770),
        srv(Action::Upsert, "old", 32769),
    ];
    let replaced = [srv(Action::Upsert, "old", 32768), srv(Action::Upsert, "other", 32771)].map(|it| it.set);
    let ids = |units: Vec<Unit>| units.iter().map(ids).collect::<Vec<_>>();
    assert_eq!(
        ids(units_replacing(changes.clone(), &replaced)),
        [vec!["UPSERT new", "UPSERT old"], vec!["UPSERT other"]]
    );
    assert_eq!(units(changes).len(), 3);
}

#[test]
fn what_may_change_hands_all_around_goes_in_parts_where_no_call_carries_it() {
    let moved = |ports: u16| {
        let upsert = |n: u16, port| srv(Action::Upsert, &format!("{n}"), 30_000 + port);
        let changes = (0..ports).map(|n| upsert(n, (n + 1) % ports)).collect();
        let replaced: Vec<_> = (0..ports).map(|n| upsert(n, n).set).collect();
        units_replacing(changes, &replaced).len()
    };
    assert_eq!((moved(200), moved(400)), (1, 400));
}

#[test]
fn a_chain_of_swaps_is_one_unit() {
    let units = units(vec![
        srv(Action::Delete, "a", 1),
        srv(Action::Create, "a", 2),
        srv(Action::Delete, "b", 2),
        srv(Action::Create, "b", 3),
        srv(Action::Create, "c", 9),
    ]);
    assert_eq!(units.iter().map(|unit| unit.changes.len()).collect::<Vec<_>>(), [4, 1]);
    assert!(units[0].changes[..2].iter().all(|change| change.action == Action::Delete));
}

/// All that a copy at this port of the host is registered with.
fn copy(action: Action, container: u64, port: u16) -> [Change; 3] {
    let mark = |subject: &str| Some(format!("i-0123456789abcdef0:{}:{subject}", id(container)));
    let Change { set, .. } = srv(action, "", port);
    let weighted = RecordSet { set_identifier: mark("80"), ..set };
    let full = RecordSet {
        name: "_web-all._tcp.sd.internal".into(),
        routing: Routing::Multivalue,
        ..weighted.clone()
    };
    let address = RecordSet {
        name: "web.sd.internal".into(),
        kind: RecordType::A,
        set_identifier: mark("a"),
        values: vec!["10.0.0.7".into()],
        ..weighted.clone()
    };
    [weighted, full, address].map(|set| Change { action, set })
}

#[test]
fn a_copy_whose_port_changes_hands_is_swapped_under_all_its_names_at_once() {
    let host = registrant("i-0123456789abcdef0").host_record();
    let changes = [copy(Action::Delete, 1, 80), copy(Action::Create, 2, 80), copy(Action::Create, 3, 81)];
    let mut changes = changes.concat();
    changes.push(Change { action: Action::Create, set: host });
    let units = units(changes.clone());
    let sizes: Vec<_> = units.iter().map(|unit| unit.changes.len()).collect();
    // The address that all lead to comes before what leads to it; a third copy is swapped for nobody, though its
    // address is one that is left.
    assert_eq!((sizes.iter().sum::<usize>(), sizes[0], pack(&units).len()), (10, 7, units.len()));
    // Nothing changes hands: one that is refused keeps no other from going.
    let going = super::units(copy(Action::Delete, 1, 80).to_vec());
    assert_eq!(going.iter().map(|unit| unit.changes.len()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn packs_280_copies_with_a_full_name_each() {
    let two = |n| {
        let [weighted, full, _] = copy(Action::Create, n, 30_000 + u16::try_from(n).unwrap());
        [weighted, full]
    };
    let units = units((0..1_000).flat_map(two).collect());
    assert_eq!(pack(&units).len(), 561);
    assert_eq!(pack(&units).iter().filter(|unit| unit.changes[0].set.weight().is_none()).count(), 280);
}

#[test]
fn packs_561_creates_of_57_characters() {
    let value = srv(Action::Create, "x", 32768).set.values[0].len();
    assert_eq!(value, 57);
    let changes = (0..2_000).map(|n| srv(Action::Create, &format!("{n:04}"), 30_000 + n)).collect();
    let units = units(changes);
    assert_eq!(pack(&units).len(), VALUE_CHARACTERS_MAX / 57);
    assert_eq!(pack(&units).len(), 561);
}

#[test]
fn upserts_count_twice_and_nothing_is_stuck() {
    let changes: Vec<_> = (0..900).map(|n| srv(Action::Upsert, &format!("{n:03}"), 30_000 + n)).collect();
    assert_eq!(pack(&units(changes)).len(), VALUE_CHARACTERS_MAX / 57 / 2);
    let mut two = srv(Action::Upsert, "two", 1);
    two.set.values = vec!["ab".to_owned(), "cde".to_owned()];
    assert_eq!(Size::of([&two]), Size { elements: 4, characters: 10 });
    let mut huge = srv(Action::Create, "huge", 1);
    huge.set.values = vec!["x".repeat(VALUE_CHARACTERS_MAX + 1)];
    assert_eq!(pack(&units(vec![huge])).len(), 1);
}

#[test]
fn what_leaves_dns_goes_first() {
    let units = units(vec![srv(Action::Create, "a", 1), srv(Action::Delete, "z", 2)]);
    assert_eq!(ids(&units[0]), ["DELETE z"]);
    let address = |action, host: &str| Change { action, set: registrant(host).host_record() };
    let units = super::units(vec![address(Action::Create, "a"), address(Action::Delete, "z")]);
    assert_eq!(ids(&units[0]), ["DELETE z"]);
    assert!(units[0].urgent() && !units[1].urgent());
}

#[test]
fn two_hosts_of_one_label_and_address_are_removed_apart() {
    let address = |host: &str| Change { action: Action::Delete, set: registrant(host).host_record() };
    let both = [address("db.a"), address("db.b")];
    assert_eq!((both[0].set.key().name, &both[0].set.values), (both[1].set.key().name, &both[1].set.values));
    // One that is refused keeps the other from nothing.
    assert_eq!(units(both.to_vec()).len(), 2);
}
