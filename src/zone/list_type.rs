//! The record types that a list may begin at: all that a registry has.

use std::borrow::Cow;

use crate::record::RecordType;

/// A record type by its mnemonic, as in the API: one of ours, or one that only others write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListType(Cow<'static, str>);

impl ListType {
    /// Its mnemonic.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RecordType> for ListType {
    fn from(kind: RecordType) -> Self {
        Self(kind.as_str().into())
    }
}

impl From<String> for ListType {
    fn from(mnemonic: String) -> Self {
        Self(mnemonic.into())
    }
}

impl PartialEq<RecordType> for ListType {
    fn eq(&self, kind: &RecordType) -> bool {
        self.0 == kind.as_str()
    }
}
