//! A ledger, its zone, and whoever carries calls between them well or badly.

use futures_util::FutureExt;

use super::*;
use crate::change::batch::{ELEMENTS_MAX, Size, VALUE_CHARACTERS_MAX, cost};
use crate::journal::State;
use crate::zone::embedded::{EmbeddedZone, Options};
use crate::zone::refusal::Cause;
use crate::zone::{ListStart, Zone};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Throttled,
    Busy,
    UnknownBefore,
    UnknownAfter,
    /// Unknown, and applied before the next change is.
    LateBeforeNext,
    /// Unknown, and applied after the next change was.
    LateAfterNext,
}

/// A record set with our mark: the n-th container's, reached at a port. From the 50th on they are of multivalue names.
pub(super) fn own(n: u16, port: u16) -> RecordSet {
    RecordSet {
        name: format!("_s{}._tcp.sd.internal", n / 50),
        kind: RecordType::Srv,
        set_identifier: Some(format!("i-1:{n:03}")),
        routing: if n < 50 { Routing::Weighted(1) } else { Routing::Multivalue },
        ttl: 0,
        values: vec![format!("1 1 {port} i-1.sd.internal")],
    }
}

fn is_own(set: &RecordSet) -> bool {
    set.set_identifier.as_deref().is_some_and(|mark| mark.starts_with("i-1:"))
}

pub(super) struct Desk {
    pub(super) zone: EmbeddedZone,
    pub(super) ledger: Ledger,
    pub(super) now: Moment,
    pub(super) calls: usize,
    pub(super) cost: usize,
    pub(super) lookups: usize,
    pub(super) wanted: BTreeMap<Key, RecordSet>,
    /// A policy denies changes of this name, and says no more than that.
    pub(super) denied: Option<String>,
    late: Option<(Vec<Change>, Fault)>,
    last: Vec<Change>,
    /// What the ledger was told stands there.
    written: BTreeMap<Key, RecordSet>,
    /// The keys of which it was told that something may stand there, and how often that nothing does.
    doubtful: BTreeMap<Key, u8>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            zone: EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap(),
            ledger: Ledger::default(),
            now: Moment::after(Duration::from_secs(1_000)),
            calls: 0,
            cost: 0,
            lookups: 0,
            wanted: BTreeMap::new(),
            denied: None,
            late: None,
            last: Vec::new(),
            written: BTreeMap::new(),
            doubtful: BTreeMap::new(),
        }
    }
}

impl Desk {
    pub(super) fn want(&mut self, set: RecordSet) {
        self.wanted.insert(set.key(), set.clone());
        self.ledger.want(set.key(), Some(set));
    }

    pub(super) fn unwant(&mut self, set: &RecordSet) {
        self.wanted.remove(&set.key());
        self.ledger.want(set.key(), None);
    }

    /// Somebody else changes the zone; what it refuses does not happen.
    pub(super) fn by_hand(&mut self, action: Action, set: RecordSet) {
        let _ = self.zone.change(&[Change { action, set }]).now_or_never().unwrap();
    }

    pub(super) fn own_sets(&self) -> Vec<RecordSet> {
        self.zone
            .snapshot()
            .into_iter()
            .filter(is_own)
            .map(|set| RecordSet { name: set.key().name, ..set })
            .collect()
    }

    pub(super) fn own_count(&self) -> usize {
        self.zone.view(|contents| contents.sets().filter(|set| is_own(set)).count())
    }

    pub(super) fn last_actions(&self) -> Vec<Action> {
        self.last.iter().map(|change| change.action).collect()
    }

    /// An agent starts that knows what the zone holds.
    pub(super) fn restart(&mut self) {
        let own = self.own_sets();
        self.ledger = Ledger::new(own.clone());
        self.written = own.into_iter().map(|set| (set.key(), set)).collect();
        self.doubtful.clear();
        for (key, set) in self.wanted.clone() {
            self.ledger.want(key, Some(set));
        }
    }

    /// An agent starts that left this, on a machine that was down: others may have taken it.
    pub(super) fn boot(&mut self) {
        let own = self.own_sets();
        self.doubtful = own.iter().map(|set| (set.key(), 0)).collect();
        let unsure = own.into_iter().map(|set| (set.key(), State::Unsure(set)));
        self.ledger = Ledger::restore(unsure, [], self.now);
    }

    /// One call; `false` where there is nothing to do now.
    pub(super) fn call(&mut self, fault: Fault) -> bool {
        if let Some(lookup) = self.ledger.lookup(self.now).cloned() {
            self.look_up(&lookup, fault);
            return true;
        }
        let batch = self.next_batch();
        if batch.is_empty() {
            return false;
        }
        self.check(&batch);
        (self.calls, self.cost) = (self.calls + 1, self.cost + batch.iter().map(cost).sum::<usize>());
        self.apply_late(Fault::LateBeforeNext);
        let unknown = Err(ZoneError::Unknown("no answer".into()));
        let answer = match fault {
            Fault::None => self.ask(&batch),
            Fault::Throttled => Err(ZoneError::Throttled("Rate exceeded".into())),
            Fault::Busy => Err(ZoneError::Busy("prior request".into())),
            Fault::UnknownBefore | Fault::LateBeforeNext | Fault::LateAfterNext => unknown,
            Fault::UnknownAfter => self.ask(&batch).and(unknown),
        };
        self.apply_late(Fault::LateAfterNext);
        if matches!(fault, Fault::LateBeforeNext | Fault::LateAfterNext) {
            self.late = Some((batch.clone(), fault));
        }
        self.ledger.on_answer(&batch, &answer, self.now);
        self.learn(&batch, &answer);
        self.last = batch;
        true
    }

