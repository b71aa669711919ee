//! What weights by hand make of the records that there are, and which container or name an operator means.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ecssd::container::convention::Answer;
use ecssd::machine::cordon::{Done, Order, Refused, Report, Scope, What, Wish};
use ecssd::machine::departure::records::Overruled;
use ecssd::machine::lifecycle::{Event, Seq};
use ecssd::machine::registrar::{Output, Registrar};
use ecssd::moment::Moment;
use ecssd::record::Routing;
use ecssd_testing::rehearsal::{self, CONTAINERS, NAMED, Rehearsal, id, leaving};

use crate::{serving, shown, unchecked};

const SECOND: Duration = Duration::from_secs(1);
const ALL: u8 = NAMED - 1;
const WEB: u8 = CONTAINERS;
const FULL: u8 = CONTAINERS + 1;
const ADDRESS: u8 = CONTAINERS + 2;
const NOW: Moment = Moment::after(Duration::from_secs(1_000));

/// One container that has not passed its check, and gets weight 7 by hand.
fn unproven() -> Rehearsal {
    let mut host = Rehearsal::default();
    host.known(0, 0);
    host.seen(0, shown(0), 0);
    host.listed(0b1, 0);
    assert!(host.order(0, Some(7), None));
    host.wait(2 * SECOND);
    host
}

/// The weights of one container's names; `None` is a full name's.
fn weights(host: &Rehearsal, n: u8) -> BTreeMap<&str, Option<i64>> {
    let Some(sets) = host.told().unwrap().get(&id(n)) else { return BTreeMap::new() };
    sets.iter().map(|set| (set.name.trim_end_matches(".sd.internal"), set.weight())).collect()
}

fn all_of(weight: i64) -> BTreeMap<&'static str, Option<i64>> {
    let weighted = ["_web._tcp", "web", "_api._tcp", "_log._udp"].map(|name| (name, Some(weight)));
    weighted.into_iter().chain([("_web-all._tcp", None)]).collect()
}

#[test]
fn a_container_has_its_weight_under_all_names_but_the_full_one_and_its_own_again_at_the_end() {
    let mut host = serving();
    assert!(host.order(1, Some(0), None));
    assert_eq!([0, 1, 2].map(|n| weights(&host, n)), [all_of(1), all_of(0), all_of(1)]);
    assert!(host.order(1, Some(40), None), "a canary");
    assert_eq!(weights(&host, 1), all_of(40));
    assert!(host.order(1, None, None));
    assert_eq!(weights(&host, 1), all_of(1));
}

#[test]
fn a_service_and_all_hold_for_who_comes_later_too() {
    let mut host = serving();
    assert!(host.order(WEB, Some(0), None) && host.order(ADDRESS, Some(9), None));
    host.seen(3, unchecked(0), 0);
    host.died(0, 1);
    let mut expected = all_of(1);
    expected.extend([("_web._tcp", Some(0)), ("web", Some(9))]);
    assert_eq!(weights(&host, 3), expected);
    assert!(host.order(ALL, Some(2), None));
    expected = all_of(2);
    expected.extend([("_web._tcp", Some(0)), ("web", Some(9))]);
    assert_eq!(weights(&host, 3), expected, "a name comes before all");
    assert!(host.order(3, Some(5), None));
    assert_eq!(weights(&host, 3), all_of(5), "and a container before its names");
}

#[test]
fn it_ends_by_itself_when_its_time_is_over() {
    let mut host = serving();
    assert!(host.order(ALL, Some(0), Some(30)));
    host.wait(29 * SECOND);
    assert_eq!(weights(&host, 0), all_of(0));
    host.wait(SECOND);
    assert_eq!(weights(&host, 0), all_of(1));
    assert_eq!(host.registrar.cordons().count(), 0);
}

