//! The language of layouts: how a layout falls apart into elements and the text between them.
//!
//! It is Go's. A layout shows how the reference time, `Mon Jan 2 15:04:05 MST 2006`, would be written, and
//! each part of that time stands for the same part of another. What an element becomes is decided in
//! `format`; which texts are elements, here, and to the letter as in Go:
//! the order of the checks below is that of `nextStdChunk` in its package `time`.

/// A part of a time, and how it is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Year(Width),
    Month(Style),
    Weekday(Style),
    Day(Pad),
    DayOfYear(Pad),
    Hour,
    Hour12(Pad),
    Minute(Pad),
    Second(Pad),
    Fraction(Fraction),
    HalfOfDay {
        upper: bool,
    },
    /// The zone's name or its distance from UTC: this service is always in UTC, and they are constants.
    Zone(&'static str),
}

/// How a year is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Full,
    TwoDigits,
}

/// How a month or a day of the week is written. Only months are written as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Long,
    Short,
    Number(Pad),
}

/// What fills a number up to the width of its greatest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pad {
    None,
    Space,
    Zero,
}

/// How a fraction of a second is written, its separator included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    pub(crate) separator: char,
    pub(crate) digits: usize,
    /// Zeros at the end are left out, and so is the separator where nothing remains.
    pub(crate) trim: bool,
}

/// The first element of `layout`, with the texts before and after it.
pub(crate) fn next_element(layout: &str) -> Option<(&str, Element, &str)> {
    let starts = layout.char_indices();
    starts.filter(|(_, first)| first.is_ascii()).find_map(|(start, _)| {
        let (before, rest) = layout.split_at(start);
        let (element, length) = element_at(rest)?;
        Some((before, element, &rest[length..]))
    })
}

/// The element that `rest` starts with, and its length in the layout.
fn element_at(rest: &str) -> Option<(Element, usize)> {
    match rest.as_bytes()[0] {
        b'.' | b',' => fraction(rest),
        // `_2006` is an underscore before a year, and not a day before `006`.
        b'_' if rest.starts_with("_2006") => None,
        _ => WORDS.iter().find_map(|&(text, element)| {
            let after = rest.strip_prefix(text)?;
            // `Month` and `Janet` are words of their own.
            let in_a_word =
                matches!(text, "Jan" | "Mon") && after.starts_with(|c: char| c.is_ascii_lowercase());
            (!in_a_word).then_some((element, text.len()))
        }),
    }
}

/// A separator and a run of `0` or of `9`, unless more digits follow: then it is a number.
fn fraction(rest: &str) -> Option<(Element, usize)> {
    let (separator, digits) = (rest.chars().next()?, &rest[1..]);
    let digit = digits.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let after = digits.trim_start_matches(digit);
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.len() - after.len();
    Some((Element::Fraction(Fraction { separator, digits, trim: digit == '9' }), 1 + digits))
}

/// The elements with a fixed text. Of those with a common beginning, the first that fits counts.
const WORDS: [(&str, Element); 33] = [
    ("January", Element::Month(Style::Long)),
    ("Jan", Element::Month(Style::Short)),
    ("Monday", Element::Weekday(Style::Long)),
    ("Mon", Element::Weekday(Style::Short)),
    ("MST", Element::Zone("UTC")),
    ("01", Element::Month(Style::Number(Pad::Zero))),
    ("02", Element::Day(Pad::Zero)),
    ("03", Element::Hour12(Pad::Zero)),
    ("04", Element::Minute(Pad::Zero)),
    ("05", Element::Second(Pad::Zero)),
    ("06", Element::Year(Width::TwoDigits)),
    ("002", Element::DayOfYear(Pad::Zero)),
    ("15", Element::Hour),
    ("1", Element::Month(Style::Number(Pad::None))),
    ("2006", Element::Year(Width::Full)),
    ("2", Element::Day(Pad::None)),
    ("_2", Element::Day(Pad::Space)),
    ("__2", Element::DayOfYear(Pad::Space)),
    ("3", Element::Hour12(Pad::None)),
    ("4", Element::Minute(Pad::None)),
    ("5", Element::Second(Pad::None)),
    ("PM", Element::HalfOfDay { upper: true }),
    ("pm", Element::HalfOfDay { upper: false }),
    ("-070000", Element::Zone("+000000")),
    ("-07:00:00", Element::Zone("+00:00:00")),
    ("-0700", Element::Zone("+0000")),
    ("-07:00", Element::Zone("+00:00")),
    ("-07", Element::Zone("+00")),
    ("Z070000", Element::Zone("Z")),
    ("Z07:00:00", Element::Zone("Z")),
    ("Z0700", Element::Zone("Z")),
    ("Z07:00", Element::Zone("Z")),
    ("Z07", Element::Zone("Z")),
];
