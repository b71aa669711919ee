//! The record sets that this system writes, and the marks that say whose they are.
//!
//! Owns the form of an owner, of a mark and of a registered value. Everything made here is valid for a
//! registry; nothing here knows which registry, or when to write.

use std::fmt;
use std::net::Ipv4Addr;

use super::container::ContainerId;
use super::lifecycle::Wanted;
use super::offer::At;
use super::record::{RecordSet, RecordType, canonical};

/// The most characters of a set identifier. Source: Route 53 API reference, ResourceRecordSet.
pub const SET_IDENTIFIER_MAX: usize = 128;
/// What a mark needs beside the owner: `:<64 hex>:<5 digits>`.
const MARK_TAIL_MAX: usize = 1 + 64 + 1 + 5;
/// Seconds that a resolver may keep a host's address. It changes only when the host itself is replaced
/// or renumbered, and every answer of a service leads to it.
pub const ADDRESS_TTL: i64 = 60;

/// Whose a record is: an EC2 instance id or, off EC2, a host name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(String);

/// Why a name cannot be an owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    /// A mark would not fit into a set identifier.
    #[error(
        "host name {0:?} is too long: with a container's id it must fit into a record's mark of {max} characters; pass a name of at most {owner} with --hostname",
        max = SET_IDENTIFIER_MAX,
        owner = SET_IDENTIFIER_MAX - MARK_TAIL_MAX
    )]
    TooLong(String),
    /// It is not a host name.
    #[error(
        "host name {0:?} is not made of labels of 1 to 63 letters, digits and hyphens; pass one that is with --hostname"
    )]
    Malformed(String),
}

impl Owner {
    /// An owner from a host name or instance id; lower-cased.
    ///
    /// # Errors
    /// When it is no host name, or its marks would be too long.
    pub fn new(name: &str) -> Result<Self, OwnerError> {
        let name = canonical(name);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !name.split('.').all(label) {
            return Err(OwnerError::Malformed(name));
        }
        if name.len() > SET_IDENTIFIER_MAX - MARK_TAIL_MAX {
            return Err(OwnerError::TooLong(name));
        }
        Ok(Self(name))
    }

    /// The owner as marks spell it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label under which the host's address stands in the zone.
    pub fn label(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose a record set is, and for what: its set identifier, taken apart field by field.
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
}

impl Mark {
    /// Takes a set identifier apart. `None` for what this system did not write.
    pub fn parse(set_identifier: &str) -> Option<Self> {
        let mut fields = set_identifier.split(':');
        let owner = fields.next()?;
        let subject = match (fields.next(), fields.next(), fields.next()) {
            (None, ..) => Subject::Host,
            (Some(id), None, _) => Subject::Container(id.parse().ok()?),
            (Some(id), Some(port), None) => Subject::Service(id.parse().ok()?, port.parse().ok()?),
            _ => return None,
        };
        let mark = Self { owner: Owner::new(owner).ok()?, subject };
        (mark.to_string() == set_identifier).then_some(mark)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Host => self.owner.fmt(f),
            Subject::Container(id) => write!(f, "{}:{id}", self.owner),
            Subject::Service(id, port) => write!(f, "{}:{id}:{port}", self.owner),
        }
    }
}

/// One host in one zone: what its records are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registrant {
    /// Whose the records are.
    pub owner: Owner,
    /// The zone's name, lower case, without the final dot.
    pub zone: String,
    /// The address that clients reach the host's ports at.
    pub address: Ipv4Addr,
}

impl Registrant {
    /// The name under which the host's address stands, and which its SRV records point to.
    pub fn host_name(&self) -> String {
        format!("{}.{}", self.owner.label(), self.zone)
    }

    /// The host's address record.
    pub fn host_record(&self) -> RecordSet {
        self.address_record(self.host_name(), Subject::Host, self.address)
    }

