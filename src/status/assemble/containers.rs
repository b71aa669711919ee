//! Each container: where it is in its life, what of it can be seen in DNS, and what that waits for.

use super::records::Records;
use super::{Seen, millis};
use crate::container::convention::{self, Answer};
use crate::container::offer::{EffectiveCheck, Offer};
use crate::machine::lifecycle::pause::Phase;
use crate::machine::lifecycle::restarts::Loop;
use crate::machine::lifecycle::{Health, Life, State, Target, Tracked};
use crate::machine::registrar::{Known, Latest};
use crate::record::ContainerId;
use crate::status::schema::{Checked, Container, Record, RecordState, Service, Step, StepState};

pub(super) fn containers(seen: &Seen, records: &mut Records) -> Vec<Container> {
    let known = seen.registrar.iter().flat_map(|registrar| &registrar.containers);
    let mut containers: Vec<_> = known.map(|known| container(known, seen, records)).collect();
    containers.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    containers
}

fn container(known: &Known, seen: &Seen, records: &mut Records) -> Container {
    let Known { id, name, lifecycle, latest: Latest { step, decision } } = known;
    let services: Vec<_> = match lifecycle.state() {
        State::Live(life) => {
            life.services.iter().map(|tracked| service(id, life, tracked, seen, records)).collect()
        }
        State::Idle | State::Stopping(_) | State::Drained => Vec::new(),
    };
    let records = records.take_container(id);
    let troubles = seen.troubles.as_ref().and_then(|troubles| troubles.get(id)).cloned().unwrap_or_default();
    Container {
        id: id.short().to_owned(),
        name: name.clone(),
        state: lifecycle.phase().to_owned(),
        by: step.map(|(_, edge)| edge.by.to_owned()),
        since_ago: step.map(|(at, _)| seen.ago(at)),
        why: decision.map(|(_, reason)| reason.to_string()),
        task: lifecycle.task().map(str::to_owned),
        waits_for: waits_for(lifecycle.state(), &services, &records, seen),
        troubles,
        services,
        records,
    }
}

