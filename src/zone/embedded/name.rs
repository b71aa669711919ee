//! Names as the registry keeps them: lower case, odd octets escaped, ordered by reversed labels.
//!
//! The escapes are octal (`\052` is `*`), as Route 53 reads and writes them; a zone file's are decimal.
//! Source: Route 53 developer guide, "DNS domain name format". Whether a name belongs to a zone is asked
//! here; what may stand under it is not.

use crate::record::list_order;
use std::fmt;

use super::limits::{LABEL_OCTETS_MAX, NAME_OCTETS_MAX};

/// A valid name in the registry's own form. Shown with its final dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnerName {
    /// Labels joined by dots, no final dot; empty for the root. A dot within a label is `\056`.
    text: String,
}

/// Why a text is no name. Shown in the vendor's words where they are known: `DomainLabelEmpty`
/// (external-dns test notes), `DomainLabelTooLong` (external-dns log), `UnsupportedCharacter` (moto).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Two dots in a row, a leading dot, or nothing at all.
    #[error("FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '{0}'")]
    LabelEmpty(String),
    /// A label over 63 octets; it holds the label.
    #[error("FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{0}'")]
    LabelTooLong(String),
    /// Over 255 octets on the wire (the text is assumed).
    #[error("FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '{0}'")]
    NameTooLong(String),
    /// A space, a control or non-ASCII character, or a backslash that starts no octal escape.
    #[error(
        "FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered with '{0}'"
    )]
    Character(String),
}

impl OwnerName {
    /// Reads `text`, with or without its final dot, in any case.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        if text == "." {
            return Ok(Self { text: String::new() });
        }
        let mut normal = String::with_capacity(text.len());
        let mut wire_octets = 1;
        for label in text.strip_suffix('.').unwrap_or(text).split('.') {
            if !normal.is_empty() {
                normal.push('.');
            }
            let octets = unescape(label).ok_or_else(|| NameFault::Character(text.to_owned()))?;
            if octets.is_empty() {
                return Err(NameFault::LabelEmpty(text.to_owned()));
            }
            if octets.len() > LABEL_OCTETS_MAX {
                return Err(NameFault::LabelTooLong(label.to_owned()));
            }
            wire_octets += octets.len() + 1;
            push_label(&mut normal, &octets);
        }
        if wire_octets > NAME_OCTETS_MAX {
            return Err(NameFault::NameTooLong(text.to_owned()));
        }
        Ok(Self { text: normal })
    }

    /// The name of these labels, taken as valid: they come from a parsed DNS message.
    pub(crate) fn from_labels<'a>(labels: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut text = String::new();
        for label in labels {
            if !text.is_empty() {
                text.push('.');
            }
            push_label(&mut text, label);
        }
        Self { text }
    }

    /// The name's text, without the final dot.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The octets of each label, leftmost first; none for the root.
    pub(crate) fn labels(&self) -> Vec<Vec<u8>> {
        let labels = self.text.split('.').filter(|label| !label.is_empty());
        labels.map(|label| unescape(label).unwrap_or_default()).collect()
    }

    /// See [`list_order`].
    pub(crate) fn sort_key(&self) -> String {
        list_order(&self.text)
    }

    /// Whether this name is `zone` or under it.
    pub fn is_in(&self, zone: &Self) -> bool {
        match self.text.strip_suffix(zone.as_str()) {
            Some(rest) => rest.is_empty() || zone.text.is_empty() || rest.ends_with('.'),
            None => false,
        }
    }

    /// The name without its leftmost label; `None` for the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        if self.text.is_empty() {
            return None;
        }
        let text = self.text.split_once('.').map_or("", |(_, rest)| rest);
        Some(Self { text: text.to_owned() })
    }

    /// `*` under this name: what answers for names that do not exist.
    pub(crate) fn wildcard(&self) -> Self {
        Self { text: format!("\\052.{}", self.text) }
    }
}

impl fmt::Display for OwnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.text)
    }
}

/// Appends one label; octets other than `a-z 0-9 - _` become `\ooo`, as the registry lists them.
fn push_label(text: &mut String, octets: &[u8]) {
    for octet in octets.iter().map(u8::to_ascii_lowercase) {
        match octet {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(octet)),
            _ => text.push_str(&format!("\\{octet:03o}")),
        }
    }
}

