//! Whose a record is and what it speaks of: ours, the predecessor's, or nobody's we know.
//!
//! A set identifier alone is no mark: anybody may call a set `blue`, and that could be a host's name. The
//! record's type, name and value must be those that are written under such a mark.
//!
//! | | ours | the predecessor's |
//! |---|---|---|
//! | service, SRV | `<owner>:<docker id>:<port>` | `<host name>:<docker id>` |
//! | host, A | `<owner>`, at the owner's first label | the same: who wrote it does not matter |
//! | task, A | `<owner>:<docker id>`, at the id's first 12 digits | |

use std::net::Ipv4Addr;

use super::report::Kept;
use crate::machine::container::ContainerId;
use crate::machine::record::{RecordSet, RecordType, canonical};
use crate::machine::registration::{Mark, Owner, Subject};

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
    /// A service of a container, as the predecessor writes it.
    Former(ContainerId, u16),
}

impl Entry {
    /// Reads a record of `zone`.
    pub(super) fn read(set: &RecordSet, zone: &str) -> Result<Self, Kept> {
        let mark = set.set_identifier.as_deref().and_then(Mark::parse).ok_or(Kept::Unmarked)?;
        let name = set.key().name;
        let host_name = format!("{}.{zone}", mark.owner.label());
        let [value] = &set.values[..] else { return Err(Kept::Malformed) };
        let plain = set.weight.is_some() && !set.multivalue;
        let about = match (set.kind, mark.subject) {
            // A name and a label of it may coincide in what somebody else wrote.
            (RecordType::A, Subject::Host) if name != host_name => return Err(Kept::Unmarked),
            (RecordType::A, Subject::Host) => value.parse().ok().map(About::Host),
            (RecordType::A, Subject::Container(id)) => {
                (name == format!("{}.{zone}", id.short())).then_some(About::Task(id))
            }
            (RecordType::Srv, Subject::Service(id, _)) => {
                let task_name = format!("{}.{zone}", id.short());
                let (port, target) = target(value).ok_or(Kept::Malformed)?;
                (target == host_name || target == task_name).then_some(About::Service(id, port))
            }
            (RecordType::Srv, Subject::Container(id)) => {
                let (port, target) = target(value).ok_or(Kept::Malformed)?;
                (target == host_name || target == mark.owner.as_str()).then_some(About::Former(id, port))
            }
            _ => return Err(Kept::Unmarked),
        };
        match about {
            Some(about) if plain => Ok(Self { host: mark.owner, about }),
            _ => Err(Kept::Malformed),
        }
    }

    /// The container that it speaks of.
    pub fn container(&self) -> Option<&ContainerId> {
        match &self.about {
            About::Host(_) => None,
            About::Task(id) | About::Service(id, _) | About::Former(id, _) => Some(id),
        }
    }
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

/// The port and the target of an SRV value.
pub(super) fn target(value: &str) -> Option<(u16, String)> {
    let mut fields = value.split(' ').skip(2);
    let read = (fields.next()?.parse().ok()?, canonical(fields.next()?));
    fields.next().is_none().then_some(read)
}
