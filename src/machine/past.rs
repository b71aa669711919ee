//! What an engine remembers of its containers when somebody begins to listen: some of what happened, in the
//! order in which it happened.
//!
//! Owns what that amounts to for one container: whether its last life ended, which signals came after the latest
//! start or end, and whether that is news to who heard of some of it before. No clock has a say in it: the engine's may
//! have stepped meanwhile, and its times are only told apart. What it means beside
//! what is known already is decided by the [lifecycle](super::lifecycle).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::lifecycle::Seq;
use crate::container::Timestamp;
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
    /// Whether a start or an end is remembered that was not heard of before.
    pub turned: bool,
    /// Whether the latest of those was an end.
    pub ended: bool,
    /// When the latest start or end was, heard of before or not.
    pub latest: Option<Timestamp>,
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
            let (ended, latest) = (turn == Turn::Ended, Some(time));
            *trace = Trace { turned: true, ended, latest, ..Trace::default() };
        }
    }

    /// Whether the engine was started after a signal that was sent at this time: it would remember it.
    pub fn began_after(&self, signal: Timestamp) -> bool {
        self.whole && !self.signalled.contains(&signal)
    }
}

/// The latest start or end of each container that somebody has heard of, by the engine's clock.
#[derive(Clone, Debug, Default)]
pub struct Heard(BTreeMap<ContainerId, Timestamp>);

impl Heard {
    /// A container was started, or ended.
    pub fn turned(&mut self, id: &ContainerId, time: Timestamp) {
        self.0.insert(id.clone(), time);
    }

    /// All that an engine remembers is heard of now: what was before is no news.
    pub fn catch_up(&mut self, past: &mut Past) {
        for (id, trace) in &mut past.traces {
            let Some(latest) = trace.latest else { continue };
            if self.0.insert(id.clone(), latest) == Some(latest) {
                (trace.turned, trace.ended) = (false, false);
            }
        }
    }

    /// Forgets all containers but these.
    pub fn retain(&mut self, listed: &BTreeSet<ContainerId>) {
        self.0.retain(|id, _| listed.contains(id));
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
    use crate::container::testing::at;
    use crate::machine::testing::{SIGKILL, SIGTERM, secs};
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
    fn what_was_heard_of_before_is_no_news_and_what_came_after_it_is() {
        let mut heard = Heard::default();
        heard.turned(&id(1), at(5));
        let news = |heard: &mut Heard, turns: &[(Turn, u64)]| {
            let mut past = Past::new(Seq(1), true);
            turns.iter().for_each(|(turn, time)| past.push(&id(1), *turn, at(*time), secs(1)));
            heard.catch_up(&mut past);
            let trace = past.traces.remove(&id(1)).unwrap();
            (trace.turned, trace.ended, trace.kills.len())
        };
        let started = [(Turn::Started, 5), (Turn::Killed(SIGTERM), 6)];
        assert_eq!(news(&mut heard, &started), (false, false, 1));
        let ended = [(Turn::Started, 5), (Turn::Ended, 7)];
        assert_eq!(news(&mut heard, &ended), (true, true, 0));
        assert_eq!(news(&mut heard, &ended), (false, false, 0));
        heard.retain(&BTreeSet::new());
        assert_eq!(news(&mut heard, &ended), (true, true, 0));
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
