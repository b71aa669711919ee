//! The values of record sets: their presentation form, read once, strictly.
//!
//! What the registry stores and compares is the text; what it means is needed twice, to refuse what is
//! wrong and to answer a query, and is read here for both. The refusals have the vendor's words:
//! `ARRDATAIllegalIPv4Address` (gomodules/dns#7), `ARRDATANotSingleField` (danpilch/aws-dyndns#3),
//! `AAAARRDATAIllegalIPv6Address` (seen in clients that match on it), `SRVRRDATANotFourFields`
//! (amazon-archives/service-discovery-ecs-dns#23), `InvalidCharacterString` (binxio/cfn-ses-provider#21).
//! The other codes are assumed, in their manner.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::limits::{TXT_STRING_OCTETS_MAX, TXT_VALUE_OCTETS_MAX};
use super::name::{OwnerName, unescape};
use crate::record::{RecordType, Srv, SrvError};

/// What one value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The target of a CNAME or an NS.
    Name(OwnerName),
    /// The start of authority.
    Soa(Soa),
    /// A service.
    Srv(Srv<OwnerName>),
    /// Character strings, unquoted and unescaped.
    Txt(Vec<Vec<u8>>),
}

/// The fields of an SOA value. Times in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// The primary name server.
    pub mname: OwnerName,
    /// The mailbox of who is responsible.
    pub rname: OwnerName,
    /// The version of the zone; the vendor never changes it.
    pub serial: u32,
    /// How often a secondary looks.
    pub refresh: u32,
    /// How soon a secondary tries again.
    pub retry: u32,
    /// How long a secondary answers without its primary.
    pub expire: u32,
    /// With the SOA's own TTL the bound of a negative answer's TTL.
    pub minimum: u32,
}

/// Why a text is no value, in the vendor's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid Resource Record: 'FATAL problem: {code} ({meaning}) encountered with '{text}''")]
pub struct ValueFault {
    /// The vendor's code.
    pub code: &'static str,
    /// What it stands for.
    pub meaning: &'static str,
    /// The text.
    pub text: String,
}

/// Reads one value of a set of type `kind`.
///
/// # Errors
///
/// When the text is no such value.
pub fn parse(kind: RecordType, text: &str) -> Result<Value, ValueFault> {
    let read = match kind {
        RecordType::A => single_field(text, "ARRDATANotSingleField").and_then(|field| {
            let illegal = ("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address");
            field.parse().map(Value::A).map_err(|_| illegal)
        }),
        RecordType::Aaaa => single_field(text, "AAAARRDATANotSingleField").and_then(|field| {
            let illegal = ("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address");
            field.parse().map(Value::Aaaa).map_err(|_| illegal)
        }),
        RecordType::Cname => single_field(text, "CNAMERRDATANotSingleField").and_then(host).map(Value::Name),
        RecordType::Ns => single_field(text, "NSRRDATANotSingleField").and_then(host).map(Value::Name),
        RecordType::Soa => parse_soa(text),
        RecordType::Srv => parse_srv(text),
        RecordType::Txt => parse_txt(text),
    };
    read.map_err(|(code, meaning)| ValueFault { code, meaning, text: text.to_owned() })
}

/// A code of the vendor's and what it stands for.
type Fault = (&'static str, &'static str);

fn single_field<'a>(text: &'a str, code: &'static str) -> Result<&'a str, Fault> {
    match text.contains(char::is_whitespace) {
        true => Err((code, "Value contains spaces")),
        false => Ok(text),
    }
}

const NO_NAME: Fault = ("InvalidDomainName", "Value is not a valid domain name");

fn host(text: &str) -> Result<OwnerName, Fault> {
    OwnerName::parse(text).map_err(|_| NO_NAME)
}

/// A number in decimal digits alone: no sign, no blank.
fn number<N: std::str::FromStr>(text: &str, fault: Fault) -> Result<N, Fault> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or(fault)
}

fn parse_srv(text: &str) -> Result<Value, Fault> {
    let srv: Srv = text.parse().map_err(|error| match error {
        SrvError::NotFourFields => ("SRVRRDATANotFourFields", "SRV record doesn't have 4 fields"),
        SrvError::Priority => ("SRVRRDATAIllegalPriority", "Priority is not a number from 0 to 65535"),
        SrvError::Weight => ("SRVRRDATAIllegalWeight", "Weight is not a number from 0 to 65535"),
        SrvError::Port => ("SRVRRDATAIllegalPort", "Port is not a number from 0 to 65535"),
        SrvError::Target => NO_NAME,
    })?;
    let target = host(&format!("{}.", srv.target))?;
    Ok(Value::Srv(srv.with_target(target)))
}

fn parse_soa(text: &str) -> Result<Value, Fault> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let &[mname, rname, serial, refresh, retry, expire, minimum] = fields.as_slice() else {
        return Err(("SOARRDATANotSevenFields", "SOA record doesn't have 7 fields"));
    };
    let seconds = |text| match number(text, ("SOARRDATAIllegalNumber", "Value is not a 31-bit number"))? {
        // hickory holds some of them as i32, and RFC 2181 gives a TTL 31 bits.
        value if value > i32::MAX as u32 => Err(("SOARRDATAIllegalNumber", "Value is not a 31-bit number")),
        value => Ok(value),
    };
    Ok(Value::Soa(Soa {
        mname: host(mname)?,
        rname: host(rname)?,
        serial: number(serial, ("SOARRDATAIllegalNumber", "Serial is not a 32-bit number"))?,
        refresh: seconds(refresh)?,
        retry: seconds(retry)?,
        expire: seconds(expire)?,
        minimum: seconds(minimum)?,
    }))
}

