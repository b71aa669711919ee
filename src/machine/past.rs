//! What an engine remembers of its containers when somebody begins to listen: some of what happened, in the
//! order in which it happened.
//!
//! Owns what that amounts to for one container: whether its last life ended, and which signals came after the
//! latest start or end. No clock has a say in it: the engine's may have stepped meanwhile. What it means beside
//! what is known already is decided by the [lifecycle](super::lifecycle).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::container::Timestamp;
use super::lifecycle::Seq;
use crate::record::ContainerId;

/// What an engine remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The place of the news.
    pub at: Seq,
    /// Whether the engine has forgotten nothing since it started.
    pub whole: bool,
    /// By container, what is left of it.
    pub traces: BTreeMap<ContainerId, Trace>,
    /// When signals were sent, to whomever.
    signalled: BTreeSet<Timestamp>,
}

/// What happened to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It was sent a signal.
    Killed(u8),
    /// Another life of it began.
    Started,
    /// Its life ended.
    Ended,
}

/// What is left of a container's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The latest of each signal since the latest start or end: when, and how long ago.
    pub kills: BTreeMap<u8, (Timestamp, Duration)>,
    /// Whether a start or an end is remembered.
    pub turned: bool,
    /// Whether the latest of those was an end.
    pub ended: bool,
}

impl Past {
    /// Nothing yet, learnt at this place.
    pub fn new(at: Seq, whole: bool) -> Self {
        Self { at, whole, ..Self::default() }
    }

    /// What happened next.
    pub fn push(&mut self, id: &ContainerId, turn: Turn, time: Timestamp, age: Duration) {
        let trace = self.traces.entry(id.clone()).or_default();
        if let Turn::Killed(signal) = turn {
            trace.kills.insert(signal, (time, age));
            self.signalled.insert(time);
        } else {
            *trace = Trace { turned: true, ended: turn == Turn::Ended, ..Trace::default() };
        }
    }

    /// Whether the engine was started after a signal that was sent at this time: it would remember it.
    pub fn began_after(&self, signal: Timestamp) -> bool {
        self.whole && !self.signalled.contains(&signal)
    }
}

/// What a life was sent that asks it to stop: what an agent has to know over its own restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signals {
    /// The life that was meant.
    pub life: Timestamp,
    /// When each signal was sent last, by its number.
    pub kills: BTreeMap<u8, Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::{SIGKILL, SIGTERM, at, secs};
    use crate::record::testing::id;

    fn past(turns: &[(Turn, u64)]) -> Trace {
        let mut past = Past::new(Seq(1), true);
        turns.iter().for_each(|(turn, time)| past.push(&id(1), *turn, at(*time), secs(1)));
        past.traces.remove(&id(1)).unwrap()
    }

    #[test]
    fn a_signal_is_left_where_no_start_and_no_end_came_after_it_whatever_the_clock_says() {
        let term = Turn::Killed(SIGTERM);
        assert_eq!(past(&[(Turn::Started, 9_000), (term, 20)]).kills, [(SIGTERM, (at(20), secs(1)))].into());
        for over in [Turn::Started, Turn::Ended] {
            let trace = past(&[(term, 9_000), (over, 20)]);
            assert_eq!((trace.kills.len(), trace.turned, trace.ended), (0, true, over == Turn::Ended));
        }
        let both = past(&[(term, 1), (Turn::Killed(SIGKILL), 2), (term, 3)]);
        assert_eq!(both.kills, [(SIGTERM, (at(3), secs(1))), (SIGKILL, (at(2), secs(1)))].into());
        assert!(!both.turned);
    }

    #[test]
    fn an_engine_that_forgot_nothing_and_knows_no_such_signal_is_another() {
        let mut past = Past::new(Seq(1), true);
        past.push(&id(1), Turn::Killed(SIGTERM), at(5), secs(1));
        assert_eq!((past.began_after(at(5)), past.began_after(at(4))), (false, true));
        past.whole = false;
        assert!(!past.began_after(at(4)));
    }
}
