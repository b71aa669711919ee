//! The numbers and safeguards of a verdict, in one place. Product code holds them as [`RULES`] and no
//! other; that they are values lets a test take each away.

use std::time::Duration;

/// A share of a number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Of a hundred.
    pub percent: usize,
}

impl Share {
    /// So many of `all`, rounded down, but one at least.
    pub fn quota(self, all: usize) -> usize {
        (all * self.percent / 100).max(1)
    }

    /// Whether `part` is more than this share of `all`.
    pub fn is_exceeded(self, part: usize, all: usize) -> bool {
        part * 100 > all * self.percent
    }
}

/// What a verdict goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// From the end of the first snapshot to the start of the second list, at least.
    pub apart: Duration,
    /// From the end of the second snapshot to the verdict, at most.
    pub fresh: Duration,
    /// Nothing may be missing from a list or a snapshot.
    pub complete: bool,
    /// A list ends before its snapshot begins: what is registered meanwhile is in the snapshot.
    pub list_first: bool,
    /// Both looks must see the death.
    pub both_looks: bool,
    /// Both lists must have the record.
    pub listed_twice: bool,
    /// And the same of it.
    pub unchanged: bool,
    /// A set identifier counts as a mark only on a record of the name and form that goes with it.
    pub whole_mark: bool,
    /// A host that EC2 does not show is kept.
    pub in_sight: bool,
    /// A host is gone only if its address lies at home.
    pub home: bool,
    /// What runs outside ECS is its agent's.
    pub outside_ecs: bool,
    /// STOPPED counts only of a host that ECS hears.
    pub heard: bool,
    /// A host between two states is kept.
    pub settled_power: bool,
    /// A container is where its mark says, or nothing is known of it.
    pub hosts_agree: bool,
    /// A record of the predecessor that leads to a running container of its service is kept.
    pub places: bool,
    /// Of the marked records of the zone, by absence.
    pub absent_of_zone: Share,
    /// Of the targets of a service, by absence.
    pub absent_of_service: Share,
    /// Of the targets of a service, by positive evidence.
    pub positive_of_service: Share,
    /// A service with more than this share dead by absence is left alone.
    pub left_alone_over: Share,
    /// With more than this share of all hosts dead, nothing is deleted.
    pub hosts_dead_over: Share,
    /// Where there are so many hosts at least.
    pub hosts_at_least: usize,
    /// A name keeps one target, unless its service provably runs nowhere.
    pub last_target: bool,
    /// A task that wants the service runs it.
    pub running_proof: bool,
    /// An address stays while something points to it.
    pub pointed_to: bool,
    /// The address of a host stays while it has other records.
    pub host_last: bool,
}

/// The rules.
pub const RULES: Rules = Rules {
    apart: Duration::from_secs(60),
    fresh: Duration::from_secs(60),
    complete: true,
    list_first: true,
    both_looks: true,
    listed_twice: true,
    unchanged: true,
    whole_mark: true,
    in_sight: true,
    home: true,
    outside_ecs: true,
    heard: true,
    settled_power: true,
    hosts_agree: true,
    places: true,
    absent_of_zone: Share { percent: 15 },
    absent_of_service: Share { percent: 10 },
    positive_of_service: Share { percent: 50 },
    left_alone_over: Share { percent: 50 },
    hosts_dead_over: Share { percent: 55 },
    hosts_at_least: 4,
    last_target: true,
    running_proof: true,
    pointed_to: true,
    host_last: true,
};
