//! A zone that says what is written to it, line by line in the manner of `dig`; or says it and leaves it.
//!
//! In a dry run every change is taken for done: the plan goes on as it would. Lists come from the zone
//! itself, so the plan is as good as what was read before it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::{ChangeInfo, ChangeStatus, ListStart, Meaning, Page, Zone, ZoneError};
use crate::record::Change;

/// Where the lines of a plan go.
pub type Print = Box<dyn Fn(fmt::Arguments<'_>) + Send + Sync>;

/// A zone with a plan before it.
pub struct PlannedZone {
    zone: Arc<dyn Zone>,
    dry: bool,
    print: Print,
    changes: AtomicUsize,
}

impl PlannedZone {
    /// Says what is written to `zone`; if `dry`, does not write it.
    pub fn new(zone: Arc<dyn Zone>, dry: bool, print: Print) -> Self {
        Self { zone, dry, print, changes: AtomicUsize::new(0) }
    }

    /// How many changes were made, or would have been.
    pub fn changes(&self) -> usize {
        self.changes.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for PlannedZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedZone")
            .field("zone", &self.zone.name())
            .field("dry", &self.dry)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Zone for PlannedZone {
    fn name(&self) -> &str {
        self.zone.name()
    }

    fn id(&self) -> &str {
        self.zone.id()
    }

    fn drain(&self) {
        self.zone.drain();
    }

    async fn change(&self, batch: &[Change]) -> Result<ChangeInfo, ZoneError> {
        for change in batch {
            (self.print)(format_args!("{change}"));
        }
        let answer = if self.dry { Ok(taken_for_done()) } else { self.zone.change(batch).await };
        match &answer {
            Ok(_) => {
                self.changes.fetch_add(batch.len(), Ordering::Relaxed);
            }
            Err(error) if error.meaning() == Meaning::Unheard => {
                (self.print)(format_args!("; perhaps not done: {error}"));
            }
            Err(error) => (self.print)(format_args!("; not done: {error}")),
        }
        answer
    }

    async fn list(&self, start: Option<&ListStart>, max_items: usize) -> Result<Page, ZoneError> {
        self.zone.list(start, max_items).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeInfo, ZoneError> {
        // The zone does not know of a change that was not made.
        if self.dry { Ok(taken_for_done()) } else { self.zone.change_status(id).await }
    }
}

fn taken_for_done() -> ChangeInfo {
    ChangeInfo { id: "dry-run".to_owned(), status: ChangeStatus::InSync }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::record::{Action, RecordSet, RecordType, Routing};
    use crate::zone::embedded::{EmbeddedZone, Options};

    fn address(value: &str) -> RecordSet {
        RecordSet {
            name: "i-0a.sd.internal".into(),
            kind: RecordType::A,
            set_identifier: Some("i-0a".into()),
            routing: Routing::Weighted(1),
            ttl: 60,
            values: vec![value.into()],
        }
    }

    async fn planned(dry: bool) -> (Vec<String>, usize, usize) {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let print = {
            let lines = lines.clone();
            Box::new(move |line: fmt::Arguments<'_>| lines.lock().unwrap().push(line.to_string()))
        };
        let planned = PlannedZone::new(Arc::new(zone.clone()), dry, print);
        assert_eq!(planned.change_status("1").await.is_ok(), dry, "there has been no change");
        let create = [Change { action: Action::Create, set: address("10.0.0.7") }];
        let info = planned.change(&create).await.unwrap();
        assert!(planned.change_status(&info.id).await.is_ok());
        let all =
            RecordSet { name: "all.sd.internal".into(), routing: Routing::Multivalue, ..address("10.0.0.7") };
        planned.change(&[Change { action: Action::Create, set: all }]).await.unwrap();
        let again = planned.change(&create).await;
        assert_eq!(again.is_ok(), dry);
        let lines = lines.lock().unwrap().clone();
        (lines, planned.changes(), zone.snapshot().len() - 2)
    }

    #[tokio::test]
    async fn says_what_it_does_and_what_it_could_not() {
        let (lines, changes, sets) = planned(false).await;
        assert_eq!(lines[0], "CREATE i-0a.sd.internal. 60 IN A 10.0.0.7 ; weight 1 ; i-0a");
        assert_eq!(lines[1], "CREATE all.sd.internal. 60 IN A 10.0.0.7 ; multivalue ; i-0a");
        assert!(lines[3].starts_with("; not done: batch refused: [Tried to create"), "{}", lines[3]);
        assert_eq!((lines.len(), changes, sets), (4, 2, 2));
    }

    #[tokio::test]
    async fn says_in_a_dry_run_what_it_would_do_and_does_nothing() {
        let (lines, changes, sets) = planned(true).await;
        assert_eq!((lines.len(), changes, sets), (3, 3, 0));
    }
}
