//! What each answer of a registry teaches the ledger, but for [refusals](super::refused).

use super::{Ledger, Lookup, Note};
use crate::moment::Moment;
use crate::record::{Action, Change, Key, RecordSet};
use crate::zone::{Meaning, ZoneError};

impl Ledger {
    /// Takes the answer to a batch.
    pub fn on_answer(&mut self, batch: &[Change], answer: &Result<(), ZoneError>, now: Moment) -> Vec<Note> {
        let Err(error) = answer else { return self.on_done(batch) };
        match error.meaning() {
            Meaning::Refused => self.on_refused(batch, error, now),
            Meaning::Unheard => {
                self.on_unknown(batch, now);
                Vec::new()
            }
            // Nothing is wrong with the batch: it waits as it is.
            Meaning::Later | Meaning::Unserved => Vec::new(),
        }
    }

    /// Takes the answer to a [`Lookup`]: the first set at or after it, if it is that. A refusal is about what depends
    /// on it, which waits; any other failure says nothing of the lookup, which stays due.
    pub fn on_lookup(&mut self, lookup: &Lookup, answer: Result<Option<RecordSet>, ZoneError>, now: Moment) {
        match answer {
            Ok(found) => {
                self.lookups.on_answered(lookup);
                self.on_found(lookup, found);
            }
            Err(error) => {
                self.lookups.on_failed();
                if error.meaning() == Meaning::Refused {
                    self.on_lookup_refused(lookup, &error, now);
                }
            }
        }
    }

    fn on_found(&mut self, lookup: &Lookup, found: Option<RecordSet>) {
        match lookup {
            Lookup::Set(key) => {
                self.trust.on_learnt(key);
                match found.filter(|set| set.key() == *key) {
                    Some(set) => self.observed.written(set),
                    None => self.observed.gone(key),
                }
                self.compare(key.clone());
            }
            Lookup::GroupTtl(name, kind) => {
                let group = found.filter(|set| set.key().name == *name && set.kind == *kind);
                self.ttls.on_read(name, *kind, group.map(|set| set.ttl));
            }
        }
    }

    fn on_done(&mut self, batch: &[Change]) -> Vec<Note> {
        self.culprit.taken(batch);
        for change in batch {
            let key = change.set.key();
            self.trust.on_learnt(&key);
            self.observed.end_dispute(&key);
            match change.action {
                Action::Delete => {
                    self.observed.gone(&key);
                    // Its successor was refused, and waits on.
                    if !self.desired.contains_key(&key) {
                        self.parking.release(&key);
                    }
                }
                Action::Create | Action::Upsert => {
                    self.observed.written(change.set.clone());
                    self.parking.release(&key);
                    self.ttls.on_written(&key);
                }
            }
        }
        for key in batch.iter().map(|change| change.set.key()) {
            self.compare(key.clone());
            let first = Key { set_identifier: None, ..key.clone() };
            let same = |(other, _): (&Key, _)| other.name == key.name && other.kind == key.kind;
            if !self.desired.range(&first..).next().is_some_and(same) {
                self.ttls.on_left(&key);
            }
        }
        batch.iter().cloned().map(Note::Done).collect()
    }

    fn on_unknown(&mut self, batch: &[Change], now: Moment) {
        for change in batch {
            let key = change.set.key();
            self.trust.on_learnt(&key);
            self.trust.on_unheard(&key.name, now);
            // In a swap the DELETE comes first: what may stand there is what the CREATE wrote.
            self.observed.unsure(change.set.clone());
            self.compare(key);
        }
    }
}
