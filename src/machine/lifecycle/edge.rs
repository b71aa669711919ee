//! The step that a lifecycle made, in the words of its table: for the debug log, and for whoever counts
//! which of them were ever made.

use std::fmt;

use super::{Event, Life, Lifecycle, State, Stopping};
use crate::container::Running;
use crate::machine::probe::Verdict;
use crate::moment::Moment;

/// From which state by what to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The state before.
    pub from: &'static str,
    /// What happened.
    pub by: &'static str,
    /// The state after.
    pub to: &'static str,
}

impl Edge {
    /// The beginning of the step that `event` makes.
    pub(super) fn of(before: &Lifecycle, event: &Event, now: Moment) -> Self {
        Self { from: name(&before.state), by: by(&before.state, event, now), to: "" }
    }

    /// The whole step.
    pub(super) fn to(self, after: &Lifecycle) -> Self {
        Self { to: name(&after.state), ..self }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} ({})", self.from, self.to, self.by)
    }
}

pub(super) fn name(state: &State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Live(Life { hold: Some(_), .. }) => "held",
        State::Live(Life { pause: Some(_), .. }) => "paused",
        State::Live(_) => "live",
        State::Stopping(Stopping { life: None, .. }) => "perhaps stopping",
        State::Stopping(_) => "stopping",
        State::Drained => "drained",
    }
}

fn by(state: &State, event: &Event, now: Moment) -> &'static str {
    match event {
        Event::Seen { sight, .. } => match (sight.running, state) {
            (Running::Stopped, _) => "seen stopped",
            (Running::Paused, _) => "seen paused",
            (Running::Running, State::Live(life)) if life.started_at == sight.started_at => "seen again",
            (Running::Running, State::Live(_)) => "seen in a newer life",
            (Running::Running, State::Stopping(stopping)) if now >= stopping.until() => "seen to survive",
            (Running::Running, _) => "seen running",
        },
        Event::Absent { .. } => "absent",
        Event::Killed { .. } => "killed",
        Event::Died { .. } => "died",
        Event::Started { .. } => "started",
        Event::Remembered { restarted: true, .. } => "Docker was restarted",
        Event::Remembered { .. } => "remembered",
        Event::Recalled { .. } => "recalled",
        Event::Probed { verdict: Verdict::Up, .. } => "verdict up",
        Event::Probed { verdict: Verdict::Down, .. } => "verdict down",
        Event::Registered { .. } => "registered",
        Event::Taken(taken) if taken.is_empty() => "no port taken",
        Event::Taken(_) => "a port taken",
        Event::Drain => "drain",
        Event::Tick => "time",
    }
}
