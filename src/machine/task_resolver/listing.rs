//! Which lines of the engine's list say something new, and who runs by the latest list and what was told since.
//!
//! Owns what the latest list said of each container, as text that is only compared. What is to be done about a line
//! that differs is for the [task resolver](super).

use std::collections::BTreeMap;

use crate::container::event::Listed;
use crate::machine::lifecycle::Seq;
use crate::machine::past::Past;
use crate::record::ContainerId;

/// What the latest list said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Of each that runs; `None` where the next list is news.
    said: BTreeMap<ContainerId, Option<String>>,
    /// Who began since, at which place: a list that was asked for before need not show it.
    begun: BTreeMap<ContainerId, Seq>,
}

impl Listing {
    /// Something happened to this container: the next list is not like the one before, though it may look so, because
    /// what happens next may not be told.
    pub fn stir(&mut self, id: &ContainerId) {
        self.said.insert(id.clone(), None);
    }

    /// A life of this container began, which is the news at this place.
    pub fn begins(&mut self, id: &ContainerId, at: Seq) {
        self.stir(id);
        self.begun.insert(id.clone(), at);
    }

    /// What the engine remembers, but for what was heard before, may have changed what no list shows.
    pub fn on_remembered(&mut self, past: &Past) {
        for (id, trace) in &past.traces {
            if trace.ended {
                self.forget(id);
            } else if trace.turned || !trace.kills.is_empty() {
                self.stir(id);
            }
        }
    }

    /// Whether it runs, as far as was told. What is connected to a network before its start, or disconnected after its
    /// end, does not.
    pub fn runs(&self, id: &ContainerId) -> bool {
        self.said.contains_key(id)
    }

    /// Takes a list that was asked for at this place; returns whom it shows for the first time, or otherwise than the
    /// one before.
    pub fn news(&mut self, list: Vec<Listed>, as_of: Seq) -> Vec<ContainerId> {
        let before = std::mem::take(&mut self.said);
        self.begun.retain(|_, at| *at > as_of);
        self.said.extend(self.begun.keys().map(|id| (id.clone(), None)));
        let mut news = Vec::new();
        for Listed { id, fingerprint } in list {
            let fingerprint = Some(fingerprint);
            if before.get(&id) != Some(&fingerprint) {
                news.push(id.clone());
            }
            self.said.insert(id, fingerprint);
        }
        news
    }

    /// Its life ended, or it is gone.
    pub fn forget(&mut self, id: &ContainerId) {
        self.said.remove(id);
        self.begun.remove(id);
    }

    /// Forgets all: everything in the next list is news.
    pub fn clear(&mut self) {
        self.said.clear();
        self.begun.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::id;

    fn line(container: u64, fingerprint: &str) -> Listed {
        Listed { id: id(container), fingerprint: fingerprint.to_owned() }
    }

    #[test]
    fn a_line_is_news_once_and_again_where_it_changed_or_something_happened() {
        let mut listing = Listing::default();
        let list = || vec![line(1, "up"), line(2, "up")];
        assert_eq!(listing.news(list(), Seq(1)), [id(1), id(2)]);
        assert_eq!(listing.news(list(), Seq(1)), []);
        assert_eq!(listing.news(vec![line(1, "paused"), line(2, "up")], Seq(1)), [id(1)]);
        listing.stir(&id(2));
        assert_eq!(listing.news(vec![line(1, "paused"), line(2, "up")], Seq(1)), [id(2)]);
        listing.forget(&id(2));
        assert_eq!(listing.news(vec![line(1, "paused"), line(2, "up")], Seq(1)), [id(2)]);
        listing.clear();
        assert_eq!(listing.news(list(), Seq(1)), [id(1), id(2)]);
    }

    #[test]
    fn who_was_away_from_a_list_is_news_when_it_is_back() {
        let mut listing = Listing::default();
        listing.news(vec![line(1, "up")], Seq(1));
        listing.news(vec![], Seq(1));
        assert_eq!(listing.news(vec![line(1, "up")], Seq(1)), [id(1)]);
    }

    #[test]
    fn who_runs_is_whom_a_list_shows_or_who_began_since_until_its_end() {
        let mut listing = Listing::default();
        assert!(!listing.runs(&id(1)));
        listing.news(vec![line(1, "up")], Seq(1));
        listing.begins(&id(2), Seq(3));
        // It was asked for before the second began.
        assert_eq!(listing.news(vec![line(1, "up")], Seq(2)), []);
        assert!(listing.runs(&id(1)) && listing.runs(&id(2)));
        listing.forget(&id(1));
        assert!(!listing.runs(&id(1)));
        assert_eq!(listing.news(vec![line(2, "up")], Seq(3)), [id(2)]);
        assert!(listing.runs(&id(2)));
        listing.news(vec![], Seq(4));
        assert!(!listing.runs(&id(2)));
    }

    #[test]
    fn a_list_that_was_asked_for_once_a_beginning_was_told_shows_who_began() {
        for (as_of, runs) in [(Seq(2), true), (Seq(3), false)] {
            let mut listing = Listing::default();
            listing.begins(&id(1), Seq(3));
            listing.news(vec![], as_of);
            assert_eq!(listing.runs(&id(1)), runs, "{as_of:?}");
        }
    }
}
