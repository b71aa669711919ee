//! Time, as a run has it. Behind a trait, because a run waits a minute between its inspections: a test has a clock
//! that does so at once, and the verdict sees a minute all the same.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::clock::Clock;
use crate::moment::Moment;

/// A clock that never goes back, and that can be waited by.
#[async_trait]
pub trait Time: Send + Sync + std::fmt::Debug {
    /// Since the run began, or longer.
    fn now(&self) -> Moment;

    /// What other clocks show.
    fn wall(&self) -> SystemTime;

    /// Returns so much later.
    async fn sleep(&self, duration: Duration);
}

/// The runtime's time.
#[async_trait]
impl Time for Clock {
    fn now(&self) -> Moment {
        Self::now(self)
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
