//! What tells record sets apart.

use std::fmt;

use super::RecordType;

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

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)?;
        match &self.set_identifier {
            Some(id) => write!(f, " {id}"),
            None => Ok(()),
        }
    }
}
