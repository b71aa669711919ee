//! How events move a lifecycle from state to state: the table, row by row.
//!
//! All that changes a lifecycle is here; what follows from it for the world is derived by [effects](super::effect).

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::restarts::Restarts;
use super::stopping::Stop;
use super::{Event, Kill, Life, Lifecycle, Ports, STOP_BELIEF, Seq, Sight, State, Stopping, may_end, stops};
use crate::container::{Running, Timestamp};
use crate::machine::past::{Signals, Trace};
use crate::moment::Moment;

impl Default for Lifecycle {
    fn default() -> Self {
        Self::believing(STOP_BELIEF)
    }
}

impl Lifecycle {
    /// A container of which nothing is known, and a stopping signal is believed for that long.
    pub fn believing(belief: Duration) -> Self {
        let (state, horizon) = (State::Idle, Seq::default());
        let (ended, lingering, restarts, survived) = (None, None, Restarts::default(), BTreeMap::new());
        Self { state, horizon, ended, lingering, restarts, survived, belief }
    }

    pub(super) fn next(mut self, event: Event, now: Moment) -> Self {
        if self.state == State::Drained {
            return self;
        }
        match event {
            Event::Seen { as_of, sight } if !self.outdates(as_of) => {
                self.horizon = as_of;
                self.on_seen(*sight, now);
            }
            Event::Absent { as_of } if !self.outdates(as_of) => {
                self.horizon = as_of;
                self.on_gone(as_of);
            }
            Event::Died { at, time } if at >= self.horizon && !self.began_after(time) => {
                self.horizon = at;
                self.on_died(at);
            }
            Event::Started { at } => self.on_started(at),
            Event::Killed { at, signal, time, age } => {
                self.on_killed(signal, Kill { at, time, heard: now, age }, now);
            }
            Event::Remembered { at, trace, restarted } => self.on_remembered(at, trace, restarted, now),
            Event::Recalled { signals, wall } => self.on_recalled(signals, wall, now),
            Event::Probed { life, target, verdict } => {
                if let State::Live(live) = &mut self.state {
                    live.on_probed(life, &target, verdict);
                }
            }
            Event::Registered { service, at, weight } => {
                if let State::Live(live) = &mut self.state {
                    live.on_registered(&service, &at, weight);
                }
            }
            Event::Taken(taken) => {
                if let State::Live(live) = &mut self.state {
                    live.on_taken(taken, now);
                }
            }
            Event::Tick => {
                if let State::Live(live) = &mut self.state {
                    live.on_tick(now);
                }
            }
            Event::Drain => self.state = State::Drained,
            Event::Seen { .. } | Event::Absent { .. } | Event::Died { .. } => {}
        }
        self
    }

    fn on_seen(&mut self, sight: Sight, now: Moment) {
        if sight.running == Running::Stopped {
            self.ended = Some(sight.started_at);
            return self.on_gone(self.horizon);
        }
        if self.ended == Some(sight.started_at) {
            return;
        }
        let away = Ports::away(&sight);
        match &mut self.state {
            State::Stopping(stopping) => {
                let doubted = stopping.doubted(&sight);
                let stop = stopping.on_running(&sight, now);
                if stop == Stop::Survived {
                    self.survived.extend(stopping.sent());
                }
                if stop != Stop::Holds {
                    self.begin(sight, now);
                    self.doubt(doubted, now);
                }
            }
            State::Live(live) if live.started_at == sight.started_at => live.on_seen(sight, now),
            State::Idle | State::Drained | State::Live(_) => self.begin(sight, now),
        }
        self.lingering = Some(away).filter(|_| !matches!(self.state, State::Live(_)));
    }

    fn begin(&mut self, sight: Sight, now: Moment) {
        let held = self.restarts.on_start(sight.started_at, now);
        self.state = State::Live(Life::begin(sight, held, now));
    }

    /// News of an earlier life's end can arrive after an inspection of this one. By a clock that stepped back the end
    /// of this one looks so too: either way an inspection comes with the news, and shows what is so.
    fn began_after(&self, time: Timestamp) -> bool {
        let life = match &self.state {
            State::Live(life) => Some(life.started_at),
            State::Stopping(stopping) => stopping.life,
            State::Idle | State::Drained => None,
        };
        life.is_some_and(|started_at| started_at > time)
    }

