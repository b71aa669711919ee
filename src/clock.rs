//! The agent's clock: time since it started, as the pure parts take it.

use std::time::Duration;

use tokio::time::Instant;

/// Time since the agent started; follows a paused runtime, and never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    pub fn now(&self) -> Duration {
        self.0.elapsed()
    }

    /// How long it is until `at`.
    pub fn until(&self, at: Duration) -> Duration {
        at.saturating_sub(self.now())
    }
}
