//! The cordons in force, and how one is asked for, by themselves.

use std::time::{Duration, SystemTime};

use super::*;
use crate::container::offer::EffectiveCheck;
use crate::container::testing::{at as life, offer};
use crate::moment::at;
use crate::record::RecordType;
use crate::record::testing::{id, registrant};

const WALL: SystemTime = SystemTime::UNIX_EPOCH;

fn cordon(scope: Scope, weight: u8) -> Cordon {
    Cordon { scope, name: String::new(), weight, since: Timestamp::from(WALL), until: None }
}

fn wanted(own: u8, serves: bool, answer: Answer) -> Wanted {
    let mut offer = offer("_web._tcp", 80, EffectiveCheck::Tcp);
    (offer.service.weight, offer.service.answer) = (own, answer);
    Wanted { offer, weight: if serves { own } else { 0 }, serves, started_at: life(1) }
}

#[test]
fn a_weight_by_hand_stands_for_the_own_one_alone() {
    let mut cordons = Cordons::default();
    cordons.set(cordon(Scope::All, 9), WALL, at(0));
    for (own, serves, answer, weight) in [
        (5, true, Answer::Weighted, 9),
        (5, false, Answer::Weighted, 0),
        (0, true, Answer::Address, 9),
        (0, false, Answer::Address, 0),
        (5, true, Answer::All, 5),
    ] {
        let weighed = cordons.weigh(&id(1), wanted(own, serves, answer));
        assert_eq!(weighed.weight, weight, "{own} {serves} {answer:?}");
    }
}

#[test]
fn no_more_are_restored_than_there_can_be() {
    let mut cordons = Cordons::default();
    let many = (0..CORDONS_MAX + 5).map(|n| cordon(Scope::Service(format!("_{n}._tcp.sd.internal")), 0));
    assert_eq!(cordons.restore(many.collect(), WALL, at(0)), []);
    assert_eq!((cordons.iter().count(), cordons.is_full()), (CORDONS_MAX, true));
}

#[test]
fn names_are_read_as_they_are_written() {
    for (text, what) in [
        (" all ", What::All),
        ("_web._tcp", What::Service("_web._tcp".to_owned())),
        ("/web-1", What::Named("web-1".to_owned())),
        ("ALL", What::Named("ALL".to_owned())),
    ] {
        assert_eq!(What::parse(text), Ok(what), "{text}");
    }
    for text in ["", " ", "/", "a b", "a/b", "ä", "a\nb", &"a".repeat(256)] {
        assert_eq!(What::parse(text), Err(BadOrder), "{text:?}");
    }
}

#[test]
fn what_no_container_can_ask_for_is_no_service() {
    let is_none = |text: &str| What::parse(text).unwrap().is_no_service();
    for text in ["_wbe", "_web", "_web.tcp", "_tcp", "_._tcp", "_web._tls"] {
        assert!(is_none(text), "{text}");
    }
    for text in ["_web._tcp", "_WEB._TCP", "_dns._udp.sd.internal.", "_web.a._tcp.b", "web", "web_tcp", "all"]
    {
        assert!(!is_none(text), "{text}");
    }
}

#[test]
fn a_name_is_whole_with_its_zone_and_lies_in_no_other() {
    let whole = |name: &str| whole(name, "sd.internal");
    let name = Some("_web._tcp.sd.internal".to_owned());
    for text in ["_web._tcp", "_WEB._tcp.sd.internal", "_web._tcp.sd.internal."] {
        assert_eq!(whole(text), name, "{text}");
    }
    assert_eq!(
        whole("websd.internal").as_deref(),
        Some("websd.internal.sd.internal"),
        "it ends so by chance"
    );
    let long = "a".repeat(64);
    for text in ["_web._tcp.other.", "_web..tcp", &long, ".sd.internal", "."] {
        assert_eq!(whole(text), None, "{text}");
    }
}