/// The octets of a label or a quoted string with its octal escapes; `None` for what is neither
/// printable ASCII nor a whole escape.
pub(super) fn unescape(label: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(label.len());
    let mut rest = label.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'\\' {
            let digits = tail.get(..3)?;
            let number = digits.iter().try_fold(0_u16, |sum, digit| match digit {
                b'0'..=b'7' => Some(sum * 8 + u16::from(digit - b'0')),
                _ => None,
            })?;
            octets.push(u8::try_from(number).ok()?);
            rest = tail.get(3..)?;
        } else {
            if !first.is_ascii_graphic() {
                return None;
            }
            octets.push(first);
            rest = tail;
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> OwnerName {
        OwnerName::parse(text).unwrap()
    }

    #[test]
    fn lowers_case_and_drops_the_final_dot() {
        assert_eq!(name("_Web._TCP.SD.Internal.").as_str(), "_web._tcp.sd.internal");
        assert_eq!(name("web.sd.internal").to_string(), "web.sd.internal.");
    }

    #[test]
    fn reads_octal_escapes_and_writes_odd_octets_as_such() {
        assert_eq!(name(r"*.sd").as_str(), r"\052.sd");
        assert_eq!(name(r"\052.sd"), name("*.sd"));
        assert_eq!(name(r"\101\056b.sd").as_str(), r"a\056b.sd");
        assert_eq!(name(r"\101\056b.sd").labels(), [b"a.b".to_vec(), b"sd".to_vec()]);
    }

    #[test]
    fn refuses_what_is_no_name() {
        let label = "a".repeat(64);
        let long = format!("{}.sd", ["a".repeat(63).as_str()].repeat(4).join("."));
        for (text, fault) in [
            ("", NameFault::LabelEmpty(String::new())),
            ("a..b", NameFault::LabelEmpty("a..b".to_owned())),
            (".a", NameFault::LabelEmpty(".a".to_owned())),
            ("a b", NameFault::Character("a b".to_owned())),
            ("bücher.sd", NameFault::Character("bücher.sd".to_owned())),
            (r"\400.sd", NameFault::Character(r"\400.sd".to_owned())),
            (r"\9.sd", NameFault::Character(r"\9.sd".to_owned())),
            (label.as_str(), NameFault::LabelTooLong(label.clone())),
            (long.as_str(), NameFault::NameTooLong(long.clone())),
        ] {
            assert_eq!(OwnerName::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn knows_what_is_in_a_zone() {
        let zone = name("sd.internal");
        for (text, inside) in [
            ("sd.internal", true),
            ("web.sd.internal", true),
            ("a.b.sd.internal", true),
            ("xsd.internal", false),
            ("internal", false),
            (".", false),
        ] {
            assert_eq!(name(text).is_in(&zone), inside, "{text}");
        }
        assert!(name("a.b").is_in(&name(".")));
    }

    #[test]
    fn orders_by_reversed_labels_with_the_final_dot() {
        let mut names = ["a.z.sd", "sd", "b.sd", "a-b.sd", "a.sd"].map(name);
        names.sort_by_key(OwnerName::sort_key);
        // '-' comes before '.', so `sd.a-b.` comes before `sd.a.`: the API reference says so of lists.
        assert_eq!(names.each_ref().map(OwnerName::as_str), ["sd", "a-b.sd", "a.sd", "b.sd", "a.z.sd"]);
    }

    proptest! {
        #[test]
        fn any_labels_survive_their_text(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 1..6)) {
            let lowered: Vec<Vec<u8>> = labels.iter().map(|label| label.to_ascii_lowercase()).collect();
            let name = OwnerName::from_labels(labels.iter().map(Vec::as_slice));
            prop_assert_eq!(name.labels(), lowered);
            prop_assert_eq!(OwnerName::parse(&name.to_string()), Ok(name));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            if let Ok(name) = OwnerName::parse(&text) {
                prop_assert_eq!(OwnerName::parse(&name.to_string()), Ok(name));
            }
        }
    }
}
