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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerError {
    /// A mark would not fit into a set identifier.
    TooLong(String),
    /// It is not a host name.
    Malformed(String),
}

impl OwnerError {
    /// What is wrong with it.
    pub fn what(&self) -> String {
        match self {
            Self::TooLong(name) => format!(
                "host name {name:?} is too long: with a container's id it must fit into a record's mark of \
                 {SET_IDENTIFIER_MAX} characters"
            ),
            Self::Malformed(name) => {
                format!("host name {name:?} is not made of labels of 1 to 63 letters, digits and hyphens")
            }
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        match self {
            Self::TooLong(_) => {
                format!("pass a name of at most {} with --hostname", SET_IDENTIFIER_MAX - MARK_TAIL_MAX)
            }
            Self::Malformed(_) => "pass one that is with --hostname".to_owned(),
        }
    }
}

impl fmt::Display for OwnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.remedy())
    }
}

impl std::error::Error for OwnerError {}

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
