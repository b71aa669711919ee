//! What a run comes to: a verdict and a reason for every record of the last list.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Inspection;
use super::entry::Entry;
use super::sight::Blind;
use crate::record::{Owner, RecordSet};

/// Why a record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// Neither ours nor the predecessor's.
    Unmarked,
    /// Marked, but of another form than what is written under such a mark.
    Malformed,
    /// The first list lacks it.
    New,
    /// The first list has it otherwise.
    Changed,
    /// ECS says that its container runs.
    Runs,
    /// Its host runs, and ECS does not know its container.
    OutsideEcs,
    /// ECS says that it stopped, but its host's ECS agent is disconnected.
    AgentDisconnected,
    /// ECS says that it stopped, but has it on no container instance that it still has.
    LetGo,
    /// Its host runs.
    HostRuns,
    /// Its host is being started, stopped or terminated.
    HostUnsettled,
    /// Its host is stopped, and may be started again at this address.
    HostStopped,
    /// ECS has its container on another host than its mark says.
    HostsDiffer,
    /// EC2 does not show its host, and need not; or nothing says which of its hosts that is.
    HostOutOfSight,
    /// The inspections were no evidence.
    Unjudged,
}

/// How a record's subject is known to be dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Death {
    /// EC2 no longer shows its host, and would.
    HostGone,
    /// EC2 says that its host is stopped.
    HostStopped,
    /// ECS says that it stopped.
    ContainerStopped,
    /// EC2 says that its host is terminated.
    HostTerminated,
}

impl Death {
    /// Whether somebody says so, and it cannot be undone. Else it is known by absence.
    pub fn is_positive(self) -> bool {
        matches!(self, Self::ContainerStopped | Self::HostTerminated)
    }

    /// The weaker of two statements of one death.
    pub(super) fn weaker(self, other: Self) -> Self {
        self.min(other)
    }
}

/// Why what is dead stays for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// Too many hosts look dead.
    ManyHostsDead,
    /// There was no time to read all clusters.
    NotAllRead,
    /// Too much of its service is dead by absence.
    ServiceLeftAlone,
    /// This run has taken its share of the service.
    CapOfService,
    /// This run has taken its share of the zone.
    CapOfZone,
    /// The last target of a service that may run somewhere.
    LastTarget,
    /// A record points to this address.
    PointedTo,
    /// Its host has other records, and may be known to be dead by this address alone.
    HostHasRecords,
    /// This run has taken as much as it was told to.
    CapOfRun,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unmarked => "not of this system",
            Self::Malformed => "marked like ours, but of another form",
            Self::New => "new since the first inspection",
            Self::Changed => "changed since the first inspection",
            Self::Runs => "its container runs",
            Self::OutsideEcs => "its host runs; ECS does not know its container, its agent does",
            Self::AgentDisconnected => "ECS calls it stopped, but its host's ECS agent is not connected",
            Self::LetGo => {
                "ECS calls it stopped, but has let go of it: its host was registered anew, or oddly"
            }
            Self::HostRuns => "its host runs",
            Self::HostUnsettled => "its host is starting, stopping or being terminated",
            Self::HostStopped => "its host is stopped, and may come back",
            Self::HostsDiffer => "ECS has its container on another host",
            Self::HostOutOfSight => {
                "its host is out of sight: off EC2, of another account or region, or known by name only"
            }
            Self::Unjudged => "not judged",
        })
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::HostGone => "its host is gone",
            Self::HostStopped => "its host is stopped",
            Self::ContainerStopped => "its task has stopped",
            Self::HostTerminated => "its host is terminated",
        })
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ManyHostsDead => "too many hosts look dead",
            Self::NotAllRead => "there was no time to read all clusters",
            Self::ServiceLeftAlone => "most of its service looks dead",
            Self::CapOfService => "enough of its service for one run",
            Self::CapOfZone => "enough of the zone for one run",
            Self::LastTarget => "the last target of a service that may run somewhere",
            Self::PointedTo => "records point to it",
            Self::HostHasRecords => "its host has other records",
            Self::CapOfRun => "enough for one run, as it was told",
        })
    }
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It stays.
    Keep(Kept),
    /// It is dead, and stays for now.
    Wait(Death, Held),
    /// It goes.
    Delete(Death),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep(kept) => write!(f, "keep: {kept:?}"),
            Self::Wait(death, held) => write!(f, "wait: {death:?}, {held:?}"),
            Self::Delete(death) => write!(f, "delete: {death:?}"),
        }
    }
}