#[test]
fn who_leaves_has_weight_0_whatever_was_given() {
    let mut host = serving();
    assert!(host.order(0, Some(7), None));
    host.notice(leaving(None), None);
    assert_eq!(weights(&host, 0), all_of(0));
    assert!(host.order(0, Some(9), None));
    assert_eq!(weights(&host, 0), all_of(0));
    host.notice(leaving(Some(0)), None);
    assert_eq!(weights(&host, 0), all_of(9));
}

#[test]
fn who_fails_stays_at_weight_0() {
    let mut host = unproven();
    assert_eq!(weights(&host, 0), BTreeMap::new(), "it has not passed");
    host.probed(0, true);
    assert_eq!(weights(&host, 0)["_web._tcp"], Some(7));
    host.probed(0, false);
    assert_eq!(weights(&host, 0)["_web._tcp"], Some(0));
    host.probed(0, true);
    assert_eq!(weights(&host, 0)["_web._tcp"], Some(7));
}

#[test]
fn what_an_earlier_run_wrote_of_a_container_not_inspected_has_the_weight_too() {
    let mut host = Rehearsal::default();
    host.listed(0b1, 0);
    assert!(!host.order(0, Some(0), None), "nobody knows its name yet");
    assert!(host.order(ALL, Some(0), None));
    host.known(0b1, 0);
    host.wait(2 * SECOND);
    assert_eq!(weights(&host, 0), all_of(0));
}

/// A line of the log.
fn line(Overruled { service, routing, reason }: Overruled) -> String {
    format!("{} {routing:?} {reason}", service.trim_end_matches(".sd.internal"))
}

#[test]
fn the_log_says_cordoned_of_nothing_but_what_a_cordon_changes() {
    let mut host = unproven();
    let mut said = |up| {
        host.overruled.clear();
        host.probed(0, up);
        host.overruled.drain(..).map(line).collect::<BTreeSet<_>>()
    };
    let names = ["_web._tcp", "web", "_api._tcp", "_log._udp"];
    let cordoned =
        BTreeSet::from(names.map(|name| format!("{name} {:?} cordoned", Some(Routing::Weighted(7)))));
    assert_eq!(said(true), cordoned, "the full name is registered as without one");
    assert_eq!(said(false), BTreeSet::new(), "its check has failed: its lifecycle says so");
    assert_eq!(said(true), cordoned);
}

fn ask(registrar: &mut Registrar, what: &str, wish: Wish) -> Result<(Report, Vec<Output>), Refused> {
    let order = Order { what: What::parse(what).unwrap(), wish };
    registrar.on_order(&order, SystemTime::UNIX_EPOCH, NOW)
}

const TO_0: Wish = Wish::Cordon { weight: 0, lasts: None };

#[test]
fn it_is_said_what_changes_and_what_is_to_be_thought_of() {
    let mut registrar = serving().registrar;
    registrar.on_named(id(1), "blue".to_owned());
    let (report, outputs) = ask(&mut registrar, "blue", TO_0).unwrap();
    assert_eq!((report.changes.len(), report.last.len(), report.others.len()), (4, 0, 0));
    let text = report.to_string();
    assert!(
        text.starts_with("cordoned container blue (000000000000): weight 0 until ecssd --uncordon"),
        "{text}"
    );
    assert!(text.contains("\n  _web._tcp.sd.internal of blue (000000000000): weight 1 -> 0\n"), "{text}");
    assert!(matches!(&outputs[..2], [Output::KeepCordons(all), Output::Cordoned(_)] if all.len() == 1));
    let lines = outputs.into_iter().filter_map(|output| match output {
        Output::Overruled(container, it) => Some((container, line(it))),
        _ => None,
    });
    let names = ["_api._tcp", "_log._udp", "_web._tcp", "web"];
    let expected = names.map(|name| (id(1), format!("{name} {:?} cordoned", Some(Routing::Weighted(0)))));
    assert_eq!(lines.collect::<Vec<_>>(), expected, "its full name is as it was");
    let (report, _) = ask(&mut registrar, "_web._tcp", TO_0).unwrap();
    assert_eq!((report.changes.len(), report.last.len()), (2, 1), "blue has it already, and no copy is left");
    let text = report.to_string();
    assert!(text.contains("no other copy of it is on this host"), "{text}");
    assert!(text.contains("still cordoned and counts there: container blue"), "{text}");
    let (report, outputs) = ask(&mut registrar, "all", Wish::Uncordon).unwrap();
    assert_eq!((report.done.clone(), outputs), (Done::NotCordoned("all of this host".to_owned()), vec![]));
    assert!(report.to_string().contains("still cordoned: service _web._tcp.sd.internal, weight 0"));
    let (report, _) = ask(&mut registrar, "blue", Wish::Uncordon).unwrap();
    assert!(
        report.changes.iter().all(|change| change.record != "_web._tcp.sd.internal"),
        "its name is cordoned"
    );
    assert_eq!(report.changes.len(), 3);
}

