//! What a zone holds, and the rules by which it changes: all of a batch in order, or nothing.
//!
//! Pure: no clock, no I/O. Changes are applied in place and taken back when one of them fails, so a batch
//! costs nothing that grows with the zone.
//!
//! ## Assumptions
//!
//! The vendor does not publish whether the rules of a group (one TTL, one policy, at most 100 sets) are
//! checked after each change or at the end of the batch. Here it is after each, in the order of the batch:
//! the stricter reading. A change that fails is left out, and those that follow are judged without it.

mod key;

use std::collections::BTreeMap;

pub(super) use self::key::ListFault;
use self::key::{SetKey, start_key};
use super::name::{NameFault, OwnerName};
use super::{refusal, request, rules};
use crate::record::{Action, Change, RecordSet, RecordType, Routing};
use crate::zone::refusal::Refusal;
use crate::zone::{ListStart, Page};

const SERVERS: [&str; 4] =
    ["ns-1536.awsdns-00.co.uk.", "ns-0.awsdns-00.com.", "ns-1024.awsdns-00.org.", "ns-512.awsdns-00.net."];

/// How long "there is none" may be remembered.
const NEGATIVE_SECONDS: i64 = 5;

/// The record sets of one zone.
#[derive(Clone, Debug)]
pub struct Contents {
    zone: OwnerName,
    sets: BTreeMap<SetKey, RecordSet>,
}

/// How a batch is taken back: what each key held before it, newest first.
#[derive(Debug)]
pub(super) struct Undo(Vec<(SetKey, Option<RecordSet>)>);

/// A log says something that cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReplayFault {
    /// A name that is none.
    #[error("{0}")]
    Name(#[from] NameFault),
    /// A delete of what was never there.
    #[error("{0} is deleted, but does not exist")]
    Absent(String),
    /// The zone is left without its start of authority or its name servers.
    #[error("{0}")]
    Apex(String),
}

impl Contents {
    /// A zone as the vendor creates it: an SOA and an NS. The name servers are made up, and none of them
    /// is ever asked.
    ///
    /// But the vendor's SOA has a TTL of 900 and a minimum of 86,400 s: who asks for a service just before it comes
    /// would be blind to it for 15 minutes.
    pub(super) fn new(zone: OwnerName) -> Self {
        let mut contents = Self::empty(zone);
        contents.put_soa(NEGATIVE_SECONDS, NEGATIVE_SECONDS);
        contents.put_apex(RecordType::Ns, 172_800, SERVERS.map(str::to_owned).to_vec());
        contents
    }

    /// Gives a zone that was made with the vendor's SOA, and still has it, the one that a new zone has. Returns
    /// whether it did.
    pub(super) fn lower_soa(&mut self) -> bool {
        let mut vendors = Self::empty(self.zone.clone());
        vendors.put_soa(900, 86_400);
        let is_vendors = vendors.sets.iter().all(|(key, set)| self.sets.get(key) == Some(set));
        if is_vendors {
            self.put_soa(NEGATIVE_SECONDS, NEGATIVE_SECONDS);
        }
        is_vendors
    }

    /// Nothing at all, for a log to fill.
    pub(super) fn empty(zone: OwnerName) -> Self {
        Self { zone, sets: BTreeMap::new() }
    }

    fn put_soa(&mut self, ttl: i64, minimum: i64) {
        let soa = format!("{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 {minimum}", SERVERS[0]);
        self.put_apex(RecordType::Soa, ttl, vec![soa]);
    }

    fn put_apex(&mut self, kind: RecordType, ttl: i64, values: Vec<String>) {
        let name = self.zone.to_string();
        let set = RecordSet { name, kind, set_identifier: None, routing: Routing::Simple, ttl, values };
        self.sets.insert(SetKey::new(&self.zone, &set), set);
    }

    // === looking ===

    /// The zone's name.
    pub fn zone(&self) -> &OwnerName {
        &self.zone
    }

    /// How many record sets there are.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Never: a zone has an SOA.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// All record sets, in the order of a list.
    pub fn sets(&self) -> impl Iterator<Item = &RecordSet> {
        self.sets.values()
    }

    /// The sets of one name and type: one simple set, or a group of weighted or multivalue ones.
    pub fn sets_of(&self, name: &OwnerName, kind: RecordType) -> impl Iterator<Item = &RecordSet> {
        let first = SetKey { reversed: name.sort_key(), kind, set_identifier: None };
        let reversed = first.reversed.clone();
        self.sets
            .range(first..)
            .take_while(move |(key, _)| key.kind == kind && key.reversed == reversed)
            .map(|(_, set)| set)
    }

    /// The types of the sets of one name.
    pub(super) fn types_of(&self, name: &OwnerName) -> impl Iterator<Item = RecordType> {
        let first = SetKey { reversed: name.sort_key(), kind: RecordType::A, set_identifier: None };
        let reversed = first.reversed.clone();
        let of_name = self.sets.range(first..).take_while(move |(key, _)| key.reversed == reversed);
        of_name.map(|(key, _)| key.kind)
    }

    /// Whether `name` exists: it has sets, or a name under it has (an empty non-terminal).
    pub fn has_name(&self, name: &OwnerName) -> bool {
        let first = SetKey { reversed: name.sort_key(), kind: RecordType::A, set_identifier: None };
        let prefix = first.reversed.clone();
        self.sets.range(first..).next().is_some_and(|(key, _)| key.reversed.starts_with(&prefix))
    }

