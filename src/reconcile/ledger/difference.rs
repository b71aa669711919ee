//! What turns observed into desired, key by key, and what of that may go now.
//!
//! Reads the ledger, and changes nothing.

use super::{Ledger, Observed};
use crate::moment::Moment;
use crate::record::{Action, Change, Key, RecordSet, RecordType, Srv};

#[cfg(test)]
thread_local! {
    /// How often desired and observed of a key were compared: what a rush costs.
    pub(in crate::reconcile) static COMPARED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Ledger {
    /// What of a key's changes may go now.
    pub(super) fn due_changes(&self, key: &Key, now: Moment) -> Vec<Change> {
        let parked = self.parking.waiting(key, now);
        if parked.is_some_and(|parked| parked.whole) {
            return Vec::new();
        }
        let desired = self.desired.get(key);
        if parked.is_none() && !desired.is_some_and(|set| self.waits(key, set, now)) {
            return self.changes(key);
        }
        // What leaves DNS does not wait for a successor that is refused, or has nowhere to point to.
        match self.observed.get(key) {
            Some(Observed::Written(old) | Observed::Unsure { set: old, absent: false })
                if desired.is_some_and(|set| set.values != old.values) =>
            {
                vec![Change { action: Action::Delete, set: old.clone() }]
            }
            _ => Vec::new(),
        }
    }

    /// Whether something has to come true before this can be written. What stands already may change its
    /// weight whatever becomes of its target.
    fn waits(&self, key: &Key, set: &RecordSet, now: Moment) -> bool {
        let stands =
            matches!(self.observed.get(key), Some(Observed::Written(old)) if old.values == set.values);
        (!stands && self.is_withheld(set, now)) || self.lookups.await_ttl_of(key)
    }

    /// Whether what this would point to is not there, or somebody else's.
    fn is_withheld(&self, set: &RecordSet, now: Moment) -> bool {
        let Some(Srv { target, .. }) = set.srv_values().next() else {
            let key = set.key();
            return self.contested.as_ref() == Some(&key.name) && !self.holds(&key);
        };
        let address = Key { name: target.clone(), kind: RecordType::A, set_identifier: None };
        let is_refused = |key: &Key| {
            let stands = matches!(self.observed.get(key), Some(Observed::Written(_) | Observed::Unread));
            key.kind == RecordType::A && !stands
        };
        let waiting = self.parking.waiting_from(&address, now);
        let mut refused = waiting.take_while(|key| key.name == target).filter(|key| is_refused(key));
        self.contested.as_ref() == Some(&target) || refused.next().is_some()
    }

    /// What turns observed into desired, for one key.
    pub(super) fn changes(&self, key: &Key) -> Vec<Change> {
        #[cfg(test)]
        COMPARED.with(|compared| compared.set(compared.get() + 1));
        let change = |action, set: &RecordSet| Change { action, set: set.clone() };
        let desired = self.desired.get(key).map(|set| self.fit(set));
        match (self.observed.get(key), desired) {
            (None, None) => vec![],
            (None, Some(set)) => vec![change(Action::Create, &set)],
            (Some(Observed::Written(old)), Some(set)) if *old == set => vec![],
            (Some(Observed::Written(old)), Some(set))
                if old.values != set.values || !old.routing.is_like(set.routing) =>
            {
                vec![change(Action::Delete, old), change(Action::Create, &set)]
            }
            (Some(_), Some(set)) => vec![change(Action::Upsert, &set)],
            // The registry has nothing there, and there is no time to see whether something comes late.
            (Some(Observed::Unsure { absent: true, .. }), None) if self.is_last => vec![],
            (Some(Observed::Written(old) | Observed::Unsure { set: old, .. }), None) => {
                vec![change(Action::Delete, old)]
            }
            (Some(Observed::Unread), None) => vec![],
        }
    }

    /// What an UPSERT of this key may take away, where it may stand and is wanted elsewhere.
    pub(super) fn maybe_replaced(&self, key: &Key) -> Option<&RecordSet> {
        match (self.observed.get(key), self.desired.get(key)) {
            (Some(Observed::Unsure { set: old, .. }), Some(set)) if old.values != set.values => Some(old),
            _ => None,
        }
    }

    /// A weighted group has one TTL: the first of a name sets it, whoever that was.
    pub(super) fn fit(&self, set: &RecordSet) -> RecordSet {
        let ttl = self.ttls.get(&set.name, set.kind).or_else(|| self.own_group_ttl(set));
        RecordSet { ttl: ttl.unwrap_or(set.ttl), ..set.clone() }
    }

    fn own_group_ttl(&self, set: &RecordSet) -> Option<i64> {
        let first = Key { name: set.name.clone(), kind: set.kind, set_identifier: None };
        let same = |key: &Key| key.name == first.name && key.kind == first.kind;
        let observed = self.observed.from(&first).take_while(|(key, _)| same(key));
        let written = observed.filter_map(|(key, observed)| match observed {
            Observed::Written(set) if self.desired.contains_key(key) => Some(set.ttl),
            _ => None,
        });
        let desired = self.desired.range(&first..).take_while(|(key, _)| same(key)).map(|(_, set)| set.ttl);
        written.chain(desired).next()
    }
}
