//! When a read is due, and how far it has come.

use super::super::tests::settings;
use super::*;
use crate::moment::at;
use crate::record::{Action, Change, RecordType, Routing};

struct Reader {
    reads: Reads,
    ledger: Ledger,
    rng: fastrand::Rng,
}

impl Reader {
    fn knowing(knowledge: Knowledge) -> Self {
        let reads = Reads::new(knowledge, Moment::START);
        Self { reads, ledger: Ledger::new([set()]), rng: fastrand::Rng::with_seed(1) }
    }

    fn next(&mut self, now: Moment) -> Due {
        self.reads.next(now, &settings(None, false), None, &mut self.ledger, &mut self.rng)
    }

    /// A read ends with an empty page; whether it was one.
    fn ends(&mut self, now: Moment) -> bool {
        let page = Page { sets: Vec::new(), next: None };
        self.reads.on_page(Ok(page), |_| true, now, || 0.5).is_some()
    }
}

fn set() -> RecordSet {
    RecordSet {
        name: "_web._tcp.sd.internal".into(),
        kind: RecordType::Srv,
        set_identifier: Some("i-0a:1".into()),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec!["1 1 80 i-0a.sd.internal".into()],
    }
}

fn period_begins(due: Due) -> bool {
    matches!(due, Due::At(at) if (1_400..2_300).contains(&at.since_start().as_secs()))
}

#[test]
fn where_all_is_known_the_first_read_is_a_resync() {
    let mut reader = Reader::knowing(Knowledge::Whole);
    assert!(period_begins(reader.next(at(1))) && reader.reads.are_over());
    let Due::Page(Some(start)) = reader.next(at(2_300)) else { panic!("it is not due") };
    assert_eq!(start.name.as_deref(), Some("_web._tcp.sd.internal"));
    assert!(!reader.reads.are_over() && reader.ends(at(2_300)) && reader.reads.are_over());
}

#[test]
fn a_read_that_is_put_off_counts_from_its_first_page() {
    let mut reader = Reader::knowing(Knowledge::Partial);
    reader.reads.not_before = at(1_000);
    assert_eq!(reader.next(at(1)), Due::At(at(1_000)));
    // What is learnt meanwhile is older than its first page.
    reader.ledger.on_answer(&[Change { action: Action::Upsert, set: set() }], &Ok(()), at(500));
    assert_eq!(reader.next(at(1_000)), Due::Page(None));
    assert_eq!(reader.ledger.untouched(&[set()]), [set()]);
    reader.ledger.on_answer(&[Change { action: Action::Upsert, set: set() }], &Ok(()), at(1_001));
    assert_eq!(reader.ledger.untouched(&[set()]), []);
}

#[test]
fn where_not_all_is_known_the_whole_zone_is_read_before_anything_else() {
    for knowledge in [Knowledge::TooLittle, Knowledge::Partial] {
        let mut reader = Reader::knowing(knowledge);
        assert_eq!(reader.next(at(1)), Due::Page(None));
        assert!(reader.ends(at(1)));
        // It counts once whoever asked has taken it in.
        assert_eq!((reader.next(at(1)), reader.reads.are_over()), (Due::Page(None), false));
        reader.ends(at(1));
        reader.reads.on_whole();
        assert!(reader.reads.are_over() && period_begins(reader.next(at(1))));
    }
}

#[test]
fn what_is_to_be_judged_is_held_and_nothing_is_read_meanwhile() {
    let mut reader = Reader::knowing(Knowledge::Partial);
    reader.next(at(1));
    reader.ends(at(1));
    assert!(reader.reads.asks_for_judgement());
    reader.reads.on_found(vec![set()]);
    assert_eq!((reader.next(at(1)), reader.reads.are_over()), (Due::Nothing, false));
    assert_eq!(reader.reads.on_judged(), Some(vec![set()]));
    assert_eq!(reader.reads.found(), None);
    assert_eq!(reader.reads.on_judged(), None);
}

#[test]
fn nobody_judges_what_is_read_first_nor_what_a_drain_reads() {
    assert!(!Reader::knowing(Knowledge::TooLittle).reads.asks_for_judgement());
    let mut reader = Reader::knowing(Knowledge::Partial);
    reader.reads.drain();
    assert!(!reader.reads.asks_for_judgement());
    assert_eq!(reader.next(at(1)), Due::Page(None));
}

#[test]
fn a_drain_that_knows_all_gives_up_its_read_and_begins_none() {
    let mut reader = Reader::knowing(Knowledge::Whole);
    reader.next(at(1));
    reader.next(at(2_300));
    reader.reads.on_contested(true);
    reader.reads.drain();
    assert!(reader.reads.are_over());
    assert_eq!(reader.next(at(9_000)), Due::Nothing);
}

