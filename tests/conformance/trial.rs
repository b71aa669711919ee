//! A case put to one zone, and the transcript of what the zone did.
//!
//! A transcript holds a line for each step, and one for each set that the zone holds in the end. Two zones
//! agree where these lines are the same.

use std::time::Duration;

use ecssd::record::{Change, RecordSet, Routing};
use ecssd::zone::{ChangeStatus, ListStart, ListType, Page, Zone, ZoneError};

use crate::case::{AS_MADE, Case, Step, show_causes};

/// Beyond what any zone here needs for a change to be everywhere.
const INSYNC_POLLS_MAX: usize = 1_000;

/// Keys that a line of a list names; of a longer one it says how many there are.
const KEYS_SHOWN_MAX: usize = 12;

#[derive(Debug)]
pub struct Transcript {
    /// What came of each step.
    pub steps: Vec<String>,
    /// What the zone holds in the end, beside an apex as it was made.
    pub zone: Vec<String>,
    /// The errors of the steps, in their own words; empty where there was none.
    pub errors: Vec<String>,
}

impl Transcript {
    /// What the case says must come of it.
    pub fn expected(case: &Case) -> Self {
        let steps = case.steps.iter().enumerate().map(|(index, (_, answer))| step_line(index, &answer.shown));
        Self { steps: steps.collect(), zone: case.leaves.iter().map(zone_line).collect(), errors: Vec::new() }
    }

    /// Whether the same came of the same case.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.steps == other.steps && self.zone == other.zone
    }

    pub async fn of(case: &Case, zone: &dyn Zone) -> Self {
        let trial = Trial { zone, made: all_sets(zone, 300).await.concat() };
        for batch in &case.given {
            let done = zone.change(&trial.own_batch(batch)).await;
            done.unwrap_or_else(|error| panic!("{}: what is given was refused: {error}", case.name));
        }
        let (mut steps, mut errors) = (Vec::new(), Vec::new());
        for (index, (step, _)) in case.steps.iter().enumerate() {
            let (shown, error) = trial.take(step).await;
            steps.push(step_line(index, &shown));
            errors.push(error.map(|error| error.to_string()).unwrap_or_default());
        }
        Self { steps, zone: trial.held().await, errors }
    }
}

fn step_line(index: usize, shown: &str) -> String {
    format!("step {}: {shown}", index + 1)
}

fn zone_line(set: &RecordSet) -> String {
    let id = set.set_identifier.as_deref().unwrap_or("-");
    let policy = match set.routing {
        Routing::Simple => String::new(),
        other => format!(" {other}"),
    };
    format!("zone: {} {} {id}{policy} ttl {} {:?}", set.name, set.kind, set.ttl, set.values)
}

fn show_key(set: &RecordSet) -> String {
    match &set.set_identifier {
        Some(id) => format!("{} {} {id}", set.name, set.kind),
        None => format!("{} {}", set.name, set.kind),
    }
}

struct Trial<'a> {
    zone: &'a dyn Zone,
    /// What the zone held when it was made.
    made: Vec<RecordSet>,
}

