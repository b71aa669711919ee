//! A pause, by how long it lasts, for each kind of check and of name.

use super::*;
use crate::container::convention::{Answer, Service};
use crate::machine::lifecycle::pause::{WEIGHTLESS_AFTER, WITHDRAWN_AFTER};

const MOMENT: Duration = Duration::from_millis(1);

fn paused(check: EffectiveCheck) -> Sight {
    Sight { running: Running::Paused, ..sight(check) }
}

/// A life that serves, for each check, paused just now.
fn frozen() -> [(EffectiveCheck, Told); 3] {
    let of = |check: EffectiveCheck| {
        let seen = match check.clone() {
            EffectiveCheck::Docker => Told::new().seen(1, healthy(container::Health::Healthy)),
            EffectiveCheck::Tcp => Told::live(EffectiveCheck::Tcp).probed(Verdict::Up),
            other => Told::live(other),
        };
        assert_eq!(seen.weights(), [5]);
        (check.clone(), seen.seen(2, paused(check)))
    };
    [EffectiveCheck::None, EffectiveCheck::Tcp, EffectiveCheck::Docker].map(of)
}

/// The same goes on; a HEALTHCHECK says what it said before.
fn goes_on(told: Told, check: &EffectiveCheck) -> Told {
    match check {
        EffectiveCheck::Docker => told.seen(9, healthy(container::Health::Healthy)),
        other => told.seen(9, sight(other.clone())),
    }
}

#[test]
fn a_short_pause_changes_nothing() {
    for (check, told) in frozen() {
        assert_eq!(told.weights(), [5], "{check}");
        assert!(!told.effects.iter().any(|effect| matches!(effect, Effect::Claim(_) | Effect::Decided(_))));
        let told = told.after(WEIGHTLESS_AFTER - MOMENT);
        assert_eq!(told.weights(), [5], "{check}");
        assert_eq!(goes_on(told, &check).weights(), [5], "{check}");
    }
}

#[test]
fn a_longer_one_takes_the_weight_and_then_the_record() {
    for (check, told) in frozen() {
        let began = told.now;
        assert!(told.effects.contains(&Effect::WakeAt(began + WEIGHTLESS_AFTER)), "{:?}", told.effects);
        let told = told.after(WEIGHTLESS_AFTER);
        assert_eq!((told.weights(), &told.effects[..]), (vec![5], &[Effect::Inspect][..]), "{check}");
        let told = told.seen(3, paused(check.clone()));
        assert_eq!(told.weights(), [0], "{check}");
        let reason = |effect: &Effect| match effect {
            Effect::Decided(decision) => Some(decision.reason),
            _ => None,
        };
        assert_eq!(told.effects.iter().find_map(reason), Some(Reason::Paused));
        assert!(told.effects.contains(&Effect::WakeAt(began + WITHDRAWN_AFTER)), "{:?}", told.effects);
        let told = told.after(WITHDRAWN_AFTER - WEIGHTLESS_AFTER);
        assert_eq!((told.weights(), &told.effects[..]), (vec![0], &[Effect::Inspect][..]), "{check}");
        let told = told.seen(4, paused(check.clone()));
        assert_eq!((told.weights(), told.machine.deadline()), (vec![], None), "{check}");
        let claimed = told.machine.ports().map(|ports| ports.claims[0].standing);
        assert_eq!(claimed, Some(Standing::Away), "its process is still there");
    }
}

#[test]
fn nothing_is_withdrawn_while_no_inspection_says_that_it_goes_on() {
    for (check, told) in frozen() {
        let mut told = told.after(WEIGHTLESS_AFTER).seen(3, paused(check.clone()));
        for _ in 0..60 {
            told = told.after(WITHDRAWN_AFTER);
            assert_eq!(told.weights(), [0], "{check}: Docker is away");
        }
        let told = goes_on(told, &check);
        assert_eq!(told.weights(), if check == EffectiveCheck::None { [5] } else { [0] });
    }
}

#[test]
fn a_healthcheck_that_says_nothing_new_is_believed_after_a_minute() {
    for lasts in [WEIGHTLESS_AFTER, WITHDRAWN_AFTER] {
        let [_, _, (check, told)] = frozen();
        let told = goes_on(told.after(lasts).seen(3, paused(check.clone())), &check);
        let mut told = told.after(secs(59));
        assert!(!told.weights().contains(&5));
        told = told.after(secs(1));
        assert_eq!((told.weights(), told.machine.deadline()), (vec![5], None));
    }
}

#[test]
fn a_look_that_comes_before_the_timer_counts_the_time() {
    for (check, mut told) in frozen() {
        told.now += WEIGHTLESS_AFTER;
        assert_eq!(told.seen(3, paused(check.clone())).weights(), [0], "{check}");
    }
}

