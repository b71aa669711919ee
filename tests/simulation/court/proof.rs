//! S14: what has a weight above 0 has passed its check in this very life, where there is a check. What an earlier
//! process was shown counts for the life that it was shown of.

use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::record::{ContainerId, Key, RecordSet, RecordType, Routing};

use super::knowledge::Frozen;
use super::mark;
use crate::scenario::SpecCheck;
use crate::truth::{Kind, Truth, WEIGHTLESS, WITHDRAWN, ZONE};
use crate::world::State;

/// How long a record may keep its weight after its container was seen in another life: the first look at a host
/// lasts 2 s, and a call waits for its turn.
const TAKES: Duration = Duration::from_secs(30);
/// How long trouble with calls has to be over: what was refused waits for at most so long where it was not for
/// itself.
const TROUBLE: Duration = Duration::from_secs(90);
/// How long it may take until a Registrar that begins again has looked at all, where the engine hangs.
const LOOKS_AGAIN: Duration = Duration::from_secs(240);
/// How long what was refused for itself waits at most.
const REFUSED: Duration = Duration::from_secs(960);

impl State {
    /// A process is shown that a check of a container passes.
    pub fn court_passes(&mut self, host: usize, process: u64, id: &ContainerId, life: u32) {
        let runs = self.hosts[host].containers.get(id).map_or(0, |it| it.passed_runs);
        let is_docker = |it: &Truth| it.spec.check == SpecCheck::Docker;
        let is_docker = self.hosts[host].containers.get(id).is_some_and(is_docker);
        let paused = &mut self.court.known.entry((host, process)).or_default().paused;
        // What a HEALTHCHECK said before a pause says nothing after it.
        if paused.get(id).is_none_or(|frozen| !is_docker || runs > frozen.passed) {
            paused.remove(id);
        }
        let passed = self.court.passed.entry((host, id.clone())).or_default();
        *passed = life.max(*passed);
    }

    /// Whoever can be reached at a port passes.
    pub(super) fn court_port_passes(&mut self, host: usize, process: u64, port: u16) {
        // The kernel answers for what is frozen, and who has not been shown that believes it.
        let known = self.court.known.get(&(host, process));
        let is_known_frozen = |it: &Truth| known.is_some_and(|known| known.paused.contains_key(&it.id));
        let passes =
            |it: &&Truth| it.alive && it.port == port && (it.paused.is_none() || !is_known_frozen(it));
        let there = self.hosts[host].containers.values().filter(passes);
        let there: Vec<_> = there.map(|it| (it.id.clone(), it.lives)).collect();
        there.iter().for_each(|(id, life)| self.court_passes(host, process, id, *life));
    }

    /// A call of a host came to nothing; `refused`, for what it asked.
    pub(super) fn court_troubles(&mut self, host: usize, refused: bool) {
        self.court.troubled.insert(host, self.now);
        if refused {
            self.court.refused.insert(host, self.now);
        }
    }

    /// A process asks for a weight.
    pub(super) fn court_weighs(&mut self, host: usize, process: u64, id: &ContainerId, set: &RecordSet) {
        let now = self.now;
        // Whoever saw it may have begun again since, and has to look again.
        // So has whoever asks a slow engine for the one whose network it shares.
        let hindered = now < self.hosts[host].engine.hindered + TAKES;
        if hindered || self.panicked_since(host, now - LOOKS_AGAIN) {
            return;
        }
        if let Some((life, _)) = self.unproved(host, process, id, set).filter(|(_, since)| *since < now) {
            let text = format!("{set} is asked for, and no check of {}, life {life}, has passed", id.short());
            self.court.accuse("S14", now, text);
        }
    }

