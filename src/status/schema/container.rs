//! What the schema says of a container: its services, their checks, and the steps of their lives.

use serde::Serialize;

use super::Record;

/// One container.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Container {
    /// The first 12 digits of its id.
    pub id: String,
    /// What it is called; empty where that is not known.
    pub name: String,
    /// Where it is in its life: `idle`, `live`, `paused`, `held`, `perhaps stopping`,
    /// `stopping` or `drained`.
    pub state: String,
    /// What brought it there, in the words of the lifecycle's table.
    pub by: Option<String>,
    /// When that was.
    pub since_ago: Option<f64>,
    /// Why its wants changed last.
    pub why: Option<String>,
    /// Its ECS task, by ARN.
    pub task: Option<String>,
    /// What it waits for; `null` where there is nothing to wait for.
    pub waits_for: Option<String>,
    /// What is wrong with what it asks for: keys that are not understood, ports that nobody could reach.
    pub troubles: Vec<String>,
    /// What it offers.
    pub services: Vec<Service>,
    /// Its records that belong to none of these: an address of its own, and what is on its way out.
    pub records: Vec<Record>,
}

impl Container {
    /// Whether it has anything to do with DNS.
    pub fn is_of_interest(&self) -> bool {
        let has_any = !(self.services.is_empty() && self.records.is_empty() && self.troubles.is_empty());
        has_any || self.waits_for.is_some()
    }
}

/// One service of a container.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Its full name.
    pub name: String,
    /// The port inside the container.
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Where clients reach it: `host port 32768`, or an address and a port.
    pub at: String,
    /// The share of answers that it asks for.
    pub weight: u8,
    /// The weight that an operator gave it by hand, which stands for that one; `null` where none did.
    pub cordoned: Option<u8>,
    /// How it is checked: `TCP connect`, `GET /path`, `HEALTHCHECK` or `none`.
    pub check: String,
    /// The latest answer to that check.
    pub checked: Option<Checked>,
    /// Its life so far, step by step: `started`, `checked`, `port`, `registered`.
    pub life: Vec<Step>,
    /// Its record.
    pub record: Option<Record>,
}

/// The answer to a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// `passed`, `refused`, `timed_out` or `not_asked`.
    pub outcome: String,
    /// What was wrong.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// When it was.
    pub ago: f64,
}

/// One step in the life of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which one.
    pub step: &'static str,
    /// How it stands.
    pub state: StepState,
    /// Why, where it is not simply done.
    pub why: Option<String>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It is done.
    Done,
    /// It is done, and at weight 0: clients are sent here only where there is nobody else.
    Weak,
    /// It is waited for: the life stops here.
    Waits,
    /// It failed: the life stops here until somebody mends something.
    Failed,
    /// It has not been reached, or is over.
    Ahead,
}
