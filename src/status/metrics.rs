//! The same for a monitor: metrics in Prometheus' text format, made anew of what the parts show.
//!
//! Labels take their values from lists that stand in the program, so the number of series does not grow with
//! containers or hosts. Only what came of stops is told by service: of up to 20, and of all others as `other`. Names
//! follow Prometheus' conventions: base units, `_total` for what only grows.

mod family;

use std::collections::BTreeMap;

use self::family::Families;
use super::schema::{Service, Status, StepState};
use super::{Discovered, Seen};
use crate::machine::cordon::Scope;
use crate::moment::Moment;
use crate::reconcile::writer::{Snapshot, Stopped};

/// The states of a container.
const STATES: [&str; 7] = ["idle", "live", "paused", "held", "perhaps stopping", "stopping", "drained"];

/// The type of what is rendered, for the header that says so.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All of it, as text.
pub fn render(status: &Status, seen: &Seen) -> String {
    let mut families = Families::default();
    agent(&mut families, status, seen);
    containers(&mut families, status);
    checks(&mut families, seen);
    discovery(&mut families, &seen.discovered);
    if let Some(writer) = &seen.writer {
        records(&mut families, status, writer);
        calls(&mut families, seen, writer);
        spreading(&mut families, writer);
    }
    families.text()
}

fn agent(families: &mut Families, status: &Status, seen: &Seen) {
    families.gauge(
        "ecssd_build_info",
        "The agent's version; always 1.",
        [("version", status.version.as_str(), 1.0)],
    );
    families.gauge("ecssd_ready", "Whether the agent can do its work.", [("", "", flag(status.ready))]);
    let sources = status.sources.iter().map(|source| ("source", source.name.as_str(), flag(source.ready)));
    families.gauge(
        "ecssd_source_ready",
        "Whether each thing that the agent needs for its work does.",
        sources,
    );
    let parts = status.parts.iter().map(|part| ("part", part.name.as_str(), part.heard_ago));
    families.gauge(
        "ecssd_part_silence_seconds",
        "For how long a part of the agent has not been heard of; it is asked every few seconds.",
        parts,
    );
    families.gauge("ecssd_uptime_seconds", "How long the agent has run.", [("", "", status.up_for)]);
    let stops = status.stop.phase == "withdrawing" || status.stop.phase == "delaying";
    families.gauge("ecssd_draining", "Whether the agent withdraws its records.", [("", "", flag(stops))]);
    let leaving = ["tasks", "everybody"].map(|who| ("who", who, flag(status.departure.leaving == who)));
    families.gauge(
        "ecssd_leaving",
        "Whether a notice says that tasks, or the whole host, are about to end.",
        leaving,
    );
    let failing = flag(status.journal.trouble.is_some());
    families.gauge("ecssd_journal_failing", "Whether the journal cannot be kept.", [("", "", failing)]);
    families.counter(
        "ecssd_log_lines_dropped_total",
        "Log lines that were dropped because whoever reads the log is too slow.",
        [("", "", seen.log_lines_dropped)],
    );
    if let Some((at, running)) = seen.docker.as_ref().and_then(|docker| docker.listed) {
        families.gauge(
            "ecssd_docker_last_list_timestamp_seconds",
            "When Docker last listed its containers.",
            [("", "", timestamp(seen, at))],
        );
        families.gauge(
            "ecssd_docker_running_containers",
            "How many containers ran then.",
            [("", "", count(running))],
        );
    }
}

fn containers(families: &mut Families, status: &Status) {
    let of_state = |state: &&str| status.containers.iter().filter(|it| it.state == **state).count();
    let states = STATES.iter().map(|state| ("state", *state, count(of_state(state))));
    families.gauge(
        "ecssd_containers",
        "The containers that are known, by where they are in their life.",
        states,
    );
    let services = || status.containers.iter().flat_map(|container| &container.services);
    let of_state = |state: &str| services().filter(|service| stage(service) == state).count();
    let states = STAGES.iter().map(|state| ("state", *state, count(of_state(state))));
    families.gauge(
        "ecssd_services",
        "The services that containers offer, by where their life stops.",
        states,
    );
    let of_scope = |scope: &&str| status.cordons.iter().filter(|cordon| cordon.scope == **scope).count();
    let scopes = Scope::KINDS.iter().map(|scope| ("scope", *scope, count(of_scope(scope))));
    families.gauge("ecssd_cordons", "Weights that an operator gave by hand, by what they hold for.", scopes);
    let is_cordoned = |service: &Service| service.cordoned.is_some();
    let cordoned = status.containers.iter().filter(|it| it.services.iter().any(is_cordoned)).count();
    let help = "Containers with a service whose weight an operator gave by hand.";
    families.gauge("ecssd_cordoned_containers", help, [("", "", count(cordoned))]);
    let troubled = status.containers.iter().filter(|container| !container.troubles.is_empty()).count();
    families.gauge(
        "ecssd_troubled_containers",
        "Containers of which something that they ask for is not understood, or cannot be reached.",
        [("", "", count(troubled))],
    );
}

/// Where a service's life stops.
const STAGES: [&str; 7] =
    ["registered", "weight_0", "held", "unproven", "port_taken", "unwritten", "refused"];

fn stage(service: &Service) -> &'static str {
    let stops = service.life.iter().find(|step| matches!(step.state, StepState::Waits | StepState::Failed));
    match stops.map(|step| (step.step, step.state)) {
        Some(("started", _)) => "held",
        Some(("checked", _)) => "unproven",
        Some(("port", _)) => "port_taken",
        Some((_, StepState::Failed)) => "refused",
        Some(_) => "unwritten",
        None if service.life.iter().any(|step| step.state == StepState::Ahead) => "unwritten",
        None if service.life.iter().any(|step| step.state == StepState::Weak) => "weight_0",
        None => "registered",
    }
}

