//! What is told of a container, and when it is inspected: after events, lists and inspections that fail or come early.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::container::convention::Protocol;
use crate::container::offer::At;
use crate::container::testing::{at, service};
use crate::container::{Binding, Network, Timestamp};
use crate::machine::testing::{SIGTERM, secs};
use crate::record::testing::id;

const NOW: Moment = Moment::after(Duration::from_secs(100));

fn resolver() -> TaskResolver {
    TaskResolver::new(Ipv4Addr::new(10, 0, 0, 1))
}

pub(super) fn container(n: u64) -> Container {
    Container {
        id: id(n),
        name: format!("c{n}"),
        started_at: Some(at(10)),
        lived_before: false,
        running: Running::Running,
        health: None,
        health_log: Vec::new(),
        healthcheck_frozen: false,
        stop_signal: SIGTERM,
        network: Network::Host,
        bindings: BTreeMap::new(),
        bound_ipv6: BTreeSet::new(),
        unpublished: BTreeSet::new(),
        in_ingress: false,
        services: Vec::new(),
        bad_keys: Vec::new(),
        ignored: false,
        task_arn: None,
        family: None,
    }
}

fn event(n: u64, happening: Happening, time: Timestamp) -> DockerEvent {
    DockerEvent { id: id(n), happening, time, age: Duration::ZERO }
}

fn seen(container: Container, network_owner: Option<Container>) -> Result<Inspection, String> {
    Ok(Inspection::Container {
        container: Box::new(container),
        network_owner: network_owner.map(Box::new),
        task_address: None,
        desired: Desired::Unasked,
    })
}

/// The next inspection, made at once.
fn inspect(resolver: &mut TaskResolver, inspection: Result<Inspection, String>, now: Moment) -> Vec<Output> {
    let due = resolver.next_inspection(now).expect("an inspection that is due");
    resolver.on_inspected(due, inspection, now);
    resolver.outputs()
}

fn warnings(outputs: &[Output]) -> Vec<String> {
    let text = |output: &Output| match output {
        Output::Warning { text, .. } => Some(text.clone()),
        _ => None,
    };
    outputs.iter().filter_map(text).collect()
}

fn troubles(outputs: &[Output]) -> Vec<Trouble> {
    let trouble = |output: &Output| match output {
        Output::Warning { trouble, .. } => Some(*trouble),
        _ => None,
    };
    outputs.iter().filter_map(trouble).collect()
}

fn killed(outputs: &[Output]) -> Vec<(ContainerId, u8)> {
    let signal = |output: &Output| match output {
        Output::Event(id, Event::Killed { signal, .. }) => Some((id.clone(), *signal)),
        _ => None,
    };
    outputs.iter().filter_map(signal).collect()
}

#[test]
fn an_inspection_bears_the_place_of_the_latest_news() {
    let mut resolver = resolver();
    resolver.on_event(event(1, Happening::Changed, at(20)), Seq(7), NOW);
    assert_eq!(
        resolver.next_inspection(NOW),
        Some(Due { id: id(1), as_of: Seq(7), at_task: false }),
        "and asks ECS for nothing"
    );
    resolver.inspect_task(id(2));
    assert_eq!(resolver.next_inspection(NOW), Some(Due { id: id(2), as_of: Seq(7), at_task: true }));
}

#[test]
fn what_failed_is_said_once_and_tried_again_later() {
    let mut resolver = resolver();
    resolver.inspect_task(id(1));
    let outputs = inspect(&mut resolver, Err("no answer".into()), NOW);
    assert_eq!(warnings(&outputs), ["could not be inspected, trying again: no answer"]);
    assert_eq!(troubles(&outputs), [Trouble::NotInspected]);
    assert_eq!(resolver.troubles().keys().collect::<Vec<_>>(), [&id(1)]);
    assert_eq!((resolver.next_inspection(NOW), resolver.due_at()), (None, Some(NOW + INSPECT_AGAIN)));
    assert_eq!(inspect(&mut resolver, Err("no answer".into()), NOW + INSPECT_AGAIN), []);
}

