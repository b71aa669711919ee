//! S16: which address a process may write, and where it is to change all of them at once. L5: that what leads to a host
//! follows it.

use std::net::Ipv4Addr;
use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::record::{Action, Change, ContainerId, RecordSet, RecordType};

use super::mark;
use crate::world::State;

/// How long what leads to a host may take to follow it, with nothing in the way: three readings, a slow call that was under
/// way, and one of its own.
pub const FOLLOWS: Duration = Duration::from_secs(40);
/// So many readings in a row are believed.
const BELIEVED: usize = 3;
/// How long a process that stands still may take from what it believes to what it asks.
const HEEDED: Duration = Duration::from_secs(6);
/// How long trouble with calls has to be over, and how long what was refused for itself waits.
const TROUBLE: Duration = Duration::from_secs(90);
const REFUSED: Duration = Duration::from_secs(960);

/// Where one process was told that its host is.
pub struct Whereabouts {
    /// What it was told at its start.
    started_at: Ipv4Addr,
    readings: Vec<Option<Ipv4Addr>>,
    read_at: Option<Moment>,
    /// What it is to believe, since when, and what it believed before.
    believed: Ipv4Addr,
    since: Moment,
    before: Ipv4Addr,
}

impl super::Court {
    /// Where a process was told at its start that its host is.
    pub fn started_at(&self, host: usize, process: u64) -> Option<Ipv4Addr> {
        self.whereabouts.get(&(host, process)).map(|it| it.started_at)
    }

    /// What a process read last of where its host is.
    pub fn last_read(&self, host: usize, process: u64) -> Option<Ipv4Addr> {
        self.whereabouts.get(&(host, process))?.readings.last().copied().flatten()
    }
}

impl State {
    /// A process starts, and is told that its host is there.
    pub fn court_starts_at(&mut self, host: usize, process: u64, address: Ipv4Addr) {
        let whereabouts = Whereabouts {
            started_at: address,
            readings: Vec::new(),
            read_at: None,
            believed: address,
            since: self.now,
            before: address,
        };
        self.court.whereabouts.insert((host, process), whereabouts);
    }

    /// It reads where its host is; `None` where no route tells.
    pub fn court_reads_address(&mut self, host: usize, process: u64, read: Option<Ipv4Addr>) {
        let now = self.now;
        let Some(it) = self.court.whereabouts.get_mut(&(host, process)) else { return };
        // At its start it asks whether there is anything to read.
        if it.read_at.replace(now) == Some(now) {
            return;
        }
        it.readings.push(read);
        it.readings.drain(..it.readings.len().saturating_sub(BELIEVED));
        let is_row = it.readings.len() == BELIEVED && it.readings.iter().all(|other| *other == read);
        if let Some(address) = read.filter(|address| is_row && *address != it.believed) {
            it.before = std::mem::replace(&mut it.believed, address);
            it.since = now;
            self.count("address believed");
        }
    }

    /// S16: a process asks for a batch.
    pub(super) fn court_sees_addresses(&mut self, host: usize, process: u64, batch: &[Change]) {
        let now = self.now;
        let Some(it) = self.court.whereabouts.get(&(host, process)) else { return };
        let (believed, since, before) = (it.believed.to_string(), it.since, it.before.to_string());
        // Whoever failed before it said so may have said what was so before.
        let is_late = now > since + HEEDED && !self.panicked_since(host, since);
        let written = batch.iter().filter(|it| it.action != Action::Delete && it.set.kind == RecordType::A);
        let wrong = |change: &&Change| {
            let is = |address: &String| change.set.values == [address.clone()];
            !is(&believed) && (is_late || !is(&before))
        };
        if let Some(change) = written.clone().find(wrong) {
            let text = format!("{change} is asked for, and the host is believed to be at {believed}");
            return self.court.accuse("S16", now, text);
        }
        let of_host = |set: &RecordSet| set.kind == RecordType::A && mark(set).len() == 1;
        let is_put_back =
            |set: &RecordSet| batch.iter().any(|it| it.action != Action::Delete && it.set.key() == set.key());
        // What leads to where the host is not any more, leads astray.
        let leads_here = |set: &RecordSet| of_host(set) && set.values == [believed.clone()];
        let deleted = batch.iter().find(|it| it.action == Action::Delete && leads_here(&it.set));
        if let Some(change) = deleted.filter(|change| !is_put_back(&change.set)) {
            let text = format!("{change} is asked for, and what leads to the host stays");
            return self.court.accuse("S16", now, text);
        }
        let Some(moved) = written.clone().find(|it| of_host(&it.set)) else { return };
        let stays = |set: &RecordSet| {
            set.values != moved.set.values && !batch.iter().any(|it| it.set.key() == set.key())
        };
        let Some(key) = self.led_elsewhere(host, stays).filter(|_| !self.is_hindered(host, since)) else {
            return;
        };
        let text = format!("host {host} goes to {believed}, and {key} not with it");
        self.court.accuse("S16", now, text);
    }

    /// L5: with nothing in the way, what leads to a host has followed it by now to where it has been since then.
    pub fn court_follows(&mut self, host: usize, since: Moment, stood_still: Duration) {
        let of = &self.hosts[host];
        let (now, address) = (self.now, of.address.to_string());
        let is_old = of.route.right_since() != since;
        if is_old || stood_still != self.stood_still || self.is_hindered(host, since) {
            return;
        }
        self.count("address followed");
        if let Some(key) = self.led_elsewhere(host, |set| set.values != [address.clone()]) {
            let text =
                format!("{key} leads to where host {host} was before, since {since:?}, and not to {address}");
            self.court.accuse("L5", now, text);
        }
    }

    /// What of a host's own addresses stands so, as its agent can know, and belongs there.
    fn led_elsewhere(&self, host: usize, stands_so: impl Fn(&RecordSet) -> bool) -> Option<String> {
        let of = &self.hosts[host];
        let is_own = |set: &&RecordSet| {
            let fields = mark(set);
            let id = fields.get(1).and_then(|id| id.parse::<ContainerId>().ok());
            let stays = match id.map(|id| of.containers.get(&id)) {
                None => true,
                Some(it) => it.is_some_and(|it| !it.is_touched(self.now)),
            };
            set.kind == RecordType::A && fields.first() == Some(&of.owner.as_str()) && stays
        };
        let standing = self.account.standing();
        let mut wrong = standing.values().filter(is_own).filter(|set| stands_so(set)).map(RecordSet::key);
        wrong.find(|key| !self.court.doubtful.contains(&(host, key.clone()))).map(|key| key.to_string())
    }

    /// Whether something was in the way of a host's process since then, or only started.
    pub(super) fn is_hindered(&self, host: usize, since: Moment) -> bool {
        let (of, now) = (&self.hosts[host], self.now);
        let known = self.court.known.get(&(host, of.life));
        let is_new = of.started > since || known.and_then(|known| known.listed).is_none_or(|at| at > since);
        let lately = |at: Option<&Moment>, span| at.is_some_and(|at| *at + span > since.min(now));
        let trouble = lately(self.court.troubled.get(&host), TROUBLE)
            || lately(self.court.refused.get(&host), REFUSED)
            || self.panicked_since(host, since - TROUBLE);
        let account = &self.account;
        let registry = now < account.down_until.max(account.noisy_until)
            || !account.poisoned.is_empty()
            || !account.denied.is_empty();
        let calls = !of.calls.is_empty() || of.outage.is_some_and(|(until, _)| now < until);
        !of.alive || of.draining.is_some() || is_new || trouble || registry || calls
    }
}
