//! What the pages name exists: flags, variables, files, tests, steps, and what the log says. And what there is to set is
//! named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use ecssd_testing::process::output;

use crate::page::{Page, ROOT, files, spans};

/// Flags of others that the pages name, and whose they are: a program of this repository, or somebody else's.
const OTHERS_FLAGS: &[(&str, &str)] = &[
    ("--again", "tests/mutants/run"),
    ("--bucket", "deploy/publish"),
    ("--cap-drop", "docker"),
    ("--check", "deploy/demo"),
    ("--cli-input-json", "aws"),
    ("--cluster", "aws"),
    ("--detach", "docker"),
    ("--dns", "docker"),
    ("--down", "deploy/demo"),
    ("--http-put-response-hop-limit", "aws"),
    ("--ignore-missing", "sha256sum"),
    ("--list", "tests/lib.sh"),
    ("--name", "docker"),
    ("--network", "docker"),
    ("--no-block", "systemctl"),
    ("--now", "systemctl"),
    ("--read-only", "docker"),
    ("--release", "cargo"),
    ("--repository", "deploy/publish"),
    ("--restart", "docker"),
    ("--seed", "tests/simulate"),
    ("--seeds", "tests/simulate"),
    ("--service", "aws"),
    ("--stop-signal", "docker"),
    ("--stop-timeout", "docker"),
    ("--task-definition", "aws"),
    ("--up", "deploy/demo"),
    ("--user", "docker"),
    ("--volume", "docker"),
];

#[test]
fn flags_and_variables_are_those_of_the_help_and_all_of_them_are_explained() {
    let help = output(Command::new(env!("CARGO_BIN_EXE_ecssd")).arg("--help"));
    // Of its text only what it lists: its examples name those of others.
    let listed =
        help.lines().map(str::trim).filter(|line| line.starts_with('-') || line.starts_with("[ZONE]"));
    let listed: Vec<&str> = listed.collect();
    let flags: BTreeSet<_> = listed.iter().filter_map(|line| words(line, "--").into_iter().next()).collect();
    let variables: BTreeSet<_> = listed.iter().flat_map(|line| words(line, "ECSSD_")).collect();
    assert!(flags.len() > 30 && variables.len() > 30, "the help is not understood: {help}");

    let (mut named, mut named_variables) = (BTreeSet::new(), BTreeSet::new());
    for page in Page::all() {
        named.extend(words(&page.everything(), "--"));
        named_variables.extend(words(&page.everything(), "ECSSD_"));
    }
    let others: BTreeSet<_> = OTHERS_FLAGS.iter().map(|(flag, _)| (*flag).to_owned()).collect();
    let unknown: Vec<_> =
        named.iter().filter(|flag| !flags.contains(*flag) && !others.contains(*flag)).collect();
    assert!(unknown.is_empty(), "no flags of ecssd, nor of others that are listed in this test: {unknown:?}");
    let missing: Vec<_> = flags.difference(&named).collect();
    assert!(missing.is_empty(), "flags that no page explains: {missing:?}");

    for (flag, owner) in OTHERS_FLAGS {
        assert!(named.contains(*flag), "{flag} is listed in this test, and no page names it");
        let known = !owner.contains('/') || read(owner).contains(flag);
        assert!(known, "{owner} does not know {flag}");
    }

    let scripts: String = ["tests/run", "tests/lib.sh", "tests/full", "tests/simulate"].map(read).concat();
    let tests: String = files("tests/support/src", ".rs").into_iter().map(|(_, text)| text).collect();
    let exists =
        |name: &&String| variables.contains(*name) || scripts.contains(*name) || tests.contains(*name);
    let unknown: Vec<_> = named_variables.iter().filter(|name| !exists(name)).collect();
    assert!(unknown.is_empty(), "variables that nobody reads: {unknown:?}");
}

#[test]
fn every_file_and_every_step_that_is_named_is_there() {
    let mut seen = 0;
    for page in Page::all() {
        for span in page.spans() {
            let mut words = span.split(' ');
            let path = words.next().unwrap_or_default();
            if !["deploy/", "docs/", "fuzz/", "src/", "tests/"].iter().any(|room| path.starts_with(room)) {
                continue;
            }
            seen += 1;
            let place = format!("{}: `{span}`", page.path.display());
            assert!(Path::new(ROOT).join(path).exists(), "{place}: there is no such file");
            if let (true, Some(step)) = (["tests/run", "tests/full"].contains(&path), words.next()) {
                let known = step.starts_with("--") || read(path).contains(&format!("\nstep_{step}()"));
                assert!(known, "{place}: there is no such step");
            }
        }
    }
    assert!(seen > 50, "{seen} files: are they read at all?");
}

