//! The book of names, by hand: what is read when, and what is told.

use super::*;
use crate::moment::at;
use crate::zone::embedded::testing::{a, srv};

fn book() -> Book {
    Book::new("sd.internal", LISTS_A_SECOND)
}

fn whole(label: &str) -> String {
    format!("{label}.sd.internal")
}

/// What is to be read now, by the name that the page begins with.
fn reads(book: &mut Book, now: Moment) -> Option<String> {
    match book.next(now) {
        Next::Read(start) => start.name,
        Next::At(_) | Next::Nothing => None,
    }
}

fn page(sets: &[RecordSet], next: Option<RecordSet>) -> Page {
    Page { sets: sets.to_vec(), next: next.map(|set| set.key().into()) }
}

/// How many targets a name has, and how old that is.
fn told(book: &mut Book, label: &str, now: Moment) -> Option<(usize, u64)> {
    match book.tell(&whole(label), now) {
        Told::Known { groups, age } => Some((groups.json.matches("targets").count(), age.as_secs())),
        Told::Unread { .. } | Told::Full => None,
    }
}

#[test]
fn a_name_is_read_once_a_minute_at_most() {
    let mut book = book();
    let name = whole("_web._tcp");
    assert!(book.ask(&name, at(0)), "it can be read at once");
    assert_eq!(reads(&mut book, at(0)), Some(name.clone()));
    assert!(book.ask(&name, at(1)), "it is being read");
    book.on_page(page(&[srv("_web._tcp", "a", 1)], None));
    assert_eq!(told(&mut book, "_web._tcp", at(1)), Some((1, 1)));
    assert!(!book.ask(&name, at(59)), "what is known is young enough");
    assert_eq!(book.next(at(59)), Next::Nothing);
    assert!(book.ask(&name, at(60)));
    assert_eq!(reads(&mut book, at(60)), Some(name));
}

#[test]
fn lists_are_ten_seconds_apart_and_who_waits_longest_comes_first() {
    let mut book = book();
    for (second, label) in ["_c._tcp", "_b._tcp", "_a._tcp"].into_iter().enumerate() {
        assert_eq!(book.ask(&whole(label), at(second as u64)), second == 0, "{label}");
        if second == 0 {
            assert_eq!(reads(&mut book, at(0)), Some(whole("_c._tcp")));
        }
    }
    book.on_page(page(&[], Some(srv("_d._tcp", "a", 1))));
    assert_eq!(book.next(at(3)), Next::At(at(10)));
    let Told::Unread { again, trouble: None } = book.tell(&whole("_a._tcp"), at(3)) else { panic!() };
    assert_eq!(again, Duration::from_secs(17), "one waits before it");
    assert_eq!(reads(&mut book, at(10)), Some(whole("_b._tcp")));
    book.on_page(page(&[], Some(srv("_c._tcp", "a", 1))));
    assert_eq!(reads(&mut book, at(20)), Some(whole("_a._tcp")));
}

#[test]
fn a_page_tells_all_names_that_it_covers_and_no_other() {
    let mut book = book();
    for label in ["_b._tcp", "_a._tcp", "_c._tcp", "_d._tcp", "none"] {
        book.ask(&whole(label), at(0));
    }
    assert_eq!(
        reads(&mut book, at(0)),
        Some(whole("_a._tcp")),
        "of those that came together, the first in a list"
    );
    let sets =
        [srv("_a._tcp", "a", 1), srv("_b._tcp", "b", 1), srv("_b._tcp", "c", 0), srv("_c._tcp", "d", 1)];
    book.on_page(page(&sets, Some(srv("_c._tcp", "e", 1))));
    assert_eq!(told(&mut book, "_a._tcp", at(1)), Some((1, 1)));
    assert_eq!(told(&mut book, "_b._tcp", at(1)), Some((2, 1)));
    for half_or_not_covered in ["_c._tcp", "_d._tcp", "none"] {
        assert_eq!(told(&mut book, half_or_not_covered, at(1)), None, "{half_or_not_covered}");
    }
    assert_eq!(reads(&mut book, at(10)), Some(whole("_c._tcp")));
    book.on_page(page(&[srv("_c._tcp", "d", 1), a("none", &["10.0.0.7"])], None));
    assert_eq!(told(&mut book, "none", at(11)), Some((0, 1)), "an address is no service");
}

