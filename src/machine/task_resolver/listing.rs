//! Which lines of the engine's list say something new.
//!
//! Owns what the latest list said of each container, as text that is only compared. What is to be done about a line
//! that differs is for the [task resolver](super).

use std::collections::BTreeMap;

use crate::container::event::Listed;
use crate::record::ContainerId;

/// What the latest list said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing(BTreeMap<ContainerId, Option<String>>);

impl Listing {
    /// Something happened to this container: the next list is not like the one before, though it may look so, because
    /// what happens next may not be told.
    pub fn stir(&mut self, id: &ContainerId) {
        self.0.insert(id.clone(), None);
    }

    /// Takes a list; returns whom it shows for the first time, or otherwise than the one before.
    pub fn news(&mut self, list: Vec<Listed>) -> Vec<ContainerId> {
        let before = std::mem::take(&mut self.0);
        let mut news = Vec::new();
        for Listed { id, fingerprint } in list {
            let fingerprint = Some(fingerprint);
            if before.get(&id) != Some(&fingerprint) {
                news.push(id.clone());
            }
            self.0.insert(id, fingerprint);
        }
        news
    }

    /// Forgets a container.
    pub fn forget(&mut self, id: &ContainerId) {
        self.0.remove(id);
    }

    /// Forgets all: everything in the next list is news.
    pub fn clear(&mut self) {
        self.0.clear();
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
        assert_eq!(listing.news(list()), [id(1), id(2)]);
        assert_eq!(listing.news(list()), []);
        assert_eq!(listing.news(vec![line(1, "paused"), line(2, "up")]), [id(1)]);
        listing.stir(&id(2));
        assert_eq!(listing.news(vec![line(1, "paused"), line(2, "up")]), [id(2)]);
        listing.forget(&id(2));
        assert_eq!(listing.news(vec![line(1, "paused"), line(2, "up")]), [id(2)]);
        listing.clear();
        assert_eq!(listing.news(list()), [id(1), id(2)]);
    }

    #[test]
    fn who_was_away_from_a_list_is_news_when_it_is_back() {
        let mut listing = Listing::default();
        listing.news(vec![line(1, "up")]);
        listing.news(vec![]);
        assert_eq!(listing.news(vec![line(1, "up")]), [id(1)]);
    }
}
