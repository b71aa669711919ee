//! What a refusal teaches the ledger: which change is to blame, what it waits for, and what has to be looked up.

use std::collections::BTreeSet;

use super::observed::NotFound;
use super::parking::Refused;
use super::{Ledger, Lookup, Note, Observed, REFUSED_WAIT};
use crate::moment::Moment;
use crate::record::{Action, Change, Key, Owner};
use crate::zone::ZoneError;
use crate::zone::refusal::{Cause, Refusal};

impl Ledger {
    /// A batch was refused.
    pub(super) fn on_refused(&mut self, batch: &[Change], error: &ZoneError, now: Moment) -> Vec<Note> {
        let named: Vec<_> = error
            .refusals()
            .iter()
            .filter_map(|refusal| Some((&batch[refusal.culprit(batch)?], refusal)))
            .collect();
        if named.is_empty() {
            return self.on_blamed(batch, error, now);
        }
        self.culprit.named();
        named.into_iter().filter_map(|(change, refusal)| self.on_named(change, refusal, now)).collect()
    }

    /// A lookup may not be made: what depends on it waits, and nothing else.
    pub(super) fn on_lookup_refused(&mut self, lookup: &Lookup, error: &ZoneError, now: Moment) {
        self.lookups.ask_from(lookup.clone(), now + REFUSED_WAIT);
        if let Lookup::GroupTtl(name, kind) = lookup {
            // What leaves DNS needs no TTL.
            let desired = self.differing.iter().filter(|key| self.desired.contains_key(*key));
            let group = desired.filter(|key| key.name == *name && key.kind == *kind);
            for key in group {
                let reason = format!("its group's TTL cannot be read: {error}");
                self.parking.hold(key.clone(), reason, now);
            }
        }
    }

    /// The group whose TTL was looked up is the address of this host. Whoever shares it gets what clients of that host
    /// send, so what is wanted there for a service waits, and is tried again in case the host has gone.
    pub fn on_address_of_host(&mut self, lookup: &Lookup, host: &Owner, now: Moment) -> Vec<Note> {
        self.lookups.on_answered(lookup);
        let differing = self.differing.iter().filter(|key| Lookup::group_of(key) == *lookup);
        let keys: Vec<Key> =
            differing.filter(|key| key.is_of_service() && self.desired.contains_key(*key)).cloned().collect();
        let mut notes = Vec::new();
        for key in keys {
            let reason = format!("host {host} has its address under this name; give the container another");
            let parked = self.parking.hold(key.clone(), reason, now);
            notes.extend(self.changes(&key).into_iter().map(|change| Note::Parked(change, parked.clone())));
        }
        notes
    }

    /// The group whose TTL was looked up is somebody else's, under the name of this host's own address: its TTL is not
    /// taken over.
    pub fn on_strangers_at_own_name(&mut self, lookup: &Lookup) {
        self.lookups.on_answered(lookup);
    }

    /// This change was refused by name.
    fn on_named(&mut self, change: &Change, refusal: &Refusal, now: Moment) -> Option<Note> {
        let Refusal { cause, text: reason, .. } = refusal;
        let key = change.set.key();
        if matches!(cause, Cause::AlreadyExists | Cause::ValuesDiffer | Cause::NotFound) {
            self.trust.on_learnt(&key);
        }
        let note = match cause {
            Cause::AlreadyExists => {
                self.observed.unread(key.clone());
                None
            }
            Cause::ValuesDiffer if self.observed.dispute(&change.set) => {
                let reason = format!("{reason}; what can be read of it is what was sent");
                Some(self.park(change, Refused::Invalid, &reason, now))
            }
            Cause::ValuesDiffer => {
                self.observed.unread(key.clone());
                self.lookups.ask_from(Lookup::Set(key.clone()), now);
                None
            }
            Cause::NotFound => self.on_not_found(&key, now),
            Cause::TtlDiffers if self.ttls.on_refused(&key) => {
                self.lookups.ask_from(Lookup::group_of(&key), now);
                None
            }
            Cause::TtlDiffers => Some(self.park(change, Refused::Invalid, reason, now)),
            Cause::Other | Cause::ZoneFull | Cause::GroupFull => {
                if self.doubt(change) {
                    self.culprit.suspect([key.clone()]);
                    None
                } else {
                    Some(self.park(change, Refused::Invalid, reason, now))
                }
            }
        };
        self.compare(key);
        note
    }

    fn on_not_found(&mut self, key: &Key, now: Moment) -> Option<Note> {
        match self.observed.not_found(key) {
            NotFound::Gone => Some(Note::AlreadyGone(key.clone())),
            NotFound::NotBelieved => {
                // Wanted again meanwhile: an UPSERT is right whatever comes late. In a drain there is no later.
                if !self.is_last && !self.desired.contains_key(key) {
                    self.parking.await_late(key.clone(), now);
                }
                None
            }
        }
    }

