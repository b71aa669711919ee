//! A status in plain text: for a terminal, and for whoever has no browser.

use std::fmt::Write;

use super::schema::{Container, Cordon, Ended, Record, RecordState, Service, Status, StepState};

/// Which of the latest calls are shown.
const CALLS_SHOWN: usize = 10;

/// All of it, as lines.
pub fn render(status: &Status) -> String {
    let mut text = String::new();
    // Writing into a text never fails.
    let _ = head(&mut text, status);
    let _ = containers(&mut text, status);
    let _ = ended(&mut text, status);
    let _ = writer(&mut text, status);
    text
}

fn head(text: &mut String, status: &Status) -> std::fmt::Result {
    let version = &status.version;
    let up = span(status.up_for);
    match (&status.host, &status.zone) {
        (Some(host), Some(zone)) => {
            let dry = if zone.dry_run { ", as a plan: nothing is written" } else { "" };
            let dns = if zone.dns.is_empty() { "" } else { ", DNS at " };
            let (zone, registry, at) = (&zone.name, &zone.registry, zone.dns.join(" and "));
            writeln!(text, "{} ({}) in {zone} ({registry}{dns}{at}){dry}", host.owner, host.address)?;
        }
        _ => writeln!(text, "this host and its zone are not known yet")?,
    }
    writeln!(text, "ecssd {version}, up for {up}, at {}", status.time)?;
    if status.ready {
        writeln!(text, "ready")?;
    } else {
        writeln!(text, "NOT READY")?;
        for (name, reason) in status.reasons() {
            writeln!(text, "  {name}: {reason}")?;
        }
    }
    if status.stop.phase != "serving" {
        let over =
            status.stop.over_in.map(|seconds| format!(", over in {}", span(seconds))).unwrap_or_default();
        writeln!(text, "stops: {}, {} records left{over}", status.stop.phase, status.stop.left)?;
    }
    if status.departure.leaving != "nobody" {
        let reason = status.departure.reason.as_deref().unwrap_or("no reason was given");
        writeln!(text, "leaving: {} ({reason})", status.departure.leaving)?;
    }
    for cordon in &status.cordons {
        let Cordon { of, weight, since_ago, ends_in, .. } = cordon;
        let end = ends_in.map(|seconds| format!(", ends in {}", span(seconds))).unwrap_or_default();
        writeln!(text, "cordoned: {of}, weight {weight} for {}{end}", span(*since_ago))?;
    }
    for notice in status.departure.notices.iter().filter(|notice| notice.error.is_some()) {
        writeln!(
            text,
            "notices: {} does not answer: {}",
            notice.source,
            notice.error.as_deref().unwrap_or_default()
        )?;
    }
    if let Some(trouble) = &status.journal.trouble {
        writeln!(text, "journal: {trouble}")?;
    }
    Ok(())
}

fn containers(text: &mut String, status: &Status) -> std::fmt::Result {
    let is_ours = |container: &&Container| container.is_of_interest();
    let count = status.containers.iter().filter(is_ours).count();
    // What has ended is known for a while: whoever compares asks Docker for what runs.
    let running = status.containers.iter().filter(|container| container.state != "idle").count();
    writeln!(text, "\n{count} containers with services, {running} run here")?;
    for container in status.containers.iter().filter(is_ours) {
        let Container { id, name, state, .. } = container;
        let since = container.since_ago.map(|ago| format!(", so for {}", span(ago))).unwrap_or_default();
        writeln!(text, "\n{name} {id}  {state}{since}")?;
        for service in &container.services {
            write_service(text, service)?;
        }
        for record in &container.records {
            write_record(text, record)?;
        }
        for trouble in &container.troubles {
            writeln!(text, "  ! {trouble}")?;
        }
        if let Some(waits_for) = &container.waits_for {
            writeln!(text, "  waits: {waits_for}")?;
        }
    }
    let others = status.records.iter().filter(|record| record.state != RecordState::Registered);
    for record in others {
        write_record(text, record)?;
    }
    Ok(())
}

fn ended(text: &mut String, status: &Status) -> std::fmt::Result {
    let early: Vec<_> = status.ended.iter().filter(|ended| ended.early > 0).collect();
    if !early.is_empty() {
        writeln!(text, "\nended before every name server had heard of their withdrawal")?;
    }
    for Ended { service, spread, early, longest_missing, .. } in early {
        let (of, longest) = (spread + early, span(*longest_missing));
        writeln!(text, "  {service}: {early} of {of}, missed for up to {longest}")?;
    }
    Ok(())
}

