//! Makes a zone what is wanted of it, one call at a time.
//!
//! Sans-IO: says which call comes next and when, and takes its answer. Brings together the
//! [ledger](super::ledger), which knows what to write, the [pacer](crate::change::pacing), which knows when, the
//! [journal](crate::journal), which remembers, and the reads that find what none of them knows. An actor
//! carries its calls in the daemon, a plain loop where one thing is done and over.
//!
//! | before the first write | it is |
//! |---|---|
//! | the journal holds all | written at once, and nothing is listed |
//! | the journal is lost, or lacks something | written at once; then the zone is listed, and own records that nobody wants are deleted |
//! | the zone is to be read first | written when it was |
//!
//! ## Guarantees
//!
//! - One call at a time, never before the pacer lets it.
//! - An intent is in the journal before its call goes out, and what the answer taught after it.
//! - Only keys that carry exactly our mark are ever changed.
//! - What somebody else changed of our records is found and mended, by name, at every resync.

mod call;
mod calls;
mod confirm;
mod news;
mod reading;
mod scan;
mod snapshot;

use std::collections::BTreeSet;
use std::time::Duration;

pub use self::call::{Answer, Call};
pub use self::calls::{Begun, CALLS_MAX, Calls, Ended};
use self::confirm::Confirmation;
pub use self::news::News;
use self::scan::Scan;
pub use self::snapshot::Snapshot;
use super::ledger::Ledger;
use crate::backoff::Backoff;
use crate::change::batch::{self, Unit};
use crate::change::pacing::{Pace, Pacer};
use crate::journal::SharedJournal;
use crate::record::{Key, RecordSet, RecordType, Registrant};
use crate::zone::{Meaning, ZoneError};

/// The first and the longest wait after a read that was refused.
const READ_REFUSED: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// What a writer is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose records it writes.
    pub registrant: Registrant,
    /// How fast the zone may be called.
    pub pace: Pace,
    /// How often the own names are read and mended.
    pub resync: Duration,
    /// What was written before; `None` where the zone itself is as near.
    pub journal: Option<SharedJournal>,
    /// Whether nothing is written before the zone was read.
    pub read_first: bool,
    /// How long the read that finds what no journal holds may wait; a drain does not wait for it.
    pub read_after: Duration,
    /// Whether nothing is really written: the log says so.
    pub dry_run: bool,
    /// What all jitter is drawn from.
    pub seed: u64,
}

/// What a writer does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this call, and bring its answer.
    Call(Call),
    /// Ask again then, unless something else happens.
    At(Duration),
    /// Nothing, until something happens.
    Nothing,
}

/// A read whose findings wait until all wants were told again.
type Found = (Vec<RecordSet>, Box<dyn Fn(&Key) -> bool + Send>);

/// The writer of one host's records.
pub struct Writer {
    settings: Settings,
    ledger: Ledger,
    pacer: Pacer,
    rng: fastrand::Rng,
    hosts: Option<u32>,
    /// Whether enough is known to write.
    ready: bool,
    /// Whether all is known that the zone can hold of ours.
    whole: bool,
    /// Whether all that is wanted has been told.
    told: bool,
    /// The keys of the call that is under way.
    in_flight: Option<BTreeSet<Key>>,
    draining: bool,
    removing: bool,
    confirmation: Confirmation,
    scan: Option<Scan>,
    found: Option<Found>,
    resync_at: Option<Duration>,
    read_refused: Backoff,
    read_not_before: Duration,
    contested: bool,
    contest_at: Option<Duration>,
    lookup_failed: bool,
    failing: Option<&'static str>,
}

impl Writer {
    /// A writer that knows what its journal does, and makes no call before then.
    pub fn starting_at(settings: Settings, then: Duration) -> Self {
        let mut writer = Self::new(settings);
        if !then.is_zero() {
            writer.pacer.hold_until(then);
        }
        writer
    }

    /// A writer that knows what its journal does.
    pub fn new(settings: Settings) -> Self {
        let (entries, whole) = settings.journal.as_ref().map(SharedJournal::load).unwrap_or_default();
        let (first, longest) = READ_REFUSED;
        let mut writer = Self {
            ledger: Ledger::restore(entries),
            pacer: Pacer::new(settings.pace),
            rng: fastrand::Rng::with_seed(settings.seed),
            hosts: None,
            ready: !settings.read_first,
            whole: whole && !settings.read_first,
            told: false,
            in_flight: None,
            draining: false,
            removing: false,
            confirmation: Confirmation::default(),
            scan: None,
            found: None,
            resync_at: None,
            read_refused: Backoff::new(Duration::from_secs(1), first, longest),
            read_not_before: settings.read_after,
            contested: false,
            contest_at: None,
            lookup_failed: false,
            failing: None,
            settings,
        };
        writer.keep_host();
        writer
    }

    /// What the zone holds of ours, as far as is known; `None` where it has to be read first.
    pub fn known(&self) -> Option<Vec<RecordSet>> {
        self.ready.then(|| self.ledger.known().cloned().collect())
    }

