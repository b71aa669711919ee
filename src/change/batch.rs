//! What goes together into one call: units that must not be parted, packed by the registry's limits.
//!
//! A unit is all that concerns one port or one key: where a port changes hands, the old records must go
//! and the new ones come in the same batch, or an answer would lead to the wrong application.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Action, Change, ContainerId, Key, Mark, Owner, RecordSet, RecordType, Subject};

/// The most resource record elements in a batch; an UPSERT counts twice.
/// Source: Route 53 API reference, ChangeResourceRecordSets, limits.
pub const ELEMENTS_MAX: usize = 1_000;
/// The most characters of all values in a batch; an UPSERT counts twice. Source: as above.
/// SRV values of this system meet it before the other one: 561 of 57 characters are a batch, so 561 copies, or 280 with a
/// full name each.
pub const VALUE_CHARACTERS_MAX: usize = 32_000;

/// Changes that go together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// The changes, a key's DELETE before its CREATE.
    pub changes: Vec<Change>,
}

impl Unit {
    /// Whether something is taken out of DNS by it: such units go first, and wait for others for less long.
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

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { elements: self.elements + other.elements, characters: self.characters + other.characters }
    }

    /// Whether one call may carry it.
    pub(crate) fn fits(self) -> bool {
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
    grouped(changes, &[])
}

/// As [`units`], where UPSERTs may replace these sets: what stands under a key is not known for certain then, and the
/// place that it may leave changes hands as one that it is known to leave. What is more than one call may carry for that
/// reason alone goes in parts: a port may lead to two until the next call, which is better than to none for a minute.
pub(crate) fn units_replacing(changes: Vec<Change>, replaced: &[RecordSet]) -> Vec<Unit> {
    let parts = |unit: Unit| match Size::of(&unit.changes).fits() {
        true => vec![unit],
        false => grouped(unit.changes, &[]),
    };
    let mut units: Vec<Unit> = grouped(changes, replaced).into_iter().flat_map(parts).collect();
    units.sort_by_key(|unit| Order::of(&unit.changes));
    units
}

fn grouped(changes: Vec<Change>, replaced: &[RecordSet]) -> Vec<Unit> {
    let mut groups = Groups::new(changes.len());
    let mut by_key: BTreeMap<Key, usize> = BTreeMap::new();
    let mut by_place: BTreeMap<Place, usize> = BTreeMap::new();
    let sets = |is_delete: bool| {
        let of = changes.iter().filter(move |change| (change.action == Action::Delete) == is_delete);
        of.map(|change| &change.set)
    };
    let removed: BTreeSet<Place> = sets(true).chain(replaced).filter_map(place).collect();
    let created: BTreeSet<Place> = sets(false).filter_map(place).collect();
    let mut by_container: BTreeMap<(Owner, ContainerId), usize> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        groups.join(index, *by_key.entry(change.set.key()).or_insert(index));
    }
    let changed = changes.iter().enumerate().map(|(index, change)| (index, &change.set));
    let replaced = replaced.iter().filter_map(|set| Some((*by_key.get(&set.key())?, set)));
    for (index, set) in changed.chain(replaced) {
        // Only a place that something leaves can change hands.
        let Some(place) = place(set).filter(|place| removed.contains(place)) else { continue };
        if matches!(place, Place::Port(..)) && created.contains(&place) {
            by_container.extend(service(set).map(|service| (service, index)));
        }
        groups.join(index, *by_place.entry(place).or_insert(index));
    }
    for (index, change) in changes.iter().enumerate().filter(|(_, change)| change.set.kind == RecordType::A) {
        if let Some(port) = service(&change.set).and_then(|service| by_container.get(&service)) {
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
    units.sort_by_key(|unit| Order::of(&unit.changes));
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

/// Where in the order of units changes of one key stand, or those of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    is_patient: bool,
    rank: u8,
}

impl Order {
    /// Of these changes; the last, where there are none.
    pub(crate) fn of(changes: &[Change]) -> Self {
        let order =
            |change: &Change| Self { is_patient: change.action != Action::Delete, rank: rank(change) };
        changes.iter().map(order).min().unwrap_or(Self { is_patient: true, rank: u8::MAX })
    }

    /// Whether something is taken out of DNS by them.
    pub(crate) fn is_urgent(self) -> bool {
        !self.is_patient
    }
}

/// What changes of one unit have in common, two by two, beside their keys. Those that have it need not be of one unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tie {
    At(Place),
    Of(Owner, ContainerId),
}

/// What may tie a change that takes or makes this set to others.
pub(crate) fn ties(set: &RecordSet) -> impl Iterator<Item = Tie> {
    let of = service(set).map(|(owner, container)| Tie::Of(owner, container));
    place(set).map(Tie::At).into_iter().chain(of)
}

/// Where a service is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// At a port of the host or task of this name.
    Port(String, u16),
    /// At this address, by this name: which port that is, its clients know.
    Address(String, String),
}

fn place(set: &RecordSet) -> Option<Place> {
    match set.kind {
        RecordType::A if set.is_of_service() => {
            Some(Place::Address(set.key().name, set.values.first()?.clone()))
        }
        _ => set.srv_values().next().map(|srv| Place::Port(srv.target, srv.port)),
    }
}

/// The container whose service a set is of, and whose that is.
fn service(set: &RecordSet) -> Option<(Owner, ContainerId)> {
    let mark = Mark::parse(set.set_identifier.as_deref()?)?;
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
mod tests;
