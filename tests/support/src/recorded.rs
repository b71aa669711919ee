//! Change batches as they were sent, kept as files: what the check of the policies (`tests/deploy/policies`) wants to
//! see allowed. A test that sends others fails, until they are recorded anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ecssd::record::Change;
use serde_json::{Value, json};

/// Set, it has files written instead of compared.
const RECORD: &str = "ECSSD_TEST_RECORD";

/// Holds batches against those in `tests/fixtures/batches/<who>.json`: of each change what a policy can see of it.
pub fn same_as_recorded(who: &str, batches: &[Vec<Change>]) {
    let seen: BTreeSet<Vec<[String; 3]>> = batches.iter().map(|batch| visible(batch)).collect();
    let lines: Vec<String> = seen.iter().map(|batch| format!("  {}", json!(batch))).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/batches/{who}.json"));
    if std::env::var_os(RECORD).is_some() {
        fs::write(&path, &text).unwrap();
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        !seen.is_empty() && recorded == text,
        "other batches than {}: run this once with {RECORD}=1, and then tests/run deploy\n{text}",
        path.display()
    );
    serde_json::from_str::<Value>(&text).expect("JSON");
}

fn visible(batch: &[Change]) -> Vec<[String; 3]> {
    let mut changes: Vec<_> = batch
        .iter()
        .map(|change| [change.action.to_string(), change.set.kind.to_string(), change.set.name.clone()])
        .collect();
    changes.sort();
    changes.dedup();
    changes
}