#[test]
fn an_end_is_reckoned_by_the_wall_at_the_start_and_by_the_agent_s_clock_from_there() {
    let until = Some(Timestamp::from(WALL + Duration::from_secs(100)));
    let mut cordons = Cordons::default();
    let kept = vec![Cordon { until, ..cordon(Scope::All, 0) }];
    cordons.restore(kept, WALL + Duration::from_secs(40), at(7));
    assert_eq!(cordons.wake_at(), Some(at(67)));
    assert_eq!(cordons.take_ended(at(66)), []);
    let ended = cordons.take_ended(at(67));
    assert!(matches!(&ended[..], [(_, Ended::Over)]) && cordons.wake_at().is_none());
}

#[test]
fn what_stands_at_weight_0_of_one_that_was_not_inspected_stays_so() {
    let set = |n, routing| RecordSet {
        name: "_web._tcp.sd.internal".to_owned(),
        kind: RecordType::Srv,
        set_identifier: Some(format!("i-0a:{}:{n}", id(1))),
        routing,
        ttl: 0,
        values: vec!["1 1 80 i-0a.sd.internal".to_owned()],
    };
    let address = registrant("i-0a").host_record();
    let held = [Routing::Weighted(0), Routing::Weighted(5), Routing::Multivalue];
    let held: Vec<_> = held.into_iter().zip(80..).map(|(routing, n)| set(n, routing)).collect();
    let mut cordons = Cordons::default();
    cordons.set(cordon(Scope::All, 9), WALL, at(0));
    let weighed = cordons.weigh_held(&id(1), [&held[..], std::slice::from_ref(&address)].concat());
    let routings: Vec<_> = weighed.iter().map(|set| set.routing).collect();
    let expected = [Routing::Weighted(0), Routing::Weighted(9), Routing::Multivalue, address.routing];
    assert_eq!(routings, expected);
}

#[test]
fn what_ended_while_no_agent_ran_is_told_and_not_restored() {
    let until = |secs| Some(Timestamp::from(WALL + Duration::from_secs(secs)));
    let of = |until, name: &str| Cordon { until, ..cordon(Scope::Service(name.to_owned()), 0) };
    let (over, on) = (of(until(40), "_over._tcp.sd.internal"), of(until(41), "_on._tcp.sd.internal"));
    let mut cordons = Cordons::default();
    let ended = cordons.restore(vec![over.clone(), on.clone()], WALL + Duration::from_secs(40), at(7));
    assert_eq!((ended, cordons.iter().collect::<Vec<_>>()), (vec![over], vec![&on]));
    assert_eq!(cordons.ends_at(&on.scope), Some(at(8)));
}

#[test]
fn one_of_a_container_ends_a_day_after_that_was_last_seen_to_run() {
    let (mut cordons, day) = (Cordons::default(), GONE_AFTER.as_secs());
    cordons.set(cordon(Scope::Container(id(1)), 0), WALL, at(0));
    cordons.set(cordon(Scope::All, 0), WALL, at(0));
    let (listed, none) = (BTreeSet::from([id(1)]), BTreeSet::new());
    cordons.on_listed(&listed, at(1));
    assert_eq!(cordons.wake_at(), None, "it runs");
    cordons.on_listed(&none, at(2));
    cordons.on_listed(&none, at(3));
    assert_eq!(cordons.wake_at(), Some(at(2 + day)));
    cordons.on_listed(&listed, at(4));
    assert_eq!(cordons.wake_at(), None, "it runs again");
    cordons.on_listed(&none, at(5));
    assert_eq!(cordons.take_ended(at(4 + day)), []);
    let ended = cordons.take_ended(at(5 + day));
    assert!(matches!(&ended[..], [(one, Ended::Gone)] if one.scope == Scope::Container(id(1))), "{ended:?}");
    assert_eq!(cordons.iter().count(), 1);
    // Its own time would have come later.
    let until = Some(Timestamp::from(WALL + Duration::from_secs(9 * day)));
    cordons.set(Cordon { until, ..cordon(Scope::Container(id(1)), 0) }, WALL, at(0));
    cordons.on_listed(&none, at(5));
    assert!(matches!(&cordons.take_ended(at(5 + day))[..], [(_, Ended::Gone)]));
}

