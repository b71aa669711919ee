//! Makes an [`Inspection`]: the zone first, then EC2 and ECS of every account and region that was named. The second
//! one of a run is short: of EC2 and ECS it asks only about what looked dead in the first.
//!
//! Owns the order and what counts as missing: a page that fails to the end, an answer that cannot be understood.
//! One that is throttled or broken is asked for again while there is time. Judges nothing.
//!
//! | | |
//! |---|---|
//! | [`list`] | all pages of the zone |
//! | [`ec2`] | instances and interfaces: signed calls, and their XML |
//! | [`ecs`] | clusters, container instances, tasks, task definitions: which calls |
//! | [`tasks`] | what a described task comes to; pure |
//! | [`definitions`] | which names a task definition asks for; pure |
//! | [`directory`] | where ECS is asked again; pure |
//! | [`again`] | the second inspection |
//! | [`living`] | what lives, looked at once |
//! | [`paced`] | so many calls a second, and again |

pub mod again;
pub mod definitions;
pub mod directory;
pub mod ec2;
pub mod ecs;
pub mod list;
pub mod living;
pub mod paced;
pub mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_ecs::types::DesiredStatus;

use self::directory::Cluster;
use self::ec2::Ec2;
use self::ec2::answer::{Instance, Interface};
use self::ecs::Ecs;
use self::list::List;
use self::paced::Unread;
use self::tasks::Seen;
use super::Inspection;
use super::evidence::{Host, Network, Snapshot, home};
use super::time::Time;
use crate::container::convention::{FullNames, Scope as NameScope};
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
    /// Networks of which EC2 shows every host, as an operator says.
    pub home: Vec<Network>,
    /// What the agents are told of full names: those of a running service are wanted, too.
    pub full_names: Option<FullNames>,
}

impl Scope {
    /// How the names of a zone are read.
    fn names(&self, zone: &str) -> NameScope {
        NameScope::new(zone, "").with_full_names(self.full_names.clone())
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
    vpcs: Option<&BTreeSet<String>>,
    limit: Limit<'_>,
) -> (Inspection, Seen) {
    let mut inspection = listed(zone, list, limit).await;
    let mut seen = Seen::default();
    if inspection.list.missing.is_empty() {
        let Snapshot { hosts, home, held, .. } = &mut inspection.snapshot.what;
        let of_ec2 = instances(account_regions, scope, vpcs, (hosts, home, held), limit).await;
        let of_ecs = match of_ec2 {
            Ok(()) => clusters(&scope.names(zone.name()), account_regions, scope, &mut seen, limit).await,
            Err(unread) => Err(unread),
        };
        match of_ecs {
            Ok(unread) => fill(&mut inspection.snapshot.what, &mut seen, unread),
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

type OfEc2<'a> =
    (&'a mut BTreeMap<Owner, Host>, &'a mut Vec<Network>, &'a mut BTreeMap<Ipv4Addr, Vec<Option<Owner>>>);

async fn instances(
    account_regions: &[AccountRegion],
    scope: &Scope,
    vpcs: Option<&BTreeSet<String>>,
    (hosts, at_home, held): OfEc2<'_>,
    limit: Limit<'_>,
) -> Result<(), Unread> {
    let mut shown = BTreeSet::new();
    for AccountRegion { name, ec2, .. } in account_regions {
        let mut tell = |Instance { id, state, vpc }: Instance| {
            shown.extend(vpc);
            hosts.insert(id, Host { state, agent: Default::default() });
        };
        ec2.instances(&[], &mut tell, limit).await.map_err(|unread| unread.of(name))?;
        if !scope.home.is_empty() {
            let mut tell = |interface| hold(held, &scope.home, &interface);
            ec2.interfaces(&[], &mut tell, limit).await.map_err(|unread| unread.of(name))?;
        }
    }
    *at_home = home(&scope.home, vpcs, &shown);
    Ok(())
}

/// Notes an interface at its addresses in these networks.
fn hold(held: &mut BTreeMap<Ipv4Addr, Vec<Option<Owner>>>, networks: &[Network], interface: &Interface) {
    let at_home = |address: &&Ipv4Addr| networks.iter().any(|network| network.holds(**address));
    for address in interface.addresses.iter().filter(at_home) {
        held.entry(*address).or_default().push(interface.instance.clone());
    }
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
