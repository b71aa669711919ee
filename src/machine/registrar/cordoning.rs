//! What a [cordon](crate::machine::cordon) makes the registrar say; and which container or name an order means.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::{Output, Registrar, Wants};
use crate::container::Timestamp;
use crate::container::convention::Answer;
use crate::machine::cordon::{
    Change, Cordon, Done, Ended, Order, Refused, Report, Scope, What, Wish, begins, whole,
};
use crate::machine::lifecycle::State;
use crate::moment::Moment;
use crate::record::{ContainerId, RecordSet};

impl Registrar {
    /// What an earlier run was asked. Before anything else is told.
    pub fn restore_cordons(&mut self, kept: Vec<Cordon>, wall: SystemTime, now: Moment) -> Vec<Output> {
        let ended = self.cordons.restore(kept, wall, now);
        self.say_ended(ended.into_iter().map(|cordon| (cordon, Ended::Over)).collect())
    }

    /// The cordons in force.
    pub fn cordons(&self) -> impl Iterator<Item = &Cordon> {
        self.cordons.iter()
    }

    /// An operator asks for something.
    ///
    /// # Errors
    /// Where it is not clear what is meant, or nothing is to be had any more.
    pub fn on_order(
        &mut self,
        order: &Order,
        wall: SystemTime,
        now: Moment,
    ) -> Result<(Report, Vec<Output>), Refused> {
        if self.departure.has_drained() {
            return Err(Refused::Draining);
        }
        match order.wish {
            Wish::Cordon { weight, lasts } => {
                let scope = self.meant(&order.what)?;
                if self.cordons.is_full() && self.cordons.get(&scope).is_none() {
                    return Err(Refused::Full);
                }
                let name = match &scope {
                    Scope::Container(id) => self.name(id).to_owned(),
                    Scope::Service(_) | Scope::All => String::new(),
                };
                let until = lasts.map(|lasts| Timestamp::from(wall + lasts));
                let cordon = Cordon { scope, name, weight, since: Timestamp::from(wall), until };
                let changed = self.reweigh("cordoned", |it| it.cordons.set(cordon.clone(), wall, now));
                let said = Output::Cordoned(cordon.clone());
                Ok(self.reported(Done::Cordoned(cordon), said, changed))
            }
            Wish::Uncordon => {
                let scope = match self.cordoned(&order.what) {
                    Some(scope) => scope,
                    None => self.meant(&order.what)?,
                };
                let Some(cordon) = self.cordons.get(&scope).cloned() else {
                    let done = Done::NotCordoned(self.called(&scope));
                    let (changes, last, others) = (Vec::new(), BTreeSet::new(), self.others(&scope));
                    return Ok((Report { done, changes, last, others, is_to_come: false }, Vec::new()));
                };
                let changed = self.reweigh("uncordoned", |it| {
                    it.cordons.remove(&scope);
                });
                let said = Output::Uncordoned(cordon.clone());
                Ok(self.reported(Done::Uncordoned(cordon), said, changed))
            }
        }
    }

    /// Some may end by themselves.
    pub(super) fn cordon_on_time(&mut self, now: Moment) -> Vec<Output> {
        if self.cordons.wake_at().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut ended = Vec::new();
        let (_, _, mut outputs) =
            self.reweigh("the cordon has ended", |it| ended = it.cordons.take_ended(now));
        let mut said = self.say_ended(ended);
        said.append(&mut outputs);
        said
    }

    fn say_ended(&self, ended: Vec<(Cordon, Ended)>) -> Vec<Output> {
        if ended.is_empty() {
            return Vec::new();
        }
        let said = ended.into_iter().map(|(cordon, why)| Output::CordonEnded(cordon, why));
        said.chain([self.keep()]).collect()
    }

    fn keep(&self) -> Output {
        Output::KeepCordons(self.cordons.iter().cloned().collect())
    }

    /// Another weight for what is wanted, as one message. Returns the wants before and after.
    fn reweigh(&mut self, reason: &str, change: impl FnOnce(&mut Self)) -> (Wants, Wants, Vec<Output>) {
        let before = self.wants().unwrap_or_default();
        let mut outputs = self.change_all(change);
        let of_cordon = |output: &mut Output| {
            if let Output::Overruled(_, overruled) = output {
                reason.clone_into(&mut overruled.reason);
            }
        };
        outputs.iter_mut().for_each(of_cordon);
        (before, self.wants().unwrap_or_default(), outputs)
    }

    fn reported(
        &self,
        done: Done,
        said: Output,
        (before, after, wants): (Wants, Wants, Vec<Output>),
    ) -> (Report, Vec<Output>) {
        let others = match &done {
            Done::Cordoned(cordon) | Done::Uncordoned(cordon) => self.others(&cordon.scope),
            Done::NotCordoned(_) => Vec::new(),
        };
        let is_to_come = match &done {
            Done::Cordoned(Cordon { scope: Scope::Service(name), .. }) => self.answers(name).is_none(),
            Done::Cordoned(_) | Done::Uncordoned(_) | Done::NotCordoned(_) => false,
        };
        let changes = self.changes(&before, &after);
        let gone = changes.iter().filter(|change| change.to == 0).map(|change| change.record.clone());
        let serves = |name: &String| {
            let mut all = after.values().flatten();
            all.any(|set| set.key().name == *name && set.weight() > Some(0))
        };
        let last = gone.filter(|name| !serves(name)).collect();
        let outputs = [self.keep(), said].into_iter().chain(wants).collect();
        (Report { done, changes, last, others, is_to_come }, outputs)
    }

