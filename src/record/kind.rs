//! Which kinds of records there are.

use std::fmt;
use std::str::FromStr;

/// The record types that a private zone of this system can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// An alias of another name.
    Cname,
    /// A name server of the zone.
    Ns,
    /// The start of authority.
    Soa,
    /// A service: priority, weight, port, target.
    Srv,
    /// Text.
    Txt,
}

impl RecordType {
    /// The type's mnemonic, as in a zone file and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A record type outside [`RecordType`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record type {0:?} is not one of A, AAAA, CNAME, NS, SOA, SRV, TXT")]
pub struct UnknownRecordType(pub String);

impl FromStr for RecordType {
    type Err = UnknownRecordType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::A, Self::Aaaa, Self::Cname, Self::Ns, Self::Soa, Self::Srv, Self::Txt]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownRecordType(text.to_owned()))
    }
}