#[test]
fn ports_that_docker_lacks_are_given_a_moment_before_their_want_is_said() {
    let mut resolver = resolver();
    let early = Container {
        network: Network::Published,
        services: vec![service("_web._tcp", 80, 1)],
        ..container(1)
    };
    resolver.inspect_task(id(1));
    assert_eq!(warnings(&inspect(&mut resolver, seen(early.clone(), None), NOW)), [""; 0]);
    assert_eq!((resolver.next_inspection(NOW), resolver.due_at()), (None, Some(NOW + PORTS_LAG)));
    let outputs = inspect(&mut resolver, seen(early.clone(), None), NOW + PORTS_LAG);
    assert!(
        matches!(warnings(&outputs)[..], [ref text] if text.contains("on port 80 is not registered")),
        "{outputs:?}"
    );
    assert_eq!(troubles(&outputs), [Trouble::NotPublished]);

    // Once they were there, they may be late again in another life.
    let binding = Binding { address: Ipv4Addr::UNSPECIFIED, port: 8080 };
    let published = Container { bindings: [((80, Protocol::Tcp), vec![binding])].into(), ..early.clone() };
    resolver.inspect_task(id(1));
    inspect(&mut resolver, seen(published, None), NOW + secs(5));
    resolver.inspect_task(id(1));
    assert_eq!(warnings(&inspect(&mut resolver, seen(early, None), NOW + secs(6))), [""; 0]);
    assert_eq!(resolver.due_at(), Some(NOW + secs(6) + PORTS_LAG));
}

#[test]
fn a_list_has_inspected_what_it_shows_otherwise_and_what_something_happened_to() {
    let mut resolver = resolver();
    let list = || vec![Listed { id: id(1), fingerprint: "up".into() }];
    resolver.on_listed(list(), Seq(1));
    assert_eq!(resolver.outputs(), [Output::Listed([id(1)].into(), Seq(1))]);
    inspect(&mut resolver, seen(container(1), None), NOW);
    resolver.on_listed(list(), Seq(2));
    assert_eq!(resolver.next_inspection(NOW), None, "the same list again");
    resolver.on_event(event(1, Happening::Killed(SIGTERM), at(20)), Seq(3), NOW);
    assert_eq!(resolver.next_inspection(NOW), None, "a signal needs no inspection");
    resolver.on_listed(list(), Seq(4));
    inspect(&mut resolver, seen(container(1), None), NOW);
    resolver.inspect_all();
    resolver.on_listed(list(), Seq(5));
    assert!(resolver.next_inspection(NOW).is_some(), "all after a gap");
}

#[test]
fn an_inspection_that_a_list_overtakes_is_made_again_though_the_list_shows_nothing_new() {
    let mut resolver = resolver();
    let list = || vec![Listed { id: id(1), fingerprint: "up".into() }];
    resolver.on_listed(list(), Seq(1));
    let due = resolver.next_inspection(NOW).expect("it is new");
    resolver.on_listed(list(), Seq(2));
    resolver.on_inspected(due, seen(container(1), None), NOW);
    assert_eq!(resolver.next_inspection(NOW), Some(Due { id: id(1), as_of: Seq(2), at_task: false }));
}

#[test]
fn what_an_owner_is_sent_is_told_to_those_in_its_network_whenever_that_is_known() {
    let mut resolver = resolver();
    let sharer = Container { network: Network::Shared(id(1)), ..container(2) };
    resolver.on_event(event(1, Happening::Killed(SIGTERM), at(20)), Seq(1), NOW);
    assert_eq!(killed(&resolver.outputs()), [(id(1), SIGTERM)]);
    resolver.inspect_task(id(2));
    let outputs = inspect(&mut resolver, seen(sharer, Some(container(1))), NOW + secs(3));
    let late = Event::Killed { at: Seq(1), signal: SIGTERM, time: at(20), age: secs(3) };
    assert_eq!(outputs[0], Output::Event(id(2), late), "older by the time that passed meanwhile");
    resolver.on_event(event(1, Happening::Killed(SIGTERM), at(24)), Seq(2), NOW + secs(4));
    assert_eq!(killed(&resolver.outputs()), [(id(2), SIGTERM), (id(1), SIGTERM)]);
    resolver.on_event(event(1, Happening::Died, at(25)), Seq(3), NOW + secs(5));
    let died = |n| Output::Event(id(n), Event::Died { at: Seq(3), time: at(25) });
    assert_eq!(resolver.outputs(), [died(1), died(2)]);
}

