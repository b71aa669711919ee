//! The writer against the model of a zone, call by call.

use std::time::Duration;

use futures_util::FutureExt;

use super::*;
use crate::journal::MemoryJournal;
use crate::moment::at;
use crate::reconcile::ledger::REFUSED_WAIT;
use crate::record::testing::registrant;
use crate::record::{Action, Change, RecordType, Routing};
use crate::zone::embedded::{EmbeddedZone, Options};
use crate::zone::{Zone, ZoneError};

mod asks;
mod ends;
mod follows;
mod killed;
mod refused;
mod rush;

/// A zone, a writer, and what it called.
struct Stage {
    zone: EmbeddedZone,
    writer: Writer,
    now: Moment,
    calls: Vec<Call>,
    news: Vec<News>,
}

pub(super) fn settings(journal: Option<SharedJournal>, read_first: bool) -> Settings {
    Settings { journal, read_first, seed: 3, ..testing::settings(registrant("i-0a")) }
}

fn journal(whole: bool) -> SharedJournal {
    SharedJournal::new(Box::new(MemoryJournal::default()), whole)
}

fn srv(owner: &str, n: u16) -> RecordSet {
    RecordSet {
        name: "_web._tcp.sd.internal".into(),
        kind: RecordType::Srv,
        set_identifier: Some(format!("{owner}:{n:064x}:80")),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![format!("1 1 {} {owner}.sd.internal", 32_000 + n)],
    }
}

fn host() -> RecordSet {
    registrant("i-0a").host_record()
}

impl Stage {
    fn new(settings: Settings) -> Self {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        Self::on(zone, settings)
    }

    fn on(zone: EmbeddedZone, settings: Settings) -> Self {
        let now = Moment::after(Duration::from_secs(100));
        Self { zone, writer: Writer::new(settings), now, calls: Vec::new(), news: Vec::new() }
    }

    fn by_hand(&self, action: Action, sets: impl IntoIterator<Item = RecordSet>) {
        let batch: Vec<_> = sets.into_iter().map(|set| Change { action, set }).collect();
        self.zone.change(&batch).now_or_never().unwrap().unwrap();
    }

    fn want(&mut self, new: &[RecordSet]) {
        self.writer.want(&[], new);
        self.writer.told_all();
        let news = self.writer.judged_found();
        self.news.extend(news);
    }

    /// Answers one call, if one may go now or after a wait that is no longer than `wait`.
    fn step(&mut self, wait: Duration, answer: impl FnOnce(&EmbeddedZone, &Call) -> Answer) -> bool {
        let next = match self.writer.next(self.now) {
            Next::At(at) if at <= self.now => panic!("a timer that is due now fires for ever"),
            Next::At(at) if at <= self.now + wait => {
                self.now = at;
                self.writer.next(at)
            }
            next => next,
        };
        let Next::Call(call) = next else { return false };
        assert_eq!(self.writer.next(self.now), Next::Nothing, "two calls at once");
        let answer = answer(&self.zone, &call);
        self.calls.push(call.clone());
        let news = self.writer.on_answer(call, answer, self.now);
        self.news.extend(news);
        true
    }

    /// Lets the zone answer until nothing is due within 5 s.
    fn settle(&mut self) {
        let answer = |zone: &EmbeddedZone, call: &Call| call.make(zone).now_or_never().unwrap();
        while self.step(Duration::from_secs(5), answer) {
            assert!(self.calls.len() < 500, "it does not settle");
        }
    }

    fn progress(&self) -> Progress {
        self.writer.progress(self.now)
    }

    fn own(&self) -> Vec<RecordSet> {
        let sets = self.zone.snapshot().into_iter().map(RecordSet::canonical);
        sets.filter(|set| registrant("i-0a").owns(set)).collect()
    }

    fn changes(&self) -> Vec<usize> {
        let batch = |call: &Call| if let Call::Change(batch) = call { Some(batch.len()) } else { None };
        self.calls.iter().filter_map(batch).collect()
    }

    fn reads(&self) -> usize {
        self.calls.iter().filter(|call| matches!(call, Call::Read(_))).count()
    }
}

#[test]
fn with_a_whole_journal_nothing_is_listed_and_all_goes_in_one_call() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    assert_eq!(stage.writer.observed(), Some(vec![]));
    stage.want(&(0..50).map(|n| srv("i-0a", n)).collect::<Vec<_>>());
    stage.settle();
    assert_eq!((stage.changes(), stage.reads(), stage.own().len()), (vec![51], 0, 51));
    assert_eq!(stage.progress(), Progress::Settled);
}

