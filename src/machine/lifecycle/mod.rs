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
//! | Idle      | killed, recalled               | Stopping  | nothing: a look will tell what the signal meant |
//! | Live      | seen running, the same life    | Live      | verdicts kept; new offers begin unproven        |
//! | Live      | seen running, a newer life     | Live      | as from Idle: the old life's ports are gone     |
//! | Live      | registered (the zone has it)   | Live      | unproven → serving, or failing where its weight is 0; inherited, where an earlier life may have proved it |
//! | Live      | verdict up, or HEALTHCHECK     | Live      | the service, at its weight                      |
//! | Live      | verdict down, was serving      | Live      | the service, at weight 0                        |
//! | Live      | [`REMIND_AFTER`], never healthy| Live      | nothing; the log says why, and again later      |
//! | Live      | another has its port           | Live      | nothing that a probe proved there; no probes    |
//! | Live      | the port is free               | Live      | as it is; its check has to pass anew            |
//! | Live      | killed, by a stopping signal   | Stopping  | nothing                                         |
//! | Live      | killed, by one that [may end it](may_end) | Live | the services at weight 0, while that is [in doubt](doubt) |
//! | Live      | seen in one life too many      | Live      | nothing while it is [held](restarts), then as it proved |
//! | Live      | seen paused                    | Idle      | nothing; it may come back in the same life      |
//! | Live      | died, seen stopped, absent     | Idle      | nothing; this life has ended                    |
//! | Stopping  | killed                         | Stopping  | nothing; the last signal counts the time        |
//! | Stopping  | seen running                   | Stopping  | nothing, while the stop is believed             |
//! | Stopping  | seen running, not meant to stop| Live      | as from Idle: HUP, say                          |
//! | Stopping  | seen running, believed no more | Live      | as from Idle                                    |
//! | Stopping  | started, died                  | Idle      | nothing; the life that was meant has ended      |
//! | Stopping  | Docker was restarted           | Idle      | nothing; a look will tell what still runs       |
//! | Stopping  | seen stopped, absent           | Idle      | nothing, if asked for after the last signal     |
//! | any       | drain                          | Drained   | nothing, for good                               |
//! | Drained   | anything                       | Drained   | nothing                                         |
//!
//! What is not in the table changes nothing.
//!
//! # Guarantees
//!
//! - What came after what is told by the place of the news ([`Seq`]), never by a clock: a signal is meant for the
//!   life that runs when it is heard, until a start or an end is heard; an answer that was asked for before
//!   the container's latest death is stale. The engine's clock says only whether an end that is heard late may be
//!   an earlier life's: then the look decides that comes with it.
//! - Events may be repeated or lost: what is lost costs a look, or that a stop is believed for its full time.
//! - A process may have its ports until it has ended, whatever is wanted of it: they are claimed while it stops and
//!   while it is paused.
//! - Once a life (container id and start time) has ended, nothing makes it wanted again, but the news of a start
//!   after that.
//! - Health never takes back a want, it only changes its weight.
//! - Effects are derived from the states on both sides of a step, so what is wanted is what the state
//!   says.

pub mod doubt;
mod edge;
mod life;
mod ports;
pub mod restarts;
mod stopping;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

pub use edge::Edge;
pub use life::{Decision, Health, Life, Reason, Target, Tracked, Unproven, Wanted};
pub use ports::{Claim, Ports, Standing, Taken, Why};
pub use stopping::{Desired, Kill, STOP_BELIEF, Stopping, may_end, stops};

use self::restarts::Restarts;
use self::stopping::Stop;
use super::past::{Signals, Trace};
use super::probe::Verdict;
use crate::container::offer::{At, Endpoint, Offer};
use crate::container::{self, Checked, Running, Timestamp};

/// How long a service may take to pass its check before the log says why it is not in DNS: most have started by
/// then.
pub const REMIND_AFTER: Duration = Duration::from_secs(60);
/// How long after that the log says so again.
pub const REMIND_EVERY: Duration = Duration::from_secs(600);