/// Why a run deletes nothing at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// Something could not be read.
    Incomplete(Vec<String>),
    /// What came before what cannot be told.
    OutOfOrder,
    /// The inspections are only so far apart.
    TooClose(Duration),
    /// The evidence is so old.
    TooOld(Duration),
    /// The run has to be over before a second inspection could be.
    NoTime(Duration),
}

/// Why a run deletes nothing by absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// So many hosts look dead, of so many.
    ManyHostsDead {
        /// That look dead.
        dead: usize,
        /// In sight.
        hosts: usize,
    },
    /// There was no time to read so many clusters to the end.
    NotAllRead {
        /// That were not.
        clusters: usize,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ManyHostsDead { dead, hosts } => write!(
                f,
                "{dead} of {hosts} hosts look dead: more likely an error than the truth; look at EC2 and at what the janitor may see"
            ),
            Self::NotAllRead { clusters } => write!(
                f,
                "there was no time to read {clusters} clusters to the end: give it a longer timeout, or a janitor for each with --clusters"
            ),
        }
    }
}

impl fmt::Display for Standstill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(missing) => write!(f, "not everything could be read: {}", missing.join("; ")),
            Self::OutOfOrder => f.write_str("the clock went back between two reads"),
            Self::TooClose(apart) => write!(f, "the two inspections are only {} s apart", apart.as_secs()),
            Self::TooOld(age) => write!(f, "the evidence is {} s old", age.as_secs()),
            Self::NoTime(left) => write!(
                f,
                "{} s are left, too few for a second inspection a minute later: give it a longer timeout",
                left.as_secs()
            ),
        }
    }
}

/// A record of the last list, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// As the last list has it.
    pub set: RecordSet,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Why nothing is deleted, if so.
    pub standstill: Option<Standstill>,
    /// Why nothing is deleted by absence, if something waits for that.
    pub doubt: Option<Doubt>,
    /// Why all is kept whose host EC2 does not show, if something is.
    pub blind: Option<Blind>,
    /// One for each record of the last list, in its order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether what was seen is more likely an error than the truth.
    pub fn is_distrusted(&self) -> bool {
        self.standstill.is_some() || matches!(self.doubt, Some(Doubt::ManyHostsDead { .. }))
    }

    pub(super) fn unjudged(standstill: Standstill, last: &Inspection) -> Self {
        let verdict = Verdict::Keep(Kept::Unjudged);
        let finding = |set: &RecordSet| Finding { set: set.clone(), verdict };
        Self {
            standstill: Some(standstill),
            doubt: None,
            blind: None,
            findings: last.list.what.iter().map(finding).collect(),
        }
    }

    /// The same with at most so many deletes, the first of the list.
    pub fn at_most(mut self, deletes: usize) -> Self {
        let mut left = deletes;
        for finding in &mut self.findings {
            if let Verdict::Delete(death) = finding.verdict {
                match left.checked_sub(1) {
                    Some(less) => left = less,
                    None => finding.verdict = Verdict::Wait(death, Held::CapOfRun),
                }
            }
        }
        self
    }

    /// The sets to delete, each only if it still is exactly this.
    pub fn deletes(&self) -> impl Iterator<Item = &RecordSet> {
        let goes = |finding: &&Finding| matches!(finding.verdict, Verdict::Delete(_));
        self.findings.iter().filter(goes).map(|finding| &finding.set)
    }

    /// The hosts that nobody here sees, and how many records each has.
    pub fn out_of_sight(&self, zone: &str) -> BTreeMap<Owner, usize> {
        let hosts = self.findings.iter().filter_map(|finding| match finding.verdict {
            Verdict::Keep(Kept::HostOutOfSight) => Some(Entry::read(&finding.set, zone).ok()?.host),
            _ => None,
        });
        hosts.fold(BTreeMap::new(), |mut hosts, host| {
            *hosts.entry(host).or_default() += 1;
            hosts
        })
    }

    /// How many records came to which verdict.
    pub fn counts(&self) -> BTreeMap<Verdict, usize> {
        self.findings.iter().fold(BTreeMap::new(), |mut counts, finding| {
            *counts.entry(finding.verdict).or_default() += 1;
            counts
        })
    }
}
