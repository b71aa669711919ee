//! What each answer of a registry teaches the ledger.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::{DENIED_WAIT, DENIED_WAIT_MAX, Known, LATE_WAIT, Ledger, Lookup, Note, Parked, REFUSED_WAIT};
use crate::record::{Action, Change, Key, RecordSet};
use crate::zone::refusal::{Cause, Refusal};
use crate::zone::{Meaning, ZoneError};

/// How much sooner than its wait a refused change may be tried again: what one policy denies a whole fleet
/// does not come back all at once.
const PARKED_JITTER: f64 = 0.2;

impl Ledger {
    /// Takes the answer to a batch.
    pub fn on_answer(
        &mut self,
        batch: &[Change],
        answer: &Result<(), ZoneError>,
        now: Duration,
    ) -> Vec<Note> {
        let Err(error) = answer else { return self.on_done(batch) };
        match error.meaning() {
            Meaning::Refused => self.on_rejected(batch, error, now),
            Meaning::Unheard => {
                self.on_unknown(batch, now);
                Vec::new()
            }
            // Nothing is wrong with the batch: it waits as it is.
            Meaning::Later | Meaning::Unserved => Vec::new(),
        }
    }

    /// Takes the answer to a [`Lookup`]: the first set at or after it, if it is that. A refusal is about what depends on
    /// it, which waits; any other failure says nothing of the lookup, which stays due.
    pub fn on_lookup(
        &mut self,
        lookup: &Lookup,
        answer: Result<Option<RecordSet>, ZoneError>,
        now: Duration,
    ) {
        self.lookup_failed = answer.is_err();
        match (lookup, answer) {
            (Lookup::Set(key), Ok(found)) => {
                self.lookups.remove(lookup);
                self.touch(key);
                match found.filter(|set| set.key() == *key) {
                    Some(set) => self.known.insert(key.clone(), Known::Written(set)),
                    None => self.known.remove(key),
                };
                self.compare(key.clone());
            }
            (Lookup::GroupTtl(name, kind), Ok(found)) => {
                self.lookups.remove(lookup);
                let group = (name.clone(), *kind);
                match found.filter(|set| set.key().name == *name && set.kind == *kind) {
                    Some(set) => self.group_ttls.insert(group, set.ttl),
                    None => self.group_ttls.remove(&group),
                };
            }
            (lookup, Err(error)) if error.meaning() == Meaning::Refused => {
                self.on_lookup_refused(lookup, &error, now);
            }
            (_, Err(_)) => {}
        }
    }

    fn on_lookup_refused(&mut self, lookup: &Lookup, error: &ZoneError, now: Duration) {
        self.lookups.insert(lookup.clone(), now + REFUSED_WAIT);
        if let Lookup::GroupTtl(name, kind) = lookup {
            // What leaves DNS needs no TTL.
            let wanted = self.differing.iter().filter(|key| self.wanted.contains_key(*key));
            let group = wanted.filter(|key| key.name == *name && key.kind == *kind);
            for key in group.cloned().collect::<Vec<_>>() {
                let reason = format!("its group's TTL cannot be read: {error}");
                self.parked.insert(key, Parked { until: now + REFUSED_WAIT, reason, tries: 0, whole: false });
            }
        }
    }

    fn on_done(&mut self, batch: &[Change]) -> Vec<Note> {
        self.culprit.taken(batch);
        for change in batch {
            let key = change.set.key();
            self.touch(&key);
            self.disputed.remove(&key);
            match change.action {
                Action::Delete => {
                    self.known.remove(&key);
                    // Its successor was refused, and waits on.
                    if !self.wanted.contains_key(&key) {
                        self.parked.remove(&key);
                    }
                }
                Action::Create | Action::Upsert => {
                    self.known.insert(key.clone(), Known::Written(change.set.clone()));
                    self.parked.remove(&key);
                    self.rechecked.remove(&(key.name.clone(), key.kind));
                }
            }
        }
        for change in batch {
            self.compare(change.set.key());
            self.forget_group(change);
        }
        batch.iter().cloned().map(Note::Done).collect()
    }

