//! The directory over a zone, on a virtual clock: how often it is listed, and what is told meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::directory::{Directory, Said};
use super::{LISTS_A_SECOND, NAMES_MAX};
use crate::record::testing::registrant;
use crate::record::{Change, RecordSet};
use crate::status::Discovery;
use crate::zone::embedded::testing::{a, change, delete, srv};
use crate::zone::embedded::{EmbeddedZone, Options};
use crate::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};

/// A zone that counts how often it is listed, and may be away.
struct Counted {
    zone: EmbeddedZone,
    lists: AtomicUsize,
    is_away: AtomicBool,
}

#[async_trait]
impl Zone for Counted {
    fn name(&self) -> &str {
        self.zone.name()
    }

    fn id(&self) -> &str {
        self.zone.id()
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        self.zone.change(batch).await
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(ZoneError::Unknown("no answer".to_owned())),
            false => self.zone.list(start, max_items).await,
        }
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        self.zone.change_status(id).await
    }
}

/// A zone elsewhere with these sets, and a directory that reads it.
async fn read(sets: impl IntoIterator<Item = RecordSet>) -> (Directory, Discovery, Arc<Counted>) {
    let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
    let changes: Vec<_> = sets.into_iter().map(change).collect();
    for batch in changes.chunks(400) {
        zone.change(batch).await.unwrap();
        sleep(Duration::from_secs(60)).await;
    }
    let zone = Arc::new(Counted { zone, lists: AtomicUsize::new(0), is_away: AtomicBool::new(false) });
    let told = Discovery::default();
    let directory = Directory::new(told.clone());
    directory.open_there(&registrant("i-0a"), LISTS_A_SECOND);
    let (reader, read) = (directory.clone(), zone.clone());
    tokio::spawn(async move { reader.read(&*read).await });
    (directory, told, zone)
}