impl Trial<'_> {
    async fn take(&self, step: &Step) -> (String, Option<ZoneError>) {
        let done = match step {
            Step::Change(batch) => {
                let batch = self.own_batch(batch);
                let done = self.zone.change(&batch).await;
                return (show_outcome(done.as_ref().err()), done.err());
            }
            Step::List { start, max_items } => {
                let start = start.as_ref().map(|start| self.own_start(start));
                self.zone.list(start.as_ref(), *max_items).await.map(|page| self.show_page(&page))
            }
            Step::Pages(size) => {
                let pages = all_sets(self.zone, *size).await;
                Ok(pages.iter().map(|sets| self.show_keys(sets)).collect::<Vec<_>>().join(" / "))
            }
            Step::Follow(batch) => self.follow(&self.own_batch(batch)).await,
            Step::StatusOf(id) => self.zone.change_status(id).await.map(|info| format!("{:?}", info.status)),
        };
        let shown = done.as_ref().map_or_else(|error| show_outcome(Some(error)), Clone::clone);
        (shown, done.err())
    }

    async fn follow(&self, batch: &[Change]) -> Result<String, ZoneError> {
        let accepted = self.zone.change(batch).await?;
        let mut seen = vec![format!("accepted {:?}", accepted.status)];
        for _ in 0..INSYNC_POLLS_MAX {
            let info = self.zone.change_status(&accepted.id).await?;
            if info.id != accepted.id {
                seen.push(format!("{} became {}", accepted.id, info.id));
            }
            seen.push(format!("{:?}", info.status));
            if info.status == ChangeStatus::InSync {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        seen.dedup();
        Ok(seen.join(", "))
    }

    async fn held(&self) -> Vec<String> {
        let held = all_sets(self.zone, 300).await.concat();
        let lost = self.made.iter().filter(|made| held.iter().all(|set| set.key() != made.key()));
        let lost = lost.map(|made| format!("zone: no {}", show_key(&self.at_sign(made))));
        let rest = held.iter().filter(|set| !self.made.contains(set));
        lost.chain(rest.map(|set| zone_line(&self.at_sign(set)))).collect()
    }

    fn show_page(&self, page: &Page) -> String {
        let keys = self.show_keys(&page.sets);
        match &page.next {
            None => keys,
            Some(next) => {
                let part = |part: Option<&str>| part.map(|part| format!(" {part}")).unwrap_or_default();
                let name = self.at_sign_name(next.name.as_deref().unwrap_or("-"));
                let kind = part(next.kind.as_ref().map(ListType::as_str));
                format!("{keys}, next {name}{kind}{}", part(next.set_identifier.as_deref()))
            }
        }
    }

    fn show_keys(&self, sets: &[RecordSet]) -> String {
        match sets.len() {
            0 => "nothing".to_owned(),
            1..=KEYS_SHOWN_MAX => {
                sets.iter().map(|set| show_key(&self.at_sign(set))).collect::<Vec<_>>().join(", ")
            }
            len => format!("{len} sets"),
        }
    }

    fn at_sign(&self, set: &RecordSet) -> RecordSet {
        RecordSet { name: self.at_sign_name(&set.name), ..set.clone() }
    }

    /// A zone may list names with the final dot or without.
    fn at_sign_name(&self, name: &str) -> String {
        name.strip_suffix('.').unwrap_or(name).replace(self.zone.name(), "@")
    }

    fn own_batch(&self, batch: &[Change]) -> Vec<Change> {
        batch.iter().map(|change| Change { action: change.action, set: self.own_set(&change.set) }).collect()
    }

    fn own_set(&self, set: &RecordSet) -> RecordSet {
        if set.values == [AS_MADE] {
            let made = self.made.iter().find(|made| made.kind == set.kind);
            return made.cloned().unwrap_or_else(|| panic!("a new zone has no {}", set.kind));
        }
        RecordSet { name: set.name.replace('@', self.zone.name()), ..set.clone() }
    }

    fn own_start(&self, start: &ListStart) -> ListStart {
        let name = start.name.as_ref().map(|name| name.replace('@', self.zone.name()));
        ListStart { name, ..start.clone() }
    }
}

fn show_outcome(error: Option<&ZoneError>) -> String {
    match error {
        None => "accepted".to_owned(),
        Some(ZoneError::Rejected(refusals)) => show_causes(refusals.iter().map(|refusal| refusal.cause)),
        Some(error) => error.kind().to_owned(),
    }
}

/// All sets, page by page, as the writer reads them.
async fn all_sets(zone: &dyn Zone, size: usize) -> Vec<Vec<RecordSet>> {
    let (mut pages, mut start) = (Vec::new(), None);
    loop {
        let page = zone.list(start.as_ref(), size).await.unwrap();
        assert!(page.next.is_none() || page.next != start, "the list does not get on: {start:?}");
        pages.push(page.sets);
        start = page.next;
        if start.is_none() {
            return pages;
        }
    }
}
