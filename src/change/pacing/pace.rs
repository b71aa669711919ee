//! How fast an agent may call, as shares of what an account may do.

use std::time::Duration;

/// How fast one agent may call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Requests a second, and how many may go at once after quiet.
    pub requests: Rate,
    /// Record changes a second, and how many may go at once after quiet; `None` where the account does not
    /// count them.
    pub changes: Option<Rate>,
    /// After a batch was written, how long changes gather before the next.
    pub gap: Duration,
    /// And how long deletes do, from when that batch was sent. Clients go on to use what is deleted until it is gone, so
    /// this is short; but containers are stopped many at a time, and an account refuses a call for each. 100 ms make ten
    /// calls a second, which is an account's rate since July 2026; under the older one it is the bucket that holds back.
    pub withdraw_gap: Duration,
}

/// A rate and its burst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Units a second.
    pub per_second: f64,
    /// Units at once.
    pub burst: f64,
}

impl Pace {
    /// What is left of it where others of this process make so many requests a second; half of it, if they want more.
    /// Returns how many they may make, too.
    #[must_use]
    pub fn shared(self, per_second: f64) -> (Self, f64) {
        let Rate { per_second: all, burst } = self.requests;
        let theirs = per_second.min(all / 2.0);
        // They make one at a time.
        let requests = Rate { per_second: all - theirs, burst: (burst - 1.0).max(1.0) };
        (Self { requests, ..self }, theirs)
    }

    /// A share of what an account may do since July 2026 (10 requests/s, burst 50; 100 changes/s, burst
    /// 1,500), leaving room for others in the account.
    pub const ROUTE53: Self = Self {
        requests: Rate { per_second: 8.0, burst: 40.0 },
        changes: Some(Rate { per_second: 100.0, burst: 1_500.0 }),
        gap: Duration::from_millis(500),
        withdraw_gap: Duration::from_millis(100),
    };

    /// A share of what an account may do that still has the limits from before (5 requests/s, burst 5; changes
    /// are not counted).
    pub const LEGACY: Self = Self {
        requests: Rate { per_second: 4.0, burst: 5.0 },
        changes: None,
        gap: Duration::from_millis(500),
        withdraw_gap: Duration::from_millis(100),
    };

    /// A zone in this process: nobody shares it, and nothing is gained by waiting.
    pub const LOCAL: Self = Self {
        requests: Rate { per_second: 10_000.0, burst: 10_000.0 },
        changes: None,
        gap: Duration::ZERO,
        withdraw_gap: Duration::ZERO,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_shares_are_never_more_than_the_whole() {
        let pace = |per_second, burst| Pace { requests: Rate { per_second, burst }, ..Pace::ROUTE53 };
        for (whole, left, theirs) in [
            (pace(8.0, 40.0), pace(7.9, 39.0), 0.1),
            (pace(0.1, 2.0), pace(0.05, 1.0), 0.05),
            (pace(1.0, 1.0), pace(0.9, 1.0), 0.1),
        ] {
            assert_eq!(whole.shared(0.1), (left, theirs));
        }
    }
}
