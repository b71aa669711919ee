//! How long what was accepted takes to reach every name server, asked after within a budget: and whether a container
//! that was asked to stop ended before its withdrawal had.
//!
//! Owns which change is asked after next, when, and what came of it. Leaves to others when a call may go at all
//! ([`crate::change::pacing`]), whose turn it is ([`turns`]), and whether a drain is over ([`super::confirm`]), in which nothing is asked here.
//!
//! | asked after | when |
//! |---|---|
//! | the deletes of a container that was asked to stop | once it has ended, until they are everywhere: one that served for long enough costs one question |
//! | a change now and then ([`budget`]) | from the start, for how long it took from wanting it |
//!
//! A container ended too early only where a question that was sent after its end was answered with PENDING, or its
//! delete was accepted, and pending, after that. It served for long enough only where a question that was sent soon
//! after its end was answered with IN SYNC. So nobody is told without proof; what is not known in time is counted as
//! unknown.

mod budget;
mod stops;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::budget::Budget;
pub use self::stops::{Early, Missing, Stopped, Stops};
use self::stops::{KEPT_MAX, Stop};
use super::Spread;
use crate::moment::Moment;
use crate::record::{Action, Change, ContainerId, Key, RecordSet};
use crate::zone::{ChangeInfo, ChangeStatus, ZoneError};

/// A change that is older than this is on every name server, or nobody can tell: usually it takes less than a minute.
/// Source: Route 53 developer guide, "How long does it take for changes to propagate".
pub(super) const PROPAGATED_AFTER: Duration = Duration::from_secs(300);
/// How long nothing is asked after the registry has denied it: somebody may have allowed it since.
const DENIED_FOR: Duration = Duration::from_secs(3_600);
/// How long nothing is asked after the account's rate was used up: those who write need it more.
const THROTTLED_FOR: Duration = Duration::from_secs(30);

/// An accepted change that may be asked after.
#[derive(Debug)]
struct Followed {
    accepted: Moment,
    /// When it was last asked after.
    asked: Option<Moment>,
    /// Since when its records were wanted so, where that is to be told.
    sampled: Vec<Moment>,
}

/// What is known of how far changes have got.
#[derive(Debug, Default)]
pub(super) struct Propagation {
    /// By the registry's id.
    changes: BTreeMap<String, Followed>,
    /// Containers that were withdrawn, and those of them that have ended.
    stops: Vec<Stop>,
    budget: Budget,
    /// The question that is under way, and when it was sent.
    asking: Option<(String, Moment)>,
    /// What came of the stops.
    told: Stops,
    in_sync_after: Spread,
    is_denied: bool,
    is_over: bool,
}

impl Propagation {
    /// What came of the stops so far.
    pub(super) fn stops(&self) -> &Stops {
        &self.told
    }

    /// How long it took from wanting a record, or no longer wanting it, until every name server answered so.
    pub(super) fn in_sync_after(&self) -> &Spread {
        &self.in_sync_after
    }

    /// A container's records are wanted otherwise.
    pub(super) fn want(&mut self, id: &ContainerId, old: &[RecordSet], new: &[RecordSet], now: Moment) {
        if self.is_over {
            return;
        }
        // Nobody is sent to what has no weight: whoever ends there is missed by none.
        let old = keys(old.iter().filter(|set| set.weight() != Some(0)));
        let new = keys(new.iter());
        self.told.enter(&new);
        let of_it = |stop: &&mut Stop| stop.container == *id && stop.ended.is_none();
        if let Some(stop) = self.stops.iter_mut().find(of_it) {
            stop.keys.retain(|key, _| !new.contains(key));
            stop.was_deleted &= new.is_empty();
            stop.withdraw(old.difference(&new), now);
        } else if !old.is_subset(&new) {
            let mut stop = Stop::new(id.clone(), now);
            stop.withdraw(old.difference(&new), now);
            self.stops.push(stop);
        }
    }

    /// Only these records are still to be written: what else was to be deleted is not there.
    pub(super) fn retain(&mut self, is_unsettled: impl Fn(&Key) -> bool) {
        self.stops.iter_mut().for_each(|stop| stop.keep_unsent(&is_unsettled));
        // Nothing of it was ever there, or another hand has deleted it.
        self.stops.retain(|stop| !stop.keys.is_empty() || stop.was_deleted);
    }

    /// A container that was asked to stop has ended.
    pub(super) fn end(&mut self, id: &ContainerId, name: String, now: Moment) {
        self.forget_old(now);
        if let Some(stop) = self.stops.iter_mut().find(|stop| stop.container == *id && stop.ended.is_none()) {
            stop.ended = Some(now);
            stop.name = name;
        }
        // All had heard of it before.
        for stop in self.stops.extract_if(.., |stop| stop.ended.is_some() && stop.keys.is_empty()) {
            self.told.add(stop.services(), Stopped::of(stop.outcome(now).as_ref()));
        }
    }

    /// A batch was answered.
    pub(super) fn on_changed(
        &mut self,
        batch: &[Change],
        answer: &Result<ChangeInfo, ZoneError>,
        now: Moment,
    ) -> Vec<Early> {
        let Ok(info) = answer else { return Vec::new() };
        let deletes = batch.iter().filter(|change| change.action == Action::Delete);
        let deleted: BTreeSet<Key> = deletes.map(|change| change.set.key()).collect();
        let mut is_followed = false;
        for stop in &mut self.stops {
            is_followed |= stop.on_deleted(&deleted, info, now);
        }
        if is_followed {
            self.follow(&info.id, now);
        }
        self.finish(now)
    }

