//! Who ended too early, by how much, and what asking costs.

use super::budget::{ASK_EVERY, ASKS_MAX, SAMPLE_EVERY};
use super::stops::{KEPT_MAX, SERVICES_MAX};
use super::*;
use crate::moment::at;
use crate::record::testing::id;
use crate::record::{RecordType, Routing};

mod turns;

const SECOND: Duration = Duration::from_secs(1);

fn set(number: u32) -> RecordSet {
    RecordSet {
        name: "_web._tcp.sd.internal".into(),
        kind: RecordType::Srv,
        set_identifier: Some(format!("i-0a:{number:064x}:80")),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec!["1 1 80 i-0a.sd.internal".into()],
    }
}

fn info(id: &str, status: ChangeStatus) -> Result<ChangeInfo, ZoneError> {
    Ok(ChangeInfo { id: id.to_owned(), status })
}

fn pending(id: &str) -> Result<ChangeInfo, ZoneError> {
    info(id, ChangeStatus::Pending)
}

fn in_sync(id: &str) -> Result<ChangeInfo, ZoneError> {
    info(id, ChangeStatus::InSync)
}

fn denied() -> Result<ChangeInfo, ZoneError> {
    Err(ZoneError::Denied("route53:GetChange".into()))
}

fn deletes(numbers: impl IntoIterator<Item = u32>) -> Vec<Change> {
    numbers.into_iter().map(|n| Change { action: Action::Delete, set: set(n) }).collect()
}

/// One that is told of a container's way out: withdrawn at 0 s, deleted by C1 at 1 s.
fn leaving() -> Propagation {
    let mut propagation = Propagation::default();
    propagation.want(&id(1), &[set(1)], &[], at(0));
    assert_eq!(propagation.on_changed(&deletes([1]), &pending("C1"), at(1)), []);
    propagation
}

/// Nobody says of those that crashed that they have ended.
#[test]
fn of_those_that_are_deleted_everywhere_the_latest_thousand_are_kept_until_they_end() {
    let mut propagation = Propagation::default();
    let last = u32::try_from(KEPT_MAX).unwrap() + 10;
    for n in 0..=last {
        propagation.want(&id(n.into()), &[set(n)], &[], at(0));
        propagation.on_changed(&deletes([n]), &in_sync("C1"), at(1));
    }
    propagation.want(&id(0), &[set(0)], &[], at(2));
    propagation.forget_old(at(2));
    let kept = |n: u32| propagation.stops.iter().any(|stop| stop.container == id(n.into()));
    let known = (0..=last).filter(|n| kept(*n)).collect::<Vec<_>>();
    let latest = (last + 1 - u32::try_from(KEPT_MAX).unwrap()..=last).collect::<Vec<_>>();
    assert_eq!((known[0], &known[1..]), (0, &latest[..]), "what is still to be deleted is kept beside them");
}

/// Asks what is due now, and brings that answer.
fn ask(
    propagation: &mut Propagation,
    now: Moment,
    answer: &Result<ChangeInfo, ZoneError>,
) -> (Vec<Early>, Option<ZoneError>) {
    let (asked, due) = propagation.next().unwrap();
    assert!(due <= now, "due at {due:?}");
    let asked = asked.unwrap().to_owned();
    propagation.ask(&asked, now);
    propagation.on_status(&asked, answer, now)
}

fn told(propagation: &Propagation) -> Stopped {
    propagation.stops().iter().next().map(|(_, stopped)| *stopped).unwrap_or_default()
}

#[test]
fn a_change_is_asked_about_only_where_it_is_pending_and_takes_what_is_told_of() {
    for (deleted, answer, is_asked) in
        [(1, pending("C1"), true), (2, pending("C1"), false), (1, in_sync("C1"), false)]
    {
        let mut propagation = Propagation::default();
        propagation.want(&id(1), &[set(1)], &[], at(0));
        propagation.on_changed(&deletes([deleted]), &answer, at(1));
        propagation.end(&id(1), "web".into(), at(2));
        let asked = propagation.next().and_then(|(asked, _)| asked);
        assert_eq!(asked.is_some(), is_asked, "{deleted} {answer:?}");
    }
}

