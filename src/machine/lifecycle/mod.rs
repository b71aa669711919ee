//! The life of one container as DNS sees it: `step(state, event, now) -> (state, effects)`.
//!
//! Owns when a container's services are wanted in DNS, at which weight, and when no more. Leaves to
//! others: what the container offers ([`crate::container::offer`]), which of two containers holds a port
//! ([`super::claims`]), and how a want reaches the zone.
//!
//! # The whole table
//!
//! | state     | event                          | next      | what is wanted                                  |
//! |-----------|--------------------------------|-----------|-------------------------------------------------|
//! | Idle      | seen running, a life not ended | Live      | services without a check, at their weight       |
//! | Idle      | killed, recalled               | Stopping  | nothing: an inspection tells what that meant    |
//! | Live      | seen running, the same life    | Live      | verdicts kept; new offers begin unproven        |
//! | Live      | seen running, a newer life     | Live      | as from Idle: the old life's ports are gone     |
//! | Live      | registered (the zone has it)   | Live      | unproven → serving; inherited, at weight 0, where the record has weight 0 and the service has not, or where an earlier life may have proved it |
//! | Live      | verdict up, or HEALTHCHECK     | Live      | the service, at its weight                      |
//! | Live      | verdict down, was serving      | Live      | the service, at weight 0 ([a host that is silent as a whole](super::suspicion) gives no such verdict) |
//! | Live      | [`REMIND_AFTER`], never healthy| Live      | nothing; the log says why, and again later      |
//! | Live      | another has its port           | Live      | nothing that a probe proved there; no probes    |
//! | Live      | the port is free               | Live      | as it is; its check has to pass anew            |
//! | Live      | killed, by a stopping signal   | Stopping  | nothing                                         |
//! | Live      | killed, by one that [may end it](may_end) | Live | the services at weight 0, while that is [in doubt](doubt) |
//! | Live      | seen in one life too many      | Live      | nothing while it is [held](restarts), then as it proved |
//! | Idle      | seen running, its like [crash in a loop](super::crash_loops) | Live | nothing while it is held for that, then as it proved |
//! | Idle      | seen paused                    | Live      | what an earlier run registered, as in a [pause] that begins now |
//! | Live      | seen paused                    | Live      | as it was; after 5 s at weight 0, after 60 s nothing but full names |
//! | Live      | seen running, was [paused](pause) | Live   | after 5 s and more, its weight once its check has passed |
//! | Live      | died, seen stopped             | Idle      | nothing; this life has ended                    |
//! | Live      | absent                         | Idle      | nothing; an inspection may show this life again |
//! | Stopping  | killed                         | Stopping  | nothing; the last signal counts the time        |
//! | Stopping  | seen running                   | Stopping  | nothing, while the stop is believed             |
//! | Stopping  | seen running, not meant to stop| Live      | as from Idle: HUP, say                          |
//! | Stopping  | seen running, believed no more | Live      | as from Idle                                    |
//! | Stopping  | started, died                  | Idle      | nothing; the life that was meant has ended      |
//! | Stopping  | Docker was restarted           | Idle      | nothing; an inspection tells what still runs    |
//! | Stopping  | seen stopped, absent           | Idle      | nothing, if asked for after the last signal     |
//! | any       | drain                          | Drained   | nothing, for good                               |
//! | Drained   | anything                       | Drained   | nothing                                         |
//!
//! What is not in the table changes nothing. The log tells some states apart: a Live one that is kept out is `held`, one
//! that is frozen `paused`, and a Stopping one that no inspection has shown to be meant `perhaps stopping`.
//!
//! # Guarantees
//!
//! - The order of events is the order in which the agent learnt them ([`Seq`]): a signal is meant for the life that
//!   runs when it is heard, until a start or an end is heard; an answer that was asked for before the container's
//!   latest death is stale. Docker's clock decides two things only: an end that is older than the known life's start
//!   is ignored, and the inspection that comes with it decides; and where a newer life is seen whose start was not
//!   heard, only signals that were sent since that start are meant for it.
//! - Events may be repeated or lost: what is lost costs an inspection, or that a stop is believed for its full time.
//! - A process may have its ports until it has ended, whatever is wanted of it: they are claimed while it stops and
//!   while it is paused.
//! - Once a life (container id and start time) has ended, nothing makes it wanted again, but the news of a start
//!   after that.
//! - Health never takes back a want, it only changes its weight.
//! - Effects are derived from the states on both sides of a step, so what is wanted is what the state
//!   says.

