//! The cordons in force, and how one is asked for, by themselves.

use std::time::{Duration, SystemTime};

use super::*;
use crate::container::offer::EffectiveCheck;
use crate::container::testing::{at as life, offer};
use crate::moment::at;
use crate::record::testing::id;

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
fn a_name_is_whole_with_its_zone_and_lies_in_no_other() {
    let whole = |name: &str| whole(name, "sd.internal");
    let name = Some("_web._tcp.sd.internal".to_owned());
    for text in ["_web._tcp", "_WEB._tcp.sd.internal", "_web._tcp.sd.internal."] {
        assert_eq!(whole(text), name, "{text}");
    }
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
