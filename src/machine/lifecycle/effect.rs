//! What a step asks of the world. It is derived from the states on both sides of the step: nothing is asked that the
//! state does not say.

use std::time::Duration;

use super::restarts::Hold;
use super::{Decision, Edge, Lifecycle, Ports, Reason, State, Target, Unproven};
use crate::container::{Family, Timestamp};
use crate::moment::Moment;

/// What a step asks of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What this container has to do with ports, and wants in DNS, in place of whatever that was before; `None` where
    /// it has no process that is known of.
    Claim(Option<Ports>),
    /// Probe these targets of this life, and none else.
    Probe {
        /// The life they belong to.
        life: Timestamp,
        /// The targets; empty to stop probing.
        targets: Vec<Target>,
    },
    /// Inspect the container again.
    Inspect,
    /// Send [`Event::Tick`](super::Event::Tick) at this time.
    WakeAt(Moment),
    /// Something for the log.
    Decided(Decision),
    /// For the log: it is part of a crash loop, and kept out of DNS for that.
    Held(Hold),
    /// One of this family has ended as those of a [crash loop](crate::machine::crash_loops) do.
    Crashed(Family),
    /// For the log: it has not passed its check for long.
    Unproven(Unproven),
    /// For the log: the step that was made.
    Stepped(Edge),
    /// For the log: a stop is over, and the container runs.
    Outlived(Outlived),
}

/// Why a stop is over though the container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outlived {
    /// It was asked to stop this long ago.
    Belief(Duration),
    /// Docker was restarted since, and the stop that waited for its time is gone with it.
    Engine,
}

impl Lifecycle {
    /// A stop that is over though the container may run.
    pub(super) fn outlived(&self, before: &Self, restarted: bool, now: Moment) -> Option<Outlived> {
        let State::Stopping(stopping) = &before.state else { return None };
        let life = stopping.life?;
        match &self.state {
            State::Idle if restarted && self.ended != Some(life) => Some(Outlived::Engine),
            State::Live(live) if live.started_at == life && now >= stopping.until() => {
                let last = stopping.last()?;
                Some(Outlived::Belief(now - last.heard + last.age))
            }
            _ => None,
        }
    }

    pub(super) fn effects_since(&self, before: &Self, reason: Reason) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (was, ports) = (before.ports(), self.ports());
        if was != ports {
            let (was, wants) = (before.wanted(), self.wanted());
            effects.extend(Decision::between(&was, &wants, reason).into_iter().map(Effect::Decided));
            effects.push(Effect::Claim(ports));
        }
        if let Some(probe) = self.probing_since(before) {
            effects.push(probe);
        }
        if let Some(at) = self.deadline().filter(|at| before.deadline() != Some(*at)) {
            effects.push(Effect::WakeAt(at));
        }
        effects
    }

    fn probing_since(&self, before: &Self) -> Option<Effect> {
        let (was, is) = (before.probing(), self.probing());
        // Who was asked while another had its port is asked anew, and whose answers count from here on.
        let same = was == is && (is.is_none() || before.taken() == self.taken());
        if same && before.is_settled() >= self.is_settled() {
            return None;
        }
        let (life, targets) = is.or_else(|| was.map(|(life, _)| (life, Vec::new())))?;
        Some(Effect::Probe { life, targets })
    }

    pub(super) fn reminders(&self, now: Moment) -> Vec<Unproven> {
        match &self.state {
            State::Live(life) => life.due_for_a_reminder(now),
            State::Idle | State::Stopping(_) | State::Drained => Vec::new(),
        }
    }

    /// Whether time itself asks for an inspection: a stop is believed no more, a pause may have come further, or a
    /// HEALTHCHECK's log is due.
    pub(super) fn look_due(&self, now: Moment) -> bool {
        match &self.state {
            State::Stopping(stopping) => now >= stopping.until(),
            State::Live(life) => life.look_due(now),
            State::Idle | State::Drained => false,
        }
    }

    fn is_settled(&self) -> bool {
        matches!(&self.state, State::Live(life) if life.is_settled())
    }

    /// Whether it is paused, as far as is known: nobody asks it then.
    pub fn is_paused(&self) -> bool {
        matches!(&self.state, State::Live(life) if life.pause.is_some())
    }

    pub(super) fn doubts(&self) -> bool {
        matches!(&self.state, State::Live(life) if life.doubt.is_some())
    }
}
