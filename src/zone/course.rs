//! A list that comes in pages: each page gets on, and there is an end. Pure.
//!
//! Whoever reads page by page asks here before it goes on: an endpoint that leads back to where a page began would be
//! asked for ever.

use std::collections::HashSet;
use std::hash::Hash;

/// More pages than any list has. A zone may have more than its 10,000 sets, which are 34 pages, but not so many more.
const PAGES_MAX: usize = 2_000;

/// Where pages have begun so far, by whatever says so: a place in a zone, or a token.
#[derive(Clone, Debug)]
pub struct Course<T>(HashSet<T>);

impl<T> Default for Course<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

/// Why a list is not followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Endless {
    /// A page leads to where an earlier one began.
    #[error("the list goes round, after {0} pages")]
    Round(usize),
    /// There is always one more.
    #[error("the list has no end after {PAGES_MAX} pages")]
    Long,
}

impl<T: Eq + Hash> Course<T> {
    /// A page has come, and the next one begins here.
    ///
    /// # Errors
    /// Where it is not to be asked for.
    pub fn go_on(&mut self, next: T) -> Result<(), Endless> {
        let pages = self.0.len() + 1;
        match self.0.insert(next) {
            false => Err(Endless::Round(pages)),
            true if pages >= PAGES_MAX => Err(Endless::Long),
            true => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_where_it_goes_round_and_where_it_never_would() {
        for period in [1, 2, 7] {
            let mut course = Course::default();
            let pages = (0..).take_while(|page| course.go_on(page % period).is_ok()).count();
            assert_eq!((pages, course.go_on(0)), (period, Err(Endless::Round(period + 1))));
        }
        let mut course = Course::default();
        assert_eq!((0..).take_while(|page| course.go_on(*page).is_ok()).count(), PAGES_MAX - 1);
        assert_eq!(Endless::Long.to_string(), "the list has no end after 2000 pages");
    }
}
