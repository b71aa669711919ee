//! The embedded zone: a Route 53 private hosted zone in this process.
//!
//! `--local` runs the agent on it, kept in the state directory, with the DNS front before it; a simulation
//! runs it in memory, on a virtual clock, with faults around it. It is a model, not a map: what it accepts,
//! Route 53 accepts, and it refuses in the same words.
//!
//! | file | what it owns |
//! |---|---|
//! | [`model`] | the API: changes, lists, change ids; pure |
//! | [`contents`] | what the zone holds, and all-or-nothing; pure |
//! | `request`, `rules`, `refusal` | what is refused without the zone, what beside it, and in which words |
//! | [`gate`] | throttling, one change in flight |
//! | [`name`], [`value`] | what a name and a value are |
//! | [`limits`] | the vendor's figures |
//! | [`store`] | the log on disk |
//!
//! ## Caveats
//!
//! Aliases, health checks, and the latency, failover and geolocation policies are not there: nothing here
//! writes them. An NS below the apex is data, not a delegation.

pub mod contents;
pub mod gate;
pub mod limits;
pub mod model;
pub mod name;
mod refusal;
mod request;
mod rules;
pub mod store;
#[cfg(test)]
pub(crate) mod testing;
pub mod value;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::contents::Contents;
pub use self::gate::Throttle;
pub use self::model::{LoggedBatch, Model, Options};
pub use self::name::OwnerName;
pub use self::store::OpenError;
use self::store::Store;
use crate::moment::Moment;
use crate::record::{Change, RecordSet};
use crate::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};

/// A hosted zone in this process. A clone is another handle to the same zone.
#[derive(Clone, Debug)]
pub struct EmbeddedZone {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: OwnerName,
    epoch: Instant,
    /// Changed while `inner` is locked.
    drained: watch::Sender<bool>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    model: Model,
    /// `None` for a zone in memory.
    store: Option<Store>,
}

impl EmbeddedZone {
    /// The zone `zone_name` as it was left in `dir`, or a new one.
    ///
    /// # Errors
    ///
    /// Where the name is none, another agent has it open, or its log cannot be read: see [`OpenError`].
    pub fn open(dir: &Path, zone_name: &str, options: Options) -> Result<Self, OpenError> {
        let name = zone_name_of(zone_name)?;
        let (store, contents) = Store::open(dir, &name)?;
        // An id that an earlier run gave must not be taken for one of this run's.
        let first_change = fastrand::u64(..) & !u64::from(u32::MAX);
        Ok(Self::new(name, Model::new(contents, options, first_change), Some(store)))
    }

    /// Whether a zone was left in `dir`, or may have been, where that cannot be told.
    pub fn may_be_in(dir: &Path) -> bool {
        store::may_be_in(dir)
    }

    /// A new zone `zone_name` that ends with its last handle. Its change ids count up from 1.
    ///
    /// # Errors
    ///
    /// Where the name is none.
    pub fn in_memory(zone_name: &str, options: Options) -> Result<Self, OpenError> {
        let name = zone_name_of(zone_name)?;
        let contents = Contents::new(name.clone());
        Ok(Self::new(name, Model::new(contents, options, 1), None))
    }

    fn new(name: OwnerName, model: Model, store: Option<Store>) -> Self {
        let inner = Mutex::new(Inner { model, store });
        let drained = watch::Sender::new(false);
        Self { shared: Arc::new(Shared { name, epoch: Instant::now(), drained, inner }) }
    }

    /// Looks at what the zone holds, at one moment. `look` must be short: the zone waits for it.
    pub fn view<R>(&self, look: impl FnOnce(&Contents) -> R) -> R {
        look(self.lock().model.contents())
    }

    /// As [`EmbeddedZone::view`], for a client of DNS; `None` once the zone is [drained](Zone::drain): what goes from
    /// then on goes because the host does, and a client that heard "there is none" would remember it.
    pub fn view_for_client<R>(&self, look: impl FnOnce(&Contents) -> R) -> Option<R> {
        let inner = self.lock();
        (!*self.shared.drained.borrow()).then(|| look(inner.model.contents()))
    }

    /// Returns once the zone is [drained](Zone::drain).
    pub async fn drained(&self) {
        let mut drained = self.shared.drained.subscribe();
        // Its sender lives as long as this handle.
        let _ = drained.wait_for(|drained| *drained).await;
    }

    /// All record sets at one moment, in the order of a list. Costs no request.
    pub fn snapshot(&self) -> Vec<RecordSet> {
        self.view(|contents| contents.sets().cloned().collect())
    }

    /// The last batches and what came of them, oldest first; as many as the options keep.
    pub fn logged(&self) -> Vec<LoggedBatch> {
        self.lock().model.logged().cloned().collect()
    }

