//! What a [departure](crate::machine::departure) makes the registrar say.

use std::collections::{BTreeMap, BTreeSet};

use super::{Output, Registrar, Wants};
use crate::machine::departure::Notice;
use crate::machine::departure::records::Departure;
use crate::machine::lifecycle::Wanted;
use crate::moment::Moment;
use crate::record::{ContainerId, RecordSet};

impl Registrar {
    /// A notice will come soon: what is wanted first waits for it, as it does for the containers.
    pub fn expect_notice(&mut self) {
        self.departure.expect_notice();
    }

    /// This is what the host is told of its future, in place of what it was told before.
    pub fn on_notice(&mut self, notice: Notice, now: Moment) -> Vec<Output> {
        if self.departure.has_drained() {
            return Vec::new();
        }
        let mut outputs = self.depart(|departure| departure.on_notice(notice, now));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// The agent will drain in a while: until then all has weight 0, and nothing new is registered. The
    /// first look at the host is over with it, as far as it has come.
    pub fn prepare_drain(&mut self, now: Moment) -> Vec<Output> {
        if self.departure.has_drained() {
            return Vec::new();
        }
        let registered = self.wants().map(|wants| wants.values().flatten().map(RecordSet::key).collect());
        let mut outputs = self.depart(|departure| departure.prepare_drain(registered));
        outputs.extend(self.try_open(now));
        outputs
    }

    /// The end of what leaves may have come near.
    pub(super) fn depart_on_time(&mut self, now: Moment) -> Vec<Output> {
        match self.departure.wake_at() {
            Some(at) if at <= now => self.depart(|departure| departure.on_time(now)),
            _ => Vec::new(),
        }
    }

    /// One message for all that a change of the departure changes.
    fn depart(&mut self, change: impl FnOnce(&mut Departure)) -> Vec<Output> {
        self.change_all(|it| change(&mut it.departure))
    }

    /// One message for all that a change changes of what lifecycles want.
    pub(super) fn change_all(&mut self, change: impl FnOnce(&mut Self)) -> Vec<Output> {
        let before = self.wants();
        change(self);
        let Some(before) = before else { return Vec::new() };
        self.publication.say_all(self.granted_records());
        let after = self.all_wants();
        if before == after {
            return Vec::new();
        }
        let of = |wants: &Wants, id: &ContainerId| wants.get(id).cloned().unwrap_or_default();
        let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let mut outputs: Vec<_> =
            ids.into_iter().flat_map(|id| self.between(id, &of(&before, id), &of(&after, id))).collect();
        outputs.push(Output::WantAll(after));
        outputs
    }

    /// For the log: what of a container's records is not as its lifecycle said that it wants it.
    pub(super) fn overruled(
        &self,
        id: &ContainerId,
        granted: &[Wanted],
        records: &[RecordSet],
    ) -> Vec<Output> {
        let departs = self.departure.overrules(self.containers.task(id));
        if !departs && self.cordons.iter().next().is_none() {
            return Vec::new();
        }
        let said: BTreeMap<_, _> =
            self.published(id, granted).into_iter().map(|set| (set.key(), set.routing)).collect();
        let is_overruled = |set: &&RecordSet| departs || said.get(&set.key()) != Some(&set.routing);
        let records: Vec<_> = records.iter().filter(is_overruled).cloned().collect();
        let kept: BTreeSet<_> = records.iter().map(RecordSet::key).collect();
        // That it goes, its lifecycle has said.
        let was = self.publication.of(id).iter().filter(|set| kept.contains(&set.key()));
        let mut outputs = self.between(id, &was.cloned().collect::<Vec<_>>(), &records);
        for output in &mut outputs {
            if let (Output::Overruled(_, overruled), false) = (output, departs) {
                "cordoned".clone_into(&mut overruled.reason);
            }
        }
        outputs
    }

    fn between(&self, id: &ContainerId, was: &[RecordSet], is: &[RecordSet]) -> Vec<Output> {
        let overruled = self.departure.between(was, is).into_iter();
        overruled.map(|overruled| Output::Overruled(id.clone(), overruled)).collect()
    }
}
