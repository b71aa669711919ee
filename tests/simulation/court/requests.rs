//! What an agent may ask of the registry, judged when it asks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::record::{Action, Change, ContainerId, Key, RecordSet, RecordType, Routing};
use ecssd::zone::ZoneError;

use super::{content, mark};
use crate::scenario::SpecCheck;
use crate::truth::{Truth, WITHDRAWN, ZONE};
use crate::world::State;

/// A share of what an account may do: a second, and at once. The agent's own promise, spelled here anew.
const REQUESTS: (f64, f64) = (8.0, 40.0);
const REQUESTS_LEGACY: (f64, f64) = (4.0, 5.0);
const CHANGES: (f64, f64) = (100.0, 1_500.0);
/// What rounding to nanoseconds may add up to, in tokens.
const ROUNDING: f64 = 1e-3;
/// Full jitter may draw a row of short waits, but never so many: the ranges double up to 20 s.
const THROTTLED_CALLS_A_MINUTE: usize = 25;
/// The vendor's limits of a batch.
const ELEMENTS: usize = 1_000;
const CHARACTERS: usize = 32_000;

/// What one process asked.
#[derive(Default)]
pub struct Requests {
    level: (f64, f64, Moment),
    /// The calls of the last minute, as long as each was throttled.
    throttled: VecDeque<Moment>,
    last: Vec<Change>,
    /// The keys of all of them.
    asked: BTreeSet<Key>,
    /// Of a refused batch with one to blame: the others that wait, and how many calls they may.
    hunt: Option<Hunt>,
    /// A refused batch with several to blame: what is refused of it is not one alone.
    crowd: BTreeSet<Key>,
    /// A batch that was not taken for reasons that are none of its own: it has to come back whole.
    whole: Option<Vec<Change>>,
}

struct Hunt {
    waiting: BTreeMap<Key, Change>,
    began: Moment,
    calls_left: u32,
    culprits: BTreeSet<Key>,
    size: usize,
}

impl Requests {
    /// A call that says nothing of its batch brings nobody nearer to who is to blame.
    fn not_counted(&mut self) {
        if let Some(hunt) = &mut self.hunt {
            hunt.calls_left += 1;
        }
    }
}

impl State {
    /// A process asks for a batch.
    pub fn court_asks(&mut self, host: usize, process: u64, batch: &[Change]) {
        self.court_paces(host, batch);
        self.court_limits(batch);
        self.court_hunts(host, batch);
        self.court_ports_change(host, process, batch);
        self.court_sees_addresses(host, process, batch);
        self.court_puts_back(host, process, batch);
        for change in batch {
            self.court_asks_one(host, process, change, batch);
        }
        let now = self.now;
        for Change { action, set } in batch {
            let place = (host, set.key());
            if *action != Action::Delete {
                let id = mark(set).get(1).and_then(|id| id.parse::<ContainerId>().ok());
                let known = self.court.known.get(&(host, process));
                let life = id.and_then(|id| known?.seen.get(&id).map(|seen| seen.0)).unwrap_or_default();
                let before = self.court.written.insert(place.clone(), (now, life, set.clone()));
                if before.is_some_and(|(when, ..)| when < self.hosts[host].started) {
                    self.court.adopted.insert(place.clone());
                }
                self.court.contents.entry(place).or_default().insert(content(set));
            }
        }
        let requests = self.court.requests.entry((host, process)).or_default();
        requests.last = batch.to_vec();
        requests.asked.extend(batch.iter().map(|change| change.set.key()));
    }

    /// A process reads.
    pub fn court_reads(&mut self, host: usize) {
        self.court_paces(host, &[]);
    }

    /// It was shown these.
    pub fn court_read(&mut self, host: usize, sets: &[RecordSet]) {
        for set in sets.iter().cloned().map(RecordSet::canonical) {
            self.court_knows(host, &set);
            // What was lost with a journal, or edited, is known again.
            self.court.read.insert((host, set.key()));
        }
    }

    /// It wrote this down.
    pub fn court_knows(&mut self, host: usize, set: &RecordSet) {
        self.court.contents.entry((host, set.key())).or_default().insert(content(set));
    }

    /// A call that reads was refused.
    pub fn court_not_read(&mut self, host: usize, error: &ZoneError) {
        let now = self.now;
        self.court_troubles(host, matches!(error, ZoneError::Denied(_)));
        self.court.unheard.insert(host, now);
        let draining = self.hosts[host].draining.is_some();
        if let (Some(requests), ZoneError::Throttled(_), false) = (self.requests(host), error, draining) {
            requests.throttled.push_back(now);
        }
    }

