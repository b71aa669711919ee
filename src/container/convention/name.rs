//! Service names, and the zone that they must lie in.
//!
//! A [`ServiceName`] is made by [`ServiceName::parse`] alone, so who holds one may write it into the zone.
//! What it refuses besides bad grammar are names that would hide or replace something: the zone's apex, a
//! wildcard, and the names under which hosts and tasks have their addresses.

use std::fmt;

use super::Protocol;
use super::quote::character;

/// RFC 1035, section 2.3.4.
const LABEL_OCTETS_MAX: usize = 63;
/// RFC 1035, section 2.3.4; on the wire, so with a length octet for each label and one for the root.
const NAME_OCTETS_MAX: usize = 255;

/// Where names may lie, and which one is this host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    zone: String,
    host_label: String,
}

impl Scope {
    /// The zone's name, with or without the final dot, and the first label of the host's address name. Both
    /// are taken as valid: whoever found the zone and the host has checked them.
    pub fn new(zone: &str, host_label: &str) -> Self {
        Self {
            zone: zone.strip_suffix('.').unwrap_or(zone).to_ascii_lowercase(),
            host_label: host_label.to_ascii_lowercase(),
        }
    }

    /// Lower case, no final dot.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// Lower case.
    pub fn host_label(&self) -> &str {
        &self.host_label
    }

    /// The part of a lower-case name before the zone's.
    fn relative<'a>(&self, name: &'a str, absolute: bool) -> Result<&'a str, NameError> {
        if name == self.zone || name == "@" {
            return Err(NameError::Apex);
        }
        match name.strip_suffix(&self.zone).and_then(|rest| rest.strip_suffix('.')) {
            Some(relative) => Ok(relative),
            None if absolute => Err(NameError::OutsideZone(self.zone.clone())),
            None => Ok(name),
        }
    }

    /// Whether hosts or tasks have their address records at this relative name: this host (whatever it is
    /// called), EC2 instance ids, the 12 hex digits of an awsvpc task, and the predecessor's hosts.
    fn is_address_name(&self, relative: &str) -> bool {
        relative == self.host_label
            || is_hex(relative, 12)
            || relative.strip_prefix("i-").is_some_and(|id| is_hex(id, 8) || is_hex(id, 17))
            || relative.strip_prefix("ip-").is_some_and(is_dashed_address)
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `10-123-145-167`, as EC2 writes an address into a host name.
fn is_dashed_address(text: &str) -> bool {
    text.split('-').count() == 4
        && text
            .split('-')
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u8>().is_ok())
}

/// A name inside the zone: whole, lower case, no final dot, such as `_calc._tcp.servicediscovery.internal`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct ServiceName(String);

impl ServiceName {
    /// Reads a name as a container writes it: relative to the zone, or with the zone's own name at its end,
    /// with or without a final dot.
    ///
    /// The protocol is that of the first `_tcp` or `_udp` after the first label, tcp for names without one.
    pub fn parse(text: &str, scope: &Scope) -> Result<(Self, Protocol), NameError> {
        let lower = text.to_ascii_lowercase();
        let (name, absolute) = match lower.strip_suffix('.') {
            Some(name) => (name, true),
            None => (lower.as_str(), false),
        };
        if lower.is_empty() {
            return Err(NameError::Empty);
        }
        if name.contains('*') {
            return Err(NameError::Wildcard);
        }
        if name.contains('\\') {
            return Err(NameError::Escape);
        }
        let relative = scope.relative(name, absolute)?;
        check_labels(relative)?;
        let full = format!("{relative}.{}", scope.zone);
        // Each dot stands for a length octet; one more is the first label's, and one the root's.
        let octets = full.len() + 2;
        if octets > NAME_OCTETS_MAX {
            return Err(NameError::TooLong { octets });
        }
        let protocol = protocol(relative)?;
        if scope.is_address_name(relative) {
            return Err(NameError::AddressName);
        }
        Ok((Self(full), protocol))
    }

    /// The whole name, lower case, no final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_labels(relative: &str) -> Result<(), NameError> {
    for label in relative.split('.') {
        if label.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        if let Some(other) = label.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')) {
            return Err(NameError::Character(other));
        }
        if label.len() > LABEL_OCTETS_MAX {
            return Err(NameError::LabelTooLong { octets: label.len() });
        }
    }
    Ok(())
}

fn protocol(relative: &str) -> Result<Protocol, NameError> {
    let has = |wanted: &str| relative.split('.').skip(1).any(|label| label == wanted);
    match (has("_tcp"), has("_udp")) {
        (true, true) => Err(NameError::BothProtocols),
        (true, false) => Ok(Protocol::Tcp),
        (false, true) => Ok(Protocol::Udp),
        (false, false) if relative.starts_with('_') => Err(NameError::NoProtocol),
        (false, false) => Ok(Protocol::Tcp),
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a name is refused. Written to follow the name itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing between two commas, or nothing at all.
    #[error("is not a name")]
    Empty,
    /// SRV records at the apex would be those of the zone itself.
    #[error("is the zone itself")]
    Apex,
    /// An absolute name of somewhere else.
    #[error("is not inside the zone {0}")]
    OutsideZone(String),
    /// It would answer for names that nobody asked for.
    #[error("is a wildcard")]
    Wildcard,
    /// `\052` and the like say another name than they show.
    #[error("has an escape")]
    Escape,
    /// Two dots in a row, or one at the start.
    #[error("has an empty label")]
    EmptyLabel,
    /// Anything but letters, digits, `-` and `_`.
    #[error("has {}; labels take letters, digits, - and _", character(*.0))]
    Character(char),
    /// Beyond RFC 1035.
    #[error("has a label of {octets} octets; {LABEL_OCTETS_MAX} is the most")]
    LabelTooLong {
        /// Of that label.
        octets: usize,
    },
    /// Beyond RFC 1035.
    #[error("takes {octets} octets with its zone; {NAME_OCTETS_MAX} is the most")]
    TooLong {
        /// On the wire, with the zone.
        octets: usize,
    },
    /// `_web` alone: whether it is `_web._tcp` or `_web._udp` is not ours to guess.
    #[error("begins with _ but has no _tcp or _udp after that")]
    NoProtocol,
    /// `_dns._tcp._udp`.
    #[error("has both _tcp and _udp")]
    BothProtocols,
    /// A host or a task has its address there, or could.
    #[error("is an address name of a host or a task")]
    AddressName,
}
