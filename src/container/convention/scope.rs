//! In which zone names lie, on which host, and what its operator says of them.
//!
//! Owns what a host has been told of names; the rule that a name is read by is in [`ServiceName`](super::ServiceName).

use std::fmt;

use super::{AllowedNames, NameError, TTL_SECONDS_MAX};

/// What is put at the end of a label is a mark of a few letters, and leaves the label its room.
const FULL_NAMES_OCTETS_MAX: usize = 16;

/// Where names may lie, and which one is this host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    zone: String,
    host_label: String,
    full_names: Option<FullNames>,
    allowed: Option<AllowedNames>,
    ttl_max: u32,
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
            allowed: None,
            ttl_max: TTL_SECONDS_MAX,
        }
    }

    /// The same, where each weighted name has a full name beside it, unless its container says otherwise.
    #[must_use]
    pub fn with_full_names(self, full_names: Option<FullNames>) -> Self {
        Self { full_names, ..self }
    }

    /// The same, where containers have no other names than these.
    #[must_use]
    pub fn with_allowed(self, allowed: Option<AllowedNames>) -> Self {
        Self { allowed, ..self }
    }

    /// The same, where a container gives a new name no longer TTL than this.
    #[must_use]
    pub fn with_ttl_max(self, seconds: u32) -> Self {
        Self { ttl_max: seconds, ..self }
    }

    /// Lower case, no final dot.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// Lower case.
    pub fn host_label(&self) -> &str {
        &self.host_label
    }

    /// Whether a name was most likely written with another zone: it ends as this one's does, and not in it.
    pub(super) fn is_of_another(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let last = self.zone.rsplit('.').next().unwrap_or_default();
        let ends_in = |zone: &str| text.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
        ends_in(last) && !ends_in(&self.zone)
    }

    pub(super) fn full_names(&self) -> Option<&FullNames> {
        self.full_names.as_ref()
    }

    pub(super) fn allowed(&self) -> Option<&AllowedNames> {
        self.allowed.as_ref()
    }

    pub(super) fn ttl_max(&self) -> u32 {
        self.ttl_max
    }

    /// The part of a lower-case name before the zone's.
    pub(super) fn relative<'a>(&self, name: &'a str, absolute: bool) -> Result<&'a str, NameError> {
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
    pub(super) fn is_address_name(&self, relative: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_in_lower_case_without_a_final_dot() {
        let scope = Scope::new("SD.Internal.", "Web1");
        assert_eq!((scope.zone(), scope.host_label()), ("sd.internal", "web1"));
    }
}