    fn others(&self, scope: &Scope) -> Vec<Cordon> {
        self.cordons.iter().filter(|other| self.concerns(scope, &other.scope)).cloned().collect()
    }

    /// Whether another cordon holds for some of what this one holds for.
    fn concerns(&self, scope: &Scope, other: &Scope) -> bool {
        let names = |id: &ContainerId, name: &String| self.services(id).contains(name);
        scope != other
            && match (scope, other) {
                (Scope::All, _) | (_, Scope::All) => true,
                (Scope::Container(id), Scope::Service(name))
                | (Scope::Service(name), Scope::Container(id)) => names(id, name),
                (Scope::Container(_), Scope::Container(_)) | (Scope::Service(_), Scope::Service(_)) => false,
            }
    }

    fn changes(&self, before: &Wants, after: &Wants) -> Vec<Change> {
        let mut changes = Vec::new();
        for (id, sets) in after {
            let was = |set: &RecordSet| {
                before.get(id)?.iter().find(|was| was.key() == set.key()).and_then(RecordSet::weight)
            };
            let changed = sets.iter().filter_map(|set| Some((set, was(set)?, set.weight()?)));
            for (set, from, to) in changed.filter(|(_, from, to)| from != to) {
                let (record, name) = (set.key().name, self.name(id).to_owned());
                changes.push(Change { record, container: id.clone(), name, from, to });
            }
        }
        changes
    }

    /// What is cordoned that may be meant: its container may not run any more.
    fn cordoned(&self, what: &What) -> Option<Scope> {
        let is_meant = |cordon: &&Cordon| match (&cordon.scope, what) {
            (Scope::Container(id), What::Named(text)) => cordon.name == *text || begins(id, text),
            (Scope::Service(name), What::Named(text) | What::Service(text)) => {
                whole(text, &self.registrant.zone).as_ref() == Some(name)
            }
            (Scope::All, What::All) => true,
            _ => false,
        };
        let mut meant = self.cordons.iter().filter(is_meant);
        // Of several, whoever asks has to say which: as of those that are not cordoned.
        meant.next().filter(|_| meant.next().is_none()).map(|cordon| cordon.scope.clone())
    }

    /// What is meant: exactly one container or name.
    fn meant(&self, what: &What) -> Result<Scope, Refused> {
        match what {
            What::All => Ok(Scope::All),
            What::Service(text) if what.is_no_service() => Err(Refused::NoService(text.clone())),
            What::Service(text) => {
                let zone = &self.registrant.zone;
                let elsewhere = || Refused::Elsewhere { name: text.clone(), zone: zone.clone() };
                let name = whole(text, zone).ok_or_else(elsewhere)?;
                if self.answers(&name).is_some_and(|answer| answer == Answer::All) {
                    return Err(Refused::FullName(name));
                }
                Ok(Scope::Service(name))
            }
            What::Named(text) => {
                let mut scopes: Vec<_> =
                    self.containers_called(text).into_iter().map(Scope::Container).collect();
                let name = whole(text, &self.registrant.zone);
                scopes.extend(name.filter(|name| self.answers(name).is_some()).map(Scope::Service));
                match <[Scope; 1]>::try_from(scopes) {
                    Ok([scope]) => Ok(scope),
                    Err(none) if none.is_empty() => Err(Refused::Unknown(text.clone())),
                    Err(scopes) => {
                        let matches = scopes.iter().map(|scope| self.called(scope)).collect();
                        Err(Refused::Ambiguous { text: text.clone(), matches })
                    }
                }
            }
        }
    }

    /// Those of this name, of which those that run come first; else those whose id begins so.
    fn containers_called(&self, text: &str) -> Vec<ContainerId> {
        let is_called = |(id, _): &(&ContainerId, _)| self.name(id) == text;
        let runs = |id: &&ContainerId| self.containers.get(id).is_some_and(|it| *it.state() != State::Idle);
        let named: Vec<_> = self.containers.iter().filter(is_called).map(|(id, _)| id).collect();
        let running: Vec<_> = named.iter().copied().filter(runs).cloned().collect();
        if !running.is_empty() {
            return running;
        }
        if !named.is_empty() {
            return named.into_iter().cloned().collect();
        }
        self.containers.ids().filter(|id| begins(id, text)).cloned().collect()
    }

    /// How a name is answered that a container of this host has: a full name only where none has a weight under it.
    fn answers(&self, name: &str) -> Option<Answer> {
        let lives = self.containers.iter().filter_map(|(_, lifecycle)| match lifecycle.state() {
            State::Live(life) => Some(&life.services),
            _ => None,
        });
        let services = lives.flatten().map(|tracked| &tracked.offer.service);
        let answers: BTreeSet<_> =
            services.filter(|service| service.name.as_str() == name).map(|service| service.answer).collect();
        let weighted = answers.iter().find(|answer| **answer != Answer::All);
        weighted.or_else(|| answers.first()).copied()
    }

    fn called(&self, scope: &Scope) -> String {
        let name = match scope {
            Scope::Container(id) => self.name(id).to_owned(),
            Scope::Service(_) | Scope::All => String::new(),
        };
        // Only how it is spoken of.
        let moment = Timestamp::from(SystemTime::UNIX_EPOCH);
        Cordon { scope: scope.clone(), name, weight: 0, since: moment, until: None }.to_string()
    }
}