#[test]
fn a_name_of_several_pages_is_told_once_all_are_there() {
    let mut book = book();
    let name = whole("_web._tcp");
    book.ask(&name, at(0));
    let sets: Vec<_> = (0..5).map(|n| srv("_web._tcp", &format!("x{n}"), 1)).collect();
    assert!(reads(&mut book, at(0)).is_some());
    book.on_page(page(&sets[..2], Some(sets[2].clone())));
    assert_eq!(told(&mut book, "_web._tcp", at(1)), None);
    assert!(book.ask(&name, at(1)), "it is being read");
    let Next::Read(start) = book.next(at(10)) else { panic!("{:?}", book.next(at(10))) };
    assert_eq!(start.set_identifier.as_deref(), Some("x2"), "each page is a list, and waits as one");
    book.on_page(page(&sets[2..], None));
    assert_eq!(told(&mut book, "_web._tcp", at(10)), Some((5, 10)), "as old as the first page");
}

#[test]
fn what_is_known_outlives_failures_and_says_how_old_it_is() {
    let mut book = book();
    let name = whole("_web._tcp");
    book.ask(&name, at(0));
    assert!(reads(&mut book, at(0)).is_some());
    book.on_page(page(&[srv("_web._tcp", "a", 1)], None));
    for minute in 1..10 {
        let now = at(60 * minute);
        assert!(book.ask(&name, now), "{minute}");
        assert!(reads(&mut book, now).is_some());
        book.on_failure(&ZoneError::Unknown("no answer".into()), now);
        assert!(!book.ask(&name, now), "it has just been tried");
        assert_eq!(told(&mut book, "_web._tcp", now), Some((1, 60 * minute)));
    }
    assert_eq!(book.figures(), (1, Duration::from_secs(540)));
    let other = whole("_other._tcp");
    assert!(!book.ask(&other, at(541)));
    let Told::Unread { again, trouble: Some(trouble) } = book.tell(&other, at(541)) else { panic!() };
    assert_eq!(
        (again.as_secs(), trouble.as_str()),
        (9, "the zone cannot be read: unknown outcome: no answer")
    );
}

#[test]
fn a_registry_that_says_it_is_asked_too_often_is_left_alone() {
    let mut book = book();
    book.ask(&whole("_a._tcp"), at(0));
    assert!(reads(&mut book, at(0)).is_some());
    book.on_failure(&ZoneError::Throttled("rate".into()), at(1));
    book.ask(&whole("_b._tcp"), at(20));
    assert_eq!(book.next(at(20)), Next::At(at(61)));
}

#[test]
fn names_that_anybody_makes_up_take_no_room_from_those_with_targets() {
    let mut book = book();
    book.ask(&whole("_web._tcp"), at(0));
    assert!(reads(&mut book, at(0)).is_some());
    book.on_page(page(&[srv("_web._tcp", "a", 1)], None));
    for n in 0..10_000 {
        book.ask(&whole(&format!("x{n}")), at(1));
    }
    assert_eq!(book.names.len(), NAMES_MAX);
    assert_eq!(told(&mut book, "_web._tcp", at(1)), Some((1, 1)));
    assert_eq!(book.tell(&whole("x9999"), at(1)), Told::Full);
    book.ask(&whole("_web._tcp"), at(900));
    book.ask(&whole("y"), at(901));
    assert_eq!(book.names.len(), 2, "what nobody asks for is forgotten");
}

