//! From the first request to stop to the exit, as phases: each request means something in some of them, and nothing in
//! the others.
//!
//! | phase | stop | judged | drain | delay over | hand over |
//! |---|---|---|---|---|---|
//! | serving | as planned: drains, hands over, or asks whether the host goes | | drains | | ends |
//! | judging | | drains, or hands over | drains | | ends |
//! | delaying | | | | withdraws | |
//! | withdrawing | | | | | |

use std::time::Duration;

use super::{OnTerm, StopPlan};
use crate::moment::Moment;

/// How long it may take to learn whether the host goes.
pub const JUDGEMENT_LIMIT: Duration = Duration::from_secs(2);
/// What the writer gets beyond a drain's deadline to name what is left.
pub const REPORT_SLACK: Duration = Duration::from_millis(500);

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask whether the host goes; who does not answer within [`JUDGEMENT_LIMIT`] says no.
    Judge,
    /// Take the traffic away: every weight is 0 until this has passed.
    Delay(Duration),
    /// Withdraw everything until this moment; [`REPORT_SLACK`] later it is over, whoever answers.
    Withdraw(Moment),
    /// End, and leave the records to the next agent of this host.
    HandOver,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Serving,
    Judging,
    Delaying,
    Withdrawing {
        deadline: Moment,
    },
}

/// How far an agent's end has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending(Phase);

impl Ending {
    /// Asked to stop as is planned, by whoever manages services; `asks` where somebody can say whether the host goes.
    pub fn stop(&mut self, plan: &StopPlan, asks: bool, now: Moment) -> Option<Step> {
        match (self.0, plan.on_term) {
            (Phase::Serving, OnTerm::Drain) => self.drain(plan, now),
            (Phase::Serving, OnTerm::HandOver) => Some(Step::HandOver),
            (Phase::Serving, OnTerm::Auto) => {
                self.0 = Phase::Judging;
                if asks { Some(Step::Judge) } else { self.judged(false, plan, now) }
            }
            _ => None,
        }
    }

    /// Learnt whether the host goes.
    pub fn judged(&mut self, goes: bool, plan: &StopPlan, now: Moment) -> Option<Step> {
        match self.0 {
            Phase::Judging if goes => self.drain(plan, now),
            Phase::Judging => Some(Step::HandOver),
            _ => None,
        }
    }

    /// Asked to withdraw everything, whatever is planned for SIGTERM.
    pub fn drain(&mut self, plan: &StopPlan, now: Moment) -> Option<Step> {
        match self.0 {
            Phase::Serving | Phase::Judging if plan.delay.is_zero() => Some(self.withdraw(plan, now)),
            Phase::Serving | Phase::Judging => {
                self.0 = Phase::Delaying;
                Some(Step::Delay(plan.delay))
            }
            Phase::Delaying | Phase::Withdrawing { .. } => None,
        }
    }

    /// All had weight 0 for as long as is planned.
    pub fn delay_over(&mut self, plan: &StopPlan, now: Moment) -> Option<Step> {
        (self.0 == Phase::Delaying).then(|| self.withdraw(plan, now))
    }

    /// Asked to leave the records to the next agent: too late for that once they are being withdrawn.
    pub fn hand_over(&self) -> Option<Step> {
        matches!(self.0, Phase::Serving | Phase::Judging).then_some(Step::HandOver)
    }

    /// Whether somebody was asked whether the host goes, and has not answered.
    pub fn is_judging(&self) -> bool {
        self.0 == Phase::Judging
    }

    /// Whether every weight is 0, or everything withdrawn.
    pub fn is_leaving(&self) -> bool {
        matches!(self.0, Phase::Delaying | Phase::Withdrawing { .. })
    }

