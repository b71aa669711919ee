//! One suite for every zone: the embedded one, which is our model of Route 53, and an emulator that others
//! wrote, so that the model is held against a truth from outside.
//!
//! Each case says what the vendor documents. The embedded zone must do exactly that; the emulator too,
//! unless the difference is named, with what it does instead, in `differences`. It runs where
//! `ECSSD_TEST_ROUTE53_ENDPOINT` says (`tests/run` provides one, by `tests/emulator`); without it, the
//! embedded zone is tried alone.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod case;
mod cases;
mod emulator;
mod trial;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use ecssd::zone::embedded::{EmbeddedZone, Options};

use crate::case::Case;
use crate::trial::Transcript;

/// Says it even where the test passes: what is printed in the ordinary way is then shown to nobody.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "conformance: {text}");
}

/// The embedded zone's transcript of a case, in a zone of its own.
async fn embedded(case: &Case) -> Transcript {
    // Long enough for the first look at a change to find it pending.
    let options = Options { insync_after: Duration::from_millis(200), ..Options::default() };
    let zone = EmbeddedZone::in_memory(&format!("{}.conformance", case.name), options).unwrap();
    Transcript::of(case, &zone).await
}

/// What the embedded zone did otherwise than the case says; nothing, if all is well.
fn faults(case: &Case, transcript: &Transcript) -> Vec<String> {
    let expected = Transcript::expected(case);
    let mut faults = Vec::new();
    if transcript.lines != expected {
        faults.push(format!("{}: {:#?}\nbut is expected to be {expected:#?}", case.name, transcript.lines));
    }
    for ((_, answer), error) in case.steps.iter().zip(&transcript.errors) {
        let missing = answer.words.iter().filter(|words| !error.contains(**words));
        faults.extend(missing.map(|words| format!("{}: no {words:?} in {error:?}", case.name)));
    }
    faults
}

#[tokio::test]
async fn the_embedded_zone_does_what_the_vendor_documents() {
    let cases = cases::all();
    let mut all_faults = Vec::new();
    for case in &cases {
        all_faults.extend(faults(case, &embedded(case).await));
    }
    assert!(all_faults.is_empty(), "{}", all_faults.join("\n\n"));
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let cases = cases::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert!(names.len() == cases.len() && cases.len() >= 60, "{} names, {} cases", names.len(), cases.len());
    // They are labels of zones, too.
    assert!(names.iter().all(|name| name.len() <= 63));
}

#[tokio::test]
async fn probe() {
    let Some(emulator) = emulator::Emulator::of_this_run().await else { return };
    for case in cases::all() {
        let (ours, theirs) = (embedded(&case).await, emulator.transcript(&case).await);
        if ours.lines != theirs.lines {
            println!("=== {}", case.name);
            for (index, line) in theirs.lines.iter().enumerate() {
                if ours.lines.get(index) != Some(line) && index < 14 {
                    println!("   theirs {line}\n     ours {:?}  {:?}", ours.lines.get(index), theirs.errors.get(index));
                }
            }
            if ours.lines.len() > theirs.lines.len() { println!("   missing {}", ours.lines.len() - theirs.lines.len()); }
        }
    }
}
