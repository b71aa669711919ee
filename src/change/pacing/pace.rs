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
    /// After a batch was written, how long changes gather before the next; deletes do not wait for it.
    pub gap: Duration,
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
    /// A share of what an account may do since July 2026 (10 requests/s, burst 50; 100 changes/s, burst
    /// 1,500), leaving room for others in the account.
    pub const ROUTE53: Self = Self {
        requests: Rate { per_second: 8.0, burst: 40.0 },
        changes: Some(Rate { per_second: 100.0, burst: 1_500.0 }),
        gap: Duration::from_millis(500),
    };

    /// A share of what an account may do that still has the limits from before (5 requests/s, burst 5; changes
    /// are not counted).
    pub const LEGACY: Self = Self {
        requests: Rate { per_second: 4.0, burst: 5.0 },
        changes: None,
        gap: Duration::from_millis(500),
    };

    /// A zone in this process: nobody shares it, and nothing is gained by waiting.
    pub const LOCAL: Self =
        Self { requests: Rate { per_second: 10_000.0, burst: 10_000.0 }, changes: None, gap: Duration::ZERO };
}
