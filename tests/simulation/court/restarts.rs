//! S17: what a process may do that knows from a whole journal what it left, and where the machine went down meanwhile not
//! what became of that. L6: that all stands again which is wanted.

use std::collections::BTreeSet;
use std::time::Duration;

use ecssd::journal::Entry;
use ecssd::moment::Moment;
use ecssd::record::{Action, Change, Key};

use crate::later::Later;
use crate::scenario::SpecCheck;
use crate::truth::Truth;
use crate::world::State;

/// How long it may take until what was left stands again, with nothing in the way, and how long a container must have been
/// there.
const RESTORED: Duration = Duration::from_secs(60);
const THERE: Duration = Duration::from_secs(50);
/// In how much of that a process has to have seen what runs.
const LISTED: Duration = Duration::from_secs(10);
/// The part of a resync period before which none is due.
const RESYNC_AT_LEAST: f64 = 0.79;

/// What one process began with.
pub struct Start {
    at: Moment,
    /// Whether it knew all, and that no call was under way.
    knows_all: bool,
    /// What may stand or not, as it has to know, and it has not asked for yet.
    unsure: BTreeSet<Key>,
}

impl super::Court {
    /// What a process has to take for what may stand or not.
    pub fn may_stand(&self, host: usize, process: u64) -> Option<&BTreeSet<Key>> {
        self.starts.get(&(host, process)).map(|start| &start.unsure)
    }
}

impl State {
    /// A process starts with what it remembers; `in_order`, of a boot before this one that ended as it should.
    pub fn court_remembers_all(
        &mut self,
        host: usize,
        process: u64,
        entries: &[Entry],
        knows_all: bool,
        in_order: bool,
    ) {
        let unsure: BTreeSet<Key> = entries.iter().filter(|_| in_order).map(|(key, _)| key.clone()).collect();
        if in_order {
            self.count("start in order after another boot");
            self.later(RESTORED, Later::Restore { host, life: process });
            let standing = self.account.standing();
            let taken = unsure.iter().filter(|key| !standing.contains_key(key)).count();
            (0..taken).for_each(|_| self.count("taken while its host was off"));
        }
        self.court.starts.insert((host, process), Start { at: self.now, knows_all, unsure });
    }

    /// S17: a process asks for a batch.
    pub(super) fn court_puts_back(&mut self, host: usize, process: u64, batch: &[Change]) {
        let now = self.now;
        let Some(start) = self.court.starts.get_mut(&(host, process)) else { return };
        let creates = batch.iter().find(|change| {
            let key = change.set.key();
            let first = batch.iter().find(|it| it.set.key() == key);
            start.unsure.contains(&key) && first.is_some_and(|it| it.action == Action::Create)
        });
        let wrong =
            creates.map(|change| format!("{change} is asked for, which may stand since another boot"));
        batch.iter().for_each(|change| _ = start.unsure.remove(&change.set.key()));
        wrong.into_iter().for_each(|text| self.court.accuse("S17", now, text));
    }

    /// S17: a process lists the zone, so much of it at once.
    pub fn court_lists_zone(&mut self, host: usize, process: u64, max_items: usize) {
        let now = self.now;
        if max_items == 1 {
            return;
        }
        let Some(start) = self.court.starts.get_mut(&(host, process)) else { return };
        // What is read is known.
        start.unsure.clear();
        let (at, knows_all) = (start.at, start.knows_all);
        let unheard = self.court.unheard.get(&host).is_some_and(|unheard| *unheard >= at);
        let is_due = now >= at + self.resync.mul_f64(RESYNC_AT_LEAST);
        if knows_all && !unheard && !is_due && !self.panicked_since(host, at) {
            let text = format!("host {host} lists the zone, and its agent knew all at {at:?}");
            self.court.accuse("S17", now, text);
        }
    }

    /// L6: with nothing in the way, what a process remembers from another boot, and is wanted, stands by now.
    pub fn court_restores(&mut self, host: usize, life: u64) {
        let (of, now) = (&self.hosts[host], self.now);
        let Some(began) = self.court.starts.get(&(host, life)).map(|start| start.at) else { return };
        if of.life != life || self.is_hindered(host, began + LISTED) || of.given.is_fresh(now) {
            return;
        }
        let alone =
            |it: &Truth| of.containers.values().filter(|other| other.ports.contains(&it.port)).count() == 1;
        let stays = |it: &&Truth| {
            let quiet = it.touched() + THERE <= now && it.started + THERE <= now && !it.is_touched(now);
            let told = of.leaves(it, now).is_some() || it.is_doubted(now);
            it.spec.check == SpecCheck::None && it.lives > 1 && quiet && !told && alone(it)
        };
        let wrong = of.containers.values().filter(stays).find_map(|it| self.missing_of(host, it));
        self.count("looked at after another boot");
        if let Some(text) = wrong {
            self.court.accuse("L6", now, format!("{text}, a minute after host {host} was started in order"));
        }
    }
}
