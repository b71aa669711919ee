//! How a process may end: drained with nothing left or all of it named (L3), or given up after too many panics,
//! with everything as it was (L2).

use std::time::Duration;

use ecssd::actors::Exit;
use ecssd::moment::Moment;
use ecssd::record::{Key, RecordSet, RecordType};

use super::mark;
use crate::supervisor::DRAIN_TIMEOUT;
use crate::world::State;

/// What a report may take beyond the deadline.
const REPORT: Duration = Duration::from_secs(1);
/// So many restarts within [`WITHIN`] are borne.
const RESTARTS: usize = 5;
const WITHIN: Duration = Duration::from_secs(60);

impl State {
    /// The service records of a host that stand now.
    pub fn standing_of(&self, host: usize) -> Vec<RecordSet> {
        let owner = &self.hosts[host].owner;
        let own = |set: &RecordSet| {
            let fields = mark(set);
            matches!(set.kind, RecordType::Srv | RecordType::A) && fields.len() == 3 && fields[0] == owner
        };
        self.account.standing().into_values().filter(own).collect()
    }

    /// An actor of some agent panics. Whose, only the log knows; where there is one host, it is its.
    pub fn court_panics(&mut self, host: usize) {
        let now = self.now;
        self.court.panics.push((host, now));
        self.court_lets_off(host);
        // What it was told is lost with it, until the containers are looked at again.
        let of_host = self.court.known.iter_mut().filter(|((of, _), _)| *of == host);
        of_host.for_each(|(_, known)| known.dead.clear());
        self.court_forgets_loops(host);
        // Those of this very moment came before anybody could know of the last one that is borne.
        let many = self.panics_before(host, now) > RESTARTS + 1;
        let alive = self.hosts[host].alive && self.hosts.len() == 1;
        if many && alive {
            self.court.accuse(
                "L2",
                now,
                format!("host {host} goes on after {} panics", self.panics_of_late(host)),
            );
        }
    }

    fn panics_of_late(&self, host: usize) -> usize {
        let since = (self.now - WITHIN).max(self.hosts[host].started);
        self.court.panics.iter().filter(|(of, at)| *of == host && *at >= since).count()
    }

    /// Whether an actor panicked since then.
    pub(super) fn panicked_since(&self, host: usize, since: Moment) -> bool {
        self.court.panics.iter().any(|(of, at)| *of == host && *at >= since)
    }

    /// Whether an actor panicked at that very moment.
    pub(super) fn panicked_at(&self, host: usize, moment: Moment) -> bool {
        self.court.panics.iter().any(|(of, at)| *of == host && *at == moment)
    }

    fn panics_before(&self, host: usize, now: Moment) -> usize {
        let since = (now - WITHIN).max(self.hosts[host].started);
        self.court.panics.iter().filter(|(of, at)| *of == host && *at >= since && *at < now).count()
    }

    /// A process has ended by itself.
    pub fn court_ends(&mut self, host: usize, exit: &Exit) {
        let now = self.now;
        let standing = self.standing_of(host);
        let known = |set: &&RecordSet| {
            let place = (host, set.key());
            !self.court.doubtful.contains(&place) || self.court.read.contains(&place)
        };
        let own: Vec<Key> = standing.iter().filter(known).map(RecordSet::key).collect();
        let began = self.hosts[host].draining;
        match exit {
            Exit::Drained | Exit::Unconfirmed => {
                if let Some(key) = own.first() {
                    self.court.accuse(
                        "L3",
                        now,
                        format!("{key} is left, and the agent says that it drained"),
                    );
                }
            }
            Exit::LeftBehind(Some(left)) => {
                if let Some(key) = own.iter().find(|key| !left.contains(key)) {
                    self.court.accuse(
                        "L3",
                        now,
                        format!("{key} is left, and not named among {}", left.len()),
                    );
                }
            }
            Exit::GaveUp => {
                if self.panics_of_late(host) <= RESTARTS {
                    let text = format!("host {host} gave up after {} panics", self.panics_of_late(host));
                    self.court.accuse("L2", now, text);
                }
                // What it asked for last may be on its way.
                let asked = self.court_last_asked(host);
                let left = standing.into_iter().filter(|set| !asked.contains(&set.key())).collect();
                self.court.left.insert(host, left);
            }
            Exit::LeftBehind(None) | Exit::HandedOver | Exit::Reconciled(_) => {}
        }
        if let Some(began) = began
            && now > began + self.stop.delay + DRAIN_TIMEOUT + REPORT + self.stood_still
        {
            let took = now - began;
            self.court.accuse("L3", now, format!("the drain took {took:?}"));
        }
    }

    /// Another process of a host starts: what one that gave up left is still there.
    pub fn court_starts(&mut self, host: usize, whole: bool) {
        let now = self.now;
        let standing = self.standing_of(host);
        if let Some(left) = self.court.left.remove(&host) {
            let gone = left.iter().find(|set| {
                let key = set.key();
                !self.court.doubtful.contains(&(host, key.clone()))
                    && !standing.iter().any(|it| it.key() == key)
            });
            if let Some(set) = gone {
                self.court.accuse("L2", now, format!("{} went after the agent gave up", set.key()));
            }
        }
        if !whole {
            self.court.doubt(standing.iter().map(|set| (host, set.key())));
        }
    }
}
