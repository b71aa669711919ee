//! Rise and fall: when a row of probe results is a verdict, and when the next probe is due.
//!
//! Owns the hysteresis and the pace of one target, and what it means that it closes the connection which is held.
//!  Connecting, reading and timing out belong to the
//! prober; what a verdict means for a record belongs to [`super::lifecycle`].

use std::time::Duration;

use crate::moment::Moment;

/// Successes in a row that make a target healthy.
pub const RISE: u32 = 2;
/// Failures in a row that make a target unhealthy. More than [`RISE`]: taking a target out on a hiccup
/// costs more than taking it in a second later.
pub const FALL: u32 = 3;
/// The first pause between probes while there is no verdict.
pub const FAST: Duration = Duration::from_millis(200);
/// The pause after an unproven target's first answer: what is left between a service and its record is
/// only whether it answers once more.
pub const CONFIRM: Duration = Duration::from_millis(50);
/// How long a target that closes each held connection at once is not believed. A proxy closes them where nobody listens
/// yet, and most have begun to listen by then; some services close them too, and are not kept out for ever.
pub const CLOSES_AT_ONCE: Duration = Duration::from_secs(60);
/// By how much an unproven target's pause grows after each failure, in percent.
const GROWTH_PERCENT: u32 = 150;
/// By how much of the interval a pause is varied either way, in percent, so that the probes of a host's
/// containers, started together, spread out.
const JITTER_PERCENT: f64 = 10.0;

/// What a row of results amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It answers.
    Up,
    /// It does not.
    Down,
}

/// The memory of one target: its last verdict and the results in a row that speak against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    interval: Duration,
    fast: Option<Duration>,
    verdict: Option<Verdict>,
    successes: u32,
    failures: u32,
    /// Since when it closes each held connection at once.
    closes_since: Option<Moment>,
}

impl Probe {
    /// A target without a verdict, to be probed at once and then at `interval`.
    pub fn new(interval: Duration) -> Self {
        let fast = Some(FAST.min(interval));
        Self { interval, fast, verdict: None, successes: 0, failures: 0, closes_since: None }
    }

    /// Takes one result; returns the verdict when it changes.
    pub fn on_result(&mut self, healthy: bool) -> Option<Verdict> {
        if healthy {
            self.successes = self.successes.saturating_add(1);
            self.failures = 0;
        } else {
            self.failures = self.failures.saturating_add(1);
            (self.successes, self.closes_since) = (0, None);
        }
        self.pace(healthy);
        let verdict = match (self.successes, self.failures) {
            (RISE.., _) => Verdict::Up,
            (_, FALL..) => Verdict::Down,
            _ => return None,
        };
        (self.verdict.replace(verdict) != Some(verdict)).then_some(verdict)
    }

    /// How long the connection of the next probe is held where a proxy may take it: until the one that confirms it would
    /// be due. Only that of a target's first answer is.
    pub fn hold(&self) -> Option<Duration> {
        (self.fast.is_some() && self.successes == 0).then_some(CONFIRM)
    }

    /// The connection that was held was closed at once, which tells nothing of a process: no success, and no failure.
    /// Returns whether that has been so for long enough to be taken for the service's own way.
    pub fn on_closed(&mut self, now: Moment) -> bool {
        let since = *self.closes_since.get_or_insert(now);
        let is_own_way = now >= since + CLOSES_AT_ONCE;
        if !is_own_way {
            self.pace(false);
        }
        is_own_way
    }

    /// The pause until the next probe. `random` is uniform in 0..1.
    pub fn pause(&self, random: f64) -> Duration {
        let pause = self.fast.unwrap_or(self.interval);
        pause.mul_f64(1.0 + (random - 0.5) * 2.0 * JITTER_PERCENT / 100.0)
    }

