//! What each source of notices said last, copied for whoever shows it.

use super::{Heard, Notices};
use crate::machine::departure::{AskError, Said, Source};
use crate::moment::Moment;

/// What is known of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// Which one.
    pub source: Source,
    /// What it said last, and when it said so first.
    pub said: Option<(Said, Moment)>,
    /// Why it does not answer.
    pub failing: Option<AskError>,
}

impl Notices {
    /// Each source that was asked, in the order in which reasons are given.
    pub fn sources(&self) -> Vec<SourceState> {
        let mut sources: Vec<_> = self.heard.keys().chain(self.failing.keys()).copied().collect();
        sources.sort();
        sources.dedup();
        let said = |Heard { said, since, .. }: &Heard| (said.clone(), *since);
        let state = |source| SourceState {
            source,
            said: self.heard.get(&source).map(said),
            failing: self.failing.get(&source).cloned(),
        };
        sources.into_iter().map(state).collect()
    }
}
