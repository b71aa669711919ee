//! The id of a container, as Docker makes it: 64 hex digits.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// 64 lower-case hex digits. Clones share them: each part of the agent that keeps something of a container keeps its id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId(Arc<str>);

/// Something else than 64 lower-case hex digits. It is not repeated: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 64 lower-case hex digits, this is something else of {octets} octets")]
pub struct InvalidContainerId {
    /// How long it is.
    pub octets: usize,
}

impl ContainerId {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits, as Docker shows them.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }

    /// The name under which the address of a container that has its own stands in `zone`.
    pub fn name_in(&self, zone: &str) -> String {
        format!("{}.{zone}", self.short())
    }
}

impl FromStr for ContainerId {
    type Err = InvalidContainerId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for ContainerId {
    type Error = InvalidContainerId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let valid = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(text.into())) } else { Err(InvalidContainerId { octets: text.len() }) }
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_64_lower_case_hex_digits_and_nothing_else() {
        let text = "0123456789abcdef".repeat(4);
        let id: ContainerId = text.parse().unwrap();
        assert_eq!((id.as_str(), id.short()), (text.as_str(), "0123456789ab"));
        for bad in ["", "web", &text[1..], &format!("{text}0"), &text.to_uppercase(), &"é".repeat(32)] {
            assert!(bad.parse::<ContainerId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn travels_as_a_string() {
        let text = "ab".repeat(32);
        let json = format!("\"{text}\"");
        let id: ContainerId = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), json);
        assert!(serde_json::from_str::<ContainerId>("\"web\"").is_err());
    }
}
