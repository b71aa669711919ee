//! What of a read may be trusted that was made beside writing.
//!
//! A read takes many calls, and batches go out between them: what was learnt meanwhile is known better than any page
//! says. A call of unknown outcome may be applied after the read has passed its name. Owns what was learnt since a
//! read began, and the names under which something may come late.

use std::collections::{BTreeMap, BTreeSet};

use super::parking::LATE_WAIT;
use crate::moment::Moment;
use crate::record::Key;

/// What a read shows all of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The whole zone.
    Zone,
    /// These names.
    Names(BTreeSet<String>),
}

impl Extent {
    /// Whether a read of it shows what stands under this name.
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::Zone => true,
            Self::Names(names) => names.contains(name),
        }
    }
}

/// A read that is under way.
#[derive(Clone, Debug, Default)]
struct Reading {
    began: Moment,
    /// The keys of which something was learnt since.
    learnt: BTreeSet<Key>,
}

/// What may be trusted.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    reading: Option<Reading>,
    /// The names of which a call had an unknown outcome, and when: what may come late is found by a read that
    /// begins [`LATE_WAIT`] after it.
    doubted: BTreeMap<String, Moment>,
}

impl Trust {
    /// A read begins.
    pub(super) fn begin(&mut self, now: Moment) {
        self.reading = Some(Reading { began: now, learnt: BTreeSet::new() });
    }

    /// Something was learnt of a key.
    pub(super) fn on_learnt(&mut self, key: &Key) {
        if let Some(reading) = &mut self.reading {
            reading.learnt.insert(key.clone());
        }
    }

    /// A call of unknown outcome spoke of this name.
    pub(super) fn on_unheard(&mut self, name: &str, now: Moment) {
        self.doubted.insert(name.to_owned(), now);
    }

    /// Whether the read that is under way may be believed in what it says of this key.
    pub(super) fn believes(&self, key: &Key) -> bool {
        self.reading.as_ref().is_none_or(|reading| !reading.learnt.contains(key))
    }

    /// A read of so much is over. Returns the keys of which it is not to be believed.
    pub(super) fn end(&mut self, extent: &Extent) -> BTreeSet<Key> {
        let Reading { began, learnt } = self.reading.take().unwrap_or_default();
        self.doubted.retain(|name, at| !extent.covers(name) || *at + LATE_WAIT > began);
        learnt
    }

    /// The names under which something may come late.
    pub(super) fn doubted(&self) -> impl Iterator<Item = &String> {
        self.doubted.keys()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::testing::registrant;

    const NOW: Moment = Moment::after(Duration::from_secs(100));

    #[test]
    fn what_was_learnt_since_a_read_began_is_known_better() {
        let (mut trust, key) = (Trust::default(), registrant("i-0a").host_record().key());
        trust.on_learnt(&key);
        trust.begin(NOW);
        assert!(trust.believes(&key), "it was learnt before");
        trust.on_learnt(&key);
        assert!(!trust.believes(&key));
        assert_eq!(trust.end(&Extent::Zone), [key.clone()].into());
        assert!(trust.believes(&key) && trust.end(&Extent::Zone).is_empty());
        trust.begin(NOW);
        trust.on_learnt(&key);
        // It is given up for another.
        trust.begin(NOW);
        assert!(trust.end(&Extent::Zone).is_empty());
    }

    #[test]
    fn a_name_is_doubted_until_a_read_of_it_begins_a_minute_later() {
        let mut trust = Trust::default();
        let mut is_doubted = |began, extent: &Extent| {
            trust.on_unheard("_web._tcp", NOW);
            trust.begin(began);
            trust.end(extent);
            trust.doubted().next().is_some()
        };
        let names = |name: &str| Extent::Names([name.to_owned()].into());
        assert!(is_doubted(NOW + LATE_WAIT - Duration::from_millis(1), &Extent::Zone), "it began too early");
        assert!(is_doubted(NOW + LATE_WAIT, &names("_other._tcp")), "it read other names");
        assert!(!is_doubted(NOW + LATE_WAIT, &names("_web._tcp")));
        assert!(!is_doubted(NOW + LATE_WAIT, &Extent::Zone));
    }
}
