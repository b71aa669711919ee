//! A hosted zone as its API shows it: changes, lists, change ids, and when each is refused.
//!
//! Pure: time is an argument (what has passed since the zone's epoch), and nothing is random. What the
//! zone holds is [`super::contents`]; where it is kept is [`super::store`].
//!
//! ## Order of refusals (assumed where two apply)
//!
//! Throttling, then a prior change in flight, then `InvalidInput`, then `InvalidChangeBatch`.

use std::collections::VecDeque;
use std::time::Duration;

use super::contents::Contents;
use super::gate::{Call, Gate, Throttle};
use super::limits::CHANGES_REMEMBERED_MAX;
use super::request;
use crate::moment::Moment;
use crate::record::Change;
use crate::zone::{ChangeInfo, ChangeStatus, ListStart, PAGE_ITEMS_MAX, Page, ZoneError};

/// How strict and how slow the zone is. By default: no throttling, no waiting, nothing logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How many requests it takes.
    pub throttle: Throttle,
    /// Whether a change is refused while another is being served, which takes 0.15 s and 0.5 ms a change
    /// (assumed; see [`super::limits`]).
    pub one_change_in_flight: bool,
    /// How long an accepted change stays PENDING.
    pub insync_after: Duration,
    /// How many of the last batches are kept, for [`Model::logged`].
    pub batches_logged_max: usize,
}

/// A hosted zone.
#[derive(Clone, Debug)]
pub struct Model {
    contents: Contents,
    options: Options,
    gate: Gate,
    /// The number of the next change id.
    next_change: u64,
    /// Accepted changes, oldest first: number, and when it is INSYNC.
    changes: VecDeque<(u64, Moment)>,
    log: VecDeque<LoggedBatch>,
}

/// A batch that was asked for, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedBatch {
    /// When, since the zone's epoch.
    pub at: Moment,
    /// What was asked.
    pub batch: Vec<Change>,
    /// What was answered.
    pub outcome: Result<ChangeInfo, ZoneError>,
}

/// A batch that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What the caller is told.
    pub info: ChangeInfo,
    /// When the call is served, and the zone takes the next change; `now` where it is never busy.
    pub served_at: Moment,
}

impl Model {
    /// A zone that holds `contents`, whose change ids count up from `first_change`.
    pub(super) fn new(contents: Contents, options: Options, first_change: u64) -> Self {
        let gate = Gate::new(options.throttle, options.one_change_in_flight);
        let (changes, log) = (VecDeque::new(), VecDeque::new());
        Self { contents, options, gate, next_change: first_change, changes, log }
    }

    /// What the zone holds.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The last batches, oldest first; as many as the options keep.
    pub fn logged(&self) -> impl Iterator<Item = &LoggedBatch> {
        self.log.iter()
    }

    /// Applies all of `batch` or nothing. `keep` is called once all is well, before anybody can see the
    /// change; where it fails, the change is taken back.
    ///
    /// # Errors
    ///
    /// `Throttled`, `Busy`, `Invalid`, `Rejected`, or what `keep` said.
    pub fn change(
        &mut self,
        batch: &[Change],
        now: Moment,
        keep: impl FnOnce(&[Change]) -> Result<(), ZoneError>,
    ) -> Result<Accepted, ZoneError> {
        let outcome = self.try_change(batch, now, keep);
        if self.options.batches_logged_max > 0 {
            self.log.truncate_front_to(self.options.batches_logged_max - 1);
            let outcome = outcome.as_ref().map(|accepted| accepted.info.clone()).map_err(Clone::clone);
            self.log.push_back(LoggedBatch { at: now, batch: batch.to_vec(), outcome });
        }
        outcome
    }

    fn try_change(
        &mut self,
        batch: &[Change],
        now: Moment,
        keep: impl FnOnce(&[Change]) -> Result<(), ZoneError>,
    ) -> Result<Accepted, ZoneError> {
        self.gate.pass(Call::Change(batch), now)?;
        request::check_shape(batch).map_err(|fault| ZoneError::Invalid(fault.to_string()))?;
        let undo = self.contents.apply(batch).map_err(ZoneError::Rejected)?;
        if let Err(error) = keep(batch) {
            self.contents.take_back(undo);
            return Err(error);
        }
        let served_at = self.gate.occupy(batch.len(), now);
        let number = self.next_change;
        self.next_change += 1;
        self.changes.truncate_front_to(CHANGES_REMEMBERED_MAX - 1);
        self.changes.push_back((number, now + self.options.insync_after));
        Ok(Accepted { info: self.info(number, now + self.options.insync_after, now), served_at })
    }

    /// One page of at most `max_items` and [`PAGE_ITEMS_MAX`] sets.
    ///
    /// # Errors
    ///
    /// `Throttled`; `Invalid` where `start` lacks a name or a type that it needs.
    pub fn list(
        &mut self,
        start: Option<&ListStart>,
        max_items: usize,
        now: Moment,
    ) -> Result<Page, ZoneError> {
        self.gate.pass(Call::List, now)?;
        let page = self.contents.list(start, max_items.min(PAGE_ITEMS_MAX));
        page.map_err(|fault| ZoneError::Invalid(fault.to_string()))
    }

    /// How far a change has got.
    ///
    /// # Errors
    ///
    /// `Throttled`; `NoSuchChange` for an id that this zone has not given, or has forgotten.
    pub fn change_status(&mut self, id: &str, now: Moment) -> Result<ChangeInfo, ZoneError> {
        self.gate.pass(Call::Status, now)?;
        let known = self.changes.iter().find(|(number, _)| change_id(*number) == id);
        known
            .map(|&(number, insync_at)| self.info(number, insync_at, now))
            .ok_or_else(|| ZoneError::NoSuchChange(id.to_owned()))
    }

    fn info(&self, number: u64, insync_at: Moment, now: Moment) -> ChangeInfo {
        let status = if now < insync_at { ChangeStatus::Pending } else { ChangeStatus::InSync };
        ChangeInfo { id: change_id(number), status }
    }
}

fn change_id(number: u64) -> String {
    format!("/change/C{number:016X}")
}

/// Keeps the newest of a queue.
trait TruncateFront {
    fn truncate_front_to(&mut self, len: usize);
}

impl<T> TruncateFront for VecDeque<T> {
    fn truncate_front_to(&mut self, len: usize) {
        self.drain(..self.len().saturating_sub(len));
    }
}

#[cfg(test)]
mod tests;
