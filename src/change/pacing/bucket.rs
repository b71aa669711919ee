//! A token bucket.

use std::time::Duration;

use super::Rate;
use crate::moment::Moment;

/// A token bucket that may be overdrawn by its last spender, who then waits for the debt.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Moment,
}

impl Bucket {
    /// A full one.
    pub fn new(rate: Rate) -> Self {
        Self { rate, tokens: rate.burst, at: Moment::START }
    }

    fn level(&self, now: Moment) -> f64 {
        let earned = (now - self.at).as_secs_f64() * self.rate.per_second;
        (self.tokens + earned).min(self.rate.burst)
    }

    /// The moment at which `cost` is there, or the whole burst where it costs more than that.
    pub fn ready_at(&self, now: Moment, cost: f64) -> Moment {
        let missing = cost.min(self.rate.burst) - self.level(now);
        if missing <= 0.0 { now } else { now + Duration::from_secs_f64(missing / self.rate.per_second) }
    }

    /// Takes so much out of it.
    pub fn spend(&mut self, now: Moment, cost: f64) {
        self.tokens = self.level(now) - cost;
        self.at = now;
    }

    /// There is nothing in it until `at`, and from then on it fills.
    pub(super) fn empty_until(&mut self, at: Moment) {
        (self.tokens, self.at) = (0.0, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::after(Duration::from_secs(100));

    fn bucket() -> Bucket {
        Bucket::new(Rate { per_second: 2.0, burst: 4.0 })
    }

    #[test]
    fn its_last_spender_may_overdraw_it_and_waits_for_the_debt() {
        let mut bucket = bucket();
        assert_eq!(bucket.ready_at(NOW, 4.0), NOW);
        bucket.spend(NOW, 10.0);
        assert_eq!(bucket.ready_at(NOW, 0.0), NOW + Duration::from_secs(3));
        assert_eq!(bucket.ready_at(NOW, 1.0), NOW + Duration::from_millis(3_500));
    }

    #[test]
    fn what_costs_more_than_the_burst_goes_when_it_is_full() {
        let mut bucket = bucket();
        bucket.spend(NOW, 4.0);
        assert_eq!(bucket.ready_at(NOW, 100.0), NOW + Duration::from_secs(2));
    }

    #[test]
    fn nothing_is_earned_before_it_begins_to_fill() {
        let mut bucket = bucket();
        bucket.empty_until(NOW);
        assert_eq!(bucket.ready_at(NOW - Duration::from_secs(9), 0.0), NOW - Duration::from_secs(9));
        assert_eq!(bucket.ready_at(NOW, 1.0), NOW + Duration::from_millis(500));
    }
}
