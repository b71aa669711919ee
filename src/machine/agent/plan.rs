//! What is planned for the end of an agent: what SIGTERM means, and how long each step may take.
//!
//! The steps themselves are those of [`Ending`](super::Ending).

use std::time::Duration;

/// What SIGTERM means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTerm {
    /// The host's services are withdrawn.
    #[default]
    Drain,
    /// The records stay for the next agent.
    HandOver,
    /// The former where a notice says that the host or its system goes, else the latter.
    Auto,
}

/// How an agent ends when it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopPlan {
    /// What SIGTERM means.
    pub on_term: OnTerm,
    /// How long all has weight 0 before anything is withdrawn.
    pub delay: Duration,
    /// How long it may then take to withdraw everything.
    pub timeout: Duration,
    /// Whether it is over only when every name server answers so.
    pub confirm: bool,
}

impl Default for StopPlan {
    fn default() -> Self {
        Self {
            on_term: OnTerm::Drain,
            delay: Duration::ZERO,
            timeout: Duration::from_secs(25),
            confirm: false,
        }
    }
}
