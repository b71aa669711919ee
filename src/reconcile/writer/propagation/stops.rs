//! A container that was withdrawn, from its withdrawal to what is known of its end; and what came of all of them, by
//! service.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::budget::ASK_EVERY;
use super::{Followed, PROPAGATED_AFTER};
use crate::moment::Moment;
use crate::record::{ContainerId, Key};
use crate::zone::{ChangeInfo, ChangeStatus};

/// A question that is sent later than this after an end tells no more whether all had heard by then.
pub(super) const TELLS_FOR: Duration = ASK_EVERY.saturating_mul(2);
/// How long a container that is deleted everywhere is kept, until it ends: the longest drains are shorter.
const KEPT_FOR: Duration = Duration::from_secs(3_600);
/// How many of those are kept, the latest: of who ended by itself no end is told. No host runs as many that stop at once.
pub(super) const KEPT_MAX: usize = 1_000;
/// How many services are told apart; all others are one.
pub(super) const SERVICES_MAX: usize = 20;
/// What these others are called.
const OTHERS: &str = "other";

/// Where the delete of a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nobody has accepted it.
    Unsent,
    /// In the change of this id, on its way.
    In(String),
}

/// A container that was withdrawn.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) container: ContainerId,
    pub(super) name: String,
    names: BTreeSet<String>,
    /// What of it may still be answered with.
    pub(super) keys: BTreeMap<Key, Place>,
    /// Whether some of it was deleted, and nothing of it has been wanted since.
    pub(super) was_deleted: bool,
    withdrawn: Moment,
    /// When it ended; `None` where nobody has said so, or it was not asked to.
    pub(super) ended: Option<Moment>,
    /// When some of it was last known to be pending, after its end.
    pending: Option<Moment>,
    /// Whether the registry has forgotten a change of it.
    is_unknown: bool,
    /// Whether some of it was everywhere when that was asked, too long after its end.
    is_late: bool,
}

/// A container that ended before every name server had heard of its withdrawal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Early {
    /// The container.
    pub container: ContainerId,
    /// What it is called.
    pub name: String,
    /// The names that led to it.
    pub services: BTreeSet<String>,
    /// How long it went on after its withdrawal.
    pub served: Duration,
    /// How long clients were sent to it after its end.
    pub missing: Missing,
}

/// How long clients were sent to a container that was not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// At least for so long.
    pub at_least: Duration,
    /// At most for so long; `None` where it had not ended when that was given up.
    pub at_most: Option<Duration>,
}

impl Stop {
    pub(super) fn new(container: ContainerId, now: Moment) -> Self {
        Self {
            container,
            name: String::new(),
            names: BTreeSet::new(),
            keys: BTreeMap::new(),
            was_deleted: false,
            withdrawn: now,
            ended: None,
            pending: None,
            is_unknown: false,
            is_late: false,
        }
    }

