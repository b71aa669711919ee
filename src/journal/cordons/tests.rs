//! The file of the cordons: over restarts, on a bad disk, and of somebody else.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::file::{Fault, read};
use super::*;
use crate::container::Timestamp;
use crate::journal::Title;
use crate::machine::cordon::Scope;
use crate::record::testing::id;

fn title(owner: &str) -> Title {
    Title { zone_id: "Z1".into(), zone: "sd.internal".into(), owner: owner.into() }
}

fn cordons() -> Vec<Cordon> {
    let since = Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500));
    let until = Some(Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(9)));
    let of = |scope, name: &str, until| Cordon { scope, name: name.into(), weight: 7, since, until };
    vec![
        of(Scope::Container(id(1)), "web", until),
        of(Scope::Service("_web._tcp.sd.internal".into()), "", None),
        of(Scope::All, "", None),
    ]
}

fn open(dir: &Path) -> CordonFile {
    CordonFile::open(dir, &title("i-0a"), false)
}

#[tokio::test]
async fn what_was_kept_is_there_at_the_next_start_and_what_was_ended_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = open(dir.path());
    assert_eq!(file.load(), []);
    file.keep(cordons()).await.unwrap();
    assert_eq!((file.load(), open(dir.path()).load()), (cordons(), cordons()));
    file.keep(cordons().split_off(2)).await.unwrap();
    assert_eq!(open(dir.path()).load(), cordons().split_off(2));
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["cordons.json"]);
}

#[tokio::test]
async fn of_what_is_kept_at_once_the_last_stays() {
    let dir = tempfile::tempdir().unwrap();
    let file = open(dir.path());
    let all: Vec<_> = (0..50).map(|n| file.keep(vec![Cordon { weight: n, ..cordons().remove(0) }])).collect();
    futures_util::future::join_all(all).await;
    assert_eq!(open(dir.path()).load()[0].weight, 49);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_of_another_gives_none_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cordons.json");
    open(dir.path()).keep(cordons()).await.unwrap();
    let good = fs::read_to_string(&path).unwrap();
    assert_eq!(CordonFile::open(dir.path(), &title("i-0b"), false).load(), [], "another host's");
    let fault = read(&path, &title("i-0b"));
    assert!(matches!(fault, Err(Fault::OfAnother { .. })), "there is nothing to mend: {fault:?}");
    let of_a_later = good.replace("\"version\": 1", "\"version\": 2");
    let huge = format!("{good}{}", " ".repeat(2 << 20));
    for bad in ["", "{", "[]", &good[..good.len() / 2], &good.replace(": 7", ": 256"), &of_a_later, &huge] {
        fs::write(&path, bad).unwrap();
        assert_eq!(open(dir.path()).load(), [], "{}", bad.len());
        assert!(matches!(read(&path, &title("i-0b")), Err(Fault::Unread(_))), "{}", bad.len());
    }
    open(dir.path()).keep(cordons()).await.unwrap();
    assert_eq!(open(dir.path()).load(), cordons());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let file = open(dir.path());
    let refused = file.keep(cordons()).await.unwrap_err();
    assert!(refused.to_string().contains("cordons.json"), "{refused}");
    assert_eq!(file.load(), cordons(), "it is in force all the same");
}

#[tokio::test]
async fn a_plan_reads_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).keep(cordons()).await.unwrap();
    let plan = CordonFile::open(dir.path(), &title("i-0a"), true);
    assert_eq!(plan.load(), cordons());
    plan.keep(Vec::new()).await.unwrap();
    assert_eq!(open(dir.path()).load(), cordons());
    let unread = CordonFile::unread(dir.path(), &title("i-0a"));
    assert_eq!(unread.load(), []);
    unread.keep(Vec::new()).await.unwrap();
    assert_eq!(open(dir.path()).load(), cordons());
}
