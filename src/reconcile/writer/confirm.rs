//! Whether what was accepted is on every name server: asked after, one change at a time, where that is wanted.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::propagation::PROPAGATED_AFTER;
use crate::moment::Moment;
use crate::record::{Change, Key};
use crate::zone::{ChangeInfo, ChangeStatus, Meaning, ZoneError};

/// How often an accepted change is asked after.
const CONFIRM_PERIOD: Duration = Duration::from_secs(2);
/// Whether it is asked after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nobody wants to know.
    #[default]
    Unasked,
    Asking,
    /// The registry does not let us ask.
    Refused,
}

/// What was accepted, and is not yet known to be everywhere.
#[derive(Debug, Default)]
pub(super) struct Confirmation {
    phase: Phase,
    /// The ids of changes, the oldest first. Until they are asked after, the newest is all that can matter.
    pending: VecDeque<String>,
    /// What a call spoke of whose answer was not heard: such a change has no id to ask by.
    unheard: BTreeSet<Key>,
    /// When a batch was last taken, or went unheard.
    latest: Moment,
    ask_at: Moment,
}

impl Confirmation {
    /// From now on it is wanted.
    pub(super) fn begin(&mut self, now: Moment) {
        if self.phase == Phase::Unasked {
            self.phase = Phase::Asking;
        }
        if now - self.latest > PROPAGATED_AFTER {
            self.unheard.clear();
            self.pending.clear();
        }
    }

    /// A batch was answered.
    pub(super) fn on_changed(
        &mut self,
        batch: &[Change],
        answer: &Result<ChangeInfo, ZoneError>,
        now: Moment,
    ) {
        let keys = batch.iter().map(|change| change.set.key());
        match answer {
            Ok(info) => {
                if self.phase == Phase::Unasked {
                    self.pending.clear();
                    self.unheard.clear();
                }
                keys.for_each(|key| {
                    self.unheard.remove(&key);
                });
                self.latest = now;
                if info.status == ChangeStatus::Pending {
                    self.pending.push_back(info.id.clone());
                    self.ask_at = now + CONFIRM_PERIOD;
                }
            }
            Err(error) if error.meaning() == Meaning::Unheard => {
                self.unheard.extend(keys);
                self.latest = now;
            }
            Err(_) => {}
        }
    }

    /// The change to ask after, and when.
    pub(super) fn next(&self) -> Option<(&str, Moment)> {
        self.pending.front().filter(|_| self.phase == Phase::Asking).map(|id| (id.as_str(), self.ask_at))
    }

    /// A change was asked after. Returns why that may not be done.
    pub(super) fn on_status(
        &mut self,
        id: &str,
        answer: Result<ChangeInfo, ZoneError>,
        now: Moment,
    ) -> Option<ZoneError> {
        match answer {
            Ok(info) if info.status == ChangeStatus::InSync => self.pending.retain(|other| other != id),
            Err(error) if error.meaning() == Meaning::Refused => {
                self.pending.clear();
                self.phase = Phase::Refused;
                return Some(error);
            }
            Ok(_) | Err(_) => self.ask_at = now + CONFIRM_PERIOD,
        }
        None
    }

