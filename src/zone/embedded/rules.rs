//! What may stand beside what in a zone: apex, CNAME, the policies of a group, the quotas.
//!
//! Each rule looks at the zone as it is at that moment of a batch; when they are asked is decided in
//! [`super::contents`].

use super::contents::Contents;
use super::limits::{GROUP_SETS_MAX, ZONE_SETS_MAX};
use super::name::OwnerName;
use super::refusal;
use crate::record::{RecordSet, RecordType};
use crate::zone::refusal::Refusal;

/// Whether `set` may stand under `name`; `is_new` unless it replaces what has its key.
///
/// # Errors
///
/// The reason.
pub(super) fn check_place(
    contents: &Contents,
    name: &OwnerName,
    set: &RecordSet,
    is_new: bool,
) -> Result<(), Refusal> {
    let zone = contents.zone();
    let at_apex = name == zone;
    let simple = set.set_identifier.is_none();
    match set.kind {
        RecordType::Soa if !at_apex || !simple => {
            return Err(refusal::apex_only_simple(name, set.kind, zone));
        }
        RecordType::Ns if at_apex && !simple => {
            return Err(refusal::apex_only_simple(name, set.kind, zone));
        }
        RecordType::Cname if at_apex => return Err(refusal::cname_at_apex(name, zone)),
        RecordType::Cname if contents.types_of(name).any(|kind| kind != RecordType::Cname) => {
            return Err(refusal::cname_beside_others(name, zone));
        }
        RecordType::Cname => {}
        kind if contents.sets_of(name, RecordType::Cname).next().is_some() => {
            return Err(refusal::beside_cname(name, kind, zone));
        }
        _ => {}
    }
    check_group(contents, name, set)?;
    if is_new && contents.len() >= ZONE_SETS_MAX { Err(refusal::zone_full(zone)) } else { Ok(()) }
}

/// The rules among sets of one name and type.
fn check_group(contents: &Contents, name: &OwnerName, set: &RecordSet) -> Result<(), Refusal> {
    let mut others = contents
        .sets_of(name, set.kind)
        .filter(|other| other.set_identifier != set.set_identifier)
        .peekable();
    let Some(&other) = others.peek() else { return Ok(()) };
    if set.set_identifier.is_none() {
        return Err(refusal::others_exist(name, set));
    }
    // All others have one policy, and weighted ones one TTL: no other way led into this group.
    if other.set_identifier.is_none() || !other.routing.is_like(set.routing) {
        return Err(refusal::other_policy(name, set));
    }
    if set.weight().is_some() && other.ttl != set.ttl {
        return Err(refusal::ttl_differs(name, set));
    }
    if others.count() >= GROUP_SETS_MAX { Err(refusal::group_full(name, set)) } else { Ok(()) }
}

/// What a zone must never be without, asked at the end of a batch.
pub(super) fn apex_faults(contents: &Contents) -> Vec<Refusal> {
    let holds = |kind| contents.sets_of(contents.zone(), kind).next().is_some();
    let mut faults = Vec::new();
    if !holds(RecordType::Soa) {
        faults.push(refusal::soa_missing());
    }
    if !holds(RecordType::Ns) {
        faults.push(refusal::ns_missing());
    }
    faults
}