#[test]
fn nothing_is_written_before_all_is_told_nor_before_a_read_that_comes_first() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.writer.want(&[], &[srv("i-0a", 1)]);
    stage.settle();
    assert_eq!(stage.calls, []);
    let mut stage = Stage::new(settings(None, true));
    stage.by_hand(Action::Create, [srv("i-0a", 1), srv("i-0b", 2)]);
    stage.settle();
    assert_eq!((stage.changes(), stage.reads()), (vec![], 1));
    assert_eq!(stage.news, [News::Known(vec![srv("i-0a", 1)])]);
}

#[test]
fn without_a_journal_it_writes_first_and_then_deletes_what_nobody_wants() {
    let mut stage = Stage::new(settings(Some(journal(false)), false));
    let left = [srv("i-0a", 1), srv("i-0a", 2), srv("i-0b", 3), host()];
    stage.by_hand(Action::Create, left);
    stage.want(&[srv("i-0a", 1), srv("i-0a", 4)]);
    stage.settle();
    assert!(matches!(&stage.calls[0], Call::Change(batch) if batch.len() == 3));
    assert!(stage.own().contains(&srv("i-0a", 2)), "deleted before it was known whether it is wanted");
    let found = |news: &News| matches!(news, News::Found(own) if own.contains(&srv("i-0a", 2)));
    assert!(stage.news.iter().any(found), "{:?}", stage.news);
    // The Registrar says everything anew.
    stage.want(&[srv("i-0a", 1), srv("i-0a", 4)]);
    stage.settle();
    let mended = BTreeSet::from([srv("i-0a", 2).key()]);
    assert!(stage.news.contains(&News::Mended(mended)), "{:?}", stage.news);
    let mut own = stage.own();
    own.sort_by_key(RecordSet::key);
    assert_eq!(own, [srv("i-0a", 1), srv("i-0a", 4), host()]);
    assert!(stage.zone.snapshot().into_iter().any(|set| set.canonical() == srv("i-0b", 3)));
    assert_eq!(stage.progress(), Progress::Settled);
    // From now on the journal is whole.
    let mut stage = Stage::on(stage.zone.clone(), settings(stage.writer.settings.journal.clone(), false));
    stage.want(&[srv("i-0a", 1), srv("i-0a", 4)]);
    stage.settle();
    assert_eq!(stage.calls, []);
}

#[test]
fn a_read_that_may_wait_is_made_in_the_end_and_at_once_in_a_drain() {
    let later = Settings { read_after: Duration::from_secs(1_000), ..settings(Some(journal(false)), false) };
    let mut stage = Stage::new(later.clone());
    stage.by_hand(Action::Create, [srv("i-0a", 7)]);
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    assert_eq!((stage.changes(), stage.reads()), (vec![2], 0));
    stage.now = Moment::after(Duration::from_secs(1_000));
    stage.settle();
    stage.want(&[srv("i-0a", 1)]);
    stage.settle();
    assert_eq!((stage.reads(), stage.own().len()), (1, 2));
    let mut stage = Stage::on(stage.zone.clone(), Settings { journal: Some(journal(false)), ..later });
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    stage.settle();
    assert_eq!((stage.reads(), stage.own()), (1, vec![host()]));
}

#[test]
fn a_resync_mends_what_hands_did_and_costs_one_page() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(&[srv("i-0a", 1), srv("i-0a", 2)]);
    stage.settle();
    stage.by_hand(Action::Delete, [srv("i-0a", 1)]);
    stage.by_hand(Action::Upsert, [RecordSet { routing: Routing::Weighted(7), ..srv("i-0a", 2) }]);
    stage.by_hand(
        Action::Create,
        [srv("i-0b", 3), RecordSet { values: vec!["1 1 9 x".into()], ..srv("i-0a", 9) }],
    );
    stage.calls.clear();
    stage.now += Duration::from_secs(1_800 * 12 / 10);
    stage.settle();
    let mut own = stage.own();
    own.sort_by_key(RecordSet::key);
    assert_eq!(own, [srv("i-0a", 1), srv("i-0a", 2), host()]);
    assert_eq!((stage.reads(), stage.changes()), (1, vec![3]));
    assert!(stage.news.iter().any(|news| matches!(news, News::Mended(keys) if keys.len() == 3)));
}