#[test]
fn a_contested_name_is_read_at_once_and_then_about_once_a_minute_until_it_is_free() {
    let mut reader = Reader::knowing(Knowledge::Whole);
    reader.next(at(1));
    assert!(reader.reads.on_contested(true) && !reader.reads.on_contested(true));
    assert!(matches!(reader.next(at(1)), Due::Page(Some(_))));
    reader.ends(at(1));
    assert!(matches!(reader.next(at(1)), Due::At(at) if (48..=61).contains(&at.since_start().as_secs())));
    assert!(reader.reads.on_contested(false) && period_begins(reader.next(at(1))));
}

#[test]
fn a_refused_page_is_asked_for_later_and_one_that_is_lost_at_once() {
    let mut reader = Reader::knowing(Knowledge::Partial);
    reader.next(at(1));
    let mut fails = |error, now| reader.reads.on_page(Err(error), |_| true, now, || 1.0).is_none();
    assert!(fails(ZoneError::Unknown("cut".into()), at(1)));
    assert!(fails(ZoneError::Denied("route53:ListResourceRecordSets".into()), at(1)));
    assert_eq!(reader.next(at(1)), Due::At(at(3)));
    assert_eq!(reader.next(at(3)), Due::Page(None));
}

#[test]
fn a_resync_comes_less_often_in_a_large_fleet() {
    let at = |hosts, names| period(&settings(None, true), hosts, names, 0.5).as_secs();
    assert_eq!(at(None, 10), 1_800);
    // 1,000 hosts of 10 names each: 10,000 calls at 5 % of 8 requests/s.
    assert_eq!(at(Some(1_000), 10), 25_000);
    assert_eq!(period(&settings(None, true), None, 1, 0.0).as_secs(), 1_440);
    assert_eq!(period(&settings(None, true), None, 1, 1.0).as_secs(), 2_160);
}

fn begins(name: &str, kind: &str) -> ListStart {
    ListStart { name: Some(name.to_owned()), kind: Some(kind.to_owned().into()), set_identifier: None }
}

/// Of a zone that holds little but what others wrote, every second page is throttled.
#[test]
fn pages_of_what_others_wrote_are_read_to_the_end_each_once() {
    let mut reader = Reader::knowing(Knowledge::Partial);
    let (mut start, mut asked) = (None, 0);
    for n in 0..10 {
        for throttled in [true, false] {
            let Due::Page(from) = reader.next(at(n)) else { panic!("no page is due") };
            assert_eq!(from, start, "page {n}");
            asked += 1;
            let next = (n < 9).then(|| begins(&format!("{n}.sd.internal"), "PTR"));
            let answer = match throttled {
                true => Err(ZoneError::Throttled("Rate exceeded".into())),
                false => Ok(Page { sets: Vec::new(), next: next.clone() }),
            };
            let answer = reader.reads.checked(answer, at(n), || 0.5);
            let is_over = reader.reads.on_page(answer, |_| true, at(n), || 0.5).is_some();
            assert_eq!(is_over, !throttled && n == 9);
            if !throttled {
                start = next;
            }
        }
    }
    assert_eq!(asked, 20);
}

#[test]
fn a_list_that_goes_round_is_read_anew_and_less_and_less_often() {
    let mut reader = Reader::knowing(Knowledge::Partial);
    let (mut now, mut asked, mut waits) = (at(1), 0, Vec::new());
    while waits.len() < 12 {
        match reader.next(now) {
            Due::Page(start) => {
                asked += 1;
                let next =
                    if start == Some(begins("a", "PTR")) { begins("b", "A") } else { begins("a", "PTR") };
                let answer =
                    reader.reads.checked(Ok(Page { sets: vec![set()], next: Some(next) }), now, || 1.0);
                assert!(reader.reads.on_page(answer, |_| true, now, || 1.0).is_none());
            }
            Due::At(later) => {
                waits.push((later - now).as_secs());
                now = later;
            }
            Due::Nothing => panic!("it is over"),
        }
    }
    assert_eq!(asked, 36, "three pages a round");
    assert!(waits.is_sorted() && waits[0] == 2 && waits[11] == 600, "{waits:?}");
    // Once it has an end, it counts from its first page, and nothing of the rounds is left.
    assert_eq!(reader.next(now), Due::Page(None));
    let scan = reader.reads.on_page(Ok(Page::default()), |_| true, now, || 0.5).unwrap();
    assert_eq!(scan.end().0, []);
}
