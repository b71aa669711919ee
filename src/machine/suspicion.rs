//! Whether it is the prober that is broken, rather than what it probes.
//!
//! When most of a host's containers are silent at once, the likeliest cause is what they share: this host's
//! network, or this very process. A verdict of then would set a host's services to weight 0 for a fault of the one
//! who asks. Owns that doubt: what each target answered last, and since when too many containers are silent. It
//! covers silence alone: a target that refuses has answered. What a verdict does is decided elsewhere.
//!
//! ## Guarantees
//!
//! - A container counts once, however many targets it has: its own fault must not shield its neighbours'.
//! - With fewer than [`CONTAINERS`] containers of [`SERVICES`] services nothing is doubted: too few to tell.
//! - A doubt lasts at most [`DOUBT_MAX`]: then silence counts, until they are fewer again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::moment::Moment;
use crate::record::ContainerId;

/// The fewest containers from which their majority says something of the prober.
pub const CONTAINERS: usize = 5;
/// The fewest services that these must offer: one service alone may be down for reasons of its own.
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
    /// From now on silence changes nothing.
    Doubts,
    /// From now on it counts.
    Trusts,
}

/// All targets of a host, by container.
#[derive(Debug, Default)]
pub struct Suspicion {
    seats: BTreeMap<ContainerId, Seat>,
    lagged: Option<Moment>,
    since: Option<Moment>,
    doubting: bool,
}

#[derive(Debug)]
struct Seat {
    services: Vec<String>,
    latest: Vec<Option<Outcome>>,
}

impl Suspicion {
    /// These targets of a container are probed from now on, for these services; none to stop.
    pub fn seat(&mut self, container: ContainerId, services: BTreeSet<String>, targets: usize) {
        if targets == 0 {
            self.seats.remove(&container);
        } else {
            self.seats.insert(
                container,
                Seat { services: services.into_iter().collect(), latest: vec![None; targets] },
            );
        }
    }

    /// A probe of a target has ended, and its end was noticed `lag` later than it should have been.
    pub fn on_outcome(
        &mut self,
        container: &ContainerId,
        target: usize,
        outcome: Outcome,
        lag: Duration,
        now: Moment,
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

    /// Whether an outcome counts now.
    pub fn believes(&self, outcome: Outcome) -> bool {
        outcome != Outcome::TimedOut || !self.doubting
    }

    fn suspicious(&self, now: Moment) -> bool {
        self.lagged.is_some_and(|at| now - at < LAG_DOUBT) || self.most_are_silent()
    }

    fn most_are_silent(&self) -> bool {
        let asked = || self.seats.values().filter(|seat| seat.is_asked());
        let silent = asked().filter(|seat| seat.is_silent()).count();
        let containers = asked().count();
        // Asked at every outcome of every target, and hardly ever so: services are counted last.
        containers >= CONTAINERS && silent * 2 > containers && self.services_asked() >= SERVICES
    }

    fn services_asked(&self) -> usize {
        let asked = self.seats.values().filter(|seat| seat.is_asked());
        // Copies that have the same names, however many, are of one service.
        asked.map(|seat| &seat.services).collect::<BTreeSet<_>>().len()
    }
}

impl Seat {
    fn is_asked(&self) -> bool {
        self.latest.iter().any(Option::is_some)
    }

    /// Whether most of its targets that were asked said nothing.
    fn is_silent(&self) -> bool {
        let latest = || self.latest.iter().flatten();
        latest().filter(|outcome| **outcome == Outcome::TimedOut).count() * 2 > latest().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::at;
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
            suspicion.on_outcome(&id(n as u64), 0, *outcome, Duration::ZERO, at(now));
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
    fn an_answer_counts_in_doubt_too() {
        let mut suspicion = host(&["a", "b", "a", "b", "a"]);
        assert!(tell(&mut suspicion, &[TimedOut; 5], 10));
        assert!(suspicion.believes(Refused) && suspicion.believes(Passed) && !suspicion.believes(TimedOut));
    }

    #[test]
    fn the_hung_targets_of_one_container_shield_nobody() {
        let mut suspicion = host(&["a", "b", "c", "d", "e"]);
        suspicion.seat(id(0), BTreeSet::from(["a".to_owned(), "f".to_owned()]), 10);
        for target in 0..10 {
            suspicion.on_outcome(&id(0), target, TimedOut, Duration::ZERO, at(1));
        }
        for container in 1..5 {
            suspicion.on_outcome(
                &id(container),
                0,
                if container < 3 { Refused } else { Passed },
                Duration::ZERO,
                at(2),
            );
        }
        assert!(suspicion.believes(TimedOut));
        // One silent target of several is not a silent container.
        suspicion.seat(id(1), BTreeSet::from(["b".to_owned()]), 2);
        for (target, outcome) in [(0, TimedOut), (1, Passed)] {
            suspicion.on_outcome(&id(1), target, outcome, Duration::ZERO, at(3));
        }
        suspicion.on_outcome(&id(2), 0, TimedOut, Duration::ZERO, at(3));
        assert!(suspicion.believes(TimedOut));
        suspicion.on_outcome(&id(3), 0, TimedOut, Duration::ZERO, at(3));
        assert!(!suspicion.believes(TimedOut), "three of five");
    }

    #[test]
    fn too_few_containers_or_one_service_tell_nothing() {
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
        assert_eq!(suspicion.on_outcome(&id(0), 0, TimedOut, LAG_MAX, at(10)), None);
        let lag = LAG_MAX + Duration::from_millis(1);
        assert_eq!(suspicion.on_outcome(&id(0), 0, TimedOut, lag, at(10)), Some(Turn::Doubts));
        assert_eq!(suspicion.on_outcome(&id(0), 0, TimedOut, Duration::ZERO, at(15)), Some(Turn::Trusts));
    }

    #[test]
    fn a_container_that_nobody_has_asked_has_no_say() {
        let mut suspicion = host(&["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"]);
        assert!(tell(&mut suspicion, &[TimedOut; 5], 9), "all that was asked");
        assert!(
            !tell(&mut host(&["a", "a", "a", "a", "a", "b"]), &[TimedOut; 5], 9),
            "one service was asked"
        );
    }

    #[test]
    fn a_container_that_is_gone_has_no_say() {
        let mut suspicion = host(&["a", "b", "a", "b", "a", "b"]);
        assert!(tell(&mut suspicion, &[TimedOut, TimedOut, TimedOut, TimedOut, Passed, Passed], 9));
        suspicion.seat(id(0), BTreeSet::new(), 0);
        suspicion.seat(id(1), BTreeSet::new(), 0);
        suspicion.on_outcome(&id(5), 0, Passed, Duration::ZERO, at(10));
        assert!(suspicion.believes(TimedOut));
    }

    #[test]
    fn believes_who_passes_however_much_it_doubts_itself() {
        let mut suspicion = host(&["a", "b", "a", "b", "a"]);
        assert!(tell(&mut suspicion, &[TimedOut; 5], 9));
        assert!(suspicion.believes(Passed) && !suspicion.believes(TimedOut));
    }
}
