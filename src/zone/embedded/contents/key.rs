//! The order of the registry, and where a list begins in it.

use crate::record::{RecordSet, RecordType, UnknownRecordType};
use crate::zone::ListStart;
use crate::zone::embedded::name::{NameFault, OwnerName};

/// A set's place in the order of the registry: reversed labels, type, identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SetKey {
    pub(super) reversed: String,
    pub(super) kind: RecordType,
    pub(super) set_identifier: Option<String>,
}

/// Why a list cannot begin there; the texts of `InvalidInput`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::zone::embedded) enum ListFault {
    /// A page of nothing.
    #[error("Invalid request: MaxItems must be at least 1")]
    NoItems,
    /// A type, and no name.
    #[error("Invalid request: StartRecordType requires StartRecordName")]
    TypeWithoutName,
    /// An identifier, and no name or type.
    #[error("Invalid request: StartRecordIdentifier requires StartRecordName and StartRecordType")]
    IdentifierAlone,
    /// A type of which nothing is here.
    #[error(transparent)]
    Type(#[from] UnknownRecordType),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameFault),
}

impl SetKey {
    /// Of a set with this name.
    pub(super) fn new(name: &OwnerName, set: &RecordSet) -> Self {
        Self { reversed: name.sort_key(), kind: set.kind, set_identifier: set.set_identifier.clone() }
    }

    /// Before all others.
    pub(super) fn least() -> Self {
        Self { reversed: String::new(), kind: RecordType::A, set_identifier: None }
    }
}

/// Where a list begins, by the rules of the API reference for ListResourceRecordSets.
///
/// # Errors
/// When it says too little.
pub(super) fn start_key(start: &ListStart) -> Result<SetKey, ListFault> {
    match (&start.name, &start.kind, &start.set_identifier) {
        (None, Some(_), _) => Err(ListFault::TypeWithoutName),
        (None, None, Some(_)) | (Some(_), None, Some(_)) => Err(ListFault::IdentifierAlone),
        (None, None, None) => Ok(SetKey::least()),
        (Some(name), kind, set_identifier) => {
            let name = OwnerName::parse(name)?;
            let kind = kind.as_ref().map_or(Ok(RecordType::A), |kind| kind.as_str().parse())?;
            Ok(SetKey { reversed: name.sort_key(), kind, set_identifier: set_identifier.clone() })
        }
    }
}