    /// A call that writes was answered.
    pub fn court_answered(&mut self, host: usize, answer: Result<(), &ZoneError>) {
        let now = self.now;
        let draining = self.hosts[host].draining.is_some();
        let culprits = self.culprits(host);
        if let Err(error) = answer {
            let refused =
                matches!(error, ZoneError::Rejected(_) | ZoneError::Denied(_) | ZoneError::Invalid(_));
            self.court_troubles(host, refused);
            if !matches!(error, ZoneError::Rejected(_) | ZoneError::Throttled(_) | ZoneError::Busy(_)) {
                self.court.unheard.insert(host, now);
            }
        }
        let Some(requests) = self.requests(host) else { return };
        match answer {
            Err(ZoneError::Throttled(_)) if !draining => {
                requests.throttled.push_back(now);
                requests.throttled.retain(|at| *at + Duration::from_secs(60) > now);
                let calls = requests.throttled.len();
                if calls > THROTTLED_CALLS_A_MINUTE {
                    self.court.accuse(
                        "S9",
                        now,
                        format!("{calls} calls within a minute, all of them throttled"),
                    );
                }
            }
            _ => requests.throttled.clear(),
        }
        let Some(requests) = self.requests(host) else { return };
        match answer {
            Err(ZoneError::Throttled(_) | ZoneError::Busy(_)) if !draining => {
                requests.whole = Some(requests.last.clone());
                requests.not_counted();
            }
            Err(ZoneError::Unknown(_) | ZoneError::Unauthenticated(_)) => {
                requests.whole = None;
                requests.not_counted();
                // What stands there now is anybody's guess.
                let keys: Vec<_> = requests.last.iter().map(|change| (host, change.set.key())).collect();
                self.court.doubt(keys);
            }
            Err(ZoneError::Rejected(_) | ZoneError::Denied(_) | ZoneError::Invalid(_)) => {
                requests.whole = None;
                // What may not be deleted stays where it is.
                let kept = requests.last.iter().filter(|change| change.action == Action::Delete);
                let kept: Vec<_> = kept.map(|change| (host, change.set.key())).collect();
                if culprits.is_empty() {
                    // Something else is wrong as well.
                    requests.hunt = None;
                }
                let known = requests.hunt.as_ref().is_some_and(|hunt| hunt.culprits == culprits);
                let keys: BTreeSet<Key> = requests.last.iter().map(|change| change.set.key()).collect();
                if culprits.len() > 1 {
                    requests.crowd = keys.clone();
                }
                if !known && keys.is_disjoint(&requests.crowd) {
                    requests.hunt = hunt(&requests.last, culprits, now);
                }
                self.court.doubt(kept);
            }
            _ => requests.whole = None,
        }
    }

    /// What was applied waits no more.
    pub fn court_hunts_applied(&mut self, host: usize, batch: &[Change]) {
        if let Some(hunt) = self.requests(host).and_then(|requests| requests.hunt.as_mut()) {
            batch.iter().for_each(|change| {
                hunt.waiting.remove(&change.set.key());
            });
        }
    }

    /// A process panics, starts or is told to end: what it was about is off.
    pub fn court_lets_off(&mut self, host: usize) {
        if let Some(requests) = self.requests(host) {
            (requests.hunt, requests.whole) = (None, None);
        }
    }

    /// The keys that a process wrote.
    pub fn court_written_by(&self, host: usize, process: u64) -> BTreeSet<Key> {
        self.court.requests.get(&(host, process)).map(|requests| requests.asked.clone()).unwrap_or_default()
    }

    /// The keys of the last call of this process, and of the one before it.
    pub fn court_last_asked(&self, host: usize) -> BTreeSet<Key> {
        let process = self.hosts[host].life;
        let requests = self.court.requests.range((host, process.saturating_sub(1))..=(host, process));
        requests.flat_map(|(_, requests)| &requests.last).map(|change| change.set.key()).collect()
    }

    fn requests(&mut self, host: usize) -> Option<&mut Requests> {
        let process = self.hosts[host].life;
        self.court.requests.get_mut(&(host, process))
    }