    fn now(&self) -> Moment {
        Moment::after(self.shared.epoch.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic under the lock can come from a `look` alone, which cannot change anything.
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies the batch, and returns when the call is served.
    fn accept(&self, batch: &[Change]) -> Result<(ChangeInfo, Instant), ZoneError> {
        let now = self.now();
        let mut inner = self.lock();
        let Inner { model, store } = &mut *inner;
        let keep = |batch: &[Change]| match store {
            Some(store) => store.append(batch).map_err(|error| ZoneError::Unknown(error.to_string())),
            None => Ok(()),
        };
        let accepted = model.change(batch, now, keep)?;
        if let Some(store) = store {
            store.compact_if_due(model.contents());
        }
        Ok((accepted.info, self.shared.epoch + accepted.served_at.since_start()))
    }
}

#[async_trait]
impl Zone for EmbeddedZone {
    fn name(&self) -> &str {
        self.shared.name.as_str()
    }

    fn id(&self) -> &str {
        "embedded"
    }

    /// From now on it answers nobody. Its calls take no time that could be saved.
    fn drain(&self) {
        let _inner = self.lock();
        self.shared.drained.send_replace(true);
    }

    /// As [`Zone::change`]. With one change in flight at a time, the call takes its service time: whoever
    /// gives up meanwhile does not know that the batch was applied.
    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        let (info, served_at) = self.accept(batch)?;
        if served_at > Instant::now() {
            tokio::time::sleep_until(served_at).await;
        }
        Ok(info)
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.lock().model.list(start, max_items, self.now())
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        self.lock().model.change_status(id, self.now())
    }
}

fn zone_name_of(text: &str) -> Result<OwnerName, OpenError> {
    let refused = |reason: String| OpenError::Name { name: text.to_owned(), reason };
    let name = OwnerName::parse(text).map_err(|fault| refused(fault.to_string()))?;
    if name.as_str().is_empty() { Err(refused("the root cannot be served".to_owned())) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::testing::{change, delete, srv};
    use super::*;
    use crate::zone::ChangeStatus;

    #[tokio::test]
    async fn is_one_zone_behind_every_handle() {
        let zone = EmbeddedZone::in_memory("SD.internal.", Options::default()).unwrap();
        assert_eq!(zone.name(), "sd.internal");
        let other = zone.clone();
        other.change(&[change(srv("web", "a", 1))]).await.unwrap();
        assert_eq!(zone.snapshot().len(), 3);
        assert_eq!(zone.list(None, 300).await.unwrap().sets, zone.snapshot());
    }

    #[tokio::test(start_paused = true)]
    async fn takes_its_service_time_and_refuses_others_meanwhile() {
        let options = Options { one_change_in_flight: true, ..Options::default() };
        let zone = EmbeddedZone::in_memory("sd.internal", options).unwrap();
        let began = Instant::now();
        let (a, b) = ([change(srv("web", "a", 1))], [change(srv("web", "b", 1))]);
        let (first, second) = tokio::join!(zone.change(&a), zone.change(&b));
        assert!(first.is_ok() && matches!(second, Err(ZoneError::Busy(_))));
        assert!(began.elapsed() >= Duration::from_micros(150_500));
        assert!(zone.change(&b).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn applies_a_batch_whose_caller_gave_up() {
        let options = Options { one_change_in_flight: true, ..Options::default() };
        let zone = EmbeddedZone::in_memory("sd.internal", options).unwrap();
        let batch = [change(srv("web", "a", 1))];
        tokio::time::timeout(Duration::from_millis(1), zone.change(&batch)).await.unwrap_err();
        assert_eq!(zone.snapshot().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn follows_a_paused_clock() {
        let options = Options {
            throttle: Throttle::Legacy,
            insync_after: Duration::from_secs(30),
            ..Options::default()
        };
        let zone = EmbeddedZone::in_memory("sd.internal", options).unwrap();
        let info = zone.change(&[change(srv("web", "a", 1))]).await.unwrap();
        while zone.list(None, 1).await.is_ok() {}
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(zone.change_status(&info.id).await.unwrap().status, ChangeStatus::InSync);
    }

    #[tokio::test]
    async fn outlives_its_last_handle_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let open = || EmbeddedZone::open(dir.path(), "sd.internal", Options::default());
        let zone = open().unwrap();
        zone.change(&[change(srv("web", "a", 1)), change(srv("web", "b", 1))]).await.unwrap();
        zone.change(&[delete(srv("web", "a", 1))]).await.unwrap();
        zone.change(&[delete(srv("web", "a", 1))]).await.unwrap_err();
        assert!(matches!(open(), Err(OpenError::Locked { .. })));
        let before = zone.snapshot();
        drop(zone);
        assert_eq!(open().unwrap().snapshot(), before);
    }

    #[tokio::test]
    async fn shows_clients_nothing_once_it_is_drained_and_takes_changes_as_before() {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        zone.change(&[change(srv("web", "a", 1))]).await.unwrap();
        assert_eq!(zone.view_for_client(Contents::len), Some(3));
        zone.drain();
        zone.drained().await;
        assert_eq!(zone.view_for_client(Contents::len), None);
        zone.change(&[delete(srv("web", "a", 1))]).await.unwrap();
        assert_eq!(zone.view(Contents::len), 2);
    }

    #[test]
    fn refuses_a_zone_without_a_name() {
        for name in ["", ".", "a..b", "a b"] {
            let refused = EmbeddedZone::in_memory(name, Options::default()).unwrap_err();
            assert!(matches!(refused, OpenError::Name { .. }), "{name}");
        }
    }
}
