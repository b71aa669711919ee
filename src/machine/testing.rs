//! Short hands for the tests of this room: signals, spans and inspections.

use std::collections::BTreeSet;
use std::time::Duration;

use super::lifecycle::{Desired, Sight};
use crate::container::offer::Offer;
use crate::container::{Running, Timestamp};

pub(crate) const SIGHUP: u8 = 1;
pub(crate) const SIGQUIT: u8 = 3;
pub(crate) const SIGKILL: u8 = 9;
pub(crate) const SIGTERM: u8 = 15;

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// An inspection of a running container that takes SIGTERM to stop.
pub(crate) fn running(started_at: Timestamp, offers: Vec<Offer>) -> Sight {
    Sight {
        started_at,
        lived_before: false,
        running: Running::Running,
        health: None,
        stop_signal: SIGTERM,
        log: Vec::new(),
        task: None,
        family: None,
        published: BTreeSet::new(),
        desired: Desired::Unasked,
        offers,
    }
}
