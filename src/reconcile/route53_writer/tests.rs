//! Who is told what, against the model of a zone.

use std::time::Duration;

use futures_util::FutureExt;

use super::*;
use crate::journal::{MemoryJournal, SharedJournal};
use crate::reconcile::writer::testing::settings;
use crate::record::testing::{id, registrant};
use crate::record::{Action, Change, RecordType, Routing};
use crate::zone::embedded::{EmbeddedZone, Options};
use crate::zone::{Zone, ZoneError};

const PLAN: Plan = Plan { generation: 7, hold_until: Moment::START, once: false, confirm: false };

struct Stage {
    zone: EmbeddedZone,
    writer: Route53Writer,
    now: Moment,
    outputs: Vec<Output>,
}

impl Stage {
    /// A writer whose journal lacks nothing where it is `whole`.
    fn new(whole: bool, plan: Plan) -> Self {
        let settings = Settings {
            journal: Some(SharedJournal::new(Box::<MemoryJournal>::default(), whole)),
            read_first: false,
            ..settings(registrant("i-0a"))
        };
        Self {
            zone: EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap(),
            writer: Route53Writer::new(settings, plan),
            now: Moment::after(Duration::from_secs(100)),
            outputs: Vec::new(),
        }
    }

    /// The zone answers until nothing is due within 5 s.
    fn settle(&mut self) {
        loop {
            let next = match self.writer.next(self.now) {
                Next::At(at) if at <= self.now + Duration::from_secs(5) => {
                    self.now = at;
                    self.writer.next(at)
                }
                next => next,
            };
            let Next::Call(call) = next else { break };
            let answer = call.make(&self.zone).now_or_never().unwrap();
            self.take(call, answer);
        }
    }

    fn take(&mut self, call: Call, answer: Answer) {
        self.outputs.extend(self.writer.on_answer(call, answer, self.now));
        self.outputs.extend(self.writer.reached(self.now));
    }

    fn own(&self) -> Vec<RecordSet> {
        let sets = self.zone.snapshot().into_iter().map(RecordSet::canonical);
        sets.filter(|set| set.kind == RecordType::Srv && registrant("i-0a").owns(set)).collect()
    }

    fn by_hand(&self, set: RecordSet) {
        self.zone.change(&[Change { action: Action::Create, set }]).now_or_never().unwrap().unwrap();
    }

    fn said(&mut self, is_meant: impl Fn(&Output) -> bool) -> usize {
        self.outputs.iter().filter(|output| is_meant(output)).count()
    }
}

fn srv(n: u16) -> RecordSet {
    RecordSet {
        name: "_web._tcp.sd.internal".into(),
        kind: RecordType::Srv,
        set_identifier: Some(format!("i-0a:{n:064x}:80")),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec![format!("1 1 {} i-0a.sd.internal", 32_000 + n)],
    }
}

fn wants(containers: &[u16]) -> Wants {
    containers.iter().map(|n| (id((*n).into()), vec![srv(*n)])).collect()
}

fn known(own: impl IntoIterator<Item = RecordSet>, is_all: bool) -> Output {
    Output::Known { own: own.into_iter().collect(), is_all }
}

#[test]
fn what_a_container_wants_replaces_all_that_it_wanted() {
    let mut stage = Stage::new(true, PLAN);
    stage.writer.want_all(wants(&[1, 2]), Moment::START);
    stage.settle();
    let two = RecordSet { name: "_two._tcp.sd.internal".into(), ..srv(1) };
    stage.writer.want(id(1), vec![two.clone()], Moment::START);
    stage.settle();
    assert_eq!(stage.own(), [two.clone(), srv(2)]);
    stage.writer.want(id(2), Vec::new(), Moment::START);
    stage.settle();
    assert_eq!(stage.own(), std::slice::from_ref(&two));
    // Who is not among all wants nothing.
    stage.writer.want_all(wants(&[3]), Moment::START);
    stage.settle();
    assert_eq!(stage.own(), [srv(3)]);
}

#[test]
fn a_registrar_that_starts_hears_what_stands_and_later_only_what_is_wanted() {
    let mut stage = Stage::new(true, PLAN);
    assert_eq!(stage.writer.introduce(), [known([], true)]);
    stage.writer.want(id(1), vec![srv(1)], Moment::START);
    assert_eq!(stage.writer.introduce(), [known([srv(1)], true)]);
    stage.writer.want_all(wants(&[1, 2]), Moment::START);
    stage.settle();
    stage.writer.want(id(2), Vec::new(), Moment::START);
    // It stands still, and is on its way out.
    assert_eq!(stage.own().len(), 2);
    assert_eq!(stage.writer.introduce(), [known([srv(1)], true)]);
    assert_eq!(Stage::new(false, PLAN).writer.introduce(), [known([], false)]);
}

