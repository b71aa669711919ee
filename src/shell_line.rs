//! A command line of this program for an operator to type: each word as a shell takes it for one.

use std::fmt;

/// The line, word by word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellLine(String);

impl ShellLine {
    /// This program, told which zone.
    pub fn of_zone(zone: &str) -> Self {
        Self(format!("ecssd {}", quoted(zone)))
    }

    /// With this flag, where it has a value.
    #[must_use]
    pub fn with(self, flag: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => Self(format!("{self} {flag} {}", quoted(value.as_ref()))),
            None => self,
        }
    }

    /// With this switch, where it is on.
    #[must_use]
    pub fn switched(self, flag: &str, is_on: bool) -> Self {
        if is_on { Self(format!("{self} {flag}")) } else { self }
    }
}

impl fmt::Display for ShellLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@+=".contains(&byte);
    let plain = !word.is_empty() && word.bytes().all(is_plain);
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        let line = ShellLine::of_zone("sd.internal").with("--endpoint-url", Some("http://it's/?a&b"));
        let line =
            line.with("--hostname", None::<&str>).with("--clusters", Some("")).switched("--local", true);
        let line = line.switched("--sync", false);
        assert_eq!(
            line.to_string(),
            r"ecssd sd.internal --endpoint-url 'http://it'\''s/?a&b' --clusters '' --local"
        );
    }
}