    /// S9.
    pub(super) fn court_paces(&mut self, host: usize, batch: &[Change]) {
        let (now, legacy, process) = (self.now, self.account.legacy, self.hosts[host].life);
        let (per_second, burst) = if legacy { REQUESTS_LEGACY } else { REQUESTS };
        let requests = self.court.requests.entry((host, process)).or_default();
        let (calls, cost, last) = requests.level;
        let passed = (now - last).as_secs_f64();
        let calls = (calls - passed * per_second).max(0.0) + 1.0;
        let spent: usize = batch.iter().map(cost_of).sum();
        let cost = (cost - passed * CHANGES.0).max(0.0) + spent as f64;
        requests.level = (calls, cost, now);
        if calls > burst + ROUNDING {
            self.court.accuse("S9", now, format!("{calls:.1} requests in a bucket of {burst}"));
        }
        if !legacy && cost > CHANGES.1 + ROUNDING {
            self.court.accuse("S9", now, format!("{cost:.1} changes in a bucket of {}", CHANGES.1));
        }
    }

    /// S10.
    pub(super) fn court_limits(&mut self, batch: &[Change]) {
        let now = self.now;
        let elements: usize = batch.iter().map(|it| cost_of(it) * it.set.values.len()).sum();
        let length = |it: &Change| it.set.values.iter().map(String::len).sum::<usize>();
        let characters: usize = batch.iter().map(|it| cost_of(it) * length(it)).sum();
        if batch.is_empty() || elements > ELEMENTS || characters > CHARACTERS {
            let text = format!("a batch of {elements} elements and {characters} characters");
            self.court.accuse("S10", now, text);
        }
        let mut actions: BTreeMap<Key, Vec<Action>> = BTreeMap::new();
        for change in batch {
            actions.entry(change.set.key()).or_default().push(change.action);
        }
        for (key, actions) in actions {
            if actions.len() > 1 && actions != [Action::Delete, Action::Create] {
                self.court.accuse("S10", now, format!("{key} is in a batch as {actions:?}"));
            }
        }
    }

    /// S11: after a refusal with one to blame, and after one that blames nobody.
    fn court_hunts(&mut self, host: usize, batch: &[Change]) {
        let now = self.now;
        let keys: BTreeSet<Key> = batch.iter().map(|change| change.set.key()).collect();
        let steady = |state: &Self, key: &Key, since: Moment| state.is_steady(host, key, since);
        let Some(requests) = self.requests(host) else { return };
        let whole = requests.whole.take();
        let mut hunt = requests.hunt.take();
        if let Some(before) = whole {
            let since = self.court.requests[&(host, self.hosts[host].life)].level.2;
            let parted = before
                .iter()
                .map(|change| change.set.key())
                .find(|key| !keys.contains(key) && steady(self, key, since - Duration::from_secs(60)));
            if let Some(key) = parted {
                let text = format!("a batch that was throttled or busy comes back without {key}");
                self.court.accuse("S11", now, text);
            }
        }
        if let Some(hunt) = &mut hunt {
            let standing = self.account.standing();
            // What a read has found to be right need not be written.
            let right = |change: &Change| {
                let stands = standing.get(&change.set.key());
                stands
                    .is_some_and(|set| set.values == change.set.values && set.weight() == change.set.weight())
            };
            let waiting = hunt.waiting.iter().filter(|(_, change)| !right(change)).map(|(key, _)| key);
            let left = waiting.into_iter().find(|key| steady(self, key, hunt.began));
            match (left, hunt.calls_left.checked_sub(1)) {
                (None, _) => {}
                (Some(_), Some(less)) => hunt.calls_left = less,
                (Some(key), None) => {
                    let text =
                        format!("{key} waits for more calls than one refused of {} is worth", hunt.size);
                    self.court.accuse("S11", now, text);
                }
            }
        }
        let hunt = hunt.filter(|hunt| !hunt.waiting.is_empty());
        if let Some(requests) = self.requests(host) {
            requests.hunt = hunt;
        }
    }