    /// Something in the batch is to blame, and the answer does not say what.
    fn on_blamed(&mut self, batch: &[Change], error: &ZoneError, now: Moment) -> Vec<Note> {
        let keys: Vec<Key> = batch.iter().map(|change| change.set.key()).collect();
        if !self.culprit.refused(&self.units(batch.to_vec())) {
            return Vec::new();
        }
        let why = Refused::by(error);
        if why == Refused::Invalid && batch.iter().filter(|change| self.doubt(change)).count() > 0 {
            self.culprit.suspect(keys);
            return Vec::new();
        }
        // What leaves DNS does not wait for its successor: it is tried alone before it is to blame.
        let to_come: BTreeSet<Key> = to_come(batch).into_iter().map(|change| change.set.key()).collect();
        let to_blame = |change: &&Change| to_come.contains(&change.set.key());
        let text = error.to_string();
        let mut notes: Vec<_> =
            batch.iter().filter(to_blame).map(|change| self.park(change, why, &text, now)).collect();
        // What is left to do of them is likely to be refused too: it is tried alone, after the others.
        let left: Vec<_> =
            keys.iter().filter(|key| !self.due_changes(key, now).is_empty()).cloned().collect();
        self.culprit.suspect(left);
        notes.extend(self.park_like(batch, why, error, now));
        keys.into_iter().for_each(|key| self.compare(key));
        notes
    }

    /// What is denied to one is denied to all of its name, type and action, and where there is no room for one, there is
    /// none for its like: to find that out for each would hold up the others. They wait as long, and are tried again
    /// together. What takes the place of another needs no room.
    fn park_like(&mut self, convict: &[Change], why: Refused, error: &ZoneError, now: Moment) -> Vec<Note> {
        let convicts = to_come(convict);
        let Some(parked) = convicts.first().and_then(|change| self.parking.get(&change.set.key())).cloned()
        else {
            return Vec::new();
        };
        let full = |cause| error.refusals().iter().find(move |refusal| refusal.cause == cause);
        let full = full(Cause::ZoneFull).or_else(|| full(Cause::GroupFull));
        let is_like = |change: &Change| match (why, full) {
            (Refused::Denied, _) => convicts.iter().all(|convict| is_under_one_rule(convict, change)),
            (Refused::Invalid, Some(full)) => {
                change.action == Action::Create && full.leaves_no_room_for(&change.set.key())
            }
            (Refused::Invalid, None) => false,
        };
        let due = self.differing.iter().flat_map(|key| self.due_changes(key, now)).collect();
        let units = self.units(due).into_iter().filter(|unit| why == Refused::Denied || !unit.urgent());
        let mut notes = Vec::new();
        for unit in units {
            let like = to_come(&unit.changes);
            // Of a unit all waits, or nothing: one by itself would take a port that another has not left.
            if like.iter().all(|change| is_like(change)) {
                for change in like {
                    self.parking.join(change.set.key(), &parked);
                    notes.push(Note::Parked(change.clone(), parked.clone()));
                }
            }
        }
        notes
    }

    /// A delete of what may never have been written can be refused for what it says: then the zone is
    /// asked what stands there. Where it stands as it was thought to, the delete is likely to be refused again, so
    /// the caller suspects it.
    fn doubt(&mut self, change: &Change) -> bool {
        let key = change.set.key();
        let doubtful = change.action == Action::Delete
            && matches!(self.observed.get(&key), Some(Observed::Unsure { .. }));
        if doubtful {
            self.observed.unread(key.clone());
            self.lookups.ask(Lookup::Set(key));
        }
        doubtful
    }

    fn park(&mut self, change: &Change, why: Refused, reason: &str, now: Moment) -> Note {
        Note::Parked(change.clone(), self.parking.refuse(change, why, reason, now))
    }
}

/// Of changes that go together, those that are to blame first: what is to stand, or where nothing is, what is to go.
fn to_come(changes: &[Change]) -> Vec<&Change> {
    let come: Vec<_> = changes.iter().filter(|change| change.action != Action::Delete).collect();
    if come.is_empty() { changes.iter().collect() } else { come }
}

/// Whether a policy that denies one denies the other: it tells changes apart by these alone.
/// Source: IAM, condition keys of `route53:ChangeResourceRecordSets`.
fn is_under_one_rule(one: &Change, other: &Change) -> bool {
    let rule = |change: &Change| (change.action, change.set.key().name, change.set.kind);
    rule(one) == rule(other)
}
