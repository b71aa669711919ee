//! A time, written in a layout.
//!
//! Where an element starts and ends is known to `layout`; this file knows only what to put in its place.

use std::fmt::{Result, Write as _};

use jiff::civil::DateTime;

use crate::layout::{Element, Fraction, Pad, Style, Width, next_element};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Writes `time`, which is in UTC, in the given layout. Every text is a layout.
pub(crate) fn format(layout: &str, time: DateTime) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some((before, element, after)) = next_element(rest) {
        out.push_str(before);
        put(&mut out, element, time).expect("a string takes any text");
        rest = after;
    }
    out + rest
}

fn put(out: &mut String, element: Element, time: DateTime) -> Result {
    match element {
        Element::Year(Width::Full) => write!(out, "{:04}", time.year()),
        Element::Year(Width::TwoDigits) => write!(out, "{:02}", time.year().abs() % 100),
        Element::Month(Style::Number(pad)) => number(out, time.month(), 2, pad),
        Element::Month(style) => name(out, &MONTHS, time.month() - 1, style),
        Element::Weekday(style) => name(out, &WEEKDAYS, time.weekday().to_sunday_zero_offset(), style),
        Element::Day(pad) => number(out, time.day(), 2, pad),
        Element::DayOfYear(pad) => number(out, time.day_of_year(), 3, pad),
        Element::Hour => number(out, time.hour(), 2, Pad::Zero),
        // The hours of a half day are 12, 1, 2, … 11.
        Element::Hour12(pad) => number(out, (time.hour() + 11) % 12 + 1, 2, pad),
        Element::Minute(pad) => number(out, time.minute(), 2, pad),
        Element::Second(pad) => number(out, time.second(), 2, pad),
        Element::Fraction(style) => fraction(out, time.subsec_nanosecond(), style),
        Element::HalfOfDay { upper } => out.write_str(match (time.hour() < 12, upper) {
            (true, true) => "AM",
            (true, false) => "am",
            (false, true) => "PM",
            (false, false) => "pm",
        }),
        Element::Zone(in_utc) => out.write_str(in_utc),
    }
}

fn number(out: &mut String, number: impl Into<i16>, width: usize, pad: Pad) -> Result {
    let number = number.into();
    match pad {
        Pad::None => write!(out, "{number}"),
        Pad::Space => write!(out, "{number:width$}"),
        Pad::Zero => write!(out, "{number:0width$}"),
    }
}

fn name(out: &mut String, names: &[&str], index: i8, style: Style) -> Result {
    let name = names[usize::try_from(index).unwrap_or_default()];
    out.write_str(if style == Style::Long { name } else { &name[..3] })
}

fn fraction(out: &mut String, nanoseconds: i32, style: Fraction) -> Result {
    let nanoseconds = format!("{nanoseconds:09}");
    // There are no more digits than nine to show, whatever the layout asks for.
    let mut digits = &nanoseconds[..style.digits.min(9)];
    if style.trim {
        digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Ok(());
        }
    }
    write!(out, "{}{digits}", style.separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go 1.19 makes of each layout, at each of the instants in the first line.
    const GO: &str = include_str!("go.tsv");

    #[test]
    fn every_layout_is_written_as_go_writes_it() {
        let mut lines = GO.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let instants: Vec<DateTime> = lines.next().unwrap()[1..]
            .iter()
            .map(|instant| instant.strip_suffix('Z').unwrap().parse().unwrap())
            .collect();
        let mut checked = 0;
        for line in lines {
            for (instant, go) in instants.iter().zip(&line[1..]) {
                assert_eq!(format(line[0], *instant), *go, "layout {:?} at {instant}", line[0]);
                checked += 1;
            }
        }
        assert!(checked > 900, "the table lost lines: {checked}");
    }

    #[test]
    fn a_long_layout_takes_time_in_proportion() {
        let time = DateTime::constant(2006, 1, 2, 15, 4, 5, 0);
        assert_eq!(format(&".9".repeat(30_000), time).len(), 0);
        assert_eq!(format(&"9".repeat(60_000), time).len(), 60_000);
        assert_eq!(format(&".0x".repeat(20_000), time).len(), 60_000);
    }

    proptest::proptest! {
        #[test]
        fn no_layout_panics(layout in "[JanuryMondyST0-9_PpmZ:.,é -]{0,40}") {
            format(&layout, DateTime::constant(1, 1, 1, 0, 0, 0, 0));
        }

        #[test]
        fn what_is_no_element_stays(layout in "[a-oq-zÀ-ÿ :/;+]*") {
            proptest::prop_assert_eq!(format(&layout, DateTime::MAX), layout);
        }
    }
}