#[test]
fn of_a_change_that_the_registry_does_not_know_nobody_knows() {
    let mut propagation = leaving();
    propagation.end(&id(1), "web".into(), at(20));
    let unheard_of = Err(ZoneError::NoSuchChange("C1".into()));
    assert_eq!(ask(&mut propagation, at(20), &unheard_of), (vec![], None));
    assert_eq!(told(&propagation), Stopped { unknown: 1, ..Stopped::default() });
    assert_eq!(propagation.next(), None);
}

#[test]
fn who_serves_on_until_all_have_heard_costs_one_question() {
    let mut propagation = leaving();
    assert_eq!(propagation.next(), None);
    propagation.end(&id(1), "web".into(), at(62));
    assert_eq!(ask(&mut propagation, at(62), &in_sync("C1")), (vec![], None));
    assert_eq!(told(&propagation), Stopped { spread: 1, ..Stopped::default() });
    assert_eq!(propagation.next(), None);
}

#[test]
fn who_ends_before_that_is_told_by_how_much() {
    let mut propagation = leaving();
    propagation.end(&id(1), "web".into(), at(10));
    assert_eq!(ask(&mut propagation, at(10), &pending("C1")), (vec![], None));
    assert_eq!(propagation.next(), Some((Some("C1"), at(15))));
    assert_eq!(ask(&mut propagation, at(15), &pending("C1")), (vec![], None));
    let early = Early {
        container: id(1),
        name: "web".into(),
        services: ["_web._tcp.sd.internal".to_owned()].into(),
        served: 10 * SECOND,
        missing: Missing { at_least: 5 * SECOND, at_most: Some(10 * SECOND) },
    };
    assert_eq!(ask(&mut propagation, at(20), &in_sync("C1")), (vec![early], None));
    assert_eq!(told(&propagation), Stopped { early: 1, longest: 10 * SECOND, ..Stopped::default() });
}

#[test]
fn a_delete_that_is_accepted_after_the_end_is_too_late_for_certain() {
    let mut propagation = Propagation::default();
    propagation.want(&id(1), &[set(1)], &[], at(0));
    propagation.end(&id(1), "web".into(), at(1));
    propagation.on_changed(&deletes([1]), &Err(ZoneError::Throttled(String::new())), at(2));
    propagation.on_changed(&deletes([1]), &pending("C1"), at(4));
    let (early, _) = ask(&mut propagation, at(9), &in_sync("C1"));
    assert_eq!(early[0].missing, Missing { at_least: 3 * SECOND, at_most: Some(8 * SECOND) });
}

#[test]
fn a_registry_where_all_is_everywhere_at_once_is_asked_nothing() {
    let mut propagation = Propagation::default();
    propagation.want(&id(1), &[set(1)], &[], at(0));
    propagation.end(&id(1), "web".into(), at(1));
    assert_eq!(propagation.on_changed(&deletes([1]), &in_sync("C1"), at(2)), []);
    assert_eq!((propagation.next(), told(&propagation).spread), (None, 1));
}

#[test]
fn what_was_never_there_or_is_wanted_again_is_no_stop() {
    let mut propagation = Propagation::default();
    propagation.want(&id(1), &[set(1)], &[], at(0));
    propagation.retain(|_| false);
    propagation.end(&id(1), "web".into(), at(1));
    assert_eq!((propagation.next(), propagation.stops()), (None, &Stops::default()));
    // A pause that is over: the record stands anew.
    let mut propagation = leaving();
    propagation.want(&id(1), &[], &[set(1)], at(2));
    propagation.end(&id(1), "web".into(), at(3));
    assert_eq!((propagation.next(), told(&propagation)), (None, Stopped::default()));
}

