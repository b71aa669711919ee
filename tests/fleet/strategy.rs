//! Those who are compared: each writes one host's records, and says what it calls next.

use ecssd::moment::Moment;
use ecssd::reconcile::writer::{Answer, Call, Next};
use ecssd::record::{ContainerId, RecordSet};

use super::account::Limits;
use super::adaptive::Adaptive;
use super::inventory::Host;
use super::ours::Ours;
use super::predecessor::Predecessor;

/// What a host's strategy is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// These containers serve, and nothing else does. Of a process that has just started.
    All(Vec<(ContainerId, Vec<RecordSet>)>),
    /// This container wants these records.
    Want(ContainerId, Vec<RecordSet>),
    /// This container, which was withdrawn, has ended.
    Ended(ContainerId),
    /// All is to be withdrawn by then.
    Drain(Moment),
    /// Its process is replaced by another.
    Restarted,
}

/// Writes one host's records. Its clock starts with its process.
pub trait Strategy {
    fn tell(&mut self, told: Told, now: Moment);
    fn next(&mut self, now: Moment) -> Next;
    fn on_answer(&mut self, call: Call, answer: Answer, now: Moment);
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The writer of this system.
    Ours,
    /// One call a record, three more tries.
    Predecessor,
    /// The same batches as ours, with the adaptive retry of AWS' SDKs.
    Adaptive,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Ours, Self::Adaptive, Self::Predecessor];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ecssd",
            Self::Predecessor => "predecessor",
            Self::Adaptive => "adaptive",
        }
    }

    /// One that is told of the account's limits, knows how many hosts there are, where `hint` says so, and what `host` has
    /// written already.
    pub fn start(
        self,
        host: &Host,
        limits: &Limits,
        hint: Option<u32>,
        written: &[RecordSet],
        seed: u64,
    ) -> Box<dyn Strategy> {
        match self {
            Self::Ours => Box::new(Ours::new(host, limits.of_agent, hint, written, seed)),
            Self::Predecessor => Box::new(Predecessor::new(host, written, seed)),
            Self::Adaptive => Box::new(Adaptive::new(host, written, seed)),
        }
    }
}
