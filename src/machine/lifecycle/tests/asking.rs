//! When a prober or an engine is asked anew, and when nobody is woken for nothing.

use super::*;
use crate::container::testing::service;
use crate::machine::lifecycle::doubt::{SETTLES, UNCHECKED};

fn asks(told: &Told) -> bool {
    told.effects.contains(&Effect::Inspect)
}

fn of_task(desired: Desired) -> Sight {
    Sight { task: Some("arn:task".into()), desired, ..sight(EffectiveCheck::None) }
}

#[test]
fn what_offers_nothing_changes_nothing_for_others() {
    let told = Told::new().seen(1, running(at(LIFE), vec![]));
    assert_eq!((told.effects, told.machine.ports()), (vec![], None));
}

#[test]
fn an_inspection_that_shows_nothing_new_asks_no_prober_anew_and_nobody_else() {
    let told = Told::live(EffectiveCheck::Tcp);
    assert!(!asks(&told));
    let told = told.seen(2, sight(EffectiveCheck::Tcp));
    assert_eq!(told.effects, [], "it waits for its check");
    assert_eq!(told.probed(Verdict::Up).seen(3, sight(EffectiveCheck::Tcp)).effects, []);
}

#[test]
fn ecs_is_asked_about_a_stop_once_that_is_believed_no_more_and_not_before() {
    let told = Told::new().seen(1, of_task(Desired::Unasked));
    assert!(!asks(&told), "nothing stops");
    let told = told.killed(SIGTERM, LIFE + 10).after(STOP_BELIEF - secs(1));
    let told = told.seen(2, of_task(Desired::Unasked));
    assert_eq!(told.effects, [], "it is believed");
    let told = told.after(secs(1)).seen(3, of_task(Desired::Unasked));
    assert!(asks(&told), "ECS was not asked");
    let frozen = Sight { running: Running::Paused, ..of_task(Desired::Unasked) };
    assert!(!asks(&told.seen(4, frozen)), "what is frozen has survived nothing yet");
}

#[test]
fn in_doubt_time_matters_to_a_check_that_is_inspected_and_to_what_has_none() {
    let told = doubted(EffectiveCheck::Tcp);
    assert_eq!(told.machine.deadline(), Some(told.now + SETTLES));
    assert_eq!(told.after(SETTLES).machine.deadline(), None, "its prober will say");
    let told = Told::new().seen(1, healthy(container::Health::Healthy)).killed(SIGQUIT, LIFE + 10);
    let told = told.after(SETTLES);
    assert_eq!(told.machine.deadline(), Some(told.now + secs(5)), "the log of its HEALTHCHECK");
    let told = doubted(EffectiveCheck::None);
    let over = told.now + UNCHECKED;
    assert_eq!(told.after(SETTLES).machine.deadline(), Some(over));
}

#[test]
fn a_healthcheck_in_doubt_after_a_signal_is_not_believed_for_time_alone() {
    let mut told = Told::new().seen(1, healthy(container::Health::Healthy)).killed(SIGQUIT, LIFE + 10);
    for _ in 0..30 {
        told = told.after(secs(5)).seen(2, healthy(container::Health::Healthy));
        assert_eq!(told.weights(), [0]);
    }
}

#[test]
fn a_signal_that_is_as_old_as_it_counts_changes_nothing() {
    let sent = |signal, age| Event::Killed { at: Seq(1), signal, time: at(LIFE + 10), age };
    let told = Told::live(EffectiveCheck::None);
    let before = told.machine.state().clone();
    let told = told.tell(sent(SIGQUIT, UNCHECKED)).tell(sent(SIGTERM, STOP_BELIEF));
    assert_eq!((told.machine.state(), told.effects), (&before, vec![]));
    let told = Told::new().tell(sent(SIGTERM, STOP_BELIEF));
    assert_eq!(told.machine.state(), &State::Idle);
    for (signal, age) in [(SIGQUIT, UNCHECKED - secs(1)), (SIGTERM, STOP_BELIEF - secs(1))] {
        assert_ne!(Told::live(EffectiveCheck::None).tell(sent(signal, age)).weights(), [5], "{signal}");
    }
}

