//! Full names that have more copies than Route 53 puts into an answer.
//!
//! Owns which of them have been told of. What an answer then is, docs/consumers.md says.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{RecordSet, Routing};

/// The most multivalue sets that Route 53 answers a query with, drawn at random. Source: Route 53 Developer Guide,
/// "Multivalue answer routing".
const ANSWERED_MAX: usize = 8;

/// The names that have more.
#[derive(Debug, Default)]
pub(super) struct Crowded {
    told: BTreeSet<String>,
}

impl Crowded {
    /// A read found these of ours, and these of others. Returns the names of ours that have come to have more copies than
    /// go into an answer, with how many.
    pub(super) fn on_read(&mut self, own: &[RecordSet], others: &[RecordSet]) -> Vec<(String, usize)> {
        let mut copies: BTreeMap<&str, usize> = BTreeMap::new();
        let is_full = |set: &&RecordSet| set.routing == Routing::Multivalue;
        own.iter().filter(is_full).for_each(|set| *copies.entry(&set.name).or_default() += 1);
        for set in others.iter().filter(is_full) {
            copies.entry(&set.name).and_modify(|copies| *copies += 1);
        }
        // Of a name that was not read nothing is known: what was told stays told.
        self.told.retain(|name| copies.get(name.as_str()).is_none_or(|copies| *copies > ANSWERED_MAX));
        let crowded = copies.into_iter().filter(|(_, copies)| *copies > ANSWERED_MAX);
        crowded
            .map(|(name, copies)| (name.to_owned(), copies))
            .filter(|(name, _)| self.told.insert(name.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordType;

    fn copies(name: &str, numbers: std::ops::Range<usize>, routing: Routing) -> Vec<RecordSet> {
        let copy = |n: usize| RecordSet {
            name: format!("{name}.sd.internal"),
            kind: RecordType::Srv,
            set_identifier: Some(format!("copy{n}")),
            routing,
            ttl: 0,
            values: vec![format!("1 1 {n} a.sd.internal")],
        };
        numbers.map(copy).collect()
    }

    #[test]
    fn tells_of_the_ninth_copy_of_a_name_of_ours_once() {
        let mut crowded = Crowded::default();
        let full = |numbers| copies("_web-all._tcp", numbers, Routing::Multivalue);
        assert_eq!(crowded.on_read(&full(0..1), &full(1..8)), []);
        let ninth = [("_web-all._tcp.sd.internal".to_owned(), 9)];
        assert_eq!(crowded.on_read(&full(0..2), &full(2..9)), ninth);
        assert_eq!(crowded.on_read(&full(0..2), &full(2..20)), [], "it has been told of");
        assert_eq!(crowded.on_read(&[], &[]), [], "another name was read");
        assert_eq!(crowded.on_read(&full(0..2), &full(2..20)), []);
        assert_eq!(crowded.on_read(&full(0..2), &full(2..8)), []);
        assert_eq!(crowded.on_read(&full(0..2), &full(2..9)), ninth, "it was not crowded meanwhile");
    }

    #[test]
    fn says_nothing_of_weighted_names_and_of_those_of_others() {
        let mut crowded = Crowded::default();
        assert_eq!(crowded.on_read(&copies("_web._tcp", 0..50, Routing::Weighted(1)), &[]), []);
        assert_eq!(crowded.on_read(&[], &copies("_web-all._tcp", 0..50, Routing::Multivalue)), []);
    }
}
