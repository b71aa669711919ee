//! Reads one reason for which Route 53 refused a batch: its API says what was wrong in sentences alone.
//!
//! Sources of the sentences: kubernetes-sigs/external-dns issues 5939 and 1411, aws/aws-sdk-go-v2 issue 518,
//! DNSControl/dnscontrol issue 908, airbnb/zonify issue 16; further ones as in [`embedded`](crate::zone::embedded).
//! A sentence that is not understood names nothing, and what it speaks of is then found by halving.

use crate::printable::printable;
use crate::record::{RecordType, canonical};
use crate::zone::refusal::{Cause, Named, Refusal};

/// Of several that fit, the first counts.
const CAUSES: &[(&str, Cause)] = &[
    ("but it already exists", Cause::AlreadyExists),
    ("but it was not found", Cause::NotFound),
    ("do not match the current values", Cause::ValuesDiffer),
    ("must contain the same TTL", Cause::TtlDiffers),
    ("Exceeded limit MAX_RRSETS_BY_ZONE", Cause::ZoneFull),
    ("Exceeded limit on number of ", Cause::GroupFull),
];

/// Reads one reason.
pub(crate) fn read(text: String) -> Refusal {
    let cause =
        CAUSES.iter().find(|(words, _)| text.contains(words)).map_or(Cause::Other, |(_, cause)| *cause);
    let key = match cause {
        Cause::ZoneFull => Named::default(),
        Cause::GroupFull => named(word(&text, "RRSets for "), word(&text, "type "), None),
        _ => key(&text),
    };
    // A limit of another kind, or a group that is not named.
    let cause = if cause == Cause::GroupFull && key.kind.is_none() { Cause::Other } else { cause };
    Refusal { cause, key, text: printable(&text) }
}

fn key(text: &str) -> Named {
    if let Some((kind, name)) = field(text, "resource record set '", "'").and_then(|key| key.split_once(' '))
    {
        return named(Some(name), Some(kind), None);
    }
    let name = field(text, "name='", "'")
        .or_else(|| word(text, "DNS name "))
        .or_else(|| word(text, "resource record set ").filter(|word| !word.starts_with('[')));
    let kind = field(text, "type='", "'").or_else(|| word(text, "type "));
    let identifier = field(text, "set-identifier='", "'").or_else(|| word(text, "SetIdentifier "));
    named(name, kind, identifier)
}

/// Without a name, or with a type that this system does not know, no record of ours is named.
fn named(name: Option<&str>, kind: Option<&str>, identifier: Option<&str>) -> Named {
    match (name.map(canonical), kind.map(str::parse::<RecordType>).transpose()) {
        (Some(name), Ok(kind)) => {
            Named { name: Some(name), kind, set_identifier: identifier.map(str::to_owned) }
        }
        _ => Named::default(),
    }
}

fn field<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close).map_or(rest, |(value, _)| value))
}

fn word<'a>(text: &'a str, open: &str) -> Option<&'a str> {
    field(text, open, " ").map(|word| word.trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, identifier: Option<&str>) -> Named {
        named(Some(name), Some("SRV"), identifier)
    }

    #[test]
    fn reads_what_a_reason_says_and_names() {
        let nobody = Named::default;
        let cases = [
            (
                "Tried to create resource record set [name='_a._tcp.sd.internal.', type='SRV', set-identifier='two'] but it already exists",
                Cause::AlreadyExists,
                of("_a._tcp.sd.internal", Some("two")),
            ),
            (
                "Tried to create resource record set [name='_a._tcp.sd.internal.', type='SRV'] but it already exists",
                Cause::AlreadyExists,
                of("_a._tcp.sd.internal", None),
            ),
            (
                "Tried to delete resource record set [name='_b._tcp.sd.internal.', type='SRV'] but it was not found",
                Cause::NotFound,
                of("_b._tcp.sd.internal", None),
            ),
            (
                "Tried to delete resource record set [name='_b._tcp.sd.internal.', type='SRV'] but the values provided do not match the current values",
                Cause::ValuesDiffer,
                of("_b._tcp.sd.internal", None),
            ),
            (
                "RRSet with DNS name _a._tcp.sd.internal. and type SRV, SetIdentifier one cannot be created as weighted sets must contain the same TTL.",
                Cause::TtlDiffers,
                of("_a._tcp.sd.internal", Some("one")),
            ),
            (
                "RRSet with DNS name _a._tcp.sd.internal., type SRV, SetIdentifier one cannot be created as weighted sets must contain the same TTL.",
                Cause::TtlDiffers,
                of("_a._tcp.sd.internal", Some("one")),
            ),
            (
                "RRSet with DNS name _a._tcp.sd.internal., type SRV, SetIdentifier one cannot be created because a non multivalue answer rrset exists with the same name and type.",
                Cause::Other,
                of("_a._tcp.sd.internal", Some("one")),
            ),
            (
                "The request contains an invalid set of changes for a resource record set 'SRV _a._tcp.sd.internal.'",
                Cause::Other,
                of("_a._tcp.sd.internal", None),
            ),
            // As an emulator says it.
            (
                "Tried to delete resource record set _b._tcp.sd.internal. type SRV but it was not found.",
                Cause::NotFound,
                of("_b._tcp.sd.internal", None),
            ),
            ("Tried to delete something, but it was not found", Cause::NotFound, nobody()),
            ("Tried to create something, but it already exists", Cause::AlreadyExists, nobody()),
            (
                "Tried to delete resource record set [name='a.', type='LOC'] but it was not found",
                Cause::NotFound,
                nobody(),
            ),
            ("Number of records limit of 1000 exceeded.", Cause::Other, nobody()),
            ("Exceeded limit MAX_RRSETS_BY_ZONE for zone: sd.internal.", Cause::ZoneFull, nobody()),
            (
                "Exceeded limit on number of weighted RRSets for _a._tcp.sd.internal., type SRV in this zone.",
                Cause::GroupFull,
                of("_a._tcp.sd.internal", None),
            ),
            ("Exceeded limit on number of things.", Cause::Other, nobody()),
        ];
        for (text, cause, key) in cases {
            assert_eq!(read(text.to_owned()), Refusal { cause, key, text: text.to_owned() });
        }
    }
}
