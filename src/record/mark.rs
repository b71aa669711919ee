//! Whose a record set is, and for what.
//!
//! | speaks of | type | name | set identifier |
//! |---|---|---|---|
//! | the host | A | the owner's first label, in the zone | `<owner>` |
//! | a container that has its own address | A | the id's first 12 digits, in the zone | `<owner>:<container id>` |
//! | a service | SRV | the service's | `<owner>:<container id>:<container port>` |
//! | the address of a service | A | the service's | `<owner>:<container id>:a` |
//!
//! An identifier alone is no mark: anybody may call a set `blue`, and that could be a host's name.

use std::fmt;

use super::{ContainerId, Owner, RecordSet, RecordType};

/// Where the mark of a service has its port.
const OF_ADDRESS: &str = "a";

/// Whose a record set is, and for what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The host.
    pub owner: Owner,
    /// What of that host the record speaks of.
    pub subject: Subject,
}

/// What a record of a host speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The host's own address.
    Host,
    /// The address of a container that has its own.
    Container(ContainerId),
    /// A service: a container and its port.
    Service(ContainerId, u16),
    /// The address of a container's services, under a name of theirs: of all its ports that share the name.
    ServiceAddress(ContainerId),
}

impl Mark {
    /// Whose a record set of `zone` is, and for what. `None` for what this system did not write: another
    /// identifier, another type than goes with it, an address under another name.
    pub fn of(set: &RecordSet, zone: &str) -> Option<Self> {
        let mark = Self::parse(set.set_identifier.as_deref()?)?;
        let is_address = |name: String| set.kind == RecordType::A && set.key().name == name;
        let fits = match &mark.subject {
            Subject::Host => is_address(mark.owner.name_in(zone)),
            Subject::Container(id) => is_address(id.name_in(zone)),
            Subject::Service(..) => set.kind == RecordType::Srv,
            Subject::ServiceAddress(_) => set.kind == RecordType::A,
        };
        fits.then_some(mark)
    }

    /// Takes a set identifier apart, field by field: half of what [`Mark::of`] goes by. `None` for what this
    /// system does not write.
    pub fn parse(set_identifier: &str) -> Option<Self> {
        let mut fields = set_identifier.split(':');
        let owner = fields.next()?;
        let subject = match (fields.next(), fields.next(), fields.next()) {
            (None, ..) => Subject::Host,
            (Some(id), None, _) => Subject::Container(id.parse().ok()?),
            (Some(id), Some(OF_ADDRESS), None) => Subject::ServiceAddress(id.parse().ok()?),
            (Some(id), Some(port), None) => Subject::Service(id.parse().ok()?, port.parse().ok()?),
            _ => return None,
        };
        let mark = Self { owner: Owner::new(owner).ok()?, subject };
        (mark.to_string() == set_identifier).then_some(mark)
    }
}

/// Whether clients find a service by sets of this kind under such a mark, whoever wrote it: not by an address that
/// services only lead to.
pub(super) fn is_of_service(kind: RecordType, set_identifier: Option<&str>) -> bool {
    let subject = set_identifier.and_then(Mark::parse).map(|mark| mark.subject);
    match kind {
        RecordType::Srv => matches!(subject, Some(Subject::Service(..))),
        RecordType::A => matches!(subject, Some(Subject::ServiceAddress(_))),
        _ => false,
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Host => self.owner.fmt(f),
            Subject::Container(id) => write!(f, "{}:{id}", self.owner),
            Subject::Service(id, port) => write!(f, "{}:{id}:{port}", self.owner),
            Subject::ServiceAddress(id) => write!(f, "{}:{id}:{OF_ADDRESS}", self.owner),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Key;
    use crate::record::testing::{HEX, id};

    #[test]
    fn a_service_is_found_by_its_own_records_and_not_by_the_addresses_that_those_lead_to() {
        let owner = || Owner::new("i-0a").unwrap();
        let mark = |subject| Mark { owner: owner(), subject }.to_string();
        let (service, address) = (Subject::Service(id(1), 80), Subject::ServiceAddress(id(1)));
        for (kind, mark, expected) in [
            (RecordType::Srv, Some(mark(service.clone())), true),
            (RecordType::A, Some(mark(address.clone())), true),
            (RecordType::Srv, Some(mark(address)), false),
            (RecordType::A, Some(mark(service)), false),
            (RecordType::A, Some(mark(Subject::Host)), false),
            (RecordType::A, Some(mark(Subject::Container(id(1)))), false),
            (RecordType::Srv, None, false),
        ] {
            let key = Key { name: "web.sd.internal".to_owned(), kind, set_identifier: mark };
            assert_eq!(key.is_of_service(), expected, "{key}");
        }
    }

    #[test]
    fn takes_apart_what_it_wrote_and_nothing_else() {
        for other in [
            "",
            ":",
            "i-0a:",
            "i-0a:80",
            "I-0A",
            "i-0a.",
            &format!("i-0a:{HEX}:"),
            &format!("i-0a:{HEX}:080"),
            &format!("i-0a:{HEX}:+80"),
            &format!("i-0a:{HEX}:65536"),
            &format!("i-0a:{HEX}:80:tcp"),
            &format!("i-0a:{}:80", HEX.to_uppercase()),
            &format!("i-0a:{}:80", &HEX[1..]),
        ] {
            assert_eq!(Mark::parse(other), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn marks_come_back_from_their_text(owner in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]{1,10})?", n: u64, port: u16) {
            let owner = Owner::new(&owner).unwrap();
            for subject in [
                Subject::Host,
                Subject::Container(id(n)),
                Subject::Service(id(n), port),
                Subject::ServiceAddress(id(n)),
            ] {
                let mark = Mark { owner: owner.clone(), subject };
                prop_assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
            }
        }

        #[test]
        fn reads_any_identifier_without_panic(text in ".*") {
            if let Some(mark) = Mark::parse(&text) {
                prop_assert_eq!(mark.to_string(), text);
            }
        }
    }
}
