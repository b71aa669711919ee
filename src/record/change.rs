//! What a registry is asked to do.

use std::fmt;

use super::RecordSet;

/// What a change does to its record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Adds the set; refused where its key exists.
    Create,
    /// Removes the set; refused unless every value, the TTL and the weight are those that exist.
    Delete,
    /// Writes the set whatever was there. Counts twice against the limits of a batch.
    Upsert,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
            Self::Upsert => "UPSERT",
        })
    }
}

/// One change of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// To which set, whole: a delete is an exact match.
    pub set: RecordSet,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<6} {}", self.action, self.set)
    }
}
