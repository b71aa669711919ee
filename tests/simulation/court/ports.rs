//! S8: for what reason a port may change hands, judged when a batch is asked for.

use std::time::Duration;

use ecssd::record::{Action, Change, ContainerId, RecordSet, RecordType};

use super::mark;
use crate::scenario::SpecCheck;
use crate::truth::Truth;
use crate::world::State;

/// How long an agent may take from a look to a batch that heeds it.
const HEEDED: Duration = Duration::from_secs(2);
/// How long a slow engine may take for an answer that is asked for twice.
const PATIENCE: Duration = Duration::from_secs(30);

impl State {
    /// A process asks for a batch.
    pub(super) fn court_ports_change(&mut self, host: usize, process: u64, batch: &[Change]) {
        let services = || batch.iter().filter(|change| change.set.kind == RecordType::Srv);
        for change in services().filter(|change| change.action == Action::Create) {
            let by_itself = |it: &&Truth| !self.is_led_to(host, it);
            let Some(it) = self.container_of(host, &change.set).filter(by_itself) else { continue };
            let rivals = || self.rivals_of(host, it);
            let wrong = if let Some(other) =
                rivals().find(|other| self.is_published_for(host, process, it, other))
            {
                format!("{} is written at port {}, which Docker publishes for {}", it.id, it.port, other.id)
            } else if let Some(other) =
                rivals().find(|other| self.loses_it_for_nothing(host, process, other, batch))
            {
                format!("{} gets port {} from {}, which serves there", it.id, it.port, other.id)
            } else {
                continue;
            };
            let now = self.now;
            return self.court.accuse("S8", now, wrong);
        }
    }

    fn container_of(&self, host: usize, set: &RecordSet) -> Option<&Truth> {
        let id: ContainerId = mark(set).get(1)?.parse().ok()?;
        self.hosts[host].containers.get(&id)
    }

    /// Whether Docker publishes its port: for itself, or for the one whose network it uses.
    fn is_led_to(&self, host: usize, it: &Truth) -> bool {
        let owner = it.owner.as_ref().and_then(|owner| self.hosts[host].containers.get(owner));
        it.is_published() || owner.is_some_and(Truth::is_published)
    }

    fn rivals_of<'a>(&'a self, host: usize, it: &'a Truth) -> impl Iterator<Item = &'a Truth> {
        let others = self.hosts[host].containers.values();
        others.filter(move |other| other.alive && other.id != it.id && other.port == it.port)
    }

    /// Whether the process knows that Docker publishes for another container the port that this one wants, and no
    /// record of that has to wait for the other to be ready.
    fn is_published_for(&self, host: usize, process: u64, it: &Truth, other: &Truth) -> bool {
        let known = self.court.known.get(&(host, process));
        let seen = known.and_then(|known| known.seen.get(&other.id).zip(known.as_of.get(&other.id)));
        let in_time = seen.is_some_and(|((life, when), as_of)| {
            *life == other.lives && *as_of >= other.shown_from && *when + HEEDED < self.now
        });
        let written = self.court.written.iter().filter(|((of, key), _)| {
            let id = key.set_identifier.as_deref().and_then(|mark| mark.split(':').nth(1));
            *of == host && id == Some(it.id.to_string().as_str())
        });
        let first = written.map(|(_, (when, ..))| *when).min();
        // Docker publishes nothing for what has left its network.
        let is_rival = other.is_published() && !other.unplugged && it.on_host();
        // An answer that was long on its way may be outdated by what was heard meanwhile, and is asked for again.
        let hindered = self.now < self.hosts[host].engine.hindered + PATIENCE;
        is_rival && in_time && !hindered && first.is_none_or(|first| first > other.started)
    }

    /// Whether a batch takes the record of a container that passes its check, and that nothing has happened to.
    fn loses_it_for_nothing(&self, host: usize, process: u64, other: &Truth, batch: &[Change]) -> bool {
        let of = &self.hosts[host];
        let is_its = |set: &RecordSet| mark(set).get(1) == Some(&other.id.to_string().as_str());
        let deleted = batch.iter().find(|change| change.action == Action::Delete && is_its(&change.set));
        let Some(deleted) = deleted.filter(|_| !other.is_published()) else { return false };
        let written = self.court.written.get(&(host, deleted.set.key()));
        let known = self.court.known.get(&(host, process));
        // What is written in the moment of the first look at a life may be meant for the one before.
        let since = known.and_then(|known| known.since.get(&other.id)).map(|(_, since)| *since);
        let goes_on = written.is_some_and(|(when, life, _)| {
            *life == other.lives && other.touched() < *when && since.is_none_or(|since| since < *when)
        });
        let row = known.and_then(|known| known.rows.get(&other.port));
        let passes = match other.spec.check {
            SpecCheck::None => true,
            // After a failure one pass is not enough.
            SpecCheck::Tcp => row.is_some_and(|row| row.passed == Some(other.lives) && row.risen.is_some()),
            SpecCheck::Docker => false,
        };
        // Whoever was there first may be shown last.
        let hindered = self.now < of.engine.hindered + PATIENCE;
        goes_on && passes && !hindered && !other.is_touched(self.now) && !of.went_back
    }
}
