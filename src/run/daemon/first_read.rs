//! How long the read that makes a journal whole may wait.

use std::time::{Duration, SystemTime};

use crate::config::Config;
use crate::container::Timestamp;
use crate::edge::host::identity::Identity;
use crate::journal::Memory;

/// An instance that was started less than this ago, and has no journal, is most likely new.
const NEW_INSTANCE: Duration = Duration::from_secs(600);

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
