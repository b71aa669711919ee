//! Whether a journal is whole without a read, and how long the read that makes it so may wait.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::config::Config;
use crate::container::Timestamp;
use crate::edge::host::identity::Identity;
use crate::journal::{Memory, Opened};

/// An instance that was started less than this ago, and has no journal, is most likely new.
const NEW_INSTANCE: Duration = Duration::from_secs(600);

/// Where cloud-init keeps what it knows of the instances that a disk was in; made at an instance's first start. Source:
/// cloud-init's documentation, "Directory layout".
const CLOUD_INIT: &str = "/var/lib/cloud/instances";

/// What was opened; with a whole memory, of nothing, where this instance was launched just now and no agent ran on it.
pub(super) fn recall(mut opened: Opened, identity: &Identity) -> Opened {
    let first_started = || std::fs::metadata(Path::new(CLOUD_INIT).join(identity.owner.as_str()))?.created();
    let is_new = |launched| first_started().is_ok_and(|at| is_first_start(launched, at.into()));
    let is_new = opened.is_first && identity.launched.filter(|at| is_recent(*at)).is_some_and(is_new);
    if matches!(opened.memory, Memory::Fresh) && is_new {
        tracing::info!(
            event = "journal_first",
            "this instance was launched just now, and no agent ran on it before: it has no records, so nothing is listed"
        );
        opened.journal.complete();
        opened.memory = Memory::Kept(Vec::new());
    }
    opened
}

/// Whether an instance was launched, not started again: its start is older than what its first start made.
fn is_first_start(launched: Timestamp, first_started: Timestamp) -> bool {
    launched <= first_started
}

/// How long the read that makes the journal whole may wait. A new instance has hardly written anything, and a
/// fleet of them would read the zone all at once.
pub(super) fn read_after(config: &Config, identity: &Identity, memory: &Memory) -> Duration {
    match memory {
        Memory::Kept(entries) => {
            tracing::info!(
                event = "journal_complete",
                records = entries.len(),
                "the journal knows all of this host"
            )
        }
        Memory::Fresh if identity.launched.is_some_and(is_recent) => {
            let read_after = config.resync.mul_f64(0.5 + fastrand::f64());
            let minutes = read_after.as_secs() / 60;
            tracing::info!(
                event = "journal_new_instance",
                minutes,
                "a new instance has no records yet: the zone is listed once, this much later, beside the writing"
            );
            return read_after;
        }
        // It said so itself.
        Memory::Without(_) => {}
        memory => tracing::info!(
            event = "journal_incomplete",
            reason = memory.reason(),
            "the journal does not know all of this host: the zone is listed once, beside the writing"
        ),
    }
    Duration::ZERO
}

fn is_recent(launched: Timestamp) -> bool {
    launched.age(SystemTime::now()) < NEW_INSTANCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::at;

    #[test]
    fn an_instance_that_was_started_again_is_older_than_its_start() {
        assert!(is_first_start(at(100), at(130)));
        assert!(!is_first_start(at(5_000), at(130)));
    }
}
