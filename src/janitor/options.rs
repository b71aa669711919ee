//! What one run is to do.

use super::reader::Scope;
use crate::change::pacing::Pace;
use crate::moment::Moment;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// What to read.
    pub scope: Scope,
    /// Whether to write.
    pub apply: bool,
    /// At most so many deletes, beside all caps.
    pub deletes_max: Option<usize>,
    /// Of calls to Route 53.
    pub pace: Pace,
    /// Whether to ask targets.
    pub health: Option<Health>,
    /// When it has to be over, by the run's time.
    pub deadline: Option<Moment>,
}

/// What to ask targets, and what may follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The path of the GET.
    pub path: String,
    /// Whether tasks may be stopped.
    pub stop: bool,
}
