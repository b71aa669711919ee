//! How somebody would write who leaves the waits to AWS' SDK: all that differs in one call, as ours, with the retry mode
//! "adaptive". When its three tries are over, the call is made again: nothing is lost.
//!
//! Its token bucket fills at a rate that follows what is let through: 0.7 of it after a throttle, and up again along a
//! cubic. A change in flight counts as a throttle, as in the SDKs. Source: AWS SDKs and Tools reference, "Retry behavior",
//! and botocore's `retries/adaptive.py`, `bucket.py`, `throttling.py`.

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::change::batch;
use ecssd::moment::Moment;
use ecssd::reconcile::writer::{Answer, Call, Next};
use ecssd::record::{Action, Change, Key, RecordSet};
use ecssd::zone::Meaning;

use super::inventory::Host;
use super::strategy::{Strategy, Told};

/// Tries of one call, the first among them.
const TRIES: u32 = 3;
/// The longest range of a wait between two tries.
const WAIT_MAX: f64 = 20.0;
/// What a throttle leaves of the rate, and how steeply it comes back.
const BETA: f64 = 0.7;
const SCALE: f64 = 0.4;
/// How much of the measured rate is the newest.
const SMOOTH: f64 = 0.8;
/// How often a rate is measured, in seconds.
const MEASURED_EVERY: f64 = 0.5;

pub struct Adaptive {
    host: RecordSet,
    wanted: BTreeMap<Key, RecordSet>,
    written: BTreeMap<Key, RecordSet>,
    containers: BTreeMap<ecssd::record::ContainerId, Vec<RecordSet>>,
    limiter: Limiter,
    tries: u32,
    is_calling: bool,
    not_before: Moment,
    rng: fastrand::Rng,
}

impl Adaptive {
    pub fn new(host: &Host, written: &[RecordSet], seed: u64) -> Self {
        let known = !written.is_empty();
        let by_key = |sets: &[RecordSet]| sets.iter().map(|set| (set.key(), set.clone())).collect();
        Self {
            host: host.registrant.host_record(),
            wanted: by_key(written),
            written: by_key(written),
            containers: if known { host.containers(0).into_iter().collect() } else { BTreeMap::new() },
            limiter: Limiter::default(),
            tries: 0,
            is_calling: false,
            not_before: Moment::START,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    fn differ(&self) -> Vec<Change> {
        let gone = self.written.iter().filter(|(key, _)| !self.wanted.contains_key(*key));
        let new = self.wanted.iter().filter(|(key, _)| !self.written.contains_key(*key));
        let change = |action| move |(_, set): (_, &RecordSet)| Change { action, set: set.clone() };
        let changes = gone.map(change(Action::Delete)).chain(new.map(change(Action::Create))).collect();
        batch::pack(&batch::units(changes)).iter().flat_map(|unit| unit.changes.clone()).collect()
    }

    fn rewant(&mut self) {
        self.wanted = self.containers.values().flatten().map(|set| (set.key(), set.clone())).collect();
        self.wanted.insert(self.host.key(), self.host.clone());
    }
}

impl Strategy for Adaptive {
    fn tell(&mut self, told: Told, _: Moment) {
        match told {
            Told::All(wants) => self.containers = wants.into_iter().collect(),
            Told::Want(id, records) if records.is_empty() => drop(self.containers.remove(&id)),
            Told::Want(id, records) => drop(self.containers.insert(id, records)),
            Told::Drain(_) => self.containers.clear(),
            Told::Restarted => (self.limiter, self.is_calling) = (Limiter::default(), false),
            Told::Ended(_) => {}
        }
        self.rewant();
    }

    fn next(&mut self, now: Moment) -> Next {
        if self.is_calling {
            return Next::Nothing;
        }
        let at = self.not_before.max(self.limiter.ready_at(now));
        if at > now {
            return Next::At(at);
        }
        let changes = self.differ();
        if changes.is_empty() {
            return Next::Nothing;
        }
        self.limiter.take(now);
        self.is_calling = true;
        Next::Call(Call::Change(changes))
    }

    fn on_answer(&mut self, call: Call, answer: Answer, now: Moment) {
        self.is_calling = false;
        let (Call::Change(batch), Answer::Changed(answer)) = (call, answer) else { return };
        let is_throttled = answer.as_ref().is_err_and(|error| error.meaning() == Meaning::Later);
        self.limiter.on_answer(is_throttled, now);
        if !is_throttled {
            self.tries = 0;
            for Change { action, set } in batch {
                match action {
                    Action::Delete => self.written.remove(&set.key()),
                    Action::Create | Action::Upsert => self.written.insert(set.key(), set),
                };
            }
            return;
        }
        let range = 2f64.powi(self.tries.try_into().unwrap_or(i32::MAX)).min(WAIT_MAX);
        self.not_before = now + Duration::from_secs_f64(range * self.rng.f64());
        self.tries = (self.tries + 1) % TRIES;
    }
}

/// The client's own bucket.
#[derive(Debug, Default)]
struct Limiter {
    /// Tokens a second, once something was throttled.
    rate: Option<f64>,
    tokens: f64,
    filled: f64,
    measured: f64,
    requests: f64,
    measured_at: f64,
    max_rate: f64,
    throttled_at: f64,
}

impl Limiter {
    fn ready_at(&self, now: Moment) -> Moment {
        let Some(rate) = self.rate else { return now };
        let at = now.since_start().as_secs_f64();
        let level = (self.tokens + (at - self.filled) * rate).min(rate.max(1.0));
        now + Duration::from_secs_f64(((1.0 - level) / rate).max(0.0))
    }

    fn take(&mut self, now: Moment) {
        let at = now.since_start().as_secs_f64();
        if let Some(rate) = self.rate {
            self.tokens = (self.tokens + (at - self.filled) * rate).min(rate.max(1.0)) - 1.0;
        }
        self.filled = at;
    }

    fn on_answer(&mut self, is_throttled: bool, now: Moment) {
        let at = now.since_start().as_secs_f64();
        self.requests += 1.0;
        let window = (at / MEASURED_EVERY).floor() * MEASURED_EVERY;
        if window > self.measured_at {
            let newest = self.requests / (window - self.measured_at);
            self.measured = newest * SMOOTH + self.measured * (1.0 - SMOOTH);
            (self.requests, self.measured_at) = (0.0, window);
        }
        let calculated = if is_throttled {
            let rate = self.rate.map_or(self.measured, |rate| rate.min(self.measured));
            (self.max_rate, self.throttled_at) = (rate, at);
            rate * BETA
        } else {
            let window = (self.max_rate * (1.0 - BETA) / SCALE).cbrt();
            SCALE * (at - self.throttled_at - window).powi(3) + self.max_rate
        };
        if is_throttled || self.rate.is_some() {
            let rate = calculated.min(2.0 * self.measured).max(0.5);
            self.tokens = self.tokens.min(rate.max(1.0));
            self.rate = Some(rate);
        }
    }
}
