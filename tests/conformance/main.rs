//! One suite for every zone: the embedded one, which is our model of Route 53, and an emulator that others
//! wrote, so that the model is held against a truth from outside.
//!
//! Each case says what the vendor documents. The embedded zone must do exactly that; the emulator too,
//! unless the difference is named, with what it does instead, in `differences`. It runs where
//! `ECSSD_TEST_ROUTE53_ENDPOINT` says; `tests/run` provides one, by `tests/emulator`.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod case;
mod cases;
mod differences;
mod emulator;
mod lookup;
mod trial;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::spec;

use crate::case::Case;
use crate::differences::{DIFFERENCES, unlike};
use crate::emulator::Emulator;
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
    if !transcript.agrees_with(&expected) {
        faults.push(format!("{}: {transcript:#?}\nbut expected is {expected:#?}", case.name));
    }
    for ((_, answer), error) in case.steps.iter().zip(&transcript.errors) {
        let missing = answer.words.iter().filter(|words| !error.contains(**words));
        faults.extend(missing.map(|words| format!("{}: no {words:?} in {error:?}", case.name)));
    }
    faults
}

#[tokio::test]
async fn the_embedded_zone_does_what_the_vendor_documents() {
    let mut all = Vec::new();
    for case in &cases::all() {
        all.extend(faults(case, &embedded(case).await));
    }
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}

#[tokio::test]
async fn the_emulator_does_the_same_but_for_named_differences() {
    let cases = cases::all();
    let emulator = Emulator::of_this_run().await;
    let (mut all, mut equal) = (Vec::new(), 0);
    for case in &cases {
        let (ours, theirs) = (embedded(case).await, emulator.transcript(case).await);
        let (unlike, agree) = (unlike(&ours, &theirs), ours.agrees_with(&theirs));
        match DIFFERENCES.iter().find(|difference| difference.case == case.name) {
            None if agree => equal += 1,
            None => all.push(format!("{}: differs: {unlike:#?}\n{:#?}", case.name, theirs.errors)),
            Some(_) if agree => all.push(format!("{}: is named, but differs no longer", case.name)),
            Some(named) if unlike != named.shows => {
                let shows = named.shows;
                all.push(format!("{}: differs, but not as named: {unlike:#?}\nnot {shows:#?}", case.name));
            }
            Some(_) => {}
        }
    }
    say(&format!("{} cases, {equal} equal, {} named differences", cases.len(), DIFFERENCES.len()));
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}

#[test]
fn every_case_has_a_name_of_its_own_and_few_may_differ() {
    let cases = cases::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    // They are labels of zones, too.
    assert!(names.len() == cases.len() && names.iter().all(|name| name.len() <= 63));
    let named: BTreeSet<&str> = DIFFERENCES.iter().map(|difference| difference.case).collect();
    assert!(named.is_subset(&names), "{:?}", named.difference(&names));
    assert_eq!(named.len(), DIFFERENCES.len(), "a case is named twice");
    spec::judge("zone-cases", cases.len() as f64, "cases");
    spec::judge("zone-differences", DIFFERENCES.len() as f64, "cases");
}