    /// The record sets of one granted want: its SRV, and the address of a task that has its own.
    pub fn records(&self, container: &ContainerId, wanted: &Wanted) -> Vec<RecordSet> {
        let service = &wanted.offer.service;
        let (target, port, address) = match wanted.offer.at {
            At::Host { port } => (self.host_name(), port, None),
            At::Task { address, port } => (self.task_name(container), port, Some(address)),
        };
        let srv = RecordSet {
            name: service.name.as_str().to_owned(),
            kind: RecordType::Srv,
            set_identifier: Some(self.mark(Subject::Service(container.clone(), service.container_port))),
            weight: Some(i64::from(wanted.weight)),
            multivalue: false,
            ttl: i64::from(service.ttl),
            values: vec![format!("1 1 {port} {target}")],
        };
        let address = address.map(|address| {
            self.address_record(target.clone(), Subject::Container(container.clone()), address)
        });
        address.into_iter().chain([srv]).collect()
    }

    /// Whether a record set is this host's own: of exactly its mark, of the type that such a mark is given
    /// to, and an address under the name that it is given. Others name weighted sets after hosts too.
    pub fn owns(&self, set: &RecordSet) -> bool {
        let mark = set.set_identifier.as_deref().and_then(Mark::parse);
        mark.is_some_and(|mark| {
            let name = set.key().name;
            mark.owner == self.owner
                && match mark.subject {
                    Subject::Host => set.kind == RecordType::A && name == self.host_name(),
                    Subject::Container(id) => set.kind == RecordType::A && name == self.task_name(&id),
                    Subject::Service(..) => set.kind == RecordType::Srv,
                }
        })
    }

    /// Whether a record set makes this host's name lead elsewhere: somebody else's, at the name of its
    /// address.
    pub fn is_contested_by(&self, set: &RecordSet) -> bool {
        let leads = matches!(set.kind, RecordType::A | RecordType::Aaaa | RecordType::Cname);
        leads && set.key().name == self.host_name() && !self.owns(set)
    }

    /// Where an own SRV record set points, as an offer would say it; `addresses` are the zone's A records
    /// by name.
    pub fn endpoint(&self, set: &RecordSet, task_address: impl Fn(&str) -> Option<Ipv4Addr>) -> Option<At> {
        let mut fields = set.values.first()?.split(' ').skip(2);
        let (port, target) = (fields.next()?.parse().ok()?, canonical(fields.next()?));
        if target == self.host_name() {
            return Some(At::Host { port });
        }
        task_address(&target).map(|address| At::Task { address, port })
    }

    fn task_name(&self, container: &ContainerId) -> String {
        format!("{}.{}", container.short(), self.zone)
    }

    fn mark(&self, subject: Subject) -> String {
        Mark { owner: self.owner.clone(), subject }.to_string()
    }

