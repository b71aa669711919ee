//! What is to be changed in a zone. Pure.

use crate::janitor::entry::Entry;
use crate::record::{Action, Change, FleetHint, RecordSet, RecordType, canonical};

/// Where the SOA's value says how long negative answers are remembered, counted from 0. Source: RFC 2308, section 4.
const MINIMUM: usize = 6;
/// How many fields it has.
const FIELDS: usize = 7;
/// How many records are named.
const NAMED_MAX: usize = 10;

/// Has resolvers remember for `seconds` that a name is not there: they take the lesser of the SOA's minimum and its TTL,
/// and the minimum is for nothing else. Nothing where it is so already.
///
/// # Errors
/// Where the zone has no SOA that can be read.
pub fn lower(sets: &[RecordSet], zone: &str, seconds: u32) -> Result<Vec<Change>, String> {
    let (soa, mut fields) = soa(sets, zone)?;
    let seconds = seconds.to_string();
    if fields[MINIMUM] == seconds {
        return Ok(Vec::new());
    }
    fields[MINIMUM] = &seconds;
    let set = RecordSet { values: vec![fields.join(" ")], ..soa.clone() };
    Ok(vec![Change { action: Action::Upsert, set }])
}

/// For how many seconds resolvers remember that a name is not there.
///
/// # Errors
/// As [`lower`].
pub fn remembered(sets: &[RecordSet], zone: &str) -> Result<i64, String> {
    let (soa, fields) = soa(sets, zone)?;
    let minimum: i64 = fields[MINIMUM].parse().map_err(|_| format!("an SOA without a minimum: {soa}"))?;
    Ok(minimum.min(soa.ttl))
}

fn soa<'a>(sets: &'a [RecordSet], zone: &str) -> Result<(&'a RecordSet, Vec<&'a str>), String> {
    let soa = sets.iter().find(|set| is_of_apex(set, zone) && set.kind == RecordType::Soa);
    let soa = soa.ok_or_else(|| format!("{zone} has no SOA"))?;
    let [value] = &soa.values[..] else { return Err(format!("an SOA of several values: {soa}")) };
    let fields: Vec<&str> = value.split_whitespace().collect();
    if fields.len() != FIELDS {
        return Err(format!("an SOA of {} fields: {soa}", fields.len()));
    }
    Ok((soa, fields))
}

/// Deletes what this system and its predecessor have left.
///
/// # Errors
/// Where others have something in the zone: what it is. Then nothing is deleted: a stack that keeps its zone keeps it
/// whole.
pub fn empty(sets: Vec<RecordSet>, zone: &str) -> Result<Vec<Change>, String> {
    let of_zone =
        |set: &RecordSet| is_of_apex(set, zone) && [RecordType::Soa, RecordType::Ns].contains(&set.kind);
    let left: Vec<_> = sets.into_iter().filter(|set| !of_zone(set)).collect();
    let others: Vec<_> = left.iter().filter(|set| !is_ours(set, zone)).collect();
    if others.is_empty() {
        return Ok(left.into_iter().map(|set| Change { action: Action::Delete, set }).collect());
    }
    let named: Vec<_> = others.iter().take(NAMED_MAX).map(|set| set.key().to_string()).collect();
    let more = others.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(format!(
        "{zone} has records that this system did not write: {}{more}. Delete them, or keep the zone",
        named.join(", ")
    ))
}

fn is_ours(set: &RecordSet, zone: &str) -> bool {
    Entry::read(set, zone).is_ok() || FleetHint::of(set, zone).is_some()
}

