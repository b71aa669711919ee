//! When the registry answers at all: token buckets per account, one change in flight per zone.
//!
//! Pure: time is what has passed since the zone's epoch, and never goes back.
//!
//! ## Assumptions
//!
//! A call that finds its bucket empty takes nothing from it; a batch that passes the request bucket and
//! not the bucket of changes has used its request. The vendor does not publish either.

use super::limits::{SERVICE_TIME_BASE, SERVICE_TIME_PER_CHANGE};
use super::refusal;
use crate::moment::Moment;
use crate::record::{Action, Change};
use crate::zone::ZoneError;

/// How much the account may ask. Source: Route 53 developer guide, "Quotas".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Throttle {
    /// As much as it wants.
    #[default]
    None,
    /// 5 requests/s, burst 5, over all actions together.
    Legacy,
    /// 10 requests/s, burst 50, for each action; and 100 record changes/s, burst 1,500, where CREATE and
    /// DELETE cost 1 and UPSERT 2.
    Standard,
}

/// What is asked of the API, as far as its buckets tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call<'a> {
    Change(&'a [Change]),
    List,
    Status,
}

#[derive(Clone, Debug)]
pub(super) struct Gate {
    /// One bucket for each of [`Call`]'s variants, or a single one for all.
    requests: Vec<Bucket>,
    changes: Option<Bucket>,
    one_change_in_flight: bool,
    busy_until: Moment,
}

impl Gate {
    pub(super) fn new(throttle: Throttle, one_change_in_flight: bool) -> Self {
        let (requests, changes) = match throttle {
            Throttle::None => (vec![], None),
            Throttle::Legacy => (vec![Bucket::full(5.0, 5.0)], None),
            Throttle::Standard => (vec![Bucket::full(10.0, 50.0); 3], Some(Bucket::full(100.0, 1_500.0))),
        };
        Self { requests, changes, one_change_in_flight, busy_until: Moment::START }
    }

    /// Lets a call through, or says why not.
    pub(super) fn pass(&mut self, call: Call<'_>, now: Moment) -> Result<(), ZoneError> {
        let index = match call {
            Call::Change(_) => 0,
            Call::List => 1,
            Call::Status => 2,
        };
        let throttled = || Err(ZoneError::Throttled(refusal::RATE_EXCEEDED.to_owned()));
        let bucket = index.min(self.requests.len().saturating_sub(1));
        if self.requests.get_mut(bucket).is_some_and(|bucket| !bucket.take(1, now)) {
            return throttled();
        }
        let Call::Change(batch) = call else { return Ok(()) };
        if self.one_change_in_flight && now < self.busy_until {
            return Err(ZoneError::Busy(refusal::PRIOR_REQUEST.to_owned()));
        }
        if self.changes.as_mut().is_some_and(|bucket| !bucket.take(cost(batch), now)) {
            return throttled();
        }
        Ok(())
    }

    /// Notes that a batch of `changes` is being served from `now` on, and returns until when.
    pub(super) fn occupy(&mut self, changes: usize, now: Moment) -> Moment {
        if self.one_change_in_flight {
            let per_change = SERVICE_TIME_PER_CHANGE * u32::try_from(changes).unwrap_or(u32::MAX);
            self.busy_until = now + SERVICE_TIME_BASE + per_change;
        }
        self.busy_until.max(now)
    }
}

fn cost(batch: &[Change]) -> usize {
    batch.iter().map(|change| if change.action == Action::Upsert { 2 } else { 1 }).sum()
}

/// A token bucket, full at first.
#[derive(Clone, Debug)]
struct Bucket {
    /// Tokens a second.
    rate: f64,
    /// The most tokens that it holds.
    burst: f64,
    level: f64,
    filled_at: Moment,
}

impl Bucket {
    fn full(rate: f64, burst: f64) -> Self {
        Self { rate, burst, level: burst, filled_at: Moment::START }
    }

    fn take(&mut self, tokens: usize, now: Moment) -> bool {
        let passed = now - self.filled_at;
        self.level = (self.level + passed.as_secs_f64() * self.rate).min(self.burst);
        self.filled_at = self.filled_at.max(now);
        // A token that is a rounding error short counts as whole.
        let enough = self.level + 1e-6 >= tokens as f64;
        if enough {
            self.level -= tokens as f64;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::moment::at;
    use crate::zone::embedded::testing::{change, srv, upsert};

    fn passes(gate: &mut Gate, call: Call<'_>, now: Moment, tries: usize) -> usize {
        (0..tries).filter(|_| gate.pass(call, now).is_ok()).count()
    }

    #[test]
    fn legacy_shares_five_requests_among_all_actions() {
        let mut gate = Gate::new(Throttle::Legacy, false);
        let batch = [change(srv("web", "a", 1))];
        assert_eq!(passes(&mut gate, Call::List, Moment::START, 3), 3);
        assert_eq!(passes(&mut gate, Call::Change(&batch), Moment::START, 9), 2);
        assert_eq!(
            gate.pass(Call::Status, Moment::START),
            Err(ZoneError::Throttled("Rate exceeded".to_owned()))
        );
        assert_eq!(passes(&mut gate, Call::Status, Moment::after(Duration::from_millis(200)), 9), 1);
        assert_eq!(passes(&mut gate, Call::Status, at(60), 9), 5);
    }

    #[test]
    fn standard_counts_each_action_and_each_change() {
        let mut gate = Gate::new(Throttle::Standard, false);
        assert_eq!(passes(&mut gate, Call::List, Moment::START, 99), 50);
        assert_eq!(passes(&mut gate, Call::Status, Moment::START, 99), 50);
        let upserts = vec![upsert(srv("web", "a", 1)); 100];
        assert_eq!(passes(&mut gate, Call::Change(&upserts), Moment::START, 9), 7);
        let creates = vec![change(srv("web", "a", 1)); 100];
        assert_eq!(passes(&mut gate, Call::Change(&creates), Moment::START, 9), 1);
        assert_eq!(passes(&mut gate, Call::Change(&creates), at(1), 9), 1);
        assert_eq!(passes(&mut gate, Call::List, at(1), 99), 10);
    }

    #[test]
    fn serves_one_change_at_a_time() {
        let mut gate = Gate::new(Throttle::None, true);
        let batch = [change(srv("web", "a", 1)), change(srv("web", "b", 1))];
        gate.pass(Call::Change(&batch), Moment::START).unwrap();
        let until = gate.occupy(batch.len(), Moment::START);
        assert_eq!(until, Moment::after(Duration::from_millis(151)));
        let busy = "The request was rejected because Route 53 was still processing a prior request.";
        let refused = gate.pass(Call::Change(&batch), until - Duration::from_nanos(1));
        assert_eq!(refused, Err(ZoneError::Busy(busy.to_owned())));
        assert_eq!(gate.pass(Call::List, Moment::START), Ok(()));
        assert_eq!(gate.pass(Call::Change(&batch), until), Ok(()));
    }

    #[test]
    fn never_loses_tokens_to_a_clock_that_stands() {
        let mut bucket = Bucket::full(1.0, 2.0);
        let late = at(10);
        assert!(bucket.take(2, late) && !bucket.take(1, late) && !bucket.take(1, Moment::START));
        assert!(bucket.take(1, late + Duration::from_secs(1)));
    }
}
