//! The TTLs of groups that others began.
//!
//! A weighted group has one TTL: the first of a name sets it, whoever that was. Owns what was read of that, and how
//! often it is read. The TTL of a group that this host began is the ledger's to know.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Key, RecordType};

type Group = (String, RecordType);

/// The TTLs of groups that others began.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupTtls {
    known: BTreeMap<Group, i64>,
    /// Groups whose TTL was read again, after the one that was known did not do.
    rechecked: BTreeSet<Group>,
}

impl GroupTtls {
    /// The TTL of the group that this is of, where others began it.
    pub(super) fn get(&self, name: &str, kind: RecordType) -> Option<i64> {
        // Asked of every key for every batch, and hardly ever known.
        if self.known.is_empty() { None } else { self.known.get(&(name.to_owned(), kind)).copied() }
    }

    /// The TTL of a group was read; `None` where there is no such group.
    pub(super) fn on_read(&mut self, name: &str, kind: RecordType, ttl: Option<i64>) {
        let group = (name.to_owned(), kind);
        match ttl {
            Some(ttl) => self.known.insert(group, ttl),
            None => self.known.remove(&group),
        };
    }

    /// The TTL that this key was sent with is not that of its group. Returns whether to read it: it was not known, or
    /// the group may have begun anew since, which is believed once.
    pub(super) fn on_refused(&mut self, key: &Key) -> bool {
        let group = group_of(key);
        self.known.remove(&group).is_none() || self.rechecked.insert(group)
    }

    /// This key was written: its TTL does.
    pub(super) fn on_written(&mut self, key: &Key) {
        self.rechecked.remove(&group_of(key));
    }

    /// Nothing is wanted of this key's group any more: it may get another TTL from whoever is first next.
    pub(super) fn on_left(&mut self, key: &Key) {
        self.known.remove(&group_of(key));
    }
}

fn group_of(key: &Key) -> Group {
    (key.name.clone(), key.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            name: "_web._tcp.sd.internal".to_owned(),
            kind: RecordType::Srv,
            set_identifier: Some("i-0a:1".to_owned()),
        }
    }

    fn get(ttls: &GroupTtls) -> Option<i64> {
        ttls.get(&key().name, key().kind)
    }

    #[test]
    fn a_ttl_that_does_not_do_is_read_once_more_and_then_not_before_something_was_written() {
        let mut ttls = GroupTtls::default();
        assert!(ttls.on_refused(&key()), "it was not known");
        ttls.on_read(&key().name, key().kind, Some(60));
        assert_eq!(get(&ttls), Some(60));
        assert!(ttls.on_refused(&key()), "the group may have begun anew");
        assert_eq!(get(&ttls), None);
        ttls.on_read(&key().name, key().kind, Some(30));
        assert!(!ttls.on_refused(&key()));
        ttls.on_read(&key().name, key().kind, Some(20));
        ttls.on_written(&key());
        assert!(ttls.on_refused(&key()));
    }

    #[test]
    fn what_is_known_of_a_group_ends_with_it() {
        let mut ttls = GroupTtls::default();
        ttls.on_read(&key().name, key().kind, Some(60));
        ttls.on_left(&key());
        assert_eq!(get(&ttls), None);
        ttls.on_read(&key().name, key().kind, Some(60));
        ttls.on_read(&key().name, key().kind, None);
        assert_eq!(get(&ttls), None);
    }
}