/// A place in the order in which the agent learnt things of Docker. An answer carries the place at which
/// it was asked for; comparing them needs no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// What one look at a container showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When this life of the container began.
    pub started_at: Timestamp,
    /// Whether the container had a life before that, which has ended.
    pub lived_before: bool,
    /// Whether it runs.
    pub running: Running,
    /// The image's own HEALTHCHECK, where there is one.
    pub health: Option<container::Health>,
    /// The signal that asks this container to stop.
    pub stop_signal: u8,
    /// The latest runs of that HEALTHCHECK, in order.
    pub log: Vec<Checked>,
    /// The ECS task that it belongs to, by ARN.
    pub task: Option<String>,
    /// The ports that Docker publishes for it.
    pub published: BTreeSet<Endpoint>,
    /// What ECS wants of that task.
    pub desired: Desired,
    /// What it offers to publish.
    pub offers: Vec<Offer>,
}

/// What happened to a container, or was seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A look that was asked for at `as_of` showed this.
    Seen {
        /// When the look was asked for.
        as_of: Seq,
        /// What it showed.
        sight: Box<Sight>,
    },
    /// A look or a complete list, asked for at `as_of`, did not show it.
    Absent {
        /// When it was asked for.
        as_of: Seq,
    },
    /// Docker sent it a signal.
    Killed {
        /// The place of the news.
        at: Seq,
        /// The signal's number.
        signal: u8,
        /// When, by Docker's clock.
        time: Timestamp,
        /// How long ago: what is remembered is old.
        age: Duration,
    },
    /// Its process ended.
    Died {
        /// The place of the news.
        at: Seq,
        /// When, by Docker's clock.
        time: Timestamp,
    },
    /// Another life of it began.
    Started {
        /// The place of the news.
        at: Seq,
    },
    /// Somebody begins to listen to the engine, and hears what it remembers of this container.
    Remembered {
        /// The place of the news.
        at: Seq,
        /// What is left of its past.
        trace: Trace,
        /// Whether the engine was started after the latest signal that is known.
        restarted: bool,
    },
    /// An earlier run heard that this life was sent these signals.
    Recalled {
        /// The life and its signals.
        signals: Signals,
        /// By the wall clock.
        wall: SystemTime,
    },
    /// A prober's verdict on one target of one life.
    Probed {
        /// The life that was probed.
        life: Timestamp,
        /// The target.
        target: Target,
        /// What the results amount to.
        verdict: Verdict,
    },
    /// The zone already holds this very service of this container, written by an earlier run.
    Registered {
        /// The service's full name.
        service: String,
        /// The container's port.
        container_port: u16,
        /// Where the record points.
        at: At,
        /// The record's weight.
        weight: u8,
    },
    /// These of the ports that it claims are another container's; all others are not, or not known to be.
    Taken(BTreeMap<Endpoint, Taken>),
    /// The agent ends, and takes its records along.
    Drain,
    /// Time has passed.
    Tick,
}

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
    /// Look at the container again.
    Look,
    /// Send [`Event::Tick`] at this time.
    WakeAt(Duration),
    /// Something for the log.
    Decided(Decision),
    /// For the log: it restarts too often, and is kept out of DNS until then.
    Held(Duration),
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

/// Where a container is in its life. See the table at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is wanted: it does not run, is paused, or has not been looked at.
    Idle,
    /// It runs, and its services are watched.
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
    /// How long a stopping signal is believed.
    belief: Duration,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::believing(STOP_BELIEF)
    }
}

impl Lifecycle {
    /// A container of which nothing is known, and a stopping signal is believed for that long.
    pub fn believing(belief: Duration) -> Self {
        let (state, horizon) = (State::Idle, Seq::default());
        Self { state, horizon, ended: None, lingering: None, restarts: Restarts::default(), belief }
    }

