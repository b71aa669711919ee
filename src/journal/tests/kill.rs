//! `kill -9` and power cuts, at every write of the database.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use redb::StorageBackend;

use super::*;
use crate::journal::store::{Store, Unsynced};
use crate::journal::{Doubt, FileJournal, MemoryJournal};
use crate::zone::embedded::testing::{a, change, delete, upsert};

#[derive(Clone, Debug)]
enum Write {
    Len(u64),
    At(u64, Vec<u8>),
}

impl Write {
    fn repeat(&self, file: &File) {
        match self {
            Self::Len(len) => file.set_len(*len).unwrap(),
            Self::At(offset, data) => file.write_all_at(data, *offset).unwrap(),
        }
    }

    /// What is there of it when the process was killed in its middle.
    fn half(&self) -> Option<Self> {
        match self {
            Self::Len(_) => None,
            Self::At(offset, data) => Some(Self::At(*offset, data[..data.len() / 2].to_vec())),
        }
    }
}

/// A file that notes each write.
#[derive(Debug)]
struct Recorder(Unsynced, Arc<Mutex<Vec<Write>>>);

impl StorageBackend for Recorder {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.1.lock().unwrap().push(Write::Len(len));
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.1.lock().unwrap().push(Write::At(offset, data.to_vec()));
        self.0.write(offset, data)
    }
}

/// A run over a closed journal of two records: the file before it, every write, and after each step how
/// many writes there were and what is remembered.
struct Run {
    before: Vec<u8>,
    writes: Vec<Write>,
    steps: Vec<(usize, Vec<Entry>)>,
}

fn run() -> Run {
    let dir = tempfile::tempdir().unwrap();
    let entries = two_records(dir.path());
    let path = dir.path().join("journal.redb");
    let before = fs::read(&path).unwrap();
    let writes = Arc::new(Mutex::new(Vec::new()));
    let synced = Arc::new(AtomicBool::new(false));
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let recorder = Recorder(Unsynced { file, synced: synced.clone() }, writes.clone());
    let store = Store::on(recorder, synced).unwrap();
    store.begin(BOOT, None, true).unwrap();
    let mut journal = FileJournal {
        title: title(),
        boot: BOOT.into(),
        machine: None,
        path,
        store: Some(store),
        lock: None,
        memory: MemoryJournal::new(entries),
        complete: true,
        trouble: None,
    };
    let mut steps = Vec::new();
    let mut note = |journal: &FileJournal| steps.push((writes.lock().unwrap().len(), journal.load()));
    note(&journal);
    let batches = [
        vec![change(srv("web", "c", 1)), change(a("host", &["10.0.0.1"]))],
        vec![delete(srv("web", "a", 1)), change(srv("web", "a", 7))],
        vec![upsert(srv("web", "b", 0)), delete(srv("web", "c", 1))],
        (0..80).map(|n| change(srv("many", &format!("i{n}"), 1))).collect(),
        (0..80).map(|n| delete(srv("many", &format!("i{n}"), 1))).collect(),
    ];
    for batch in &batches {
        journal.intend(batch);
        note(&journal);
        let last = batch.iter().map(|change| match change.action {
            crate::record::Action::Delete => (change.set.key(), None),
            _ => (change.set.key(), Some(State::Written(change.set.clone()))),
        });
        journal.record(&last.collect::<Vec<_>>());
        note(&journal);
    }
    assert_eq!(journal.trouble(), None);
    let killed = writes.lock().unwrap().clone();
    Run { before, writes: killed, steps }
}

fn write(dir: &Path, before: &[u8], writes: &[Write]) {
    let path = dir.join("journal.redb");
    fs::write(&path, before).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    writes.iter().for_each(|write| write.repeat(&file));
}

