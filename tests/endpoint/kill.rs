//! `kill -9` at every point between an intent and what its answer taught, with the journal on disk; and a
//! journal that is lost.

use std::path::Path;
use std::time::Duration;

use ecssd::journal::{MemoryJournal, SharedJournal, State, Title, try_open};
use ecssd::reconcile::writer::News;
use ecssd::record::{Action, Change, RecordSet, Routing};
use ecssd_testing::route53::endpoint::{Count, Endpoint};
use ecssd_testing::route53::faults::Act;

use super::host::{Host, RESYNC, ZONE, own};
use super::rules;

/// Where the process ends, around one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    BeforeIntent,
    AfterIntent,
    ReceivedNotApplied,
    /// And applied just before the next change, whoever sends that.
    AppliedLate,
    AppliedNotAnswered,
    AnsweredNotJournalled,
    Journalled,
}

const POINTS: [Point; 7] = [
    Point::BeforeIntent,
    Point::AfterIntent,
    Point::ReceivedNotApplied,
    Point::AppliedLate,
    Point::AppliedNotAnswered,
    Point::AnsweredNotJournalled,
    Point::Journalled,
];

/// What comes after a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The containers are as they were.
    Same,
    /// They all ended meanwhile.
    Gone,
    /// Another took each one's port meanwhile.
    Replaced,
}

/// The scenario: what is wanted changes so often, one call each time.
const STAGES: usize = 6;

fn stage(host: &mut Host, stage: usize) {
    match stage {
        0 => (0..5).for_each(|n| host.want(own(n, 32_000 + u16::try_from(n).unwrap()))),
        1 => host.want(RecordSet { routing: Routing::Weighted(0), ..own(0, 32_000) }),
        // A port that another container takes over.
        2 => {
            host.unwant(&own(1, 0).key());
            host.want(own(60, 32_001));
        }
        // A container that comes back at another port.
        3 => host.want(own(2, 32_100)),
        4 => host.unwant(&own(3, 0).key()),
        _ => host.drain(),
    }
}

fn open(dir: &Path) -> SharedJournal {
    let title = Title {
        zone_id: ecssd_testing::route53::model::ID.into(),
        zone: ZONE.into(),
        owner: "i-0abc".into(),
    };
    SharedJournal::from(try_open(dir, &title).unwrap())
}

/// A host whose journal is on disk and whole.
fn first_run(endpoint: &Endpoint, dir: &Path) -> Host {
    let journal = open(dir);
    journal.complete();
    let mut host = Host::with(endpoint, journal);
    host.told_all();
    host
}

