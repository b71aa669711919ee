//! Settings from the environment: reading them, and refusing a wrong one in words that help.
//!
//! Which settings there are, and their defaults, is up to those who read them.

use std::env;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}={value} is not {wanted}; correct it, or unset it for the default")]
pub struct SettingError {
    /// The variable.
    pub name: &'static str,
    /// What it holds.
    pub value: String,
    /// What it should hold.
    pub wanted: &'static str,
}

/// The variable's text. An empty one counts as unset: composed files often pass those on.
pub fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

/// The variable's value; `None` where it is unset.
pub fn value<T: FromStr>(name: &'static str, wanted: &'static str) -> Result<Option<T>, SettingError> {
    let Some(value) = text(name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| SettingError { name, value, wanted })
}

/// A time span, such as `2s` or `500ms`; a bare number is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(number) = text.strip_suffix("ms") {
            return Ok(Self(Duration::from_millis(number.parse::<u32>()?.into())));
        }
        let number = text.strip_suffix('s').unwrap_or(text);
        // Narrower than a `Duration`, which holds spans that no clock can be told to wait.
        Ok(Self(Duration::from_secs(number.parse::<u32>()?.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_unit_or_is_in_seconds() {
        assert_eq!("2s".parse(), Ok(Span(Duration::from_secs(2))));
        assert_eq!("3".parse(), Ok(Span(Duration::from_secs(3))));
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        assert_eq!("0".parse(), Ok(Span(Duration::ZERO)));
        for wrong in ["", "s", "ms", "-1s", "1.5s", "2 s", "2m", "99999999999s"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_setting_says_what_to_do() {
        let error = SettingError { name: "PORT", value: "http".into(), wanted: "a port number" };
        let text = "PORT=http is not a port number; correct it, or unset it for the default";
        assert_eq!(error.to_string(), text);
    }
}
