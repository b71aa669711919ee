//! Makes an [`Inspection`]: the zone first, then EC2 and ECS of every account and region that was named. The second
//! one of a run is short: of EC2 and ECS it asks only about what looked dead in the first.
//!
//! Owns the order and what counts as missing: a page that fails to the end, an answer that cannot be understood.
//! One that is throttled or broken is asked for again while there is time. Judges nothing.
//!
//! | | |
//! |---|---|
//! | [`list`] | all pages of the zone |
//! | [`ec2`] | instances, VPCs and interfaces: signed calls, and their XML |
//! | [`ecs`] | clusters, container instances, tasks, task definitions: which calls |
//! | [`tasks`] | what a described task comes to; pure |
//! | [`definitions`] | which names a task definition asks for; pure |
//! | [`directory`] | where ECS is asked again; pure |
//! | `gone` | what EC2 is asked about hosts that it does not show |
//! | [`again`] | the second inspection |
//! | [`living`] | what lives, looked at once |
//! | [`paced`] | so many calls a second, and again |

pub mod again;
pub mod definitions;
pub mod directory;
pub mod ec2;
pub mod ecs;
mod gone;
pub mod list;
pub mod living;
pub mod paced;
pub mod tasks;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_ecs::types::DesiredStatus;

use self::directory::Cluster;
use self::ec2::Ec2;
use self::ec2::answer::Instance;
use self::ecs::Ecs;
use self::gone::Places;
pub use self::gone::Viewers;
use self::list::List;
use self::paced::Unread;
use self::tasks::Seen;
use super::Inspection;
use super::evidence::{Host, InstanceState, Network, Snapshot};
use super::time::Time;
use crate::container::convention::{AllowedNames, FullNames, Scope as NameScope};
use crate::moment::Moment;
use crate::record::Owner;
use crate::zone::Zone;

/// How often a run begins at another cluster: as often as it is scheduled.
pub const PERIOD: Duration = Duration::from_secs(300);

/// An account in a region.
#[derive(Debug)]
pub struct AccountRegion {
    /// For people, such as `eu-central-1` or `eu-central-1 as arn:…`.
    pub name: String,
    /// Its ECS.
    pub ecs: Ecs,
    /// Its EC2.
    pub ec2: Ec2,
}

/// What to read of ECS and EC2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Clusters by name or ARN; empty for all.
    pub clusters: Vec<String>,
    /// Where a host that EC2 does not show may be gone; none for all of the zone's VPCs.
    pub home: Vec<Network>,
    /// What the agents are told of full names: those of a running service are wanted, too.
    pub full_names: Option<FullNames>,
    /// Which names the agents let containers have: of others nobody registers a task.
    pub names: Option<AllowedNames>,
}

impl Scope {
    /// How the names of a zone are read.
    fn names(&self, zone: &str) -> NameScope {
        NameScope::new(zone, "").with_full_names(self.full_names.clone()).with_allowed(self.names.clone())
    }
}

/// When an inspection has to be over, by the run's time.
#[derive(Clone, Copy, Debug)]
pub struct Limit<'a> {
    /// The run's time.
    pub time: &'a dyn Time,
    /// No call is made after this.
    pub until: Moment,
}

/// Makes the first inspection. What is missing is noted in it, and what would come after that is not asked for.
pub async fn inspect(
    zone: &dyn Zone,
    list: &mut List,
    account_regions: &[AccountRegion],
    scope: &Scope,
    viewers: Viewers<'_>,
    limit: Limit<'_>,
) -> (Inspection, Seen) {
    let mut inspection = listed(zone, list, limit).await;
    let mut seen = Seen::default();
    if inspection.list.missing.is_empty() {
        let names = scope.names(zone.name());
        let read = async {
            let places = instances(account_regions, &mut inspection.snapshot.what.hosts, limit).await?;
            Ok((places, clusters(&names, account_regions, scope, &mut seen, limit).await?))
        };
        match read.await {
            Ok((mut places, unread)) => {
                fill(&mut inspection.snapshot.what, &mut seen, unread);
                places.learn_of(&seen.directory.clusters);
                // Where not all was read, absence does not count.
                if unread == 0 {
                    gone::look(zone.name(), account_regions, viewers, &places, &mut inspection, limit).await;
                }
            }
            Err(unread) => inspection.snapshot.missing.push(words(unread)),
        }
    }
    inspection.snapshot.ended = limit.time.now();
    (inspection, seen)
}

/// An inspection that has its list, and whose snapshot begins.
async fn listed(zone: &dyn Zone, list: &mut List, limit: Limit<'_>) -> Inspection {
    let mut inspection = Inspection::default();
    inspection.list.began = limit.time.now();
    list.read(zone, limit, &mut inspection.list).await;
    inspection.list.ended = limit.time.now();
    inspection.snapshot.began = inspection.list.ended;
    inspection
}

