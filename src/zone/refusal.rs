//! Understands why a registry refused a change, from its words.
//!
//! The API names no change in a refused batch except in the text of its reasons. Both the embedded zone
//! and Route 53 use the texts that are read here (seen in kubernetes-sigs/external-dns #5939, #1411 and
//! aws/aws-sdk-go-v2 #518). A text that is not understood is kept as it is: the ledger then finds the
//! change by halving.

use crate::record::{Action, Change, Key, canonical};

/// What was wrong with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// CREATE of a set that exists.
    AlreadyExists,
    /// DELETE of a set that does not exist.
    NotFound,
    /// DELETE with other values than those that exist.
    ValuesDiffer,
    /// Another TTL than the rest of its weighted group has.
    TtlDiffers,
    /// Anything else.
    Other,
}

/// One reason, and the changes of the batch that it may speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was wrong.
    pub cause: Cause,
    /// Where in the batch the changes stand that fit the text; empty when it names none of them.
    pub suspects: Vec<usize>,
}

/// What has no room left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Full<'a> {
    /// The whole zone.
    Zone,
    /// The group of one name and type.
    Group {
        /// The name, as the reason spells it.
        name: &'a str,
        /// The type's mnemonic.
        kind: &'a str,
    },
}

impl Full<'_> {
    /// Reads a reason; `None` where it speaks of something else. Seen in DNSControl/dnscontrol#908 and
    /// airbnb/zonify#16.
    pub fn read(reason: &str) -> Option<Full<'_>> {
        if reason.contains("Exceeded limit MAX_RRSETS_BY_ZONE") {
            return Some(Full::Zone);
        }
        let (_, group) = reason.split_once("Exceeded limit on number of ")?;
        let (name, rest) = group.split_once("RRSets for ")?.1.split_once(", type ")?;
        Some(Full::Group { name, kind: rest.split(' ').next()? })
    }

    /// Whether a CREATE of this key finds no room.
    pub fn concerns(&self, key: &Key) -> bool {
        match self {
            Full::Zone => true,
            Full::Group { name, kind } => key.name == canonical(name) && key.kind.as_str() == *kind,
        }
    }
}

/// Reads one reason.
pub fn read(reason: &str, batch: &[Change]) -> Refusal {
    let cause = [
        ("but it already exists", Cause::AlreadyExists),
        ("but it was not found", Cause::NotFound),
        ("do not match the current values", Cause::ValuesDiffer),
        ("must contain the same TTL", Cause::TtlDiffers),
    ]
    .into_iter()
    .find(|(words, _)| reason.contains(words))
    .map_or(Cause::Other, |(_, cause)| cause);
    let action = match cause {
        Cause::AlreadyExists => Some(Action::Create),
        Cause::NotFound | Cause::ValuesDiffer => Some(Action::Delete),
        Cause::TtlDiffers | Cause::Other => None,
    };
    let named = field(reason, "name='", "'")
        .or_else(|| word(reason, "DNS name "))
        .or_else(|| word(reason, "resource record set ").filter(|word| !word.starts_with('[')));
    let Some(name) = named.map(canonical) else {
        // Where only one change can be meant, it need not be named.
        let mut meant = batch.iter().enumerate().filter(|(_, change)| action == Some(change.action));
        let suspects = match (meant.next(), meant.next()) {
            (Some((index, _)), None) => vec![index],
            _ => Vec::new(),
        };
        return Refusal { cause, suspects };
    };
    let kind = field(reason, "type='", "'").or_else(|| word(reason, "type "));
    let identifier = field(reason, "set-identifier='", "'").or_else(|| word(reason, "SetIdentifier "));
    let fits = |change: &Change| {
        canonical(&change.set.name) == name
            && kind.is_none_or(|kind| change.set.kind.as_str() == kind)
            && action.is_none_or(|action| change.action == action)
            && identifier.is_none_or(|id| change.set.set_identifier.as_deref() == Some(id))
    };
    let suspects = batch.iter().enumerate().filter(|(_, change)| fits(change)).map(|(index, _)| index);
    Refusal { cause, suspects: suspects.collect() }
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
    use crate::record::{RecordSet, RecordType};

    fn change(action: Action, name: &str, id: &str) -> Change {
        Change {
            action,
            set: RecordSet {
                name: name.into(),
                kind: RecordType::Srv,
                set_identifier: Some(id.into()),
                weight: Some(1),
                multivalue: false,
                ttl: 0,
                values: vec!["1 1 80 host.sd.internal".into()],
            },
        }
    }

    #[test]
    fn knows_what_is_full() {
        let zone = "batch refused: [Exceeded limit MAX_RRSETS_BY_ZONE for zone: sd.internal.]";
        assert_eq!(Full::read(zone), Some(Full::Zone));
        let name =
            "Exceeded limit on number of weighted RRSets for _a._tcp.sd.internal., type SRV in this zone.";
        let full = Full::read(name).unwrap();
        assert!(full.concerns(&change(Action::Create, "_a._tcp.sd.internal", "x").set.key()));
        assert!(!full.concerns(&change(Action::Create, "_b._tcp.sd.internal", "x").set.key()));
        assert_eq!(Full::read("Number of records limit of 1000 exceeded."), None);
    }

    #[test]
    fn finds_the_change_that_a_reason_names() {
        let batch = [
            change(Action::Create, "_a._tcp.sd.internal", "one"),
            change(Action::Create, "_a._tcp.sd.internal", "two"),
            change(Action::Delete, "_b._tcp.sd.internal", "three"),
        ];
        let cases = [
            (
                "Tried to create resource record set [name='_a._tcp.sd.internal.', type='SRV', set-identifier='two'] but it already exists",
                Cause::AlreadyExists,
                vec![1],
            ),
            (
                "Tried to create resource record set [name='_a._tcp.sd.internal.', type='SRV'] but it already exists",
                Cause::AlreadyExists,
                vec![0, 1],
            ),
            (
                "Tried to delete resource record set [name='_b._tcp.sd.internal.', type='SRV'] but it was not found",
                Cause::NotFound,
                vec![2],
            ),
            (
                "Tried to delete resource record set [name='_b._tcp.sd.internal.', type='SRV'] but the values provided do not match the current values",
                Cause::ValuesDiffer,
                vec![2],
            ),
            (
                "RRSet with DNS name _a._tcp.sd.internal. and type SRV, SetIdentifier one cannot be created as weighted sets must contain the same TTL.",
                Cause::TtlDiffers,
                vec![0],
            ),
            (
                "RRSet with DNS name _a._tcp.sd.internal., type SRV, SetIdentifier one cannot be created as weighted sets must contain the same TTL.",
                Cause::TtlDiffers,
                vec![0],
            ),
            // As an emulator says it.
            (
                "Tried to delete resource record set _b._tcp.sd.internal. type SRV but it was not found.",
                Cause::NotFound,
                vec![2],
            ),
            ("Tried to delete something, but it was not found", Cause::NotFound, vec![2]),
            ("Tried to create something, but it already exists", Cause::AlreadyExists, vec![]),
            ("Number of records limit of 1000 exceeded.", Cause::Other, vec![]),
        ];
        for (reason, cause, suspects) in cases {
            assert_eq!(read(reason, &batch), Refusal { cause, suspects }, "{reason}");
        }
    }
}
