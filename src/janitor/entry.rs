//! Whose a record is and what it speaks of: ours, the predecessor's, or nobody's we know.
//!
//! What is ours says the [`Mark`]. The predecessor marks a service's SRV `<host name>:<docker id>`, and the host's
//! address as this system does: who wrote that does not matter. A marked record also has to have the form that
//! is written under such a mark: one value, a weight or all targets, a target that is the host or the container.

use std::net::Ipv4Addr;

use super::report::Kept;
use crate::record::{ContainerId, Mark, Owner, RecordSet, RecordType, Routing, Subject};

/// A marked record set, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The host that wrote it.
    pub host: Owner,
    /// What it speaks of.
    pub about: About,
}

/// What a record speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The host's address.
    Host(Ipv4Addr),
    /// The address of a container that has its own.
    Task(ContainerId),
    /// A service of a container, at this port.
    Service(ContainerId, u16),
    /// The address of a container's services, under a name of theirs.
    ServiceAddress(ContainerId),
    /// A service of a container, as the predecessor writes it.
    Legacy(ContainerId, u16),
}

impl Entry {
    /// Reads a record of `zone`.
    ///
    /// # Errors
    /// Where nobody known here has written it, or not in this form.
    pub fn read(set: &RecordSet, zone: &str) -> Result<Self, Kept> {
        let mark = mark_of(set, zone).ok_or(Kept::Unmarked)?;
        let host_name = mark.owner.name_in(zone);
        let leads_to = |targets: &[&str]| {
            let srv = set.srv_values().next()?;
            targets.contains(&srv.target.as_str()).then_some(srv.port)
        };
        let [value] = &set.values[..] else { return Err(Kept::Malformed) };
        let routed = match mark.subject {
            // A weighted name, or a full one.
            Subject::Service(..) => set.routing != Routing::Simple,
            _ => set.weight().is_some(),
        };
        let about = match (set.kind, mark.subject) {
            (RecordType::A, Subject::Host) => value.parse().ok().map(About::Host),
            (RecordType::A, Subject::Container(id)) => Some(About::Task(id)),
            (RecordType::A, Subject::ServiceAddress(id)) => {
                value.parse::<Ipv4Addr>().is_ok().then_some(About::ServiceAddress(id))
            }
            (RecordType::Srv, Subject::Service(id, _)) => {
                leads_to(&[&host_name, &id.name_in(zone)]).map(|port| About::Service(id, port))
            }
            (RecordType::Srv, Subject::Container(id)) => {
                leads_to(&[&host_name, mark.owner.as_str()]).map(|port| About::Legacy(id, port))
            }
            _ => return Err(Kept::Unmarked),
        };
        match about {
            Some(about) if routed => Ok(Self { host: mark.owner, about }),
            _ => Err(Kept::Malformed),
        }
    }

    /// The container that it speaks of.
    pub fn container(&self) -> Option<&ContainerId> {
        match &self.about {
            About::Host(_) => None,
            About::Task(id) | About::Service(id, _) | About::ServiceAddress(id) | About::Legacy(id, _) => {
                Some(id)
            }
        }
    }
}

/// The mark of a record of `zone`, ours or the predecessor's, whatever form the record has.
pub(super) fn mark_of(set: &RecordSet, zone: &str) -> Option<Mark> {
    Mark::of(set, zone).or_else(|| legacy(set))
}

/// The predecessor's mark of a service.
fn legacy(set: &RecordSet) -> Option<Mark> {
    let mark = Mark::parse(set.set_identifier.as_deref()?)?;
    (set.kind == RecordType::Srv && matches!(mark.subject, Subject::Container(_))).then_some(mark)
}

/// Whether an owner is an EC2 instance: its id is unique, and never used again.
pub(super) fn is_instance_id(owner: &Owner) -> bool {
    let hex = |id: &str| matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    owner.as_str().strip_prefix("i-").is_some_and(hex)
}

/// The address that EC2 names a host after, as in `ip-10-0-0-7.ec2.internal`.
pub(super) fn named_address(owner: &Owner) -> Option<Ipv4Addr> {
    owner.label().strip_prefix("ip-")?.replace('-', ".").parse().ok()
}