    /// Whether nothing happened to a record's container for so long: what was wanted of it is still.
    fn is_steady(&self, host: usize, key: &Key, since: Moment) -> bool {
        let id = key.set_identifier.as_deref().and_then(|mark| mark.split(':').nth(1));
        let it = id
            .and_then(|id| id.parse::<ContainerId>().ok())
            .and_then(|id| self.hosts[host].containers.get(&id));
        it.is_some_and(|it| {
            // Weights turn with checks, records with the containers of their port.
            let alone =
                self.hosts[host].containers.values().filter(|other| other.ports.contains(&it.port)).count()
                    == 1;
            let shown = it.alive && it.ports_shown(since) && !it.is_touched(self.now) && it.starts.len() == 1;
            let checked = it.spec.check == SpecCheck::None && it.rewired.is_none();
            let stays = self.hosts[host].leaves(it, self.now).is_none() && !it.is_doubted(self.now);
            let by_hand = self.hosts[host].given.has_changed(since, self.now);
            it.touched() < since && stays && !by_hand && it.started < since && shown && checked && alone
        })
    }

    /// The keys of the last batch that the registry will not have.
    fn culprits(&mut self, host: usize) -> BTreeSet<Key> {
        let (poisoned, denied) = (self.account.poisoned.clone(), self.account.denied.clone());
        let Some(requests) = self.requests(host) else { return BTreeSet::new() };
        let blamed = |change: &&Change| {
            let key = change.set.key();
            let id = mark(&change.set).get(1).and_then(|id| id.parse::<ContainerId>().ok());
            denied.contains(&key.name)
                || (change.action != Action::Delete && id.is_some_and(|id| poisoned.contains(&id)))
        };
        requests.last.iter().filter(blamed).map(|change| change.set.key()).collect()
    }

    fn court_asks_one(&mut self, host: usize, process: u64, change: &Change, batch: &[Change]) {
        let now = self.now;
        let Change { action, set } = change;
        let fields = mark(set);
        let owner = self.hosts[host].owner.clone();
        let is_own = fields.first() == Some(&owner.as_str())
            && match (set.kind, fields.len()) {
                (RecordType::Srv, 3) => true,
                (RecordType::A, 1) => set.key().name == format!("{owner}.{ZONE}"),
                (RecordType::A, 3) => fields[2] == "a",
                _ => false,
            };
        if !is_own {
            let text = format!("host {host} asks for {change}, which does not carry its mark");
            return self.court.accuse("S1", now, text);
        }
        if fields.len() == 1 {
            return;
        }
        let Ok(id) = fields[1].parse::<ContainerId>() else {
            return self.court.accuse("S1", now, format!("{change} is of no container"));
        };
        match action {
            Action::Create | Action::Upsert => {
                self.court_sees_want(host, process, &id, set);
                self.court_registers(host, process, &id);
            }
            Action::Delete => self.court_sees_delete(host, &id, set, batch),
        }
    }

    /// Whether a process has had the time to heed that a life was asked to stop, or the one whose network it uses.
    fn was_told_of_stop(&self, host: usize, process: u64, id: &ContainerId, life: u32) -> bool {
        let known = self.court.known.get(&(host, process));
        let asked = known.and_then(|known| known.asked.get(id));
        asked.is_some_and(|asked| {
            asked.life == life
                && asked.told < self.now
                && self.now < asked.until
                && !self.panicked_at(host, asked.told)
        })
    }

    /// S7 and S13.
    fn court_sees_want(&mut self, host: usize, process: u64, id: &ContainerId, set: &RecordSet) {
        let now = self.now;
        let Some(it) = self.hosts[host].containers.get(id) else {
            return self.court.accuse("S7", now, format!("{} never was", id.short()));
        };
        let (port, life, spec, stops) = (it.port, it.lives, it.spec, it.is_touched(now));
        if let Some(known) = self.court.known.get(&(host, process)) {
            let seen = known.seen.get(id).map_or(0, |seen| seen.0);
            if let Some((dead, told)) = known.dead.get(id)
                && *dead >= seen
                && seen > 0
                && *told < now
                // What is told of a life while the Registrar that handled it begins again is old to its successor,
                // and waits for a look: a gap that is known.
                && !self.panicked_at(host, *told)
            {
                let text = format!(
                    "{} is wanted, whose life {dead} is known to have ended since {told:?}",
                    id.short()
                );
                return self.court.accuse("S7", now, text);
            }
        }
        self.court_weighs(host, process, id, set);
        let Some(it) = self.hosts[host].containers.get(id) else { return };
        // What is asked for in the same moment may have been on its way, of a later signal nothing was heard, and a
        // clock that jumped ahead makes it look old.
        let jumped = self.hosts[host].jumped_at;
        let noted = it.noted.is_some_and(|(of, since, until)| {
            of == life && since < now && now < until && jumped.is_none_or(|at| at < since)
        });
        if noted && it.alive && it.is_stopping(now) {
            let text =
                format!("{} is wanted, of which it is written down that it was asked to stop", id.short());
            return self.court.accuse("S7", now, text);
        }
        if it.alive && it.is_stopping(now) && self.was_told_of_stop(host, process, id, life) {
            let text = format!("{} is wanted, of which it was told that it was asked to stop", id.short());
            return self.court.accuse("S7", now, text);
        }
        let told = it.is_doubted(now)
            || self.hosts[host].leaves(it, now).is_some()
            || self.hosts[host].draining.is_some();
        let served = self.account.standing().get(&set.key()).is_some_and(|it| it.weight() > Some(0));
        let of = &self.hosts[host];
        let by_hand = of.given.weights(id, &set.key().name, spec.weight, now, of.jumped_at);
        let tcp = spec.check == SpecCheck::Tcp && !by_hand.contains(&0) && !of.given.is_fresh(now);
        if set.weight() == Some(0)
            && served
            && !told
            && tcp
            && !stops
            && self.judged_in_doubt(host, process, port, life)
        {
            let text = format!("{} goes to weight 0 while most checks of host {host} are silent", id.short());
            self.court.accuse("S13", now, text);
        }
    }