#[test]
fn who_has_no_weight_is_missed_by_nobody() {
    let weighing = |weight| RecordSet { routing: Routing::Weighted(weight), ..set(1) };
    for (weight, counts) in [(0, false), (1, true)] {
        let mut propagation = Propagation::default();
        propagation.want(&id(1), &[weighing(1)], &[weighing(weight)], at(0));
        propagation.want(&id(1), &[weighing(weight)], &[], at(100));
        propagation.on_changed(&deletes([1]), &pending("C1"), at(101));
        propagation.end(&id(1), "web".into(), at(102));
        assert_eq!(propagation.next().is_some(), counts, "weight {weight}");
    }
    // An address under a service's name has none to take: whoever looks it up is sent there until it is gone.
    let address = RecordSet {
        kind: RecordType::A,
        set_identifier: Some(format!("i-0a:{:064x}:a", 1)),
        routing: Routing::Multivalue,
        values: vec!["10.0.0.1".into()],
        ..set(1)
    };
    let mut propagation = Propagation::default();
    propagation.want(&id(1), &[weighing(0), address.clone()], &[], at(0));
    let delete = Change { action: Action::Delete, set: address };
    propagation.on_changed(&[delete], &pending("C1"), at(1));
    propagation.end(&id(1), "web".into(), at(2));
    assert_eq!(propagation.next(), Some((Some("C1"), at(2))));
}

#[test]
fn a_container_that_comes_back_is_told_of_its_former_life() {
    let mut propagation = leaving();
    propagation.end(&id(1), "web".into(), at(10));
    propagation.want(&id(1), &[], &[set(1)], at(11));
    propagation.on_status("C1", &pending("C1"), at(12));
    let (early, _) = propagation.on_status("C1", &in_sync("C1"), at(30));
    assert_eq!(early[0].missing.at_most, Some(20 * SECOND));
}

#[test]
fn what_was_deleted_long_before_the_end_is_everywhere_without_a_question() {
    // It is counted as one that behaves well, unless that is too long ago to be kept.
    for (ended, spread) in [(3_599, 1), (3_600, 0)] {
        let mut propagation = leaving();
        propagation.end(&id(1), "web".into(), at(ended));
        assert_eq!(propagation.next(), None);
        assert_eq!(told(&propagation), Stopped { spread, ..Stopped::default() }, "{ended}");
    }
    // The same where a sample has told, whatever else happens until the end.
    let mut propagation = leaving();
    propagation.sample("C1", vec![at(0)], at(1), || 0.0);
    ask(&mut propagation, at(6), &in_sync("C1"));
    propagation.retain(|_| false);
    propagation.forget_old(at(7));
    propagation.end(&id(1), "web".into(), at(8));
    assert_eq!(told(&propagation).spread, 1);
    // One that is wanted again in between is not asked to stop.
    let mut propagation = leaving();
    propagation.forget_old(at(400));
    propagation.want(&id(1), &[], &[set(1)], at(401));
    propagation.end(&id(1), "web".into(), at(402));
    assert_eq!(told(&propagation), Stopped::default());
}

#[test]
fn what_does_not_come_to_an_end_is_given_up() {
    let mut propagation = leaving();
    propagation.end(&id(1), "web".into(), at(10));
    let mut asks = 0;
    let early = loop {
        match propagation.next() {
            Some((Some(_), now)) => {
                asks += 1;
                assert_eq!(ask(&mut propagation, now, &pending("C1")), (vec![], None));
            }
            Some((None, now)) => break propagation.on_time(now),
            None => panic!("it is not given up"),
        }
    };
    let missing = early[0].missing;
    assert!(missing.at_least > 200 * SECOND && missing.at_most.is_none(), "{missing:?}");
    assert!((10..=ASKS_MAX).contains(&asks), "{asks}");
    assert_eq!((propagation.next(), told(&propagation).early), (None, 1));
}

#[test]
fn nobody_is_told_without_proof() {
    for answer in [Err(ZoneError::Unknown("cut".into())), Err(ZoneError::NoSuchChange("C1".into())), denied()]
    {
        let mut propagation = leaving();
        propagation.end(&id(1), "web".into(), at(10));
        assert_eq!(ask(&mut propagation, at(10), &answer).0, []);
        assert_eq!(propagation.on_time(at(400)), []);
        assert_eq!(told(&propagation), Stopped { unknown: 1, ..Stopped::default() }, "{answer:?}");
    }
    // An answer to a question that was sent before the end says nothing of the time after it.
    let mut propagation = leaving();
    propagation.sample("C1", vec![at(0)], at(1), || 0.0);
    propagation.ask("C1", at(9));
    propagation.end(&id(1), "web".into(), at(10));
    propagation.on_status("C1", &pending("C1"), at(11));
    assert_eq!(propagation.next(), Some((Some("C1"), at(14))));
    assert_eq!(ask(&mut propagation, at(14), &in_sync("C1")), (vec![], None));
    assert_eq!(told(&propagation).spread, 1);
}

