//! How often an agent may start actors that failed before it gives up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::moment::Moment;

/// The most restarts within [`WITHIN`]: more is no accident, and a new process starts from a better state.
const MAX: usize = 5;
/// See [`MAX`].
const WITHIN: Duration = Duration::from_secs(60);

/// The restarts of late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restarts(VecDeque<Moment>);

impl Restarts {
    /// Another actor failed. Returns whether one may be started in its place.
    pub fn may_restart(&mut self, now: Moment) -> bool {
        self.0.retain(|at| now - *at < WITHIN);
        self.0.push_back(now);
        self.0.len() <= MAX
    }

    /// Whether an actor has failed within the latest minute, as of the latest failure.
    pub fn is_recovering(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::at;

    #[test]
    fn so_many_within_a_minute_are_too_many_and_over_longer_are_not() {
        let mut restarts = Restarts::default();
        assert!(!restarts.is_recovering());
        assert!((0..5).all(|n| restarts.may_restart(at(n))));
        assert!(restarts.is_recovering());
        assert!(!restarts.clone().may_restart(at(59)));
        assert!(restarts.may_restart(at(60)), "the first is a minute ago");
        assert!(!restarts.may_restart(at(60)));
    }
}
