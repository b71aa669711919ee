//! The numbers of a verdict, in one place.

use std::time::Duration;

/// A share of a number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Of a hundred.
    pub percent: usize,
}

impl Share {
    /// So many of `all`, rounded down, but one at least.
    pub fn quota(self, all: usize) -> usize {
        (all * self.percent / 100).max(1)
    }

    /// Whether `part` is more than this share of `all`.
    pub fn is_exceeded(self, part: usize, all: usize) -> bool {
        part * 100 > all * self.percent
    }
}

/// From the end of the first snapshot to the start of the second list, at least.
pub const APART: Duration = Duration::from_secs(60);
/// From the end of the second snapshot to the verdict, at most.
pub const FRESH: Duration = Duration::from_secs(60);
/// Of the marked records of the zone, by absence.
pub const ABSENT_OF_ZONE: Share = Share { percent: 15 };
/// Of the targets of a service, by absence.
pub const ABSENT_OF_SERVICE: Share = Share { percent: 10 };
/// Of the targets of a service, by positive evidence.
pub const POSITIVE_OF_SERVICE: Share = Share { percent: 50 };
/// Of a service with more than this share dead by absence, nothing goes by absence.
pub const LEFT_ALONE_OVER: Share = Share { percent: 50 };
/// With more than this share of all hosts dead, nothing goes by absence.
pub const HOSTS_DEAD_OVER: Share = Share { percent: 55 };
/// Where there are so many hosts at least.
pub const HOSTS_AT_LEAST: usize = 4;