    fn address_record(&self, name: String, subject: Subject, address: Ipv4Addr) -> RecordSet {
        RecordSet {
            name,
            kind: RecordType::A,
            set_identifier: Some(self.mark(subject)),
            weight: Some(1),
            multivalue: false,
            ttl: ADDRESS_TTL,
            values: vec![address.to_string()],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::machine::offer::{EffectiveCheck, Offer};
    use crate::machine::testing::{at, id, offer, registrant, service};

    const HEX: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

    /// Under the name of the owner's address.
    fn set(kind: RecordType, mark: &str) -> RecordSet {
        let address = registrant(mark.split(':').next().unwrap()).host_record();
        RecordSet { kind, set_identifier: Some(mark.to_owned()), ..address }
    }

    #[test]
    fn writes_the_exact_text_of_a_service() {
        let offer = offer("_web._tcp", 32_768, EffectiveCheck::None);
        let wanted = Wanted { offer, weight: 5, started_at: at(1) };
        let sets = registrant("i-0123456789abcdef0").records(&id(0xab), &wanted);
        let expected = RecordSet {
            name: "_web._tcp.sd.internal".into(),
            kind: RecordType::Srv,
            set_identifier: Some(format!("i-0123456789abcdef0:{HEX}:80")),
            weight: Some(5),
            multivalue: false,
            ttl: 0,
            values: vec!["1 1 32768 i-0123456789abcdef0.sd.internal".into()],
        };
        assert_eq!(sets, [expected]);
    }

    #[test]
    fn writes_the_address_of_a_task_with_its_service() {
        let at_task = At::Task { address: [10, 0, 3, 9].into(), port: 80 };
        let offer = Offer { service: service("_web._tcp", 80, 5), at: at_task, check: EffectiveCheck::None };
        let registrant = registrant("i-0a");
        let sets = registrant.records(&id(0xab), &Wanted { offer, weight: 0, started_at: at(1) });
        let address = RecordSet {
            name: "000000000000.sd.internal".into(),
            kind: RecordType::A,
            set_identifier: Some(format!("i-0a:{HEX}")),
            weight: Some(1),
            multivalue: false,
            ttl: ADDRESS_TTL,
            values: vec!["10.0.3.9".into()],
        };
        assert_eq!(sets[0], address);
        assert_eq!(
            (&sets[1].values[..], sets[1].weight),
            (&["1 1 80 000000000000.sd.internal".into()][..], Some(0))
        );
        let known = |name: &str| (name == address.name).then_some([10, 0, 3, 9].into());
        assert_eq!(registrant.endpoint(&sets[1], known), Some(at_task));
        assert_eq!(registrant.endpoint(&sets[1], |_| None), None);
        assert!(sets.iter().all(|set| registrant.owns(set)));
    }

    #[test]
    fn writes_the_address_of_the_host_under_its_first_label() {
        let set = registrant("Web1.example.com.").host_record();
        assert_eq!((set.name.as_str(), &set.values[..]), ("web1.sd.internal", &["10.0.0.7".to_owned()][..]));
        assert_eq!(set.set_identifier.as_deref(), Some("web1.example.com"));
        assert_eq!((set.ttl, set.weight), (60, Some(1)));
    }

    #[test]
    fn the_longest_mark_fits_into_a_set_identifier() {
        let longest = "a".repeat(57);
        let mark = Mark { owner: Owner::new(&longest).unwrap(), subject: Subject::Service(id(1), u16::MAX) };
        assert_eq!(mark.to_string().len(), SET_IDENTIFIER_MAX);
        assert_eq!(Owner::new(&"a".repeat(58)), Err(OwnerError::TooLong("a".repeat(58))));
    }

    #[test]
    fn an_owner_is_a_host_name() {
        for bad in ["", ".", "a..b", "-a", "a-", "a_b", "a:b", "a b", "é"] {
            assert!(Owner::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_that_share_a_prefix_own_nothing_of_each_other() {
        let (web1, web10) = (registrant("web1"), registrant("web10"));
        let wanted =
            Wanted { offer: offer("_web._tcp", 80, EffectiveCheck::None), weight: 5, started_at: at(1) };
        let mut of_10 = web10.records(&id(1), &wanted);
        of_10.push(web10.host_record());
        assert!(of_10.iter().all(|set| web10.owns(set) && !web1.owns(set)));
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

    /// The predecessor marks an SRV `<host name>:<docker id>`, which is how a task's address is marked here,
    /// and the host's address with the host name, which is how it is marked here too.
    #[test]
    fn owns_no_service_of_a_predecessor_of_the_same_name() {
        let web1 = registrant("web1");
        assert!(!web1.owns(&set(RecordType::Srv, &format!("web1:{HEX}"))));
        assert!(!web1.owns(&set(RecordType::Srv, "web1")));
        assert!(!web1.owns(&set(RecordType::A, &format!("web1:{HEX}:80"))));
        assert!(
            web1.owns(&set(RecordType::A, "web1")),
            "the one key that both write: the same host's address"
        );
        assert!(!registrant("i-0a").owns(&set(RecordType::A, "web1")));
    }

    #[test]
    fn owns_no_address_of_another_name_that_somebody_marked_after_this_host() {
        let web1 = registrant("web1");
        let host = web1.host_record();
        assert!(web1.owns(&host));
        assert!(!web1.owns(&RecordSet { name: "app.sd.internal".into(), ..host.clone() }));
        let task = RecordSet { set_identifier: Some(format!("web1:{HEX}")), ..host };
        assert!(!web1.owns(&task));
        assert!(web1.owns(&RecordSet { name: "000000000000.sd.internal.".into(), ..task }));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn marks_come_back_from_their_text(owner in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]{1,10})?", n: u64, port: u16) {
            let owner = Owner::new(&owner).unwrap();
            for subject in [Subject::Host, Subject::Container(id(n)), Subject::Service(id(n), port)] {
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
