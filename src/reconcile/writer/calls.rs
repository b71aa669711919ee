//! The latest calls of a writer, and how many there were of each kind: for whoever shows or counts them. Nothing
//! branches on it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::{Answer, Call, Sizes, Spread};
use crate::change::batch;
use crate::moment::Moment;
use crate::record::{Action, Key, RecordSet};
use crate::zone::ZoneError;

/// How many calls are remembered.
pub const CALLS_MAX: usize = 50;

/// A call that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// When it went out, by the agent's clock.
    pub at: Moment,
    /// What it is called in the registry's API.
    pub action: &'static str,
    /// How many records it creates or replaces.
    pub writes: usize,
    /// How many it deletes.
    pub deletes: usize,
    /// What it costs of the account's changes.
    pub cost: usize,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What was asked.
    pub call: Begun,
    /// How long the answer took.
    pub took: Duration,
    /// What came of it: `ok`, or the [kind](ZoneError::kind) of failure.
    pub outcome: &'static str,
    /// What the registry said, where it failed.
    pub error: Option<String>,
}

/// The calls of a writer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// The one that is under way.
    pub in_flight: Option<Begun>,
    /// The latest that were answered, the newest first; at most [`CALLS_MAX`].
    pub latest: VecDeque<Ended>,
    /// How many were answered, by action and outcome.
    pub totals: BTreeMap<(&'static str, &'static str), u64>,
    /// How many records were created, replaced or deleted.
    pub changes: BTreeMap<&'static str, u64>,
    /// How many changes were in each batch that was taken.
    pub batches: Sizes,
    /// What all changes that were taken cost.
    pub cost: u64,
    /// When a call last succeeded, by action.
    pub succeeded: BTreeMap<&'static str, Moment>,
    /// How long answers took, by action.
    pub durations: BTreeMap<&'static str, Spread>,
    /// How long it took from wanting a record, or no longer wanting it, until the zone had taken that.
    pub written_after: Spread,
    /// Since when records are wanted otherwise than the zone was told.
    waiting: BTreeMap<Key, Moment>,
}

impl Calls {
    /// Other records are wanted now than before.
    pub fn want(&mut self, old: &[RecordSet], new: &[RecordSet], now: Moment) {
        let by_key = |sets: &[RecordSet]| -> BTreeMap<_, _> {
            sets.iter().map(|set| (set.key(), set.clone())).collect()
        };
        let (old, new) = (by_key(old), by_key(new));
        let keys = old.keys().chain(new.keys());
        for key in keys.filter(|key| old.get(*key) != new.get(*key)) {
            self.waiting.entry(key.clone()).or_insert(now);
        }
    }

    /// Only these records are still to be written: what was wanted and is not any more waits for nothing.
    pub fn retain(&mut self, unsettled: impl FnOnce() -> BTreeSet<Key>) {
        if !self.waiting.is_empty() {
            let unsettled = unsettled();
            self.waiting.retain(|key, _| unsettled.contains(key));
        }
    }

    /// A call goes out.
    pub fn begin(&mut self, call: &Call, now: Moment) {
        let (mut writes, mut deletes, mut cost) = (0, 0, 0);
        if let Call::Change(changes) = call {
            deletes = changes.iter().filter(|change| change.action == Action::Delete).count();
            writes = changes.len() - deletes;
            cost = changes.iter().map(batch::cost).sum();
        }
        self.in_flight = Some(Begun { at: now, action: action(call), writes, deletes, cost });
    }

    /// It was answered. Returns since when what it wrote had been wanted.
    pub fn end(&mut self, call: &Call, answer: &Answer, now: Moment) -> Vec<Moment> {
        let Some(begun) = self.in_flight.take() else { return Vec::new() };
        let mut wanted = Vec::new();
        let error = error(answer);
        let outcome = error.map_or("ok", ZoneError::kind);
        *self.totals.entry((begun.action, outcome)).or_default() += 1;
        self.durations.entry(begun.action).or_default().add(now - begun.at);
        if outcome == "ok" {
            self.succeeded.insert(begun.action, now);
            wanted = self.count(call, begun.cost, now);
        }
        self.latest.push_front(Ended {
            took: now - begun.at,
            call: begun,
            outcome,
            error: error.map(ToString::to_string),
        });
        self.latest.truncate(CALLS_MAX);
        wanted
    }

    fn count(&mut self, call: &Call, cost: usize, now: Moment) -> Vec<Moment> {
        let Call::Change(changes) = call else { return Vec::new() };
        let mut wanted = Vec::new();
        self.cost += cost as u64;
        self.batches.add(changes.len() as u64);
        for change in changes {
            *self.changes.entry(name(change.action)).or_default() += 1;
            if let Some(since) = self.waiting.remove(&change.set.key()) {
                self.written_after.add(now - since);
                wanted.push(since);
            }
        }
        wanted
    }
}

