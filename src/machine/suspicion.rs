//! Whether it is the prober that is broken, rather than what it probes.
//!
//! When most of a host's checks time out at once, the likeliest cause is what they share: this host's network,
//! or this very process. A verdict of then would set a host's services to weight 0 for a fault of the one who
//! asks. Owns that doubt: what each target answered last, and since when too many are silent. What a verdict
//! does is decided elsewhere.
//!
//! ## Guarantees
//!
//! - With fewer than [`TARGETS`] targets of [`SERVICES`] services nothing is doubted: too few to tell.
//! - A doubt lasts at most [`DOUBT_MAX`]: then what is silent counts as silent, until they are fewer again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::record::ContainerId;

/// The fewest targets from which their majority says something of the prober.
pub const TARGETS: usize = 5;
/// The fewest services that these targets must be of: one service alone may be down for reasons of its own.
pub const SERVICES: usize = 2;
/// How long the prober may doubt itself.
pub const DOUBT_MAX: Duration = Duration::from_secs(300);
/// How late an answer may be taken before this process is too slow to judge.
pub const LAG_MAX: Duration = Duration::from_secs(1);
/// How long after it was too slow its results are doubted: as long as the usual pause between two probes.
const LAG_DOUBT: Duration = Duration::from_secs(5);

/// What became of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, by an answer: refused, reset, a wrong status.
    Refused,
    /// Nothing came in time.
    TimedOut,
}

/// A change of mind, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// From now on failures change nothing.
    Doubts,
    /// From now on they count.
    Trusts,
}

/// All targets of a host, by container.
#[derive(Debug, Default)]
pub struct Suspicion {
    seats: BTreeMap<ContainerId, Seat>,
    lagged: Option<Duration>,
    since: Option<Duration>,
    doubting: bool,
}

#[derive(Debug)]
struct Seat {
    services: BTreeSet<String>,
    latest: Vec<Option<Outcome>>,
}

impl Suspicion {
    /// These targets of a container are probed from now on, for these services; none to stop.
    pub fn seat(&mut self, container: ContainerId, services: BTreeSet<String>, targets: usize) {
        if targets == 0 {
            self.seats.remove(&container);
        } else {
            self.seats.insert(container, Seat { services, latest: vec![None; targets] });
        }
    }

    /// A probe of a target has ended, and its end was noticed `lag` later than it should have been.
    pub fn on_outcome(
        &mut self,
        container: &ContainerId,
        target: usize,
        outcome: Outcome,
        lag: Duration,
        now: Duration,
    ) -> Option<Turn> {
        if let Some(latest) = self.seats.get_mut(container).and_then(|seat| seat.latest.get_mut(target)) {
            *latest = Some(outcome);
        }
        if lag > LAG_MAX {
            self.lagged = Some(now);
        }
        let since = if self.suspicious(now) { Some(self.since.unwrap_or(now)) } else { None };
        self.since = since;
        let doubts = since.is_some_and(|since| now - since < DOUBT_MAX);
        let turned = std::mem::replace(&mut self.doubting, doubts) != doubts;
        turned.then_some(if doubts { Turn::Doubts } else { Turn::Trusts })
    }

    /// Whether what became of a probe counts now: while the prober doubts itself, no failure does. Who passes, passes.
    pub fn believes(&self, outcome: Outcome) -> bool {
        !self.doubting || outcome == Outcome::Passed
    }

    fn suspicious(&self, now: Duration) -> bool {
        self.lagged.is_some_and(|at| now - at < LAG_DOUBT) || self.most_are_silent()
    }

    fn most_are_silent(&self) -> bool {
        let latest = || self.seats.values().flat_map(|seat| &seat.latest).flatten();
        let silent = latest().filter(|outcome| **outcome == Outcome::TimedOut).count();
        let targets = latest().count();
        // Asked at every outcome of every target, and hardly ever so: services are counted last.
        targets >= TARGETS && silent * 2 > targets && self.services_asked() >= SERVICES
    }

