//! A ledger as a table, for whoever shows it: what is desired of each key beside what is observed of it.

use std::sync::Arc;

use super::{Ledger, Observed};
use crate::moment::Moment;
use crate::record::{Key, RecordSet};

/// What is desired and observed of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which one.
    pub key: Key,
    /// What should stand there; `None` for nothing.
    pub desired: Option<Arc<RecordSet>>,
    /// What stands, or may stand, there, as far as is known. Shared with what is desired where it is the same, as it
    /// mostly is: all rows of a host are held for as long as somebody may look.
    pub observed: Option<Arc<RecordSet>>,
    /// Whether that is sure.
    pub is_sure: bool,
    /// Whether the two differ.
    pub differs: bool,
    /// Until when it waits because it was refused, and what the registry said.
    pub refused: Option<(Moment, String)>,
}

impl Ledger {
    /// All keys of which anything is desired or observed, in order.
    pub fn rows(&self) -> Vec<Row> {
        let only_observed =
            self.observed.iter().map(|(key, _)| key).filter(|key| !self.desired.contains_key(*key));
        let mut keys: Vec<_> = self.desired.keys().chain(only_observed).collect();
        keys.sort();
        keys.into_iter().map(|key| self.row(key)).collect()
    }

    fn row(&self, key: &Key) -> Row {
        let desired = self.desired.get(key).map(|set| Arc::new(self.fit(set)));
        let shared = |set: &RecordSet| match &desired {
            Some(desired) if **desired == *set => Arc::clone(desired),
            _ => Arc::new(set.clone()),
        };
        let (observed, is_sure) = match self.observed.get(key) {
            Some(Observed::Written(set)) => (Some(shared(set)), true),
            Some(Observed::Unsure { set, .. }) => (Some(shared(set)), false),
            Some(Observed::Unread) => (None, false),
            None => (None, true),
        };
        Row {
            key: key.clone(),
            desired,
            observed,
            is_sure,
            differs: self.differing.contains(key),
            refused: self.parking.get(key).map(|parked| (parked.until, parked.reason.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::registrant;

    #[test]
    fn a_row_says_what_is_desired_beside_what_is_observed() {
        let mut ledger = Ledger::default();
        let set = Arc::new(registrant("i-0a").host_record());
        ledger.want(set.key(), Some((*set).clone()));
        let row = |ledger: &Ledger| ledger.rows().into_iter().next();
        let unwritten = Row {
            key: set.key(),
            desired: Some(set.clone()),
            observed: None,
            is_sure: true,
            differs: true,
            refused: None,
        };
        assert_eq!(row(&ledger), Some(unwritten.clone()));
        let batch: Vec<_> = ledger.batch(Moment::START).into_iter().flat_map(|unit| unit.changes).collect();
        ledger.on_answer(&batch, &Ok(()), Moment::START);
        let written = row(&ledger).unwrap();
        let both = written.desired.as_ref().zip(written.observed.as_ref());
        assert!(both.is_some_and(|(desired, observed)| Arc::ptr_eq(desired, observed)), "held twice");
        assert_eq!(written, Row { observed: Some(set.clone()), differs: false, ..unwritten });
        ledger.want(set.key(), None);
        let left = row(&ledger).unwrap();
        assert_eq!((left.desired, left.observed, left.differs), (None, Some(set), true));
    }
}