fn action(call: &Call) -> &'static str {
    match call {
        Call::Change(_) => "ChangeResourceRecordSets",
        Call::LookUp(_) | Call::Read(_) => "ListResourceRecordSets",
        Call::Status(_) => "GetChange",
    }
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Create => "CREATE",
        Action::Upsert => "UPSERT",
        Action::Delete => "DELETE",
    }
}

fn error(answer: &Answer) -> Option<&ZoneError> {
    match answer {
        Answer::Changed(answer) | Answer::Status(answer) => answer.as_ref().err(),
        Answer::Listed(answer) => answer.as_ref().err(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::at;
    use crate::record::Change;
    use crate::record::testing::registrant;
    use crate::zone::{ChangeInfo, ChangeStatus, Page};

    const SECOND: Duration = Duration::from_secs(1);

    fn change(action: Action) -> Change {
        Change { action, set: registrant("i-0a").host_record() }
    }

    #[test]
    fn says_what_a_call_did_how_long_it_took_and_what_came_of_it() {
        let mut calls = Calls::default();
        let call = Call::Change([Action::Create, Action::Delete, Action::Upsert].map(change).to_vec());
        calls.begin(&call, at(1));
        let begun = calls.in_flight.clone().unwrap();
        assert_eq!((begun.action, begun.writes, begun.deletes), ("ChangeResourceRecordSets", 2, 1));
        let throttled = Answer::Changed(Err(ZoneError::Throttled("Rate exceeded".into())));
        calls.end(&call, &throttled, at(3));
        let ended = &calls.latest[0];
        assert_eq!((ended.took, ended.outcome), (2 * SECOND, "throttled"));
        assert_eq!(ended.error.as_deref(), Some("throttled: Rate exceeded"));
        assert!(calls.changes.is_empty() && calls.succeeded.is_empty() && calls.cost == 0);
        calls.begin(&call, at(4));
        let info = ChangeInfo { id: "C1".into(), status: ChangeStatus::Pending };
        calls.end(&call, &Answer::Changed(Ok(info)), at(5));
        assert_eq!(calls.changes, [("CREATE", 1), ("DELETE", 1), ("UPSERT", 1)].into());
        assert_eq!(calls.succeeded, [("ChangeResourceRecordSets", at(5))].into());
        assert_eq!(calls.cost, begun.cost as u64);
        assert_eq!((calls.batches.count, calls.batches.sum), (1, 3));
        let of_changes = |outcome| (("ChangeResourceRecordSets", outcome), 1);
        assert_eq!(calls.totals, [of_changes("throttled"), of_changes("ok")].into());
    }

    #[test]
    fn says_how_long_it_took_from_wanting_a_record_to_its_being_written() {
        let mut calls = Calls::default();
        let set = registrant("i-0a").host_record();
        calls.want(&[], std::slice::from_ref(&set), at(1));
        // Wanted again, as it is: nothing has changed.
        calls.want(std::slice::from_ref(&set), std::slice::from_ref(&set), at(2));
        let call = Call::Change(vec![change(Action::Create)]);
        calls.begin(&call, at(3));
        let info = ChangeInfo { id: "C1".into(), status: ChangeStatus::Pending };
        calls.end(&call, &Answer::Changed(Ok(info)), at(4));
        assert_eq!((calls.written_after.count, calls.written_after.sum), (1, 3 * SECOND));
        assert_eq!(calls.durations["ChangeResourceRecordSets"].sum, SECOND);
    }

    #[test]
    fn what_is_wanted_no_more_before_it_was_written_waits_for_nothing() {
        let mut calls = Calls::default();
        let set = registrant("i-0a").host_record();
        calls.want(&[], std::slice::from_ref(&set), at(1));
        calls.retain(|| [set.key()].into());
        assert_eq!(calls.waiting.len(), 1);
        calls.retain(BTreeSet::new);
        assert!(calls.waiting.is_empty());
    }

    #[test]
    fn remembers_so_many_and_counts_all() {
        let mut calls = Calls::default();
        let call = Call::Read(None);
        for second in 0..120 {
            calls.begin(&call, at(second));
            calls.end(&call, &Answer::Listed(Ok(Page::default())), at(second));
        }
        assert_eq!(calls.latest.len(), CALLS_MAX);
        assert_eq!(calls.latest[0].call.at, at(119));
        assert_eq!(calls.totals, [(("ListResourceRecordSets", "ok"), 120)].into());
    }
}