    /// S4, and those by which no registration is lost: S3, S6, L4.
    fn court_sees_delete(&mut self, host: usize, id: &ContainerId, set: &RecordSet, batch: &[Change]) {
        let now = self.now;
        let place = (host, set.key());
        let known = self.court.contents.get(&place).is_some_and(|known| known.contains(&content(set)));
        if !known {
            let text = format!("host {host} deletes {set}, which it neither wrote nor read");
            return self.court.accuse("S4", now, text);
        }
        let of = &self.hosts[host];
        let Some(it) = of.containers.get(id) else { return };
        let swapped = batch.iter().any(|it| it.action == Action::Create && it.set.key() == set.key());
        let right = match set.kind {
            RecordType::A => set.values == [of.address.to_string()],
            _ => set.values == [format!("1 1 {} {}.{ZONE}", it.port, of.owner)],
        };
        let mine = it.names().contains(&set.key().name);
        let (written, life) =
            self.court.written.get(&place).map_or((Moment::START, 0), |(at, life, _)| (*at, *life));
        let has_port = |other: &&Truth| {
            other.alive && (other.port == it.port || other.misdated && other.ports.contains(&it.port))
        };
        let rivals = of.containers.values().filter(has_port).count() > 1;
        // Only who saw for so long that it was paused withdraws it, and the next run goes on with that. A full name is left
        // alone by it.
        let of_host = self.court.known.iter().filter(|((of, _), _)| *of == host);
        let mut frozen = of_host.filter_map(|(_, known)| known.paused.get(id));
        let seen_long = frozen.any(|frozen| frozen.lasted(WITHDRAWN));
        let frozen = set.routing != Routing::Multivalue && seen_long;
        // What was written of an earlier life gives way to one that has to prove itself.
        let excused = of.leaves(it, now) == Some(true)
            || it.is_over(now)
            || it.reason >= written
            || frozen
            || life < it.lives
            || rivals
            || of.draining.is_some()
            || of.drain_began.is_some_and(|at| at >= written);
        if swapped || !right || !mine || excused {
            return;
        }
        let away = of.engine.is_away()
            || now < self.account.down_until
            || of.outage.is_some_and(|(until, _)| now < until);
        let invariant = match (it.serves(now), away) {
            (false, _) => "S3",
            (true, true) => "S6",
            (true, false) => "L4",
        };
        let text = format!("{} of host {host} lives, and {} is deleted", id.short(), set.key());
        self.court.accuse(invariant, now, text);
    }
}

fn hunt(batch: &[Change], culprits: BTreeSet<Key>, now: Moment) -> Option<Hunt> {
    let waiting: BTreeMap<_, _> = (batch.iter())
        .map(|change| (change.set.key(), change.clone()))
        .filter(|(key, _)| !culprits.contains(key) && key.kind == RecordType::Srv)
        .collect();
    let size = batch.iter().map(|change| change.set.key()).collect::<BTreeSet<_>>().len();
    let calls_left = size.next_power_of_two().ilog2() + 1;
    (culprits.len() == 1).then_some(Hunt { waiting, began: now, calls_left, culprits, size })
}

fn cost_of(change: &Change) -> usize {
    if change.action == Action::Upsert { 2 } else { 1 }
}