    pub(super) fn ask(&self, batch: &[Change]) -> Result<(), ZoneError> {
        if batch.iter().any(|change| Some(&change.set.name) == self.denied.as_ref()) {
            return Err(ZoneError::Denied(
                "not authorized to perform: route53:ChangeResourceRecordSets".into(),
            ));
        }
        self.zone.change(batch).now_or_never().unwrap().map(|_| ())
    }

    pub(super) fn apply_late(&mut self, when: Fault) {
        if let Some((batch, _)) = self.late.take_if(|(_, fault)| *fault == when) {
            let _ = self.zone.change(&batch).now_or_never().unwrap();
        }
    }

    pub(super) fn settle(&mut self) {
        self.settle_checking(|_| {});
    }

    /// Calls until nothing is left to do, letting time pass where the ledger waits.
    pub(super) fn settle_checking(&mut self, check: impl Fn(&Self)) {
        for _ in 0..300 {
            if self.call(Fault::None) {
                check(self);
                continue;
            }
            match self.ledger.due_at(self.now) {
                Some(at) => self.now = self.now.max(at),
                None => {
                    assert!(self.ledger.settled(), "nothing to do, and not settled");
                    return;
                }
            }
        }
        panic!("does not settle");
    }

    fn next_batch(&self) -> Vec<Change> {
        self.ledger.batch(self.now).into_iter().flat_map(|unit| unit.changes).collect()
    }

    fn look_up(&mut self, lookup: &Lookup, fault: Fault) {
        if fault != Fault::None {
            return;
        }
        self.lookups += 1;
        let start = match lookup {
            Lookup::Set(key) => ListStart::from(key.clone()),
            Lookup::GroupTtl(name, kind) => {
                ListStart { name: Some(name.clone()), kind: Some((*kind).into()), set_identifier: None }
            }
        };
        let page = self.zone.list(Some(&start), 1).now_or_never().unwrap().unwrap();
        let found = page.sets.into_iter().next();
        if let Lookup::Set(key) = lookup {
            self.doubtful.remove(key);
            self.written.remove(key);
            self.written
                .extend(found.iter().filter(|set| set.key() == *key).map(|set| (key.clone(), set.clone())));
        }
        self.ledger.on_lookup(lookup, Ok(found), self.now);
    }

    /// What every batch must be, whatever came before.
    fn check(&self, batch: &[Change]) {
        let size = Size::of(batch);
        assert!(size.elements <= ELEMENTS_MAX && size.characters <= VALUE_CHARACTERS_MAX, "over a limit");
        let mut actions: BTreeMap<Key, Vec<Action>> = BTreeMap::new();
        for change in batch {
            assert!(is_own(&change.set), "a record of somebody else's: {change}");
            let key = change.set.key();
            let deleted = actions.get(&key).is_some_and(|actions| actions[..] == [Action::Delete]);
            let (written, absent) = (self.written.get(&key), self.doubtful.get(&key));
            let doubtful = absent.is_some();
            match change.action {
                Action::Create => {
                    let gone = written.is_none() && absent.is_none_or(|times| *times > 1);
                    assert!(deleted || gone, "created blindly: {change}");
                }
                Action::Delete => {
                    assert!(doubtful || written == Some(&change.set), "deleted blindly: {change}")
                }
                Action::Upsert => {
                    let reweighed = written.is_some_and(|old| old.values == change.set.values);
                    assert!(doubtful || reweighed, "an upsert without need: {change}");
                }
            }
            actions.entry(key).or_default().push(change.action);
        }
        let once =
            |actions: &Vec<Action>| actions.len() == 1 || actions[..] == [Action::Delete, Action::Create];
        assert!(actions.values().all(once), "a key twice");
    }

    /// Keeps what a ledger can know, in the plainest way; an answer that is no refusal parts no batch.
    fn learn(&mut self, batch: &[Change], answer: &Result<(), ZoneError>) {
        let keys: BTreeSet<_> = batch.iter().map(|change| change.set.key()).collect();
        match answer {
            Ok(()) => {
                for change in batch {
                    let key = change.set.key();
                    self.doubtful.remove(&key);
                    match change.action {
                        Action::Delete => self.written.remove(&key),
                        _ => self.written.insert(key, change.set.clone()),
                    };
                }
            }
            Err(ZoneError::Rejected(refusals)) => {
                for change in batch {
                    let told = |cause: Cause| {
                        let mark = &change.set.set_identifier;
                        refusals
                            .iter()
                            .any(|refusal| refusal.cause == cause && refusal.key.set_identifier == *mark)
                    };
                    if change.action == Action::Delete && told(Cause::NotFound) {
                        self.written.remove(&change.set.key());
                        self.doubtful.entry(change.set.key()).and_modify(|times| *times += 1);
                    }
                    if told(Cause::AlreadyExists) || told(Cause::ValuesDiffer) {
                        self.doubtful.insert(change.set.key(), 0);
                    }
                }
            }
            Err(error) => {
                if matches!(error, ZoneError::Unknown(_)) {
                    self.doubtful.extend(keys.iter().map(|key| (key.clone(), 0)));
                }
                if !matches!(error, ZoneError::Denied(_) | ZoneError::Invalid(_)) {
                    let next: BTreeSet<_> = self.next_batch().iter().map(|change| change.set.key()).collect();
                    let fewer = Size::of(batch).characters * 2 > VALUE_CHARACTERS_MAX;
                    let halving = self.ledger.culprit.is_sought();
                    assert!(
                        fewer || halving || keys.is_subset(&next),
                        "a batch that was not refused was taken apart"
                    );
                }
            }
        }
    }
}
