//! A check by HTTP as a container asks for it: what is asked, and which answers pass.
//!
//! Asking is for [`crate::edge::check`].

use std::fmt;

use super::quote::{character, quoted};

/// The lowest and the highest status that ends an exchange (RFC 9110, section 15): 1xx are not the answer yet.
const FINAL_STATUSES: (u16, u16) = (200, 599);

/// The most characters of a host, its port included: the longest name of DNS, and `:65535`.
pub(super) const HOST_CHARACTERS_MAX: usize = 253 + 6;

/// A GET, and what of its answers passes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpCheck {
    /// Over TLS. Whose certificate it is, is not verified: a check knows an address, and certificates have names.
    pub tls: bool,
    /// The path with its query: begins with `/`, printable ASCII, no space, no fragment, at most
    /// [`PATH_CHARACTERS_MAX`](super::PATH_CHARACTERS_MAX).
    pub path: String,
    /// What its `Host` says, and over TLS the name that it asks for; the address and port that it connects to, unless
    /// set.
    pub host: Option<String>,
    /// Which answers pass.
    pub statuses: Statuses,
}

impl HttpCheck {
    /// One without TLS, for whatever host is there, that passes by the usual answers; boxed, as checks hold it.
    pub fn of_path(path: impl Into<String>) -> Box<Self> {
        Box::new(Self { tls: false, path: path.into(), host: None, statuses: Statuses::default() })
    }
}

impl fmt::Display for HttpCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GET {}", self.path)?;
        if let Some(host) = &self.host {
            write!(f, " of {host}")?;
        }
        if self.statuses != Statuses::default() {
            write!(f, ", {}", self.statuses)?;
        }
        if self.tls {
            f.write_str(", over TLS, certificate not verified")?;
        }
        Ok(())
    }
}

/// A set of statuses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statuses(
    /// First and last of each range, in order, with a gap between any two.
    Vec<(u16, u16)>,
);

impl Default for Statuses {
    /// Success and redirection.
    fn default() -> Self {
        Self(vec![(200, 399)])
    }
}

impl Statuses {
    /// Whether an answer of this status passes.
    pub fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&status))
    }

    fn of(mut ranges: Vec<(u16, u16)>) -> Self {
        ranges.sort_unstable();
        let mut apart: Vec<(u16, u16)> = Vec::new();
        for (first, last) in ranges {
            match apart.last_mut() {
                Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
                _ => apart.push((first, last)),
            }
        }
        Self(apart)
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
        }
        Ok(())
    }
}

/// `200-399,401`; or a reason that quotes what of it is wrong.
pub(super) fn statuses(value: &str) -> Result<Statuses, String> {
    let ranges = value.split(',').map(str::trim_ascii).map(|text| {
        range(text).ok_or_else(|| {
            let (first, last) = FINAL_STATUSES;
            format!("{} is not a status from {first} to {last}, or a range such as 200-399", quoted(text))
        })
    });
    Ok(Statuses::of(ranges.collect::<Result<_, _>>()?))
}

fn range(text: &str) -> Option<(u16, u16)> {
    let status = |digits: &str| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let status = digits.parse().ok().filter(|_| is_number)?;
        (FINAL_STATUSES.0..=FINAL_STATUSES.1).contains(&status).then_some(status)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (status(first.trim_ascii_end())?, status(last.trim_ascii_start())?);
    (first <= last).then_some((first, last))
}

/// A name or an IPv4 address, and a port where it is not the scheme's; or a reason that quotes the value.
pub(super) fn host(value: &str) -> Result<String, String> {
    let (name, port) = match value.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (value, None),
    };
    if value.len() > HOST_CHARACTERS_MAX {
        let length = value.len();
        return Err(format!(
            "{} is a host of {length} characters; {HOST_CHARACTERS_MAX} is the most",
            quoted(value)
        ));
    }
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(other) = name.chars().find(|c| !fits(c)) {
        let other = character(other);
        return Err(format!("{} has {other}; a host is a name such as shop.internal", quoted(value)));
    }
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if name.trim_matches('.').is_empty() || port.is_some_and(|port| !is_port(port)) {
        return Err(format!("{} is not a host such as shop.internal or shop.internal:8080", quoted(value)));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_a_set_however_they_are_written() {
        let read = |value: &str| statuses(value).unwrap().to_string();
        for (value, set) in [
            ("200", "200"),
            ("200-399", "200-399"),
            ("200-399,401", "200-399,401"),
            (" 401 , 200 - 399 ", "200-399,401"),
            ("204,200,201,202,203", "200-204"),
            ("200-300,250-260,299-301", "200-301"),
            ("200-599", "200-599"),
        ] {
            assert_eq!(read(value), set, "{value}");
            assert_eq!(read(&read(value)), set, "{value}, twice");
        }
        let some = statuses("200-399,401").unwrap();
        let passing: Vec<u16> = (0..=999).filter(|&status| some.contain(status)).collect();
        let expected: Vec<u16> = (200..=399).chain([401]).collect();
        assert_eq!(passing, expected);
        assert_eq!(statuses("200-399"), Ok(Statuses::default()));
    }

    #[test]
    fn what_is_no_set_of_statuses_is_quoted() {
        for bad in [
            "", ",", "200,", "2xx", "199", "600", "100", "300-200", "+200", "200-", "-200", "200--201",
            "99999",
        ] {
            assert!(statuses(bad).unwrap_err().contains(" is not a status from 200 to 599"), "{bad}");
        }
        assert!(statuses("200,4o1").unwrap_err().starts_with("4o1 "));
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_a_port() {
        for good in ["shop.internal", "shop.internal.", "10.0.0.1", "a_b:8080", "SHOP", "x:65535"] {
            assert_eq!(host(good), Ok(good.to_owned()));
        }
        for bad in
            ["", ".", ":80", "x:", "x:0", "x:65536", "x:+1", "x:1:2", "[::1]", "a b", "a/b", "a\r\nX: y"]
        {
            assert!(host(bad).is_err(), "{bad}");
        }
        assert!(host(&"a".repeat(HOST_CHARACTERS_MAX)).is_ok());
        assert!(host(&"a".repeat(HOST_CHARACTERS_MAX + 1)).is_err());
    }

    #[test]
    fn shows_what_is_asked_and_that_no_certificate_is_verified() {
        let plain = HttpCheck::of_path("/up");
        assert_eq!(plain.to_string(), "GET /up");
        let all = HttpCheck {
            tls: true,
            host: Some("shop.internal".to_owned()),
            statuses: statuses("200,401").unwrap(),
            ..*plain
        };
        assert_eq!(all.to_string(), "GET /up of shop.internal, 200,401, over TLS, certificate not verified");
    }
}
