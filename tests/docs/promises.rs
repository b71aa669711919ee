//! `SPEC.md` is held to the tests: each line names a test that is there and a command that runs it, and a figure is read
//! from there by its test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ecssd_testing::spec::Figure;

use crate::page::{Page, ROOT, files, spans};

/// The rows of the table with these columns, without its head.
fn table(columns: &[&str]) -> Vec<Vec<String>> {
    let tables = Page::read("SPEC.md".into()).tables();
    let found = tables.into_iter().find(|table| table[0] == columns);
    let mut rows = found.unwrap_or_else(|| panic!("SPEC.md has no table of {columns:?}"));
    rows.remove(0);
    rows
}

/// The text of a file, or of all of a folder's.
fn text(path: &str) -> String {
    let place = Path::new(ROOT).join(path.split(' ').next().unwrap());
    if place.is_dir() {
        return files(path, ".rs").into_iter().map(|(_, text)| text).collect();
    }
    fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
}

fn runs(command: &str) {
    let known = ["tests/run", "tests/full"].into_iter().find_map(|runner| {
        let step = command.strip_prefix(runner)?.trim();
        Some(text(runner).contains(&format!("\nstep_{step}()")))
    });
    assert_eq!(known, Some(true), "SPEC.md: nothing is run by `{command}`");
}

#[test]
fn every_figure_is_one_that_its_test_judges_by() {
    let rows = table(&["line", "promise", "figure", "test", "command"]);
    assert!(rows.len() > 20, "{} figures: are they read at all?", rows.len());
    let mut lines = BTreeSet::new();
    for row in &rows {
        let [line, test, command] = [0, 3, 4].map(|cell| row[cell].trim_matches('`').to_owned());
        assert!(Figure::parse(&row[2]).is_some(), "SPEC.md, {line}: {:?} is no figure", row[2]);
        let judges = text(&test).contains(&format!("\"{line}\""));
        assert!(judges, "SPEC.md, {line}: {test} does not judge by it");
        runs(&command);
        assert!(lines.insert(line.clone()), "SPEC.md has two lines {line}");
    }
    // Where a line's name does not stand in the call itself, the panic of `spec::promised` says that it is missing.
    let named = files("tests", ".rs").into_iter().flat_map(|(_, text)| judged_by(&text));
    let missing: Vec<_> = named.filter(|line| !lines.contains(line)).collect();
    assert!(missing.is_empty(), "SPEC.md has no lines {missing:?}");
}

/// The lines that a source names as it judges.
fn judged_by(text: &str) -> Vec<String> {
    let calls = ["judge", "number", "promised"].map(|call| format!("spec::{call}(\""));
    let named = calls.iter().flat_map(|call| text.split(call.as_str()).skip(1));
    named.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[test]
fn every_promise_names_a_test_that_is_there_and_what_runs_it() {
    let rows = table(&["promise", "test", "command"]);
    assert!(rows.len() > 20, "{} promises: are they read at all?", rows.len());
    for row in &rows {
        let [promise, shown, commands] = &row[..] else { panic!("a promise and what shows it: {row:?}") };
        let named = spans(shown);
        let (paths, tests): (Vec<_>, Vec<_>) = named.iter().partition(|span| span.contains('/'));
        assert!(!paths.is_empty(), "nothing shows that {promise}");
        let text: String = paths.iter().map(|path| text(path)).collect();
        for test in tests {
            assert!(text.contains(&format!("fn {test}()")), "{promise}: no test {test} in {paths:?}");
        }
        let commands = spans(commands);
        assert!(!commands.is_empty(), "{promise}: nothing runs it");
        commands.iter().for_each(|command| runs(command));
    }
}