fn words(unread: Unread) -> String {
    match unread {
        Unread::Failed(reason) => reason,
        Unread::NoTime => "there was no time".to_owned(),
    }
}

/// Reads all instances, and tells where they are.
async fn instances(
    account_regions: &[AccountRegion],
    hosts: &mut BTreeMap<Owner, Host>,
    limit: Limit<'_>,
) -> Result<Places, Unread> {
    let mut places = Places::default();
    for AccountRegion { name, ec2, .. } in account_regions {
        let mut account = None;
        let mut tell = |Instance { id, state, vpc, account: its }: Instance| {
            account = its.or_else(|| account.take());
            if let Some(vpc) = vpc.filter(|_| state != InstanceState::Terminated) {
                places.vpcs.insert(id.clone(), vpc);
            }
            hosts.insert(id, Host { state, agent: Default::default() });
        };
        ec2.instances(&[], &mut tell, limit).await.map_err(|unread| unread.of(name))?;
        places.accounts.push(account);
    }
    Ok(places)
}

/// Reads all clusters, and tells how many there was no time for. What says of itself that it is over comes first,
/// of every cluster: where the time is too short, that alone counts. The clusters take turns to come first.
async fn clusters(
    names: &NameScope,
    account_regions: &[AccountRegion],
    scope: &Scope,
    seen: &mut Seen,
    limit: Limit<'_>,
) -> Result<usize, Unread> {
    seen.directory.clusters = find(account_regions, scope, limit).await?;
    let clusters = seen.directory.clusters.clone();
    let first = turn(limit.time.wall(), clusters.len());
    let in_turn = || clusters.iter().cycle().skip(first).take(clusters.len());
    for (read, cluster) in in_turn().enumerate() {
        let AccountRegion { name, ecs, .. } = &account_regions[cluster.account_region];
        let told = async {
            ecs.instances(cluster, seen, limit).await?;
            ecs.tasks(cluster, DesiredStatus::Stopped, names, seen, limit).await
        };
        match told.await {
            Err(Unread::NoTime) => return Ok(clusters.len() - read),
            told => told.map_err(|unread| unread.of(name))?,
        }
    }
    for (read, cluster) in in_turn().enumerate() {
        let AccountRegion { name, ecs, .. } = &account_regions[cluster.account_region];
        match ecs.tasks(cluster, DesiredStatus::Running, names, seen, limit).await {
            Err(Unread::NoTime) => return Ok(clusters.len() - read),
            told => told.map_err(|unread| unread.of(name))?,
        }
    }
    Ok(0)
}

/// Which of so many comes first at this time.
fn turn(now: SystemTime, of: usize) -> usize {
    let periods = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / PERIOD.as_secs();
    usize::try_from(periods).unwrap_or_default() % of.max(1)
}

/// The clusters that are to be read.
async fn find(
    account_regions: &[AccountRegion],
    scope: &Scope,
    limit: Limit<'_>,
) -> Result<Vec<Cluster>, Unread> {
    let (mut clusters, mut found) = (Vec::new(), vec![false; scope.clusters.len()]);
    for (account_region, AccountRegion { name, ecs, .. }) in account_regions.iter().enumerate() {
        for arn in ecs.clusters(limit).await.map_err(|unread| unread.of(name))? {
            let is_it = |wanted: &String| *wanted == arn || arn.rsplit('/').next() == Some(wanted);
            let matches: Vec<usize> =
                (0..scope.clusters.len()).filter(|&n| is_it(&scope.clusters[n])).collect();
            if scope.clusters.is_empty() || !matches.is_empty() {
                matches.into_iter().for_each(|n| found[n] = true);
                clusters.push(Cluster { number: clusters.len(), account_region, arn });
            }
        }
    }
    match found.iter().position(|found| !found) {
        Some(absent) => {
            Err(Unread::Failed(format!("cluster {}: there is none of that name", scope.clusters[absent])))
        }
        None => Ok(clusters),
    }
}

/// Adds to a snapshot what ECS showed.
fn fill(snapshot: &mut Snapshot, seen: &mut Seen, unread: usize) {
    for (id, host) in &mut snapshot.hosts {
        host.agent = seen.agents.get(id).copied().unwrap_or_default();
    }
    snapshot.containers = std::mem::take(&mut seen.containers);
    snapshot.services = (unread == 0).then(|| std::mem::take(&mut seen.services));
    snapshot.unread = unread;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cluster_comes_first_in_its_turn() {
        let at = |run: u32| UNIX_EPOCH + PERIOD * run + PERIOD / 2;
        let firsts: Vec<usize> = (0..4).map(|run| turn(at(run), 3)).collect();
        assert_eq!(firsts, [0, 1, 2, 0]);
        assert_eq!((turn(at(7), 0), turn(at(7), 1)), (0, 0));
    }
}