    /// Until it has answered twice, a target is asked often, and less often the longer it is silent: a
    /// service is registered soon after it can serve, and one that never will costs little.
    fn pace(&mut self, healthy: bool) {
        let Some(fast) = self.fast else { return };
        self.fast = if self.successes >= RISE {
            None
        } else if healthy {
            Some(CONFIRM)
        } else {
            Some((fast * GROWTH_PERCENT / 100).min(self.interval))
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn after(results: &[bool]) -> (Probe, Vec<Verdict>) {
        let mut probe = Probe::new(INTERVAL);
        let verdicts = results.iter().filter_map(|healthy| probe.on_result(*healthy)).collect();
        (probe, verdicts)
    }

    #[test]
    fn rises_after_two_and_falls_after_three() {
        assert_eq!(after(&[true]).1, []);
        assert_eq!(after(&[true, true, true]).1, [Verdict::Up]);
        assert_eq!(after(&[true, true, false, false]).1, [Verdict::Up]);
        assert_eq!(after(&[true, true, false, false, false]).1, [Verdict::Up, Verdict::Down]);
        assert_eq!(after(&[false, false, false]).1, [Verdict::Down]);
    }

    #[test]
    fn a_single_result_between_does_not_turn_the_verdict() {
        assert_eq!(after(&[true, true, false, false, true, false, false, true, false]).1, [Verdict::Up]);
        assert_eq!(after(&[false, false, false, true, false, true, false]).1, [Verdict::Down]);
    }

    #[test]
    fn is_asked_often_until_it_has_answered_twice() {
        let pause = |results: &[bool]| after(results).0.pause(0.5);
        assert_eq!(pause(&[]), FAST);
        assert_eq!(pause(&[true]), CONFIRM);
        assert_eq!(pause(&[false]), FAST * 3 / 2);
        assert!(pause(&[false; 4]) > Duration::from_millis(900));
        assert_eq!(pause(&[false; 30]), INTERVAL);
        assert_eq!(pause(&[false, false, false, false, true]), CONFIRM);
        assert_eq!(pause(&[false, false, true, false]), CONFIRM * 3 / 2);
        assert_eq!(pause(&[true, true]), INTERVAL);
        assert_eq!(pause(&[true, true, false]), INTERVAL);
    }

    #[test]
    fn only_the_connection_of_a_first_answer_is_held() {
        let hold = |results: &[bool]| after(results).0.hold();
        assert_eq!([hold(&[]), hold(&[false]), hold(&[false; 9]), hold(&[true, false])], [Some(CONFIRM); 4]);
        assert_eq!([hold(&[true]), hold(&[true, true]), hold(&[true, true, false, false, false])], [None; 3]);
    }

    #[test]
    fn who_closes_the_held_connection_is_neither_up_nor_down_for_a_minute() {
        let at = |seconds| Moment::after(Duration::from_secs(seconds));
        let (mut probe, _) = after(&[false, false]);
        let mut asked = 0;
        let mut now = at(100);
        while !probe.on_closed(now) {
            now += probe.pause(0.5);
            asked += 1;
        }
        assert!(now >= at(160) && now < at(166), "{now:?}");
        assert!((14..30).contains(&asked), "asked {asked} times: as seldom as who is silent");
        assert_eq!(probe.on_result(true), None);
        assert_eq!(probe.hold(), None, "it is confirmed by a connection that is not held");
        assert_eq!(probe.on_result(true), Some(Verdict::Up));
    }

    #[test]
    fn who_stays_connected_after_it_closed_is_up_at_once_and_who_refuses_begins_anew() {
        let at = |seconds| Moment::after(Duration::from_secs(seconds));
        let mut probe = Probe::new(INTERVAL);
        assert!(!probe.on_closed(at(0)));
        assert_eq!((probe.on_result(true), probe.on_result(true)), (None, Some(Verdict::Up)));
        let mut probe = Probe::new(INTERVAL);
        assert!(!probe.on_closed(at(0)) && !probe.on_closed(at(59)));
        probe.on_result(false);
        assert!(!probe.on_closed(at(61)) && !probe.on_closed(at(120)) && probe.on_closed(at(121)));
    }

    #[test]
    fn jitter_spreads_a_pause_by_a_tenth_either_way() {
        let (probe, _) = after(&[true, true]);
        assert_eq!(probe.pause(0.0), INTERVAL.mul_f64(0.9));
        assert!(probe.pause(0.999_999) < INTERVAL.mul_f64(1.1));
        assert!(probe.pause(0.999_999) > INTERVAL.mul_f64(1.099));
    }
}
