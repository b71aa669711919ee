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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn each_source_that_was_asked_is_shown_with_what_it_says_and_since_when() {
        let (mut notices, away) = (Notices::default(), AskError::Away("no answer".into()));
        let ends = Said::HostEnds { what: "spot".into(), at: None };
        let after = |seconds| Moment::after(Duration::from_secs(seconds));
        let mut answer = |second, source, answer| {
            notices.on_answer(source, answer, after(second), SystemTime::UNIX_EPOCH);
        };
        answer(10, Source::Scaling, Err(away.clone()));
        answer(10, Source::Spot, Ok(ends.clone()));
        answer(15, Source::Spot, Ok(ends.clone()));
        answer(20, Source::Spot, Err(away.clone()));
        let shown = notices.sources().into_iter().map(|state| (state.source, state.said, state.failing));
        let spot = (Source::Spot, Some((ends, after(10))), Some(away.clone()));
        assert_eq!(shown.collect::<Vec<_>>(), [spot, (Source::Scaling, None, Some(away))]);
    }
}
