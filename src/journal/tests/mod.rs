//! Journals that are cut, damaged, locked, of others, and compared with a plain map.

mod damage;
mod disk;
mod kill;
mod property;

use std::path::Path;

use super::open::try_open_at;
use super::{Entry, Journal, Memory, Opened, State, Title};
use crate::record::{Change, Key, RecordSet};
use crate::zone::embedded::testing::srv;

const BOOT: &str = "7f9c";

fn title() -> Title {
    Title { zone_id: "Z1".into(), zone: "sd.internal".into(), owner: "i-0abc".into() }
}

fn reopen(dir: &Path) -> Opened {
    try_open_at(dir, &title(), BOOT).unwrap()
}

fn memory(dir: &Path) -> Memory {
    reopen(dir).memory
}

fn written(set: &RecordSet) -> Entry {
    (set.key(), State::Written(set.clone()))
}

fn unsure(set: &RecordSet) -> Entry {
    (set.key(), State::Unsure(set.clone()))
}

fn learnt(entries: &[Entry]) -> Vec<(Key, Option<State>)> {
    entries.iter().cloned().map(|(key, state)| (key, Some(state))).collect()
}

fn settle(journal: &mut dyn Journal, batch: &[Change]) {
    journal.intend(batch);
    let sets: Vec<_> = batch.iter().map(|change| written(&change.set)).collect();
    journal.record(&learnt(&sets));
}

/// A complete journal of two written records, closed.
fn two_records(dir: &Path) -> Vec<Entry> {
    let entries = vec![written(&srv("web", "a", 1)), written(&srv("web", "b", 1))];
    let mut journal = reopen(dir).journal;
    journal.record(&learnt(&entries));
    journal.complete();
    entries
}
