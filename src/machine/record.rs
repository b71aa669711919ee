//! Record sets as a registry speaks of them, and the changes that are asked of it.
//!
//! These types have the shape of the Route 53 API, and hold whatever it may say or be told; what *this*
//! system writes, with its owner marks, is made elsewhere and always valid. Rules of a
//! registry (limits, exact deletes, one TTL in a group) belong to the registries, not here.

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

/// A resource record set, in the shape of the API. Not validated: a registry refuses what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct RecordSet {
    /// The owner name, with or without the final dot, in any case.
    pub name: String,
    /// The record type.
    pub kind: RecordType,
    /// Tells sets of one name and type apart; 1 to 128 characters. `None` for a simple set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_identifier: Option<String>,
    /// The share of answers, 0 to 255, of a weighted set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
    /// Whether this is a multivalue-answer set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multivalue: bool,
    /// Seconds that a resolver may keep the answer.
    pub ttl: i64,
    /// The values in presentation form, such as `1 1 32768 host.zone`.
    pub values: Vec<String>,
}

impl RecordSet {
    /// The same set with its name in the form that names are compared in: registries list them with the
    /// final dot.
    pub fn canonical(mut self) -> Self {
        self.name = canonical(&self.name);
        self
    }

    /// What identifies this set in its zone.
    pub fn key(&self) -> Key {
        Key { name: canonical(&self.name), kind: self.kind, set_identifier: self.set_identifier.clone() }
    }
}

/// One line for a log or a plan, in the manner of `dig`.
impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {} IN {} {}", canonical(&self.name), self.ttl, self.kind, self.values.join(", "))?;
        if let Some(weight) = self.weight {
            write!(f, " ; weight {weight}")?;
        }
        match &self.set_identifier {
            Some(id) => write!(f, " ; {id}"),
            None => Ok(()),
        }
    }
}

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

/// A DNS name in the form that keys are compared by: lower case, no final dot.
pub fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// What lists sort names by: the labels reversed, with a final dot (`internal.sd.web.`), octet by octet. The
/// names under a name share its key as a prefix.
/// Source: Route 53 API reference, ListResourceRecordSets.
pub fn list_order(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 1);
    for label in name.strip_suffix('.').unwrap_or(name).rsplit('.') {
        key.push_str(label);
        key.push('.');
    }
    key
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_sort_the_text_of_reversed_labels_with_its_final_dot() {
        assert_eq!(list_order("_web._tcp.sd.internal."), "internal.sd._tcp._web.");
        // A hyphen comes before the dot, and so a longer label before the shorter that it begins with.
        assert!(list_order("web-api.sd.internal") < list_order("web.sd.internal"));
        assert!(list_order("sd.internal") < list_order("a.sd.internal"));
    }
}
