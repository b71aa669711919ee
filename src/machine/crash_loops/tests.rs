//! Which families are held, end by end; and what that means for the containers of a host.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::container::Timestamp;
use crate::container::offer::EffectiveCheck;
use crate::container::testing::{at, offer};
use crate::machine::lifecycle::{Event, STOP_BELIEF, Seq, Sight};
use crate::machine::registrar::{Output, Registrar};
use crate::machine::testing::{SIGQUIT, SIGTERM, running, secs};
use crate::record::testing::{id, registrant};

fn family(name: &str) -> Family {
    Family::Task(name.to_owned())
}

fn after(seconds: u64) -> Moment {
    Moment::after(secs(seconds))
}

fn held(loops: &CrashLoops, name: &str, second: u64) -> Option<u64> {
    let hold = loops.hold(&family(name), after(second))?;
    assert_eq!(hold.of, Loop::Family(family(name)));
    Some(hold.until.since_start().as_secs())
}

fn crashed(ends: impl IntoIterator<Item = u64>) -> CrashLoops {
    let mut loops = CrashLoops::default();
    ends.into_iter().for_each(|second| loops.on_crash(family("web"), after(second)));
    loops
}

#[test]
fn the_fifth_end_within_a_minute_holds_what_begins_then() {
    assert_eq!(held(&crashed([0, 1, 2, 3]), "web", 3), None);
    assert_eq!(held(&crashed([0, 1, 2, 3, 4]), "web", 4), Some(34));
    assert_eq!(held(&crashed([0, 1, 2, 3, 59]), "web", 59), Some(89));
    assert_eq!(held(&crashed([0, 1, 2, 3, 60]), "web", 60), None);
    assert_eq!(held(&crashed([0; 20]), "web", 29), Some(30));
    assert_eq!(held(&crashed([0; 20]), "web", 30), None);
}

#[test]
fn a_life_of_a_minute_is_no_short_one() {
    for (seconds, held) in [(59, true), (60, false)] {
        let mut host = Host::new();
        (0..5).for_each(|n| host.starts(n));
        host.waits(seconds);
        (0..5).for_each(|n| host.dies(n));
        host.starts(5);
        assert_eq!(host.held > 0, held, "{seconds} s");
    }
}

#[test]
fn no_other_family_is_held() {
    let mut loops = crashed([0, 0, 0, 0]);
    loops.on_crash(family("api"), after(1));
    assert_eq!((held(&loops, "web", 1), held(&loops, "api", 1)), (None, None));
    loops.on_crash(family("web"), after(1));
    assert_eq!((held(&loops, "web", 1), held(&loops, "api", 1)), (Some(31), None));
    assert_eq!(loops.hold(&Family::Image("web".into()), after(1)), None);
}

#[test]
fn one_more_end_after_a_hold_doubles_it_up_to_five_minutes_and_none_meanwhile_does() {
    let mut loops = crashed([0; 5]);
    let (mut second, mut holds) = (0, Vec::new());
    while holds.len() < 7 {
        let until = held(&loops, "web", second).unwrap();
        holds.push(until - second);
        (0..100).for_each(|_| loops.on_crash(family("web"), after(until - 1)));
        assert_eq!((held(&loops, "web", until - 1), held(&loops, "web", until)), (Some(until), None));
        loops.on_crash(family("web"), after(until));
        second = until;
    }
    assert_eq!(holds, [30, 60, 120, 240, 300, 300, 300]);
}

#[test]
fn a_minute_without_an_end_after_a_hold_starts_afresh() {
    assert_eq!(held(&crashed([0, 0, 0, 0, 0, 89]), "web", 89), Some(89 + 60));
    assert_eq!(held(&crashed([0, 0, 0, 0, 0, 90]), "web", 90), None);
}

#[test]
fn remembers_as_many_families_as_have_crashed_of_late() {
    let mut loops = CrashLoops::default();
    for n in 0..1_000 {
        loops.on_crash(family(&n.to_string()), after(n));
    }
    assert_eq!(loops.0.len(), 60);
}

// === the containers of a host ===

/// A host of one family, on a clock that Docker shares with it.
struct Host {
    registrar: Registrar,
    seconds: u64,
    seq: u64,
    /// How often a hold was told.
    held: usize,
}

impl Host {
    fn new() -> Self {
        let mut registrar = Registrar::new(registrant("i-0a"), STOP_BELIEF);
        registrar.on_known(&[], true, after(0));
        registrar.on_listed(&BTreeSet::new(), Seq(1), after(0));
        Self { registrar, seconds: 1_000, seq: 1, held: 0 }
    }