    /// How many hosts share the account's rate, where that is known.
    pub fn set_hosts(&mut self, hosts: Option<u32>) {
        self.hosts = hosts;
        self.pacer.set_hosts(hosts);
    }

    /// Replaces one set of wants by another; the host's address goes in with the first service.
    pub fn want(&mut self, old: &[RecordSet], new: &[RecordSet]) {
        if self.draining {
            return;
        }
        let kept: BTreeSet<Key> = new.iter().map(RecordSet::key).collect();
        for key in old.iter().map(RecordSet::key).filter(|key| !kept.contains(key)) {
            self.ledger.want(key, None);
        }
        for set in new {
            self.ledger.want(set.key(), Some(set.clone()));
        }
        if !new.is_empty() {
            let host = self.settings.registrant.host_record();
            self.ledger.want(host.key(), Some(host));
        }
    }

    /// With the last [`Writer::want`], everything has been told.
    pub fn told_all(&mut self) {
        self.told = true;
    }

    /// Whether everything has been told.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// What waits for the answer to [`News::Found`], for whoever lost it.
    pub fn found(&self) -> Option<Vec<RecordSet>> {
        self.found.as_ref().map(|(own, _)| self.ledger.untouched(own))
    }

    /// All is wanted that is to be wanted of what was [found](News::Found): the rest is deleted.
    pub fn judged_found(&mut self) -> Vec<News> {
        let found = self.found.take();
        found.map(|(found, covers)| self.take_in(&found, covers, true)).into_iter().flatten().collect()
    }

    /// Nothing is wanted any more, and there is time until `deadline`. The host's address stays: answers
    /// that lead to it may still be held.
    pub fn drain(&mut self, now: Duration, deadline: Duration) {
        let unwanted: Vec<Key> =
            self.ledger.wanted_keys().filter(|key| !self.is_host(key)).cloned().collect();
        for key in unwanted {
            self.ledger.want(key, None);
        }
        // An address that was never written need not be written now.
        let host = self.settings.registrant.host_record().key();
        if self.in_flight.is_none() && !self.ledger.holds(&host) {
            self.ledger.want(host, None);
        }
        self.told_all();
        self.draining = true;
        self.read_not_before = Duration::ZERO;
        self.judged_found();
        if self.whole {
            self.scan = None;
            self.ledger.abandon_scan();
        }
        self.ledger.drain();
        self.pacer.drain(now, deadline);
    }

    /// The same, and the host's address is not wanted either.
    pub fn remove(&mut self, now: Duration, deadline: Duration) {
        self.removing = true;
        self.drain(now, deadline);
        self.ledger.want(self.settings.registrant.host_record().key(), None);
    }

    /// What is withdrawn is over only when every name server answers so.
    pub fn confirm(&mut self, now: Duration) {
        self.confirmation.begin(now);
    }

    /// Whether every name server answers with what was written, where that is to be
    /// [confirmed](Writer::confirm): `None` while it is asked, `false` where it cannot be told.
    pub fn confirmed(&self) -> Option<bool> {
        self.confirmation.verdict()
    }

    /// Whether a drain has nothing left to do: what is left was refused, and cannot be waited for.
    pub fn drained(&self, now: Duration) -> bool {
        if self.settled() { self.confirmed().is_some() } else { self.finished(now) }
    }

    /// Whether all that was told is written, but for what was refused; more may still be read.
    pub fn idle(&self, now: Duration) -> bool {
        self.told && self.in_flight.is_none() && self.ledger.stuck(now)
    }

    /// Whether the zone is as wanted, and all is known of it.
    pub fn settled(&self) -> bool {
        self.told && self.whole && self.in_flight.is_none() && self.ledger.settled()
    }

    /// Whether all is done that can be done now: what is left was refused.
    pub fn finished(&self, now: Duration) -> bool {
        let reading = self.scan.is_some() || self.found.is_some();
        self.idle(now) && self.whole && !reading
    }

    /// Whether all is known that the zone can hold of ours.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The keys that are not as wanted, or may not be, for a call is under way.
    pub fn unsettled(&self) -> BTreeSet<Key> {
        self.ledger.unsettled().chain(self.in_flight.iter().flatten()).cloned().collect()
    }

    /// What to do next. A call that is handed out is under way until its answer comes.
    pub fn next(&mut self, now: Duration) -> Next {
        if self.in_flight.is_some() {
            return Next::Nothing;
        }
        if !self.ready {
            return self.read(now);
        }
        if !self.told {
            return Next::Nothing;
        }
        self.pacer.set_backlog(now, self.ledger.backlog(now));
        let units = self.ledger.batch(now);
        // One that failed does not hold up what can be written without it.
        let lookup = self.ledger.lookup(now).filter(|_| units.is_empty() || !self.lookup_failed);
        if let Some(lookup) = lookup.cloned() {
            return self.send(now, Call::LookUp(lookup), 0, true);
        }
        let mut next = Next::Nothing;
        if !units.is_empty() {
            let urgent = self.draining || units.iter().any(Unit::urgent);
            let changes: Vec<_> = units.into_iter().flat_map(|unit| unit.changes).collect();
            let cost = changes.iter().map(batch::cost).sum();
            next = self.send(now, Call::Change(changes), cost, urgent);
        }
        if self.in_flight.is_some() {
            return next;
        }
        let next = sooner(next, self.read(now));
        if self.in_flight.is_some() {
            return next;
        }
        let next = sooner(next, self.ledger.due_at(now).map_or(Next::Nothing, Next::At));
        sooner(next, self.ask_after(now))
    }

