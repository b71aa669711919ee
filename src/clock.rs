//! The agent's clock: the [`Moment`] that it is, as the pure parts take it.

use std::time::Duration;

use tokio::time::Instant;

use crate::moment::Moment;

/// Time since the agent started; follows a paused runtime, and never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// What it shows.
    pub fn now(&self) -> Moment {
        Moment::after(self.0.elapsed())
    }

    /// How long it is until `at`.
    pub fn until(&self, at: Moment) -> Duration {
        at - self.now()
    }
}