    fn now(&self) -> Timestamp {
        at(self.seconds)
    }

    fn tell(&mut self, n: u64, event: impl FnOnce(Seq) -> Event) {
        self.seq += 1;
        let outputs = self.registrar.on_event(&id(n), event(Seq(self.seq)), after(self.seconds));
        self.held += outputs.iter().filter(|output| matches!(output, Output::Held(..))).count();
        self.registrar.check_invariants(after(self.seconds));
    }

    fn shows(&mut self, n: u64, sight: Sight) {
        let sight = Sight { family: Some(family("web")), ..sight };
        self.tell(n, |as_of| Event::Seen { as_of, sight: Box::new(sight) });
    }

    /// A container starts, with a port of its own.
    fn starts(&mut self, n: u64) {
        let port = 30_000 + u16::try_from(n).unwrap();
        self.shows(n, running(self.now(), vec![offer("_web._tcp", port, EffectiveCheck::None)]));
    }

    fn killed(&mut self, n: u64, signal: u8) {
        let time = self.now();
        self.tell(n, |at| Event::Killed { at, signal, time, age: Duration::ZERO });
    }

    fn dies(&mut self, n: u64) {
        let time = self.now();
        self.tell(n, |at| Event::Died { at, time });
    }

    fn waits(&mut self, seconds: u64) {
        self.seconds += seconds;
        self.registrar.on_time(after(self.seconds));
    }

    fn wanted(&self) -> usize {
        self.registrar.wants().unwrap().len()
    }
}

#[test]
fn a_loop_of_new_containers_is_registered_five_times_and_then_once_a_hold() {
    let mut host = Host::new();
    let mut registered = Vec::new();
    for n in 1..=300 {
        host.starts(n);
        let at_once = host.wanted() == 1;
        host.waits(1);
        registered.extend((host.wanted() == 1).then_some((host.seconds - 1_000, at_once)));
        host.dies(n);
        assert_eq!(host.wanted(), 0);
    }
    let at_once = (1..=5).map(|second| (second, true));
    let after_holds = [35, 95, 215].map(|second| (second, false));
    assert_eq!(registered, at_once.chain(after_holds).collect::<Vec<_>>());
    assert_eq!(host.held, 4, "each hold is told once");
}

#[test]
fn what_stays_up_after_the_loop_is_let_in_and_what_was_up_before_it_stays() {
    let mut host = Host::new();
    host.starts(100);
    for n in 1..=5 {
        host.starts(n);
        host.dies(n);
    }
    host.starts(6);
    assert_eq!((host.wanted(), host.held), (1, 1));
    host.waits(30);
    assert_eq!(host.wanted(), 2);
}

#[test]
fn twenty_copies_at_once_and_a_rolling_deploy_of_ten_are_not_held() {
    let mut host = Host::new();
    (0..20).for_each(|n| host.starts(n));
    assert_eq!(host.wanted(), 20);
    for n in 0..10 {
        host.starts(20 + n);
        host.killed(n, SIGTERM);
        host.dies(n);
        host.waits(1);
    }
    assert_eq!((host.wanted(), host.held), (20, 0));
}

/// Ends of lives which are no crash of a new container; of each, one more than are asked for.
#[test]
fn what_does_not_count() {
    type End = fn(&mut Host, u64);
    let ends: [(&str, End); 6] = [
        ("asked to stop", |host, n| {
            host.killed(n, SIGTERM);
            host.dies(n);
        }),
        ("sent a signal that may have ended it", |host, n| {
            host.killed(n, SIGQUIT);
            host.dies(n);
        }),
        ("long", |host, n| {
            host.waits(60);
            host.dies(n);
        }),
        ("not heard", |host, n| host.tell(n, |as_of| Event::Absent { as_of })),
        ("of a container that lived before", |host, n| {
            let offers = vec![offer("_web._tcp", 40_000, EffectiveCheck::None)];
            host.killed(n, SIGTERM);
            host.dies(n);
            host.waits(1);
            let again = Sight { lived_before: true, ..running(host.now(), offers) };
            host.shows(n, again);
            host.dies(n);
        }),
        ("of a container that offers nothing", |host, n| {
            host.shows(n, running(host.now(), Vec::new()));
            host.dies(n);
        }),
    ];
    for (what, end) in ends {
        let mut host = Host::new();
        for n in 0..6 {
            host.starts(n);
            end(&mut host, n);
        }
        host.starts(100);
        assert_eq!((host.wanted(), host.held), (1, 0), "{what}");
    }
}