    /// A process is shown all that runs: by then what it knew for so long has shown in the zone.
    pub(super) fn court_weighs_all(&mut self, host: usize, process: u64) {
        let now = self.now;
        let known = self.court.known.entry((host, process)).or_default();
        let first = *known.listed.get_or_insert(now);
        let troubled = self.court.troubled.get(&host).is_some_and(|at| now < *at + TROUBLE);
        let panicked = self.panicked_since(host, now - TROUBLE);
        self.court_looked_again(host, process);
        if now < first + TAKES || troubled || panicked || self.hosts[host].draining.is_some() {
            return;
        }
        self.court_expects(host, process);
        self.court_looked_at_networks(host, process);
        for set in self.standing_of(host) {
            let Some(id) = mark(&set).get(1).and_then(|id| id.parse::<ContainerId>().ok()) else { continue };
            let key = (host, set.key());
            let unknown = self.court.doubtful.contains(&key) || self.court.late.contains(&key);
            let refused = self.account.poisoned.contains(&id) || self.account.denied.contains(&key.1.name);
            let unproved = self.unproved(host, process, &id, &set).filter(|(_, since)| now > *since + TAKES);
            if let Some((life, since)) = unproved.filter(|_| !unknown && !refused) {
                let text =
                    format!("{set} stands, and no check of life {life}, seen since {since:?}, has passed");
                self.court.accuse("S14", now, text);
            }
        }
    }

    /// What happened while nobody listened shows in no list: all that runs has been looked at since.
    fn court_looked_again(&mut self, host: usize, process: u64) {
        let now = self.now;
        let engine = &self.hosts[host].engine;
        let (listened, hindered) = (engine.listened, engine.hindered);
        if now < listened + TAKES || now < hindered + TROUBLE || self.panicked_since(host, listened) {
            return;
        }
        let Some(known) = self.court.known.get(&(host, process)) else { return };
        let looked = |id: &ContainerId| known.seen.get(id).is_some_and(|(_, at)| *at >= listened);
        let there = self.hosts[host].containers.values();
        let missed = there.filter(|it| it.alive && it.started < listened).find(|it| !looked(&it.id));
        if let Some(it) = missed {
            let text = format!("{} was not looked at since events were missed", it.id.short());
            self.court.accuse("L1", now, text);
        }
    }

    /// Who left or joined a network has been looked at since, and so have those that use its network: the event says
    /// so, and if nobody heard of it the next list does.
    fn court_looked_at_networks(&mut self, host: usize, process: u64) {
        let now = self.now;
        let engine = &self.hosts[host].engine;
        let trouble = [engine.hindered, engine.listened, engine.silent_until];
        if trouble.into_iter().any(|at| now < at + TROUBLE) {
            return;
        }
        let Some(known) = self.court.known.get(&(host, process)) else { return };
        let looked = |it: &&Truth, since: Moment| known.seen.get(&it.id).is_some_and(|(_, at)| *at >= since);
        let mut there = self.hosts[host].containers.values().filter(|it| it.alive);
        let is_due = |since: &Moment| now >= *since + TROUBLE && !self.panicked_since(host, *since);
        if let Some(it) = there.find(|it| it.rewired.filter(is_due).is_some_and(|since| !looked(it, since))) {
            let text = format!("{} was not looked at since its network changed", it.id.short());
            self.court.accuse("L1", now, text);
        }
    }

    /// Whose check has passed twice in a row is registered, whatever becomes of others.
    fn court_expects(&mut self, host: usize, process: u64) {
        let now = self.now;
        if self.court.refused.get(&host).is_some_and(|at| now < *at + REFUSED) {
            return;
        }
        let steady = now - TROUBLE;
        let of = &self.hosts[host];
        let Some(known) = self.court.known.get(&(host, process)) else { return };
        let alone =
            |it: &&Truth| of.containers.values().filter(|other| other.ports.contains(&it.port)).count() == 1;
        let passes = |it: &&Truth| {
            let row = known.rows.get(&it.port);
            it.spec.check == SpecCheck::Tcp
                && row.is_some_and(|row| row.risen.is_some_and(|at| at + TAKES < now))
        };
        let calm = |it: &&Truth| {
            it.starts.len() == 1
                && it.touched() < steady
                && !it.is_touched(now)
                && !it.is_touched(steady)
                && !it.is_doubted(now)
        };
        // A Registrar that begins again knows of nobody before another look at him.
        let looked =
            |id: &ContainerId| known.seen.get(id).is_some_and(|(_, at)| !self.panicked_since(host, *at));
        let known =
            |it: &&Truth| known.since.contains_key(&it.id) && looked(&it.id) && of.leaves(it, now).is_none();
        let well = of.containers.values().filter(passes).filter(calm).filter(alone).filter(known);
        let standing = self.standing_of(host);
        let mut missing = None;
        for it in well {
            let registered = |(name, kind): &(String, Kind)| {
                let mark = it.mark(&of.owner, *kind);
                let mine =
                    |set: &&RecordSet| set.key().name == *name && set.set_identifier.as_ref() == Some(&mark);
                let weights = of.given.weights(&it.id, name, it.spec.weight, now, of.jumped_at);
                let is_right = |set: &RecordSet| match set.weight() {
                    Some(weight) => weights.contains(&weight) || of.given.is_fresh(now),
                    None => *kind == Kind::Full,
                };
                standing.iter().find(mine).is_some_and(is_right)
            };
            let doubted = |(name, kind): &(String, Kind)| {
                let mark = it.mark(&of.owner, *kind);
                let kind = if *kind == Kind::Address { RecordType::A } else { RecordType::Srv };
                let key = Key { name: name.clone(), kind, set_identifier: Some(mark) };
                let place = (host, key);
                self.court.doubtful.contains(&place) || self.court.late.contains(&place)
            };
            let refused = self.account.poisoned.contains(&it.id);
            let records = it.records();
            let allowed = |record: &&(String, Kind)| {
                !self.account.denied.contains(&record.0) && !doubted(record) && !refused
            };
            let lacks = records.iter().filter(allowed).find(|record| !registered(record));
            missing = missing.or_else(|| lacks.map(|(name, _)| name.clone()));
        }
        if let Some(name) = missing {
            self.court.accuse("L4", now, format!("what passes its check is not registered as {name}"));
        }
    }

