//! The rest of a status: the agent's sources and parts, its calls, and its end.

use std::time::Duration;

use super::{Facts, Seen, millis};
use crate::machine::departure::{Leaving, Said};
use crate::moment::Moment;
use crate::reconcile::writer::{Begun, Ended, Stopped};
use crate::record::RecordType;
use crate::status::schema::{
    self, Call, Cordon, Departure, Docker, Host, InFlight, Notice, Part, Source, Stop, Writer, Zone,
};

pub(super) fn host(Facts { registrant, .. }: &Facts, seen: &Seen) -> Host {
    // The Registrar hears where it has changed.
    let address = seen.registrar.as_ref().map_or(registrant.address, |registrar| registrar.address);
    Host { owner: registrant.owner.to_string(), name: registrant.host_name(), address: address.to_string() }
}

pub(super) fn zone(facts: &Facts) -> Zone {
    Zone {
        name: facts.registrant.zone.clone(),
        id: facts.zone_id.clone(),
        registry: facts.registry.to_owned(),
        dns: facts.dns.clone(),
        dry_run: facts.dry_run,
    }
}

pub(super) fn sources(seen: &Seen) -> Vec<Source> {
    let source = |(part, reason, span): &(crate::status::Part, Option<String>, Duration)| Source {
        name: part.as_str().to_lowercase(),
        ready: reason.is_none(),
        reason: reason.clone(),
        r#for: super::seconds(*span),
    };
    seen.readiness.iter().map(source).collect()
}

pub(super) fn parts(seen: &Seen) -> Vec<Part> {
    let part =
        |(name, heard): &(&str, Moment)| Part { name: (*name).to_owned(), heard_ago: seen.ago(*heard) };
    seen.heard.iter().map(part).collect()
}

pub(super) fn docker(seen: &Seen) -> Docker {
    let Some(docker) = &seen.docker else { return Docker::default() };
    Docker {
        answers: docker.answers,
        subscribed_for: docker.subscribed_at.map(|at| seen.ago(at)),
        listed_ago: docker.listed.map(|(at, _)| seen.ago(at)),
        running: docker.listed.map(|(_, running)| running),
    }
}

pub(super) fn ended(seen: &Seen) -> Vec<schema::Ended> {
    let ended = |(service, stopped): (&str, &Stopped)| schema::Ended {
        service: service.to_owned(),
        spread: stopped.spread,
        early: stopped.early,
        unknown: stopped.unknown,
        longest_missing: super::seconds(stopped.longest),
    };
    let stops = seen.writer.iter().flat_map(|writer| writer.stops.iter());
    stops.filter(|(_, stopped)| **stopped != Stopped::default()).map(ended).collect()
}

pub(super) fn writer(seen: &Seen) -> Writer {
    let Some(writer) = &seen.writer else { return Writer::default() };
    let in_flight = |begun: &Begun| InFlight {
        action: begun.action.to_owned(),
        changes: begun.writes + begun.deletes,
        r#for: seen.ago(begun.at),
    };
    let call = |Ended { call, took, outcome, error }: &Ended| Call {
        ago: seen.ago(call.at),
        action: call.action.to_owned(),
        writes: call.writes,
        deletes: call.deletes,
        outcome: (*outcome).to_owned(),
        took_ms: millis(*took),
        error: error.clone(),
    };
    Writer {
        in_flight: writer.calls.in_flight.as_ref().map(in_flight),
        queue: writer.rows.iter().filter(|row| row.differs && row.refused.is_none()).count(),
        refused: writer.rows.iter().filter(|row| row.refused.is_some()).count(),
        next_call_in: writer.next_at.map(|at| seen.until(at)),
        told: writer.is_told,
        complete: writer.is_whole,
        calls: writer.calls.latest.iter().map(call).collect(),
    }
}

pub(super) fn cordons(seen: &Seen) -> Vec<Cordon> {
    let Some(registrar) = &seen.registrar else { return Vec::new() };
    let cordon = |cordon: &crate::machine::cordon::Cordon| Cordon {
        scope: cordon.scope.kind().to_owned(),
        what: cordon.what().to_owned(),
        of: cordon.to_string(),
        weight: cordon.weight,
        since_ago: seen.time.map_or(0.0, |time| {
            let nanos = time.unix_nanos().saturating_sub(cordon.since.unix_nanos());
            super::seconds(Duration::from_nanos(nanos.try_into().unwrap_or_default()))
        }),
        ends_in: registrar.cordons.ends_at(&cordon.scope).map(|at| seen.until(at)),
    };
    registrar.cordons.iter().map(cordon).collect()
}

pub(super) fn departure(seen: &Seen) -> Departure {
    let notice = seen.registrar.as_ref().and_then(|registrar| registrar.notice.as_ref());
    let leaving = match notice.map(|notice| &notice.leaving) {
        None | Some(Leaving::Nobody) => "nobody",
        Some(Leaving::Tasks(_)) => "tasks",
        Some(Leaving::Everybody) => "everybody",
    };
    let notices = seen.notices.iter().flat_map(|notices| notices.iter());
    Departure {
        leaving: leaving.to_owned(),
        reason: notice.map(|notice| notice.reason.clone()).filter(|reason| !reason.is_empty()),
        withdrawn_in: notice.and_then(|notice| notice.withdraw_at).map(|at| seen.until(at)),
        notices: notices
            .map(|state| Notice {
                source: state.source.to_string(),
                says: state.said.as_ref().map(|(said, _)| words(said)),
                r#for: state.said.as_ref().map(|(_, since)| seen.ago(*since)),
                error: state.failing.as_ref().map(ToString::to_string),
            })
            .collect(),
    }
}

pub(super) fn stop(seen: &Seen) -> Stop {
    let rows = seen.writer.iter().flat_map(|writer| &writer.rows);
    let is_leaving = seen.ending.is_some_and(|ending| ending.phase == "withdrawing");
    let left =
        rows.filter(|row| row.differs && row.desired.is_none() && row.key.kind == RecordType::Srv).count();
    Stop {
        phase: seen.ending.map_or("serving", |ending| ending.phase).to_owned(),
        over_in: seen.ending.and_then(|ending| ending.deadline).map(|at| seen.until(at)),
        left: if is_leaving { left } else { 0 },
    }
}

fn words(said: &Said) -> String {
    match said {
        Said::Nothing => "nothing is about to happen".to_owned(),
        Said::HostEnds { what, .. } => format!("the host ends: {what}"),
        Said::TasksEnd { what, tasks } => format!("{} tasks end: {what}", tasks.len()),
        Said::Advice(what) => format!("advice: {what}"),
    }
}