#[test]
fn a_name_that_waits_to_be_read_makes_room_for_none_and_one_read_in_vain_does() {
    let mut book = book();
    book.ask(&whole("first"), at(0));
    assert!(reads(&mut book, at(0)).is_some());
    book.on_page(page(&[], None));
    book.ask(&whole("_web._tcp"), at(1));
    for n in 0..10_000 {
        book.ask(&whole(&format!("x{n}")), at(2));
    }
    assert_eq!(book.names.len(), NAMES_MAX);
    assert_eq!(book.tell(&whole("first"), at(2)), Told::Full, "it had been read, and gave its room");
    assert!(!book.ask(&whole("_new._tcp"), at(3)));
    assert_eq!(book.tell(&whole("_new._tcp"), at(3)), Told::Full, "all others wait");
    assert_eq!(reads(&mut book, at(10)), Some(whole("_web._tcp")), "it has waited longest");
    book.on_page(page(&[srv("_web._tcp", "a", 1)], Some(srv("_x._tcp", "a", 1))));
    book.ask(&whole("_new._tcp"), at(11));
    assert_eq!(book.tell(&whole("_new._tcp"), at(11)), Told::Full, "that one has targets");
    assert!(reads(&mut book, at(20)).is_some_and(|name| name.starts_with('x')));
    book.on_page(page(&[], None));
    book.ask(&whole("_new._tcp"), at(21));
    assert!(matches!(book.tell(&whole("_new._tcp"), at(21)), Told::Unread { .. }), "one was read in vain");
}

#[test]
fn a_name_of_more_pages_than_are_read_is_never_told_cut_off() {
    let mut book = book();
    let name = whole("_web._tcp");
    let sets: Vec<_> = (0..=PAGES_MAX).map(|n| srv("_web._tcp", &format!("x{n}"), 1)).collect();
    let too_many = |book: &mut Book, began: u64| {
        for n in 0..PAGES_MAX {
            assert_eq!(reads(book, at(began + 10 * n as u64)), Some(name.clone()), "page {n}");
            let too_large = book.on_page(page(&sets[n..=n], Some(sets[n + 1].clone())));
            assert_eq!(too_large.is_some(), n + 1 == PAGES_MAX, "page {n}");
        }
    };
    book.ask(&name, at(0));
    too_many(&mut book, 0);
    let Told::Unread { trouble: Some(trouble), .. } = book.tell(&name, at(71)) else { panic!() };
    assert_eq!(trouble, "it has more record sets than 8 pages hold, and no more are read of one name");
    assert!(!book.ask(&whole("_other._tcp"), at(72)));
    book.ask(&name, at(73));
    assert_eq!(reads(&mut book, at(80)), Some(whole("_other._tcp")), "it holds up no other");
    book.on_page(page(&[], Some(sets[0].clone())));
    assert_eq!(reads(&mut book, at(90)), Some(name.clone()));
    book.on_page(page(&sets[..1], None));
    assert_eq!(told(&mut book, "_web._tcp", at(91)), Some((1, 1)));
    book.ask(&name, at(150));
    too_many(&mut book, 150);
    assert_eq!(told(&mut book, "_web._tcp", at(230)), Some((1, 140)), "what was whole is kept");
}

#[test]
fn where_all_names_have_targets_there_is_no_room_for_another() {
    let mut book = book();
    let labels: Vec<_> = (0..NAMES_MAX).map(|n| format!("_x{n:03}._tcp")).collect();
    for label in &labels {
        book.ask(&whole(label), at(0));
    }
    assert!(reads(&mut book, at(0)).is_some());
    let sets: Vec<_> = labels.iter().map(|label| srv(label, "a", 1)).collect();
    book.on_page(page(&sets, None));
    assert!(!book.ask(&whole("_y._tcp"), at(1)));
    assert_eq!(book.tell(&whole("_y._tcp"), at(1)), Told::Full);
}
