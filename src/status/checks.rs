//! What each target answered last, and how many answers of each kind there were.
//!
//! Written by the probers at each answer, so it is shared and small, and no snapshot of anybody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::machine::lifecycle::Target;
use crate::moment::Moment;
use crate::record::ContainerId;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed at once.
    Refused,
    /// Nothing was answered in time.
    TimedOut,
    /// This host could not ask.
    NotAsked,
}

impl Outcome {
    /// What it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::NotAsked => "not_asked",
        }
    }
}

/// What a target answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// When, by the agent's clock.
    pub at: Moment,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
    /// What was wrong, in words.
    pub error: Option<String>,
}

/// The latest answers of all targets. A container has few, so they are in no order.
pub type Answers = BTreeMap<ContainerId, Vec<(Target, Checked)>>;

#[derive(Debug, Default)]
struct Inner {
    latest: Answers,
    totals: BTreeMap<Outcome, u64>,
}

/// Where probers say what was answered. A clone is another handle to it.
#[derive(Clone, Debug, Default)]
pub struct Checks(Arc<Mutex<Inner>>);

impl Checks {
    /// A target answered.
    pub fn on_checked(&self, container: &ContainerId, target: &Target, checked: Checked) {
        let mut inner = self.inner();
        *inner.totals.entry(checked.outcome).or_default() += 1;
        // Hardly ever is either of them new.
        match inner.latest.get_mut(container) {
            Some(targets) => match targets.iter_mut().find(|(of, _)| of == target) {
                Some((_, latest)) => *latest = checked,
                None => targets.push((target.clone(), checked)),
            },
            None => drop(inner.latest.insert(container.clone(), vec![(target.clone(), checked)])),
        }
    }

    /// From now on these are the targets of a container.
    pub fn retain(&self, container: &ContainerId, targets: &[Target]) {
        let mut inner = self.inner();
        if let Some(latest) = inner.latest.get_mut(container) {
            latest.retain(|(target, _)| targets.contains(target));
            if latest.is_empty() {
                inner.latest.remove(container);
            }
        }
    }

    /// What was answered last.
    pub fn latest(&self) -> Answers {
        self.inner().latest.clone()
    }

    /// How many answers of each kind there were.
    pub fn totals(&self) -> BTreeMap<Outcome, u64> {
        self.inner().totals.clone()
    }

    // A panic between two of these leaves nothing half done.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
