//! Departure: what is about to stop, and what that makes of its records before it does.
//!
//! Owns the notices that announce an end: what each [source](Source) said last ([`notices`]), what all of it amounts to
//! ([`Notice`]), and what that makes of the records that are granted ([`records`]). The end of the agent itself is one
//! of them. How sources are asked, and how their words are understood, is for [`crate::edge::host::notices`]; that a
//! container stops, for its [lifecycle](super::lifecycle).
//!
//! | | its records |
//! |---|---|
//! | leaves, by a notice with a time | weight 0, and none from [`WITHDRAW_BEFORE_END`] before its end on |
//! | leaves, by one without (scaling in, a draining task) | weight 0, until it is asked to stop |
//! | the agent is about to drain | weight 0, and none that was not there before |
//! | the notice is called off | as ever |
//!
//! Weight 0 empties no name: where all of a name has weight 0, all of it is served.

pub mod notices;
pub mod records;
mod source;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::moment::Moment;

pub use self::source::{AskError, Said, Source};

/// How long before its end nothing of what leaves is wanted any more.
pub const WITHDRAW_BEFORE_END: Duration = Duration::from_secs(20);
/// An end that moves by less is the same: it is reckoned anew at each answer of a source.
const SAME_END: Duration = Duration::from_secs(1);

/// Which containers are about to be stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Leaving {
    /// None.
    #[default]
    Nobody,
    /// Those of these ECS tasks, by ARN.
    Tasks(BTreeSet<String>),
    /// All: the host itself ends.
    Everybody,
}

impl Leaving {
    /// Whether a container of this task, or of none, leaves.
    pub fn takes(&self, task: Option<&str>) -> bool {
        match self {
            Self::Nobody => false,
            Self::Tasks(tasks) => task.is_some_and(|task| tasks.contains(task)),
            Self::Everybody => true,
        }
    }
}

/// What this host is told of its future, all in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Who leaves.
    pub leaving: Leaving,
    /// When nothing of that is wanted any more, by the agent's clock; `None` where the end has no time, and
    /// each container goes when it is asked to stop.
    pub withdraw_at: Option<Moment>,
    /// Who says so, for the log; empty where nobody leaves.
    pub reason: String,
}

impl Notice {
    /// Whether this says no more than `other`.
    pub fn repeats(&self, other: &Self) -> bool {
        let end = match (self.withdraw_at, other.withdraw_at) {
            (Some(one), Some(other)) => one.abs_diff(other) < SAME_END,
            (one, other) => one == other,
        };
        end && self.leaving == other.leaving && self.reason == other.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_leaves_with_its_task_or_with_the_host() {
        let tasks = Leaving::Tasks(["a".to_owned()].into());
        for (leaving, task, takes) in [
            (&Leaving::Nobody, Some("a"), false),
            (&tasks, Some("a"), true),
            (&tasks, Some("b"), false),
            (&tasks, None, false),
            (&Leaving::Everybody, None, true),
        ] {
            assert_eq!(leaving.takes(task), takes, "{leaving:?} {task:?}");
        }
    }

    #[test]
    fn a_notice_whose_end_is_reckoned_anew_repeats_the_one_before() {
        let notice = |leaving, withdraw_at: Option<u64>, reason: &str| Notice {
            leaving,
            withdraw_at: withdraw_at.map(|millis| Moment::after(Duration::from_millis(millis))),
            reason: reason.to_owned(),
        };
        let first = notice(Leaving::Everybody, Some(10_000), "spot");
        for (other, repeats) in [
            (notice(Leaving::Everybody, Some(10_999), "spot"), true),
            (notice(Leaving::Everybody, Some(11_000), "spot"), false),
            (notice(Leaving::Everybody, None, "spot"), false),
            (notice(Leaving::Everybody, Some(10_000), "spot; scaled in"), false),
            (notice(Leaving::Nobody, Some(10_000), "spot"), false),
        ] {
            assert_eq!(other.repeats(&first), repeats, "{other:?}");
        }
    }
}