#[test]
fn nobody_is_asked_while_it_is_paused_and_what_was_asked_before_says_nothing() {
    for (check, told) in frozen() {
        assert_eq!(told.machine.probing(), None, "{check}");
        let offer = told.machine.ports().unwrap().claims[0].offer.clone();
        let Some(target) = Target::of(&offer) else { continue };
        for verdict in [Verdict::Up, Verdict::Down] {
            let event = Event::Probed { life: at(LIFE), target: target.clone(), verdict };
            let (machine, effects) = told.machine.clone().step(event, told.now);
            assert_eq!((&machine, effects), (&told.machine, vec![]));
        }
    }
}

#[test]
fn after_a_long_one_the_weight_is_back_after_a_pass() {
    for lasts in [WEIGHTLESS_AFTER, WITHDRAWN_AFTER] {
        for (check, told) in frozen() {
            let told = goes_on(told.after(lasts).seen(3, paused(check.clone())), &check);
            let before = if lasts == WITHDRAWN_AFTER { vec![] } else { vec![0] };
            match check {
                EffectiveCheck::None => assert_eq!(told.weights(), [5]),
                EffectiveCheck::Docker => {
                    assert_eq!(told.weights(), before, "Docker says what it said before");
                    let told = told.after(Duration::ZERO);
                    assert!(told.effects.contains(&Effect::Inspect), "{:?}", told.effects);
                    let run = |passed| Checked { began: at(LIFE + 90), passed };
                    let log =
                        |passed| Sight { log: vec![run(passed)], ..healthy(container::Health::Healthy) };
                    let told = told.seen(10, log(false));
                    assert_eq!(told.weights(), before);
                    let later = Checked { began: at(LIFE + 95), passed: true };
                    let told = told.seen(11, Sight { log: vec![run(false), later], ..log(false) });
                    assert_eq!(told.weights(), [5]);
                }
                _ => {
                    assert_eq!(told.weights(), before);
                    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
                }
            }
        }
    }
}

#[test]
fn one_that_has_not_passed_is_not_registered_by_a_pause_and_the_log_does_not_wait_for_it() {
    let told = Told::live(EffectiveCheck::Tcp).seen(2, paused(EffectiveCheck::Tcp));
    let told = told.after(REMIND_AFTER * 2);
    assert_eq!(told.weights(), NOTHING);
    assert!(!told.effects.iter().any(|effect| matches!(effect, Effect::Unproven(_))), "{:?}", told.effects);
    let told = told.seen(3, sight(EffectiveCheck::Tcp));
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
}

#[test]
fn one_that_is_paused_when_it_is_first_seen_keeps_what_an_earlier_run_registered() {
    let met = |check: &EffectiveCheck| Told::new().seen(1, paused(check.clone()));
    for check in [EffectiveCheck::None, EffectiveCheck::Tcp] {
        assert_eq!(met(&check).weights(), NOTHING, "nothing is new while it is paused");
        let told = met(&check).registered(32_768, 5);
        assert_eq!(told.weights(), [5], "{check}");
        let told = told.after(WEIGHTLESS_AFTER).seen(3, paused(check.clone()));
        assert_eq!(told.weights(), [0], "{check}");
        let told = goes_on(told, &check);
        let told = if check == EffectiveCheck::None { told } else { told.probed(Verdict::Up) };
        assert_eq!(told.weights(), [5], "{check}");
    }
    assert_eq!(goes_on(met(&EffectiveCheck::None), &EffectiveCheck::None).weights(), [5]);
    let again = Sight { lived_before: true, ..paused(EffectiveCheck::None) };
    let told = Told::new().seen(1, again).registered(32_768, 5);
    assert_eq!(told.weights(), [5], "what has no check proves nothing in any life");
    let told = met(&EffectiveCheck::None).registered(32_768, 0);
    assert_eq!(told.weights(), [0], "an earlier run had taken the weight for the pause");
    assert_eq!(goes_on(told, &EffectiveCheck::None).weights(), [5]);
}

#[test]
fn one_that_is_paused_when_it_is_first_seen_may_have_its_port_and_nobody_asks_there() {
    let standing = |told: &Told| told.machine.ports().unwrap().claims[0].standing;
    let met = Told::new().seen(1, paused(EffectiveCheck::Tcp));
    assert_eq!(standing(&met), Standing::Away, "the kernel would answer for it, whoever asks");
    assert_eq!(standing(&goes_on(met, &EffectiveCheck::Tcp)), Standing::Unproven);
}

#[test]
fn what_is_registered_only_after_a_long_pause_has_to_pass_too() {
    let told = Told::new().seen(1, paused(EffectiveCheck::Tcp)).after(WEIGHTLESS_AFTER);
    let told = told.seen(2, sight(EffectiveCheck::Tcp)).registered(32_768, 5);
    assert_eq!(told.weights(), [0]);
    assert_eq!(told.probed(Verdict::Up).weights(), [5]);
}