fn is_of_apex(set: &RecordSet, zone: &str) -> bool {
    canonical(&set.name) == canonical(zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Routing;

    const ZONE: &str = "sd.internal";
    const ID: &str = "76a1e8a3f1f1a5d6b4a4a3f9f3e5c1d276a1e8a3f1f1a5d6b4a4a3f9f3e5c1d2";

    fn set(name: &str, kind: RecordType, value: &str) -> RecordSet {
        RecordSet {
            name: name.into(),
            kind,
            set_identifier: None,
            routing: Routing::Simple,
            ttl: 900,
            values: vec![value.into()],
        }
    }

    fn marked(name: &str, kind: RecordType, mark: &str, value: &str) -> RecordSet {
        RecordSet {
            set_identifier: Some(mark.into()),
            routing: Routing::Weighted(1),
            ..set(name, kind, value)
        }
    }

    fn fresh() -> Vec<RecordSet> {
        let soa = "ns-1.awsdns-00.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
        vec![set("sd.internal.", RecordType::Ns, "ns-1."), set("sd.internal.", RecordType::Soa, soa)]
    }

    /// One of each kind that this system and its predecessor write.
    fn ours() -> Vec<RecordSet> {
        let (service, former) = (format!("web1:{ID}:80"), format!("web1:{ID}"));
        vec![
            marked("web1.sd.internal.", RecordType::A, "web1", "10.0.0.7"),
            marked("_web._tcp.sd.internal.", RecordType::Srv, &service, "1 1 32000 web1.sd.internal"),
            marked("_web._tcp.sd.internal.", RecordType::Srv, &former, "1 1 32001 web1"),
            marked("76a1e8a3f1f1.sd.internal.", RecordType::A, &format!("web1:{ID}"), "10.0.1.7"),
            FleetHint::new(3).unwrap().record(ZONE),
        ]
    }

    #[test]
    fn lowers_the_last_field_of_the_soa_and_nothing_else_of_it() {
        let changes = lower(&fresh(), ZONE, 5).unwrap();
        let [Change { action: Action::Upsert, set }] = &changes[..] else { panic!("{changes:?}") };
        let lowered = "ns-1.awsdns-00.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 5";
        assert_eq!((set.kind, set.ttl, &set.values[..]), (RecordType::Soa, 900, &[lowered.to_owned()][..]));
        // Done once, there is nothing to do.
        assert_eq!(lower(std::slice::from_ref(set), ZONE, 5), Ok(Vec::new()));
        // The lesser of two numbers is what resolvers go by.
        assert_eq!(
            (remembered(&fresh(), ZONE), remembered(std::slice::from_ref(set), ZONE)),
            (Ok(900), Ok(5))
        );
        assert_eq!(remembered(&[RecordSet { ttl: 4, ..set.clone() }], ZONE), Ok(4));
        // One below the apex is somebody else's.
        let delegated = set_named(set, "team.sd.internal");
        for odd in [vec![], vec![fresh().remove(0)], vec![delegated]] {
            assert!(lower(&odd, ZONE, 5).is_err(), "{odd:?}");
        }
        let short = RecordSet { values: vec!["ns. host. 1 2 3".into()], ..set.clone() };
        assert!(lower(&[short], ZONE, 5).unwrap_err().contains("5 fields"));
    }

    fn set_named(set: &RecordSet, name: &str) -> RecordSet {
        RecordSet { name: name.into(), ..set.clone() }
    }

    #[test]
    fn a_zone_of_its_own_is_emptied_but_for_what_makes_it_a_zone() {
        let changes = empty([fresh(), ours()].concat(), ZONE).unwrap();
        assert!(changes.iter().all(|change| change.action == Action::Delete));
        let left: Vec<_> = changes.into_iter().map(|change| change.set).collect();
        assert_eq!(left, ours());
        assert_eq!(empty(fresh(), ZONE), Ok(Vec::new()));
    }

    #[test]
    fn nothing_is_deleted_where_others_have_something_and_the_answer_names_it() {
        for other in [
            set("www.sd.internal", RecordType::Cname, "example.com"),
            set("team.sd.internal", RecordType::Ns, "ns-2."),
            set("_acme-challenge.sd.internal", RecordType::Txt, "\"token\""),
            set("sd.internal", RecordType::A, "10.0.0.1"),
            set("_fleet.sd.internal", RecordType::Txt, "\"hosts=7 mine\""),
            marked("db.sd.internal", RecordType::A, "by-hand", "10.0.0.9"),
            marked("_web._tcp.sd.internal", RecordType::Srv, &format!("web1:{ID}:80"), "1 1 1 x.example"),
        ] {
            let reason = empty([fresh(), ours(), vec![other.clone()]].concat(), ZONE).unwrap_err();
            assert!(reason.contains(&other.key().to_string()), "{reason}");
            assert!(!reason.contains("web1.sd.internal"), "{reason}");
        }
        let many = (0..25).map(|n| set(&format!("n{n}.sd.internal"), RecordType::A, "10.0.0.1")).collect();
        assert!(empty(many, ZONE).unwrap_err().contains("and 15 more"));
    }
}
