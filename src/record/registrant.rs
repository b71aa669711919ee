//! One host in one zone: the name and the address that its records lead to, and which records are its own.

use std::net::Ipv4Addr;

use super::{ContainerId, Mark, Owner, RecordSet, RecordType, Routing, Subject};

/// Seconds that a resolver may keep a host's address. It changes only when the host itself is replaced
/// or renumbered, and every answer of a service leads to it.
pub const ADDRESS_TTL: i64 = 60;

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
        self.owner.name_in(&self.zone)
    }

    /// The host's address record.
    pub fn host_record(&self) -> RecordSet {
        self.address_record(self.host_name(), Subject::Host, self.address)
    }

    /// The address record of a container that has its own.
    pub fn container_record(&self, container: &ContainerId, address: Ipv4Addr) -> RecordSet {
        self.address_record(container.name_in(&self.zone), Subject::Container(container.clone()), address)
    }

    /// The mark of a record of this host.
    pub fn mark(&self, subject: Subject) -> Mark {
        Mark { owner: self.owner.clone(), subject }
    }

    /// What of this host a record set speaks of; `None` of what is not its own.
    pub fn subject(&self, set: &RecordSet) -> Option<Subject> {
        Mark::of(set, &self.zone).filter(|mark| mark.owner == self.owner).map(|mark| mark.subject)
    }

    /// Whether a record set is this host's own.
    pub fn owns(&self, set: &RecordSet) -> bool {
        self.subject(set).is_some()
    }

    /// Whether a record set makes this host's name lead elsewhere: somebody else's, at the name of its address. A host's
    /// own address that is this one's does not: it was renamed, and has kept its first label.
    pub fn is_contested_by(&self, set: &RecordSet) -> bool {
        let leads = matches!(set.kind, RecordType::A | RecordType::Aaaa | RecordType::Cname);
        let leads_here = self.other_host_at(set).is_some() && set.values == [self.address.to_string()];
        leads && set.key().name == self.host_name() && !self.owns(set) && !leads_here
    }

    /// Another host whose own address this record set is.
    pub fn other_host_at(&self, set: &RecordSet) -> Option<Owner> {
        let mark = Mark::of(set, &self.zone).filter(|mark| mark.subject == Subject::Host)?;
        (mark.owner != self.owner).then_some(mark.owner)
    }

    fn address_record(&self, name: String, subject: Subject, address: Ipv4Addr) -> RecordSet {
        RecordSet {
            name,
            kind: RecordType::A,
            set_identifier: Some(self.mark(subject).to_string()),
            routing: Routing::Weighted(1),
            ttl: ADDRESS_TTL,
            values: vec![address.to_string()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{HEX, registrant};

    /// Under the name of the owner's address.
    fn set(kind: RecordType, mark: &str) -> RecordSet {
        let address = registrant(mark.split(':').next().unwrap()).host_record();
        RecordSet { kind, set_identifier: Some(mark.to_owned()), ..address }
    }

    #[test]
    fn writes_the_address_of_the_host_under_its_first_label() {
        let set = registrant("Web1.example.com.").host_record();
        assert_eq!((set.name.as_str(), &set.values[..]), ("web1.sd.internal", &["10.0.0.7".to_owned()][..]));
        assert_eq!(set.set_identifier.as_deref(), Some("web1.example.com"));
        assert_eq!((set.ttl, set.weight()), (60, Some(1)));
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
    fn its_name_is_contested_by_what_leads_elsewhere_there_and_is_another_s() {
        let web1 = registrant("web1");
        let foreign = set(RecordType::Cname, "web1");
        assert!(web1.is_contested_by(&foreign));
        assert!(!web1.is_contested_by(&RecordSet { kind: RecordType::Txt, ..foreign.clone() }));
        assert!(!web1.is_contested_by(&RecordSet { name: "app.sd.internal".into(), ..foreign }));
        assert!(!web1.is_contested_by(&web1.host_record()));
    }

    #[test]
    fn its_name_is_not_contested_by_its_own_former_address_record() {
        let (former, present) = (registrant("web1"), registrant("web1.corp.example"));
        let address = former.host_record();
        assert_eq!(address.name, present.host_record().name);
        assert!(!present.is_contested_by(&address));
        let elsewhere = RecordSet { values: vec!["10.0.0.8".into()], ..address.clone() };
        assert!(present.is_contested_by(&elsewhere), "that is another machine");
        let by_hand = RecordSet { set_identifier: Some("blue".into()), ..address.clone() };
        assert!(present.is_contested_by(&by_hand), "nobody knows what it may stand beside");
        let plain = RecordSet { set_identifier: None, routing: Routing::Simple, ..address };
        assert!(present.is_contested_by(&plain), "no other can stand beside it");
    }

    #[test]
    fn another_host_is_told_by_its_own_mark_under_its_own_name() {
        let (web1, host) = (registrant("web1"), registrant("web2").host_record());
        assert_eq!(web1.other_host_at(&host), Some(Owner::new("web2").unwrap()));
        assert_eq!(web1.other_host_at(&web1.host_record()), None);
        assert_eq!(
            web1.other_host_at(&RecordSet { name: "web2.prod.sd.internal".into(), ..host.clone() }),
            None
        );
        let service = format!("web2:{HEX}:a");
        assert_eq!(web1.other_host_at(&RecordSet { set_identifier: Some(service), ..host.clone() }), None);
        assert_eq!(web1.other_host_at(&RecordSet { set_identifier: None, ..host }), None);
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
}
