//! What an [outlook](crate::machine::outlook) makes of the records that are granted.
//!
//! | | its records |
//! |---|---|
//! | leaves | weight 0, and none once its end is near |
//! | the agent is about to drain | weight 0, and none that was not there before |
//! | a notice is called off | as ever |
//!
//! Comes after the claims on ports: a container that leaves holds its port until it is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Output, Roster, Wants};
use crate::machine::outlook::{Leaving, Outlook};
use crate::record::{ContainerId, Key, RecordSet, RecordType, Routing};

/// What an outlook changes of one record, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// The service's full name.
    pub service: String,
    /// The weight that it is wanted at from now on; `None` where it is withdrawn.
    pub weight: Option<i64>,
    /// Why.
    pub reason: String,
}

/// Whether the agent is about to drain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Parting {
    #[default]
    No,
    /// It is, and what is registered is not known yet.
    Asked,
    /// It is; nothing but these is wanted.
    Kept(BTreeSet<Key>),
}

/// What is known of the future.
#[derive(Debug, Default)]
pub(super) struct Foresight {
    outlook: Outlook,
    /// Whether the first word of it is still waited for.
    pub(super) awaited: bool,
    /// Whether the time has come at which nothing of what leaves is wanted.
    over: bool,
    parting: Parting,
    /// What the zone holds, until the barrier opens.
    stands: BTreeSet<Key>,
}

impl Foresight {
    fn set(&mut self, outlook: Outlook, now: Duration) {
        self.awaited = false;
        self.over = outlook.withdraw_at.is_some_and(|at| at <= now);
        self.outlook = outlook;
    }

    /// When the end is near.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.outlook.withdraw_at.filter(|_| !self.over && self.outlook.leaving != Leaving::Nobody)
    }

    /// Whether the agent is about to drain.
    pub(super) fn parts(&self) -> bool {
        self.parting != Parting::No
    }

    /// Whether the records of a container of this task, or of none, are not as its lifecycle wants them.
    fn touches(&self, task: Option<&str>) -> bool {
        self.parts() || self.outlook.leaving.takes(task)
    }

    /// What is wanted of the records of a container of this task, or of none.
    pub(super) fn see(&self, task: Option<&str>, mut records: Vec<RecordSet>) -> Vec<RecordSet> {
        if !self.touches(task) {
            return records;
        }
        if self.over && self.outlook.leaving.takes(task) {
            return Vec::new();
        }
        if let Parting::Kept(kept) = &self.parting {
            records.retain(|set| kept.contains(&set.key()));
        }
        for set in records.iter_mut().filter(|set| set.kind == RecordType::Srv) {
            set.routing = Routing::Weighted(0);
        }
        records
    }

    fn reason(&self) -> String {
        match (&self.outlook.leaving, &self.parting) {
            (Leaving::Nobody, Parting::No) => "the notice is called off".to_owned(),
            (Leaving::Nobody, _) => "the agent is about to drain".to_owned(),
            (Leaving::Tasks(_), _) => format!("its task is leaving: {}", self.outlook.reason),
            (Leaving::Everybody, _) => format!("the host is leaving: {}", self.outlook.reason),
        }
    }
}

impl Roster {
    /// An outlook will come soon: what is wanted first waits for it, as it does for the containers.
    pub fn expect_outlook(&mut self) {
        self.foresight.awaited = true;
    }

    /// This is what the host is told of its future, in place of what it was told before.
    pub fn on_outlook(&mut self, outlook: Outlook, now: Duration) -> Vec<Output> {
        if self.drained {
            return Vec::new();
        }
        let mut outputs = self.foresee(|foresight| foresight.set(outlook, now));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// The agent will drain in a while: until then all has weight 0, and nothing new is registered. The
    /// first look at the host is over with it, as far as it has come.
    pub fn part(&mut self, now: Duration) -> Vec<Output> {
        if self.drained || self.foresight.parts() {
            return Vec::new();
        }
        let kept = self.wants().map(|wants| keys(&wants));
        let mut outputs =
            self.foresee(|foresight| foresight.parting = kept.map_or(Parting::Asked, Parting::Kept));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// The end of what leaves may have come near.
    pub(super) fn foresee_on_time(&mut self, now: Duration) -> Vec<Output> {
        match self.foresight.wake_at() {
            Some(at) if at <= now => self.foresee(|foresight| foresight.over = true),
            _ => Vec::new(),
        }
    }

    /// The zone was read, before anything was said: it holds this, beside what was found earlier or instead of
    /// it.
    pub(super) fn stands(&mut self, found: &[RecordSet], instead: bool) {
        if instead {
            self.foresight.stands.clear();
        }
        self.foresight.stands.extend(found.iter().map(RecordSet::key));
    }

    /// The barrier opens. Where that is because the agent is about to drain, what stands is all that is kept.
    pub(super) fn keep_what_stands(&mut self) {
        let stands = std::mem::take(&mut self.foresight.stands);
        if self.foresight.parts() {
            self.foresight.parting = Parting::Kept(stands);
        }
    }

    /// One message for all that a change of the outlook changes.
    fn foresee(&mut self, change: impl FnOnce(&mut Foresight)) -> Vec<Output> {
        let before = self.wants();
        change(&mut self.foresight);
        let Some(before) = before else { return Vec::new() };
        self.said = self.granted_records();
        let after = self.all_wants();
        if before == after {
            return Vec::new();
        }
        let nothing = Vec::new();
        let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let of = |wants: &'_ Wants, id: &ContainerId| wants.get(id).unwrap_or(&nothing).clone();
        let mut outputs: Vec<_> =
            ids.into_iter().flat_map(|id| self.foreseen(id, &of(&before, id), &of(&after, id))).collect();
        outputs.push(Output::WantAll(after));
        outputs
    }

    /// For the log: what of a container's records is not as its lifecycle said that it wants it.
    pub(super) fn overruled(&self, id: &ContainerId, records: &[RecordSet]) -> Vec<Output> {
        let task = self.machines.get(id).and_then(|machine| machine.task());
        if !self.foresight.touches(task) {
            return Vec::new();
        }
        let was = self.said.get(id).into_iter().flatten();
        let kept: BTreeSet<_> = records.iter().map(RecordSet::key).collect();
        // That it goes, its lifecycle has said.
        let was: Vec<_> = was.filter(|set| kept.contains(&set.key())).cloned().collect();
        self.foreseen(id, &was, records)
    }

    fn foreseen(&self, id: &ContainerId, was: &[RecordSet], is: &[RecordSet]) -> Vec<Output> {
        let weights = |sets: &[RecordSet]| -> BTreeMap<Key, Option<i64>> {
            let services = sets.iter().filter(|set| set.kind == RecordType::Srv);
            services.map(|set| (set.key(), set.weight())).collect()
        };
        let (was, is) = (weights(was), weights(is));
        let changed = was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key));
        let changed: BTreeSet<_> = changed.collect();
        let foreseen = |key: &Key| Foreseen {
            service: key.name.clone(),
            weight: is.get(key).copied().flatten(),
            reason: self.foresight.reason(),
        };
        changed.into_iter().map(|key| Output::Foreseen(id.clone(), foreseen(key))).collect()
    }
}

fn keys(wants: &Wants) -> BTreeSet<Key> {
    wants.values().flatten().map(RecordSet::key).collect()
}