mod decision;
pub mod doubt;
mod edge;
mod effect;
mod event;
mod health;
mod life;
pub mod pause;
mod ports;
pub mod restarts;
mod stopping;
mod tracked;
mod transition;

use std::collections::BTreeMap;
use std::time::Duration;

pub use decision::{Decision, Reason, Unproven};
pub use edge::Edge;
pub use effect::{Effect, Outlived};
pub use event::{Event, Registered, Sight};
pub use health::{Health, Target};
pub use life::Life;
pub use ports::{Claim, Ports, Standing, Taken, Wanted, Why};
pub use stopping::{Desired, Kill, STOP_BELIEF, Stopping, may_end, stops};
pub use tracked::Tracked;

use self::restarts::Restarts;
use super::past::Signals;
use crate::container::convention::Answer;
use crate::container::offer::Endpoint;
use crate::container::{Running, Timestamp};
use crate::moment::Moment;

/// How long a service may take to pass its check before the log says why it is not in DNS: most have started by
/// then.
pub const REMIND_AFTER: Duration = Duration::from_secs(60);
/// How long after that the log says so again.
pub const REMIND_EVERY: Duration = Duration::from_secs(600);

/// A place in the order in which the agent learnt things of Docker. An answer carries the place at which
/// it was asked for; comparing them needs no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// Where a container is in its life. See the table at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is wanted: it does not run, or has not been inspected.
    Idle,
    /// It runs or is paused, and its services are watched.
    Live(Life),
    /// It was sent a signal that asks it to stop, or may: nothing is wanted until that is settled.
    Stopping(Stopping),
    /// The agent has drained.
    Drained,
}

/// One container's state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    state: State,
    /// Answers asked for before this are stale.
    horizon: Seq,
    /// The latest life that is known to have ended.
    ended: Option<Timestamp>,
    /// The ports of the process that is there while nothing is wanted of it.
    lingering: Option<Ports>,
    restarts: Restarts,
    /// When the signals were sent that its life has survived, by their number. An engine may tell of them again, and a
    /// clock that was set back make them look younger.
    survived: BTreeMap<u8, Timestamp>,
    /// How long a stopping signal is believed.
    belief: Duration,
}

