//! What a writer is told once.

use std::time::Duration;

use crate::change::pacing::Pace;
use crate::journal::SharedJournal;
use crate::record::Registrant;

/// What a writer is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose records it writes.
    pub registrant: Registrant,
    /// How fast the zone may be called.
    pub pace: Pace,
    /// How often the own names are read and mended.
    pub resync: Duration,
    /// What was written before; `None` where the zone itself is as near.
    pub journal: Option<SharedJournal>,
    /// Whether nothing is written before the zone was read.
    pub read_first: bool,
    /// How long the read that finds what no journal holds may wait; a drain does not wait for it.
    pub read_after: Duration,
    /// Whether nothing is really written: the log says so.
    pub dry_run: bool,
    /// What all jitter is drawn from.
    pub seed: u64,
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Of a writer to Route 53 that keeps no journal, and reads the zone first.
    pub(crate) fn settings(registrant: Registrant) -> Settings {
        Settings {
            registrant,
            pace: Pace::ROUTE53,
            resync: Duration::from_secs(1_800),
            journal: None,
            read_first: true,
            read_after: Duration::ZERO,
            dry_run: false,
            seed: 1,
        }
    }
}
