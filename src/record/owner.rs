//! Whose a record is.

use std::fmt;

use super::canonical;

/// The most characters of a set identifier. Source: Route 53 API reference, ResourceRecordSet.
pub const SET_IDENTIFIER_MAX: usize = 128;
/// What a mark needs beside the owner: `:<64 hex>:<5 digits>`.
const MARK_TAIL_MAX: usize = 1 + 64 + 1 + 5;

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

    /// The label under which the host's address stands in a zone.
    pub fn label(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }

    /// The name under which the host's address stands in `zone`.
    pub fn name_in(&self, zone: &str) -> String {
        format!("{}.{zone}", self.label())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::id;
    use crate::record::{Mark, Subject};

    #[test]
    fn an_owner_is_a_host_name() {
        for bad in ["", ".", "a..b", "-a", "a-", "a_b", "a:b", "a b", "é"] {
            assert!(Owner::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_longest_mark_fits_into_a_set_identifier() {
        let longest = "a".repeat(57);
        let mark = Mark { owner: Owner::new(&longest).unwrap(), subject: Subject::Service(id(1), u16::MAX) };
        assert_eq!(mark.to_string().len(), SET_IDENTIFIER_MAX);
        assert_eq!(Owner::new(&"a".repeat(58)), Err(OwnerError::TooLong("a".repeat(58))));
    }
}