/// What a process that is killed leaves: the files as they are, without the lock.
fn killed(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Runs the scenario up to the call of stage `last`, ends there, starts anew and lets all settle.
async fn recovers(last: usize, point: Point, then: Then) -> Count {
    let endpoint = Endpoint::new(ZONE);
    let others = RecordSet { set_identifier: Some("elsewhere".into()), ..own(0, 9) };
    endpoint.by_hand(Action::Create, others);
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut host = first_run(&endpoint, first.path());
    for before in 0..last {
        stage(&mut host, before);
        host.settle().await;
        host.check_converged();
    }
    host.pass(Duration::from_secs(1)).await;
    stage(&mut host, last);
    let act = match point {
        Point::BeforeIntent => None,
        Point::AfterIntent => {
            host.intend_only();
            None
        }
        Point::ReceivedNotApplied => Some(Act::CutBefore),
        Point::AppliedLate => Some(Act::LateBeforeNext),
        Point::AppliedNotAnswered => Some(Act::CutAfter),
        Point::AnsweredNotJournalled | Point::Journalled => Some(Act::Serve),
    };
    if let Some(act) = act {
        endpoint.script([act]);
        assert!(host.call_without_taking().await.is_some(), "stage {last} is a call");
    }
    if point == Point::Journalled {
        host.deliver();
    }
    killed(first.path(), second.path());
    let (wanted, foreign, before) = (host.wanted.clone(), host.foreign_sets(), endpoint.count());
    drop(host);

    let journal = open(second.path());
    assert!(journal.load().1, "the journal is whole after kill -9");
    let mut host = Host::with(&endpoint, journal);
    let wanted = wanted.into_values();
    let wants: Vec<_> = match then {
        Then::Same => wanted.collect(),
        Then::Gone => Vec::new(),
        Then::Replaced => {
            wanted.zip(100..).map(|(set, n)| RecordSet { values: set.values, ..own(n, 0) }).collect()
        }
    };
    wants.into_iter().for_each(|set| host.want(set));
    host.told_all();
    host.settle().await;
    endpoint.let_late_arrive();
    host.check_converged();
    rules::check_endpoint_batches(&endpoint);
    assert_eq!(host.foreign_sets(), foreign);
    endpoint.count() - before
}

#[tokio::test(start_paused = true)]
async fn at_every_point_of_every_call_nothing_is_left_or_doubled_and_nothing_listed() {
    let (mut points, mut calls, mut lookups, mut most) = (0, 0, 0, 0);
    for last in 0..STAGES {
        for point in POINTS {
            for then in [Then::Same, Then::Gone, Then::Replaced] {
                let count = recovers(last, point, then).await;
                assert_eq!(count.lists, 0, "stage {last}, {point:?}, {then:?}");
                points += 1;
                calls += count.changes;
                lookups += count.lookups;
                most = most.max(count.changes + count.lookups);
            }
        }
    }
    println!("{points} points: {calls} change calls, {lookups} single lookups, at most {most} for one start");
}

#[tokio::test(start_paused = true)]
async fn twice_in_a_row_at_every_pair_of_points() {
    let mut pairs = 0;
    for last in [1, 2, 3, 4] {
        for first in [Act::CutBefore, Act::CutAfter, Act::LateBeforeNext, Act::Serve] {
            for second in [Act::CutBefore, Act::CutAfter, Act::LateBeforeNext, Act::Serve] {
                let endpoint = Endpoint::new(ZONE);
                let mut host = Host::new(&endpoint);
                host.told_all();
                for before in 0..last {
                    stage(&mut host, before);
                    host.settle().await;
                }
                host.pass(Duration::from_secs(1)).await;
                for (stage_now, act) in [(last, first), (last + 1, second)] {
                    if stage_now < STAGES - 1 {
                        stage(&mut host, stage_now);
                    }
                    endpoint.script([act]);
                    let called = host.call_without_taking().await;
                    assert!(called.is_some(), "stage {stage_now} is a call ({act:?})");
                    host.restart();
                }
                let wanted: Vec<_> = host.wanted.keys().cloned().collect();
                host.settle().await;
                host.check_converged();
                wanted.iter().for_each(|key| host.unwant(key));
                host.settle().await;
                host.check_converged();
                assert_eq!(endpoint.count().lists, 0);
                pairs += 1;
            }
        }
    }
    println!("{pairs} pairs");
}

#[tokio::test(start_paused = true)]
async fn a_lost_journal_costs_one_paged_list_and_leftovers_go() {
    let endpoint = Endpoint::new(ZONE);
    let neighbours: Vec<Change> = (0..700)
        .map(|n| RecordSet { set_identifier: Some(format!("i-0abcd:{n:064x}:80")), ..own(n, 9) })
        .map(|set| Change { action: Action::Create, set })
        .collect();
    assert!(endpoint.by_hands(&neighbours));
    let mut before = Host::new(&endpoint);
    (0..20).for_each(|n| before.want(own(n, 32_768)));
    before.told_all();
    before.settle().await;
    let (foreign, listed) = (before.foreign_sets(), endpoint.sets().len());
    drop(before);

    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    assert!(!journal.load().1, "a new journal is not whole");
    let counted = endpoint.count();
    let mut host = Host::with(&endpoint, journal);
    // Some still run, and one is new.
    (10..21).for_each(|n| host.want(own(n, 32_768)));
    host.told_all();
    host.step().await;
    let first = endpoint.count() - counted;
    assert_eq!((first.changes, first.lists), (1, 0), "it registers before it reads");
    host.settle().await;
    host.check_converged();
    let count = endpoint.count() - counted;
    println!("{listed} sets in the zone: {count:?}");
    assert_eq!(count.lists, (listed + 1).div_ceil(300));
    assert!(host.news.iter().any(|news| matches!(news, News::Found(own) if own.len() >= 20)));
    assert_eq!(host.foreign_sets(), foreign);
    rules::check(&host);
}

#[tokio::test(start_paused = true)]
async fn what_comes_late_under_a_settled_key_is_found_by_the_next_process_though_it_wants_nothing_there() {
    let endpoint = Endpoint::new(ZONE);
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal.complete();
    let mut host = Host::with(&endpoint, journal);
    host.want(own(50, 82));
    host.told_all();
    host.settle().await;
    // Nobody hears of the first call, which is done later; the second is answered, and the key is settled.
    host.want(own(1, 80));
    endpoint.otherwise(Act::ServeAfter(Duration::from_secs(20)));
    host.next_step().await;
    endpoint.heal();
    host.settle().await;
    host.unwant(&own(1, 80).key());
    host.settle().await;
    drop(host);

    let journal = open(dir.path());
    let mut next = Host::with(&endpoint, journal.clone());
    next.want(own(50, 82));
    next.told_all();
    next.pass(Duration::from_secs(30)).await;
    assert!(next.own_sets().contains_key(&own(1, 80).key()), "it came late");
    next.pass(RESYNC.mul_f64(1.25)).await;
    next.settle().await;
    next.check_converged();
    assert_eq!(journal.doubts().len(), 0, "the read settled them");
}

#[tokio::test(start_paused = true)]
async fn what_a_janitor_took_while_the_host_was_off_is_written_at_once_and_nothing_is_listed() {
    let endpoint = Endpoint::new(ZONE);
    let sets: Vec<_> = (0..3).map(|n| own(n, 80)).collect();
    let mut before = Host::new(&endpoint);
    sets.iter().for_each(|set| before.want(set.clone()));
    before.told_all();
    before.settle().await;
    // All but the last are gone when it is back; what its closed journal says is whole, and may be over.
    let taken = before.own_sets().into_values().filter(|set| *set != sets[2]).collect::<Vec<_>>();
    let doubted = before.own_sets().into_iter().map(|(key, set)| (key, State::Unsure(set)));
    let journal = SharedJournal::new(Box::new(MemoryJournal::new(doubted)), true);
    drop(before);
    taken.into_iter().for_each(|set| assert!(endpoint.by_hand(Action::Delete, set)));

    let counted = endpoint.count();
    let mut host = Host::with(&endpoint, journal);
    host.want(sets[0].clone());
    host.told_all();
    // What is not there to be deleted is said once, and waited for to come late beside the rest.
    while !host.own_sets().contains_key(&sets[0].key()) {
        host.next_step().await;
        assert!((endpoint.count() - counted).changes <= 2);
    }
    host.settle().await;
    host.check_converged();
    let count = endpoint.count() - counted;
    assert_eq!((count.lists, count.lookups), (0, 0), "{count:?}");
}
