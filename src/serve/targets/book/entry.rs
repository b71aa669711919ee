//! What is known of one name.

use std::time::Duration;

use super::FRESH;
use crate::moment::Moment;
use crate::serve::targets::groups::Groups;

/// A name that somebody asked for.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// When that was last.
    pub(super) asked: Moment,
    /// Since when it waits to be read.
    pub(super) due_since: Option<Moment>,
    /// When it was last read, or that was tried.
    pub(super) tried: Option<Moment>,
    /// The last that is known.
    pub(super) known: Option<Known>,
    /// Why it could not be read whole, when that was last tried.
    pub(super) trouble: Option<String>,
    /// How old what is known was when it was last told.
    pub(super) told: Duration,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Known {
    /// When the zone was asked.
    pub(super) at: Moment,
    /// What it had.
    pub(super) groups: Groups,
}

impl Entry {
    /// Whether what is known is young enough.
    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        self.known.as_ref().is_some_and(|known| now - known.at < FRESH)
    }

    /// Whether it was read, and had no targets.
    pub(super) fn is_empty(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.groups.is_empty)
    }

    /// From when on it may be read.
    pub(super) fn readable_at(&self) -> Moment {
        self.tried.map_or(Moment::START, |tried| tried + FRESH)
    }

    /// This was read, by a list that began then.
    pub(super) fn learn(&mut self, groups: Groups, at: Moment) {
        self.known = Some(Known { at, groups });
        self.due_since = None;
        self.trouble = None;
    }

    /// This cannot be read whole: what is known stays. Whoever asks again waits behind all others. Returns whether that
    /// is news.
    pub(super) fn fail(&mut self, trouble: String) -> bool {
        self.due_since = None;
        self.trouble.replace(trouble).is_none()
    }
}
