//! Lives of containers: what their engine, their processes and whoever runs them do to them.

use std::time::Duration;

use ecssd::container::Health;
use ecssd::container::event::Happening;
use ecssd::moment::Moment;
use ecssd::record::ContainerId;

use super::host::SECOND;
use super::later::Later;
use super::scenario::{Spec, SpecPort, SpecStop};
use super::truth::Truth;
use super::world::State;

/// It may end whoever does not catch it.
const SIGQUIT: u8 = 3;

impl State {
    pub fn runs(&mut self, host: usize, slot: u8, spec: Spec) {
        let of = &mut self.hosts[host];
        if of.engine.is_away() || of.slot(slot).is_some_and(|id| of.containers[&id].alive) {
            return;
        }
        let owner = spec.owner().and_then(|slot| of.slot(slot));
        if spec.owner().is_some() && owner.is_none() {
            return;
        }
        of.made += 1;
        let id: ContainerId =
            format!("{:04x}{:08x}{:052x}", host + 1, of.made, 7).parse().expect("64 hexadecimal digits");
        of.containers.insert(id.clone(), Truth::new(id.clone(), spec, owner));
        of.slots.insert(slot, id.clone());
        self.starts(host, &id);
    }

    pub fn starts(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let Some(it) = of.containers.get(id).filter(|it| !it.alive && !it.removed) else { return };
        if !of.engine.runs() || !of.powered {
            return;
        }
        let (spec, owner) = (it.spec, it.owner.clone());
        let Some(port) = of.choose_port(&spec, owner.as_ref(), now) else { return };
        let wall = of.wall(now);
        let lag = Duration::from_millis(spec.ports_lag_ms.into());
        let shown_from = match (spec.port, owner.as_ref().and_then(|owner| of.containers.get(owner))) {
            (SpecPort::Host(_), _) => now,
            (_, Some(owner)) => owner.shown_from,
            (_, None) => now + lag,
        };
        let shares = owner.is_some();
        let misdated = owner.as_ref().is_some_and(|owner| of.containers[owner].started_wall > wall);
        let beside_until = of.beside_until(spec.service);
        let it = of.containers.get_mut(id).expect("looked at before");
        let port_before = it.port;
        it.alive = true;
        it.paused = None;
        (it.health, it.failed) = (Health::Starting, 0);
        (it.cut, it.unplugged, it.rewired) = (false, false, None);
        it.misdated = misdated;
        it.started = now;
        it.shown_from = shown_from;
        // A new life has to prove itself.
        it.reason = now;
        it.started_wall = wall;
        it.lives += 1;
        it.port = port;
        it.ports.insert(port);
        (it.told_to_stop, it.doubted, it.noted) = (None, None, None);
        it.was_told_to_stop = false;
        it.log.clear();
        it.starts.push(now);
        let life = it.lives;
        it.beside_until = if life == 1 { beside_until } else { Moment::START };
        for it in self.sharers(host, id).filter(|it| it.started_wall > wall) {
            it.misdated = true;
            it.ports.extend([port, port + SECOND]);
        }
        self.contests(host, port_before);
        self.contests(host, port);
        let text = format!("starts {} at {port}, life {life}", id.short());
        self.tell(host, format_args!("{text}"));
        if shares {
            self.count("network shared");
        }
        let of = &self.hosts[host];
        let rivals = || of.containers.values().filter(|it| it.alive && it.port == port && it.id != *id);
        let (contested, unpublished) = (rivals().count() > 0, rivals().all(|it| it.on_host()));
        if contested {
            self.count("port contested");
        }
        if contested && unpublished && self.hosts[host].containers[id].on_host() {
            self.count("port of the host's network contested");
        }
        // Connected to a network, and, in the end, disconnected from it.
        self.notes(host, 1);
        self.happens(host, id, Happening::Started);
        self.monitors(host, id);
    }

    /// Who holds a port may have changed.
    fn contests(&mut self, host: usize, port: u16) {
        let now = self.now;
        let rivals = self.hosts[host].containers.values_mut().filter(|it| it.alive && it.port == port);
        rivals.for_each(|it| it.reason = now);
    }

    pub fn exits(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let Some(it) = self.hosts[host].containers.get_mut(id).filter(|it| it.alive) else { return };
        it.alive = false;
        it.paused = None;
        it.reason = now;
        if it.was_told_to_stop {
            it.stopped.push(now);
        }
        let (again, port) = (it.spec.restarts && it.told_to_stop.is_none(), it.port);
        let first = (it.lives == 1).then_some(it.spec.service);
        for it in self.sharers(host, id) {
            (it.cut, it.reason) = (true, now);
            // Nobody reaches it any more.
            it.stopped.extend(it.was_told_to_stop.then_some(now));
        }
        first.into_iter().for_each(|service| self.ends_first(host, service));
        self.contests(host, port);
        self.tell(host, format_args!("ends {}", id.short()));
        self.happens(host, id, Happening::Died);
        self.notes(host, 2);
        if again {
            let wait = Duration::from_millis(self.hosts[host].rng.u64(100..2_000));
            self.later(wait, Later::Start { host, id: id.clone() });
        }
    }

    /// Others of its kind may be kept out for that.
    fn ends_first(&mut self, host: usize, service: u8) {
        let of = &mut self.hosts[host];
        of.ends.entry(service).or_default().push(self.now);
        let until = of.beside_until(service);
        let beside = |it: &&mut Truth| it.lives <= 1 && it.spec.service == service;
        of.containers.values_mut().filter(beside).for_each(|it| it.beside_until = until);
    }