#[test]
fn an_end_is_the_end_of_all_that_was_sent_before_it_and_of_nothing_later() {
    let killed =
        |place| Event::Killed { at: Seq(place), signal: SIGTERM, time: at(LIFE + place), age: secs(0) };
    let started = |place| Event::Started { at: Seq(place) };
    for (sent, over) in [(4, true), (5, true), (6, false)] {
        let told = Told::live(EffectiveCheck::None).tell(killed(sent));
        for end in [Event::Died { at: Seq(5), time: at(LIFE + 50) }, started(5)] {
            let (machine, _) = told.machine.clone().step(end, told.now);
            assert_eq!(*machine.state() == State::Idle, over, "sent at {sent}");
        }
    }
}

#[test]
fn an_inspection_from_before_a_turn_that_an_engine_remembers_shows_what_was() {
    let turned = Trace { turned: true, ..Trace::default() };
    let told = Told { seq: 5, ..Told::new() }.remembered(turned.clone(), false);
    let told = told.seen(5, sight(EffectiveCheck::None));
    assert_eq!(told.weights(), NOTHING);
    assert_eq!(told.seen(6, newer()).weights(), [5]);
    // What runs has been inspected since, as far as anybody knows.
    let told = Told { seq: 5, ..Told::live(EffectiveCheck::Tcp) }.remembered(turned, false);
    assert_eq!(told.seen(2, sight(EffectiveCheck::None)).weights(), [5]);
}

#[test]
fn that_what_has_no_weight_of_its_own_was_registered_without_one_says_nothing_of_a_pause() {
    for (own, standing) in [(0, Standing::Unjudged), (5, Standing::Away)] {
        let mut sight = Sight { running: Running::Paused, ..sight(EffectiveCheck::Tcp) };
        sight.offers[0].service = service("_web._tcp", 80, own);
        let told = Told::new().seen(1, sight).registered(32_768, 0);
        assert_eq!(told.machine.ports().map(|ports| ports.claims[0].standing), Some(standing), "{own}");
    }
}

#[test]
fn what_is_registered_of_a_life_that_another_may_have_proved_is_said_to_be_so() {
    let reason = |told: &Told| {
        let mut reasons = told.effects.iter().filter_map(|effect| match effect {
            Effect::Decided(decision) => Some(decision.reason),
            _ => None,
        });
        reasons.next()
    };
    let later = Told::new().seen(1, Sight { lived_before: true, ..sight(EffectiveCheck::Tcp) });
    assert_eq!(reason(&later.registered(32_768, 5)), Some(Reason::Inherited));
    assert_eq!(reason(&Told::live(EffectiveCheck::Tcp).registered(32_768, 5)), Some(Reason::Registered));
}

#[test]
fn a_signal_that_came_after_a_list_is_not_forgotten_with_what_that_did_not_show() {
    let told =
        Told { seq: 5, ..Told::new() }.killed(SIGTERM, LIFE + 10).tell(Event::Absent { as_of: Seq(5) });
    assert!(matches!(told.machine.state(), State::Stopping(_)));
    assert!(!told.machine.forgettable(Seq(5), told.now));
}

#[test]
fn the_latest_signal_is_told_by_when_it_was_sent() {
    let stopping = Told::live(EffectiveCheck::None).killed(SIGTERM, LIFE + 10).killed(SIGKILL, LIFE + 40);
    assert_eq!(stopping.machine.signalled(), Some(at(LIFE + 40)));
    assert_eq!(doubted(EffectiveCheck::None).machine.signalled(), Some(at(LIFE + 10)));
    assert_eq!(Told::live(EffectiveCheck::None).machine.signalled(), None);
}
