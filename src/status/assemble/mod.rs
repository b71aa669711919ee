//! One [`Status`] of what the parts of an agent show. Pure: the time comes in as an argument.
//!
//! Owns what an operator reads of it: where a life stops ([`containers`]), how a record stands ([`records`]), and what
//! the rest amounts to ([`overview`]).

mod containers;
mod overview;
mod records;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::records::Records;
use super::board::Ending;
use super::checks::{Answers, Outcome};
use super::schema::{self, SCHEMA, Status};
use super::{Discovered, Part, QuestionKind, Watch};
use crate::container::Timestamp;
use crate::machine::departure::notices::SourceState;
use crate::machine::task_resolver::Troubles;
use crate::machine::{docker_watcher, registrar};
use crate::moment::Moment;
use crate::reconcile::writer;
use crate::record::Registrant;

/// What is known from the start.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Whose records these are.
    pub registrant: Registrant,
    /// The registry's id of the zone.
    pub zone_id: String,
    /// `route53` or `local`.
    pub registry: &'static str,
    /// Where DNS is answered, in this process.
    pub dns: Vec<String>,
    /// Whether nothing is really written.
    pub dry_run: bool,
}

/// What is known of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Whether there is one.
    pub is_kept: bool,
    /// Whether it knows all of this host.
    pub is_whole: bool,
    /// Why it cannot be kept.
    pub trouble: Option<String>,
}

/// What all parts show at one moment.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The agent's clock.
    pub now: Moment,
    /// How long the process has run.
    pub up: Duration,
    /// The host's clock; `None` where it does not matter.
    pub time: Option<Timestamp>,
    /// Each part of its work, why it cannot be done, and for how long it has been so.
    pub readiness: Vec<(Part, Option<String>, Duration)>,
    /// When each actor was last heard of.
    pub heard: Vec<(&'static str, Moment)>,
    /// What the Registrar shows.
    pub registrar: Option<Arc<registrar::Snapshot>>,
    /// What the Route53Writer shows.
    pub writer: Option<Arc<writer::Snapshot>>,
    /// What the DockerWatcher shows.
    pub docker: Option<Arc<docker_watcher::Snapshot>>,
    /// What is wrong with containers.
    pub troubles: Option<Arc<Troubles>>,
    /// What sources of notices said.
    pub notices: Option<Arc<Vec<SourceState>>>,
    /// How far the agent's own end has come.
    pub ending: Option<Ending>,
    /// What targets answered.
    pub checks: Answers,
    /// How many answers of each kind there were.
    pub checked: BTreeMap<Outcome, u64>,
    /// How many questions of each kind DNS was asked.
    pub asked: BTreeMap<QuestionKind, u64>,
    /// What was told to those who ask for targets over HTTP.
    pub discovered: Discovered,
    /// What is known of the journal.
    pub journal: Journal,
    /// How many log lines found no room.
    pub log_lines_dropped: u64,
}

impl Seen {
    /// What is shown at this moment of the agent's clock; `None` where no agent has been started yet.
    pub fn of(watch: &Watch, now: Option<Moment>) -> Self {
        let readiness = watch.readiness();
        let state = |part| (part, readiness.reason(part).map(str::to_owned), watch.since(part));
        let heard = [
            ("DockerWatcher", watch.docker.heard()),
            ("TaskResolver", watch.troubles.heard()),
            ("Registrar", watch.registrar.heard()),
            ("Route53Writer", watch.writer.heard()),
            ("HostWatcher", watch.notices.heard()),
        ];
        Self {
            now: now.unwrap_or_default(),
            readiness: Part::ALL.into_iter().map(state).collect(),
            heard: if now.is_some() { heard.into() } else { Vec::new() },
            registrar: watch.registrar.latest(),
            writer: watch.writer.latest(),
            docker: watch.docker.latest(),
            troubles: watch.troubles.latest(),
            notices: watch.notices.latest(),
            ending: watch.ending.latest().map(|ending| *ending),
            checks: watch.checks.latest(),
            checked: watch.checks.totals(),
            asked: watch.questions.totals(),
            discovered: watch.discovery.so_far(),
            ..Self::default()
        }
    }
}

/// Makes one value of it; without `facts` while the host and its zone are not known yet.
pub fn assemble(facts: Option<&Facts>, seen: &Seen) -> Status {
    let mut records = facts.map(|facts| Records::of(&facts.registrant, seen)).unwrap_or_default();
    let containers = containers::containers(seen, &mut records);
    Status {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: seen.time.map(|time| time.to_string()).unwrap_or_default(),
        up_for: seconds(seen.up),
        host: facts.map(|facts| overview::host(facts, seen)),
        zone: facts.map(overview::zone),
        ready: seen.readiness.iter().all(|(_, reason, _)| reason.is_none()),
        sources: overview::sources(seen),
        parts: overview::parts(seen),
        docker: overview::docker(seen),
        containers,
        writer: overview::writer(seen),
        cordons: overview::cordons(seen),
        departure: overview::departure(seen),
        ended: overview::ended(seen),
        stop: overview::stop(seen),
        journal: schema::Journal {
            kept: seen.journal.is_kept,
            complete: seen.journal.is_whole,
            trouble: seen.journal.trouble.clone(),
        },
        records: records.rest(),
    }
}

/// To the millisecond: nobody reads more.
fn seconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000.0).round() / 1_000.0
}

fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 100_000.0).round() / 100.0
}

impl Seen {
    fn ago(&self, at: Moment) -> f64 {
        seconds(self.now - at)
    }

    fn until(&self, at: Moment) -> f64 {
        seconds(at - self.now)
    }
}

#[cfg(test)]
mod tests;
