//! How a value of a container is shown to an operator: cut, and without anything that a log or a terminal
//! would obey.

/// The most characters of a value that a message shows.
const QUOTED_CHARACTERS_MAX: usize = 64;

/// The value in printable ASCII, cut to [`QUOTED_CHARACTERS_MAX`] characters of the original.
pub(super) fn quoted(value: &str) -> String {
    if value.is_empty() {
        return "an empty value".to_owned();
    }
    escaped(value)
}

/// Likewise, with nothing for nothing.
pub(super) fn escaped(value: &str) -> String {
    let mut shown: String =
        value.chars().take(QUOTED_CHARACTERS_MAX).flat_map(char::escape_default).collect();
    if value.chars().nth(QUOTED_CHARACTERS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

/// One character that is out of place.
pub(super) fn character(c: char) -> String {
    if c == ' ' { "a space".to_owned() } else { c.escape_default().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_long_values_and_escapes_what_a_terminal_would_obey() {
        assert_eq!(quoted("_web._tcp"), "_web._tcp");
        assert_eq!(quoted(""), "an empty value");
        assert_eq!(quoted("a\nb\u{1b}[2Jc\u{202e}d"), r"a\nb\u{1b}[2Jc\u{202e}d");
        assert_eq!(quoted(&"x".repeat(64)), "x".repeat(64));
        assert_eq!(quoted(&"ü".repeat(65)), format!("{}...", r"\u{fc}".repeat(64)));
    }
}
