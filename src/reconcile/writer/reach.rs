//! Whether the zone does what it is asked, said once for each kind of failure in a row.

use super::News;
use crate::zone::{Meaning, ZoneError};

/// The kind of failure that the latest call ended with, if it did.
#[derive(Debug, Default)]
pub(super) struct Reach(Option<&'static str>);

impl Reach {
    /// A call was answered. Returns what is new about that.
    pub(super) fn on_answer(&mut self, answer: Result<(), &ZoneError>) -> Option<News> {
        // A refusal is about what was asked, and told with that. What this host may not do is told by itself.
        let failure = answer
            .err()
            .filter(|error| error.meaning() != Meaning::Refused || matches!(error, ZoneError::Denied(_)));
        let kind = failure.map(ZoneError::kind);
        if kind == std::mem::replace(&mut self.0, kind) {
            return None;
        }
        Some(failure.cloned().map_or(News::Recovered, News::Failing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_is_said_once_in_a_row() {
        let throttled = ZoneError::Throttled("Rate exceeded".to_owned());
        let unknown = ZoneError::Unknown("cut".to_owned());
        let mut reach = Reach::default();
        assert_eq!(reach.on_answer(Ok(())), None, "it answered all along");
        assert_eq!(reach.on_answer(Err(&throttled)), Some(News::Failing(throttled.clone())));
        assert_eq!(reach.on_answer(Err(&throttled)), None);
        assert_eq!(reach.on_answer(Err(&unknown)), Some(News::Failing(unknown)));
        assert_eq!(reach.on_answer(Ok(())), Some(News::Recovered));
        assert_eq!(reach.on_answer(Ok(())), None);
    }

    #[test]
    fn a_refused_change_is_an_answer_but_what_is_denied_is_a_failure() {
        let refused = ZoneError::Rejected(Vec::new());
        let denied = ZoneError::Denied("route53:ChangeResourceRecordSets".to_owned());
        let mut reach = Reach::default();
        assert_eq!(reach.on_answer(Err(&refused)), None);
        assert_eq!(reach.on_answer(Err(&denied)), Some(News::Failing(denied)));
        assert_eq!(reach.on_answer(Err(&refused)), Some(News::Recovered));
    }
}