    /// For a mutant: the set of a full name whose copy has not passed its check, and that nobody has written.
    pub fn court_unproved_full(&self, host: usize, process: u64) -> Option<RecordSet> {
        let of = &self.hosts[host];
        let full = |it: &Truth| RecordSet {
            name: format!("_s{}-all._tcp.{ZONE}", it.spec.service),
            kind: RecordType::Srv,
            set_identifier: Some(it.mark(&of.owner, Kind::Full)),
            routing: Routing::Multivalue,
            ttl: 0,
            values: vec![format!("1 1 {} {}.{ZONE}", it.port, of.owner)],
        };
        let mut there = of.containers.values().filter(|it| it.spec.all_names && !it.is_touched(self.now));
        there.find_map(|it| {
            let set = full(it);
            self.unproved(host, process, &it.id, &set).filter(|(_, since)| *since < self.now).map(|_| set)
        })
    }

    /// The life that a weight was not proved for, and since when this process has seen it, if so.
    fn unproved(
        &self,
        host: usize,
        process: u64,
        id: &ContainerId,
        set: &RecordSet,
    ) -> Option<(u32, Moment)> {
        let it = self.hosts[host].containers.get(id)?;
        // What an earlier run wrote under a full name is adopted, where its life may go on.
        let place = (host, set.key());
        let before =
            self.court.written.get(&place).is_some_and(|(when, ..)| *when < self.hosts[host].started);
        let adopted = before || self.court.adopted.contains(&place);
        let stands = self.account.standing().contains_key(&place.1);
        let adds_full = set.routing == Routing::Multivalue && !stands && !adopted;
        let is_served = adds_full || set.weight() > Some(0);
        if mark(set).len() != 3 || !is_served || it.spec.check == SpecCheck::None {
            return None;
        }
        let known = self.court.known.get(&(host, process))?;
        // Whoever answers in the place of a life that ended unheard looks like it: what an end means is S7's.
        let (life, since) = known.since.get(id).copied().filter(|(life, _)| it.alive && it.lives == *life)?;
        let passed = self.court.passed.get(&(host, id.clone())).copied().unwrap_or_default();
        // A full name has no weight that a pause could take.
        // Nor is a HEALTHCHECK waited for much longer than a minute: its next run may be an hour away.
        let believed = |frozen: &Frozen| {
            let docker = it.spec.check == SpecCheck::Docker;
            docker && frozen.ran.is_some_and(|ran| ran + WITHDRAWN <= self.now)
        };
        let frozen = known.paused.get(id).filter(|frozen| frozen.lasted(WEIGHTLESS) && !believed(frozen));
        match frozen.filter(|_| !adds_full) {
            Some(frozen) => Some((life, since.max(frozen.last))),
            None => Some((life, since)).filter(|_| passed < life),
        }
    }
}