#[test]
fn a_kill_at_any_write_leaves_the_journal_as_it_was_before_a_record_or_after_it() {
    let run = run();
    let mut seen = Vec::new();
    for killed_at in 0..=run.writes.len() {
        let step = run.steps.partition_point(|(writes, _)| *writes <= killed_at);
        let allowed: Vec<_> = [step.checked_sub(1), Some(step)]
            .into_iter()
            .map(|step| step.map_or(&run.steps[0].1, |step| &run.steps[step.min(run.steps.len() - 1)].1))
            .collect();
        let half = run.writes.get(killed_at).and_then(Write::half);
        for rest in [None, half] {
            let mut writes = run.writes[..killed_at].to_vec();
            writes.extend(rest);
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), &run.before, &writes);
            let Memory::Kept(found) = memory(dir.path()) else { panic!("killed at {killed_at}: not kept") };
            assert!(allowed.contains(&&found), "killed at {killed_at}");
            seen.push(found);
        }
        // What was recorded before the call is there when the call may have been made.
        if let Some((_, entries)) = run.steps.iter().find(|(writes, _)| *writes == killed_at) {
            assert_eq!(&seen[seen.len() - 2], entries);
        }
    }
    assert!(run.steps.iter().all(|(_, entries)| seen.contains(entries)));
}

#[test]
fn after_a_power_cut_an_unclosed_journal_is_never_taken_for_whole() {
    let run = run();
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &run.before, &run.writes);
    // Looking at it does not close it.
    Store::open(&dir.path().join("journal.redb"), &title()).unwrap();
    let Opened { journal, memory, .. } = try_open_at(dir.path(), &title(), "other boot").unwrap();
    let doubted: Vec<_> =
        run.steps.last().unwrap().1.iter().cloned().map(|(key, state)| (key, state.doubted())).collect();
    assert_eq!(memory, Memory::Partial(doubted.clone(), Doubt::CutOff));
    assert_eq!(journal.load(), doubted);
    drop(journal);
    // Nor later, until the zone was listed.
    let Opened { mut journal, memory, .. } = try_open_at(dir.path(), &title(), "other boot").unwrap();
    assert_eq!(memory.reason().as_deref(), Some("the zone was not listed yet"));
    journal.complete();
    drop(journal);
    assert!(try_open_at(dir.path(), &title(), "third boot").unwrap().memory.whole());
}

#[test]
fn a_closed_journal_of_an_earlier_boot_is_whole_and_doubted() {
    let dir = tempfile::tempdir().unwrap();
    let entries = two_records(dir.path());
    assert_eq!(memory(dir.path()), Memory::Kept(entries.clone()));
    let doubted: Vec<_> = entries.into_iter().map(|(key, state)| (key, state.doubted())).collect();
    for boot in ["other boot", ""] {
        let Opened { journal, memory, is_first, .. } = try_open_at(dir.path(), &title(), boot).unwrap();
        assert_eq!((memory, is_first), (Memory::Kept(doubted.clone()), false));
        assert_eq!(journal.load(), doubted);
    }
}

#[test]
fn the_first_to_use_a_directory_is_told_so_whatever_becomes_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let new = reopen(dir.path());
    assert_eq!((new.memory, new.is_first), (Memory::Fresh, true));
    drop(new.journal);
    fs::remove_file(dir.path().join("journal.redb")).unwrap();
    let again = reopen(dir.path());
    assert_eq!((again.memory, again.is_first), (Memory::Fresh, false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_a_power_cut_lost_is_noticed(
        lost in prop::collection::vec(any::<bool>(), 512),
        cut: prop::sample::Index,
    ) {
        thread_local!(static RUN: Run = run());
        RUN.with(|run| {
            let opened = run.steps[0].0;
            let mut writes = run.writes[..opened].to_vec();
            let after = run.writes[opened..].iter().zip(&lost).filter(|(_, lost)| !**lost);
            let after: Vec<_> = after.map(|(write, _)| write.clone()).collect();
            writes.extend_from_slice(&after[..cut.index(after.len() + 1)]);
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), &run.before, &writes);
            let Opened { mut journal, memory, .. } = try_open_at(dir.path(), &title(), "other boot").unwrap();
            assert!(matches!(memory, Memory::Partial(..) | Memory::Discarded(_)), "{memory:?}");
            // And it can be gone on with.
            settle(&mut *journal, &[change(srv("web", "new", 1))]);
            assert_eq!(journal.trouble(), None);
        });
    }
}