    /// Whether all is on every name server: `None` while that is being asked, `false` where it cannot be.
    pub(super) fn verdict(&self) -> Option<bool> {
        match self.phase {
            Phase::Unasked => Some(true),
            Phase::Refused => Some(false),
            Phase::Asking => self.pending.is_empty().then_some(self.unheard.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::at;
    use crate::record::Action;
    use crate::record::testing::registrant;

    fn batch() -> Vec<Change> {
        vec![Change { action: Action::Delete, set: registrant("i-0a").host_record() }]
    }

    fn info(id: &str, status: ChangeStatus) -> Result<ChangeInfo, ZoneError> {
        Ok(ChangeInfo { id: id.to_owned(), status })
    }

    fn unknown() -> Result<ChangeInfo, ZoneError> {
        Err(ZoneError::Unknown("cut".into()))
    }

    #[test]
    fn is_nobody_s_business_until_it_is_wanted() {
        let mut confirmation = Confirmation::default();
        confirmation.on_changed(&batch(), &info("C1", ChangeStatus::Pending), at(1));
        assert_eq!((confirmation.next(), confirmation.verdict()), (None, Some(true)));
        // Then what was accepted just before counts, and of that the newest.
        confirmation.on_changed(&batch(), &info("C2", ChangeStatus::Pending), at(2));
        confirmation.begin(at(3));
        assert_eq!((confirmation.next(), confirmation.verdict()), (Some(("C2", at(4))), None));
    }

    #[test]
    fn what_is_old_is_everywhere() {
        for answer in [info("C1", ChangeStatus::Pending), unknown()] {
            let mut confirmation = Confirmation::default();
            confirmation.on_changed(&batch(), &answer, at(1));
            confirmation.begin(at(3_600));
            assert_eq!((confirmation.next(), confirmation.verdict()), (None, Some(true)));
        }
    }

    #[test]
    fn each_is_asked_after_until_it_is_everywhere() {
        let mut confirmation = Confirmation::default();
        confirmation.begin(at(1));
        confirmation.on_changed(&batch(), &info("C1", ChangeStatus::Pending), at(1));
        confirmation.on_changed(&batch(), &info("C2", ChangeStatus::InSync), at(1));
        confirmation.on_changed(&batch(), &info("C3", ChangeStatus::Pending), at(1));
        assert_eq!(confirmation.on_status("C1", info("C1", ChangeStatus::Pending), at(3)), None);
        assert_eq!(confirmation.next(), Some(("C1", at(5))));
        confirmation.on_status("C1", unknown(), at(5));
        confirmation.on_status("C1", info("C1", ChangeStatus::InSync), at(7));
        assert_eq!(confirmation.next().map(|(id, _)| id), Some("C3"));
        confirmation.on_status("C3", info("C3", ChangeStatus::InSync), at(7));
        assert_eq!(confirmation.verdict(), Some(true));
    }

    #[test]
    fn a_change_whose_answer_was_not_heard_is_known_by_a_later_one_of_the_same_record() {
        let mut confirmation = Confirmation::default();
        confirmation.begin(at(1));
        confirmation.on_changed(&batch(), &unknown(), at(1));
        assert_eq!(confirmation.verdict(), Some(false));
        confirmation.on_changed(&batch(), &info("C1", ChangeStatus::InSync), at(2));
        assert_eq!(confirmation.verdict(), Some(true));
    }

    #[test]
    fn a_change_is_asked_after_until_it_is_older_than_a_change_can_be_on_its_way() {
        for (begins, asks) in [(301, true), (302, false)] {
            let mut confirmation = Confirmation::default();
            confirmation.on_changed(&batch(), &info("C1", ChangeStatus::Pending), at(1));
            confirmation.begin(at(begins));
            assert_eq!(confirmation.next().is_some(), asks, "{begins}");
        }
    }

    #[test]
    fn an_answer_that_was_heard_leaves_nothing_to_doubt_though_nothing_was_written() {
        for error in [ZoneError::Throttled("Rate exceeded".into()), ZoneError::Denied("no".into())] {
            let mut confirmation = Confirmation::default();
            confirmation.begin(at(1));
            confirmation.on_changed(&batch(), &Err(error), at(1));
            assert_eq!(confirmation.verdict(), Some(true));
        }
    }

    #[test]
    fn what_may_not_be_asked_after_cannot_be_told() {
        let mut confirmation = Confirmation::default();
        confirmation.begin(at(1));
        confirmation.on_changed(&batch(), &info("C1", ChangeStatus::Pending), at(1));
        let denied = || ZoneError::Denied("route53:GetChange".into());
        assert_eq!(confirmation.on_status("C1", Err(denied()), at(3)), Some(denied()));
        assert_eq!((confirmation.next(), confirmation.verdict()), (None, Some(false)));
    }
}
