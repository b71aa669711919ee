//! What goes together into one call: units that must not be parted, packed by the registry's limits.
//!
//! A unit is all that concerns one port or one key: where a port changes hands, the old records must go
//! and the new ones come in the same batch, or an answer would lead to the wrong application.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Action, Change, ContainerId, Key, Mark, Owner, RecordType, Subject};

/// The most resource record elements in a batch; an UPSERT counts twice.
/// Source: Route 53 API reference, ChangeResourceRecordSets, limits.
pub const ELEMENTS_MAX: usize = 1_000;
/// The most characters of all values in a batch; an UPSERT counts twice. Source: as above.
/// It is met before the other one: 561 values of 57 characters are a batch.
pub const VALUE_CHARACTERS_MAX: usize = 32_000;

/// Changes that go together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// The changes, a key's DELETE before its CREATE.
    pub changes: Vec<Change>,
}

impl Unit {
    /// Whether something is taken out of DNS by it: such units go first, and do not wait to gather.
    pub fn urgent(&self) -> bool {
        self.changes.iter().any(|change| change.action == Action::Delete)
    }
}

/// What a batch counts against the registry's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Resource record elements.
    pub elements: usize,
    /// Characters of values.
    pub characters: usize,
}

impl Size {
    /// The size of these changes.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        changes.into_iter().fold(Self::default(), |size, change| {
            let times = cost(change);
            Self {
                elements: size.elements + times * change.set.values.len(),
                characters: size.characters
                    + times * change.set.values.iter().map(|value| value.chars().count()).sum::<usize>(),
            }
        })
    }

    fn plus(self, other: Self) -> Self {
        Self { elements: self.elements + other.elements, characters: self.characters + other.characters }
    }

    fn fits(self) -> bool {
        self.elements <= ELEMENTS_MAX && self.characters <= VALUE_CHARACTERS_MAX
    }
}

/// What a change counts against the account's change rate, and how often its values count in a batch.
pub fn cost(change: &Change) -> usize {
    if change.action == Action::Upsert { 2 } else { 1 }
}

/// Groups changes into units: those of one key, and those of one place that something leaves. Where a port changes
/// hands, the addresses of the services that come and go there go with it. Units come in the order in which they may go:
/// what takes out of DNS first; addresses come before the records that point to them, and go after them.
pub fn units(changes: Vec<Change>) -> Vec<Unit> {
    let mut groups = Groups::new(changes.len());
    let mut by_key: BTreeMap<Key, usize> = BTreeMap::new();
    let mut by_place: BTreeMap<Place, usize> = BTreeMap::new();
    let removed: BTreeSet<Place> =
        changes.iter().filter(|change| change.action == Action::Delete).filter_map(place).collect();
    let created: BTreeSet<Place> =
        changes.iter().filter(|change| change.action != Action::Delete).filter_map(place).collect();
    let mut by_container: BTreeMap<(Owner, ContainerId), usize> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        groups.join(index, *by_key.entry(change.set.key()).or_insert(index));
        // Only a place that something leaves can change hands.
        let Some(place) = place(change).filter(|place| removed.contains(place)) else { continue };
        if matches!(place, Place::Port(..)) && created.contains(&place) {
            by_container.extend(service(change).map(|service| (service, index)));
        }
        groups.join(index, *by_place.entry(place).or_insert(index));
    }
    for (index, change) in changes.iter().enumerate().filter(|(_, change)| change.set.kind == RecordType::A) {
        if let Some(port) = service(change).and_then(|service| by_container.get(&service)) {
            groups.join(index, *port);
        }
    }
    let mut units: BTreeMap<usize, Unit> = BTreeMap::new();
    for (index, change) in changes.into_iter().enumerate() {
        units.entry(groups.root(index)).or_default().changes.push(change);
    }
    let mut units: Vec<Unit> = units.into_values().collect();
    for unit in &mut units {
        unit.changes.sort_by_key(|change| (change.action != Action::Delete, rank(change)));
    }
    units.sort_by_key(|unit| (!unit.urgent(), unit.changes.first().map(rank)));
    units
}

/// The longest run of units that one call may carry; at least one, so that nothing waits for ever.
pub fn pack(units: &[Unit]) -> &[Unit] {
    let mut size = Size::default();
    let mut taken = 0;
    for unit in units {
        size = size.plus(Size::of(&unit.changes));
        if taken > 0 && !size.fits() {
            break;
        }
        taken += 1;
    }
    &units[..taken]
}

/// An address comes before what points to it, and goes after it.
fn rank(change: &Change) -> u8 {
    match (change.action, change.set.kind) {
        (Action::Delete, RecordType::A) => 1,
        (Action::Delete, _) | (_, RecordType::A) => 0,
        _ => 1,
    }
}

/// Where a service is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// At a port of the host or task of this name.
    Port(String, u16),
    /// At this address, by this name: which port that is, its clients know.
    Address(String, String),
}

fn place(change: &Change) -> Option<Place> {
    match change.set.kind {
        RecordType::A if change.set.is_of_service() => {
            Some(Place::Address(change.set.key().name, change.set.values.first()?.clone()))
        }
        _ => change.set.srv_values().next().map(|srv| Place::Port(srv.target, srv.port)),
    }
}

/// The container whose service a change is about, and whose that is.
fn service(change: &Change) -> Option<(Owner, ContainerId)> {
    let mark = Mark::parse(change.set.set_identifier.as_deref()?)?;
    match mark.subject {
        Subject::Service(id, _) | Subject::ServiceAddress(id) => Some((mark.owner, id)),
        Subject::Host | Subject::Container(_) => None,
    }
}

/// Disjoint sets of indices.
struct Groups(Vec<usize>);

impl Groups {
    fn new(len: usize) -> Self {
        Self((0..len).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
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
    fn packs_560_creates_of_57_characters() {
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
    }
}
