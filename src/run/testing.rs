//! A zone for the tests of removals: what stands in it, and which of it may not be changed.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::record::{Action, Change, RecordSet};
use crate::zone::embedded::{EmbeddedZone, Options};
use crate::zone::{ChangeInfo, ListStart, Page, Zone, ZoneError};

/// A zone with these sets.
pub(super) async fn zone_with(sets: impl IntoIterator<Item = RecordSet>, options: Options) -> EmbeddedZone {
    let zone = EmbeddedZone::in_memory("sd.internal", options).unwrap();
    let create = |set| Change { action: Action::Create, set };
    zone.change(&sets.into_iter().map(create).collect::<Vec<_>>()).await.unwrap();
    zone
}

/// A zone that lets one name be changed only once that is allowed.
pub(super) struct Denying {
    pub zone: EmbeddedZone,
    pub name: String,
    pub is_allowed: AtomicBool,
}

impl Denying {
    pub(super) fn new(zone: EmbeddedZone, name: &str) -> Self {
        Self { zone, name: name.to_owned(), is_allowed: AtomicBool::new(false) }
    }
}

#[async_trait::async_trait]
impl Zone for Denying {
    fn name(&self) -> &str {
        self.zone.name()
    }

    fn id(&self) -> &str {
        self.zone.id()
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        let is_denied = !self.is_allowed.load(Ordering::Relaxed);
        if is_denied && batch.iter().any(|change| change.set.name == self.name) {
            return Err(ZoneError::Denied("not this name".to_owned()));
        }
        self.zone.change(batch).await
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.zone.list(start, max_items).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        self.zone.change_status(id).await
    }
}