#[test]
fn what_is_denied_is_said_once_and_asked_again_much_later() {
    let mut propagation = leaving();
    let mut said = Vec::new();
    for hour in 0..3 {
        let now = at(10 + hour * 3_600);
        propagation.want(&id(1), &[set(1)], &[], now);
        propagation.on_changed(&deletes([1]), &pending("C1"), now);
        propagation.end(&id(1), "web".into(), now);
        said.extend(ask(&mut propagation, now, &denied()).1);
        // Within that hour nothing is asked.
        propagation.want(&id(2), &[set(2)], &[], now);
        propagation.on_changed(&deletes([2]), &pending("C2"), now);
        propagation.end(&id(2), "web".into(), now);
        assert!(propagation.next().is_none_or(|(asked, _)| asked.is_none()));
        propagation.on_time(now + PROPAGATED_AFTER);
    }
    assert_eq!(said.len(), 1);
}

#[test]
fn a_sample_tells_how_long_it_took_from_the_wish() {
    let mut propagation = Propagation::default();
    propagation.sample("C1", vec![at(0), at(1)], at(2), || 0.0);
    // One at a time, and not often.
    propagation.sample("C2", vec![at(2)], at(3), || 0.0);
    assert_eq!(propagation.next(), Some((Some("C1"), at(7))));
    ask(&mut propagation, at(7), &pending("C1"));
    ask(&mut propagation, at(12), &in_sync("C1"));
    let spread = propagation.in_sync_after();
    assert_eq!((spread.count, spread.sum), (2, 23 * SECOND));
    propagation.sample("C3", vec![at(13)], at(13), || 0.0);
    assert_eq!(propagation.next(), None);
    propagation.sample("C4", vec![at(603)], at(2) + SAMPLE_EVERY, || 0.0);
    assert!(propagation.next().is_some());
}

#[test]
fn of_a_fleet_few_sample_and_each_asks_less_often() {
    let sampling = |hosts, random| {
        let mut propagation = Propagation::default();
        propagation.set_pace(hosts, 4.0);
        propagation.sample("C1", vec![at(0)], at(2), || random);
        propagation.next().is_some()
    };
    assert!(sampling(None, 0.99) && sampling(Some(4), 0.99));
    // 400 hosts take 4 * 0.2 questions a second: one in 500 s each, so one in 100 samples.
    assert!(!sampling(Some(400), 0.02) && sampling(Some(400), 0.009));
    let mut propagation = leaving();
    propagation.set_pace(Some(40), 4.0);
    propagation.end(&id(1), "web".into(), at(10));
    ask(&mut propagation, at(10), &pending("C1"));
    assert_eq!(propagation.next(), Some((Some("C1"), at(60))));
}

#[test]
fn a_service_is_counted_from_none_when_it_is_first_wanted() {
    let mut propagation = Propagation::default();
    propagation.want(&id(1), &[], &[set(1)], at(0));
    let stops: Vec<_> = propagation.stops().iter().collect();
    assert_eq!(stops, [("_web._tcp.sd.internal", &Stopped::default())]);
}

#[test]
fn so_many_services_are_told_apart() {
    let mut stops = Stops::default();
    for number in 0..100 {
        let service = format!("_s{number:03}._tcp.sd.internal");
        stops.add(&[service].into(), Stopped::unknown());
    }
    assert_eq!(stops.iter().count(), SERVICES_MAX + 1);
    assert_eq!(stops.iter().last().unwrap(), ("other", &Stopped { unknown: 80, ..Stopped::default() }));
}

#[test]
fn a_drain_asks_nothing() {
    let mut propagation = leaving();
    propagation.end(&id(1), "web".into(), at(10));
    propagation.drain();
    propagation.sample("C9", vec![at(0)], at(11), || 0.0);
    propagation.want(&id(2), &[set(2)], &[], at(11));
    assert_eq!(propagation.next(), None);
    assert_eq!(propagation.on_time(at(999)), []);
}

