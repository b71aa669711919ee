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

use std::collections::BTreeMap;

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

/// A set's place in the order of the registry: reversed labels, type, identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SetKey {
    reversed: String,
    kind: RecordType,
    set_identifier: Option<String>,
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
    /// The text of `InvalidInput`.
    pub(super) fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, String> {
        if max_items == 0 {
            return Err("Invalid request: MaxItems must be at least 1".to_owned());
        }
        let first = start.map(start_key).transpose()?.unwrap_or_else(SetKey::least);
        let mut rest = self.sets.range(first..).map(|(_, set)| set);
        let sets: Vec<RecordSet> = rest.by_ref().take(max_items).cloned().collect();
        let next = rest.next().map(|set| ListStart {
            name: Some(set.name.clone()),
            kind: Some(set.kind),
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

impl SetKey {
    fn new(name: &OwnerName, set: &RecordSet) -> Self {
        Self { reversed: name.sort_key(), kind: set.kind, set_identifier: set.set_identifier.clone() }
    }

    fn least() -> Self {
        Self { reversed: String::new(), kind: RecordType::A, set_identifier: None }
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

/// Where a list begins, by the rules of the API reference for ListResourceRecordSets.
fn start_key(start: &ListStart) -> Result<SetKey, String> {
    match (&start.name, start.kind, &start.set_identifier) {
        (None, Some(_), _) => Err("Invalid request: StartRecordType requires StartRecordName".to_owned()),
        (None, None, Some(_)) | (Some(_), None, Some(_)) => {
            Err("Invalid request: StartRecordIdentifier requires StartRecordName and StartRecordType"
                .to_owned())
        }
        (None, None, None) => Ok(SetKey::least()),
        (Some(name), kind, set_identifier) => {
            let name = OwnerName::parse(name).map_err(|fault| fault.to_string())?;
            let kind = kind.unwrap_or(RecordType::A);
            Ok(SetKey { reversed: name.sort_key(), kind, set_identifier: set_identifier.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::embedded::testing::{a, change, delete, srv, upsert};

    fn zone() -> Contents {
        Contents::new(OwnerName::parse("sd.internal").unwrap())
    }

    fn texts(refusals: &[Refusal]) -> Vec<&str> {
        refusals.iter().map(|refusal| refusal.text.as_str()).collect()
    }

    fn shown(contents: &Contents) -> Vec<String> {
        contents.sets().map(|set| set.to_string()).collect()
    }

    #[test]
    fn begins_with_an_soa_and_name_servers() {
        let sets: Vec<RecordSet> = zone().sets().cloned().collect();
        assert_eq!(sets.iter().map(|set| set.kind).collect::<Vec<_>>(), [RecordType::Ns, RecordType::Soa]);
        assert_eq!(sets[1].name, "sd.internal.");
        assert_eq!(
            sets[1].values,
            ["ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5"]
        );
        assert_eq!(sets[1].ttl, 5);
    }

    #[test]
    fn lowers_the_vendors_soa_and_no_other() {
        let mut contents = zone();
        assert!(!contents.lower_soa());
        let mut soa = contents.sets().nth(1).unwrap().clone();
        for (ttl, minimum, lowered) in [(900, 86_400, true), (900, 60, false), (300, 86_400, false)] {
            soa.ttl = ttl;
            soa.values =
                vec![format!("{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 {minimum}", SERVERS[0])];
            contents.apply(&[upsert(soa.clone())]).unwrap();
            assert_eq!(contents.lower_soa(), lowered, "{soa}");
            assert_eq!(shown(&contents) == shown(&zone()), lowered);
        }
    }

    #[test]
    fn applies_all_or_nothing() {
        let mut contents = zone();
        contents.apply(&[change(srv("web", "a", 1))]).unwrap();
        let before = shown(&contents);
        let batch = [
            delete(srv("web", "a", 1)),
            change(srv("web", "b", 1)),
            change(srv("web", "b2", 1)),
            delete(srv("web", "none", 1)),
        ];
        let reasons = contents.apply(&batch).unwrap_err();
        assert_eq!(
            texts(&reasons),
            [
                "Tried to delete resource record set [name='web.sd.internal.', type='SRV', set-identifier='none'] but it was not found"
            ]
        );
        assert_eq!(shown(&contents), before);
    }

    #[test]
    fn names_every_failing_change() {
        let mut contents = zone();
        contents.apply(&[change(srv("web", "a", 1))]).unwrap();
        let mut wrong = srv("web", "c", 1);
        wrong.values = vec!["1 1".to_owned()];
        let mut outside = srv("web", "d", 1);
        outside.name = "web.example.com".to_owned();
        let reasons = contents
            .apply(&[change(srv("web", "a", 1)), change(srv("web", "b", 1)), change(wrong), change(outside)])
            .unwrap_err();
        assert_eq!(
            texts(&reasons),
            [
                "Tried to create resource record set [name='web.sd.internal.', type='SRV', set-identifier='a'] but it already exists",
                "Invalid Resource Record: 'FATAL problem: SRVRRDATANotFourFields (SRV record doesn't have 4 fields) encountered with '1 1''",
                "RRSet with DNS name web.example.com. is not permitted in zone sd.internal.",
            ]
        );
    }

    #[test]
    fn deletes_only_what_is_exactly_so() {
        let mut contents = zone();
        contents.apply(&[change(srv("web", "a", 1))]).unwrap();
        let spoiled: [fn(&mut RecordSet); 4] = [
            |set| set.ttl = 1,
            |set| set.routing = Routing::Weighted(2),
            |set| set.values = vec!["1 1 81 i-a.sd.internal".to_owned()],
            |set| set.values[0].push('.'),
        ];
        for spoil in spoiled {
            let mut set = srv("web", "a", 1);
            spoil(&mut set);
            let reasons = contents.apply(&[delete(set)]).unwrap_err();
            assert_eq!(
                texts(&reasons),
                [
                    "Tried to delete resource record set [name='web.sd.internal.', type='SRV', set-identifier='a'] but the values provided do not match the current values"
                ]
            );
        }
        let mut shouted = srv("web", "a", 1);
        shouted.name = "WEB.sd.Internal.".to_owned();
        contents.apply(&[delete(shouted)]).unwrap();
        assert_eq!(contents.len(), 2);
    }

    #[test]
    fn compares_values_in_any_order() {
        let mut contents = zone();
        contents.apply(&[change(a("web", &["10.0.0.1", "10.0.0.2"]))]).unwrap();
        contents.apply(&[delete(a("web", &["10.0.0.2", "10.0.0.1"]))]).unwrap();
    }

    #[test]
    fn swaps_by_delete_then_create_and_refuses_any_other_double() {
        let (old, new) = (srv("web", "a", 1), srv("web", "a", 2));
        let mut contents = zone();
        contents.apply(&[change(old.clone())]).unwrap();
        for batch in [
            vec![change(new.clone()), delete(old.clone())],
            vec![upsert(new.clone()), upsert(new.clone())],
            vec![delete(old.clone()), delete(old.clone())],
            vec![delete(old.clone()), upsert(new.clone())],
            vec![delete(old.clone()), change(new.clone()), delete(new.clone())],
        ] {
            let reasons = contents.apply(&batch).unwrap_err();
            let double = "The request contains an invalid set of changes for a resource record set 'SRV web.sd.internal.'";
            assert_eq!(reasons.iter().filter(|reason| reason.text == double).count(), 1, "{reasons:?}");
        }
        contents.apply(&[delete(old), change(new)]).unwrap();
        let weights: Vec<_> = contents.sets().filter_map(|set| set.weight()).collect();
        assert_eq!(weights, [2]);
    }

    #[test]
    fn tells_a_name_from_an_empty_one() {
        let mut contents = zone();
        contents.apply(&[change(srv("_web._tcp", "a", 1))]).unwrap();
        for (text, exists) in [
            ("sd.internal", true),
            ("_web._tcp.sd.internal", true),
            ("_tcp.sd.internal", true),
            ("_tc.sd.internal", false),
            ("_web.sd.internal", false),
            ("x._web._tcp.sd.internal", false),
        ] {
            assert_eq!(contents.has_name(&OwnerName::parse(text).unwrap()), exists, "{text}");
        }
    }

    #[test]
    fn refuses_a_list_start_without_its_name_or_type() {
        let contents = zone();
        let start = |name: Option<&str>, kind, id: Option<&str>| ListStart {
            name: name.map(str::to_owned),
            kind,
            set_identifier: id.map(str::to_owned),
        };
        let srv = Some(RecordType::Srv);
        for refused in [
            start(None, srv, None),
            start(None, None, Some("a")),
            start(None, srv, Some("a")),
            start(Some("web.sd.internal"), None, Some("a")),
        ] {
            assert!(contents.list(Some(&refused), 10).is_err(), "{refused:?}");
        }
        assert!(contents.list(Some(&start(Some("web.sd.internal"), srv, Some("a"))), 10).is_ok());
        assert!(contents.list(None, 0).is_err());
    }

    #[test]
    fn replays_without_asking_and_finds_what_cannot_be() {
        let mut contents = zone();
        let mut odd = srv("web", "a", 1);
        odd.routing = Routing::Weighted(999);
        contents.replay(&[change(odd)]).unwrap();
        assert!(matches!(contents.replay(&[delete(srv("db", "a", 1))]), Err(ReplayFault::Absent(_))));
        assert_eq!(contents.check_apex(), Ok(()));
        let empty = Contents::empty(OwnerName::parse("sd.internal").unwrap());
        assert!(empty.check_apex().is_err());
    }
}