/// Whether a delete names exactly what exists. Values are texts, compared as such, in any order.
pub(super) fn same(existing: &RecordSet, asked: &RecordSet) -> bool {
    let sorted = |set: &RecordSet| {
        let mut values = set.values.clone();
        values.sort_unstable();
        values
    };
    existing.ttl == asked.ttl && existing.routing == asked.routing && sorted(existing) == sorted(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Change, RecordSet};
    use crate::zone::embedded::testing::{a, change, cname, delete, multivalue, srv, upsert};

    fn zone_with(sets: impl IntoIterator<Item = RecordSet>) -> Contents {
        let mut contents = Contents::new(OwnerName::parse("sd.internal").unwrap());
        for set in sets {
            contents.apply(&[change(set)]).unwrap();
        }
        contents
    }

    fn refused(contents: &mut Contents, batch: &[Change]) -> String {
        contents.apply(batch).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn keeps_one_ttl_in_a_weighted_group() {
        let mut contents = zone_with([srv("web", "a", 1), srv("web", "b", 1)]);
        let mut slow = srv("web", "c", 1);
        slow.ttl = 60;
        let expected = "RRSet with DNS name web.sd.internal. and type SRV, SetIdentifier c cannot be created as weighted sets must contain the same TTL.";
        assert_eq!(refused(&mut contents, &[change(slow)]), expected);
        let mut slow = srv("web", "b", 1);
        slow.ttl = 60;
        assert!(refused(&mut contents, &[upsert(slow.clone())]).contains("same TTL"));
        contents.apply(&[delete(srv("web", "a", 1)), upsert(slow)]).unwrap();
    }

    #[test]
    fn mixes_no_policies_under_one_name_and_type() {
        let weighted =
            |id| RecordSet { kind: RecordType::A, values: vec!["10.0.0.9".to_owned()], ..srv("web", id, 1) };
        let mut simple = zone_with([a("web", &["10.0.0.1"])]);
        assert_eq!(
            refused(&mut simple, &[change(weighted("x"))]),
            "RRSet with DNS name web.sd.internal., type A, SetIdentifier x cannot be created as a non-weighted set exists with the same name and type."
        );
        let mut group = zone_with([weighted("x")]);
        assert_eq!(
            refused(&mut group, &[change(a("web", &["10.0.0.1"]))]),
            "RRSet with DNS name web.sd.internal., type A cannot be created as other RRSets exist with the same name and type."
        );
        let multi = multivalue("web", "m", "10.0.0.2");
        assert!(
            refused(&mut group, &[change(multi.clone())])
                .contains("because a non multivalue answer rrset exists")
        );
        let mut several = zone_with([multi]);
        assert!(refused(&mut several, &[change(weighted("x"))]).contains("a non-weighted set exists"));
        // Another type under the same name is another matter, and so is an UPSERT of the set itself.
        group.apply(&[change(srv("web", "y", 1))]).unwrap();
        group.apply(&[upsert(multivalue("web", "x", "10.0.0.3"))]).unwrap();
    }

    #[test]
    fn lets_a_cname_stand_alone_and_not_at_the_apex() {
        let mut contents = zone_with([a("web", &["10.0.0.1"]), cname("old", "web.sd.internal")]);
        assert_eq!(
            refused(&mut contents, &[change(cname("web", "x.sd.internal"))]),
            "RRSet of type CNAME with DNS name web.sd.internal. is not permitted as it conflicts with other records with the same DNS name in zone sd.internal."
        );
        assert_eq!(
            refused(&mut contents, &[change(srv("old", "a", 1))]),
            "RRSet of type SRV with DNS name old.sd.internal. is not permitted because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone sd.internal."
        );
        let mut apex = cname("x", "web.sd.internal");
        apex.name = "sd.internal".to_owned();
        assert_eq!(
            refused(&mut contents, &[change(apex)]),
            "RRSet of type CNAME with DNS name sd.internal. is not permitted at apex in zone sd.internal."
        );
        contents.apply(&[upsert(cname("old", "x.sd.internal"))]).unwrap();
    }

    #[test]
    fn never_loses_its_soa_or_its_name_servers() {
        let mut contents = zone_with([]);
        let apex: Vec<RecordSet> = contents.sets().cloned().collect();
        assert_eq!(
            refused(&mut contents, &apex.iter().cloned().map(delete).collect::<Vec<_>>()),
            "A HostedZone must contain exactly one SOA record.|A HostedZone must contain at least one NS record for the zone itself."
        );
        let mut low = apex[1].clone();
        low.values =
            vec!["ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5".to_owned()];
        contents.apply(&[upsert(low.clone())]).unwrap();
        contents.apply(&[delete(low), change(apex[1].clone())]).unwrap();
        let mut elsewhere = apex[1].clone();
        elsewhere.name = "web.sd.internal".to_owned();
        assert!(refused(&mut contents, &[change(elsewhere)]).contains("is not permitted in zone"));
    }

    #[test]
    fn holds_a_hundred_sets_in_a_group() {
        let mut contents = zone_with((0..100).map(|n| srv("web", &format!("i{n}"), 1)));
        assert_eq!(
            refused(&mut contents, &[change(srv("web", "more", 1))]),
            "Exceeded limit on number of weighted RRSets for web.sd.internal., type SRV in this zone."
        );
        contents.apply(&[upsert(srv("web", "i5", 7))]).unwrap();
        contents.apply(&[delete(srv("web", "i6", 1)), change(srv("web", "more", 1))]).unwrap();
    }

    #[test]
    fn holds_ten_thousand_sets() {
        let mut contents = zone_with([]);
        let sets: Vec<Change> = (0..9_998).map(|n| change(a(&format!("h{n}"), &["10.0.0.1"]))).collect();
        sets.chunks(1_000).for_each(|batch| drop(contents.apply(batch).unwrap()));
        assert_eq!(
            refused(&mut contents, &[change(a("more", &["10.0.0.1"]))]),
            "Exceeded limit MAX_RRSETS_BY_ZONE for zone: sd.internal."
        );
        contents.apply(&[delete(a("h1", &["10.0.0.1"])), change(a("more", &["10.0.0.1"]))]).unwrap();
    }
}
