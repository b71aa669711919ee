//! Files that are cut, changed, of others, or no journals at all.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::super::aside::{self, Aside};
use super::*;
use crate::container::testing;
use crate::journal::store::Store;
use crate::journal::{StoreError, machine_id};
use crate::machine::past::Signals;
use crate::record::testing::id;

/// A closed journal, and what is in it.
fn closed() -> (Vec<u8>, Vec<Entry>) {
    let dir = tempfile::tempdir().unwrap();
    let entries = two_records(dir.path());
    (fs::read(dir.path().join("journal.redb")).unwrap(), entries)
}

/// Opens these bytes as a journal, and goes on with it.
fn opened(bytes: &[u8]) -> Memory {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("journal.redb"), bytes).unwrap();
    let Opened { mut journal, memory, .. } = reopen(dir.path());
    let next = [written(&srv("web", "next", 1))];
    journal.record(&learnt(&next));
    assert_eq!(journal.trouble(), None);
    let loaded = journal.load();
    drop(journal);
    let again = self::memory(dir.path());
    assert_eq!(again.whole(), memory.whole());
    assert_eq!(again.entries().len(), loaded.len());
    memory
}

fn check(bytes: &[u8], entries: &[Entry]) {
    match opened(bytes) {
        Memory::Kept(found) => assert_eq!(found, entries),
        Memory::Discarded(_) | Memory::Fresh => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_cut_short_is_discarded() {
    let (bytes, entries) = closed();
    assert_eq!(opened(&bytes), Memory::Kept(entries.clone()));
    assert_eq!(opened(&[]), Memory::Fresh);
    let header = (1..512).step_by(7);
    let pages = (512..bytes.len()).step_by(2039);
    for len in header.chain(pages).chain([bytes.len() - 1]) {
        check(&bytes[..len], &entries);
    }
}

#[test]
fn what_is_no_journal_is_discarded() {
    let text = b"zone sd.internal, and so on".repeat(1 << 12);
    for bytes in [&text[..5], &text, &vec![0; 1 << 17]] {
        let memory = opened(bytes);
        assert!(matches!(memory, Memory::Discarded(_)), "{memory:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_changed_byte_changes_no_entry(at: prop::sample::Index, xor in 1u8..) {
        thread_local!(static CLOSED: (Vec<u8>, Vec<Entry>) = closed());
        CLOSED.with(|(bytes, entries)| {
            let mut bytes = bytes.clone();
            let at = at.index(bytes.len());
            bytes[at] ^= xor;
            match opened(&bytes) {
                Memory::Kept(found) => assert_eq!(&found, entries),
                Memory::Discarded(_) | Memory::Fresh => {}
                other => panic!("byte {at}: {other:?}"),
            }
        });
    }
}

#[test]
fn of_another_zone_or_owner_it_is_set_aside_and_comes_back_to_its_own() {
    for (other, part) in [
        (
            Title { zone_id: "Z2".into(), ..title() },
            "it is of zone sd.internal (Z1), owner i-0abc, not of zone sd.internal (Z2)",
        ),
        (Title { zone: "other.zone".into(), ..title() }, "not of zone other.zone (Z1)"),
        (
            Title { owner: "i-0abcd".into(), ..title() },
            "owner i-0abc, not of zone sd.internal (Z1), owner i-0abcd",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let entries = two_records(dir.path());
        let Opened { journal, memory, asides, .. } = try_open_at(dir.path(), &other, BOOT).unwrap();
        let Memory::Discarded(reason) = memory else { panic!("{memory:?}") };
        assert!(matches!(reason, StoreError::Other { .. }), "{reason}");
        assert!(reason.to_string().contains(part), "{reason}");
        assert_eq!(journal.load(), []);
        let keys = entries.iter().map(|(key, _)| key.clone()).collect();
        let [aside] = &asides[..] else { panic!("{asides:?}") };
        let (path, machine) = (aside.path.clone(), machine_id());
        assert_eq!(*aside, Aside { title: title(), keys, machine, path });
        assert!(aside.path.exists());
        drop(journal);
        assert!(matches!(memory_of(dir.path(), &other), Memory::Partial(entries, _) if entries.is_empty()));
        // Whoever bears its title again has it, and doubts it: a janitor may have taken what nobody kept. What names
        // nothing is not kept.
        let Opened { mut journal, memory, asides, .. } = reopen(dir.path());
        let doubted = entries.iter().map(|(key, state)| (key.clone(), state.clone().doubted())).collect();
        assert!(entries.iter().any(|(_, state)| matches!(state, State::Written(_))));
        assert_eq!((memory, asides), (Memory::Kept(doubted), vec![]));
        journal.record(&entries.into_iter().map(|(key, _)| (key, None)).collect::<Vec<_>>());
        drop(journal);
        let back = try_open_at(dir.path(), &other, BOOT).unwrap();
        assert_eq!(back.asides, []);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "the journal and its lock");
    }
}

#[test]
fn a_journal_of_another_machine_or_of_before_that_was_noted_says_so() {
    for (noted, machine) in [("4567", Some("4567".to_owned())), ("", None)] {
        let dir = tempfile::tempdir().unwrap();
        two_records(dir.path());
        let path = dir.path().join("journal.redb");
        let (store, _) = Store::open(&path, &title()).unwrap().unwrap();
        store.write_title(&[("machine", noted)]).unwrap();
        drop(store);
        let other = Title { owner: "i-0abcd".into(), ..title() };
        let asides = try_open_at(dir.path(), &other, BOOT).unwrap().asides;
        assert_eq!(asides.iter().map(|aside| aside.machine.clone()).collect::<Vec<_>>(), [machine]);
        // Once it names nothing that stands, it is forgotten.
        asides[0].forget().unwrap();
        assert_eq!(try_open_at(dir.path(), &other, BOOT).unwrap().asides, []);
    }
}

#[test]
fn what_names_nothing_but_doubts_is_set_aside_with_them() {
    let other = Title { owner: "i-0abcd".into(), ..title() };
    let doubts = BTreeSet::from(["_web._tcp.sd.internal".to_owned()]);
    let dir = tempfile::tempdir().unwrap();
    reopen(dir.path()).journal.record_doubts(&doubts);
    drop(try_open_at(dir.path(), &other, BOOT).unwrap());
    assert_eq!(reopen(dir.path()).journal.doubts(), doubts);
}

#[test]
fn who_was_asked_to_stop_is_so_under_any_title() {
    let other = Title { zone_id: "Z2".into(), ..title() };
    let [first, second, third] = [1, 2, 3].map(id);
    let sent = |second: u64| {
        let at = testing::at(second);
        Signals { life: at, kills: [(15, at)].into() }
    };
    let dir = tempfile::tempdir().unwrap();
    let entries = two_records(dir.path());
    let mut journal = reopen(dir.path()).journal;
    journal.record_signals(&first, Some(&sent(1)));
    journal.record_signals(&second, Some(&sent(2)));
    drop(journal);
    let mut journal = try_open_at(dir.path(), &other, BOOT).unwrap().journal;
    assert_eq!(journal.signals(), [(first.clone(), sent(1)), (second.clone(), sent(2))]);
    // And what has changed since then has changed for good, though an older journal comes back.
    journal.record_signals(&first, None);
    journal.record_signals(&second, Some(&sent(4)));
    journal.record_signals(&third, Some(&sent(3)));
    drop(journal);
    for _ in 0..2 {
        let journal = reopen(dir.path()).journal;
        assert_eq!(journal.signals(), [(second.clone(), sent(4)), (third.clone(), sent(3))]);
        assert_eq!(journal.load().len(), entries.len());
    }
}

#[test]
fn no_more_are_read_than_there_may_be_and_the_others_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.redb");
    for (n, counted) in [(1, (1, 0)), (16, (16, 0)), (18, (16, 2))] {
        (0..n).for_each(|n| fs::write(dir.path().join(format!("journal-{n:02}.redb")), "").unwrap());
        let (paths, unread) = aside::paths(&path).unwrap();
        assert_eq!((paths.len(), unread), counted);
    }
}

fn memory_of(dir: &Path, title: &Title) -> Memory {
    try_open_at(dir, title, BOOT).unwrap().memory
}

#[test]
fn of_another_version_it_is_discarded() {
    let dir = tempfile::tempdir().unwrap();
    two_records(dir.path());
    let (store, _) = Store::open(&dir.path().join("journal.redb"), &title()).unwrap().unwrap();
    store.write_title(&[("version", "2")]).unwrap();
    drop(store);
    let expected = StoreError::Version("2".to_owned());
    assert_eq!(expected.to_string(), "its format's version is 2, this program reads 1");
    assert_eq!(memory(dir.path()), Memory::Discarded(expected));
}
