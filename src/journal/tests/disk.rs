//! Directories that are locked, missing, or none. Full and read-only disks are in `tests/journal.rs`.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use super::*;
use crate::journal::open::Fault;
use crate::journal::{Doubt, Locked, StoreError, open, try_open};
use crate::zone::embedded::testing::change;

#[test]
fn remembers_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("made/for/it");
    assert_eq!(memory(&state), Memory::Fresh);
    let entries = two_records(&state);
    let Opened { mut journal, memory, .. } = reopen(&state);
    assert_eq!(memory, Memory::Kept(entries.clone()));
    let unread = (srv("web", "c", 1).key(), State::Unread);
    journal.record(&[(entries[0].0.clone(), None), (unread.0.clone(), Some(unread.1.clone()))]);
    drop(journal);
    assert_eq!(self::memory(&state), Memory::Kept(vec![entries[1].clone(), unread]));
}

#[test]
fn is_not_whole_before_the_zone_was_listed() {
    let dir = tempfile::tempdir().unwrap();
    let Opened { mut journal, memory, .. } = reopen(dir.path());
    assert_eq!(memory, Memory::Fresh);
    settle(&mut *journal, &[change(srv("web", "a", 1))]);
    drop(journal);
    let expected = vec![unsure(&srv("web", "a", 1))];
    assert_eq!(self::memory(dir.path()), Memory::Partial(expected, Doubt::NotListed));
}

#[test]
fn two_agents_do_not_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let held = reopen(dir.path());
    let refused = try_open(dir.path(), &title()).unwrap_err();
    assert_eq!(refused, Locked { path: dir.path().join("journal.lock"), waited: Duration::ZERO });
    // Not even if they are of different zones.
    let other = Title { zone_id: "Z2".into(), ..title() };
    try_open(dir.path(), &other).unwrap_err();
    drop(held);
    try_open(dir.path(), &title()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn waits_for_a_hand_over_and_then_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let held = reopen(dir.path());
    let wait = Duration::from_secs(30);
    let refused = open(dir.path(), &title(), wait).await.unwrap_err().to_string();
    assert!(refused.contains("waited 30 s") && refused.contains("--state-dir"), "{refused}");
    let hand_over = async {
        tokio::time::sleep(Duration::from_secs(29)).await;
        drop(held);
    };
    let title = title();
    let (opened, ()) = tokio::join!(open(dir.path(), &title, wait), hand_over);
    opened.unwrap();
}

#[test]
fn a_lock_that_may_not_be_opened_is_told_from_a_directory_that_is_none() {
    let fault =
        |kind: ErrorKind| StoreError::from(Fault::Io("/var/lib/ecssd/journal.lock".into(), kind.into()));
    let denied = fault(ErrorKind::PermissionDenied);
    assert!(
        matches!(&denied, StoreError::LockDenied(text) if text.contains("permission denied")),
        "{denied:?}"
    );
    assert!(matches!(fault(ErrorKind::ReadOnlyFilesystem), StoreError::File(_)));
}

#[test]
fn goes_on_without_a_directory() {
    for dir in ["/proc/no/such", "/dev/null/state"] {
        let Opened { mut journal, memory, .. } = reopen(Path::new(dir));
        let Memory::Without(reason) = memory else { panic!("{memory:?}") };
        assert!(reason.to_string().contains("must be writable"), "{reason}");
        settle(&mut *journal, &[change(srv("web", "a", 1))]);
        assert_eq!(journal.load(), [written(&srv("web", "a", 1))]);
        assert_eq!(journal.trouble(), Some(&reason));
    }
}

#[test]
fn what_is_deleted_under_it_is_written_anew_with_all_that_is_known() {
    for deleted in [&["journal.redb"][..], &["journal.lock"], &["journal.redb", "journal.lock"]] {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = reopen(dir.path()).journal;
        journal.complete();
        journal.record(&learnt(&[written(&srv("web", "a", 1))]));
        deleted.iter().for_each(|name| fs::remove_file(dir.path().join(name)).unwrap());
        journal.record(&learnt(&[written(&srv("web", "b", 1))]));
        assert!(matches!(try_open_at(dir.path(), &title(), BOOT), Err(Locked { .. })), "{deleted:?}");
        drop(journal);
        let both = vec![written(&srv("web", "a", 1)), written(&srv("web", "b", 1))];
        assert_eq!(memory(dir.path()), Memory::Kept(both));
    }
}

#[test]
fn where_its_directory_is_deleted_it_says_so_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let mut journal = reopen(&state).journal;
    fs::remove_dir_all(&state).unwrap();
    journal.record(&learnt(&[written(&srv("web", "a", 1))]));
    assert!(journal.trouble().is_some());
    fs::create_dir(&state).unwrap();
    journal.record(&learnt(&[written(&srv("web", "b", 1))]));
    assert_eq!((journal.trouble(), journal.load().len()), (None, 2));
}

#[test]
fn through_a_link_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    fs::write(&victim, "kept").unwrap();
    for name in ["journal.redb", "journal.lock"] {
        let state = dir.path().join(name.trim_start_matches("journal."));
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::symlink(&victim, state.join(name)).unwrap();
        let Memory::Without(reason) = memory(&state) else { panic!("{name}") };
        assert!(reason.to_string().contains("it is a link"), "{reason}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}
