//! Which names are asked for, what is known of each, and which is read next. Pure.
//!
//! Whoever can reach the server can ask for any name, at any rate: so the number of names is bounded, each is read once
//! a minute at the most, and all reads together are [`LISTS_A_SECOND`]. Of names that wait, the one that has waited
//! longest is read first. A page that is read for one name tells all other names that it covers, at no cost: in a zone
//! of a few hundred sets one list answers for most of them.
//!
//! What is known is kept through failures, and is told with its age.
//!
//! No name is pushed out before it was read. The price: a new one that comes while all others wait is told to come again,
//! and may be for as long as somebody makes up names faster than lists clear them.

mod entry;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use self::entry::{Entry, Known};
use super::groups::{self, Groups};
use crate::moment::Moment;
use crate::record::{RecordSet, RecordType, canonical, list_order};
use crate::zone::{ListStart, Page, ZoneError};

/// How many lists a second all names take together, at most.
pub const LISTS_A_SECOND: f64 = 0.1;
/// How many names are kept.
pub const NAMES_MAX: usize = 64;
/// How old an answer may be until its name is read again.
pub(in crate::serve::targets) const FRESH: Duration = Duration::from_secs(60);
/// A name is forgotten that nobody has asked for in this time.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// How long the registry is left alone that says that it is asked too often.
const THROTTLED: Duration = Duration::from_secs(60);
/// The most pages that are read of one name: Route 53 has 100 sets of a name, unless an account asked for more. One of
/// more is not told, rather than cut off.
const PAGES_MAX: usize = 8;

/// The names of a zone that are asked for.
#[derive(Debug)]
pub(super) struct Book {
    zone: String,
    names: BTreeMap<String, Entry>,
    /// How far two lists are apart.
    apart: Duration,
    next_list: Moment,
    reading: Option<Reading>,
    /// Why the last list failed.
    trouble: Option<String>,
}

/// A read that is under way.
#[derive(Debug)]
struct Reading {
    name: String,
    began: Moment,
    start: ListStart,
    found: Vec<RecordSet>,
    pages: usize,
}

/// What is said to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// This is known, and this old.
    Known {
        /// The targets.
        groups: Groups,
        /// Since the zone was asked for them.
        age: Duration,
    },
    /// Nothing is known yet.
    Unread {
        /// When to ask again.
        again: Duration,
        /// Why it could not be read.
        trouble: Option<String>,
    },
    /// There is no room for another name.
    Full,
}

/// What is read next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This page, now.
    Read(ListStart),
    /// Something, then.
    At(Moment),
    /// Nothing, until somebody asks.
    Nothing,
}

impl Book {
    /// Of a zone whose names may be read so often a second.
    pub(super) fn new(zone: &str, lists_a_second: f64) -> Self {
        Self {
            zone: zone.to_owned(),
            names: BTreeMap::new(),
            apart: Duration::from_secs_f64(1.0 / lists_a_second),
            next_list: Moment::START,
            reading: None,
            trouble: None,
        }
    }

    /// Somebody asks for a name. Returns whether something new of it can be had in a moment.
    pub(super) fn ask(&mut self, name: &str, now: Moment) -> bool {
        self.forget(now);
        if !self.names.contains_key(name) && !self.make_room() {
            return false;
        }
        let entry = self.names.entry(name.to_owned()).or_default();
        entry.asked = now;
        if entry.is_fresh(now) {
            return false;
        }
        entry.due_since.get_or_insert(now);
        match &self.reading {
            Some(reading) => reading.name == name,
            None => self.next_list <= now && self.first_due(now) == Some(name),
        }
    }