#[test]
fn a_full_name_is_left_alone_throughout() {
    for check in [EffectiveCheck::None, EffectiveCheck::Tcp] {
        let all = || {
            let mut offered = offer("_web-all._tcp", 32_768, check.clone());
            offered.service = Service { answer: Answer::All, ..offered.service };
            running(at(LIFE), vec![offered, offer("_web._tcp", 32_768, check.clone())])
        };
        let serves = |told: Told| match check {
            EffectiveCheck::None => told,
            _ => told.probed(Verdict::Up),
        };
        let routings =
            |told: &Told| -> Vec<_> { told.machine.wanted().iter().map(|wanted| wanted.routing()).collect() };
        let told = serves(Told::new().seen(1, all()));
        let both = [Routing::Multivalue, Routing::Weighted(5)];
        assert_eq!(routings(&told), both);
        let told = told.seen(2, Sight { running: Running::Paused, ..all() });
        assert_eq!(routings(&told), both);
        let frozen = || Sight { running: Running::Paused, ..all() };
        let told = told.after(WEIGHTLESS_AFTER).seen(3, frozen());
        assert_eq!(routings(&told), [Routing::Multivalue, Routing::Weighted(0)]);
        let told = told.after(WITHDRAWN_AFTER).seen(4, frozen());
        assert_eq!(routings(&told), [Routing::Multivalue]);
        let told = told.seen(5, all());
        assert_eq!(routings(&told)[0], Routing::Multivalue);
        assert_eq!(routings(&serves(told)), both);
    }
}

#[test]
fn what_a_signal_meant_is_told_by_an_inspection_that_shows_a_pause_too() {
    let met = |signal| Told::new().killed(signal, LIFE + 10).seen(1, paused(EffectiveCheck::None));
    let told = met(SIGHUP).registered(32_768, 5);
    assert_eq!(told.weights(), [5], "it asked for no stop");
    assert_eq!(met(SIGTERM).registered(32_768, 5).weights(), NOTHING);
}

#[test]
fn a_signal_ends_a_pause_and_one_that_may_end_it_is_doubted_from_its_end_on() {
    for (check, told) in frozen() {
        let stopping = told.killed(SIGTERM, LIFE + 10);
        assert_eq!((stopping.weights(), stopping.machine.leaves()), (vec![], true), "{check}");
        assert_eq!(stopping.seen(3, paused(check)).weights(), NOTHING);
    }
    let told = Told::live(EffectiveCheck::Tcp).probed(Verdict::Up).seen(2, paused(EffectiveCheck::Tcp));
    let told = told.killed(SIGQUIT, LIFE + 10).after(secs(30)).seen(3, sight(EffectiveCheck::Tcp));
    let told = told.probed(Verdict::Up);
    assert_eq!(told.weights(), [0], "what was frozen takes the signal only now");
    assert_eq!(told.after(secs(10)).probed(Verdict::Up).weights(), [5]);
}

#[test]
fn a_pause_is_inspected_when_it_may_have_come_further_and_not_before_or_twice() {
    for (check, told) in frozen() {
        assert!(told.machine.is_paused() && !Told::live(check.clone()).machine.is_paused());
        let due = told.now + WEIGHTLESS_AFTER;
        let told = told.after(WEIGHTLESS_AFTER - MOMENT);
        assert_eq!((told.effects.as_slice(), told.machine.deadline()), (&[][..], Some(due)), "{check}");
        let told = told.after(MOMENT);
        assert_eq!((told.effects.as_slice(), told.machine.deadline()), (&[Effect::Inspect][..], None));
        assert_eq!(told.after(secs(1)).effects, [], "{check}: it was asked for");
    }
}

#[test]
fn a_signal_that_was_doubted_before_a_pause_is_doubted_for_as_long_after_it() {
    let told = doubted(EffectiveCheck::Tcp).after(secs(30)).seen(2, paused(EffectiveCheck::Tcp));
    let told = told.after(secs(30)).seen(3, sight(EffectiveCheck::Tcp)).after(secs(9)).probed(Verdict::Up);
    assert_eq!(told.weights(), [0], "what was frozen takes its grace only now");
    assert_eq!(told.after(secs(1)).probed(Verdict::Up).weights(), [5]);
    let told = doubted(EffectiveCheck::None).after(secs(30)).seen(2, paused(EffectiveCheck::None));
    let told = told.after(secs(30)).seen(3, sight(EffectiveCheck::None)).after(secs(59));
    assert_eq!(told.weights(), [0]);
    assert_eq!(told.after(secs(1)).weights(), [5]);
}

#[test]
fn a_healthcheck_in_doubt_after_a_pause_is_believed_after_a_minute_and_not_with_the_next_inspection() {
    let [_, _, (check, told)] = frozen();
    let told = goes_on(told.after(WEIGHTLESS_AFTER).seen(3, paused(check.clone())), &check);
    let over = told.now + secs(60);
    assert_eq!(told.after(secs(58)).machine.deadline(), Some(over));
}

#[test]
fn the_log_waits_for_a_check_from_the_end_of_a_pause_on() {
    let told = Told::live(EffectiveCheck::Tcp).after(secs(50)).seen(2, paused(EffectiveCheck::Tcp));
    let told = told.after(secs(4)).seen(3, sight(EffectiveCheck::Tcp));
    assert_eq!(reminded(told, &[59, 1]).1, [60]);
}