fn checks(families: &mut Families, seen: &Seen) {
    let totals = seen.checked.iter().map(|(outcome, total)| ("outcome", outcome.as_str(), *total));
    families.counter("ecssd_checks_total", "Answers of targets that were checked.", totals);
    let asked = seen.asked.iter().map(|((kind, code), total)| ([("type", *kind), ("rcode", *code)], *total));
    families.counter_of_two("ecssd_dns_queries_total", "Questions that DNS was asked, with --local.", asked);
}

/// Nothing, where nobody has asked.
fn discovery(families: &mut Families, discovered: &Discovered) {
    let totals = discovered.answers.iter().map(|(outcome, total)| ("outcome", *outcome, *total));
    families.counter("ecssd_sd_answers_total", "Answers to Prometheus' questions for targets.", totals);
    let totals = discovered.lists.iter().map(|(outcome, total)| ("outcome", *outcome, *total));
    families.counter("ecssd_sd_lists_total", "Pages of the zone that were read for them.", totals);
    if discovered.answers.is_empty() {
        return;
    }
    families.gauge(
        "ecssd_sd_names",
        "The names that are kept for them.",
        [("", "", count(discovered.names))],
    );
    let help = "Of what was told last for each of them, how old the oldest was.";
    families.gauge("ecssd_sd_answer_age_seconds", help, [("", "", discovered.age.as_secs_f64())]);
}

fn records(families: &mut Families, status: &Status, writer: &Snapshot) {
    let desired = writer.rows.iter().filter(|row| row.desired.is_some()).count();
    let observed = writer.rows.iter().filter(|row| row.observed.is_some()).count();
    families.gauge(
        "ecssd_records_desired",
        "Records that should stand in the zone.",
        [("", "", count(desired))],
    );
    let help = "Records of this host that stand there, as far as is known.";
    families.gauge("ecssd_records_observed", help, [("", "", count(observed))]);
    let help = "Records that are still to be created, changed or deleted, refused ones apart.";
    families.gauge("ecssd_records_waiting", help, [("", "", count(status.writer.queue))]);
    let help = "Records that the zone refuses to change.";
    families.gauge("ecssd_records_refused", help, [("", "", count(status.writer.refused))]);
    families.gauge(
        "ecssd_zone_known",
        "Whether the agent knows all that the zone can hold of this host.",
        [("", "", flag(writer.is_whole))],
    );
}

fn calls(families: &mut Families, seen: &Seen, writer: &Snapshot) {
    let calls = &writer.calls;
    let totals = calls
        .totals
        .iter()
        .map(|((action, outcome), total)| ([("action", *action), ("outcome", *outcome)], *total));
    families.counter_of_two("ecssd_zone_calls_total", "Calls to the zone that were answered.", totals);
    let changes = calls.changes.iter().map(|(action, total)| ("action", *action, *total));
    families.counter(
        "ecssd_zone_changes_total",
        "Records that the zone created, replaced or deleted.",
        changes,
    );
    families.histogram(
        "ecssd_zone_batch_changes",
        "How many records a call created, replaced or deleted.",
        [("", "", &calls.batches)],
    );
    let help = "What all of that cost of the account's changes.";
    families.counter("ecssd_zone_change_cost_total", help, [("", "", calls.cost)]);
    let succeeded: BTreeMap<_, _> =
        calls.succeeded.iter().map(|(action, at)| (*action, timestamp(seen, *at))).collect();
    families.gauge(
        "ecssd_zone_last_success_timestamp_seconds",
        "When a call to the zone last succeeded.",
        succeeded.iter().map(|(action, at)| ("action", *action, *at)),
    );
    let durations = calls.durations.iter().map(|(action, spread)| ("action", *action, spread));
    families.histogram("ecssd_zone_call_duration_seconds", "How long the answers to calls took.", durations);
    families.histogram(
        "ecssd_written_after_seconds",
        "How long it took from wanting a record, or no longer wanting it, until the zone had taken that.",
        [("", "", &calls.written_after)],
    );
}

/// The services are those that were wanted: the first so many, and all others as one.
fn spreading(families: &mut Families, writer: &Snapshot) {
    families.histogram(
        "ecssd_in_sync_after_seconds",
        "How long it took from wanting a record, or no longer wanting it, until every name server answered so; of some.",
        [("", "", &writer.in_sync_after)],
    );
    let outcomes = |(service, stopped): (_, &Stopped)| {
        let of = |outcome, count| ([("service", service), ("spread", outcome)], count);
        [of("yes", stopped.spread), of("no", stopped.early), of("unknown", stopped.unknown)]
    };
    families.counter_of_two(
        "ecssd_stops_total",
        "Containers that ended as they were asked to, by whether every name server had heard of their withdrawal.",
        writer.stops.iter().flat_map(outcomes),
    );
    families.gauge(
        "ecssd_stops_longest_missing_seconds",
        "For how long clients were sent to a container that had ended, at the worst since the agent's start.",
        writer.stops.iter().map(|(service, stopped)| ("service", service, stopped.longest.as_secs_f64())),
    );
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn count(count: usize) -> f64 {
    count as f64
}

/// A moment of the agent's clock as seconds since 1970, by the host's clock.
fn timestamp(seen: &Seen, at: Moment) -> f64 {
    let now = seen.time.map_or(0.0, |time| (time.unix_nanos() / 1_000_000) as f64 / 1_000.0);
    now - (seen.now - at).as_secs_f64()
}

#[cfg(test)]
mod tests;
