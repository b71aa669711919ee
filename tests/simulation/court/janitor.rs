//! S2 and S5: what a janitor may delete in a run, and of what. S3, where it empties a name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecssd::moment::Moment;
use ecssd::record::{Change, ContainerId, RecordSet};

use super::mark;
use crate::world::State;

/// How long something must have been seen dead.
const SEEN_DEAD: Duration = Duration::from_secs(60);
/// Of the marked records of the zone, by absence, in percent; of a service's, by positive evidence.
const BY_ABSENCE_OF_ZONE: usize = 15;
const OF_SERVICE: usize = 50;
/// Of a service's, by absence.
const BY_ABSENCE_OF_SERVICE: usize = 10;

impl State {
    /// The janitor inspects first.
    pub fn court_first_inspection(&mut self) {
        let standing = self.account.standing().into_values();
        let dead = standing.filter(|set| self.died(set).is_some()).map(|set| set.key()).collect();
        self.court.dead_at_first = dead;
    }

    /// The janitor deletes these, and first inspected at that time.
    pub fn court_janitor(&mut self, deleted: &[RecordSet], first_inspection: Moment) {
        let now = self.now;
        let marked: Vec<RecordSet> =
            self.account.standing().into_values().filter(|set| self.is_marked(set)).collect();
        let mut by_name: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        // An SRV, or the address of a service: no name has both.
        let is_target = |set: &RecordSet| mark(set).len() == 3;
        for set in marked.iter().filter(|set| is_target(set)) {
            by_name.entry(set.key().name).or_default().0 += 1;
        }
        let mut absent = 0;
        for set in deleted {
            if self.died(set).is_none() {
                self.court.accuse("S5", now, format!("the janitor deletes {}, which is not dead", set.key()));
            }
            if !self.court.dead_at_first.contains(&set.key()) || now < first_inspection + SEEN_DEAD {
                self.court.accuse("S5", now, format!("the janitor deletes {}, seen dead once", set.key()));
            }
            absent += usize::from(!self.is_positive(set));
            if is_target(set) {
                by_name.entry(set.key().name).or_default().1 += 1;
            }
        }
        if absent > (marked.len() * BY_ABSENCE_OF_ZONE / 100).max(1) {
            self.court.accuse("S2", now, format!("{absent} of {} go by absence", marked.len()));
        }
        let runs: BTreeSet<String> = (self.hosts.iter().filter(|host| host.terminated.is_none()))
            .flat_map(|host| host.containers.values().filter(|it| !it.removed))
            .flat_map(|it| it.names())
            .collect();
        for (name, (all, gone)) in by_name {
            if gone > (all * OF_SERVICE / 100).max(1) + (all * BY_ABSENCE_OF_SERVICE / 100).max(1) {
                self.court.accuse("S2", now, format!("{gone} of {all} of {name} go in one run"));
            }
            let standing = self.account.standing();
            let left = standing.values().filter(|set| set.key().name == name).count() - gone;
            if left == 0 && gone > 0 && runs.contains(&name) {
                self.court.accuse("S3", now, format!("the janitor empties {name}, which runs"));
            }
        }
    }

    /// What it deleted may be written again, and whoever gave up did not do it.
    pub fn court_cleaned(&mut self, host: usize, batch: &[Change]) {
        if let Some(left) = self.court.left.get_mut(&host) {
            left.retain(|set| !batch.iter().any(|change| change.set.key() == set.key()));
        }
    }

    fn is_marked(&self, set: &RecordSet) -> bool {
        let fields = mark(set);
        let ours = self.hosts.iter().any(|host| fields.first() == Some(&host.owner.as_str()));
        ours && !self.account.foreign.contains_key(&set.key())
    }

    /// Since when what a record speaks of has been dead.
    fn died(&self, set: &RecordSet) -> Option<Moment> {
        let fields = mark(set);
        let host = self.hosts.iter().find(|host| fields.first() == Some(&host.owner.as_str()))?;
        let id = fields.get(1).and_then(|id| id.parse::<ContainerId>().ok());
        let of_container = id.and_then(|id| host.containers.get(&id)?.ended);
        let off = host.off_since.filter(|_| !host.powered && fields.len() > 1);
        host.terminated.into_iter().chain(of_container).chain(off).min()
    }

    fn is_positive(&self, set: &RecordSet) -> bool {
        let fields = mark(set);
        let host = self.hosts.iter().find(|host| fields.first() == Some(&host.owner.as_str()));
        let id = fields.get(1).and_then(|id| id.parse::<ContainerId>().ok());
        let over = |host: &crate::host::Host| {
            host.terminated.is_some()
                || host.powered
                    && id.as_ref().and_then(|id| host.containers.get(id)).is_some_and(|it| it.removed)
        };
        host.is_some_and(over)
    }
}
