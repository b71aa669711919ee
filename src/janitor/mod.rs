//! The janitor: deletes records that outlived what they speak of, when their host cannot remove them any more.
//!
//! A run inspects twice, a minute apart: each time the zone first, then EC2 and ECS, which are asked the second time
//! only about what looked dead. From the two inspections and the time comes a verdict on every record, and what is due
//! goes in exact deletes, each only if the record still is what was read. Nothing is kept between runs.
//!
//! The verdict, pure:
//!
//! | | |
//! |---|---|
//! | [`evidence`] | what was seen, and when |
//! | [`fitness`] | whether two inspections bear a verdict at all |
//! | [`sight`] | where EC2 shows every host, so that one that it does not show is gone |
//! | [`entry`] | whose a record is and what it speaks of |
//! | [`suspects`] | what a second inspection has to ask about |
//! | [`verdict`] | dead or not, record by record |
//! | [`caps`] | what of the dead goes in this run |
//! | [`rules`] | the numbers, in one place |
//! | [`report`] | a verdict and a reason for each record |
//!
//! Around it:
//!
//! | | |
//! |---|---|
//! | [`reader`] | makes an [`Inspection`]: the zone, ECS, EC2 |
//! | [`run`](mod@run) | one run: the order of things, and the time that they may take |
//! | [`sweep`] | which batch comes next, and what became of each change; pure |
//! | [`fleet`], [`health`], [`watch`] | what else follows from what was seen; pure |
//! | `prober` | asks targets whether they serve |
//! | [`summary`], [`table`](mod@table) | what a run did, for machines and for people |
//! | [`settings`], [`options`], [`clients`], [`time`] | what it is told, what it has to do with, and a clock |
//! | [`shell`], [`lambda`] | the two doors |
//! | [`forget`](mod@forget) | takes out the hosts that an operator calls dead |
//!
//! # What counts
//!
//! - A host's death is what EC2 says: *terminated* is positive evidence. A *stopped* host serves nothing but
//!   may come back with the same containers, so its services are dead by absence and its address is kept.
//!   A host between states (pending, stopping, shutting down) is kept: the next run sees where it went.
//! - A container's death is ECS's STOPPED, from a host whose ECS agent is connected. Where the instance is
//!   deregistered or its agent is silent, ECS has let go of tasks that may run on: kept. So where the host was
//!   registered anew: what ECS had on the old registration, the new one's agent does not speak for.
//! - A container on a running host that ECS does not know is kept: it was started outside ECS, or ECS has
//!   forgotten it; the host's agent is the authority.
//! - A host is an instance, by its id in the mark; or by the id of a container, which ECS has on an instance.
//!   A name says nothing of a host's death, and an address neither: hosts of other VPCs, accounts and regions
//!   have the same, those that the predecessor named after their address (`ip-10-0-0-7`) too. Of hosts with such
//!   marks only containers are ever dead, never the host's own record.
//! - An instance that EC2 does not show is out of sight, and kept, unless its address lies where EC2 shows every
//!   host ([`sight`]), and no interface is attached to it: then it is gone, by absence.
//!   The address is the host's own record, so that record goes last of all that is the host's.
//! - Clusters do not matter: an instance that is in EC2 but in no cluster is a host whose ECS agent is absent,
//!   and one in two clusters counts as connected only if it is in both.
//! - Where there is no time to read all clusters, what says of itself that it is over counts all the same, and
//!   absence does not.
//! - Two inspections must agree on a death; the weaker evidence of the two counts. A record that either list lacks
//!   or has otherwise is new or in somebody's hands: kept. So is one whose form is not what we write.
//! - Weights say nothing of death, and a target of weight 0 is a target: Route 53 serves a name whose
//!   targets are all at 0.
//! - Health is no evidence at all.

pub mod caps;
pub mod clients;
pub mod entry;
pub mod evidence;
pub mod fitness;
pub mod fleet;
pub mod forget;
pub mod health;
pub mod lambda;
pub mod options;
mod prober;
pub mod reader;
pub mod report;
pub mod rules;
pub mod run;
pub mod settings;
pub mod shell;
pub mod sight;
pub mod summary;
pub mod suspects;
pub mod sweep;
pub mod table;
#[cfg(test)]
mod tests;
pub mod time;
pub mod verdict;
pub mod watch;

use crate::moment::Moment;

pub use evidence::Inspection;
pub use report::{Finding, Report, Verdict};

/// Judges the records of `zone` by two inspections of one run. Times are those of one clock that never goes back;
/// a verdict that is not acted on at once is not worth keeping.
pub fn judge(zone: &str, first: &Inspection, last: &Inspection, now: Moment) -> Report {
    let inspections = [first, last];
    match fitness::check(inspections, now) {
        Ok(()) => Report {
            blind: verdict::blind(zone, inspections),
            ..caps::apply(verdict::of_all(zone, inspections), inspections)
        },
        Err(standstill) => Report::unjudged(standstill, inspections[1]),
    }
}
