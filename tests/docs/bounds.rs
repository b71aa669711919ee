//! The bounds of `SECURITY.md` are held to the source: each figure is that of a constant, and its test is there.

use std::fs;
use std::path::Path;

use crate::page::{Page, ROOT, spans};

#[test]
fn every_bound_is_that_of_the_source_and_has_a_test() {
    let tables = Page::read("SECURITY.md".into()).tables();
    let columns = ["input", "from", "at most", "figure in", "test"];
    let rows =
        tables.into_iter().find(|table| table[0] == columns).expect("SECURITY.md has a table of bounds");
    assert!(rows.len() > 25, "{} bounds: are they read at all?", rows.len());
    for row in &rows[1..] {
        let place = format!("SECURITY.md, {}", row[0]);
        let test = row[4].trim_matches('`');
        let path = Path::new(ROOT).join(test);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{place}: {test}: {error}"));
        assert!(text.contains("#[test]") || text.contains("::test]"), "{place}: no test in {test}");
        let figure = spans(&row[3]);
        let source = fs::read_to_string(Path::new(ROOT).join(&figure[0])).unwrap();
        let Some(name) = figure.get(1) else { continue };
        let line = source.lines().find(|line| line.contains(&format!("const {name}: ")));
        let line = line.unwrap_or_else(|| panic!("{place}: {} has no {name}", figure[0]));
        let value = line.split(" = ").nth(1).and_then(|value| value.strip_suffix(';')).unwrap();
        assert_eq!(read(value), said(&row[2]), "{place}: {value} is not {}", row[2]);
    }
}

/// What a constant is, in octets, seconds, or as a count.
fn read(value: &str) -> u64 {
    let value =
        value.strip_prefix("Duration::from_secs(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(value);
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
    match (value.split_once("<<"), value.split_once('*')) {
        (Some((one, by)), _) => number(one) << number(by),
        (_, Some((one, other))) => number(one) * number(other),
        _ => number(value),
    }
}

/// What the page says.
fn said(cell: &str) -> u64 {
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let number: u64 = number.replace(',', "").parse().unwrap_or_else(|_| panic!("{cell} is no figure"));
    match unit {
        "KiB" => number << 10,
        "MiB" => number << 20,
        "" | "s" => number,
        unit => panic!("{cell}: {unit} is no unit"),
    }
}
