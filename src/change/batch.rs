//! What goes together into one call: units that must not be parted, packed by the registry's limits.
//!
//! A unit is all that concerns one port or one key: where a port changes hands, the old record must go
//! and the new one come in the same batch, or an answer would lead to the wrong application.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Action, Change, Key, RecordType};

/// The most resource record elements in a batch; an UPSERT counts twice.
/// Source: Route 53 API reference, ChangeResourceRecordSets, limits.
pub const ELEMENTS_MAX: usize = 1_000;
/// The most characters of all values in a batch; an UPSERT counts twice. Source: as above.
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

/// Groups changes into units: those of one key, and those whose SRV values name the same target and
/// port. Units come in the order in which they may go: what takes out of DNS first; addresses come before
/// the records that point to them, and go after them.
pub fn units(changes: Vec<Change>) -> Vec<Unit> {
    let mut groups = Groups::new(changes.len());
    let mut by_key: BTreeMap<Key, usize> = BTreeMap::new();
    let mut by_place: BTreeMap<Place, usize> = BTreeMap::new();
    let removed: BTreeSet<Place> =
        changes.iter().filter(|change| change.action == Action::Delete).filter_map(place).collect();
    for (index, change) in changes.iter().enumerate() {
        groups.join(index, *by_key.entry(change.set.key()).or_insert(index));
        // Only a place that something leaves can change hands.
        if let Some(place) = place(change).filter(|place| removed.contains(place)) {
            groups.join(index, *by_place.entry(place).or_insert(index));
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

/// The name and the port that a service is reached at.
type Place = (String, u16);

fn place(change: &Change) -> Option<Place> {
    change.set.srv_values().next().map(|srv| (srv.target, srv.port))
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