#[test]
fn it_has_to_be_clear_which_one_is_meant() {
    let mut registrar = serving().registrar;
    registrar.on_named(id(0), "blue".to_owned());
    registrar.on_named(id(1), "web".to_owned());
    let refused = |registrar: &mut Registrar, what: &str| ask(registrar, what, TO_0).unwrap_err();
    assert_eq!(refused(&mut registrar, "green"), Refused::Unknown("green".to_owned()));
    let Refused::Ambiguous { matches, .. } = refused(&mut registrar, "0000") else { panic!() };
    assert_eq!(matches.len(), 3, "{matches:?}");
    let Refused::Ambiguous { matches, .. } = refused(&mut registrar, "web") else { panic!() };
    assert_eq!(matches, ["container web (000000000000)", "service web.sd.internal"]);
    assert!(matches!(refused(&mut registrar, "_web-all._tcp"), Refused::FullName(_)));
    assert!(matches!(refused(&mut registrar, "_web._tcp.other.zone."), Refused::Elsewhere { .. }));
    // No container can ask for it, so nothing would ever come.
    assert_eq!(refused(&mut registrar, "_web"), Refused::NoService("_web".to_owned()));
    let said = |registrar: &mut Registrar, what: &str| ask(registrar, what, TO_0).unwrap().0.to_string();
    assert!(said(&mut registrar, "_wbe._tcp").contains("no container here has it: it holds for what comes"));
    assert!(!said(&mut registrar, "_web._tcp").contains("no container here has it"));
    for what in ["blue", "/blue", "web.sd.internal", "_WEB._tcp.sd.internal.", "_later._tcp", id(2).as_str()]
    {
        assert!(ask(&mut registrar, what, TO_0).is_ok(), "{what}");
    }
    // Those and _wbe._tcp.
    assert_eq!(registrar.cordons().count(), 6, "of one thing there is one");
}

#[test]
fn a_container_that_is_gone_can_be_uncordoned_and_is_forgotten_after_a_day() {
    let mut host = serving();
    let hour = 3_600 * SECOND;
    assert!(host.order(0, Some(0), None));
    host.died(0, 1);
    host.listed(0b110, 0);
    host.wait(23 * hour);
    host.listed(0b110, 0);
    let mut registrar = host.registrar;
    assert_eq!(registrar.cordons().count(), 1);
    let (report, _) = ask(&mut registrar, id(0).as_str(), Wish::Uncordon).unwrap();
    assert!(matches!(report.done, Done::Uncordoned(_)));
    let mut host = serving();
    assert!(host.order(0, Some(0), None));
    host.listed(0b110, 0);
    host.wait(24 * hour);
    assert_eq!(host.registrar.cordons().count(), 0);
}

