//! What is in the journal between any two of its writes, where a kill may come.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::*;
use crate::journal::{Entry, Journal, State, StoreError};
use crate::machine::past::Signals;
use crate::record::{ContainerId, Key};

/// The names that a journal spoke of after each write: of its keys, and of its doubts.
type Seen = Arc<Mutex<Vec<BTreeSet<String>>>>;

/// A journal that is looked at after each write.
#[derive(Debug, Default)]
struct Watched {
    memory: MemoryJournal,
    seen: Seen,
}

impl Watched {
    fn see(&self) {
        let keys = self.memory.load().into_iter().map(|(key, _)| key.name);
        self.seen.lock().unwrap().push(keys.chain(self.memory.doubts()).collect());
    }
}

impl Journal for Watched {
    fn load(&self) -> Vec<Entry> {
        self.memory.load()
    }

    fn record(&mut self, learnt: &[(Key, Option<State>)]) {
        self.memory.record(learnt);
        self.see();
    }

    fn doubts(&self) -> BTreeSet<String> {
        self.memory.doubts()
    }

    fn record_doubts(&mut self, names: &BTreeSet<String>) {
        self.memory.record_doubts(names);
        self.see();
    }

    fn complete(&mut self) {}

    fn signals(&self) -> Vec<(ContainerId, Signals)> {
        Vec::new()
    }

    fn record_signals(&mut self, _: &ContainerId, _: Option<&Signals>) {}

    fn wall_clock(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn trouble(&self) -> Option<&StoreError> {
        None
    }
}

#[test]
fn a_name_in_doubt_is_known_of_until_what_a_read_found_there_is() {
    let (late, seen) = (srv("i-0a", 1), Seen::default());
    let mut watched = Watched { seen: seen.clone(), ..Watched::default() };
    watched.memory.record_doubts(&[late.name.clone()].into());
    let kept = SharedJournal::new(Box::new(watched), true);
    let mut stage = Stage::new(settings(Some(kept.clone()), false));
    stage.by_hand(Action::Create, [late.clone()]);
    // It is doubted while something else is written.
    stage.want(&[srv("i-0a", 2)]);
    while !stage.writer.ledger.doubts().is_empty() {
        assert!(stage.step(Duration::from_secs(3_600), |zone, call| call.make(zone).now_or_never().unwrap()));
    }
    assert_eq!(kept.doubts(), [].into());
    assert!(kept.load().0.iter().any(|(key, _)| *key == late.key()), "what came late is remembered");
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|names| names.contains(&late.name)), "a kill may come between any two: {seen:?}");
}