#[test]
fn there_is_room_for_the_last_one() {
    let mut cordons = Cordons::default();
    let many = (1..CORDONS_MAX).map(|n| cordon(Scope::Service(format!("_{n}._tcp.sd.internal")), 0));
    cordons.restore(many.collect(), WALL, at(0));
    assert!(!cordons.is_full());
    cordons.set(cordon(Scope::All, 0), WALL, at(0));
    assert!(cordons.is_full());
}

#[test]
fn names_and_ids_are_taken_up_to_their_longest() {
    let longest = "a".repeat(255);
    assert_eq!(What::parse(&longest), Ok(What::Named(longest)));
    let label = "a".repeat(63);
    let name = |last: usize| format!("{label}.{label}.{label}.{}", "a".repeat(last));
    let (zone, fits) = ("sd.internal", 253 - 3 * 64 - 12);
    assert_eq!(whole(&name(fits), zone).map(|name| name.len()), Some(253));
    assert_eq!(whole(&name(fits + 1), zone), None);
    assert_eq!(whole(&label, zone), Some(format!("{label}.{zone}")));
}

#[test]
fn an_id_is_known_by_how_it_begins_in_any_case() {
    let it = id(0xab);
    assert!(begins(&it, it.as_str()) && begins(&it, &it.as_str().to_ascii_uppercase()) && begins(&it, "0"));
    assert!(!begins(&it, "") && !begins(&it, "f"));
}

#[test]
fn a_report_says_of_which_other_cordon_that_it_counts() {
    let (one, name) = (cordon(Scope::Container(id(1)), 0), cordon(Scope::Service("_web._tcp".to_owned()), 0));
    let says = |done, other: &Cordon| {
        let others = vec![other.clone()];
        let report = Report { done, changes: Vec::new(), last: BTreeSet::new(), others, is_to_come: false };
        report.to_string().contains("and counts there")
    };
    assert!(says(Done::Cordoned(name.clone()), &one), "that of a container comes first");
    assert!(!says(Done::Cordoned(one.clone()), &name) && !says(Done::Cordoned(one.clone()), &one));
    assert!(!says(Done::Uncordoned(name), &one), "nothing is there to count instead of");
}

#[test]
fn each_is_said_as_it_is_to_be_ended() {
    for (scope, what) in [
        (Scope::All, "all".to_owned()),
        (Scope::Service("_web._tcp".to_owned()), "_web._tcp".to_owned()),
        (Scope::Container(id(1)), id(1).short().to_owned()),
    ] {
        assert_eq!(cordon(scope, 0).what(), what);
        assert_eq!(What::parse(&what).map(|it| it.as_str().to_owned()), Ok(what));
    }
    assert_eq!([Scope::All, Scope::Container(id(1))].map(|scope| scope.kind()), ["all", "container"]);
    assert_eq!(Scope::Service(String::new()).kind(), "service");
}

#[test]
fn what_may_be_meant_is_listed() {
    let matches = vec!["container web".to_owned(), "service web.sd.internal".to_owned()];
    let text = Refused::Ambiguous { text: "web".to_owned(), matches }.to_string();
    assert!(text.ends_with(":\n  container web\n  service web.sd.internal"), "{text}");
}

#[test]
fn one_that_ends_by_itself_lasts_720_hours_at_most() {
    assert_eq!(LASTS_MAX, Duration::from_secs(720 * 3_600));
}

#[test]
fn a_clock_that_is_behind_at_a_start_makes_none_longer() {
    let given = WALL + Duration::from_secs(86_400);
    let until = Some(Timestamp::from(given + Duration::from_secs(1_800)));
    let kept = Cordon { since: Timestamp::from(given), until, ..cordon(Scope::All, 0) };
    for (wall, left) in [(WALL, 1_800), (given, 1_800), (given + Duration::from_secs(1_000), 800)] {
        let mut cordons = Cordons::default();
        assert_eq!(cordons.restore(vec![kept.clone()], wall, at(5)), []);
        assert_eq!(cordons.ends_at(&Scope::All), Some(at(5) + Duration::from_secs(left)));
    }
}
