//! What is said of a step: to the debug log, and why a container's wants changed.

use super::*;

/// The step that an event makes, and the reasons of what it decides.
fn said(told: &Told, event: Event) -> (String, Vec<Reason>) {
    let (_, effects) = told.machine.clone().step(event, told.now);
    let edge = effects.iter().find_map(|effect| match effect {
        Effect::Stepped(edge) => Some(edge.to_string()),
        _ => None,
    });
    let reasons = effects.iter().filter_map(|effect| match effect {
        Effect::Decided(decision) => Some(decision.reason),
        _ => None,
    });
    (edge.expect("a step"), reasons.collect())
}

fn look(told: &Told, sight: Sight) -> (String, Vec<Reason>) {
    said(told, Event::Seen { as_of: Seq(10), sight: Box::new(sight) })
}

#[test]
fn a_look_is_said_by_what_it_showed_and_to_whom() {
    let live = Told::live(EffectiveCheck::None);
    let is = |words: &str, reasons: &[Reason]| (words.to_owned(), reasons.to_vec());
    let seen = look(&Told::new(), sight(EffectiveCheck::None));
    assert_eq!(seen, is("idle -> live (seen running)", &[Reason::Seen]));
    assert_eq!(look(&live, sight(EffectiveCheck::None)), is("live -> live (seen again)", &[]));
    assert_eq!(look(&live, newer()), is("live -> live (seen in a newer life)", &[Reason::Seen]));
    assert_eq!(look(&live, shown(Running::Stopped)), is("live -> idle (seen stopped)", &[Reason::Stopped]));
    assert_eq!(look(&live, shown(Running::Paused)).1, [Reason::Paused]);
    let of_docker = Told::live(EffectiveCheck::Docker);
    let passes = is("live -> live (seen again)", &[Reason::Healthy]);
    assert_eq!(look(&of_docker, healthy(container::Health::Healthy)), passes);
    let fails =
        look(&of_docker.seen(2, healthy(container::Health::Healthy)), healthy(container::Health::Unhealthy));
    assert_eq!(fails.1, [Reason::Unhealthy]);
}

#[test]
fn what_happened_is_said_by_its_name() {
    let live = Told::live(EffectiveCheck::None);
    let killed = Event::Killed { at: Seq(2), signal: SIGTERM, time: at(LIFE + 10), age: Duration::ZERO };
    assert_eq!(said(&live, killed), ("live -> stopping (killed)".to_owned(), vec![Reason::Killed(SIGTERM)]));
    let died = Event::Died { at: Seq(2), time: at(LIFE + 10) };
    assert_eq!(said(&live, died), ("live -> idle (died)".to_owned(), vec![Reason::Died]));
    let absent = Event::Absent { as_of: Seq(2) };
    assert_eq!(said(&live, absent), ("live -> idle (absent)".to_owned(), vec![Reason::Absent]));
    assert_eq!(said(&live, Event::Drain), ("live -> drained (drain)".to_owned(), vec![Reason::Drain]));
    assert_eq!(live.machine.phase(), "live");
}

#[test]
fn what_waits_for_its_check_is_said_with_what_asks() {
    let waits = |check, health| Unproven {
        offer: offer("_web._tcp", 32_768, check),
        waited: secs(60),
        health,
        taken: None,
    };
    for (check, probed) in [(EffectiveCheck::Tcp, true), (EffectiveCheck::Docker, false)] {
        assert_eq!(waits(check, None).is_probed(), probed);
    }
    let says = |health| waits(EffectiveCheck::Docker, health).docker_says();
    assert_eq!(says(None), "none");
    assert!(says(Some(container::Health::Starting)).starts_with("starting"));
    assert!(says(Some(container::Health::Unhealthy)).starts_with("unhealthy"));
}