fn waits_for(state: &State, services: &[Service], records: &[Record], seen: &Seen) -> Option<String> {
    let stops = |step: &&Step| matches!(step.state, StepState::Waits | StepState::Failed);
    let of_service = services.iter().find_map(|service| {
        let step = service.life.iter().find(stops)?;
        let why = step.why.clone().unwrap_or_else(|| step.step.to_owned());
        Some(if services.len() == 1 { why } else { format!("{}: {why}", service.name) })
    });
    let leaves = records.iter().find(|record| record.state != RecordState::Registered);
    let leaves = leaves.map(|record| match &record.refused {
        Some(reason) => format!("{} {}: {reason}", record.name, record.r#type),
        None => format!("{} {} to be written", record.name, record.r#type),
    });
    let stop = match state {
        State::Stopping(stopping) if stopping.life.is_none() => {
            Some("an inspection, which tells what the signal that was sent means to it".to_owned())
        }
        State::Stopping(stopping) => {
            let seconds = seen.until(stopping.until()).ceil();
            Some(format!("its end: it was asked to stop, and is believed to for {seconds} s yet"))
        }
        State::Idle | State::Live(_) | State::Drained => None,
    };
    of_service.or(leaves).or(stop)
}

fn service(id: &ContainerId, life: &Life, tracked: &Tracked, seen: &Seen, records: &mut Records) -> Service {
    let offer = &tracked.offer;
    let (name, port) = (offer.service.name.as_str().to_owned(), offer.service.container_port);
    let record = records.of_service(id, &offer.service);
    let cordoned = cordoned(id, &offer.service, seen);
    let of = |target| seen.checks.get(id)?.iter().find(|(of, _)| *of == target);
    let checked = Target::of(offer).and_then(of).map(|(_, checked)| Checked {
        outcome: checked.outcome.as_str().to_owned(),
        error: checked.error.clone(),
        took_ms: millis(checked.took),
        ago: seen.ago(checked.at),
    });
    Service {
        port,
        protocol: offer.service.protocol.to_string(),
        at: offer.at.to_string(),
        weight: offer.service.weight,
        cordoned,
        check: offer.check.to_string(),
        life: vec![
            started(life, offer, seen),
            check_step(life, tracked, checked.as_ref(), seen),
            port_step(life, tracked, seen),
            registered(record.as_ref(), cordoned, seen),
        ],
        name,
        checked,
        record,
    }
}

fn step(step: &'static str, state: StepState, why: Option<String>) -> Step {
    Step { step, state, why }
}

fn started(life: &Life, offer: &Offer, seen: &Seen) -> Step {
    if let Some(pause) = &life.pause {
        let (state, what) = paused(pause.phase, offer.service.answer);
        let seconds = seen.ago(pause.since).floor();
        return step("started", state, Some(format!("it is paused for {seconds} s: {what}")));
    }
    match &life.hold {
        Some(hold) => {
            let seconds = seen.until(hold.until).ceil();
            let why = match &hold.of {
                Loop::Own => format!("it restarts too often: kept out of DNS for {seconds} s yet"),
                Loop::Family(family) => {
                    format!(
                        "others of its kind ({family}) end too often: kept out of DNS for {seconds} s yet"
                    )
                }
            };
            step("started", StepState::Waits, Some(why))
        }
        None => step("started", StepState::Done, None),
    }
}

fn paused(phase: Phase, answer: Answer) -> (StepState, &'static str) {
    match phase {
        _ if answer == Answer::All => (StepState::Done, "a full name stays as it is"),
        Phase::Short => (StepState::Done, "a short pause changes nothing"),
        Phase::Weightless => (StepState::Weak, "weight 0, withdrawn after 60 s"),
        Phase::Withdrawn => (StepState::Waits, "withdrawn until it goes on and its check passes"),
    }
}

fn check_step(life: &Life, tracked: &Tracked, checked: Option<&Checked>, seen: &Seen) -> Step {
    let said = || match (&tracked.offer.check, checked) {
        (EffectiveCheck::Docker, _) => "see State.Health of docker inspect".to_owned(),
        (_, Some(Checked { error: Some(error), .. })) => error.clone(),
        (_, Some(_)) => "it has to pass once more".to_owned(),
        (_, None) => "nothing was answered yet".to_owned(),
    };
    let check = &tracked.offer.check;
    let (state, why) = match tracked.health {
        Health::Serving if tracked.doubted => {
            let until = match tracked.offer.check {
                EffectiveCheck::None => "for a minute",
                _ => "until its check passes",
            };
            let why = format!("it was paused, or sent a signal that may have ended it: weight 0 {until}");
            (StepState::Weak, Some(why))
        }
        Health::Serving => (StepState::Done, None),
        Health::Failing => (StepState::Weak, Some(format!("its check fails, weight 0: {}", said()))),
        Health::Inherited => {
            let why = "an earlier run registered it: weight 0 until its check passes";
            (StepState::Weak, Some(format!("{why}: {}", said())))
        }
        // What answers at its port is another container: it is not checked until the port is its own.
        Health::Unproven { .. } if life.is_lost(&tracked.offer) => (StepState::Ahead, None),
        Health::Unproven { since, .. } => {
            let seconds = seen.ago(since).floor();
            (
                StepState::Waits,
                Some(format!("its check ({check}) has not passed for {seconds} s: {}", said())),
            )
        }
    };
    step("checked", state, why)
}

fn port_step(life: &Life, tracked: &Tracked, seen: &Seen) -> Step {
    match life.taken.get(&tracked.offer.endpoint()) {
        None => step("port", StepState::Done, None),
        Some(taken) => {
            let all = seen.registrar.iter().flat_map(|registrar| &registrar.containers);
            let name = all.into_iter().find(|known| known.id == taken.by).map(|known| known.name.as_str());
            let name = name.filter(|name| !name.is_empty()).unwrap_or("a container");
            let why = format!("{} is held by {name} ({}): {}", tracked.offer.at, taken.by.short(), taken.why);
            let state = if taken.keeps { StepState::Weak } else { StepState::Waits };
            step("port", state, Some(why))
        }
    }
}

/// The weight that an operator gave a service by hand; a full name has none.
fn cordoned(id: &ContainerId, service: &convention::Service, seen: &Seen) -> Option<u8> {
    let cordon = seen.registrar.as_ref()?.cordons.of(id, service.name.as_str())?;
    (service.answer != Answer::All).then_some(cordon.weight)
}

fn registered(record: Option<&Record>, cordoned: Option<u8>, seen: &Seen) -> Step {
    let Some(record) = record else {
        let is_open = seen.registrar.as_ref().is_some_and(|registrar| registrar.is_open);
        let why = "the first look at this host is not over".to_owned();
        return if is_open {
            step("registered", StepState::Ahead, None)
        } else {
            step("registered", StepState::Waits, Some(why))
        };
    };
    let (state, why) = match record.state {
        RecordState::Registered if record.weight == Some(0) => {
            let by_hand = if cordoned == Some(0) { ", by hand (ecssd --cordon)" } else { "" };
            (StepState::Weak, Some(format!("at weight 0{by_hand}")))
        }
        RecordState::Registered => (StepState::Done, None),
        RecordState::Refused => {
            let reason = record.refused.as_deref().unwrap_or_default();
            let seconds = record.retried_in.unwrap_or_default().ceil();
            (StepState::Failed, Some(format!("the zone refused it, tried again in {seconds} s: {reason}")))
        }
        RecordState::Unsure => {
            (StepState::Waits, Some("the outcome of a call is not known: it is sent again".to_owned()))
        }
        RecordState::ToCreate => (StepState::Waits, Some("its record is to be created".to_owned())),
        RecordState::ToChange => (StepState::Waits, Some("its record is to be changed".to_owned())),
        RecordState::ToDelete => (StepState::Waits, Some("its record is to be deleted".to_owned())),
    };
    step("registered", state, why)
}