    /// This change was accepted, and its records have been wanted so since then: it may be asked after, to tell how
    /// long that takes. `random` is uniform in 0..1.
    pub(super) fn sample(
        &mut self,
        id: &str,
        wanted: Vec<Moment>,
        now: Moment,
        random: impl FnOnce() -> f64,
    ) {
        let is_sampling = self.changes.values().any(|change| !change.sampled.is_empty());
        if !self.is_over && !is_sampling && !wanted.is_empty() && self.budget.samples(now, random) {
            self.follow(id, now).sampled = wanted;
        }
    }

    /// How many hosts share this rate, in requests a second.
    pub(super) fn set_pace(&mut self, hosts: Option<u32>, per_second: f64) {
        self.budget.set_pace(hosts, per_second);
    }

    /// A change was asked after. Returns why that may not be done, where that is news.
    pub(super) fn on_status(
        &mut self,
        id: &str,
        answer: &Result<ChangeInfo, ZoneError>,
        now: Moment,
    ) -> (Vec<Early>, Option<ZoneError>) {
        let sent = self.asking.take().filter(|(asked, _)| asked == id).map_or(now, |(_, sent)| sent);
        match answer {
            Ok(ChangeInfo { status: ChangeStatus::InSync, .. }) => {
                self.is_denied = false;
                let change = self.changes.remove(id);
                for wanted in change.into_iter().flat_map(|change| change.sampled) {
                    self.in_sync_after.add(now - wanted);
                }
                self.stops.iter_mut().for_each(|stop| stop.on_in_sync(id, sent));
            }
            Ok(ChangeInfo { status: ChangeStatus::Pending, .. }) => {
                self.is_denied = false;
                self.asked(id, sent);
                self.stops.iter_mut().for_each(|stop| stop.on_pending(id, sent));
            }
            Err(ZoneError::NoSuchChange(_)) => {
                self.changes.remove(id);
                self.stops.iter_mut().for_each(|stop| stop.on_unknown(id));
            }
            Err(error @ ZoneError::Denied(_)) => {
                self.budget.hold_until(now + DENIED_FOR);
                // What was accepted is everywhere in the end, whoever may ask.
                self.changes.values_mut().for_each(|change| change.sampled.clear());
                for stop in self.stops.extract_if(.., |stop| stop.ended.is_some()) {
                    self.told.add(stop.services(), Stopped::unknown());
                }
                self.changes.retain(|id, _| self.stops.iter().any(|stop| stop.has(id)));
                let is_news = !std::mem::replace(&mut self.is_denied, true);
                return (Vec::new(), is_news.then(|| error.clone()));
            }
            Err(error) => {
                self.asked(id, sent);
                if matches!(error, ZoneError::Throttled(_)) {
                    self.budget.hold_until(now + THROTTLED_FOR);
                }
            }
        }
        (self.finish(now), None)
    }

    /// What is known by its age.
    pub(super) fn on_time(&mut self, now: Moment) -> Vec<Early> {
        self.finish(now)
    }

    /// The agent ends: there is no time left for questions.
    pub(super) fn drain(&mut self) {
        self.changes.clear();
        self.stops.clear();
        self.is_over = true;
    }

    fn asked(&mut self, id: &str, sent: Moment) {
        if let Some(change) = self.changes.get_mut(id) {
            change.asked = Some(sent);
        }
    }

    fn follow(&mut self, id: &str, now: Moment) -> &mut Followed {
        let new = Followed { accepted: now, asked: None, sampled: Vec::new() };
        self.changes.entry(id.to_owned()).or_insert(new)
    }

    /// What has been everywhere for long, though nobody asked.
    pub(super) fn forget_old(&mut self, now: Moment) {
        self.changes.retain(|_, change| now - change.accepted < PROPAGATED_AFTER);
        let changes = &self.changes;
        self.stops.iter_mut().filter(|stop| stop.ended.is_none()).for_each(|stop| stop.keep(changes));
        self.stops.retain(|stop| stop.may_tell(now));
        // An empty map keeps its room.
        self.stops
            .iter_mut()
            .filter(|stop| stop.keys.is_empty())
            .for_each(|stop| stop.keys = BTreeMap::new());
        let beyond = self.stops.iter().filter(|stop| stop.awaits_its_end()).count().saturating_sub(KEPT_MAX);
        self.stops.extract_if(.., |stop| stop.awaits_its_end()).take(beyond).for_each(drop);
    }

    /// Those that are known to have ended in time or too early, or to stay unknown.
    fn finish(&mut self, now: Moment) -> Vec<Early> {
        let mut early = Vec::new();
        for stop in self.stops.extract_if(.., |stop| stop.is_over(now)) {
            let outcome = stop.outcome(now);
            self.told.add(stop.services(), Stopped::of(outcome.as_ref()));
            early.extend(outcome.ok().flatten());
        }
        let is_old = |change: &Followed| now - change.accepted >= PROPAGATED_AFTER;
        let stops = &self.stops;
        self.changes.retain(|id, change| {
            stops.iter().any(|stop| stop.has(id)) || !change.sampled.is_empty() && !is_old(change)
        });
        early
    }
}

/// Those of services.
fn keys<'a>(sets: impl Iterator<Item = &'a RecordSet>) -> BTreeSet<Key> {
    sets.filter(|set| set.is_of_service()).map(RecordSet::key).collect()
}
