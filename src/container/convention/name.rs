//! Service names, by the one rule that says which may be written.
//!
//! A [`ServiceName`] is made by [`ServiceName::parse`] alone, so who holds one may write it into the zone.
//! What it refuses besides bad grammar are names that would hide or replace something: the zone's apex, a
//! wildcard, and the names under which hosts and tasks have their addresses; those that are
//! [reserved](super::reserved); and what the operator does not [allow](super::allowed).

use std::fmt;

use super::quote::character;
use super::reserved::Reserved;
use super::{Protocol, Scope};

/// RFC 1035, section 2.3.4.
const LABEL_OCTETS_MAX: usize = 63;
/// RFC 1035, section 2.3.4; on the wire, so with a length octet for each label and one for the root.
const NAME_OCTETS_MAX: usize = 255;

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
        let full = format!("{relative}.{}", scope.zone());
        // Each dot stands for a length octet; one more is the first label's, and one the root's.
        let octets = full.len() + 2;
        if octets > NAME_OCTETS_MAX {
            return Err(NameError::TooLong { octets });
        }
        let protocol = protocol(relative)?;
        if scope.is_address_name(relative) {
            return Err(NameError::AddressName);
        }
        if let Some(reserved) = Reserved::of(relative) {
            return Err(NameError::Reserved(reserved));
        }
        if let Some(allowed) = scope.allowed().filter(|allowed| !allowed.contains(relative)) {
            return Err(NameError::NotAllowed(allowed.shown()));
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
        let ending = scope.full_names()?;
        let (first, rest) = self.0.split_once('.')?;
        Some(Self::parse(&format!("{first}{ending}.{rest}."), scope))
    }

    /// The whole name, lower case, no final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn check_labels(relative: &str) -> Result<(), NameError> {
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
    /// Hosts would trust whoever has it.
    #[error(transparent)]
    Reserved(#[from] Reserved),
    /// The operator has said which names may be given here.
    #[error("is none of the names that --names allows here: {0}")]
    NotAllowed(String),
}
