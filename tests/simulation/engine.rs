//! A host's engine: what it notes, tells and shows, and what becomes of the containers when it goes.

use std::collections::VecDeque;
use std::time::Duration;

use ecssd::container::event::Happening;
use ecssd::container::{Checked, Health, Timestamp};
use ecssd::moment::Moment;
use ecssd::record::ContainerId;
use tokio::sync::mpsc;

use super::later::Later;
use super::scenario::SpecCheck;
use super::truth::Truth;
use super::world::State;

/// How many events a listener's buffer holds before the engine drops them, and how many it remembers, whoever
/// asks for which. Source: the engine's own figures, see the reference of Docker's events.
const BUFFER: usize = 1_024;
const RING: usize = 256;
/// How many runs of a HEALTHCHECK it shows.
const LOG: usize = 5;
/// A HEALTHCHECK that passes for the first time so late has taken its time.
const LONG: Duration = Duration::from_secs(60);

/// An event that agents ask for, as the engine has it.
#[derive(Clone, Debug)]
pub struct Told {
    pub wall: i64,
    pub id: ContainerId,
    pub happening: Happening,
    /// Of which life, and when that began, for the court.
    pub life: u32,
    pub began: i64,
}

#[derive(Debug, Default)]
pub struct Engine {
    /// What it remembers, by the time of its clock: of what nobody asks for, that it was.
    ring: VecDeque<(i64, Option<Told>)>,
    /// When that was what it remembers no more, and was asked for.
    forgotten: VecDeque<i64>,
    listeners: Vec<mpsc::Sender<Told>>,
    /// Nobody reaches it.
    away: bool,
    /// It does not run.
    down: bool,
    /// Whether the next one ends what outlived it.
    orphans: bool,
    /// When it last hung, was slow, or answered nobody.
    pub hindered: Moment,
    /// When somebody began to listen last.
    pub listened: Moment,
    /// Whether it has forgotten anything since it started.
    forgot: bool,
    /// Which of the host's engines it is, one after the other.
    pub generation: u32,
    pub silent_until: Moment,
    pub slow: (Moment, Duration),
    pub hanging_until: Moment,
}

impl Engine {
    /// Whether it answers nobody.
    pub fn is_away(&self) -> bool {
        self.away || self.down
    }

    pub fn runs(&self) -> bool {
        !self.down
    }

    /// All that hangs, lags or lies is well again.
    pub fn heal(&mut self) {
        self.silent_until = Moment::START;
        self.slow = (Moment::START, Duration::ZERO);
        self.hanging_until = Moment::START;
    }

    pub fn hangs_up(&mut self) {
        self.listeners.clear();
    }
}

impl State {
    /// Somebody listens: what is remembered, whether nothing was forgotten, and what happens then.
    pub fn listens(&mut self, host: usize) -> (Vec<Told>, bool, mpsc::Receiver<Told>) {
        let now = self.now;
        let engine = &mut self.hosts[host].engine;
        engine.listened = now;
        let (sender, receiver) = mpsc::channel(BUFFER);
        engine.listeners.push(sender);
        let past = engine.ring.iter().filter_map(|(_, told)| told.clone()).collect();
        let (whole, lost) = (!engine.forgot, engine.forgotten.len());
        (0..lost).for_each(|_| self.count("lost to a replay"));
        (past, whole, receiver)
    }

    /// Something happens that agents are told of; whether they all were.
    pub fn happens(&mut self, host: usize, id: &ContainerId, happening: Happening) -> bool {
        let now = self.now;
        let of = &mut self.hosts[host];
        if !of.engine.runs() {
            return false;
        }
        let (life, began) = of.containers.get(id).map_or((0, 0), |it| (it.lives, it.started_wall));
        let told = Told { wall: of.wall(now), id: id.clone(), happening, life, began };
        self.remembers(host, told.wall, Some(told.clone()));
        let engine = &mut self.hosts[host].engine;
        if now < engine.silent_until {
            self.count("not told by a silent stream");
            return false;
        }
        let mut dropped = 0;
        engine.listeners.retain(|listener| match listener.try_send(told.clone()) {
            Err(mpsc::error::TrySendError::Full(_)) => {
                dropped += 1;
                true
            }
            sent => sent.is_ok(),
        });
        (0..dropped).for_each(|_| self.count("event dropped"));
        dropped == 0
    }

    /// So many things happen that no agent asks for.
    pub fn notes(&mut self, host: usize, times: u32) {
        let now = self.now;
        for _ in 0..times {
            let wall = self.hosts[host].wall(now);
            self.remembers(host, wall, None);
        }
    }

    fn remembers(&mut self, host: usize, wall: i64, told: Option<Told>) {
        let engine = &mut self.hosts[host].engine;
        engine.ring.push_back((wall, told));
        engine.forgot |= engine.ring.len() > RING;
        if engine.ring.len() > RING
            && let Some((wall, Some(_))) = engine.ring.pop_front()
        {
            engine.forgotten.push_back(wall);
            engine.forgotten.drain(..engine.forgotten.len().saturating_sub(RING));
            self.count("forgotten for replay");
        }
    }

