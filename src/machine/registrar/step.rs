//! One event of one container, through all organs: what it changes for itself and for others.

use std::collections::BTreeSet;

use super::output::last_probes;
use super::{Bearing, Output, Registrar, Wants};
use crate::container::Running;
use crate::machine::claims::Parked;
use crate::machine::lifecycle::{Effect, Event, Lifecycle, Target, Unproven, Wanted};
use crate::machine::probe::Verdict;
use crate::machine::publish;
use crate::moment::Moment;
use crate::record::{ContainerId, RecordSet};

impl Registrar {
    /// Something was heard of a container, that bears so on what was registered of it.
    pub(super) fn news(
        &mut self,
        id: &ContainerId,
        event: Event,
        bearing: Bearing,
        now: Moment,
    ) -> Vec<Output> {
        self.adoption.on_news(id, bearing);
        let mut outputs = self.credit(id, &event, now).unwrap_or_else(|| self.step(id, event, now));
        outputs.extend(self.tell_registered(id, now));
        if bearing != Bearing::Nothing {
            outputs.extend(self.over(id));
            outputs.extend(self.release(id, now));
        }
        outputs
    }

    /// Where several claim a port and none has it, a check that passes is credited to the one that had it, else to the
    /// one that started first; that one is probed anew, so that its own answers count from then on.
    fn credit(&mut self, id: &ContainerId, event: &Event, now: Moment) -> Option<Vec<Output>> {
        let Event::Probed { life, target, verdict: Verdict::Up } = event else { return None };
        let current = self.containers.get(id)?.probing().filter(|(probed, _)| probed == life)?;
        current.1.contains(target).then_some(())?;
        let (first, offer) = self.grants.claims().answerer(id, target)?;
        let (first, target) = (first.clone(), Target::of(offer)?);
        let (life, _) = self.containers.get(&first)?.probing()?;
        let mut outputs = self.step(&first, Event::Probed { life, target, verdict: Verdict::Up }, now);
        let probing = self.containers.get(&first).and_then(Lifecycle::probing);
        outputs.extend(probing.map(|(life, targets)| Output::Probe { container: first, life, targets }));
        Some(outputs)
    }

    pub(super) fn step(&mut self, id: &ContainerId, event: Event, now: Moment) -> Vec<Output> {
        let mut outputs = self.advance(id, event, now);
        outputs.extend(self.settle(now));
        last_probes(outputs)
    }

    /// Tells containers which of their ports have changed hands, and says what comes of it all as one.
    pub(super) fn settle(&mut self, now: Moment) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut affected = BTreeSet::new();
        while let Some(id) = self.grants.take_affected() {
            let taken = self.grants.claims().taken(&id);
            let told = self.containers.get(&id).and_then(Lifecycle::taken);
            if told.is_some_and(|told| *told != taken) {
                outputs.extend(self.advance(&id, Event::Taken(taken), now));
            }
            affected.insert(id);
        }
        outputs.extend(self.say(affected));
        outputs
    }

    fn advance(&mut self, id: &ContainerId, event: Event, now: Moment) -> Vec<Output> {
        let ends = match &event {
            Event::Died { .. } | Event::Started { .. } | Event::Absent { .. } => true,
            Event::Remembered { trace, .. } => trace.ended,
            // Whatever runs later in its place has to prove itself.
            Event::Seen { sight, .. } => sight.running == Running::Stopped,
            _ => false,
        };
        let was_asked = self.containers.get(id).is_some_and(|it| it.is_asked_to_stop() && !it.has_ended());
        let stepped = self.containers.step(id, event, now);
        self.history.on_step(id, &stepped.effects, now);
        if ends || self.containers.get(id).is_some_and(Lifecycle::leaves) {
            self.adoption.forget(id);
        }
        // It is remembered before anything is done about it.
        let signalled = stepped.signalled.map(|signals| Output::Signalled(id.clone(), signals));
        let mut outputs = Vec::from_iter(signalled);
        let stops = self.containers.get(id).is_some_and(Lifecycle::is_asked_to_stop);
        outputs.extend((ends && was_asked && !stops).then(|| Output::Ended(id.clone())));
        outputs.extend(stepped.effects.into_iter().filter_map(|effect| self.carry(id, effect)));
        outputs
    }

    fn carry(&mut self, id: &ContainerId, effect: Effect) -> Option<Output> {
        let id = id.clone();
        Some(match effect {
            Effect::Claim(ports) => {
                self.grants.update(&id, ports);
                return None;
            }
            Effect::WakeAt(_) | Effect::Crashed(_) => return None,
            Effect::Probe { life, targets } => Output::Probe { container: id, life, targets },
            Effect::Inspect => Output::InspectTask(id),
            Effect::Decided(decision) => Output::Decided(id, decision),
            Effect::Held(hold) => Output::Held(id, hold),
            // Whose port another has waits for that one, and nobody asks it.
            Effect::Unproven(Unproven { offer, taken: Some(taken), .. }) => {
                Output::Waits(id, Parked { offer, taken })
            }
            Effect::Unproven(unproven) => Output::Unproven(id, unproven),
            Effect::Outlived(outlived) => Output::Outlived(id, outlived),
            Effect::Stepped(edge) => Output::Stepped(id, edge),
        })
    }

    fn say(&mut self, affected: BTreeSet<ContainerId>) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut changed = Vec::new();
        for id in affected {
            let (granted, waits) = self.grants.say_granted(&id);
            outputs.extend(waits.into_iter().map(|parked| Output::Waits(id.clone(), parked)));
            let records = self.records(&id, &granted);
            if self.adoption.is_open() && self.publication.of(&id) != records {
                outputs.extend(self.overruled(&id, &granted, &records));
                self.publication.say(&id, records.clone());
                changed.push((id, records));
            }
        }
        outputs.extend(match <[_; 1]>::try_from(changed) {
            // What is held gives way where a container that is known comes to its place.
            Ok([(id, records)]) if self.adoption.held().next().is_none() => Some(Output::Want(id, records)),
            Err(changed) if changed.is_empty() => None,
            Ok(_) | Err(_) => Some(Output::WantAll(self.all_wants())),
        });
        outputs
    }

    pub(super) fn granted_records(&self) -> Wants {
        let claims = self.grants.claims();
        let of = |id: &ContainerId| (id.clone(), self.records(id, &claims.granted(id).0));
        claims.containers().map(of).filter(|(_, records)| !records.is_empty()).collect()
    }

    fn records(&self, id: &ContainerId, granted: &[Wanted]) -> Vec<RecordSet> {
        let weighed: Vec<_> = granted.iter().map(|wanted| self.cordons.weigh(id, wanted.clone())).collect();
        self.published(id, &weighed)
    }

    /// What is wanted of these, whatever weights are given by hand.
    pub(super) fn published(&self, id: &ContainerId, wanted: &[Wanted]) -> Vec<RecordSet> {
        let records = publish::records(&self.registrant, id, wanted);
        self.departure.overrule(self.containers.task(id), records)
    }
}
