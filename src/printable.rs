//! What others say, as it may be logged and shown: printable, on one line, and no longer than it is worth. Texts of
//! the world are made so where they come in; what is compared or sent on is not.

/// The most characters of what an API or an engine says that are shown.
pub const SAID_CHARACTERS_MAX: usize = 500;

/// The text in printable ASCII; a control character or one that is not ASCII is escaped. Of a text that is longer than
/// [`SAID_CHARACTERS_MAX`] the first ones are shown.
pub fn printable(text: &str) -> String {
    let text = text.trim();
    let mut shown = String::with_capacity(text.len().min(SAID_CHARACTERS_MAX));
    for character in text.chars().take(SAID_CHARACTERS_MAX) {
        if character == ' ' || character.is_ascii_graphic() {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    if text.chars().nth(SAID_CHARACTERS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

/// So many of something whose plural is its singular and an s: `1 host`, `2 hosts`.
pub fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_what_it_says_and_nobody_obeys_it() {
        let said = "[Tried to create resource record set [name='a\\052.', type='SRV'] but it already exists]";
        assert_eq!(printable(said), said);
        assert_eq!(
            printable(" x\nMAINPID=1\r\u{1b}[2J\u{202e}\u{7f}\u{9b} "),
            r"x\nMAINPID=1\r\u{1b}[2J\u{202e}\u{7f}\u{9b}"
        );
        assert_eq!(printable(&"x".repeat(501)), format!("{}...", "x".repeat(500)));
        assert_eq!(printable(&"x".repeat(500)), "x".repeat(500));
    }
}