    /// Where the container is in its life.
    pub fn state(&self) -> &State {
        &self.state
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

    /// Whether the life that is watched offers this service.
    pub fn offers(&self, service: &str, container_port: u16) -> bool {
        let State::Live(life) = &self.state else { return false };
        let is_it = |tracked: &Tracked| {
            let offered = &tracked.offer.service;
            offered.name.as_str() == service && offered.container_port == container_port
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
    pub fn deadline(&self) -> Option<Duration> {
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
            State::Live(life) => life.doubt.as_ref().map(|doubt| doubt.kill.time),
            State::Stopping(stopping) => stopping.last().map(|kill| kill.time),
            State::Idle | State::Drained => None,
        }
    }

    /// The life that was asked to stop, by which signals, and when: for the next run of the agent.
    pub fn signals(&self) -> Option<Signals> {
        let State::Stopping(stopping) = &self.state else { return None };
        let kills = stopping.kills.iter().map(|(signal, kill)| (*signal, kill.time)).collect();
        Some(Signals { life: stopping.life?, kills })
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
    pub fn forgettable(&self, as_of: Seq, now: Duration) -> bool {
        self.state == State::Idle
            && self.lingering.is_none()
            && self.horizon <= as_of
            && self.restarts.forgotten(now)
    }

    /// Takes one event.
    pub fn step(self, event: Event, now: Duration) -> (Self, Vec<Effect>) {
        let before = self.clone();
        let edge = Edge::of(&before, &event, now);
        let reason = Reason::of(&event);
        let ticked = event == Event::Tick;
        let unasked = matches!(&event, Event::Seen { sight, .. }
            if sight.running == Running::Running && sight.desired == Desired::Unasked);
        let restarted = matches!(&event, Event::Remembered { restarted: true, trace, .. } if !trace.turned);
        let after = self.next(event, now);
        let reason = match (before.held_until(), after.held_until()) {
            (None, Some(_)) => Reason::Restarts,
            _ if reason == Reason::Registered && after.inherits() => Reason::Inherited,
            _ if ticked && before.doubts() && !after.doubts() => Reason::GoesOn,
            _ => reason,
        };
        let mut effects = after.effects_since(&before, reason);
        if ticked {
            effects.extend(before.reminders(now).into_iter().map(Effect::Unproven));
        }
        // Where ECS has a say, only a look that asks it ends a stop.
        let asks = unasked && matches!(after.state, State::Stopping(_)) && after.look_due(now);
        if ticked && before.look_due(now) || asks || restarted && after.state != before.state {
            effects.push(Effect::Look);
        }
        effects.extend(after.outlived(&before, restarted, now).map(Effect::Outlived));
        if let Some(until) = after.held_until().filter(|until| before.held_until() != Some(*until)) {
            effects.push(Effect::Held(until));
        }
        if after != before {
            effects.push(Effect::Stepped(edge.to(&after)));
        }
        (after, effects)
    }

    fn next(mut self, event: Event, now: Duration) -> Self {
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
            Event::Registered { service, container_port, at, weight } => {
                if let State::Live(live) = &mut self.state {
                    live.on_registered(&service, container_port, at, weight);
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

    fn on_seen(&mut self, sight: Sight, now: Duration) {
        if sight.running == Running::Stopped {
            self.ended = Some(sight.started_at);
            return self.on_gone(self.horizon);
        }
        if self.ended == Some(sight.started_at) {
            return;
        }
        let away = Ports::away(&sight);
        match (sight.running, &mut self.state) {
            (Running::Running, State::Stopping(stopping)) => {
                let doubted = stopping.doubted(&sight);
                if stopping.on_running(&sight, now) != Stop::Holds {
                    self.begin(sight, now);
                    self.doubt(doubted, now);
                }
            }
            (Running::Running, State::Live(live)) if live.started_at == sight.started_at => {
                live.on_seen(sight, now);
            }
            (Running::Running, State::Idle | State::Drained | State::Live(_)) => self.begin(sight, now),
            (_, State::Stopping(_)) => {}
            (_, _) => self.state = State::Idle,
        }
        self.lingering = Some(away).filter(|_| !matches!(self.state, State::Live(_)));
    }

    fn begin(&mut self, sight: Sight, now: Duration) {
        let held = self.restarts.on_start(sight.started_at, now);
        self.state = State::Live(Life::begin(sight, held, now));
    }

    /// Until when a life is kept out of DNS for having begun once too often.
    fn held_until(&self) -> Option<Duration> {
        match &self.state {
            State::Live(life) => life.held_until,
            State::Idle | State::Stopping(_) | State::Drained => None,
        }
    }

    /// News of an earlier life's end can arrive after a look at this one. By a clock that stepped back the end of
    /// this one looks so too: either way a look comes with the news, and shows what is so.
    fn began_after(&self, time: Timestamp) -> bool {
        let life = match &self.state {
            State::Live(life) => Some(life.started_at),
            State::Stopping(stopping) => stopping.life,
            State::Idle | State::Drained => None,
        };
        life.is_some_and(|started_at| started_at > time)
    }

    fn on_killed(&mut self, signal: u8, kill: Kill, now: Duration) {
        match &mut self.state {
            State::Live(live) if stops(signal, live.stop_signal) => {
                let stopping = Stopping::sure(live, signal, kill, self.belief);
                if now < stopping.until() {
                    self.lingering = Some(live.ports().leaving());
                    self.state = State::Stopping(stopping);
                }
            }
            State::Live(live) if may_end(signal, live.stop_signal) => live.on_doubted(kill, now),
            State::Idle => {
                // What has survived it already is not asked again.
                let stopping = Stopping::unsure(signal, kill, self.belief);
                if now < stopping.until() {
                    self.state = State::Stopping(stopping);
                }
            }
            State::Stopping(stopping) => stopping.on_killed(signal, kill),
            State::Live(_) | State::Drained => {}
        }
    }

    fn doubt(&mut self, kill: Option<Kill>, now: Duration) {
        if let (Some(kill), State::Live(live)) = (kill, &mut self.state) {
            live.on_doubted(kill, now);
        }
    }

    fn on_died(&mut self, at: Seq) {
        self.lingering = None;
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

    /// What was meant for the life before is over, and a look that was asked for before may show that one still. That
    /// the newer one runs will be seen.
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

    fn reminders(&self, now: Duration) -> Vec<Unproven> {
        match &self.state {
            State::Live(life) => life.due_for_a_reminder(now),
            State::Idle | State::Stopping(_) | State::Drained => Vec::new(),
        }
    }

    /// The signals that are known hold where the engine remembers them too, or neither them nor what would end
    /// them.
    fn on_remembered(&mut self, at: Seq, trace: Trace, restarted: bool, now: Duration) {
        if let State::Stopping(stopping) = &mut self.state {
            let remembered = |kill: &Kill| trace.kills.values().any(|(time, _)| *time == kill.time);
            let forgotten = !trace.turned && !restarted;
            stopping.kills.retain(|_, kill| remembered(kill) || forgotten);
            if stopping.kills.is_empty() {
                self.state = State::Idle;
            }
        }
        if trace.turned && self.state == State::Idle {
            // The life that was meant has ended; a look that was asked for before may show it still.
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

    fn on_recalled(&mut self, Signals { life, kills }: Signals, wall: SystemTime, now: Duration) {
        let kill = |time: Timestamp| Kill { at: Seq::default(), time, heard: now, age: time.age(wall) };
        let kills = kills.into_iter().map(|(signal, time)| (signal, kill(time))).collect();
        let stopping = Stopping::of(Some(life), kills, self.belief);
        if self.state == State::Idle && now < stopping.until() {
            self.state = State::Stopping(stopping);
        }
    }

    /// There is no process, as known then. That is no news of any one life: an absence can be as old as the look
    /// that showed this one running, and older than a signal.
    fn on_gone(&mut self, as_of: Seq) {
        self.lingering = None;
        let younger = |stopping: &Stopping| stopping.last().is_some_and(|kill| kill.at > as_of);
        if !matches!(&self.state, State::Stopping(stopping) if younger(stopping)) {
            self.state = State::Idle;
        }
    }

    /// Whether time itself asks for a look: a stop is believed no more, or a HEALTHCHECK's log is due.
    fn look_due(&self, now: Duration) -> bool {
        match &self.state {
            State::Stopping(stopping) => now >= stopping.until(),
            State::Live(life) => life.log_due(now),
            State::Idle | State::Drained => false,
        }
    }

    fn is_settled(&self) -> bool {
        matches!(&self.state, State::Live(life) if life.is_settled())
    }

    fn doubts(&self) -> bool {
        matches!(&self.state, State::Live(life) if life.doubt.is_some())
    }

    /// A stop that is over though the container may run.
    fn outlived(&self, before: &Self, restarted: bool, now: Duration) -> Option<Outlived> {
        let State::Stopping(stopping) = &before.state else { return None };
        let life = stopping.life?;
        match &self.state {
            State::Idle if restarted && self.ended != Some(life) => Some(Outlived::Engine),
            State::Live(live) if live.started_at == life && now >= stopping.until() => {
                let last = stopping.last()?;
                Some(Outlived::Belief(now.saturating_sub(last.heard) + last.age))
            }
            _ => None,
        }
    }

    fn effects_since(&self, before: &Self, reason: Reason) -> Vec<Effect> {
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
}

#[cfg(test)]
mod tests;