    /// Its HEALTHCHECK begins to run, and goes on until somebody else runs it.
    pub fn monitors(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let Some(it) = self.hosts[host].containers.get_mut(id) else { return };
        if it.spec.check == SpecCheck::Docker {
            it.monitor += 1;
            let (wait, monitor) = (it.until_next_check(now), it.monitor);
            self.later(wait, Later::Check { host, id: id.clone(), monitor });
        }
    }

    /// A run of a HEALTHCHECK.
    pub fn checks(&mut self, host: usize, id: &ContainerId, monitor: u32) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let runs = of.engine.runs();
        let mine = |it: &&mut Truth| runs && it.alive && it.paused.is_none() && it.monitor == monitor;
        let Some(it) = of.containers.get_mut(id).filter(mine) else { return };
        let was_starting = it.health == Health::Starting;
        let turned = it.check(now);
        let began = Timestamp::from_unix_nanos(
            it.started_wall + i64::try_from(now.since_start().as_nanos()).unwrap_or_default(),
        );
        it.log.push(Checked { began, passed: it.is_well(now) });
        it.log.drain(..it.log.len().saturating_sub(LOG));
        let late = it.is_healthy() && was_starting && now >= it.started + LONG;
        let wait = it.until_next_check(now);
        self.count("HEALTHCHECK run");
        self.notes(host, 3);
        if late {
            self.count("HEALTHCHECK that takes its time");
        }
        if turned {
            self.happens(host, id, Happening::Changed);
        }
        self.later(wait, Later::Check { host, id: id.clone(), monitor });
    }

    /// Nobody reaches the engine.
    pub fn engine_away(&mut self, host: usize) {
        self.hosts[host].engine.away = true;
        self.hosts[host].engine.hangs_up();
        self.tell(host, format_args!("nobody reaches Docker"));
    }

    pub fn engine_reached(&mut self, host: usize) {
        self.hosts[host].engine.away = false;
        self.tell(host, format_args!("Docker is reached"));
    }

    /// It ends, and with it what it remembers.
    pub fn engine_down(&mut self, host: usize) {
        let engine = &mut self.hosts[host].engine;
        engine.down = true;
        engine.hangs_up();
        engine.ring.clear();
        engine.forgotten.clear();
        (engine.forgot, engine.generation) = (false, engine.generation + 1);
        self.tell(host, format_args!("Docker is down"));
    }

    /// It is told to end, and first ends all that it runs.
    pub fn engine_stops(&mut self, host: usize) {
        for id in self.alive(host) {
            self.signals(host, &id, 15);
            self.exits(host, &id);
        }
        self.engine_down(host);
    }

    /// It is killed; what it ran goes on, and is ended by the next one.
    pub fn engine_crashes(&mut self, host: usize, live_restore: bool) {
        self.engine_down(host);
        self.hosts[host].engine.orphans = !live_restore;
    }

    pub fn engine_up(&mut self, host: usize) {
        if !self.hosts[host].powered || !std::mem::replace(&mut self.hosts[host].engine.down, false) {
            return;
        }
        self.tell(host, format_args!("Docker is up"));
        if std::mem::replace(&mut self.hosts[host].engine.orphans, false) {
            self.all_end(host);
        }
        let restored = self.alive(host);
        // Stops that waited for their time ended with the engine before.
        let now = self.now;
        for it in self.hosts[host].containers.values_mut().filter(|it| it.alive) {
            if it.told_to_stop.take().is_some() {
                it.reason = now;
            }
            it.noted = None;
        }
        for id in &restored {
            if let Some(it) = self.hosts[host].containers.get_mut(id) {
                (it.health, it.failed) = (Health::Starting, 0);
            }
            self.monitors(host, id);
        }
        let again = |it: &&Truth| !it.alive && !it.removed && it.spec.restarts;
        let mut ids: Vec<_> =
            self.hosts[host].containers.values().filter(again).map(|it| it.id.clone()).collect();
        // Those that use another's network come after it.
        ids.sort_by_key(|id| self.hosts[host].containers[id].owner.is_some());
        ids.iter().for_each(|id| self.starts(host, id));
    }

    /// All containers end, and nobody is told.
    pub fn all_end(&mut self, host: usize) {
        let now = self.now;
        for it in self.hosts[host].containers.values_mut().filter(|it| it.alive) {
            (it.alive, it.paused, it.reason) = (false, None, now);
            if it.was_told_to_stop {
                it.stopped.push(now);
            }
        }
        self.tell(host, format_args!("all containers end"));
    }

    fn alive(&self, host: usize) -> Vec<ContainerId> {
        self.hosts[host].containers.values().filter(|it| it.alive).map(|it| it.id.clone()).collect()
    }
}