    /// One page in the order of the registry, from `start` on, at most `max_items` sets.
    ///
    /// # Errors
    ///
    /// What `InvalidInput` says.
    pub(super) fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ListFault> {
        if max_items == 0 {
            return Err(ListFault::NoItems);
        }
        let first = start.map(start_key).transpose()?.unwrap_or_else(SetKey::least);
        let mut rest = self.sets.range(first..).map(|(_, set)| set);
        let sets: Vec<RecordSet> = rest.by_ref().take(max_items).cloned().collect();
        let next = rest.next().map(|set| ListStart {
            name: Some(set.name.clone()),
            kind: Some(set.kind.into()),
            set_identifier: set.set_identifier.clone(),
        });
        Ok(Page { sets, next })
    }

    // === changing ===

    /// Applies all of `batch` or nothing. The request's shape has been checked.
    ///
    /// # Errors
    ///
    /// One refusal for each change that is wrong, in the order of the batch.
    pub(super) fn apply(&mut self, batch: &[Change]) -> Result<Undo, Vec<Refusal>> {
        request::check_limits(batch)?;
        let mut undo = Undo(Vec::with_capacity(batch.len()));
        let mut refusals = Vec::new();
        let mut seen: BTreeMap<SetKey, Seen> = BTreeMap::new();
        for change in batch {
            let name = match self.own_name(&change.set.name) {
                Ok(name) => name,
                Err(refusal) => {
                    refusals.push(refusal);
                    continue;
                }
            };
            let key = SetKey::new(&name, &change.set);
            let now = Seen::after(seen.get(&key), change.action);
            let twice = now == Seen::Twice;
            let told = seen.insert(key.clone(), now) == Some(Seen::Twice);
            if twice {
                if !told {
                    refusals.push(refusal::key_twice(&name, change.set.kind));
                }
                continue;
            }
            let faults = request::value_faults(&change.set);
            if !faults.is_empty() {
                refusals.extend(faults);
                continue;
            }
            if let Err(refusal) = self.apply_one(change, &name, key, &mut undo) {
                refusals.push(refusal);
            }
        }
        refusals.extend(rules::apex_faults(self));
        if refusals.is_empty() {
            return Ok(undo);
        }
        self.take_back(undo);
        Err(refusals)
    }

    /// Makes it as if the batch had never been.
    pub(super) fn take_back(&mut self, undo: Undo) {
        for (key, before) in undo.0.into_iter().rev() {
            match before {
                Some(set) => self.sets.insert(key, set),
                None => self.sets.remove(&key),
            };
        }
    }

    /// Applies what a log says was accepted once: no rule is asked again, so that a zone outlives a
    /// change of the rules.
    pub(super) fn replay(&mut self, batch: &[Change]) -> Result<(), ReplayFault> {
        for change in batch {
            let name = OwnerName::parse(&change.set.name)?;
            let key = SetKey::new(&name, &change.set);
            if change.action != Action::Delete {
                self.sets.insert(key, RecordSet { name: name.to_string(), ..change.set.clone() });
            } else if self.sets.remove(&key).is_none() {
                return Err(ReplayFault::Absent(change.set.key().to_string()));
            }
        }
        Ok(())
    }

    /// Whether a replayed log left a whole zone.
    pub(super) fn check_apex(&self) -> Result<(), ReplayFault> {
        rules::apex_faults(self).into_iter().next().map_or(Ok(()), |fault| Err(ReplayFault::Apex(fault.text)))
    }

    fn own_name(&self, text: &str) -> Result<OwnerName, Refusal> {
        let name = OwnerName::parse(text).map_err(|fault| Refusal::unnamed(fault.to_string()))?;
        if name.is_in(&self.zone) { Ok(name) } else { Err(refusal::outside(&name, &self.zone)) }
    }

    fn apply_one(
        &mut self,
        change: &Change,
        name: &OwnerName,
        key: SetKey,
        undo: &mut Undo,
    ) -> Result<(), Refusal> {
        let set = &change.set;
        let existing = self.sets.get(&key);
        match (change.action, existing) {
            (Action::Create, Some(_)) => return Err(refusal::exists(name, set)),
            (Action::Delete, None) => return Err(refusal::not_found(name, set)),
            (Action::Delete, Some(existing)) if !rules::same(existing, set) => {
                return Err(refusal::values_differ(name, set));
            }
            (Action::Delete, Some(_)) => {}
            (Action::Create | Action::Upsert, _) => rules::check_place(self, name, set, existing.is_none())?,
        }
        let before = match change.action {
            Action::Delete => self.sets.remove(&key),
            Action::Create | Action::Upsert => {
                self.sets.insert(key.clone(), RecordSet { name: name.to_string(), ..set.clone() })
            }
        };
        undo.0.push((key, before));
        Ok(())
    }
}

/// What a batch has done with a key so far. Only a DELETE and then a CREATE may share one: a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Deleted,
    Written,
    Twice,
}

impl Seen {
    fn after(before: Option<&Self>, action: Action) -> Self {
        match (before, action) {
            (None, Action::Delete) => Self::Deleted,
            (None, Action::Create | Action::Upsert) | (Some(Self::Deleted), Action::Create) => Self::Written,
            (Some(_), _) => Self::Twice,
        }
    }
}

#[cfg(test)]
mod tests;
