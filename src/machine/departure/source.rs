//! Those who may announce a departure, and what each of them can say.
//!
//! | source | asked | says | who leaves |
//! |---|---|---|---|
//! | spot | every 5 s | EC2 will terminate, stop or hibernate it, and when | everybody |
//! | scaling | every 5 s | its scaling group takes it out of service | everybody |
//! | rebalance | every 30 s | EC2 may interrupt it before long | nobody: it is advice |
//! | cluster | every 30 s or more | its ECS container instance drains | the tasks of services |
//! | system | at SIGTERM | the system goes down | everybody |

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::container::Timestamp;

/// A spot notice says when, two minutes ahead; that of a scaling group has no time, and the sooner it is heard, the
/// better. EC2 recommends every 5 s. Source: EC2 user guide, "Spot Instance interruption notices".
const INSTANCE_PERIOD: Duration = Duration::from_secs(5);
/// What stops nothing need not be known at once.
const ADVICE_PERIOD: Duration = Duration::from_secs(30);
/// The shortest period of a call to ECS, and what each host adds to it: a whole fleet makes five calls a
/// second.
const CLUSTER_PERIOD: (Duration, Duration) = (Duration::from_secs(30), Duration::from_millis(200));

/// Who may know, in the order in which reasons are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// EC2, of a spot instance.
    Spot,
    /// The group that the instance is scaled with.
    Scaling,
    /// The service manager of the system.
    System,
    /// ECS, of its container instance.
    Cluster,
    /// EC2, of what may come.
    Rebalance,
}

impl Source {
    /// How often it is asked, in a fleet of so many hosts, where that is known.
    pub fn period(self, hosts: Option<u32>) -> Duration {
        match self {
            Self::Spot | Self::Scaling | Self::System => INSTANCE_PERIOD,
            Self::Rebalance => ADVICE_PERIOD,
            Self::Cluster => {
                let (shortest, of_each) = CLUSTER_PERIOD;
                shortest.max(of_each * hosts.unwrap_or(1))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spot => "spot interruption",
            Self::Scaling => "scaling in",
            Self::System => "system",
            Self::Cluster => "ECS container instance",
            Self::Rebalance => "rebalance recommendation",
        })
    }
}

/// What a source said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing is about to happen.
    Nothing,
    /// The host ends.
    HostEnds {
        /// What happens to it.
        what: String,
        /// When, by the wall clock.
        at: Option<Timestamp>,
    },
    /// These tasks are stopped, by ARN; the host goes on.
    TasksEnd {
        /// What happens to it.
        what: String,
        /// Which.
        tasks: BTreeSet<String>,
    },
    /// Something that stops nothing by itself.
    Advice(String),
}

/// Why a source said nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It may not be asked, and will hardly be allowed by itself.
    #[error("not allowed: {0}")]
    Denied(String),
    /// It does not answer, or oddly.
    #[error("{0}")]
    Away(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_asks_ecs_five_times_a_second_at_most() {
        let seconds = |hosts| Source::Cluster.period(hosts).as_secs();
        assert_eq!([seconds(None), seconds(Some(150)), seconds(Some(1_000))], [30, 30, 200]);
    }
}