fn write_service(text: &mut String, service: &Service) -> std::fmt::Result {
    let by_hand = service.cordoned.map(|weight| format!(" (weight {weight} by hand)")).unwrap_or_default();
    let life: Vec<_> = service.life.iter().map(|step| format!("{}{}", mark(step.state), step.step)).collect();
    writeln!(text, "  {} at {}{by_hand}: {}", service.name, service.at, life.join(" "))?;
    for step in service.life.iter().filter(|step| step.state == StepState::Weak) {
        writeln!(text, "    {}: {}", step.step, step.why.as_deref().unwrap_or_default())?;
    }
    match &service.record {
        Some(record) => write_record(text, record),
        None => Ok(()),
    }
}

fn write_record(text: &mut String, record: &Record) -> std::fmt::Result {
    let shown = record.observed.as_ref().or(record.desired.as_ref());
    let state = match record.state {
        RecordState::Registered => String::new(),
        RecordState::ToCreate => " (to be created)".to_owned(),
        RecordState::ToChange => " (to be changed)".to_owned(),
        RecordState::ToDelete => " (to be deleted)".to_owned(),
        RecordState::Unsure => " (outcome of a call not known)".to_owned(),
        RecordState::Refused => format!(" (refused: {})", record.refused.as_deref().unwrap_or_default()),
    };
    writeln!(text, "    {}{state}", shown.map_or(record.name.as_str(), String::as_str))
}

fn writer(text: &mut String, status: &Status) -> std::fmt::Result {
    let writer = &status.writer;
    write!(text, "\n{} changes wait, {} refused", writer.queue, writer.refused)?;
    match (&writer.in_flight, writer.next_call_in) {
        (Some(call), _) => writeln!(text, "; {} under way for {}", call.action, span(call.r#for))?,
        (None, Some(seconds)) => writeln!(text, "; next call in {}", span(seconds))?,
        (None, None) => writeln!(text)?,
    }
    for call in writer.calls.iter().take(CALLS_SHOWN) {
        let (ago, action, outcome, took) = (span(call.ago), &call.action, &call.outcome, call.took_ms);
        let did = match (call.writes, call.deletes) {
            (0, 0) => String::new(),
            (writes, deletes) => format!(" +{writes} -{deletes}"),
        };
        let error = call.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        writeln!(text, "  {ago} ago  {action}{did}  {outcome}, {took:.0} ms{error}")?;
    }
    Ok(())
}

fn mark(state: StepState) -> char {
    match state {
        StepState::Done => '+',
        StepState::Weak => '~',
        StepState::Waits => '?',
        StepState::Failed => '!',
        StepState::Ahead => '.',
    }
}

/// A span in its two largest units, or to the tenth of a second.
pub(super) fn span(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min {} s", whole % 60),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_whose_containers_end_too_early_are_named() {
        let ended = |service: &str, early| Ended {
            service: service.into(),
            spread: 3,
            early,
            unknown: 1,
            longest_missing: 31.0,
        };
        let seen = crate::status::Seen::default();
        let status = Status {
            ended: vec![ended("_a._tcp.sd.internal", 2), ended("_b._tcp.sd.internal", 0)],
            ..crate::status::assemble(None, &seen)
        };
        let text = render(&status);
        assert!(text.contains("  _a._tcp.sd.internal: 2 of 5, missed for up to 31.0 s"), "{text}");
        assert!(!text.contains("_b._tcp"), "{text}");
    }

    #[test]
    fn it_is_said_where_dns_is_answered() {
        let zone = |registry: &str, dns: &[&str]| crate::status::schema::Zone {
            name: "sd.internal".into(),
            id: "z".into(),
            registry: registry.into(),
            dns: dns.iter().map(ToString::to_string).collect(),
            dry_run: false,
        };
        let host = crate::status::schema::Host {
            owner: "web1".into(),
            name: "web1.sd.internal".into(),
            address: "10.0.0.7".into(),
        };
        let text = |zone| {
            let seen = crate::status::Seen::default();
            let status =
                Status { host: Some(host.clone()), zone: Some(zone), ..crate::status::assemble(None, &seen) };
            render(&status)
        };
        let local = text(zone("local", &["127.0.0.1:5333", "10.0.0.7:53"]));
        let said = "web1 (10.0.0.7) in sd.internal (local, DNS at 127.0.0.1:5333 and 10.0.0.7:53)\n";
        assert!(local.starts_with(said), "{local}");
        let there = text(zone("route53", &[]));
        assert!(there.starts_with("web1 (10.0.0.7) in sd.internal (route53)\n"), "{there}");
    }

    #[test]
    fn a_span_is_said_in_its_two_largest_units() {
        let spans = [0.04, 59.94, 60.0, 3_599.0, 3_600.0, 90_061.0].map(span);
        assert_eq!(spans, ["0.0 s", "59.9 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "1 d 1 h"]);
    }
}
