//! What the service manager is told, where there is one (`NOTIFY_SOCKET`, `Type=notify`).
//!
//! It hears READY when the agent has started, or is waiting for something that may come later: a unit that
//! waits for this one waits for a process that does its work as soon as it can be done, and a zone or
//! credentials that come later do not run into its time limit. What fails at once fails its start.
//!
//! Where it watches (`WatchdogSec=`), it hears so often that the agent is alive: not that this process runs, but that
//! its actors take in what they are sent. A process that only waits hears itself.

use std::convert::Infallible;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::printable::printable;
use crate::status::Readiness;

/// What does not fail within this is waited for.
pub(super) const WAITS_AFTER: Duration = Duration::from_secs(3);

/// How often it is told that all is alive within the time after which it would end us: one time may be late, by a disk
/// that is slow or a machine that is busy.
const BEATS: u32 = 3;

/// It has started.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It has started, as far as it could, and waits.
pub(super) fn waits() {
    tell(&[NotifyState::Ready, NotifyState::Status("waiting for this host's identity and its zone")]);
}

/// Whether it can do its work.
pub(super) fn shows(readiness: &Readiness) {
    says(&readiness.to_string());
}

/// It ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Every service is withdrawn.
pub(super) fn safe_to_stop() {
    tell(&[NotifyState::Status("every service of this host is withdrawn: safe to stop")]);
}

/// Words for whoever looks. On one line: another would be an order to the manager.
pub(super) fn says(text: &str) {
    tell(&[NotifyState::Status(&printable(text))]);
}

/// Tells it for ever that all is alive, whenever `heart` has beaten.
pub(super) async fn watch(heart: impl AsyncFn()) -> Infallible {
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let period = limit / BEATS;
    loop {
        heart().await;
        tell(&[NotifyState::Watchdog]);
        tokio::time::sleep(period).await;
    }
}

fn tell(state: &[NotifyState<'_>]) {
    // A manager that does not listen changes nothing of what there is to do.
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
