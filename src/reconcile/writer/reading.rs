//! The reads of a writer: when one is due, what its pages hold, and what that means.
//!
//! The whole zone is read where not everything is known that it can hold of ours, and the own names at every
//! resync. [`super::scan`] goes from page to page.

use std::collections::BTreeSet;
use std::time::Duration;

use super::scan::Scan;
use super::{Call, News, Next, Settings, Writer};
use crate::record::{Key, RecordSet};
use crate::zone::{Meaning, Page, ZoneError};

/// How much a resync period varies, either way.
const RESYNC_JITTER: f64 = 0.2;
/// The share of a fleet's requests that its resyncs may take.
const RESYNC_SHARE: f64 = 0.05;
/// The longest period that the size of a fleet makes of it.
const FLEET_PERIOD_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How often it is looked whether this host's name is its own again.
const CONTEST_PERIOD: Duration = Duration::from_secs(60);

impl Writer {
    /// Reads on, or begins a read that is due.
    pub(super) fn read(&mut self, now: Duration) -> Next {
        if self.scan.is_none() && self.found.is_none() {
            self.scan = self.due_scan(now);
            if self.scan.is_some() {
                self.ledger.begin_scan(now);
            }
        }
        let Some(scan) = &self.scan else {
            let contest = self.contest_at.filter(|_| self.contested);
            let next = contest.into_iter().chain(self.resync_at).min();
            return next.filter(|_| self.whole && !self.draining).map_or(Next::Nothing, Next::At);
        };
        if self.read_not_before > now {
            return Next::At(self.read_not_before);
        }
        let call = Call::Read(scan.start().cloned());
        self.send(now, call, 0, true)
    }

    fn due_scan(&mut self, now: Duration) -> Option<Scan> {
        if !self.whole {
            return Some(Scan::whole());
        }
        if self.draining {
            return None;
        }
        if self.contested && self.contest_at.is_none_or(|at| at <= now) {
            self.contest_at = Some(now + CONTEST_PERIOD.mul_f64(1.0 - RESYNC_JITTER * self.rng.f64()));
            return Scan::of([self.settings.registrant.host_name()].into());
        }
        let mut names = BTreeSet::new();
        if let Some(at) = self.resync_at {
            if at > now {
                return None;
            }
            names = self.ledger.names();
            if !names.is_empty() {
                names.insert(self.settings.registrant.host_name());
            }
        }
        self.resync_at = Some(now + period(&self.settings, self.hosts, names.len().max(1), self.rng.f64()));
        Scan::of(names)
    }

    pub(super) fn on_listed(&mut self, now: Duration, answer: &Result<Page, ZoneError>) -> Vec<News> {
        let answer = answer.as_ref().map(|_| ());
        self.pacer.on_read(now, answer, self.rng.f64());
        self.on_reached(answer)
    }

    pub(super) fn on_page(&mut self, now: Duration, answer: Result<Page, ZoneError>) -> Vec<News> {
        let Some(mut scan) = self.scan.take() else { return Vec::new() };
        let registrant = &self.settings.registrant;
        match answer {
            Ok(page) => {
                self.read_refused.reset();
                if !scan.on_page(page, |set| registrant.owns(set) || registrant.is_contested_by(set)) {
                    self.scan = Some(scan);
                    return Vec::new();
                }
                self.on_scanned(scan)
            }
            // It may not be made: it waits, and writing goes on.
            Err(error) if error.meaning() == Meaning::Refused => {
                self.read_not_before = now + self.read_refused.next(self.rng.f64());
                self.scan = Some(scan);
                Vec::new()
            }
            Err(_) => {
                self.scan = Some(scan);
                Vec::new()
            }
        }
    }

    fn on_scanned(&mut self, scan: Scan) -> Vec<News> {
        let whole = scan.is_whole();
        let (sets, covers) = scan.end();
        let (own, foreign): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| self.settings.registrant.owns(set));
        let mut news = Vec::from_iter(self.on_contested(foreign.into_iter().next()));
        if whole && self.ready && !self.draining {
            let found = self.ledger.untouched(&own);
            self.found = Some((own, Box::new(covers)));
            news.push(News::Found(found));
            return news;
        }
        let mended = self.take_in(&own, covers, whole);
        if self.ready {
            news.extend(mended);
        } else {
            self.ready = true;
            news.push(News::Known(own));
        }
        news
    }

    fn on_contested(&mut self, foreign: Option<RecordSet>) -> Option<News> {
        let was = std::mem::replace(&mut self.contested, foreign.is_some());
        self.ledger.contest(foreign.as_ref().map(|_| self.settings.registrant.host_name()));
        match (was, foreign) {
            (false, Some(set)) => Some(News::Contested(set)),
            (true, None) => Some(News::Uncontested),
            _ => None,
        }
    }

    /// What a read found is what there is.
    pub(super) fn take_in(
        &mut self,
        own: &[RecordSet],
        covers: impl Fn(&Key) -> bool,
        whole: bool,
    ) -> Vec<News> {
        let changed = self.ledger.end_scan(own, covers);
        if whole {
            self.whole = true;
            self.keep_host();
        }
        let mended: BTreeSet<Key> =
            self.ledger.unsettled().filter(|key| changed.contains(*key)).cloned().collect();
        self.record(changed);
        if let (true, Some(journal)) = (whole, &self.settings.journal) {
            journal.complete();
        }
        if mended.is_empty() { Vec::new() } else { vec![News::Mended(mended)] }
    }
}

/// How long until the next resync of so many names: longer where a fleet would otherwise spend too much of
/// its rate on them.
pub(super) fn period(settings: &Settings, hosts: Option<u32>, names: usize, random: f64) -> Duration {
    let rate = settings.pace.requests.per_second;
    let fleet = f64::from(hosts.unwrap_or(1)) * names as f64 / (RESYNC_SHARE * rate);
    // A hint may be wrong.
    let period = settings.resync.as_secs_f64().max(fleet.min(FLEET_PERIOD_MAX.as_secs_f64()));
    Duration::from_secs_f64(period * (1.0 + RESYNC_JITTER * (2.0 * random - 1.0)))
}
