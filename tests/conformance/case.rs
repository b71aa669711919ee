//! A case: what a zone holds, what is asked of it, what it must answer, and what it must hold afterwards.
//!
//! Cases are data, so that one and the same is asked of every zone. The zone's own name is written `@` in
//! them: each zone has a fresh one.

use ecssd::record::{Action, Change, RecordSet, RecordType, Routing};
use ecssd::zone::ListStart;
use ecssd::zone::refusal::Cause;

/// The values that a set at the apex had when the zone was made: they differ from zone to zone.
pub const AS_MADE: &str = "as made";

pub struct Case {
    pub name: &'static str,
    /// Batches that must be accepted; they are no part of what is compared.
    pub given: Vec<Vec<Change>>,
    pub steps: Vec<(Step, Answer)>,
    /// What the zone holds in the end, beside an apex as it was made.
    pub leaves: Vec<RecordSet>,
}

pub enum Step {
    Change(Vec<Change>),
    List {
        start: Option<ListStart>,
        max_items: usize,
    },
    /// The whole zone, in pages of this size.
    Pages(usize),
    /// A batch, then its status until that is final.
    Follow(Vec<Change>),
    /// The status of a change that nobody made.
    StatusOf(&'static str),
}

/// What must come of a step, as the transcript shows it.
pub struct Answer {
    pub shown: String,
    /// Words in the embedded zone's refusal: it must not refuse for another reason than the one meant.
    pub words: Vec<&'static str>,
}

pub fn case(name: &'static str) -> Case {
    Case { name, given: Vec::new(), steps: Vec::new(), leaves: Vec::new() }
}

impl Case {
    pub fn given(mut self, sets: impl IntoIterator<Item = RecordSet>) -> Self {
        self.given.push(sets.into_iter().map(create).collect());
        self
    }

    pub fn change(mut self, batch: impl IntoIterator<Item = Change>, answer: Answer) -> Self {
        self.steps.push((Step::Change(batch.into_iter().collect()), answer));
        self
    }

    pub fn list(mut self, start: ListStart, max_items: usize, shown: &str) -> Self {
        self.steps.push((Step::List { start: Some(start), max_items }, says(shown)));
        self
    }

    pub fn list_refused(mut self, start: ListStart, words: &'static str) -> Self {
        self.steps.push((Step::List { start: Some(start), max_items: 300 }, invalid(words)));
        self
    }

    pub fn first_page(mut self, max_items: usize, shown: &str) -> Self {
        self.steps.push((Step::List { start: None, max_items }, says(shown)));
        self
    }

    pub fn pages(mut self, size: usize, shown: &str) -> Self {
        self.steps.push((Step::Pages(size), says(shown)));
        self
    }

    pub fn follow(mut self, batch: impl IntoIterator<Item = Change>, shown: &str) -> Self {
        self.steps.push((Step::Follow(batch.into_iter().collect()), says(shown)));
        self
    }

    pub fn status_of(mut self, id: &'static str, shown: &str) -> Self {
        self.steps.push((Step::StatusOf(id), says(shown)));
        self
    }

    pub fn leaves(mut self, sets: impl IntoIterator<Item = RecordSet>) -> Self {
        self.leaves = sets.into_iter().collect();
        self
    }
}

fn says(shown: &str) -> Answer {
    Answer { shown: shown.to_owned(), words: Vec::new() }
}

pub fn accepted() -> Answer {
    says("accepted")
}

pub fn invalid(words: &'static str) -> Answer {
    Answer { shown: "invalid".to_owned(), words: vec![words] }
}

pub fn rejected(cause: Cause, words: &'static str) -> Answer {
    rejected_all(&[(cause, words)])
}

pub fn rejected_all(reasons: &[(Cause, &'static str)]) -> Answer {
    Answer {
        shown: show_causes(reasons.iter().map(|(cause, _)| *cause)),
        words: reasons.iter().map(|(_, words)| *words).collect(),
    }
}

pub fn show_causes(causes: impl Iterator<Item = Cause>) -> String {
    let causes: Vec<String> = causes.map(|cause| format!("{cause:?}")).collect();
    format!("rejected: {}", causes.join(", "))
}

pub fn exists() -> Answer {
    rejected(Cause::AlreadyExists, "but it already exists")
}

pub fn not_found() -> Answer {
    rejected(Cause::NotFound, "but it was not found")
}

pub fn values_differ() -> Answer {
    rejected(Cause::ValuesDiffer, "do not match the current values")
}

// === sets, and changes of them ===

pub fn simple(name: &str, kind: RecordType, values: &[&str]) -> RecordSet {
    RecordSet {
        name: name.to_owned(),
        kind,
        set_identifier: None,
        routing: Routing::Simple,
        ttl: 0,
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

pub fn a(label: &str, address: &str) -> RecordSet {
    simple(&under(label), RecordType::A, &[address])
}

/// A weighted set, as the agent writes them.
pub fn srv(label: &str, id: &str, weight: i64) -> RecordSet {
    let values = vec![format!("1 1 80 {id}.example")];
    RecordSet {
        set_identifier: Some(id.to_owned()),
        routing: Routing::Weighted(weight),
        values,
        ..simple(&under(label), RecordType::Srv, &[])
    }
}

pub fn multivalue(label: &str, id: &str, address: &str) -> RecordSet {
    RecordSet { set_identifier: Some(id.to_owned()), routing: Routing::Multivalue, ..a(label, address) }
}

/// A set at the apex as it was when the zone was made.
pub fn as_made(kind: RecordType) -> RecordSet {
    simple("@", kind, &[AS_MADE])
}

pub fn with(mut set: RecordSet, edit: impl FnOnce(&mut RecordSet)) -> RecordSet {
    edit(&mut set);
    set
}

fn under(label: &str) -> String {
    format!("{label}.@")
}

pub fn create(set: RecordSet) -> Change {
    Change { action: Action::Create, set }
}

pub fn delete(set: RecordSet) -> Change {
    Change { action: Action::Delete, set }
}

pub fn upsert(set: RecordSet) -> Change {
    Change { action: Action::Upsert, set }
}

/// Where a list begins.
pub fn at(name: &str, kind: Option<RecordType>, id: Option<&str>) -> ListStart {
    let name = (!name.is_empty()).then(|| name.to_owned());
    ListStart { name, kind: kind.map(Into::into), set_identifier: id.map(str::to_owned) }
}
