//! The journal and the embedded zone on disks that are full, read-only, and well again.
//!
//! Mounts small file systems, and is skipped where that is not allowed. It stands alone because it starts
//! programs: between fork and exec these hold the locks of every test in their process.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what it could not do")]

use std::path::Path;
use std::time::Duration;

use ecssd::journal::{Entry, Journal, Memory, Opened, State, Title, open};
use ecssd::record::{Action, Change, RecordSet, RecordType, Routing};
use ecssd::zone::Zone;
use ecssd::zone::embedded::{EmbeddedZone, Options};
use ecssd_testing::disk::SmallDisk;

fn set(id: &str) -> RecordSet {
    RecordSet {
        name: "_web._tcp.sd.internal".into(),
        kind: RecordType::Srv,
        set_identifier: Some(id.into()),
        routing: Routing::Weighted(1),
        ttl: 0,
        values: vec!["1 1 80 host.sd.internal".into()],
    }
}

fn written(id: &str) -> Entry {
    (set(id).key(), State::Written(set(id)))
}

async fn reopen(dir: &Path) -> Opened {
    let title = Title { zone_id: "Z1".into(), zone: "sd.internal".into(), owner: "i-0abc".into() };
    open(dir, &title, Duration::from_secs(5)).await.unwrap()
}

fn settle(journal: &mut dyn Journal, ids: &[&str]) {
    let batch: Vec<_> = ids.iter().map(|id| Change { action: Action::Create, set: set(id) }).collect();
    journal.intend(&batch);
    let learnt: Vec<_> = ids.iter().map(|id| written(id)).map(|(key, state)| (key, Some(state))).collect();
    journal.record(&learnt);
}

/// A complete journal of two written records, closed.
async fn two_records(dir: &Path) -> Vec<Entry> {
    let mut journal = reopen(dir).await.journal;
    settle(&mut *journal, &["a", "b"]);
    journal.complete();
    vec![written("a"), written("b")]
}

/// `None` where mounting is not allowed: then the test says so and ends.
fn small_disk() -> Option<SmallDisk> {
    let disk = SmallDisk::mount("512k");
    if disk.is_none() {
        eprintln!("skipped: mounting a file system needs root");
    }
    disk
}

#[tokio::test]
async fn goes_on_while_the_disk_is_full_and_leaves_nothing_that_misleads() {
    let Some(disk) = small_disk() else { return };
    let dir = disk.path();
    let entries = two_records(dir).await;
    let Opened { mut journal, .. } = reopen(dir).await;
    disk.fill();
    let many: Vec<_> = (0..2_000).map(|n| format!("i{n}")).collect();
    settle(&mut *journal, &many.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(journal.trouble().is_some());
    assert_eq!(journal.load().len(), entries.len() + many.len());
    assert!(!dir.join("journal.redb").exists());
    // Killed now, the next start has nothing, and cannot begin either.
    disk.fill();
    drop(journal);
    let Opened { mut journal, memory, .. } = reopen(dir).await;
    assert!(matches!(memory, Memory::Without(_)), "{memory:?}");
    settle(&mut *journal, &["a"]);
    journal.complete();
    // When there is room again, all of it is kept again.
    disk.empty();
    settle(&mut *journal, &["b"]);
    assert_eq!(journal.trouble(), None);
    drop(journal);
    assert_eq!(reopen(dir).await.memory, Memory::Kept(entries));
}

#[tokio::test]
async fn reads_on_a_full_disk() {
    let Some(disk) = small_disk() else { return };
    let entries = two_records(disk.path()).await;
    disk.fill();
    let Opened { journal, memory, .. } = reopen(disk.path()).await;
    assert_eq!(memory, Memory::Kept(entries.clone()));
    assert_eq!(journal.load(), entries);
}

#[tokio::test]
async fn goes_on_without_on_a_read_only_disk() {
    let Some(disk) = small_disk() else { return };
    two_records(disk.path()).await;
    assert!(disk.make_read_only());
    let Opened { journal, memory, .. } = reopen(disk.path()).await;
    assert!(matches!(memory, Memory::Without(_)), "{memory:?}");
    assert!(journal.trouble().is_some());
}

#[tokio::test]
async fn a_zone_on_a_full_disk_serves_what_it_read_and_takes_more_once_there_is_room() {
    let Some(disk) = small_disk() else { return };
    let open = || EmbeddedZone::open(disk.path(), "sd.internal", Options::default()).unwrap();
    let created = |id: &str| [Change { action: Action::Create, set: set(id) }];
    open().change(&created("a")).await.unwrap();
    disk.fill();
    let zone = open();
    let has = |zone: &EmbeddedZone, id: &str| {
        zone.snapshot().iter().any(|set| set.set_identifier.as_deref() == Some(id))
    };
    assert!(has(&zone, "a"));
    disk.empty();
    zone.change(&created("b")).await.unwrap();
    drop(zone);
    let zone = open();
    assert!(has(&zone, "a") && has(&zone, "b"));
}
