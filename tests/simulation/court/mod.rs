//! Those who judge a run. They read the requests, the zone and the truth, and know nothing of how an agent
//! comes to what it does: no rule here is the agent's own code.
//!
//! | | |
//! |---|---|
//! | `knowledge` | what an agent was told, and so has to know |
//! | `requests` | what it may ask of the registry: S1, S3, S4, S6, S7, S9, S10, S11, S13, L4 |
//! | `zone` | what may stand after a batch: S1, S8 |
//! | `proof` | what may have a weight: S14 |
//! | `ports` | for what reason a port may change hands: S8 |
//! | `loops` | what it may register of a crash loop: S15 |
//! | `probes` | what its probers may do: S12, and what they found, for S13 |
//! | `ends` | how a process may end: L2, L3 |
//! | `peace` | what stands once all faults are over: L1, L4 |
//! | `janitor` | what a janitor may delete: S2, S5 |
//! | `restarts` | what it may do of what an earlier boot left: S17, L6 |
//! | `former` | what it may remove of another name, and has to: S1, L7 |
//! | `stops` | of whom it may say that it ended too early: S18 |
//! | `whereabouts` | which addresses it may write, and that they follow the host: S16, L5 |

mod ends;
mod former;
mod janitor;
mod knowledge;
mod loops;
mod peace;
mod ports;
mod probes;
mod proof;
mod requests;
mod restarts;
mod stops;
mod whereabouts;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ecssd::moment::Moment;
use ecssd::record::{ContainerId, Key, RecordSet};

pub use knowledge::Known;
pub use requests::Requests;
pub use whereabouts::FOLLOWS;
use whereabouts::Whereabouts;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which, by its name in the design.
    pub invariant: &'static str,
    pub at: Moment,
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:.6} s: {}", self.invariant, self.at.since_start().as_secs_f64(), self.text)
    }
}

/// What the court has noted so far.
#[derive(Default)]
pub struct Court {
    verdict: Option<Violation>,
    /// By host and process.
    known: BTreeMap<(usize, u64), Known>,
    requests: BTreeMap<(usize, u64), Requests>,
    starts: BTreeMap<(usize, u64), restarts::Start>,
    /// Whose records a process removes that its host bore before.
    clearing: BTreeSet<(usize, u64, String)>,
    /// When the deletes of each container's were applied.
    deleted: BTreeMap<ContainerId, Vec<Moment>>,
    whereabouts: BTreeMap<(usize, u64), Whereabouts>,
    /// By host: every content that it wrote or read of a key.
    contents: BTreeMap<(usize, Key), BTreeSet<String>>,
    /// By host: when a key was last asked to hold something, in which life of its container as the agent knew, and
    /// what.
    written: BTreeMap<(usize, Key), (Moment, u32, RecordSet)>,
    /// Keys that hold what their host need not know: applied late, left by a process that was killed, edited.
    doubtful: BTreeSet<(usize, Key)>,
    /// Those of them that their host has read since.
    read: BTreeSet<(usize, Key)>,
    /// Keys that a call was applied to late, after its host was told that nobody knows.
    late: BTreeSet<(usize, Key)>,
    /// Keys that an earlier process of their host wrote, and a later one too.
    adopted: BTreeSet<(usize, Key)>,
    /// The latest life of a container of which a process of its host was shown that its check passes.
    passed: BTreeMap<(usize, ContainerId), u32>,
    /// By host: when a call of it last came to something else than what was asked for.
    troubled: BTreeMap<usize, Moment>,
    /// The same, where that was refused for itself.
    refused: BTreeMap<usize, Moment>,
    /// By host: when a call of it last came to nothing that can be told.
    unheard: BTreeMap<usize, Moment>,
    /// When actors panicked.
    panics: Vec<(usize, Moment)>,
    /// What was dead when the janitor looked first.
    dead_at_first: BTreeSet<Key>,
    /// What a process that gave up left.
    left: BTreeMap<usize, Vec<RecordSet>>,
}

impl Court {
    /// What was found first.
    pub fn verdict(&self) -> Option<&Violation> {
        self.verdict.as_ref()
    }

    fn accuse(&mut self, invariant: &'static str, at: Moment, text: String) {
        self.verdict.get_or_insert(Violation { invariant, at, text });
    }

    /// From now on these hold what their host need not know.
    fn doubt(&mut self, places: impl IntoIterator<Item = (usize, Key)>) {
        for place in places {
            self.read.remove(&place);
            self.doubtful.insert(place);
        }
    }

    /// A set as its host wrote it last, for a mutant that does not see more.
    pub fn as_written(&self, host: usize, set: &RecordSet) -> RecordSet {
        self.written.get(&(host, set.key())).map_or(set, |(.., written)| written).clone()
    }
}

/// The fields of a mark.
fn mark(set: &RecordSet) -> Vec<&str> {
    set.set_identifier.as_deref().unwrap_or_default().split(':').collect()
}

/// A content, to be compared.
fn content(set: &RecordSet) -> String {
    let RecordSet { kind, routing, ttl, values, .. } = set;
    format!("{kind} {routing} {ttl} {values:?}")
}
