//! Waiting for what has to come, and names that nobody else has meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take: generous, for a busy machine. Nothing here measures time.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often anything is asked again.
const POLL: Duration = Duration::from_millis(10);

/// Asks until there is something.
pub fn wait_for<T>(what: &str, log: impl Fn() -> String, found: impl FnMut() -> Option<T>) -> T {
    wait_at_most(PATIENCE, what, log, found)
}

/// The same, with a patience of one's own.
pub fn wait_at_most<T>(
    patience: Duration,
    what: &str,
    log: impl Fn() -> String,
    mut found: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < patience, "waited in vain for {what}; the log: {}", log());
        sleep(POLL);
    }
}

/// A name that no other test uses.
pub fn unique(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{stem}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A service name that no other test uses.
pub fn service(stem: &str) -> String {
    format!("_{}._tcp", unique(stem))
}