    /// Whoever runs containers puts a new one in the place of one that has ended.
    pub fn crashes(&mut self, host: usize, slot: u8, spec: Spec) {
        match self.hosts[host].slot(slot).filter(|id| self.hosts[host].containers[id].alive) {
            Some(id) => {
                self.exits(host, &id);
                self.removes(host, &id);
            }
            None => self.runs(host, slot, spec),
        }
    }

    pub fn signals(&mut self, host: usize, id: &ContainerId, signal: u8) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let Some(it) = of.containers.get_mut(id).filter(|it| it.alive) else { return };
        if !of.engine.runs() {
            return;
        }
        let stops = [2, 9, 15].contains(&signal);
        if stops {
            (it.told_to_stop, it.was_told_to_stop) = (Some(now), true);
            it.reason = now;
        }
        let (stop, life) = (it.spec.stop, it.lives);
        if signal == SIGQUIT {
            it.doubted = Some(now);
            self.sharers(host, id).for_each(|it| it.doubted = Some(now));
        }
        if stops {
            // What it leaves, they cannot do without.
            for it in self.sharers(host, id) {
                (it.told_to_stop, it.was_told_to_stop, it.reason) = (Some(now), true, now);
            }
        }
        self.tell(host, format_args!("signal {signal} to {}", id.short()));
        self.happens(host, id, Happening::Killed(signal));
        match (signal, stop) {
            (9, _) | (2 | 15, SpecStop::AtOnce) => self.exits(host, id),
            (2 | 15, SpecStop::After { ms }) => {
                let wait = Duration::from_millis(ms.into());
                self.later(wait, Later::Exit { host, id: id.clone(), life });
            }
            _ => {}
        }
    }

    pub fn pauses(&mut self, host: usize, id: Option<ContainerId>, pause: bool) {
        let (Some(id), now) = (id, self.now) else { return };
        let of = &mut self.hosts[host];
        let Some(it) = of.containers.get_mut(&id).filter(|it| it.alive && it.paused.is_some() != pause)
        else {
            return;
        };
        if of.engine.is_away() {
            return;
        }
        it.thawed = now;
        it.paused = pause.then_some(now);
        self.tell(host, format_args!("{} {}", if pause { "pauses" } else { "unpauses" }, id.short()));
        self.happens(host, &id, Happening::Changed);
        if !pause {
            self.monitors(host, &id);
        }
    }

    pub fn removes(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        if self.hosts[host].engine.is_away() {
            return;
        }
        if let Some(it) = self.hosts[host].containers.get_mut(id) {
            it.removed = true;
            it.ended.get_or_insert(now);
        }
        self.exits(host, id);
        self.happens(host, id, Happening::Destroyed);
    }

    /// It is disconnected from its network: Docker publishes nothing for it, nor for those that use its network.
    pub fn leaves_network(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let plugged = |it: &&mut Truth| it.alive && it.is_published() && !it.unplugged;
        let Some(it) = self.hosts[host].containers.get_mut(id).filter(plugged) else { return };
        (it.unplugged, it.rewired, it.reason) = (true, Some(now), now);
        let port = it.port;
        self.sharers(host, id)
            .filter(|it| !it.cut)
            .for_each(|it| (it.unplugged, it.rewired, it.reason) = (true, Some(now), now));
        self.contests(host, port);
        self.tell(host, format_args!("{} leaves its network", id.short()));
        self.rewires(host, id);
    }

    /// It is connected again, and has a port as after a start.
    pub fn joins_network(&mut self, host: usize, id: &ContainerId) {
        let now = self.now;
        let of = &mut self.hosts[host];
        let unplugged = |it: &&Truth| it.alive && it.unplugged;
        let Some(spec) = of.containers.get(id).filter(unplugged).map(|it| it.spec) else { return };
        if of.engine.is_away() {
            return;
        }
        let Some(port) = of.choose_port(&spec, None, now) else { return };
        // Docker cannot publish where a process of the host's network listens by now.
        if of
            .containers
            .values()
            .any(|other| other.id != *id && other.alive && !other.is_published() && other.port == port)
        {
            return;
        }
        let it = of.containers.get_mut(id).expect("looked at before");
        it.is_led_to_at(port, now);
        for it in self.sharers(host, id).filter(|it| !it.cut) {
            let port = if it.inside() == 81 { port + SECOND } else { port };
            it.is_led_to_at(port, now);
        }
        self.contests(host, port);
        self.tell(host, format_args!("{} joins its network, at {port}", id.short()));
        self.rewires(host, id);
    }

    /// Who is not told sees what has changed in the next list, and of what is as before there is nothing to see.
    fn rewires(&mut self, host: usize, id: &ContainerId) {
        if self.happens(host, id, Happening::Rewired) {
            return;
        }
        let of = &mut self.hosts[host];
        let theirs = |it: &&mut Truth| it.id == *id || it.owner.as_ref() == Some(id);
        of.containers.values_mut().filter(theirs).for_each(|it| it.rewired = None);
    }

    pub fn sickens(&mut self, host: usize, id: &ContainerId, silent: bool) {
        if let Some(it) = self.hosts[host].containers.get_mut(id) {
            it.sick = Some(silent);
            self.tell(host, format_args!("{} fails its check", id.short()));
        }
    }

    pub fn recovers(&mut self, host: usize, id: &ContainerId) {
        if let Some(it) = self.hosts[host].containers.get_mut(id) {
            it.sick = None;
            self.tell(host, format_args!("{} passes its check", id.short()));
        }
    }

    /// Those that run, and use its network.
    fn sharers(&mut self, host: usize, id: &ContainerId) -> impl Iterator<Item = &mut Truth> {
        let of = &mut self.hosts[host];
        of.containers.values_mut().filter(move |it| it.alive && it.owner.as_ref() == Some(id))
    }
}