    /// Takes the answer to the call that was under way.
    pub fn on_answer(&mut self, call: Call, answer: Answer, now: Duration) -> Vec<News> {
        self.in_flight = None;
        match (call, answer) {
            (Call::Change(batch), Answer::Changed(answer)) => {
                self.confirmation.on_changed(&batch, &answer, now);
                let answer = answer.map(drop);
                self.pacer.on_answer(now, answer.as_ref().copied(), self.rng.f64());
                let mut news = self.on_reached(answer.as_ref().copied());
                news.extend(self.ledger.on_answer(&batch, &answer, now).into_iter().map(News::Note));
                self.record(batch.iter().map(|change| change.set.key()).collect());
                news
            }
            (Call::LookUp(lookup), Answer::Listed(answer)) => {
                let news = self.on_listed(now, &answer);
                self.lookup_failed = answer.is_err();
                match answer {
                    Ok(page) => {
                        let found = page.sets.into_iter().next().map(RecordSet::canonical);
                        self.ledger.on_lookup(&lookup, found);
                        self.record(lookup.key().into_iter().collect());
                    }
                    Err(error) => self.ledger.on_lookup_refused(&lookup, &error, now),
                }
                news
            }
            (Call::Read(_), Answer::Listed(answer)) => {
                let mut news = self.on_listed(now, &answer);
                news.extend(self.on_page(now, answer));
                news
            }
            (Call::Status(id), Answer::Status(answer)) => {
                self.pacer.on_read(now, answer.as_ref().map(|_| ()), self.rng.f64());
                let refused = self.confirmation.on_status(&id, answer, now);
                refused.map(News::Unconfirmable).into_iter().collect()
            }
            // An answer to another call.
            (_, Answer::Changed(_) | Answer::Listed(_) | Answer::Status(_)) => Vec::new(),
        }
    }

    /// Asks after what was written, once nothing is left to write.
    fn ask_after(&mut self, now: Duration) -> Next {
        match self.confirmation.next() {
            Some((_, at)) if at > now && self.settled() => Next::At(at),
            Some((id, _)) if self.settled() => {
                let call = Call::Status(id.to_owned());
                self.send(now, call, 0, true)
            }
            _ => Next::Nothing,
        }
    }

    /// Sends a call if it may go now.
    fn send(&mut self, now: Duration, call: Call, cost: usize, urgent: bool) -> Next {
        let at = self.pacer.ready_at(now, cost, urgent);
        if at > now {
            return Next::At(at);
        }
        if let (Call::Change(batch), Some(journal)) = (&call, &self.settings.journal) {
            journal.intend(batch);
        }
        self.pacer.on_call(now, cost);
        let keys = match &call {
            Call::Change(batch) => batch.iter().map(|change| change.set.key()).collect(),
            Call::LookUp(_) | Call::Read(_) | Call::Status(_) => BTreeSet::new(),
        };
        self.in_flight = Some(keys);
        Next::Call(call)
    }

    /// The host's address outlives its services at a stop, and follows a change of address.
    fn keep_host(&mut self) {
        let host = self.settings.registrant.host_record();
        if !self.removing && self.ledger.holds(&host.key()) {
            self.ledger.want(host.key(), Some(host));
        }
    }

    fn is_host(&self, key: &Key) -> bool {
        key.kind == RecordType::A && key.name == self.settings.registrant.host_name()
    }

    fn record(&self, keys: BTreeSet<Key>) {
        if let Some(journal) = &self.settings.journal {
            journal.record(&self.ledger.states(keys));
        }
    }

    fn on_reached(&mut self, answer: Result<(), &ZoneError>) -> Vec<News> {
        // A refusal is about what was asked, and told with that. What this host may not do is told by itself.
        let answer = match answer {
            Err(error) if error.meaning() == Meaning::Refused && !matches!(error, ZoneError::Denied(_)) => {
                Ok(())
            }
            answer => answer,
        };
        let kind = answer.err().map(ZoneError::kind);
        if kind == self.failing {
            return Vec::new();
        }
        self.failing = kind;
        vec![answer.err().cloned().map_or(News::Recovered, News::Failing)]
    }
}

fn sooner(a: Next, b: Next) -> Next {
    match (a, b) {
        (call @ Next::Call(_), _) | (_, call @ Next::Call(_)) => call,
        (Next::At(a), Next::At(b)) => Next::At(a.min(b)),
        (Next::Nothing, next) | (next, Next::Nothing) => next,
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("registrant", &self.settings.registrant).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
