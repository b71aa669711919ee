//! What has to be looked up before the ledger can go on, and from when on.

use std::collections::BTreeMap;

use crate::moment::Moment;
use crate::record::{Key, RecordSet, RecordType};

/// What has to be looked up before the ledger can go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// The set of this key, if it exists.
    Set(Key),
    /// The TTL of this name's group.
    GroupTtl(String, RecordType),
}

impl Lookup {
    /// The TTL of the group that a key is of.
    pub(super) fn group_of(key: &Key) -> Self {
        Self::GroupTtl(key.name.clone(), key.kind)
    }

    /// Whether it is of a group that this set is of.
    pub fn is_group_of(&self, set: &RecordSet) -> bool {
        *self == Self::group_of(&set.key())
    }

    /// The key that is looked up, where it is one.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Set(key) => Some(key.clone()),
            Self::GroupTtl(..) => None,
        }
    }
}

/// The lookups that are to be made.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookups {
    /// From when on each may be made.
    from: BTreeMap<Lookup, Moment>,
    /// Whether the latest one failed.
    has_failed: bool,
}

impl Lookups {
    /// To be made as soon as it may.
    pub(super) fn ask(&mut self, lookup: Lookup) {
        self.from.entry(lookup).or_default();
    }

    /// To be made from then on, whatever was said before.
    pub(super) fn ask_from(&mut self, lookup: Lookup, from: Moment) {
        self.from.insert(lookup, from);
    }

    /// It was answered.
    pub(super) fn on_answered(&mut self, lookup: &Lookup) {
        self.has_failed = false;
        self.from.remove(lookup);
    }

    /// It failed, and stays due.
    pub(super) fn on_failed(&mut self) {
        self.has_failed = true;
    }

    /// Those that are `needed` are made at once, and no others.
    pub(super) fn hurry(&mut self, needed: impl Fn(&Lookup) -> bool) {
        self.from.retain(|lookup, _| needed(lookup));
        self.from.values_mut().for_each(|from| *from = Moment::START);
    }

    /// The one to make now.
    pub(super) fn due(&self, now: Moment) -> Option<&Lookup> {
        self.from.iter().find(|(_, from)| **from <= now).map(|(lookup, _)| lookup)
    }

    /// Whether the latest one failed: the next may fail too.
    pub(super) fn have_failed(&self) -> bool {
        self.has_failed
    }

    /// From when on each may be made.
    pub(super) fn begins(&self) -> impl Iterator<Item = Moment> {
        self.from.values().copied()
    }

    /// Whether the TTL of this key's group has yet to be looked up.
    pub(super) fn await_ttl_of(&self, key: &Key) -> bool {
        // Asked of every key for every batch, and hardly ever so.
        !self.from.is_empty() && self.from.contains_key(&Lookup::group_of(key))
    }
}

#[cfg(test)]
mod tests {
    use crate::moment::at;

    use super::*;

    const NOW: Moment = at(100);
    const LATER: Moment = at(200);

    fn key(name: &str) -> Key {
        Key { name: name.to_owned(), kind: RecordType::Srv, set_identifier: Some("i-0a:1".to_owned()) }
    }

    #[test]
    fn what_is_asked_for_is_due_until_it_is_answered() {
        let (mut lookups, set) = (Lookups::default(), Lookup::Set(key("_web._tcp")));
        assert_eq!(lookups.due(NOW), None);
        lookups.ask_from(set.clone(), LATER);
        lookups.ask(set.clone());
        assert_eq!((lookups.due(NOW), lookups.due(LATER)), (None, Some(&set)));
        assert_eq!(lookups.begins().collect::<Vec<_>>(), [LATER]);
        lookups.on_failed();
        assert!(lookups.have_failed() && lookups.due(LATER) == Some(&set));
        lookups.on_answered(&set);
        assert!(!lookups.have_failed() && lookups.begins().next().is_none());
    }

    #[test]
    fn a_lookup_of_a_set_is_of_its_key_and_one_of_a_ttl_of_none() {
        let key = key("_web._tcp");
        assert_eq!((Lookup::Set(key.clone()).key(), Lookup::group_of(&key).key()), (Some(key), None));
    }

    #[test]
    fn whoever_has_no_time_asks_at_once_and_only_for_what_is_needed() {
        let mut lookups = Lookups::default();
        let (web, old) = (Lookup::group_of(&key("_web._tcp")), Lookup::group_of(&key("_old._tcp")));
        lookups.ask_from(web.clone(), LATER);
        lookups.ask_from(old, LATER);
        assert!(lookups.await_ttl_of(&key("_old._tcp")));
        lookups.hurry(|lookup| *lookup == web);
        assert_eq!(lookups.due(NOW), Some(&web));
        assert!(lookups.await_ttl_of(&key("_web._tcp")) && !lookups.await_ttl_of(&key("_old._tcp")));
    }
}
