//! S2 and S5: what a janitor may delete in a run, and of what.

use std::collections::BTreeMap;
use std::time::Duration;

use ecssd::machine::record::RecordSet;

/// The looks of a run of the janitor that is under way.
#[derive(Default)]
pub struct Looks {
    _first: BTreeMap<String, Duration>,
    _sets: Vec<RecordSet>,
}