    /// These are not wanted any more.
    pub(super) fn withdraw<'a>(&mut self, keys: impl Iterator<Item = &'a Key>, now: Moment) {
        for key in keys {
            self.withdrawn = now;
            self.names.insert(key.name.clone());
            self.keys.insert(key.clone(), Place::Unsent);
        }
    }

    /// Whether its end may still tell something: one that is everywhere is counted when it ends.
    pub(super) fn may_tell(&self, now: Moment) -> bool {
        !self.keys.is_empty() || self.was_deleted && now - self.withdrawn < KEPT_FOR
    }

    /// Whether it is deleted everywhere, and has not ended as far as is known.
    pub(super) fn awaits_its_end(&self) -> bool {
        self.keys.is_empty() && self.ended.is_none()
    }

    /// Whether it has ended, and what is left of it is in this change.
    pub(super) fn waits_for(&self, id: &str) -> bool {
        self.ended.is_some() && self.has(id)
    }

    /// Whether some of it is in this change, as far as is known.
    pub(super) fn has(&self, id: &str) -> bool {
        self.keys.values().any(|place| matches!(place, Place::In(change) if change == id))
    }

    /// When what is not known by then stays so.
    pub(super) fn limit(&self) -> Option<Moment> {
        self.ended.map(|ended| ended + PROPAGATED_AFTER)
    }

    /// These were deleted. Returns whether that change is worth following.
    pub(super) fn on_deleted(&mut self, deleted: &BTreeSet<Key>, info: &ChangeInfo, now: Moment) -> bool {
        let is_pending = info.status == ChangeStatus::Pending;
        let mut is_here = false;
        for (_, place) in self.keys.iter_mut().filter(|(key, _)| deleted.contains(*key)) {
            if *place == Place::Unsent {
                *place = Place::In(info.id.clone());
                is_here = true;
            }
        }
        self.was_deleted |= is_here;
        if is_here && is_pending && self.ended.is_some() {
            self.pending = Some(now);
        }
        if is_here && !is_pending {
            self.on_in_sync(&info.id, now);
        }
        is_here && is_pending
    }

    /// A question that was sent then was answered: it is everywhere.
    pub(super) fn on_in_sync(&mut self, id: &str, sent: Moment) {
        let is_late = self.ended.is_some_and(|ended| sent - ended > TELLS_FOR);
        self.is_late |= is_late && !self.is_early() && self.has(id);
        self.drop_change(id);
    }

    /// Whether it is known to have ended too early.
    pub(super) fn is_early(&self) -> bool {
        self.pending.is_some()
    }

    fn drop_change(&mut self, id: &str) {
        self.keys.retain(|_, place| !matches!(place, Place::In(change) if change == id));
    }

    pub(super) fn on_unknown(&mut self, id: &str) {
        self.is_unknown |= self.has(id);
        self.drop_change(id);
    }

    /// A question that was sent then was answered: it is on its way.
    pub(super) fn on_pending(&mut self, id: &str, sent: Moment) {
        if self.has(id) && self.ended.is_some_and(|ended| sent >= ended) {
            self.pending = self.pending.max(Some(sent));
        }
    }

    /// Of what nobody has accepted, only these are still to be deleted.
    pub(super) fn keep_unsent(&mut self, is_unsettled: impl Fn(&Key) -> bool) {
        self.keys.retain(|key, place| *place != Place::Unsent || is_unsettled(key));
    }

    /// Of what was accepted, only what is in these changes can still be on its way.
    pub(super) fn keep(&mut self, changes: &BTreeMap<String, Followed>) {
        self.keys.retain(|_, place| match place {
            Place::Unsent => true,
            Place::In(id) => changes.contains_key(id),
        });
    }

    /// Whether all is known of it that will be.
    pub(super) fn is_over(&self, now: Moment) -> bool {
        self.limit().is_some_and(|limit| self.keys.is_empty() || now >= limit)
    }

    /// Whether it ended too early; an error where nobody can tell.
    pub(super) fn outcome(&self, now: Moment) -> Result<Option<Early>, ()> {
        let ended = self.ended.unwrap_or(now);
        let is_everywhere = self.keys.is_empty() && !self.is_unknown;
        let Some(pending) = self.pending else {
            return if is_everywhere && !self.is_late { Ok(None) } else { Err(()) };
        };
        Ok(Some(Early {
            container: self.container.clone(),
            name: self.name.clone(),
            services: self.names.clone(),
            served: ended - self.withdrawn,
            missing: Missing { at_least: pending - ended, at_most: is_everywhere.then(|| now - ended) },
        }))
    }

    pub(super) fn services(&self) -> &BTreeSet<String> {
        &self.names
    }
}

/// What came of the stops of one service's containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// How many had served until every name server had heard of their withdrawal.
    pub spread: u64,
    /// How many ended before that.
    pub early: u64,
    /// Of how many nobody knows.
    pub unknown: u64,
    /// For how long clients were sent to one that was not there any more, at the worst.
    pub longest: Duration,
}

impl Stopped {
    pub(super) fn unknown() -> Self {
        Self { unknown: 1, ..Self::default() }
    }

    pub(super) fn of(outcome: Result<&Option<Early>, &()>) -> Self {
        match outcome {
            Err(()) => Self::unknown(),
            Ok(None) => Self { spread: 1, ..Self::default() },
            Ok(Some(Early { missing, .. })) => {
                Self { early: 1, longest: missing.at_most.unwrap_or(missing.at_least), ..Self::default() }
            }
        }
    }

    fn add(&mut self, one: Self) {
        self.spread += one.spread;
        self.early += one.early;
        self.unknown += one.unknown;
        self.longest = self.longest.max(one.longest);
    }
}

/// What came of the stops of all containers, by service: of the first so many that were wanted, and of all others
/// together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stops(BTreeMap<String, Stopped>);

impl Stops {
    pub(super) fn add(&mut self, services: &BTreeSet<String>, one: Stopped) {
        for service in services {
            let is_known = self.0.contains_key(service) || self.0.len() < SERVICES_MAX;
            let service = if is_known { service.as_str() } else { OTHERS };
            self.0.entry(service.to_owned()).or_default().add(one);
        }
    }

    /// These are wanted: a monitor sees an increase only from a number that it has seen, so each begins at none.
    pub(super) fn enter(&mut self, keys: &BTreeSet<Key>) {
        self.add(&keys.iter().map(|key| key.name.clone()).collect(), Stopped::default());
    }

    /// These, one after another.
    #[cfg(test)]
    pub fn counted(each: impl IntoIterator<Item = (String, Stopped)>) -> Self {
        let mut stops = Self::default();
        each.into_iter().for_each(|(service, stopped)| stops.add(&[service].into(), stopped));
        stops
    }

    /// Each service, and what came of its stops.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Stopped)> {
        self.0.iter().map(|(service, stopped)| (service.as_str(), stopped))
    }
}
