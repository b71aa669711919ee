//! The schema of `/status.json`: all that an agent knows, as one value.
//!
//! A field may be added at any time; none goes, and none changes its meaning, without another [`SCHEMA`]. Times are
//! seconds, before or after `time`: `…_ago` and `for` look back, `…_in` looks ahead. A name that is `null` is not known,
//! or there is none.

mod container;

use serde::Serialize;

pub use self::container::{Checked, Container, Service, Step, StepState};

/// The version of the schema.
pub const SCHEMA: u32 = 1;

/// All that an agent knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The schema's version.
    pub schema: u32,
    /// The agent's version.
    pub version: String,
    /// When this was made, by the host's clock, as RFC 3339 has it.
    pub time: String,
    /// How long the agent has run.
    pub up_for: f64,
    /// Whose records these are; `null` until that is known.
    pub host: Option<Host>,
    /// Where they are; `null` until that is known.
    pub zone: Option<Zone>,
    /// Whether the agent can do its work.
    pub ready: bool,
    /// What it needs for that, and how each does.
    pub sources: Vec<Source>,
    /// The agent's parts, and when each was last heard of: one that hangs shows here.
    pub parts: Vec<Part>,
    /// The container engine.
    pub docker: Docker,
    /// The containers that are known, by name.
    pub containers: Vec<Container>,
    /// The records of this host that belong to no container above: its address, and what an earlier run left.
    pub records: Vec<Record>,
    /// What is written, and when.
    pub writer: Writer,
    /// The weights that an operator gave by hand.
    pub cordons: Vec<Cordon>,
    /// What is about to happen to the host.
    pub departure: Departure,
    /// Containers that ended as they were asked to, since the agent's start, by service: the first 20, and `other`.
    pub ended: Vec<Ended>,
    /// How far the agent's own end has come.
    pub stop: Stop,
    /// What this host wrote, kept over a restart.
    pub journal: Journal,
}

impl Status {
    /// What cannot do its work, and why.
    pub fn reasons(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().filter_map(|source| Some((source.name.as_str(), source.reason.as_deref()?)))
    }
}

/// Whose records these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Host {
    /// The name that marks its records.
    pub owner: String,
    /// The name that its SRV records point to.
    pub name: String,
    /// The address that clients reach its ports at.
    pub address: String,
}

/// Where the records are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Zone {
    /// The zone's name.
    pub name: String,
    /// The registry's id of it.
    pub id: String,
    /// `route53`, or `local`: in this process.
    pub registry: String,
    /// Where DNS is answered for it, in this process.
    pub dns: Vec<String>,
    /// Whether nothing is really written.
    pub dry_run: bool,
}

/// Something that the agent needs for its work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// `start`, `docker`, `zone`, `notices` or `stop`.
    pub name: String,
    /// Whether it does.
    pub ready: bool,
    /// Why not.
    pub reason: Option<String>,
    /// For how long it has been so.
    pub r#for: f64,
}

/// A part of the agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// The actor's name.
    pub name: String,
    /// When it last did anything.
    pub heard_ago: f64,
}

/// The container engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Docker {
    /// Whether it answers; `null` before the first word of it.
    pub answers: Option<bool>,
    /// For how long its events have been heard; `null` while they are not.
    pub subscribed_for: Option<f64>,
    /// When it last listed its containers.
    pub listed_ago: Option<f64>,
    /// How many ran then.
    pub running: Option<usize>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// The name.
    pub name: String,
    /// The type.
    pub r#type: String,
    /// What tells it from others of that name and type.
    pub id: Option<String>,
    /// What should stand there, as `dig` shows it; `null` for nothing.
    pub desired: Option<String>,
    /// What stands there as far as is known, as `dig` shows it; `null` for nothing.
    pub observed: Option<String>,
    /// The weight of what stands there.
    pub weight: Option<i64>,
    /// How the two compare.
    pub state: RecordState,
    /// Why the zone refused to change it.
    pub refused: Option<String>,
    /// When that is tried again.
    pub retried_in: Option<f64>,
}

/// How what is desired and what is observed compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// They are the same.
    Registered,
    /// It is to be created.
    ToCreate,
    /// It is to be changed.
    ToChange,
    /// It is to be deleted.
    ToDelete,
    /// The zone refused to change it.
    Refused,
    /// The outcome of a call is not known.
    Unsure,
}

/// What is written, and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Writer {
    /// The call that is under way.
    pub in_flight: Option<InFlight>,
    /// How many records are still to be created, changed or deleted, refused ones apart.
    pub queue: usize,
    /// How many changes the zone refused.
    pub refused: usize,
    /// When the next call goes out; `null` where it waits for something to happen.
    pub next_call_in: Option<f64>,
    /// Whether it was told all that is desired.
    pub told: bool,
    /// Whether it knows all that the zone can hold of this host.
    pub complete: bool,
    /// The latest calls, the newest first.
    pub calls: Vec<Call>,
}

/// A call that is under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InFlight {
    /// What it is called in the registry's API.
    pub action: String,
    /// How many records it creates, replaces or deletes.
    pub changes: usize,
    /// For how long.
    pub r#for: f64,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// When it went out.
    pub ago: f64,
    /// What it is called in the registry's API.
    pub action: String,
    /// How many records it creates or replaces.
    pub writes: usize,
    /// How many it deletes.
    pub deletes: usize,
    /// `ok`, or the kind of failure.
    pub outcome: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What the registry said, where it failed.
    pub error: Option<String>,
}

/// A weight that an operator gave by hand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cordon {
    /// What kind of thing it holds for: `container`, `service` or `all`.
    pub scope: String,
    /// What it holds for, as it is said to `--uncordon`: the first 12 digits of an id, a name, or `all`.
    pub what: String,
    /// What that is, in words.
    pub of: String,
    /// The weight.
    pub weight: u8,
    /// When it was given.
    pub since_ago: f64,
    /// When it ends; `null` where somebody has to end it.
    pub ends_in: Option<f64>,
}

/// What is about to happen to the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Departure {
    /// Who leaves: `nobody`, `tasks` or `everybody`.
    pub leaving: String,
    /// Why.
    pub reason: Option<String>,
    /// When what leaves is withdrawn; `null` where that has no time.
    pub withdrawn_in: Option<f64>,
    /// Who may know of it, and what each said last.
    pub notices: Vec<Notice>,
}

/// One who may know what is about to happen to the host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// Which one.
    pub source: String,
    /// What it said; `null` where it never answered.
    pub says: Option<String>,
    /// For how long it has said so.
    pub r#for: Option<f64>,
    /// Why it does not answer.
    pub error: Option<String>,
}

/// What came of containers of a service that ended as they were asked to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ended {
    /// Which service.
    pub service: String,
    /// How many had served until every name server had heard of their withdrawal.
    pub spread: u64,
    /// How many ended before that.
    pub early: u64,
    /// Of how many nobody knows.
    pub unknown: u64,
    /// For how long clients were sent to one that was not there any more, at the worst.
    pub longest_missing: f64,
}

/// How far the agent's own end has come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stop {
    /// `serving`, `judging`, `delaying` or `withdrawing`.
    pub phase: String,
    /// When everything is to be withdrawn.
    pub over_in: Option<f64>,
    /// How many records are still to be deleted meanwhile.
    pub left: usize,
}

/// What this host wrote, kept over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Journal {
    /// Whether there is one; a zone in this process needs none.
    pub kept: bool,
    /// Whether it knows all of this host.
    pub complete: bool,
    /// Why it cannot be kept.
    pub trouble: Option<String>,
}