    /// How far it has come, in a word.
    pub fn phase(&self) -> &'static str {
        match self.0 {
            Phase::Serving => "serving",
            Phase::Judging => "judging",
            Phase::Delaying => "delaying",
            Phase::Withdrawing { .. } => "withdrawing",
        }
    }

    /// Until when everything is to be withdrawn, once that has begun.
    pub fn deadline(&self) -> Option<Moment> {
        match self.0 {
            Phase::Withdrawing { deadline } => Some(deadline),
            _ => None,
        }
    }

    fn withdraw(&mut self, plan: &StopPlan, now: Moment) -> Step {
        let deadline = now + plan.timeout;
        self.0 = Phase::Withdrawing { deadline };
        Step::Withdraw(deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::after(Duration::from_secs(100));

    fn plan(on_term: OnTerm, delay: u64) -> StopPlan {
        StopPlan { on_term, delay: Duration::from_secs(delay), ..StopPlan::default() }
    }

    fn withdraw(plan: &StopPlan, now: Moment) -> Option<Step> {
        Some(Step::Withdraw(now + plan.timeout))
    }

    #[test]
    fn a_stop_is_what_is_planned() {
        let (drain, hand_over) = (plan(OnTerm::Drain, 0), plan(OnTerm::HandOver, 0));
        assert_eq!(Ending::default().stop(&drain, true, NOW), withdraw(&drain, NOW));
        assert_eq!(Ending::default().stop(&hand_over, true, NOW), Some(Step::HandOver));
    }

    #[test]
    fn where_it_depends_on_the_host_who_cannot_be_asked_and_who_does_not_know_says_no() {
        let auto = plan(OnTerm::Auto, 0);
        assert_eq!(Ending::default().stop(&auto, false, NOW), Some(Step::HandOver));
        let mut ending = Ending::default();
        assert_eq!(ending.judged(true, &auto, NOW), None, "nobody was asked");
        assert_eq!(ending.stop(&auto, true, NOW), Some(Step::Judge));
        assert!(ending.is_judging() && !ending.is_leaving());
        assert_eq!(ending.clone().judged(false, &auto, NOW), Some(Step::HandOver));
        assert_eq!(ending.judged(true, &auto, NOW), withdraw(&auto, NOW));
        assert_eq!(ending.judged(false, &auto, NOW), None, "an answer that comes late undoes nothing");
    }

    #[test]
    fn a_delay_comes_before_the_withdrawal_and_is_over_once() {
        let plan = plan(OnTerm::Drain, 30);
        let mut ending = Ending::default();
        assert_eq!(ending.delay_over(&plan, NOW), None);
        assert_eq!(ending.drain(&plan, NOW), Some(Step::Delay(plan.delay)));
        assert_eq!((ending.drain(&plan, NOW), ending.deadline()), (None, None), "asked for again");
        let later = NOW + plan.delay;
        assert_eq!(ending.delay_over(&plan, later), withdraw(&plan, later));
        assert_eq!(ending.delay_over(&plan, later), None);
        assert_eq!(ending.deadline(), Some(later + plan.timeout));
    }

    #[test]
    fn how_far_it_has_come_has_a_word() {
        let (auto, mut ending) = (plan(OnTerm::Auto, 30), Ending::default());
        assert!(ending.phase() == "serving" && !ending.is_judging());
        ending.stop(&auto, true, NOW);
        assert_eq!(ending.phase(), "judging");
        ending.judged(true, &auto, NOW);
        assert_eq!(ending.phase(), "delaying");
        ending.delay_over(&auto, NOW);
        assert_eq!(ending.phase(), "withdrawing");
    }

    #[test]
    fn records_that_are_being_withdrawn_are_not_handed_over() {
        let mut ending = Ending::default();
        assert_eq!(ending.hand_over(), Some(Step::HandOver));
        ending.drain(&plan(OnTerm::Drain, 30), NOW);
        assert_eq!(ending.hand_over(), None);
        assert!(ending.is_leaving());
        ending.delay_over(&plan(OnTerm::Drain, 30), NOW);
        assert_eq!(ending.hand_over(), None);
    }

    #[test]
    fn a_drain_does_not_wait_for_an_answer_about_the_host() {
        let auto = plan(OnTerm::Auto, 0);
        let mut ending = Ending::default();
        ending.stop(&auto, true, NOW);
        assert_eq!(ending.drain(&auto, NOW), withdraw(&auto, NOW));
        assert_eq!(ending.judged(false, &auto, NOW), None);
    }
}
