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
    changes: VecDeque<(u64, Duration)>,
    log: VecDeque<LoggedBatch>,
}

/// A batch that was asked for, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedBatch {
    /// When, since the zone's epoch.
    pub at: Duration,
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
    pub served_at: Duration,
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
        now: Duration,
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
        now: Duration,
        keep: impl FnOnce(&[Change]) -> Result<(), ZoneError>,
    ) -> Result<Accepted, ZoneError> {
        self.gate.pass(Call::Change(batch), now)?;
        request::check_shape(batch).map_err(ZoneError::Invalid)?;
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
        now: Duration,
    ) -> Result<Page, ZoneError> {
        self.gate.pass(Call::List, now)?;
        self.contents.list(start, max_items.min(PAGE_ITEMS_MAX)).map_err(ZoneError::Invalid)
    }

    /// How far a change has got.
    ///
    /// # Errors
    ///
    /// `Throttled`; `NoSuchChange` for an id that this zone has not given, or has forgotten.
    pub fn change_status(&mut self, id: &str, now: Duration) -> Result<ChangeInfo, ZoneError> {
        self.gate.pass(Call::Status, now)?;
        let known = self.changes.iter().find(|(number, _)| change_id(*number) == id);
        known
            .map(|&(number, insync_at)| self.info(number, insync_at, now))
            .ok_or_else(|| ZoneError::NoSuchChange(id.to_owned()))
    }

    fn info(&self, number: u64, insync_at: Duration, now: Duration) -> ChangeInfo {
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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::record::{Action, Key, RecordSet};
    use crate::zone::embedded::name::OwnerName;
    use crate::zone::embedded::testing::{a, change, delete, srv, upsert};

    const START: Duration = Duration::ZERO;

    fn model(options: Options) -> Model {
        Model::new(Contents::new(OwnerName::parse("sd.internal").unwrap()), options, 1)
    }

    fn apply(model: &mut Model, batch: &[Change]) -> Result<Accepted, ZoneError> {
        model.change(batch, START, |_| Ok(()))
    }

    #[test]
    fn a_change_is_pending_until_its_delay_is_over() {
        let mut model = model(Options { insync_after: Duration::from_secs(30), ..Options::default() });
        let info = apply(&mut model, &[change(srv("web", "a", 1))]).unwrap().info;
        assert_eq!((info.id.as_str(), info.status), ("/change/C0000000000000001", ChangeStatus::Pending));
        let status = |model: &mut Model, seconds| {
            model.change_status(&info.id, Duration::from_secs(seconds)).map(|info| info.status)
        };
        assert_eq!(status(&mut model, 29), Ok(ChangeStatus::Pending));
        assert_eq!(status(&mut model, 30), Ok(ChangeStatus::InSync));
        let unknown = model.change_status("/change/C2", START);
        assert_eq!(unknown, Err(ZoneError::NoSuchChange("/change/C2".to_owned())));
    }

    #[test]
    fn forgets_the_oldest_change_ids() {
        let mut model = model(Options::default());
        let first = apply(&mut model, &[change(srv("web", "a", 1))]).unwrap().info.id;
        for _ in 1..CHANGES_REMEMBERED_MAX {
            apply(&mut model, &[upsert(srv("web", "a", 1))]).unwrap();
        }
        assert!(model.change_status(&first, START).is_ok());
        apply(&mut model, &[upsert(srv("web", "a", 1))]).unwrap();
        assert!(model.change_status(&first, START).is_err());
    }

    #[test]
    fn takes_back_what_could_not_be_kept() {
        let mut model = model(Options::default());
        let full = || ZoneError::Unknown("disk full".to_owned());
        let batch = [change(srv("web", "a", 1))];
        assert_eq!(model.change(&batch, START, |_| Err(full())), Err(full()));
        assert_eq!(model.contents().len(), 2);
        assert!(apply(&mut model, &batch).is_ok());
    }

    #[test]
    fn asks_the_gate_first_and_keeps_nothing_that_is_refused() {
        let mut model = model(Options { throttle: Throttle::Legacy, ..Options::default() });
        let unkept = |_: &[Change]| panic!("a refused batch was kept");
        assert!(matches!(model.change(&[], START, unkept), Err(ZoneError::Invalid(_))));
        let absent = [delete(srv("web", "a", 1))];
        assert!(matches!(model.change(&absent, START, unkept), Err(ZoneError::Rejected(_))));
        for _ in 0..3 {
            model.list(None, 1, START).unwrap();
        }
        assert!(matches!(model.change(&[], START, unkept), Err(ZoneError::Throttled(_))));
        assert!(matches!(model.list(None, 1, START), Err(ZoneError::Throttled(_))));
        assert!(matches!(model.change_status("x", START), Err(ZoneError::Throttled(_))));
    }

    #[test]
    fn is_busy_only_with_what_it_accepted() {
        let mut model = model(Options { one_change_in_flight: true, ..Options::default() });
        apply(&mut model, &[delete(srv("web", "a", 1))]).unwrap_err();
        let accepted = apply(&mut model, &[change(srv("web", "a", 1))]).unwrap();
        assert_eq!(accepted.served_at, Duration::from_micros(150_500));
        assert!(matches!(apply(&mut model, &[change(srv("web", "b", 1))]), Err(ZoneError::Busy(_))));
        assert!(model.change(&[change(srv("web", "b", 1))], accepted.served_at, |_| Ok(())).is_ok());
    }

    #[test]
    fn logs_the_last_batches_and_what_came_of_them() {
        let mut model = model(Options { batches_logged_max: 2, ..Options::default() });
        for id in ["a", "b", "a"] {
            let _ = apply(&mut model, &[change(srv("web", id, 1))]);
        }
        let outcomes: Vec<bool> = model.logged().map(|logged| logged.outcome.is_ok()).collect();
        assert_eq!(outcomes, [true, false]);
    }

    #[test]
    fn caps_a_page_at_three_hundred() {
        let mut model = model(Options::default());
        for host in 0..4 {
            let batch: Vec<Change> =
                (0..100).map(|n| change(srv(&format!("web{host}"), &format!("i{n}"), 1))).collect();
            apply(&mut model, &batch).unwrap();
        }
        let page = model.list(None, 1_000, START).unwrap();
        assert_eq!((page.sets.len(), page.next.is_some()), (300, true));
    }

    fn any_set() -> impl Strategy<Value = RecordSet> {
        let weighted = (0..3_u8, 0..3_u8, 0..2_i64)
            .prop_map(|(name, id, weight)| srv(&format!("s{name}"), &format!("i{id}"), weight));
        let simple =
            (0..4_u8, 0..2_u8).prop_map(|(name, last)| a(&format!("s{name}"), &[&format!("10.0.0.{last}")]));
        prop_oneof![weighted, simple]
    }

    fn any_batch() -> impl Strategy<Value = Vec<Change>> {
        let action = prop::sample::select(vec![Action::Create, Action::Delete, Action::Upsert]);
        prop::collection::vec((action, any_set()).prop_map(|(action, set)| Change { action, set }), 1..5)
    }

    /// What a zone is to somebody who knows only creates, deletes and keys: `None` where it must refuse.
    fn naive(before: &BTreeMap<Key, RecordSet>, batch: &[Change]) -> Option<BTreeMap<Key, RecordSet>> {
        let mut after = before.clone();
        for (index, Change { action, set }) in batch.iter().enumerate() {
            let earlier: Vec<Action> = batch[..index]
                .iter()
                .filter(|other| other.set.key() == set.key())
                .map(|c| c.action)
                .collect();
            let allowed = earlier.is_empty() || (earlier == [Action::Delete] && *action == Action::Create);
            let exists = after.get(&set.key());
            let fits = match action {
                Action::Create => exists.is_none(),
                Action::Delete => exists == Some(set),
                Action::Upsert => true,
            };
            if !allowed || !fits {
                return None;
            }
            match action {
                Action::Delete => after.remove(&set.key()),
                Action::Create | Action::Upsert => after.insert(set.key(), set.clone()),
            };
        }
        Some(after)
    }

    fn held(model: &Model) -> BTreeMap<Key, RecordSet> {
        let own = model.contents().sets().filter(|set| set.name != "sd.internal.");
        own.map(|set| (set.key(), RecordSet { name: set.key().name, ..set.clone() })).collect()
    }

    proptest! {
        #[test]
        fn agrees_with_a_naive_map(batches in prop::collection::vec(any_batch(), 0..30)) {
            let mut model = model(Options::default());
            for batch in batches {
                let before = held(&model);
                let expected = naive(&before, &batch);
                prop_assert_eq!(apply(&mut model, &batch).is_ok(), expected.is_some(), "{:?}", batch);
                prop_assert_eq!(held(&model), expected.unwrap_or(before));
            }
        }

        #[test]
        fn lists_every_set_once_at_any_page_size(batches in prop::collection::vec(any_batch(), 0..30), size in 1..9_usize) {
            let mut model = model(Options::default());
            for batch in batches {
                let _ = apply(&mut model, &batch);
            }
            let (mut listed, mut start) = (Vec::new(), None);
            loop {
                let page = model.list(start.as_ref(), size, START).unwrap();
                prop_assert!(page.sets.len() <= size && (page.next.is_none() || page.sets.len() == size));
                listed.extend(page.sets);
                start = page.next;
                if start.is_none() {
                    break;
                }
            }
            let all: Vec<RecordSet> = model.contents().sets().cloned().collect();
            prop_assert_eq!(listed, all);
        }
    }
}
