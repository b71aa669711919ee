//! What departure makes of the records that are granted.
//!
//! Owns what is known of the end of containers, the host and the agent, and what of a record is other than its
//! lifecycle wants it for that. Comes after the claims on ports: a container that leaves holds its port until it is
//! gone. When the containers' records are said anew is for the [registrar](crate::machine::registrar).

use std::collections::{BTreeMap, BTreeSet};

use super::{Leaving, Notice};
use crate::moment::Moment;
use crate::record::{Key, RecordSet, Routing};

/// What a departure makes of one record, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overruled {
    /// The service's full name.
    pub service: String,
    /// How it is wanted from now on; `None` where it is withdrawn.
    pub routing: Option<Routing>,
    /// Why.
    pub reason: String,
}

/// What is known of who leaves.
#[derive(Debug, Default)]
pub struct Departure {
    announced: Announced,
    agent: Agent,
}

/// What notices say.
#[derive(Debug, Default)]
enum Announced {
    /// Nobody says anything, and nobody will.
    #[default]
    Nothing,
    /// The first word is still to come.
    Awaited,
    /// The end of what leaves is not near, or has no time.
    Ahead(Notice),
    /// Nothing of what leaves is wanted any more.
    Near(Notice),
}

/// How the agent itself ends.
#[derive(Debug, Default)]
enum Agent {
    #[default]
    Stays,
    /// It will drain in a while. Nothing but these is wanted meanwhile; `None` until it is known what is registered.
    PreparesDrain(Option<BTreeSet<Key>>),
    /// Nothing is wanted any more, for good.
    Drained,
}

impl Departure {
    /// A notice will come soon.
    pub fn expect_notice(&mut self) {
        self.announced = Announced::Awaited;
    }

    /// Whether the first notice is still to come.
    pub fn awaits_notice(&self) -> bool {
        matches!(self.announced, Announced::Awaited)
    }

    /// This is what the host is told of its future, in place of what it was told before.
    pub fn on_notice(&mut self, notice: Notice, now: Moment) {
        let is_near = notice.withdraw_at.is_some_and(|at| at <= now);
        self.announced = if is_near { Announced::Near(notice) } else { Announced::Ahead(notice) };
    }

    /// What the host is told of its future, where it was told anything.
    pub fn notice(&self) -> Option<&Notice> {
        match &self.announced {
            Announced::Nothing | Announced::Awaited => None,
            Announced::Ahead(notice) | Announced::Near(notice) => Some(notice),
        }
    }

    /// When the end is near of what leaves.
    pub fn wake_at(&self) -> Option<Moment> {
        match &self.announced {
            Announced::Ahead(notice) if notice.leaving != Leaving::Nobody => notice.withdraw_at,
            Announced::Nothing | Announced::Awaited | Announced::Ahead(_) | Announced::Near(_) => None,
        }
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: Moment) {
        if self.wake_at().is_some_and(|at| at <= now) {
            self.announced = match std::mem::take(&mut self.announced) {
                Announced::Ahead(notice) => Announced::Near(notice),
                other => other,
            };
        }
    }

    /// The agent will drain in a while: nothing is wanted but these, or but what turns out to be registered.
    pub fn prepare_drain(&mut self, registered: Option<BTreeSet<Key>>) {
        if let Agent::Stays = self.agent {
            self.agent = Agent::PreparesDrain(registered);
        }
    }

    /// These are all that is registered.
    pub fn on_registered(&mut self, registered: BTreeSet<Key>) {
        if let Agent::PreparesDrain(kept) = &mut self.agent {
            *kept = Some(registered);
        }
    }

    /// The agent drains.
    pub fn drain(&mut self) {
        *self = Self { announced: Announced::Nothing, agent: Agent::Drained };
    }

    /// Whether the agent will drain in a while.
    pub fn prepares_drain(&self) -> bool {
        matches!(self.agent, Agent::PreparesDrain(_))
    }