/// A slow engine.
#[test]
fn an_inspection_that_an_end_of_the_networks_owner_overtakes_is_made_again() {
    let sharer = || Container { network: Network::Shared(id(1)), ..container(2) };
    for turn in [Happening::Died, Happening::Destroyed, Happening::Started] {
        for remembered in [false, true] {
            let mut resolver = resolver();
            resolver.inspect_task(id(2));
            let slow = resolver.next_inspection(NOW).unwrap();
            let happened = [event(1, Happening::Killed(SIGTERM), at(20)), event(1, turn, at(21))];
            if remembered {
                resolver.on_remembered(happened.into(), true, Seq(2), NOW);
            } else {
                for (event, seq) in happened.into_iter().zip(1..) {
                    resolver.on_event(event, Seq(seq), NOW);
                }
            }
            resolver.outputs();
            resolver.on_inspected(slow, seen(sharer(), Some(container(1))), NOW);
            assert_eq!(resolver.outputs(), [], "{turn:?}, remembered: {remembered}");
            let again = Due { id: id(2), as_of: Seq(2), at_task: true };
            let due: Vec<_> = std::iter::from_fn(|| resolver.next_inspection(NOW)).collect();
            assert!(due.contains(&again), "{turn:?}, remembered: {remembered}: {due:?}");
            resolver.on_inspected(again, seen(sharer(), Some(container(1))), NOW);
            assert!(!resolver.outputs().is_empty(), "{turn:?}, remembered: {remembered}");
        }
    }
}

#[test]
fn an_owner_that_is_seen_stopped_is_told_of_though_nobody_told_of_its_end() {
    let mut resolver = resolver();
    let sharer = Container { network: Network::Shared(id(1)), ..container(2) };
    let owner = Container { running: Running::Stopped, ..container(1) };
    resolver.inspect_task(id(2));
    let outputs = inspect(&mut resolver, seen(sharer, Some(owner)), NOW);
    let stopped = |output: &Output| matches!(output, Output::Event(owner, Event::Seen { sight, .. }) if *owner == id(1) && sight.running == Running::Stopped);
    assert!(outputs.iter().any(stopped), "{outputs:?}");
}

#[test]
fn of_what_is_removed_nothing_is_due_and_nothing_kept() {
    let mut resolver = resolver();
    let list = || vec![Listed { id: id(1), fingerprint: "up".into() }];
    resolver.on_listed(list(), Seq(1));
    inspect(&mut resolver, Err("no answer".into()), NOW);
    resolver.on_event(event(1, Happening::Destroyed, at(20)), Seq(2), NOW);
    assert_eq!(resolver.outputs(), [Output::Event(id(1), Event::Absent { as_of: Seq(2) })]);
    assert_eq!((resolver.next_inspection(NOW + INSPECT_AGAIN), resolver.due_at()), (None, None));
    assert_eq!(
        inspect_listed(&mut resolver),
        ["could not be inspected, trying again: no answer"],
        "said anew"
    );
}

fn inspect_listed(resolver: &mut TaskResolver) -> Vec<String> {
    resolver.on_listed(vec![Listed { id: id(1), fingerprint: "up".into() }], Seq(3));
    let outputs = inspect(resolver, Err("no answer".into()), NOW + secs(60));
    warnings(&outputs)
}