    fn on_killed(&mut self, signal: u8, kill: Kill, now: Moment) {
        match &mut self.state {
            State::Drained => {}
            State::Live(live) if may_end(signal, live.stop_signal) => live.on_doubted(kill, now),
            // What has survived it already is not asked again.
            _ if now >= kill.and(self.belief) => _ = self.survived.insert(signal, kill.time),
            _ if self.survived.get(&signal) == Some(&kill.time) => {}
            State::Live(live) if stops(signal, live.stop_signal) => {
                self.lingering = Some(live.ports().leaving());
                self.state = State::Stopping(Stopping::sure(live, signal, kill, self.belief));
            }
            State::Live(_) => {}
            State::Idle => self.state = State::Stopping(Stopping::unsure(signal, kill, self.belief)),
            State::Stopping(stopping) => stopping.on_killed(signal, kill),
        }
    }

    fn doubt(&mut self, kill: Option<Kill>, now: Moment) {
        if let (Some(kill), State::Live(live)) = (kill, &mut self.state) {
            live.on_doubted(kill, now);
        }
    }

    fn on_died(&mut self, at: Seq) {
        self.lingering = None;
        self.survived.clear();
        match &mut self.state {
            State::Live(Life { started_at, .. }) => self.ended = Some(*started_at),
            State::Stopping(stopping) => {
                self.ended = stopping.life.or(self.ended);
                if !stopping.is_over_at(at) {
                    return;
                }
            }
            State::Idle | State::Drained => {}
        }
        self.state = State::Idle;
    }

    /// What was meant for the life before is over, and an inspection that was asked for before may show that one still.
    /// That the newer one runs will be seen.
    fn on_started(&mut self, at: Seq) {
        self.ended = None;
        if let State::Stopping(stopping) = &mut self.state
            && stopping.is_over_at(at)
        {
            self.horizon = self.horizon.max(at);
            self.lingering = None;
            self.state = State::Idle;
        }
    }

    /// A known signal still counts if Docker remembers it too, or if Docker was not restarted and remembers no start or
    /// end that is new to us.
    fn on_remembered(&mut self, at: Seq, trace: Trace, restarted: bool, now: Moment) {
        if let State::Stopping(stopping) = &mut self.state {
            let remembered = |kill: &Kill| trace.kills.values().any(|(time, _)| *time == kill.time);
            let forgotten = !trace.turned && !restarted;
            if stopping.retain(|kill| remembered(kill) || forgotten) {
                self.state = State::Idle;
            }
        }
        if trace.turned && self.state == State::Idle {
            // The life that was meant has ended; an inspection that was asked for before may show it still.
            self.horizon = self.horizon.max(at);
            self.lingering = None;
        }
        if trace.ended {
            self.horizon = self.horizon.max(at);
            self.on_died(at);
        } else if trace.turned {
            self.ended = None;
        }
        for (signal, (time, age)) in trace.kills {
            self.on_killed(signal, Kill { at, time, heard: now, age }, now);
        }
    }

    fn on_recalled(&mut self, Signals { life, kills }: Signals, wall: SystemTime, now: Moment) {
        let kill = |time: Timestamp| Kill { at: Seq::default(), time, heard: now, age: time.age(wall) };
        let kills = kills.into_iter().map(|(signal, time)| (signal, kill(time)));
        let kills = kills.filter(|(_, kill)| now < kill.and(self.belief)).collect();
        let stopping = Stopping::of(Some(life), kills, self.belief);
        if self.state == State::Idle && now < stopping.until() {
            self.state = State::Stopping(stopping);
        }
    }

    /// There is no process, as known then. That is no news of any one life: an absence can be as old as the inspection
    /// that showed this one running, and older than a signal.
    fn on_gone(&mut self, as_of: Seq) {
        self.lingering = None;
        let younger = |stopping: &Stopping| stopping.last().is_some_and(|kill| kill.at > as_of);
        if !matches!(&self.state, State::Stopping(stopping) if younger(stopping)) {
            self.state = State::Idle;
        }
    }
}
