//! Changes that the registry will not have: one among many, one name, a full name, a full zone. The others
//! go on, and what waits is named with its reason.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::record::{Action, Change, RecordSet, Routing};
use ecssd_testing::log::Log;
use ecssd_testing::route53::endpoint::{Endpoint, Poison};
use ecssd_testing::route53::wire::Form;
use tracing_subscriber::layer::SubscriberExt;

use super::host::{Host, ZONE, own};
use super::rules;

const N: usize = 500;
/// ⌈log2 500⌉ + 1.
const EXTRA: usize = 10;

/// Lets `N` records come of which the `at`-th is refused, and checks what the others and it get.
async fn one_of_many(at: usize, poison: &dyn Fn(&Endpoint), set: impl Fn(usize) -> RecordSet, waits: u64) {
    let endpoint = Endpoint::new(ZONE);
    poison(&endpoint);
    let mut host = Host::new(&endpoint);
    (0..N).for_each(|n| host.want(set(n)));
    host.told_all();
    // The others, and the host's address.
    let key = set(at).key();
    for steps in 0.. {
        if host.own_sets().len() == N {
            break;
        }
        assert!(steps < 1_000, "it does not get on");
        host.next_step().await;
        assert!(endpoint.count().changes <= 1 + EXTRA, "{} of {N} after 11 calls", host.own_sets().len());
    }
    let calls = endpoint.count().changes;
    host.pass(Duration::from_secs(5)).await;
    let parked: Vec<_> = host.parked();
    assert_eq!(parked.iter().map(|(parked, _)| *parked).collect::<Vec<_>>(), [&key], "it waits alone");
    let (_, why) = parked[0];
    println!("{calls} calls for {N} but the {at}th; it waits: {}", why.reason);
    assert!(!why.reason.is_empty());
    let wait = (why.until - host.now()).as_secs();
    // Up to a fifth sooner, so that a fleet does not come back all at once; never within a minute.
    assert!(((waits * 4 / 5).max(60) - 6..=waits).contains(&wait), "tried again in {wait} s");
    // Refused again, it goes on waiting; once the cause is gone, it goes in.
    host.pass(Duration::from_secs(waits + 5)).await;
    assert!(host.own_sets().len() == N && host.parked().len() == 2);
    endpoint.heal();
    host.settle().await;
    host.check_converged();
    rules::check(&host);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_change_that_is_not_named() {
    for (at, form) in [(0, Form::Common), (317, Form::Own), (499, Form::Common)] {
        let poison = |endpoint: &Endpoint| {
            endpoint.set_form(form);
            endpoint.set_poison(Some((own(at, 0).key(), Poison::Batch)));
        };
        one_of_many(at, &poison, |n| own(n, 32_768), 600).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_input() {
    for at in [1, 250] {
        let poison = |endpoint: &Endpoint| endpoint.set_poison(Some((own(at, 0).key(), Poison::Input)));
        one_of_many(at, &poison, |n| own(n, 32_768), 600).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_name() {
    let name = format!("_denied._tcp.{ZONE}");
    for at in [3, 401] {
        let set = |n: usize| match n {
            n if n == at => RecordSet { name: name.clone(), ..own(n, 32_768) },
            n => own(n, 32_768),
        };
        one_of_many(at, &|endpoint: &Endpoint| endpoint.deny([name.clone()]), set, 60).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_logged_with_its_name_and_the_reason() {
    let endpoint = Endpoint::new(ZONE);
    endpoint.set_poison(Some((at(7).key(), Poison::Batch)));
    let mut host = Host::new(&endpoint);
    (0..20).for_each(|n| host.want(at(n)));
    host.told_all();
    host.pass(Duration::from_secs(30)).await;
    let log = Log::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(log.clone()), || {
        host.news.iter().for_each(|news| host.writer.log(news, host.now()));
    });
    let lines = log.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("change_refused")).collect();
    println!("{told:?}");
    let mark = at(7).set_identifier.unwrap();
    assert!(told.len() == 1 && told[0].contains(&mark) && told[0].contains("A record is not permitted"));
}

/// `count` records of others, 100 to a name.
fn crowd(count: usize) -> Vec<RecordSet> {
    let set = |n: usize| RecordSet {
        name: format!("_crowd{}._tcp.{ZONE}", n / 100),
        set_identifier: Some(format!("i-0fff:{n:064x}:80")),
        ..own(0, 9)
    };
    (0..count).map(set).collect()
}

fn fill(endpoint: &Endpoint, sets: Vec<RecordSet>) {
    let changes: Vec<_> = sets.into_iter().map(|set| Change { action: Action::Create, set }).collect();
    for batch in changes.chunks(1_000) {
        assert!(endpoint.by_hands(batch));
    }
}

/// The n-th container's record, at a port that is its own.
fn at(n: usize) -> RecordSet {
    own(n, 32_000 + u16::try_from(n).unwrap())
}

/// A host with some records that stand, and more that find no room.
async fn without_room(form: Form, crowd: Vec<RecordSet>, more: Vec<RecordSet>, spare: usize, words: &str) {
    let endpoint = Endpoint::new(ZONE);
    endpoint.set_form(form);
    let mut host = Host::new(&endpoint);
    (0..10).for_each(|n| host.want(at(n)));
    host.told_all();
    host.settle().await;
    let room = crowd.len();
    fill(&endpoint, crowd.clone());
    let before = endpoint.count();

    // With what finds no room comes what needs none: a changed weight, and a record that goes.
    let count = more.len();
    more.iter().cloned().for_each(|set| host.want(set));
    host.want(RecordSet { routing: Routing::Weighted(0), ..at(0) });
    host.unwant(&own(1, 0).key());
    host.pass(Duration::from_secs(30)).await;
    let standing = host.own_sets();
    assert_eq!(standing[&own(0, 0).key()].weight(), Some(0));
    let parked: Vec<_> = host.parked();
    let named: BTreeSet<_> = parked.iter().map(|(key, _)| *key).collect();
    assert!(!named.is_empty() && named.len() + spare >= count, "{} of {count} are said to wait", named.len());
    assert!(parked.iter().all(|(_, why)| why.reason.contains(words)), "{}", parked[0].1.reason);
    let calls = endpoint.count() - before;
    assert!(calls.changes <= 20, "{} calls", calls.changes);
    println!("no room for {count} beside {room} ({form:?}): {} calls in 30 s", calls.changes);

    // Room again: they go in when their time comes.
    for chunk in crowd.chunks(1_000) {
        let delete = |set: &RecordSet| Change { action: Action::Delete, set: set.clone() };
        assert!(endpoint.by_hands(&chunk.iter().map(delete).collect::<Vec<_>>()));
    }
    host.pass(Duration::from_secs(601)).await;
    host.check_converged();
    rules::check(&host);
}

#[tokio::test(start_paused = true)]
async fn the_101st_record_of_a_name() {
    for form in [Form::Common, Form::Own] {
        for more in [1, 40] {
            let name = format!("_crowd0._tcp.{ZONE}");
            let sets = (100..100 + more).map(|n| RecordSet { name: name.clone(), ..at(n) });
            without_room(form, crowd(100), sets.collect(), 0, "limit on number of weighted").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_zone() {
    for form in [Form::Common, Form::Own] {
        for more in [2, 40] {
            // Beside them an SOA, an NS, ten records and the host's address.
            let crowd = crowd(10_000 - 2 - 11);
            let sets = (100..100 + more).map(at).collect();
            // What goes makes room for one.
            without_room(form, crowd, sets, 1, "MAX_RRSETS_BY_ZONE").await;
        }
    }
}