#[test]
fn what_is_written_while_it_reads_is_known_better_than_any_page() {
    let mut stage = Stage::new(settings(Some(journal(false)), false));
    stage.by_hand(
        Action::Create,
        (0..400).map(|n| RecordSet { name: format!("_a{n}._tcp.sd.internal"), ..srv("i-0b", n) }),
    );
    stage.want(&[srv("i-0a", 1)]);
    let answer = |zone: &EmbeddedZone, call: &Call| call.make(zone).now_or_never().unwrap();
    while stage.reads() < 1 {
        assert!(stage.step(Duration::from_secs(5), answer));
    }
    // The first of two pages is read; the record goes, and another comes.
    stage.writer.want(&[srv("i-0a", 1)], &[srv("i-0a", 2)]);
    stage.settle();
    stage.want(&[srv("i-0a", 2)]);
    stage.settle();
    let mut own = stage.own();
    own.sort_by_key(RecordSet::key);
    assert_eq!((own, stage.reads()), (vec![srv("i-0a", 2), host()], 2));
    assert_eq!(stage.progress(), Progress::Settled);
}

#[test]
fn a_page_that_may_not_be_read_is_asked_for_ever_less_often_and_holds_up_nothing() {
    let mut stage = Stage::new(settings(Some(journal(false)), false));
    let denied = |zone: &EmbeddedZone, call: &Call| match call {
        Call::Change(_) => call.make(zone).now_or_never().unwrap(),
        _ => Answer::Listed(Err(ZoneError::Denied("route53:ListResourceRecordSets".into()))),
    };
    stage.want(&[srv("i-0a", 0)]);
    for n in 1..200 {
        stage.step(Duration::from_secs(600), denied);
        stage.writer.want(&[], &[srv("i-0a", n)]);
    }
    let elapsed = stage.now - at(100);
    assert!(stage.reads() < 30 && elapsed > Duration::from_secs(45), "{} in {elapsed:?}", stage.reads());
    assert!(stage.own().len() > 100);
}

#[test]
fn what_comes_late_under_a_name_that_nobody_wants_any_more_is_found_at_a_resync() {
    let elsewhere = RecordSet { name: "_other._tcp.sd.internal".into(), ..srv("i-0a", 2) };
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(std::slice::from_ref(&elsewhere));
    stage.settle();
    stage.writer.want(&[], &[srv("i-0a", 1)]);
    let mut late = Vec::new();
    stage.step(Duration::from_secs(1), |_, call| {
        if let Call::Change(batch) = call {
            late = batch.clone();
        }
        call.unanswered("cut".into())
    });
    stage.writer.want(&[srv("i-0a", 1)], &[]);
    for _ in 0..5 {
        stage.settle();
        stage.now += Duration::from_secs(30);
    }
    assert_eq!(stage.progress(), Progress::Settled);
    stage.zone.change(&late).now_or_never().unwrap().unwrap();
    stage.now += Duration::from_secs(2_200);
    stage.settle();
    let mut own = stage.own();
    own.sort_by_key(RecordSet::key);
    assert_eq!(own, [elsewhere, host()]);
    // Found once, it is not looked for any more.
    assert_eq!(stage.writer.ledger.names().len(), 2);
}

#[test]
fn each_kind_of_failure_is_said_once_in_a_row() {
    let mut stage = Stage::new(settings(Some(journal(true)), false));
    stage.want(&[srv("i-0a", 1)]);
    let throttled = || ZoneError::Throttled("Rate exceeded".into());
    for _ in 0..5 {
        assert!(stage.step(Duration::from_secs(60), |_, _| Answer::Changed(Err(throttled()))));
    }
    stage.now += Duration::from_secs(60);
    stage.settle();
    let said: Vec<_> =
        stage.news.iter().filter(|news| matches!(news, News::Failing(_) | News::Recovered)).collect();
    assert_eq!(said, [&News::Failing(throttled()), &News::Recovered]);
}

#[test]
fn the_journal_holds_the_intent_while_a_call_is_under_way() {
    let kept = journal(true);
    let mut stage = Stage::new(settings(Some(kept.clone()), false));
    stage.want(&[srv("i-0a", 1)]);
    assert!(matches!(stage.writer.next(stage.now), Next::Call(_)));
    let keys: BTreeSet<_> = kept.load().0.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [srv("i-0a", 1).key(), host().key()].into());
}
