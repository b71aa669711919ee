//! One AWS account: Route 53's buckets, a zone with one change in flight, and a bucket of ECS.
//!
//! Owns what is answered to a call, and after how long. The product's own model of a zone keeps Route 53's default quotas
//! (10,000 records, 100 of a name); here both count as raised, and the limits and the service time are the caller's.
//!
//! ## Assumptions
//!
//! A call that finds its bucket empty takes nothing from it; a batch that passes the request bucket and not the bucket of
//! changes has used its request, and so has one that finds a change in flight. No vendor publishes these, nor how long a
//! batch takes.

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::change::batch::{self, Size};
use ecssd::change::pacing::{Pace, Rate};
use ecssd::config::janitor::{SHARE, SHARE_LEGACY};
use ecssd::moment::Moment;
use ecssd::reconcile::writer::{Answer, Call};
use ecssd::record::{Action, Change, Key, RecordSet, list_order};
use ecssd::zone::refusal::Refusal;
use ecssd::zone::{ChangeInfo, ChangeStatus, ListStart, ListType, PAGE_ITEMS_MAX, Page, ZoneError};

/// What lies between a caller and the account, there and back.
const ROUND_TRIP: Duration = Duration::from_millis(20);
/// How long an accepted change stays PENDING: usually under a minute.
const IN_SYNC_AFTER: Duration = Duration::from_secs(30);
/// What each change adds to the service time of a batch (assumed).
pub const OF_EACH_CHANGE: Duration = Duration::from_micros(500);
/// DescribeContainerInstances: 20 requests/s, burst 100 (assumed: an account sees its own in Service Quotas).
const ECS: Rate = Rate { per_second: 20.0, burst: 100.0 };

/// What the account may do in Route 53.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub name: &'static str,
    pub requests: Rate,
    /// Whether each action has that rate for itself.
    pub of_each_action: bool,
    pub changes: Option<Rate>,
    /// How long a batch keeps the zone busy, beside [`OF_EACH_CHANGE`].
    pub service: Duration,
    /// What agents and janitor make of it, as their operator tells them by `--limits`.
    pub of_agent: Pace,
    pub of_janitor: Pace,
}

/// Since July 2026.
pub const LIMITS_2026: Limits = Limits {
    name: "2026",
    requests: Rate { per_second: 10.0, burst: 50.0 },
    of_each_action: true,
    changes: Some(Rate { per_second: 100.0, burst: 1_500.0 }),
    service: Duration::from_millis(150),
    of_agent: Pace::ROUTE53,
    of_janitor: SHARE,
};

/// Before.
pub const LEGACY: Limits = Limits {
    name: "legacy",
    requests: Rate { per_second: 5.0, burst: 5.0 },
    of_each_action: false,
    changes: None,
    of_agent: Pace::LEGACY,
    of_janitor: SHARE_LEGACY,
    ..LIMITS_2026
};

/// A token bucket, full at first.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    level: f64,
    at: Moment,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        Self { rate, level: rate.burst, at: Moment::START }
    }

    fn take(&mut self, tokens: usize, now: Moment) -> bool {
        let earned = (now - self.at).as_secs_f64() * self.rate.per_second;
        self.level = (self.level + earned).min(self.rate.burst);
        self.at = now;
        // A token that is a rounding error short counts as whole.
        let enough = self.level + 1e-6 >= tokens as f64;
        if enough {
            self.level -= tokens as f64;
        }
        enough
    }
}

/// The account.
#[derive(Debug)]
pub struct Account {
    limits: Limits,
    requests: Vec<Bucket>,
    changes: Option<Bucket>,
    ecs: Bucket,
    busy_until: Moment,
    /// By the order of a list.
    zone: BTreeMap<(String, Key), RecordSet>,
    /// What is to stand there in the end; what is there and not here is too much.
    goal: BTreeMap<Key, RecordSet>,
    /// How many keys are not as they are to be.
    missing: usize,
    /// When the zone last took a batch.
    pub written_at: Moment,
    accepted: Vec<Moment>,
}

impl Account {
    pub fn new(limits: Limits) -> Self {
        let actions = if limits.of_each_action { 3 } else { 1 };
        Self {
            limits,
            requests: (0..actions).map(|_| Bucket::new(limits.requests)).collect(),
            changes: limits.changes.map(Bucket::new),
            ecs: Bucket::new(ECS),
            busy_until: Moment::START,
            zone: BTreeMap::new(),
            goal: BTreeMap::new(),
            missing: 0,
            written_at: Moment::START,
            accepted: Vec::new(),
        }
    }

    /// Stands there already.
    pub fn plant(&mut self, set: RecordSet) {
        self.zone.insert(place(&set.key()), set);
    }

    /// This is to stand there in the end, and nothing else.
    pub fn aim(&mut self, goal: impl IntoIterator<Item = RecordSet>) {
        self.goal = goal.into_iter().map(|set| (set.key(), set)).collect();
        let wrong = |key: &&Key| !self.is_right(key);
        let surplus = self.zone.keys().map(|(_, key)| key).filter(|key| !self.goal.contains_key(*key));
        self.missing = self.goal.keys().filter(wrong).count() + surplus.count();
    }