#[test]
fn turns_that_were_heard_live_are_no_news_when_the_engine_remembers_them_but_are_after_a_new_start() {
    let (mut resolver, started) = (resolver(), event(1, Happening::Started, at(10)));
    let turned = |resolver: &mut TaskResolver| match &resolver.outputs()[..] {
        [Output::Remembered(past)] => past.traces[&id(1)].turned,
        outputs => panic!("{outputs:?}"),
    };
    resolver.on_event(started.clone(), Seq(1), NOW);
    assert_eq!(resolver.outputs(), [Output::Event(id(1), Event::Started { at: Seq(1) })]);
    resolver.on_remembered(vec![started.clone()], false, Seq(2), NOW);
    assert!(!turned(&mut resolver));
    resolver.start_over();
    resolver.on_remembered(vec![started], false, Seq(3), NOW);
    assert!(turned(&mut resolver));
}

#[test]
fn of_whom_the_engine_remembers_something_new_the_next_list_is_news_though_it_looks_as_before() {
    let mut resolver = resolver();
    let list = || [1, 2, 3].map(|n| Listed { id: id(n), fingerprint: "up".into() }).to_vec();
    resolver.on_listed(list(), Seq(1));
    assert_eq!(looked_at(&mut resolver), [id(1), id(2), id(3)]);
    let past = [event(1, Happening::Started, at(10)), event(2, Happening::Killed(SIGTERM), at(11))];
    resolver.on_remembered(past.to_vec(), false, Seq(2), NOW);
    resolver.on_listed(list(), Seq(3));
    assert_eq!(looked_at(&mut resolver), [id(1), id(2)]);
    let past = [event(1, Happening::Started, at(10)), event(3, Happening::Died, at(12))];
    resolver.on_remembered(past.to_vec(), false, Seq(4), NOW);
    resolver.on_listed(list(), Seq(5));
    assert_eq!(looked_at(&mut resolver), [id(3)]);
}

/// Inspects all that is due.
fn looked_at(resolver: &mut TaskResolver) -> Vec<ContainerId> {
    let mut all = Vec::new();
    while let Some(due) = resolver.next_inspection(NOW) {
        all.push(due.id.clone());
        resolver.on_inspected(due.clone(), seen(container(1), None), NOW);
    }
    all
}

/// A container whose network another one shares, both running and looked at.
fn owner_and_sharer() -> TaskResolver {
    let mut resolver = resolver();
    resolver.on_listed(list_of("80"), Seq(1));
    let sharer = Container { network: Network::Shared(id(1)), ..container(2) };
    while let Some(due) = resolver.next_inspection(NOW) {
        let owner = (due.id == id(2)).then(|| container(1));
        let shown = if due.id == id(1) { container(1) } else { sharer.clone() };
        resolver.on_inspected(due, seen(shown, owner), NOW);
    }
    resolver
}

/// What the engine lists of the two, where the first has this port.
fn list_of(port: &str) -> Vec<Listed> {
    [(1, port), (2, "")].map(|(n, port)| Listed { id: id(n), fingerprint: port.into() }).into()
}

fn due(resolver: &mut TaskResolver) -> Vec<ContainerId> {
    std::iter::from_fn(|| resolver.next_inspection(NOW)).map(|due| due.id).collect()
}

#[test]
fn another_network_of_what_runs_is_worth_a_look_at_it_and_at_all_in_its_network() {
    let mut resolver = owner_and_sharer();
    resolver.on_event(event(1, Happening::Rewired, at(20)), Seq(2), NOW);
    assert_eq!(due(&mut resolver), [id(1), id(2)]);
}

#[test]
fn a_network_before_a_start_or_after_an_end_is_no_news() {
    let mut resolver = owner_and_sharer();
    resolver.on_event(event(3, Happening::Rewired, at(20)), Seq(2), NOW);
    assert_eq!(due(&mut resolver), []);
    resolver.on_event(event(3, Happening::Started, at(21)), Seq(3), NOW);
    assert_eq!(due(&mut resolver), [id(3)]);
    resolver.on_event(event(3, Happening::Died, at(22)), Seq(4), NOW);
    due(&mut resolver);
    resolver.on_event(event(3, Happening::Rewired, at(23)), Seq(5), NOW);
    assert_eq!(due(&mut resolver), []);
}