/// How many targets, and how old.
fn known(said: Said) -> Option<(usize, u64)> {
    match said {
        Said::Targets { json, age } => Some((json.matches(":80\"").count(), age.as_secs())),
        Said::NotOfZone(_) | Said::NotNow { .. } => None,
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_names_asked_for_ten_times_a_second_cost_a_list_in_ten_seconds() {
    // 50 names of 60 copies: a page covers five of them.
    let sets = (0..3_000).map(|n| srv(&format!("_n{:02}._tcp", n / 60), &format!("x{n}"), 1));
    let (directory, told, zone) = read(sets).await;
    let (began, mut answered) = (Instant::now(), [0_u32; 50]);
    for tenth in 0..6_000_usize {
        let name = format!("_n{:02}._tcp", tenth % 50);
        let asked = directory.clone();
        // Who has to wait holds up nobody else.
        if let Ok(said) = tokio::time::timeout(Duration::from_millis(100), asked.targets(&name)).await
            && let Some((targets, age)) = known(said)
        {
            assert_eq!(targets, 60, "{name}");
            assert!(age <= 180, "{name} is {age} s old, at {tenth}");
            answered[tenth % 50] += 1;
        }
        sleep(began + Duration::from_millis(100 * (tenth as u64 + 1)) - Instant::now()).await;
    }
    let seconds = began.elapsed().as_secs() as usize;
    let lists = zone.lists.load(Ordering::Relaxed);
    assert!(lists <= seconds / 10 + 1, "{lists} lists in {seconds} s");
    assert!(answered.iter().all(|answered| *answered >= 80), "of 120 questions each: {answered:?}");
    assert_eq!(told.so_far().names, 50);
    assert_eq!(told.so_far().lists["ok"], lists as u64);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_copies_of_a_weighted_name_are_all_told_at_the_first_question() {
    let (directory, _, zone) = read((0..100).map(|n| srv("_calc._tcp", &format!("x{n}"), 1))).await;
    assert_eq!(known(directory.targets("_calc._tcp").await), Some((100, 0)));
    let all = join_all((0..1_000).map(|_| directory.targets("_calc._tcp.sd.internal."))).await;
    assert!(all.into_iter().all(|said| known(said) == Some((100, 0))));
    assert_eq!(zone.lists.load(Ordering::Relaxed), 1);
    assert_eq!(known(directory.targets("_none._tcp").await), None, "it waits for its turn");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(known(directory.targets("_none._tcp").await), Some((0, 0)), "nobody has it");
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_kept_while_the_zone_is_away() {
    let (directory, told, zone) = read([srv("_calc._tcp", "x", 1)]).await;
    assert_eq!(known(directory.targets("_calc._tcp").await), Some((1, 0)));
    zone.is_away.store(true, Ordering::Relaxed);
    for _ in 0..60 {
        sleep(Duration::from_secs(60)).await;
        assert!(known(directory.targets("_calc._tcp").await).is_some_and(|(targets, _)| targets == 1));
    }
    let Said::NotNow { reason, again } = directory.targets("_new._tcp").await else { panic!() };
    assert!(reason.ends_with("the zone cannot be read: unknown outcome: no answer"), "{reason}");
    assert!(again <= Duration::from_secs(60));
    let so_far = told.so_far();
    assert!(so_far.age >= Duration::from_secs(3_600), "{so_far:?}");
    assert!((50..=61).contains(&so_far.lists["unknown"]), "{so_far:?}");
    assert_eq!((so_far.answers["stale"], so_far.answers["unread"]), (60, 1));
    zone.is_away.store(false, Ordering::Relaxed);
    zone.zone.change(&[delete(srv("_calc._tcp", "x", 1))]).await.unwrap();
    sleep(Duration::from_secs(70)).await;
    assert!(
        known(directory.targets("_calc._tcp").await).is_some_and(|(targets, age)| targets == 0 && age < 60)
    );
}

#[tokio::test(start_paused = true)]
async fn the_age_that_is_shown_ends_with_the_name_that_nobody_asks_for() {
    for stays_away in [true, false] {
        let (directory, told, zone) = read([srv("_calc._tcp", "x", 1)]).await;
        assert_eq!(known(directory.targets("_calc._tcp").await), Some((1, 0)));
        zone.is_away.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(700)).await;
        assert!(known(directory.targets("_calc._tcp").await).is_some_and(|(_, age)| age >= 700));
        zone.is_away.store(stays_away, Ordering::Relaxed);
        sleep(Duration::from_secs(14 * 60)).await;
        let so_far = told.so_far();
        assert_eq!((so_far.names, so_far.age.as_secs()), (1, 700), "it may be asked for again");
        sleep(Duration::from_secs(61)).await;
        let so_far = told.so_far();
        assert_eq!((so_far.names, so_far.age), (0, Duration::ZERO), "away: {stays_away}");
        let lists = zone.lists.load(Ordering::Relaxed);
        sleep(Duration::from_secs(3_600)).await;
        assert_eq!(zone.lists.load(Ordering::Relaxed), lists, "nobody asks");
    }
}

#[tokio::test(start_paused = true)]
async fn strangers_names_cost_lists_within_the_budget_and_keep_out_no_name_that_waits() {
    let labels = ["_calc._tcp", "_late._tcp"];
    let (directory, told, zone) = read(labels.map(|label| srv(label, "x", 1))).await;
    let ask = async |name: String| {
        let said = tokio::time::timeout(Duration::from_millis(10), directory.targets(&name)).await;
        said.unwrap_or_else(|_| Said::NotNow { reason: "it is being read".to_owned(), again: Duration::ZERO })
    };
    let began = Instant::now();
    // The list that may be made at once is a stranger's.
    ask("_x._tcp".to_owned()).await;
    assert_eq!(known(ask("_calc._tcp".to_owned()).await), None, "it waits for its turn");
    for round in 0..100 {
        join_all((0..100).map(|n| ask(format!("_x{}._tcp", round * 100 + n)))).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert!(told.so_far().names <= NAMES_MAX);
    assert!(
        known(directory.targets("_calc._tcp").await).is_some_and(|(targets, _)| targets == 1),
        "10,000 names came after it"
    );
    // One that comes while all names wait is told so, and comes in once one of them was read.
    join_all((0..100).map(|n| ask(format!("_y{n}._tcp")))).await;
    let Said::NotNow { reason, again } = ask("_late._tcp".to_owned()).await else { panic!() };
    assert!(reason.starts_with("too many names are asked for"), "{reason}");
    assert_eq!(again, Duration::from_secs(60));
    sleep(again).await;
    ask("_late._tcp".to_owned()).await;
    sleep(Duration::from_secs(10 * NAMES_MAX as u64)).await;
    assert!(known(directory.targets("_late._tcp").await).is_some_and(|(targets, _)| targets == 1));
    let seconds = began.elapsed().as_secs() as usize;
    assert!(zone.lists.load(Ordering::Relaxed) <= seconds / 10 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_zone_in_this_process_is_told_as_it_is_and_not_while_it_is_drained() {
    let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
    let sets = [srv("_calc._tcp", "x", 0), srv("_calc._tcp", "y", 1), a("_calc._tcp", &["10.0.0.7"])];
    zone.change(&sets.map(change)).await.unwrap();
    let directory = Directory::new(Discovery::default());
    let Said::NotNow { reason, .. } = directory.targets("_calc._tcp").await else { panic!() };
    assert_eq!(reason, "the agent does not know its zone yet");
    directory.open_here(&registrant("i-0a"), zone.clone());
    assert_eq!(known(directory.targets("_calc._tcp").await), Some((2, 0)));
    zone.change(&[delete(srv("_calc._tcp", "x", 0))]).await.unwrap();
    assert_eq!(known(directory.targets("_calc._tcp").await), Some((1, 0)));
    assert!(matches!(directory.targets("_calc._tcp.other.").await, Said::NotOfZone(_)));
    zone.drain();
    let Said::NotNow { reason, .. } = directory.targets("_calc._tcp").await else { panic!() };
    assert_eq!(reason, "the agent withdraws its records");
}