    /// Whether the agent has drained.
    pub fn has_drained(&self) -> bool {
        matches!(self.agent, Agent::Drained)
    }

    /// Whether the records of a container of this task, or of none, are not as its lifecycle wants them.
    pub fn overrules(&self, task: Option<&str>) -> bool {
        self.prepares_drain() || self.leaving().takes(task)
    }

    /// What is wanted of the records of a container of this task, or of none.
    pub fn overrule(&self, task: Option<&str>, mut records: Vec<RecordSet>) -> Vec<RecordSet> {
        if !self.overrules(task) {
            return records;
        }
        if matches!(&self.announced, Announced::Near(notice) if notice.leaving.takes(task)) {
            return Vec::new();
        }
        if let Agent::PreparesDrain(Some(kept)) = &self.agent {
            records.retain(|set| kept.contains(&set.key()));
        }
        // A full name has no shares: who asks for all targets is not to find fewer because one is about to leave.
        for set in records.iter_mut().filter(|set| set.is_of_service()) {
            if let Routing::Weighted(_) = set.routing {
                set.routing = Routing::Weighted(0);
            }
        }
        records
    }

    /// For the log: what is other in one container's records after a change than it was before.
    pub fn between(&self, was: &[RecordSet], is: &[RecordSet]) -> Vec<Overruled> {
        let routings = |sets: &[RecordSet]| -> BTreeMap<Key, Routing> {
            let services = sets.iter().filter(|set| set.is_of_service());
            services.map(|set| (set.key(), set.routing)).collect()
        };
        let (was, is) = (routings(was), routings(is));
        let changed = was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key));
        let changed: BTreeSet<_> = changed.collect();
        let overruled = |key: &Key| Overruled {
            service: key.name.clone(),
            routing: is.get(key).copied(),
            reason: self.reason(),
        };
        changed.into_iter().map(overruled).collect()
    }

    fn leaving(&self) -> &Leaving {
        self.notice().map_or(&Leaving::Nobody, |notice| &notice.leaving)
    }

    fn reason(&self) -> String {
        let notice = self.notice().map_or("", |notice| &notice.reason);
        match self.leaving() {
            Leaving::Nobody if self.prepares_drain() => "the agent is about to drain".to_owned(),
            Leaving::Nobody => "the notice is called off".to_owned(),
            Leaving::Tasks(_) => format!("its task is leaving: {notice}"),
            Leaving::Everybody => format!("the host is leaving: {notice}"),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::moment::at;
    use crate::record::RecordType;
    use crate::record::testing::{HEX, registrant};

    fn record(name: &str, weight: i64) -> RecordSet {
        let host = registrant("i-0a").host_record();
        let set_identifier = Some(format!("i-0a:{HEX}:80"));
        let (kind, routing) = (RecordType::Srv, Routing::Weighted(weight));
        RecordSet { name: name.to_owned(), kind, set_identifier, routing, ..host }
    }

    fn notice(leaving: Leaving, withdraw_at: Option<u64>) -> Notice {
        Notice { leaving, withdraw_at: withdraw_at.map(at), reason: "spot".to_owned() }
    }

    fn weights(departure: &Departure, task: Option<&str>) -> Vec<i64> {
        let records = departure.overrule(task, vec![record("a", 5), record("b", 7)]);
        records.into_iter().filter_map(|set| set.weight()).collect()
    }

    #[test]
    fn what_leaves_has_weight_0_and_no_records_once_its_end_is_near() {
        let mut departure = Departure::default();
        departure.on_notice(notice(Leaving::Tasks(["t".to_owned()].into()), Some(100)), at(1));
        assert_eq!(weights(&departure, Some("t")), [0, 0]);
        assert_eq!(weights(&departure, None), [5, 7]);
        assert_eq!(departure.wake_at(), Some(at(100)));
        departure.on_time(at(99));
        assert_eq!(weights(&departure, Some("t")), [0, 0]);
        departure.on_time(at(100));
        assert_eq!((weights(&departure, Some("t")), departure.wake_at()), (vec![], None));
        departure.on_notice(Notice::default(), at(101));
        assert_eq!(weights(&departure, Some("t")), [5, 7]);
        departure.on_notice(notice(Leaving::Nobody, Some(200)), at(102));
        assert_eq!(departure.wake_at(), None, "nobody leaves then");
    }

    #[test]
    fn no_notice_and_no_drain_that_is_to_come_touches_a_full_name() {
        let (weighted, full) =
            (record("a", 5), RecordSet { routing: Routing::Multivalue, ..record("a-all", 5) });
        let address = RecordSet {
            kind: RecordType::A,
            set_identifier: Some(format!("i-0a:{HEX}:a")),
            ..record("a", 5)
        };
        let host = registrant("i-0a").host_record();
        let sets = [weighted, full.clone(), address, host];
        let mut departure = Departure::default();
        departure.on_notice(notice(Leaving::Everybody, Some(100)), at(1));
        let weights = |sets: &[RecordSet]| sets.iter().map(RecordSet::weight).collect::<Vec<_>>();
        let left = departure.overrule(None, sets.to_vec());
        assert_eq!((weights(&left), &left[1]), (vec![Some(0), None, Some(0), Some(1)], &full));
        assert_eq!(departure.between(&sets, &left).len(), 2, "of the full name nothing is said");
        departure.on_time(at(100));
        assert_eq!(departure.overrule(None, sets.to_vec()), [], "its end is near");
        let mut departure = Departure::default();
        departure.prepare_drain(None);
        assert_eq!(departure.overrule(None, sets.to_vec()), left);
    }

    #[test]
    fn a_notice_whose_end_has_passed_withdraws_at_once() {
        let mut departure = Departure::default();
        departure.expect_notice();
        assert!(departure.awaits_notice());
        departure.on_notice(notice(Leaving::Everybody, Some(5)), at(5));
        assert_eq!((weights(&departure, None), departure.awaits_notice()), (vec![], false));
    }

    #[test]
    fn an_agent_that_is_about_to_drain_keeps_at_weight_0_what_was_registered() {
        let mut departure = Departure::default();
        departure.prepare_drain(None);
        assert_eq!(weights(&departure, None), [0, 0], "what is registered is not known yet");
        departure.on_registered([record("a", 5).key()].into());
        departure.prepare_drain(None);
        assert_eq!(weights(&departure, None), [0]);
        departure.on_notice(Notice::default(), at(1));
        assert_eq!(weights(&departure, None), [0], "no notice that is called off brings weights back");
        departure.drain();
        assert!(departure.has_drained() && !departure.prepares_drain());
    }

    #[test]
    fn says_of_each_record_what_became_of_it_and_why() {
        let mut departure = Departure::default();
        let (was, is) = ([record("a", 5), record("b", 7), record("c", 1)], [record("a", 0), record("c", 1)]);
        let said = |departure: &Departure| {
            let overruled = departure.between(&was, &is).into_iter();
            overruled.map(|it| (it.service, it.routing, it.reason)).collect::<Vec<_>>()
        };
        let both = |reason: &str| {
            let weightless = Some(Routing::Weighted(0));
            vec![("a".to_owned(), weightless, reason.to_owned()), ("b".to_owned(), None, reason.to_owned())]
        };
        assert_eq!(said(&departure), both("the notice is called off"));
        departure.on_notice(notice(Leaving::Everybody, None), at(1));
        assert_eq!(said(&departure), both("the host is leaving: spot"));
        departure.on_notice(notice(Leaving::Tasks(BTreeSet::new()), None), at(1));
        assert_eq!(said(&departure), both("its task is leaving: spot"));
        departure.on_notice(Notice::default(), at(1));
        departure.prepare_drain(None);
        assert_eq!(said(&departure), both("the agent is about to drain"));
    }
}