/// What the programs call, a policy has to allow; and a policy allows no more.
#[test]
fn the_permissions_are_those_of_the_calls() {
    let page = Page::read("docs/iam.md".into());
    let named: BTreeSet<_> =
        page.spans().iter().filter_map(|span| Some(span.split_once(':')?.1.to_owned())).collect();
    let source: String = files("src", ".rs").into_iter().map(|(_, text)| text).collect();
    let dense: String = source.split_whitespace().collect();
    let calls: BTreeSet<_> =
        dense.split("client.").skip(1).filter_map(|rest| call(rest.split_once("()")?.0)).collect();
    assert!(calls.len() > 12, "{calls:?}: are they read at all?");
    for call in &calls {
        assert!(named.contains(call), "docs/iam.md does not name {call}");
    }
    for action in
        page.spans().iter().filter(|span| ["route53:", "ecs:"].iter().any(|at| span.starts_with(at)))
    {
        let name = action.split_once(':').unwrap().1;
        // The keys of conditions are no calls.
        let called = calls.contains(name) || name.starts_with("ChangeResourceRecordSetsNormalized");
        assert!(called, "nothing calls {action}");
    }
}

/// The API's name of an SDK's method, if it is one.
fn call(method: &str) -> Option<String> {
    let verb = method.split_once('_')?.0;
    let is_name = method.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !is_name || !["change", "describe", "get", "list", "stop"].contains(&verb) {
        return None;
    }
    let capital =
        |word: &str| if word == "vpc" { "VPC".to_owned() } else { word[..1].to_uppercase() + &word[1..] };
    Some(method.split('_').map(capital).collect())
}

/// What a table tells operators to look for in the log is what the source says.
#[test]
fn what_the_log_is_said_to_say_stands_in_the_source() {
    let source: String = files("src", ".rs").into_iter().map(|(_, text)| joined(&text)).collect();
    let mut seen = 0;
    for page in Page::all() {
        for table in page.tables().iter().filter(|table| table[0][0] == "the log says") {
            for message in table[1..].iter().flat_map(|row| spans(&row[0])) {
                // A key of a container is no message.
                if !message.starts_with("SERVICE_") {
                    seen += 1;
                    assert!(source.contains(&message), "{}: nothing says {message:?}", page.path.display());
                }
            }
        }
    }
    assert!(seen > 10, "{seen} messages: are they read at all?");
}

/// Source in which a text that goes on in the next line is in one.
fn joined(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |joined, line| joined + line.trim_start())
}

/// All that begin so and go on with a letter: `--dry-run`, `ECSSD_DRY_RUN`.
fn words(text: &str, beginning: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(beginning) {
        let before = text[..at].chars().next_back();
        let rest = &text[at + beginning.len()..];
        let length =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).unwrap_or(rest.len());
        let begins = before.is_none_or(|c| !(c.is_alphanumeric() || "-_<".contains(c)));
        if begins && rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            found.push(format!("{beginning}{}", rest[..length].trim_end_matches('-')));
        }
    }
    found
}

/// A file of the checkout; of a folder, all of it that is Rust.
fn read(path: &str) -> String {
    let path = path.split(' ').next().unwrap();
    if Path::new(ROOT).join(path).is_dir() {
        return files(path, ".rs").into_iter().map(|(_, text)| text).collect();
    }
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_events_that_show_a_trouble_are_those_of_the_log() {
    let page = read("docs/troubleshooting.md");
    let rows: Vec<_> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("|---")).collect();
    let is_event =
        |span: &String| span.contains('_') && span.bytes().all(|b| b == b'_' || b.is_ascii_lowercase());
    let named: BTreeSet<_> = rows.iter().flat_map(|row| spans(row)).filter(is_event).collect();
    assert!(rows.len() > 20 && named.len() > 20, "the page is not understood: {named:?}");
    let logs = read("docs/logs.md");
    let unknown: Vec<_> = named.iter().filter(|event| !logs.contains(&format!("| `{event}` |"))).collect();
    assert!(unknown.is_empty(), "no events of the log: {unknown:?}");
}

#[test]
fn every_line_of_the_log_names_its_event_and_the_page_of_them_has_them_all() {
    let (mut named, mut silent) = (BTreeSet::new(), Vec::new());
    for (file, text) in files("src", ".rs") {
        for level in ["info", "warn", "error"] {
            for (at, call) in text.match_indices(&format!("tracing::{level}!(")) {
                let rest = text[at + call.len()..].trim_start();
                match rest.strip_prefix("event = \"").and_then(|rest| rest.split('"').next()) {
                    Some(event) => drop(named.insert(event.to_owned())),
                    None => {
                        silent.push(format!("{}: {}", file.display(), rest.lines().next().unwrap_or(rest)))
                    }
                }
            }
        }
    }
    assert!(silent.is_empty(), "these lines have no event: {silent:#?}");
    assert!(named.len() > 50, "the source is not understood: {named:?}");
    let page = fs::read_to_string(Path::new(ROOT).join("docs/logs.md")).unwrap();
    let row = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
    let listed: BTreeSet<_> = page.lines().filter_map(row).collect();
    let missing: Vec<_> = named.symmetric_difference(&listed).collect();
    assert!(missing.is_empty(), "docs/logs.md and the source differ in {missing:?}");
}
