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
    let made = std::fs::metadata(Path::new(CLOUD_INIT).join(identity.owner.as_str()));
    let first_started = made.and_then(|made| made.created()).ok().map(Timestamp::from);
    let is_new = is_new(opened.is_first, identity.launched, first_started, SystemTime::now());
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

/// Whether no agent can have written anything of this instance: none ran on its disk, and it was launched just now, not
/// started again, as its start is older than what its first start made.
fn is_new(
    is_first: bool,
    launched: Option<Timestamp>,
    first_started: Option<Timestamp>,
    now: SystemTime,
) -> bool {
    let (Some(launched), Some(first_started)) = (launched, first_started) else { return false };
    is_first && is_recent(launched, now) && launched <= first_started
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
        Memory::Fresh if identity.launched.is_some_and(|at| is_recent(at, SystemTime::now())) => {
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

fn is_recent(launched: Timestamp, now: SystemTime) -> bool {
    launched.age(now) < NEW_INSTANCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::at;

    #[test]
    fn only_an_instance_that_was_launched_just_now_and_had_no_agent_is_new() {
        for (is_first, launched, first_started, now, new) in [
            (true, Some(100), Some(130), 150, true),
            (true, Some(130), Some(130), 150, true),
            (true, Some(100), Some(130), 699, true),
            (true, Some(100), Some(130), 700, false),
            (true, Some(5_000), Some(130), 5_020, false),
            (false, Some(100), Some(130), 150, false),
            (true, None, Some(130), 150, false),
            (true, Some(100), None, 150, false),
        ] {
            let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            let case = (is_first, launched, first_started, now);
            assert_eq!(is_new(is_first, launched.map(at), first_started.map(at), wall), new, "{case:?}");
        }
    }
}
