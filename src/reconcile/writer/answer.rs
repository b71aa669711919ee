//! What each answer teaches a writer, and who is to hear of it.
//!
//! Brings each to the parts that it concerns: the pacer, the ledger, the reads, the confirmation, the journal.

use std::collections::BTreeSet;

use super::following::early;
use super::scan::Scan;
use super::{Answer, Call, Knowledge, News, Writer};
use crate::moment::Moment;
use crate::reconcile::ledger::{Extent, Lookup};
use crate::record::{Change, Key, RecordSet, Routing};
use crate::zone::{ChangeInfo, Page, ZoneError};

impl Writer {
    /// Takes the answer to a call.
    pub(super) fn learn(&mut self, call: Call, answer: Answer, now: Moment) -> Vec<News> {
        match (call, answer) {
            (Call::Change(batch), Answer::Changed(answer)) => self.on_changed(&batch, answer, now),
            (Call::LookUp(lookup), Answer::Listed(answer)) => {
                let mut news = Vec::from_iter(self.on_listed(now, &answer));
                news.extend(self.on_looked_up(&lookup, answer, now));
                news
            }
            (Call::Read(_), Answer::Listed(answer)) => {
                let answer = self.reads.checked(answer, now, || self.rng.f64());
                let mut news = Vec::from_iter(self.on_listed(now, &answer));
                news.extend(self.on_page(now, answer));
                news
            }
            (Call::Status(id), Answer::Status(answer)) => {
                self.pacer.on_read(now, answer.as_ref().map(|_| ()), self.rng.f64());
                if !self.wants.are_withdrawn() {
                    return self.on_followed(&id, &answer, now);
                }
                let refused = self.confirmation.on_status(&id, answer, now);
                refused.map(News::Unconfirmable).into_iter().collect()
            }
            // An answer to another call.
            (_, Answer::Changed(_) | Answer::Listed(_) | Answer::Status(_)) => Vec::new(),
        }
    }

    fn on_changed(
        &mut self,
        batch: &[Change],
        answer: Result<ChangeInfo, ZoneError>,
        now: Moment,
    ) -> Vec<News> {
        self.confirmation.on_changed(batch, &answer, now);
        let ended = self.propagation.on_changed(batch, &answer, now);
        let answer = answer.map(drop);
        self.pacer.on_answer(now, answer.as_ref().copied(), self.rng.f64());
        let mut news = Vec::from_iter(self.reach.on_answer(answer.as_ref().copied()));
        news.extend(self.ledger.on_answer(batch, &answer, now).into_iter().map(News::Note));
        self.record(batch.iter().map(|change| change.set.key()).collect());
        self.forget_unsent();
        news.extend(early(ended));
        news
    }

    fn on_looked_up(&mut self, lookup: &Lookup, answer: Result<Page, ZoneError>, now: Moment) -> Vec<News> {
        let found = answer.map(|page| page.sets.into_iter().next().map(RecordSet::canonical));
        let first = found.as_ref().ok().and_then(Option::as_ref).filter(|set| lookup.is_group_of(set));
        let registrant = &self.settings.registrant;
        if let Some(foreign) = first.filter(|set| registrant.is_contested_by(set)).cloned() {
            // To take over the TTL would be to share the name.
            self.ledger.on_strangers_at_own_name(lookup);
            return self.on_contested(Some(foreign)).into_iter().collect();
        }
        if let Some(host) = first.and_then(|set| registrant.other_host_at(set)) {
            let notes = self.ledger.on_address_of_host(lookup, &host, now);
            return notes.into_iter().map(News::Note).collect();
        }
        let is_known = found.is_ok();
        self.ledger.on_lookup(lookup, found, now);
        if is_known {
            self.record(lookup.key().into_iter().collect());
        }
        Vec::new()
    }

    fn on_listed(&mut self, now: Moment, answer: &Result<Page, ZoneError>) -> Option<News> {
        let answer = answer.as_ref().map(|_| ());
        self.pacer.on_read(now, answer, self.rng.f64());
        self.reach.on_answer(answer)
    }

    fn on_page(&mut self, now: Moment, answer: Result<Page, ZoneError>) -> Vec<News> {
        let registrant = &self.settings.registrant;
        let is_full = |set: &RecordSet| set.routing == Routing::Multivalue;
        let keep = |set: &RecordSet| registrant.owns(set) || registrant.is_contested_by(set) || is_full(set);
        let scan = self.reads.on_page(answer, keep, now, || self.rng.f64());
        scan.map(|scan| self.on_scanned(scan)).unwrap_or_default()
    }

    fn on_scanned(&mut self, scan: Scan) -> Vec<News> {
        let (sets, extent) = scan.end();
        let (own, others): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| self.settings.registrant.owns(set));
        let crowded = self.crowded.on_read(&own, &others);
        let foreign = others.into_iter().find(|set| self.settings.registrant.is_contested_by(set));
        let mut news = Vec::from_iter(self.on_contested(foreign));
        news.extend(crowded.into_iter().map(|(name, copies)| News::Crowded { name, copies }));
        if self.reads.asks_for_judgement() {
            news.push(News::Found(self.ledger.untouched(&own)));
            self.reads.on_found(own);
        } else if self.reads.knowledge() == Knowledge::TooLittle {
            self.take_in(&own, &extent);
            news.push(News::Known(own));
        } else {
            news.extend(self.take_in(&own, &extent));
        }
        news
    }

    fn on_contested(&mut self, foreign: Option<RecordSet>) -> Option<News> {
        self.ledger.contest(foreign.as_ref().map(|_| self.settings.registrant.host_name()));
        let is_news = self.reads.on_contested(foreign.is_some());
        is_news.then(|| foreign.map_or(News::Uncontested, News::Contested))
    }

    /// What a read found is what there is.
    pub(super) fn take_in(&mut self, own: &[RecordSet], extent: &Extent) -> Option<News> {
        let changed = self.ledger.end_scan(own, extent);
        if *extent == Extent::Zone {
            self.reads.on_whole();
            self.wants.keep_host(&mut self.ledger);
        }
        let mended: BTreeSet<Key> =
            self.ledger.unsettled().filter(|key| changed.contains(*key)).cloned().collect();
        self.record(changed);
        if let (Extent::Zone, Some(journal)) = (extent, &self.settings.journal) {
            journal.complete();
        }
        (!mended.is_empty()).then_some(News::Mended(mended))
    }

    fn record(&self, keys: BTreeSet<Key>) {
        if let Some(journal) = &self.settings.journal {
            // A kill may come between two writes: what is in doubt no more is forgotten once it is known what is there.
            let doubts = self.ledger.doubts();
            journal.record_doubts(&(&journal.doubts() | &doubts));
            journal.record(&self.ledger.states(keys));
            journal.record_doubts(&doubts);
        }
    }
}