#[test]
fn a_host_that_moves_looks_at_all_again_and_at_the_ports_of_its_new_address() {
    let (old, new) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let mut resolver = resolver();
    let bindings = BTreeMap::from([(
        (80, Protocol::Tcp),
        vec![Binding { address: old, port: 32_768 }, Binding { address: new, port: 32_769 }],
    )]);
    let shown = Container {
        network: Network::Published,
        bindings,
        services: vec![service("_web._tcp", 80, 1)],
        ..container(1)
    };
    let at = |port| [At::Host { port }];
    let ports = |resolver: &mut TaskResolver| {
        resolver.on_listed(vec![Listed { id: id(1), fingerprint: "up".into() }], Seq(2));
        let mut ports = Vec::new();
        while let Some(due) = resolver.next_inspection(NOW) {
            resolver.on_inspected(due, seen(shown.clone(), None), NOW);
            for output in resolver.outputs() {
                if let Output::Event(_, Event::Seen { sight, .. }) = output {
                    ports.extend(sight.offers.iter().map(|offer| offer.endpoint().at));
                }
            }
        }
        ports
    };
    assert_eq!(ports(&mut resolver), at(32_768));
    assert_eq!(ports(&mut resolver), [], "the list shows what it showed");
    resolver.on_moved(new);
    assert_eq!(ports(&mut resolver), at(32_769));
}

#[test]
fn a_list_that_shows_an_owner_otherwise_has_its_sharers_inspected_too() {
    let mut resolver = owner_and_sharer();
    resolver.on_listed(list_of("80"), Seq(2));
    assert_eq!(due(&mut resolver), []);
    resolver.on_listed(list_of("81"), Seq(3));
    assert_eq!(due(&mut resolver), [id(1), id(2)]);
}

#[test]
fn what_began_runs_though_an_older_list_lacks_it_and_what_ended_does_not() {
    let answered = |resolver: &mut TaskResolver| {
        while let Some(due) = resolver.next_inspection(NOW) {
            let shown = container(if due.id == id(1) { 1 } else { 3 });
            resolver.on_inspected(due, seen(shown, None), NOW);
        }
    };
    let mut resolver = owner_and_sharer();
    resolver.on_event(event(3, Happening::Started, at(21)), Seq(3), NOW);
    answered(&mut resolver);
    resolver.on_listed(list_of("80"), Seq(2));
    answered(&mut resolver);
    resolver.on_event(event(3, Happening::Rewired, at(22)), Seq(4), NOW);
    assert_eq!(due(&mut resolver), [id(3)]);
    let mut resolver = owner_and_sharer();
    for (n, happening) in [Happening::Started, Happening::Died].into_iter().enumerate() {
        resolver.on_event(event(3, happening, at(21 + n as u64)), Seq(3 + n as u64), NOW);
        answered(&mut resolver);
    }
    resolver.on_event(event(3, Happening::Rewired, at(30)), Seq(9), NOW);
    assert_eq!(due(&mut resolver), []);
}

#[test]
fn an_answer_of_before_is_not_told_once_its_container_may_be_forgotten() {
    let forget: [fn(&mut TaskResolver); 2] =
        [|resolver| resolver.on_listed(Vec::new(), Seq(3)), TaskResolver::start_over];
    for forget in forget {
        let mut resolver = resolver();
        resolver.on_event(event(1, Happening::Started, at(10)), Seq(1), NOW);
        let slow = resolver.next_inspection(NOW).expect("an inspection of what began");
        resolver.on_event(event(1, Happening::Died, at(11)), Seq(2), NOW);
        forget(&mut resolver);
        resolver.on_event(event(1, Happening::Started, at(12)), Seq(4), NOW);
        resolver.outputs();
        resolver.on_inspected(slow, seen(container(1), None), NOW);
        assert_eq!(resolver.outputs(), []);
        assert_eq!(resolver.next_inspection(NOW).map(|due| due.as_of), Some(Seq(4)), "and another is made");
    }
}