/// A world where containers stop when they like, and a registry that takes its time for each change.
#[test]
fn whatever_stops_when_those_that_ended_early_are_told_and_no_others_within_the_budget() {
    let (mut early_in_all, mut in_time_in_all, mut unknown_in_all) = (0, 0, 0);
    let served = |number: u32| RecordSet { name: format!("_s{number:02}._tcp.sd.internal"), ..set(number) };
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut propagation = Propagation::default();
        let hosts = [None, Some(3), Some(40)][rng.usize(..3)];
        propagation.set_pace(hosts, 8.0);
        // Withdrawn, accepted, everywhere, ended: of which container.
        let mut plan = BTreeMap::<Moment, Vec<(u32, &str)>>::new();
        let mut truth = BTreeMap::new();
        for number in 1..=rng.u32(1..12) {
            let withdrawn = at(rng.u64(..300));
            let accepted = withdrawn + rng.u32(..3) * SECOND;
            let everywhere = accepted + rng.u32(5..90) * SECOND;
            let ended = withdrawn + rng.u32(..150) * SECOND;
            for (then, what) in [(withdrawn, "withdrawn"), (accepted, "accepted"), (ended, "ended")] {
                plan.entry(then).or_default().push((number, what));
            }
            truth.insert(number, (everywhere, ended));
        }
        let mut asked: Vec<(Moment, String)> = Vec::new();
        let mut told = BTreeMap::new();
        for now in (0..1_200).map(at) {
            for (number, what) in plan.remove(&now).unwrap_or_default() {
                let of_it = id(u8::try_from(number).unwrap().into());
                match what {
                    "withdrawn" => propagation.want(&of_it, &[served(number)], &[], now),
                    "ended" => propagation.end(&of_it, String::new(), now),
                    _ => {
                        let change = format!("C{number}");
                        let delete = Change { action: Action::Delete, set: served(number) };
                        propagation.on_changed(&[delete], &pending(&change), now);
                        propagation.sample(&change, vec![now], now, || rng.f64());
                    }
                }
            }
            let mut early = propagation.on_time(now);
            if let Some((Some(change), due)) = propagation.next()
                && due <= now
            {
                let change = change.to_owned();
                propagation.ask(&change, now);
                let (everywhere, _) = truth[&change[1..].parse().unwrap()];
                let answer = if now >= everywhere { in_sync(&change) } else { pending(&change) };
                early.extend(propagation.on_status(&change, &answer, now).0);
                asked.push((now, change));
            }
            told.extend(early.into_iter().map(|early| (early.container.clone(), early.missing)));
        }
        for (number, (everywhere, ended)) in truth {
            let missing = told.remove(&id(u8::try_from(number).unwrap().into()));
            let Some(Missing { at_least, at_most }) = missing else {
                // Only what was everywhere at its end, or so soon after it that nobody could ask, may pass for in time.
                let came_of_it =
                    propagation.stops().iter().find(|(service, _)| *service == served(number).name);
                if came_of_it.is_some_and(|(_, stopped)| stopped.unknown > 0) {
                    unknown_in_all += 1;
                } else {
                    in_time_in_all += 1;
                    assert!(everywhere <= ended + 10 * SECOND, "seed {seed}: {number} was not told");
                }
                continue;
            };
            early_in_all += 1;
            let really = everywhere - ended;
            assert!(
                everywhere > ended && at_least <= really,
                "seed {seed}: {number} {at_least:?} {really:?}"
            );
            assert!(at_most.is_none_or(|at_most| at_most >= really), "seed {seed}: {number}");
        }
        assert!(told.is_empty());
        for pair in asked.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= ASK_EVERY, "seed {seed}: {pair:?}");
        }
        for (_, change) in &asked {
            let of_it = asked.iter().filter(|(_, other)| other == change).count();
            assert!(of_it <= ASKS_MAX, "seed {seed}: {change} was asked after {of_it} times");
        }
    }
    let all = [early_in_all, in_time_in_all, unknown_in_all];
    assert!(early_in_all > 300 && in_time_in_all > 300 && unknown_in_all > 0, "{all:?}");
    // Most are known.
    assert!(unknown_in_all < early_in_all, "{all:?}");
}
