//! Why a registry refused a batch: what was wrong, of which record, and its own words for people.
//!
//! The API says what was wrong in sentences alone. They are read where they come in, by
//! [`route53`](super::route53); everybody else goes by what is here.

use std::fmt;

use crate::record::{Action, Change, Key, RecordType};

/// What was wrong.
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
    /// The zone has no room for another set.
    ZoneFull,
    /// The group of one name and type has no room for another set.
    GroupFull,
    /// Anything else.
    Other,
}

/// What a refusal names of a record: all of its key, some of it, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The owner name, canonical.
    pub name: Option<String>,
    /// The record type.
    pub kind: Option<RecordType>,
    /// The set's identifier.
    pub set_identifier: Option<String>,
}

impl Named {
    /// Whether this may be said of `key`.
    pub fn fits(&self, key: &Key) -> bool {
        self.name.as_ref().is_none_or(|name| *name == key.name)
            && self.kind.is_none_or(|kind| kind == key.kind)
            && (self.set_identifier.is_none() || self.set_identifier == key.set_identifier)
    }
}

/// One reason for which a batch was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was wrong.
    pub cause: Cause,
    /// Of which record, as far as that is said.
    pub key: Named,
    /// The registry's words, for people.
    pub text: String,
}

impl Refusal {
    /// A reason that says neither what was wrong nor with which record.
    pub fn unnamed(text: impl Into<String>) -> Self {
        Self { cause: Cause::Other, key: Named::default(), text: text.into() }
    }

    /// The change of `batch` that this speaks of; `None` where it may be one of several, or none at all.
    pub fn culprit(&self, batch: &[Change]) -> Option<usize> {
        let action = match self.cause {
            Cause::AlreadyExists => Some(Action::Create),
            Cause::NotFound | Cause::ValuesDiffer => Some(Action::Delete),
            Cause::TtlDiffers | Cause::Other => None,
            // Each that came may go in when one of the others leaves: none of them is wrong.
            Cause::ZoneFull | Cause::GroupFull => return None,
        };
        // Where only one change can be meant, it need not be named.
        if self.key.name.is_none() && action.is_none() {
            return None;
        }
        let meant = |change: &Change| {
            action.is_none_or(|action| change.action == action) && self.key.fits(&change.set.key())
        };
        let mut meant = batch.iter().enumerate().filter(|(_, change)| meant(change));
        match (meant.next(), meant.next()) {
            (Some((index, _)), None) => Some(index),
            _ => None,
        }
    }

    /// Whether a CREATE of this key finds no room either.
    pub fn leaves_no_room_for(&self, key: &Key) -> bool {
        match self.cause {
            Cause::ZoneFull => true,
            Cause::GroupFull => self.key.fits(key),
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordSet, Routing};

    fn change(action: Action, name: &str, id: &str) -> Change {
        Change {
            action,
            set: RecordSet {
                name: name.into(),
                kind: RecordType::Srv,
                set_identifier: Some(id.into()),
                routing: Routing::Weighted(1),
                ttl: 0,
                values: vec!["1 1 80 host.sd.internal".into()],
            },
        }
    }

    fn refusal(cause: Cause, name: Option<&str>, id: Option<&str>) -> Refusal {
        let key = Named {
            name: name.map(str::to_owned),
            kind: name.map(|_| RecordType::Srv),
            set_identifier: id.map(str::to_owned),
        };
        Refusal { cause, key, text: "no".into() }
    }

    #[test]
    fn finds_the_one_change_that_is_meant() {
        let batch = [
            change(Action::Create, "_a._tcp.sd.internal", "one"),
            change(Action::Create, "_a._tcp.sd.internal.", "two"),
            change(Action::Delete, "_b._tcp.sd.internal", "three"),
        ];
        let (a, b) = (Some("_a._tcp.sd.internal"), Some("_b._tcp.sd.internal"));
        for (refusal, culprit) in [
            (refusal(Cause::AlreadyExists, a, Some("two")), Some(1)),
            (refusal(Cause::AlreadyExists, a, None), None),
            (refusal(Cause::AlreadyExists, b, None), None),
            (refusal(Cause::NotFound, b, None), Some(2)),
            (refusal(Cause::ValuesDiffer, b, Some("three")), Some(2)),
            (refusal(Cause::ValuesDiffer, b, Some("four")), None),
            (refusal(Cause::TtlDiffers, a, Some("one")), Some(0)),
            (refusal(Cause::Other, b, None), Some(2)),
            // One delete there is, and two creates.
            (refusal(Cause::NotFound, None, None), Some(2)),
            (refusal(Cause::AlreadyExists, None, None), None),
            (refusal(Cause::Other, None, None), None),
            (refusal(Cause::GroupFull, b, Some("three")), None),
            (refusal(Cause::ZoneFull, None, None), None),
        ] {
            assert_eq!(refusal.culprit(&batch), culprit, "{refusal:?}");
        }
        let another_type = Named { kind: Some(RecordType::A), ..refusal(Cause::Other, b, None).key };
        let refusal = Refusal { key: another_type, ..refusal(Cause::Other, b, None) };
        assert_eq!(refusal.culprit(&batch), None);
    }

    #[test]
    fn knows_for_what_there_is_no_room() {
        let [a, b] = ["_a._tcp.sd.internal", "_b._tcp.sd.internal"];
        let key = |name| change(Action::Create, name, "x").set.key();
        let group = refusal(Cause::GroupFull, Some(a), None);
        assert!(group.leaves_no_room_for(&key(a)) && !group.leaves_no_room_for(&key(b)));
        let zone = refusal(Cause::ZoneFull, None, None);
        assert!(zone.leaves_no_room_for(&key(a)) && zone.leaves_no_room_for(&key(b)));
        assert!(!refusal(Cause::Other, Some(a), None).leaves_no_room_for(&key(a)));
    }
}