#[test]
fn what_was_found_is_deleted_only_by_a_judgement_of_what_this_writer_found() {
    let mut stage = Stage::new(false, PLAN);
    stage.by_hand(srv(9));
    stage.writer.want_all(wants(&[1]), Moment::START);
    stage.settle();
    let found =
        |output: &Output| matches!(output, Output::Found { own, generation: 7 } if own.contains(&srv(9)));
    assert!(stage.outputs.iter().any(found), "{:?}", stage.outputs);
    assert!(stage.writer.introduce().iter().any(found), "who starts anew does not hear of it");
    // The one before it had asked, and the answer comes late.
    assert_eq!(stage.writer.on_found_judged(6), []);
    stage.settle();
    assert_eq!(stage.own(), [srv(1), srv(9)]);
    let mended = Output::News(News::Mended([srv(9).key()].into()));
    assert_eq!(stage.writer.on_found_judged(7), [mended]);
    stage.settle();
    assert_eq!(stage.own(), [srv(1)]);
    assert_eq!(stage.writer.on_found_judged(7), []);
}

#[test]
fn in_a_drain_nothing_is_wanted_any_more_and_its_end_is_told() {
    let mut stage = Stage::new(true, PLAN);
    stage.writer.want_all(wants(&[1, 2]), Moment::START);
    stage.settle();
    stage.outputs.clear();
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    let left = vec![srv(1).key(), srv(2).key()];
    assert_eq!(stage.writer.drained(), Output::Drained { left, zone_read: true, confirmed: true });
    stage.writer.want(id(3), vec![srv(3)], Moment::START);
    stage.writer.want_all(wants(&[4]), Moment::START);
    assert_eq!(stage.writer.introduce(), [known([], true)]);
    stage.settle();
    let done = Output::Drained { left: Vec::new(), zone_read: true, confirmed: true };
    assert_eq!((stage.outputs.last(), stage.own()), (Some(&done), vec![]));
}

#[test]
fn what_cannot_be_deleted_is_named_when_nothing_else_is_left_to_do() {
    let mut stage = Stage::new(true, PLAN);
    stage.writer.want_all(wants(&[1]), Moment::START);
    stage.settle();
    stage.now += Duration::from_secs(1);
    stage.writer.drain(stage.now, stage.now + Duration::from_secs(25));
    while let Next::Call(call) = stage.writer.next(stage.now) {
        let denied = ZoneError::Denied("route53:ChangeResourceRecordSets".into());
        stage.take(call, Answer::Changed(Err(denied)));
    }
    let left = vec![srv(1).key()];
    let done = Output::Drained { left, zone_read: true, confirmed: true };
    assert_eq!(stage.outputs.last(), Some(&done));
}

#[test]
fn the_start_and_the_end_of_a_single_run_are_told_once() {
    let mut stage = Stage::new(true, Plan { once: true, ..PLAN });
    assert_eq!(stage.writer.reached(stage.now), [], "nothing has been told");
    stage.writer.want_all(wants(&[1]), Moment::START);
    assert_eq!(stage.writer.reached(stage.now), [], "nothing is written");
    stage.settle();
    stage.writer.want(id(2), vec![srv(2)], Moment::START);
    stage.settle();
    assert_eq!(stage.said(|output| *output == Output::Started), 1);
    assert_eq!(stage.said(|output| matches!(output, Output::Reconciled(left) if left.is_empty())), 1);
    // Who runs on says nothing.
    let mut stage = Stage::new(true, PLAN);
    stage.writer.want_all(wants(&[1]), Moment::START);
    stage.settle();
    assert_eq!(stage.said(|output| *output == Output::Started), 1);
    assert_eq!(stage.said(|output| matches!(output, Output::Reconciled(_))), 0);
}

#[test]
fn the_board_hears_of_failures_but_not_of_waits() {
    let states = |error: ZoneError| {
        let mut stage = Stage::new(true, PLAN);
        stage.writer.want_all(wants(&[1]), Moment::START);
        let Next::Call(call) = stage.writer.next(stage.now) else { panic!("nothing is due") };
        stage.take(call, Answer::Changed(Err(error)));
        stage.now += Duration::from_secs(60);
        stage.settle();
        let zone = |output| if let Output::Zone(state) = output { Some(state) } else { None };
        stage.outputs.into_iter().filter_map(zone).map(|state| state.is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(states(ZoneError::Throttled("Rate exceeded".into())), [true, true]);
    assert_eq!(states(ZoneError::Unknown("cut".into())), [false, true]);
}