    /// A group that we leave may get another TTL from whoever is first next.
    fn forget_group(&mut self, change: &Change) {
        let same = |key: &Key| key.name == change.set.name && key.kind == change.set.kind;
        if !self.wanted.keys().any(same) {
            self.group_ttls.remove(&(change.set.name.clone(), change.set.kind));
        }
    }

    fn on_unknown(&mut self, batch: &[Change], now: Duration) {
        for change in batch {
            let unsure = Known::Unsure { set: change.set.clone(), absent: false };
            let key = change.set.key();
            self.touch(&key);
            self.doubted.insert(key.name.clone(), now);
            // In a swap the DELETE comes first: what may stand there is what the CREATE wrote.
            self.known.insert(key.clone(), unsure);
            self.compare(key);
        }
    }

    fn on_rejected(&mut self, batch: &[Change], error: &ZoneError, now: Duration) -> Vec<Note> {
        let named: Vec<_> = error
            .refusals()
            .iter()
            .filter_map(|refusal| Some((&batch[refusal.culprit(batch)?], refusal)))
            .collect();
        if named.is_empty() {
            return self.on_blamed(batch, error, now);
        }
        self.culprit.named();
        named.into_iter().filter_map(|(change, refusal)| self.on_refused(change, refusal, now)).collect()
    }

    fn on_refused(&mut self, change: &Change, refusal: &Refusal, now: Duration) -> Option<Note> {
        let Refusal { cause, text: reason, .. } = refusal;
        let key = change.set.key();
        if matches!(cause, Cause::AlreadyExists | Cause::ValuesDiffer | Cause::NotFound) {
            self.touch(&key);
        }
        let note = match cause {
            Cause::AlreadyExists => {
                self.known.insert(key.clone(), Known::Unread);
                None
            }
            Cause::ValuesDiffer
                if self.disputed.insert(key.clone(), change.set.clone()).as_ref() == Some(&change.set) =>
            {
                self.disputed.remove(&key);
                let reason = format!("{reason}; what can be read of it is what was sent");
                Some(self.park(change, &reason, REFUSED_WAIT, now))
            }
            Cause::ValuesDiffer => {
                self.known.insert(key.clone(), Known::Unread);
                self.lookups.insert(Lookup::Set(key.clone()), now);
                None
            }
            Cause::NotFound => self.on_not_found(&key, now),
            // Or the group has begun anew since its TTL was read: that is looked up once more.
            Cause::TtlDiffers if self.may_look_up_ttl(&key) => {
                self.lookups.insert(Lookup::GroupTtl(key.name.clone(), key.kind), now);
                None
            }
            Cause::TtlDiffers => Some(self.park(change, reason, REFUSED_WAIT, now)),
            Cause::Other | Cause::ZoneFull | Cause::GroupFull => {
                if self.doubt(change) {
                    self.culprit.suspect([key.clone()]);
                    None
                } else {
                    Some(self.park(change, reason, REFUSED_WAIT, now))
                }
            }
        };
        self.compare(key);
        note
    }

    fn on_not_found(&mut self, key: &Key, now: Duration) -> Option<Note> {
        if let Some(Known::Unsure { absent: absent @ false, .. }) = self.known.get_mut(key) {
            *absent = true;
            // Wanted again meanwhile: an UPSERT is right whatever comes late. In a drain there is no later.
            if !self.draining && !self.wanted.contains_key(key) {
                let reason = "an earlier call of unknown outcome may still be applied".to_owned();
                let parked = Parked { until: now + LATE_WAIT, reason, tries: 0, whole: true };
                self.parked.insert(key.clone(), parked);
            }
            return None;
        }
        self.known.remove(key);
        Some(Note::AlreadyGone(key.clone()))
    }

