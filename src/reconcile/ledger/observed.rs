//! What is known of each key in the zone, and how surely.
//!
//! Owns what is known, what a "not found" says of it, and what a [journal](crate::journal) keeps of it over a restart.
//! What any other answer or a read makes of it is the [ledger](super)'s to say.

use std::collections::BTreeMap;

use crate::journal::State;
use crate::record::{Key, RecordSet};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Observed {
    /// This was written, and the registry said so.
    Written(RecordSet),
    /// This may have been written; the call's outcome is unknown. `absent` once a delete found nothing.
    Unsure { set: RecordSet, absent: bool },
    /// Something stands there under our mark; what, has to be read.
    Unread,
}

impl Observed {
    /// This may have been written.
    pub(super) fn unsure(set: RecordSet) -> Self {
        Self::Unsure { set, absent: false }
    }

    /// Whether a delete found nothing, after a call of unknown outcome.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Unsure { absent: true, .. })
    }

    /// As a journal remembered it. That a delete found nothing is not remembered: it is believed only after another
    /// [`LATE_WAIT`](super::LATE_WAIT).
    fn recalled(state: State) -> Self {
        match state {
            State::Written(set) => Self::Written(set),
            State::Unsure(set) => Self::unsure(set),
            State::Unread => Self::Unread,
        }
    }

    fn state(&self) -> State {
        match self {
            Self::Written(set) => State::Written(set.clone()),
            Self::Unsure { set, .. } => State::Unsure(set.clone()),
            Self::Unread => State::Unread,
        }
    }
}

/// What a "not found" says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFound {
    /// Nothing yet: a call of unknown outcome may still be applied. The same delete asks again after
    /// [`LATE_WAIT`](super::LATE_WAIT).
    NotBelieved,
    /// That nothing stands there.
    Gone,
}

/// What is known of all keys. Where nothing is known of one, nothing of ours stands there.
#[derive(Clone, Debug, Default)]
pub(super) struct Observations {
    known: BTreeMap<Key, Observed>,
    /// What was sent of a key when its delete did not match.
    disputed: BTreeMap<Key, RecordSet>,
}

impl Observations {
    pub(super) fn get(&self, key: &Key) -> Option<&Observed> {
        self.known.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Observed)> {
        self.known.iter()
    }

    /// What is known of this key and of those after it.
    pub(super) fn from(&self, first: &Key) -> impl Iterator<Item = (&Key, &Observed)> {
        self.known.range(first..)
    }

    /// This stands there.
    pub(super) fn written(&mut self, set: RecordSet) {
        self.known.insert(set.key(), Observed::Written(set));
    }

    /// This may stand there.
    pub(super) fn unsure(&mut self, set: RecordSet) {
        self.known.insert(set.key(), Observed::unsure(set));
    }

    /// Something stands there.
    pub(super) fn unread(&mut self, key: Key) {
        self.known.insert(key, Observed::Unread);
    }

    /// Nothing stands there.
    pub(super) fn gone(&mut self, key: &Key) {
        self.known.remove(key);
    }

    /// A delete found nothing there.
    pub(super) fn not_found(&mut self, key: &Key) -> NotFound {
        if let Some(Observed::Unsure { absent: absent @ false, .. }) = self.known.get_mut(key) {
            *absent = true;
            return NotFound::NotBelieved;
        }
        self.gone(key);
        NotFound::Gone
    }

    /// A "not found" of before says nothing any more.
    pub(super) fn doubt_absence(&mut self, key: &Key) {
        if let Some(Observed::Unsure { absent, .. }) = self.known.get_mut(key) {
            *absent = false;
        }
    }

    /// A delete of this did not match what stands there. Returns whether the same was sent before, and read since:
    /// then there is something to it that we do not see.
    pub(super) fn dispute(&mut self, set: &RecordSet) -> bool {
        if self.disputed.get(&set.key()) == Some(set) {
            self.disputed.remove(&set.key());
            return true;
        }
        self.disputed.insert(set.key(), set.clone());
        false
    }

    /// What was sent of this key was taken.
    pub(super) fn end_dispute(&mut self, key: &Key) {
        self.disputed.remove(key);
    }

    /// What a journal remembered of a key.
    pub(super) fn recall(&mut self, key: Key, state: State) {
        self.known.insert(key, Observed::recalled(state));
    }

    /// What a journal is to remember of a key; `None` where nothing of ours is there.
    pub(super) fn state(&self, key: &Key) -> Option<State> {
        self.known.get(key).map(Observed::state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::registrant;

    fn set(address: &str) -> RecordSet {
        RecordSet { values: vec![address.to_owned()], ..registrant("i-0a").host_record() }
    }

    #[test]
    fn a_missing_record_is_believed_at_the_second_try_after_an_unknown_outcome() {
        let (mut observations, set) = (Observations::default(), set("10.0.0.7"));
        let key = set.key();
        observations.unsure(set.clone());
        assert_eq!(observations.not_found(&key), NotFound::NotBelieved);
        assert!(observations.get(&key).is_some_and(Observed::is_absent));
        // Wanted, and no more: it may have been written meanwhile.
        observations.doubt_absence(&key);
        assert_eq!(observations.not_found(&key), NotFound::NotBelieved);
        assert_eq!(observations.not_found(&key), NotFound::Gone);
        assert_eq!(observations.get(&key), None);
        // Of what was written nothing comes late.
        observations.written(set);
        assert_eq!(observations.not_found(&key), NotFound::Gone);
    }

    #[test]
    fn a_delete_that_does_not_match_is_disputed_until_the_same_is_sent_again_or_taken() {
        let mut observations = Observations::default();
        let (a, b) = (set("10.0.0.7"), set("10.0.0.8"));
        assert!(!observations.dispute(&a) && !observations.dispute(&b) && observations.dispute(&b));
        assert!(!observations.dispute(&b), "it begins anew");
        observations.end_dispute(&b.key());
        assert!(!observations.dispute(&b));
    }

    #[test]
    fn a_journal_keeps_all_but_how_often_nothing_was_found() {
        let (mut observations, set) = (Observations::default(), set("10.0.0.7"));
        let key = set.key();
        for state in [State::Written(set.clone()), State::Unsure(set.clone()), State::Unread] {
            observations.recall(key.clone(), state.clone());
            assert_eq!(observations.state(&key), Some(state));
        }
        observations.unsure(set.clone());
        observations.not_found(&key);
        assert_eq!(observations.state(&key), Some(State::Unsure(set)));
        observations.gone(&key);
        assert_eq!(observations.state(&key), None);
    }
}