    fn services_asked(&self) -> usize {
        let asked = self.seats.values().filter(|seat| seat.latest.iter().any(Option::is_some));
        asked.flat_map(|seat| &seat.services).collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::secs;
    use crate::record::testing::id;

    /// Containers, each with one target; the n-th is of the n-th of these services.
    fn host(services: &[&str]) -> Suspicion {
        let mut suspicion = Suspicion::default();
        for (n, service) in services.iter().enumerate() {
            suspicion.seat(id(n as u64), BTreeSet::from([(*service).to_owned()]), 1);
        }
        suspicion
    }

    fn tell(suspicion: &mut Suspicion, outcomes: &[Outcome], now: u64) -> bool {
        for (n, outcome) in outcomes.iter().enumerate() {
            suspicion.on_outcome(&id(n as u64), 0, *outcome, Duration::ZERO, secs(now));
        }
        !suspicion.believes(TimedOut)
    }

    use Outcome::{Passed, Refused, TimedOut};

    #[test]
    fn doubts_itself_when_most_time_out() {
        let all = ["a", "a", "a", "b", "b"];
        assert!(tell(&mut host(&all), &[TimedOut, TimedOut, TimedOut, Passed, Passed], 9));
        assert!(!tell(&mut host(&all), &[TimedOut, TimedOut, Passed, Passed, Passed], 9));
        assert!(!tell(
            &mut host(&[&all[..], &["b"]].concat()),
            &[TimedOut, TimedOut, TimedOut, Passed, Passed, Passed],
            9
        ));
    }

    #[test]
    fn believes_refusals() {
        assert!(!tell(&mut host(&["a", "a", "b", "b", "b"]), &[Refused; 5], 9));
    }

    #[test]
    fn too_few_targets_or_one_service_tell_nothing() {
        assert!(!tell(&mut host(&["a", "b", "a", "b"]), &[TimedOut; 4], 9));
        assert!(!tell(&mut host(&["a"; 9]), &[TimedOut; 9], 9));
        assert!(tell(&mut host(&["a", "b", "a", "b", "a"]), &[TimedOut; 5], 9));
    }

    #[test]
    fn a_doubt_ends_with_its_cause_or_after_five_minutes() {
        let mut suspicion = host(&["a", "b", "a", "b", "a"]);
        assert!(tell(&mut suspicion, &[TimedOut; 5], 10));
        assert!(tell(&mut suspicion, &[TimedOut; 5], 309));
        assert!(!tell(&mut suspicion, &[TimedOut; 5], 310));
        assert!(!tell(&mut suspicion, &[TimedOut; 5], 2_000));
        assert!(!tell(&mut suspicion, &[Passed; 5], 2_001));
        assert!(tell(&mut suspicion, &[TimedOut; 5], 2_010));
    }

    #[test]
    fn a_slow_process_doubts_itself_however_few_it_asks() {
        let mut suspicion = host(&["a"]);
        assert_eq!(suspicion.on_outcome(&id(0), 0, TimedOut, LAG_MAX, secs(10)), None);
        let lag = LAG_MAX + Duration::from_millis(1);
        assert_eq!(suspicion.on_outcome(&id(0), 0, TimedOut, lag, secs(10)), Some(Turn::Doubts));
        assert_eq!(suspicion.on_outcome(&id(0), 0, TimedOut, Duration::ZERO, secs(15)), Some(Turn::Trusts));
    }

    #[test]
    fn a_container_that_is_gone_has_no_say() {
        let mut suspicion = host(&["a", "b", "a", "b", "a", "b"]);
        assert!(tell(&mut suspicion, &[TimedOut, TimedOut, TimedOut, TimedOut, Passed, Passed], 9));
        suspicion.seat(id(0), BTreeSet::new(), 0);
        suspicion.seat(id(1), BTreeSet::new(), 0);
        suspicion.on_outcome(&id(5), 0, Passed, Duration::ZERO, secs(10));
        assert!(suspicion.believes(TimedOut));
    }

    #[test]
    fn believes_who_passes_however_much_it_doubts_itself() {
        let mut suspicion = host(&["a", "b", "a", "b", "a"]);
        assert!(tell(&mut suspicion, &[TimedOut; 5], 9));
        assert!(suspicion.believes(Passed));
        assert!(!suspicion.believes(Refused) && !suspicion.believes(TimedOut));
    }
}