    /// Something in the batch is to blame, and the answer does not say what.
    fn on_blamed(&mut self, batch: &[Change], error: &ZoneError, now: Duration) -> Vec<Note> {
        let keys: Vec<Key> = batch.iter().map(|change| change.set.key()).collect();
        if !self.culprit.refused(batch) {
            return Vec::new();
        }
        let refused = !matches!(error, ZoneError::Denied(_));
        let first = if refused { REFUSED_WAIT } else { DENIED_WAIT };
        if refused && batch.iter().filter(|change| self.doubt(change)).count() > 0 {
            self.culprit.suspect(keys);
            return Vec::new();
        }
        // What leaves DNS does not wait for its successor: it is tried alone before it is to blame.
        let created: BTreeSet<Key> = batch
            .iter()
            .filter(|change| change.action != Action::Delete)
            .map(|change| change.set.key())
            .collect();
        let to_blame = |change: &&Change| created.is_empty() || created.contains(&change.set.key());
        let text = error.to_string();
        let mut notes: Vec<_> =
            batch.iter().filter(to_blame).map(|change| self.park(change, &text, first, now)).collect();
        // What is left to do of them is likely to be refused too: it is tried alone, after the others.
        let left: Vec<_> =
            keys.iter().filter(|key| !self.due_changes(key, now).is_empty()).cloned().collect();
        self.culprit.suspect(left);
        let convicted = created.first().and_then(|key| self.parked.get(key)).cloned();
        let full = |cause| error.refusals().iter().find(move |refusal| refusal.cause == cause);
        let full = full(Cause::ZoneFull).or_else(|| full(Cause::GroupFull));
        if let Some((full, parked)) = full.zip(convicted) {
            notes.extend(self.park_like(full, &parked, now));
        }
        keys.into_iter().for_each(|key| self.compare(key));
        notes
    }

    /// Where there is no room for one, there is none for its like: to find that out for each would hold up
    /// the others. They wait as long, and are tried again together. What takes the place of another needs
    /// no room.
    fn park_like(&mut self, full: &Refusal, parked: &Parked, now: Duration) -> Vec<Note> {
        let due = self.differing.iter().flat_map(|key| self.due_changes(key, now)).collect();
        let new = crate::change::batch::units(due).into_iter().filter(|unit| !unit.urgent());
        let like = new.flat_map(|unit| unit.changes);
        let like = like
            .filter(|change| change.action == Action::Create && full.leaves_no_room_for(&change.set.key()));
        let mut notes = Vec::new();
        for change in like {
            self.parked.insert(change.set.key(), parked.clone());
            notes.push(Note::Parked(change, parked.clone()));
        }
        notes
    }

    /// A delete of what may never have been written can be refused for what it says: then the zone is
    /// asked what stands there. Where it stands as it was thought to, the delete is likely to be refused again, so
    /// the caller suspects it.
    fn doubt(&mut self, change: &Change) -> bool {
        let key = change.set.key();
        let doubtful =
            change.action == Action::Delete && matches!(self.known.get(&key), Some(Known::Unsure { .. }));
        if doubtful {
            self.known.insert(key.clone(), Known::Unread);
            self.lookups.entry(Lookup::Set(key)).or_default();
        }
        doubtful
    }

    /// Whether the TTL of this key's group is not known, or was not looked up since it did not do.
    fn may_look_up_ttl(&mut self, key: &Key) -> bool {
        let group = (key.name.clone(), key.kind);
        self.group_ttls.remove(&group).is_none() || self.rechecked.insert(group)
    }

    /// What is learnt of a key while a read is under way is known better than any page says.
    fn touch(&mut self, key: &Key) {
        if let Some(touched) = &mut self.touched {
            touched.insert(key.clone());
        }
    }

    fn park(&mut self, change: &Change, reason: &str, first: Duration, now: Duration) -> Note {
        let key = change.set.key();
        let tries = self.parked.get(&key).map_or(0, |parked| parked.tries + 1);
        let wait = match first {
            DENIED_WAIT => (first * 2u32.saturating_pow(tries.min(8))).min(DENIED_WAIT_MAX),
            _ => first,
        };
        let wait = wait.mul_f64(1.0 - PARKED_JITTER * random(&key, tries)).max(DENIED_WAIT);
        let whole = change.action == Action::Delete;
        let parked = Parked { until: now + wait, reason: reason.to_owned(), tries, whole };
        self.parked.insert(key, parked.clone());
        Note::Parked(change.clone(), parked)
    }
}

/// Uniform in 0..1, and the same for each try at a key: a ledger draws no lots.
fn random(key: &Key, tries: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (key, tries).hash(&mut hasher);
    fastrand::Rng::with_seed(hasher.finish()).f64()
}