impl Lifecycle {
    /// Where the container is in its life.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The same in a word or two, as the log has it.
    pub fn phase(&self) -> &'static str {
        edge::name(&self.state)
    }

    /// What the container wants in DNS.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.ports().map(|ports| ports.wanted()).unwrap_or_default()
    }

    /// What the container has to do with ports, while it has a process that is known of.
    pub fn ports(&self) -> Option<Ports> {
        let ports = match &self.state {
            State::Live(life) => Some(life.ports()),
            State::Idle | State::Stopping(_) => self.lingering.clone(),
            State::Drained => None,
        };
        ports.filter(|ports| !ports.is_empty())
    }

    /// Which of the ports that it claims it was told to be another container's, while that means anything to it.
    pub fn taken(&self) -> Option<&BTreeMap<Endpoint, Taken>> {
        match &self.state {
            State::Live(life) => Some(&life.taken),
            State::Idle | State::Stopping(_) | State::Drained => None,
        }
    }

    /// The ECS task of the life that is watched.
    pub fn task(&self) -> Option<&str> {
        match &self.state {
            State::Live(life) => life.task.as_deref(),
            State::Idle | State::Stopping(_) | State::Drained => None,
        }
    }

    /// Whether the life that is watched offers what a record under this name speaks of, wherever it leads.
    pub fn offers(&self, service: &str, at: &Registered) -> bool {
        let State::Live(life) = &self.state else { return false };
        let is_it = |tracked: &Tracked| {
            let offered = &tracked.offer.service;
            let fits = match at {
                Registered::Target { container_port, .. } => {
                    offered.answer != Answer::Address && offered.container_port == *container_port
                }
                Registered::Address(_) => offered.answer == Answer::Address,
            };
            fits && offered.name.as_str() == service
        };
        life.services.iter().any(is_it)
    }

    /// What is to be probed: of which life, and where.
    pub fn probing(&self) -> Option<(Timestamp, Vec<Target>)> {
        match &self.state {
            State::Live(life) => {
                Some((life.started_at, life.targets())).filter(|(_, targets)| !targets.is_empty())
            }
            State::Idle | State::Stopping(_) | State::Drained => None,
        }
    }

    /// When time itself changes something.
    pub fn deadline(&self) -> Option<Moment> {
        match &self.state {
            State::Live(live) => live.deadline(),
            State::Stopping(stopping) => Some(stopping.until()),
            State::Idle | State::Drained => None,
        }
    }

    /// Whether a verdict is still awaited.
    pub fn unproven(&self) -> bool {
        matches!(&self.state, State::Live(life) if life.unproven())
    }

    /// Whether something is registered of which another life may have proved that it serves.
    fn inherits(&self) -> bool {
        matches!(&self.state, State::Live(life) if life.inherits())
    }

    /// The latest signal that counts, by when it was sent.
    pub fn signalled(&self) -> Option<Timestamp> {
        match &self.state {
            State::Live(life) => life.doubt.as_ref().and_then(|doubt| doubt.kill).map(|kill| kill.time),
            State::Stopping(stopping) => stopping.last().map(|kill| kill.time),
            State::Idle | State::Drained => None,
        }
    }

    /// The life that was asked to stop, by which signals, and when: for the next run of the agent.
    pub fn signals(&self) -> Option<Signals> {
        let State::Stopping(stopping) = &self.state else { return None };
        Some(Signals { life: stopping.life?, kills: stopping.sent() })
    }

    /// Whether this life is known to be on its way out, or over.
    pub fn leaves(&self) -> bool {
        matches!(&self.state, State::Stopping(stopping) if stopping.life.is_some())
            || self.state == State::Drained
    }

    /// Whether an answer that was asked for then says nothing any more.
    pub fn outdates(&self, as_of: Seq) -> bool {
        as_of < self.horizon
    }

    /// Whether this machine holds nothing that a new one would not, once answers asked for before `as_of`
    /// are known to be stale: it may be forgotten when a list of then does not show the container.
    pub fn forgettable(&self, as_of: Seq, now: Moment) -> bool {
        self.state == State::Idle
            && self.lingering.is_none()
            && self.horizon <= as_of
            && self.restarts.forgotten(now)
    }

    /// Takes one event.
    pub fn step(self, event: Event, now: Moment) -> (Self, Vec<Effect>) {
        let before = self.clone();
        let edge = Edge::of(&before, &event, now);
        let reason = Reason::of(&event);
        let ticked = event == Event::Tick;
        let unasked = matches!(&event, Event::Seen { sight, .. }
            if sight.running == Running::Running && sight.desired == Desired::Unasked);
        let restarted = matches!(&event, Event::Remembered { restarted: true, trace, .. } if !trace.turned);
        let crash = self.crash(&event);
        let after = self.next(event, now);
        let reason = match (before.hold(), after.hold()) {
            (None, Some(hold)) => Reason::of_hold(hold),
            _ if reason == Reason::Registered && after.inherits() => Reason::Inherited,
            _ if ticked && before.doubts() && !after.doubts() => Reason::GoesOn,
            _ => reason,
        };
        let mut effects = after.effects_since(&before, reason);
        if ticked {
            effects.extend(before.reminders(now).into_iter().map(Effect::Unproven));
        }
        // Where ECS has a say, only an inspection that asks it ends a stop.
        let asks = unasked && matches!(after.state, State::Stopping(_)) && after.look_due(now);
        if ticked && before.look_due(now) || asks || restarted && after.state != before.state {
            effects.push(Effect::Inspect);
        }
        effects.extend(after.outlived(&before, restarted, now).map(Effect::Outlived));
        let held = after.hold().filter(|hold| before.hold() != Some(hold));
        effects.extend(held.cloned().map(Effect::Held));
        effects.extend(crash.filter(|_| after.state == State::Idle).map(Effect::Crashed));
        if after != before {
            effects.push(Effect::Stepped(edge.to(&after)));
        }
        (after, effects)
    }
}

#[cfg(test)]
mod tests;
