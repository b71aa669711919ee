//! Numbers as text: where one ends in a formula, and how a result is shown.

/// The length in characters of the number at the start of `text`: digits, with a point among or beside
/// them, and an exponent. No number has length 0.
pub(crate) fn length(text: &[char]) -> usize {
    let digits = |from: usize| text[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    if text.get(end) == Some(&'.') {
        let decimals = digits(end + 1);
        if whole + decimals == 0 {
            return 0;
        }
        end += 1 + decimals;
    }
    if end > 0 && matches!(text.get(end), Some('e' | 'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some('+' | '-')));
        let exponent = digits((end + 1 + sign).min(text.len()));
        // Without digits it is no exponent, and the letter is refused where it stands.
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// Shows a result in full where that is readable, and else with an exponent.
pub(crate) fn show(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-7..1e21).contains(&size) {
        return format!("{value:e}");
    }
    // Adding zero makes a plain zero of a negative one.
    (value + 0.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_ends_where_it_should() {
        for (text, number) in [
            ("12", "12"),
            ("1.5+2", "1.5"),
            (".5", ".5"),
            ("5.", "5."),
            (".", ""),
            ("..", ""),
            ("1.2.3", "1.2"),
            ("1e3x", "1e3"),
            ("1E-3", "1E-3"),
            ("1e+3", "1e+3"),
            ("1e", "1"),
            ("1e+", "1"),
            ("1e-x", "1"),
            ("2.e1", "2.e1"),
            ("e1", ""),
            ("", ""),
            ("x", ""),
        ] {
            let chars: Vec<char> = text.chars().collect();
            assert_eq!(length(&chars), number.len(), "{text:?}");
        }
    }

    #[test]
    fn a_result_is_shown_readably() {
        for (value, text) in [
            (12.0, "12"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"),
            (1e21, "1e21"),
            (-2.5e300, "-2.5e300"),
            (1e-7, "0.0000001"),
            (1e-8, "1e-8"),
        ] {
            assert_eq!(show(value), text);
        }
    }
}
