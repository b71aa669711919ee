//! What is run, and what came of it.

use super::account::Limits;
use super::inventory::Fleet;
use super::others::Served;
use super::scenario::Scenario;
use super::strategy::Kind;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub fleet: Fleet,
    pub scenario: Scenario,
    pub kind: Kind,
    pub limits: Limits,
    /// Whether the hosts know how many they are.
    pub is_known: bool,
    pub seed: u64,
}

/// How often what was called, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    pub changes: usize,
    pub lists: usize,
    pub statuses: usize,
    /// Questions to ECS whether the host drains: they come with time, whatever is written.
    pub ecs: usize,
    pub throttled: usize,
    pub busy: usize,
    pub of_host: Vec<usize>,
}

impl Calls {
    /// Of Route 53, whatever they ask.
    pub fn all(&self) -> usize {
        self.changes + self.lists + self.statuses
    }

    pub fn most(&self) -> usize {
        self.of_host.iter().copied().max().unwrap_or_default()
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Seconds until all stood as it is to, or until the last write of those who give up.
    pub seconds: f64,
    /// How many records never did.
    pub lost: usize,
    pub calls: Calls,
    pub elsewhere: Served,
    pub ecs_client: Served,
    /// How many records were not yet as they are to be, by the seconds since it began.
    pub curve: Vec<(f64, usize)>,
}
