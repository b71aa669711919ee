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
/// What is put at the end of a label is a mark of a few letters, and leaves the label its room.
const FULL_NAMES_OCTETS_MAX: usize = 16;

/// Where names may lie, and which one is this host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    zone: String,
    host_label: String,
    full_names: Option<FullNames>,
}

/// What is put at the end of a weighted name's first label for the name that answers with all targets: `-all` makes
/// `_calc-all._tcp` of `_calc._tcp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullNames(String);

/// Something else than a few letters, digits and hyphens that a label may end with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot end a label: it takes 1 to {FULL_NAMES_OCTETS_MAX} letters, digits and hyphens, such as -all, and no hyphen last"
)]
pub struct InvalidFullNames(String);

impl std::str::FromStr for FullNames {
    type Err = InvalidFullNames;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let takes = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        let valid = (1..=FULL_NAMES_OCTETS_MAX).contains(&text.len())
            && text.bytes().all(takes)
            && !text.ends_with('-');
        if valid { Ok(Self(text.to_ascii_lowercase())) } else { Err(InvalidFullNames(text.to_owned())) }
    }
}

impl fmt::Display for FullNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Scope {
    /// The zone's name, with or without the final dot, and the first label of the host's address name. Both
    /// are taken as valid: whoever found the zone and the host has checked them.
    pub fn new(zone: &str, host_label: &str) -> Self {
        Self {
            zone: zone.strip_suffix('.').unwrap_or(zone).to_ascii_lowercase(),
            host_label: host_label.to_ascii_lowercase(),
            full_names: None,
        }
    }

    /// The same, where each weighted name has a full name beside it, unless its container says otherwise.
    #[must_use]
    pub fn with_full_names(self, full_names: Option<FullNames>) -> Self {
        Self { full_names, ..self }
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

    /// Reads the name of an address, which resolvers and browsers look up as a host's: as [`ServiceName::parse`], and
    /// without the labels that a host's name cannot have.
    pub fn parse_address(text: &str, scope: &Scope) -> Result<Self, NameError> {
        let (name, _) = Self::parse(text, scope)?;
        let relative = scope.relative(name.as_str(), true)?;
        if relative.contains('_') {
            return Err(NameError::Underscore);
        }
        if relative.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
            return Err(NameError::Hyphen);
        }
        Ok(name)
    }

    /// The full name beside this weighted one; `None` where the scope has none.
    pub(super) fn full(&self, scope: &Scope) -> Option<Result<(Self, Protocol), NameError>> {
        let ending = scope.full_names.as_ref()?;
        let (first, rest) = self.0.split_once('.')?;
        Some(Self::parse(&format!("{first}{ending}.{rest}."), scope))
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
    /// A registry refuses the kind that comes second.
    #[error("is in a NAME of this container, and a name has one kind of answer")]
    Weighted,
    /// `_web`: no host's name has it, and many resolvers refuse to look up an address there.
    #[error("has _, which the name of an address cannot have")]
    Underscore,
    /// RFC 952 and RFC 1123, section 2.1.
    #[error("has a label that begins or ends with -, which the name of an address cannot have")]
    Hyphen,
    /// A host or a task has its address there, or could.
    #[error("is an address name of a host or a task")]
    AddressName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_in_lower_case_without_a_final_dot() {
        let scope = Scope::new("SD.Internal.", "Web1");
        assert_eq!((scope.zone(), scope.host_label()), ("sd.internal", "web1"));
    }
}