    /// How many records are not as they are to be.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Answers a call, and says when that is heard.
    pub fn answer(&mut self, call: &Call, now: Moment) -> (Answer, Moment) {
        let heard = now + ROUND_TRIP;
        match call {
            Call::Change(batch) => {
                let answer = self.change(batch, now);
                let heard = if answer.is_ok() { self.busy_until + ROUND_TRIP } else { heard };
                (Answer::Changed(answer), heard)
            }
            Call::LookUp(_) => (Answer::Listed(Err(ZoneError::Unknown("nobody looks up".into()))), heard),
            Call::Read(start) => (Answer::Listed(self.list(start.as_ref(), now)), heard),
            Call::Status(id) => (Answer::Status(self.status(id, now)), heard),
        }
    }

    /// A call of somebody who changes one record of a zone of his own. Whether it is let through.
    pub fn change_elsewhere(&mut self, now: Moment) -> bool {
        self.requests[0].take(1, now) && self.changes.as_mut().is_none_or(|changes| changes.take(1, now))
    }

    /// A question to ECS. Whether it is answered.
    pub fn ask_ecs(&mut self, now: Moment) -> bool {
        self.ecs.take(1, now)
    }

    fn pass(&mut self, action: usize, now: Moment) -> Result<(), ZoneError> {
        let bucket = action.min(self.requests.len() - 1);
        if self.requests[bucket].take(1, now) { Ok(()) } else { Err(throttled()) }
    }

    fn change(&mut self, batch: &[Change], now: Moment) -> Result<ChangeInfo, ZoneError> {
        self.pass(0, now)?;
        if now < self.busy_until {
            return Err(ZoneError::Busy("a prior request".to_owned()));
        }
        let cost = batch.iter().map(batch::cost).sum();
        if self.changes.as_mut().is_some_and(|changes| !changes.take(cost, now)) {
            return Err(throttled());
        }
        let size = Size::of(batch);
        assert!(size.elements <= batch::ELEMENTS_MAX && size.characters <= batch::VALUE_CHARACTERS_MAX);
        if let Some(change) = batch.iter().find(|change| self.refuses(batch, change)) {
            return Err(ZoneError::Rejected(vec![Refusal::unnamed(change.to_string())]));
        }
        batch.iter().for_each(|change| self.apply(change));
        let changes = u32::try_from(batch.len()).expect("a batch has a thousand changes");
        self.busy_until = now + self.limits.service + OF_EACH_CHANGE * changes;
        self.written_at = self.busy_until;
        self.accepted.push(now);
        Ok(self.info(self.accepted.len() - 1, now))
    }

    /// What is created must not be there, but for what the same batch deletes; what is deleted must be there, as it is.
    fn refuses(&self, batch: &[Change], change: &Change) -> bool {
        let key = change.set.key();
        let there = self.zone.get(&place(&key));
        let replaced = || batch.iter().any(|other| other.action == Action::Delete && other.set.key() == key);
        match change.action {
            Action::Create => there.is_some() && !replaced(),
            Action::Delete => there != Some(&change.set),
            Action::Upsert => false,
        }
    }

    fn apply(&mut self, change: &Change) {
        let key = change.set.key();
        let was_right = self.is_right(&key);
        match change.action {
            Action::Delete => self.zone.remove(&place(&key)),
            Action::Create | Action::Upsert => self.zone.insert(place(&key), change.set.clone()),
        };
        match (was_right, self.is_right(&key)) {
            (true, false) => self.missing += 1,
            (false, true) => self.missing -= 1,
            _ => {}
        }
    }

    fn is_right(&self, key: &Key) -> bool {
        self.zone.get(&place(key)) == self.goal.get(key)
    }

    fn list(&mut self, start: Option<&ListStart>, now: Moment) -> Result<Page, ZoneError> {
        self.pass(1, now)?;
        let from = start.and_then(|start| start.name.as_deref()).map(list_order).unwrap_or_default();
        let is_before = |key: &Key| {
            start.is_some_and(|start| {
                start.name.as_ref() == Some(&key.name)
                    && (Some(key.kind.as_str()), &key.set_identifier)
                        < (start.kind.as_ref().map(ListType::as_str), &start.set_identifier)
            })
        };
        let key = Key { name: String::new(), kind: ecssd::record::RecordType::A, set_identifier: None };
        let mut rest =
            self.zone.range((from, key)..).skip_while(|((_, key), _)| is_before(key)).map(|(_, set)| set);
        let sets: Vec<_> = rest.by_ref().take(PAGE_ITEMS_MAX).cloned().collect();
        Ok(Page { sets, next: rest.next().map(|set| set.key().into()) })
    }

    fn status(&mut self, id: &str, now: Moment) -> Result<ChangeInfo, ZoneError> {
        let action = self.requests.len() - 1;
        self.pass(action, now)?;
        id.parse().map(|n| self.info(n, now)).map_err(|_| ZoneError::NoSuchChange(id.to_owned()))
    }

    fn info(&self, n: usize, now: Moment) -> ChangeInfo {
        let is_pending = now < self.accepted[n] + IN_SYNC_AFTER;
        let status = if is_pending { ChangeStatus::Pending } else { ChangeStatus::InSync };
        ChangeInfo { id: n.to_string(), status }
    }
}

fn throttled() -> ZoneError {
    ZoneError::Throttled("Rate exceeded".to_owned())
}

fn place(key: &Key) -> (String, Key) {
    (list_order(&key.name), key.clone())
}