    /// Whether anything is known of a name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|entry| entry.known.is_some())
    }

    /// What is known of a name that was asked for.
    pub(super) fn tell(&mut self, name: &str, now: Moment) -> Told {
        let again = self.again(name, now);
        let Some(entry) = self.names.get_mut(name) else { return Told::Full };
        match &entry.known {
            Some(Known { at, groups }) => {
                entry.told = now - *at;
                Told::Known { groups: groups.clone(), age: entry.told }
            }
            None => {
                let trouble = self.trouble.as_ref().or(entry.trouble.as_ref());
                Told::Unread { again, trouble: trouble.cloned() }
            }
        }
    }

    /// What to read next. A page that is to be read counts as asked for.
    pub(super) fn next(&mut self, now: Moment) -> Next {
        if now < self.next_list {
            return if self.has_work() { Next::At(self.next_list) } else { Next::Nothing };
        }
        if self.reading.is_none() {
            let Some(name) = self.first_due(now).map(str::to_owned) else {
                let due = self.names.values().filter(|entry| entry.due_since.is_some());
                return due.map(|entry| entry.readable_at()).min().map_or(Next::Nothing, Next::At);
            };
            let start = ListStart {
                name: Some(name.clone()),
                kind: Some(RecordType::Srv.into()),
                set_identifier: None,
            };
            if let Some(entry) = self.names.get_mut(&name) {
                entry.tried = Some(now);
            }
            self.reading = Some(Reading { name, began: now, start, found: Vec::new(), pages: 0 });
        }
        self.next_list = now + self.apart;
        self.reading.as_ref().map_or(Next::Nothing, |reading| Next::Read(reading.start.clone()))
    }

    /// The page that was to be read is there. Returns the name that turns out to be too large to be told.
    pub(super) fn on_page(&mut self, page: Page) -> Option<String> {
        self.trouble = None;
        let mut reading = self.reading.take()?;
        let sets: Vec<_> = page.sets.into_iter().map(RecordSet::canonical).collect();
        let services = |name: &str| {
            let of_name = |set: &&RecordSet| set.kind == RecordType::Srv && set.name == name;
            sets.iter().filter(of_name).cloned().collect::<Vec<_>>()
        };
        // What lies behind the name read, and before where the next page begins.
        let end = page.next.as_ref().and_then(|next| next.name.as_deref()).map(canonical);
        let from = list_order(&reading.name);
        let covered = |name: &str| {
            let at = list_order(name);
            at > from && end.as_deref().is_none_or(|end| at < list_order(end))
        };
        for (name, entry) in self.names.iter_mut().filter(|(name, _)| covered(name)) {
            entry.learn(groups::of(&services(name), &self.zone), reading.began);
        }
        reading.found.extend(services(&reading.name));
        reading.pages += 1;
        let goes_on = page.next.filter(|next| {
            end.as_ref() == Some(&reading.name)
                && next.kind.as_ref().is_some_and(|kind| *kind == RecordType::Srv)
        });
        let entry = self.names.get_mut(&reading.name);
        match (goes_on, entry) {
            (Some(next), _) if reading.pages < PAGES_MAX => {
                self.reading = Some(Reading { start: next, ..reading });
            }
            (Some(_), Some(entry)) => {
                let trouble = format!(
                    "it has more record sets than {PAGES_MAX} pages hold, and no more are read of one name"
                );
                return entry.fail(trouble).then_some(reading.name);
            }
            (None, Some(entry)) => entry.learn(groups::of(&reading.found, &self.zone), reading.began),
            (_, None) => {}
        }
        None
    }

    /// The page that was to be read could not be.
    pub(super) fn on_failure(&mut self, error: &ZoneError, now: Moment) {
        self.reading = None;
        self.trouble = Some(format!("the zone cannot be read: {error}"));
        if matches!(error, ZoneError::Throttled(_)) {
            self.next_list = self.next_list.max(now + THROTTLED);
        }
    }

    /// How many names are kept, and how old the oldest answer of what was told last for each.
    pub(super) fn figures(&self) -> (usize, Duration) {
        (self.names.len(), self.names.values().map(|entry| entry.told).max().unwrap_or_default())
    }

    fn has_work(&self) -> bool {
        self.reading.is_some() || self.names.values().any(|entry| entry.due_since.is_some())
    }

    /// Of those that may be read now, the one that has waited longest; of several, the first in a list, whose page
    /// covers the others.
    fn first_due(&self, now: Moment) -> Option<&str> {
        let due = self.names.iter().filter(|(_, entry)| entry.readable_at() <= now);
        let waits = due.filter_map(|(name, entry)| Some((entry.due_since?, list_order(name), name)));
        waits.min().map(|(_, _, name)| name.as_str())
    }

    /// How long it may take until something is known of this name.
    fn again(&self, name: &str, now: Moment) -> Duration {
        let Some(entry) = self.names.get(name) else { return IDLE };
        let at = self.next_list.max(entry.readable_at()).max(now);
        let before = self.names.values().filter(|other| {
            let is_earlier =
                other.due_since.is_some_and(|since| entry.due_since.is_none_or(|own| since < own));
            is_earlier && other.readable_at() <= at
        });
        let at = at + self.apart * u32::try_from(before.count()).unwrap_or(u32::MAX);
        (at - now).max(Duration::from_secs(1))
    }

    /// Drops the names that nobody has asked for lately.
    pub(super) fn forget(&mut self, now: Moment) {
        let read = self.reading.as_ref().map(|reading| reading.name.as_str());
        self.names.retain(|name, entry| now - entry.asked < IDLE || read == Some(name));
    }

    /// When the first of the names is to be dropped, if nobody asks for it until then. One that is being read stays.
    pub(super) fn forgets_at(&self) -> Option<Moment> {
        let read = self.reading.as_ref().map(|reading| reading.name.as_str());
        let idle = self.names.iter().filter(|(name, _)| read != Some(name));
        idle.map(|(_, entry)| entry.asked + IDLE).min()
    }

    /// Whether there is room for another name. One that was read and has no targets,
    /// which anybody can make up, gives its own; one that waits to be read keeps it until its turn.
    fn make_room(&mut self) -> bool {
        if self.names.len() < NAMES_MAX {
            return true;
        }
        let read = self.reading.as_ref().map(|reading| reading.name.as_str());
        let idle = self.names.iter().filter(|(name, entry)| entry.is_empty() && read != Some(name));
        let oldest = idle.min_by_key(|(_, entry)| entry.asked).map(|(name, _)| name.clone());
        oldest.is_some_and(|name| self.names.remove(&name).is_some())
    }
}
