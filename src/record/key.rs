//! What tells record sets apart.

use std::fmt;

use super::RecordType;
use super::mark::is_of_service;

/// What identifies a record set in a zone. The name is canonical: lower case, no final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Key {
    /// The owner name.
    pub name: String,
    /// The record type.
    pub kind: RecordType,
    /// The set's identifier, where it is not a simple set.
    pub set_identifier: Option<String>,
}

impl Key {
    /// As [`RecordSet::is_of_service`](super::RecordSet::is_of_service).
    pub fn is_of_service(&self) -> bool {
        is_of_service(self.kind, self.set_identifier.as_deref())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)?;
        match &self.set_identifier {
            Some(id) => write!(f, " {id}"),
            None => Ok(()),
        }
    }
}
