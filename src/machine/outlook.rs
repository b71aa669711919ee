//! What is about to happen to this host, and to which of its containers.
//!
//! Owns the words for it, and nothing else. Who says so is for [`crate::edge::host::notices`]; what it does to
//! records is for the [roster](super::registrar).

use std::collections::BTreeSet;
use std::time::Duration;

/// How long before its end nothing of what leaves is wanted any more. Until then it has weight 0, which
/// empties no name: where all of a name has weight 0, all of it is served.
pub const WITHDRAW_BEFORE_END: Duration = Duration::from_secs(20);

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

/// What this host is told of its future.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Who leaves.
    pub leaving: Leaving,
    /// When nothing of that is wanted any more, by the agent's clock; `None` where the end has no time, and
    /// each container goes when it is asked to stop.
    pub withdraw_at: Option<Duration>,
    /// Who says so, for the log; empty where nobody leaves.
    pub reason: String,
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
}