/// One or more strings in quotation marks, blanks between them; `\"`, `\\` and octal escapes within.
fn parse_txt(text: &str) -> Result<Value, Fault> {
    const UNQUOTED: Fault = ("InvalidCharacterString", "Value should be enclosed in quotation marks");
    let mut strings = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let inner = rest.strip_prefix('"').ok_or(UNQUOTED)?;
        let end = closing_quote(inner).ok_or(UNQUOTED)?;
        let octets =
            unquote(&inner[..end]).ok_or(("InvalidCharacterString", "Value has an illegal character"))?;
        if octets.len() > TXT_STRING_OCTETS_MAX {
            return Err(("CharacterStringTooLong", "Value is too long"));
        }
        strings.push(octets);
        rest = &inner[end + 1..];
        match rest.strip_prefix([' ', '\t']) {
            Some(_) => rest = rest.trim_start_matches([' ', '\t']),
            None if rest.is_empty() => {}
            None => return Err(UNQUOTED),
        }
    }
    match strings.iter().map(Vec::len).sum::<usize>() {
        _ if strings.is_empty() => Err(UNQUOTED),
        octets if octets > TXT_VALUE_OCTETS_MAX => Err(("CharacterStringTooLong", "Value is too long")),
        _ => Ok(Value::Txt(strings)),
    }
}

/// Where the quotation mark is that no backslash escapes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|octet| {
        let closes = octet == b'"' && !escaped;
        escaped = octet == b'\\' && !escaped;
        closes
    })
}

fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match (first, rest.get(1..2)) {
            ('\\', Some("\"" | "\\")) => {
                octets.push(rest.as_bytes()[1]);
                2
            }
            ('\\', _) => {
                octets.extend(unescape(rest.get(..4)?)?);
                4
            }
            (' '..='~', _) => {
                octets.push(first as u8);
                1
            }
            _ => return None,
        };
        rest = &rest[taken..];
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [RecordType; 7] = [
        RecordType::A,
        RecordType::Aaaa,
        RecordType::Cname,
        RecordType::Ns,
        RecordType::Soa,
        RecordType::Srv,
        RecordType::Txt,
    ];

    #[test]
    fn reads_what_the_agent_writes() {
        let target = OwnerName::parse("i-0abc.sd.internal").unwrap();
        let srv = Value::Srv(Srv { priority: 1, weight: 1, port: 32768, target });
        assert_eq!(parse(RecordType::Srv, "1 1 32768 i-0abc.sd.internal"), Ok(srv));
        assert_eq!(parse(RecordType::A, "10.0.0.7"), Ok(Value::A(Ipv4Addr::new(10, 0, 0, 7))));
    }

    #[test]
    fn refuses_in_the_words_of_the_vendor() {
        for (kind, text, code) in [
            (RecordType::A, "10.0.0.256", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
            (RecordType::A, "10.0.0.01", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
            (RecordType::A, "10.0.0.1, 10.0.0.2", "ARRDATANotSingleField (Value contains spaces)"),
            (
                RecordType::Aaaa,
                "10.0.0.1",
                "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)",
            ),
            (RecordType::Srv, "1 1", "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"),
            (RecordType::Srv, "1 1 80 a b", "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"),
            (RecordType::Srv, "1 1 99999 a", "SRVRRDATAIllegalPort (Port is not a number from 0 to 65535)"),
            (
                RecordType::Srv,
                "+1 1 80 a",
                "SRVRRDATAIllegalPriority (Priority is not a number from 0 to 65535)",
            ),
            (
                RecordType::Txt,
                "plain",
                "InvalidCharacterString (Value should be enclosed in quotation marks)",
            ),
            (RecordType::Cname, "a..b", "InvalidDomainName (Value is not a valid domain name)"),
        ] {
            let expected =
                format!("Invalid Resource Record: 'FATAL problem: {code} encountered with '{text}''");
            assert_eq!(parse(kind, text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn reads_quoted_strings_with_their_escapes() {
        let txt = |text: &str| parse(RecordType::Txt, text);
        assert_eq!(txt(r#""a" "b c""#), Ok(Value::Txt(vec![b"a".to_vec(), b"b c".to_vec()])));
        assert_eq!(txt(r#""say \"hi\" \\ \101""#), Ok(Value::Txt(vec![br#"say "hi" \ A"#.to_vec()])));
        assert_eq!(txt(r#""""#), Ok(Value::Txt(vec![vec![]])));
        for wrong in ["", "\"", "\"a", "a\"", "\"a\"\"b\"", "\"a\\\"", "\"\u{fc}\"", "\"\\9\""] {
            assert!(txt(wrong).is_err(), "{wrong}");
        }
        assert!(txt(&format!("\"{}\"", "x".repeat(255))).is_ok());
        assert!(txt(&format!("\"{}\"", "x".repeat(256))).is_err());
        assert!(txt(&[format!("\"{}\"", "x".repeat(250)).as_str()].repeat(17).join(" ")).is_err());
    }

    #[test]
    fn reads_the_vendors_soa() {
        let text = "ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
        let Ok(Value::Soa(soa)) = parse(RecordType::Soa, text) else { panic!("{text}") };
        assert_eq!((soa.serial, soa.expire, soa.minimum), (1, 1_209_600, 86_400));
        assert!(parse(RecordType::Soa, "a. b. 1 2 3 4").is_err());
        assert!(parse(RecordType::Soa, "a. b. 1 2 3 4 2147483648").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(kind in prop::sample::select(&KINDS[..]), text in r#"[ -~"\\\\ü]{0,40}"#) {
            let _ = parse(kind, &text);
        }
    }
}
