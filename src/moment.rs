//! Points in time, as the pure parts take them.
//!
//! A span is a [`Duration`], a point a [`Moment`], so that one cannot be passed where the other is meant. What other
//! clocks say (Docker's, the journal's, AWS') stays a `Timestamp` or a `SystemTime`: those step, and no point of
//! theirs becomes a moment but by a span.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A point in time, by a clock that never goes back: how long that clock had run by then.
///
/// Unlike `Instant` it can be made out of nothing, so that tests and the simulation tell the time. No sum or
/// difference of it fails: what would lie before the start is the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// When the clock started.
    pub const START: Self = Self(Duration::ZERO);

    /// So long after the start.
    pub const fn after(span: Duration) -> Self {
        Self(span)
    }

    /// How long the clock had run.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// How long after `earlier` it is; `None` where it comes before that.
    pub fn checked_sub(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0)
    }

    /// How far the two are apart, whichever comes first.
    pub fn abs_diff(self, other: Self) -> Duration {
        self.0.abs_diff(other.0)
    }
}

/// As the span since the start.
impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

/// So long before; not before the start.
impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span))
    }
}

/// How long it is from the earlier one to this; nothing, where that one is later.
impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// So many seconds after the start: a short hand for tests.
#[cfg(test)]
pub(crate) const fn at(secs: u64) -> Moment {
    Moment::after(Duration::from_secs(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_sum_nor_a_difference_leaves_the_range() {
        let (second, late) = (Duration::from_secs(1), Moment::after(Duration::MAX));
        let early = Moment::START + second;
        assert_eq!((early - second * 2, late + second), (Moment::START, late));
        assert_eq!((early - Moment::START, Moment::START - early), (second, Duration::ZERO));
        assert_eq!(
            (early.checked_sub(Moment::START), Moment::START.checked_sub(early)),
            (Some(second), None)
        );
        assert_eq!((early.abs_diff(Moment::START), Moment::START.abs_diff(early)), (second, second));
    }
}