#[test]
fn a_restart_keeps_it_and_ends_it_when_its_time_came_meanwhile() {
    let mut registrar = serving().registrar;
    let wish = Wish::Cordon { weight: 3, lasts: Some(60 * SECOND) };
    let (_, outputs) = ask(&mut registrar, "all", wish).unwrap();
    let Output::KeepCordons(kept) = outputs.into_iter().next().unwrap() else { panic!() };
    for (after, left) in [(59, 1), (60, 0)] {
        let mut next = Rehearsal::default().registrar;
        let wall = SystemTime::UNIX_EPOCH + after * SECOND;
        let outputs = next.restore_cordons(kept.clone(), wall, NOW);
        assert_eq!(next.cordons().count(), left);
        assert_eq!(next.wake_at(), (left > 0).then_some(NOW + SECOND));
        assert_eq!(outputs.iter().any(|output| matches!(output, Output::CordonEnded(..))), left == 0);
    }
}

#[test]
fn nothing_is_to_be_had_once_the_agent_withdraws() {
    let mut host = serving();
    host.drain();
    assert!(!host.order(ALL, Some(0), None));
    assert_eq!(ask(&mut host.registrar, "all", TO_0).unwrap_err(), Refused::Draining);
}

#[test]
fn a_full_name_by_itself_cannot_be_cordoned() {
    let mut host = serving();
    assert!(!host.order(FULL, Some(0), None));
    assert_eq!(weights(&host, 0), all_of(1));
}

/// Which are in force, as they are spoken of.
fn in_force(registrar: &Registrar) -> Vec<String> {
    registrar.cordons().map(ToString::to_string).collect()
}

#[test]
fn of_all_there_is_one_which_is_no_other() {
    let mut registrar = serving().registrar;
    for _ in 0..2 {
        let (report, _) = ask(&mut registrar, "all", TO_0).unwrap();
        assert_eq!((report.others, registrar.cordons().count()), (vec![], 1));
    }
}

#[test]
fn one_whose_time_is_long_over_ends_when_somebody_wakes() {
    let mut host = serving();
    assert!(host.order(ALL, Some(0), Some(30)));
    host.wait(100 * SECOND);
    assert_eq!(weights(&host, 0), all_of(1));
}

#[test]
fn each_is_ended_by_its_own_name_though_nobody_has_that_any_more() {
    let mut host = serving();
    (0..2).for_each(|n| host.registrar.on_named(id(n), ["blue", "green"][usize::from(n)].to_owned()));
    for what in ["blue", "green", "web.sd.internal", "_web._tcp", "_api._tcp"] {
        ask(&mut host.registrar, what, TO_0).unwrap();
    }
    let mut registrar = host.registrar;
    drop(registrar.on_listed(&[].into(), Seq(90), NOW));
    for (what, left) in [("blue", 4), ("web", 3), ("_web._tcp", 2)] {
        let (report, _) = ask(&mut registrar, what, Wish::Uncordon).unwrap();
        let Done::Uncordoned(ended) = report.done else { panic!("{what} is not cordoned") };
        assert!(ended.to_string().contains(what) && registrar.cordons().count() == left, "{ended}");
    }
    assert_eq!(in_force(&registrar)[1..], ["service _api._tcp.sd.internal"]);
}

#[test]
fn of_two_of_one_name_the_one_that_runs_is_meant() {
    let mut host = serving();
    (0..2).for_each(|n| host.registrar.on_named(id(n), "blue".to_owned()));
    assert!(matches!(ask(&mut host.registrar, "blue", TO_0), Err(Refused::Ambiguous { .. })));
    host.died(0, 1);
    ask(&mut host.registrar, "blue", TO_0).unwrap();
    assert!(host.registrar.cordons().all(|cordon| cordon.scope == Scope::Container(id(1))));
}

#[test]
fn a_name_that_is_answered_in_both_ways_has_weights() {
    let mut registrar = serving().registrar;
    let mut sight = rehearsal::sight(3, unchecked(0));
    let name = sight.offers[0].service.name.clone();
    sight.offers[0].service.answer = Answer::Weighted;
    sight.offers[1].service.name = name.clone();
    sight.offers[1].service.answer = Answer::All;
    drop(registrar.on_event(&id(3), Event::Seen { as_of: Seq(90), sight: Box::new(sight) }, NOW));
    assert!(ask(&mut registrar, name.as_str(), TO_0).is_ok());
}
