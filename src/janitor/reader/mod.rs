//! Takes a [`Look`]: the zone first, then ECS and EC2 of every account and region that was named.
//!
//! Owns the order and what counts as missing: a page that failed or was throttled, an answer that could not
//! be understood. Nothing of ECS and EC2 is asked twice, for what is missing only makes a run wait for the
//! next. Judges nothing.
//!
//! | | |
//! |---|---|
//! | [`list`] | all pages of the zone |
//! | [`ecs`] | clusters, container instances, tasks, task definitions: which calls |
//! | [`tasks`] | what a described task comes to; pure |
//! | [`definitions`] | which names a task definition asks for; pure |
//! | [`ec2`] | instances and interfaces: signed calls, and their XML |
//! | [`paced`] | so many calls a second |

pub mod definitions;
pub mod ec2;
pub mod ecs;
pub mod list;
pub mod paced;
pub mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use self::ec2::Ec2;
use self::ec2::answer::{Instance, Interface};
use self::ecs::Ecs;
use self::list::List;
use self::tasks::RunningTask;
use super::Look;
use super::evidence::{Host, Network, Snapshot, home};
use super::time::Time;
use crate::record::Owner;
use crate::zone::Zone;

/// An account in a region.
#[derive(Debug)]
pub struct Territory {
    /// For people, such as `eu-central-1` or `eu-central-1 as arn:…`.
    pub name: String,
    /// Its ECS.
    pub ecs: Ecs,
    /// Its EC2.
    pub ec2: Ec2,
}

/// What to read of the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Clusters by name or ARN; empty for all.
    pub clusters: Vec<String>,
    /// Networks of which EC2 shows every host, as an operator says.
    pub home: Vec<Network>,
}

/// What ECS showed beside the evidence: tasks that run or are about to, on hosts.
pub type Tasks = Vec<RunningTask>;

/// Takes one look. What is missing is noted in it, and what would come after that is not asked for.
pub async fn look(
    zone: &dyn Zone,
    list: &mut List,
    territories: &mut [Territory],
    scope: &Scope,
    vpcs: Option<&BTreeSet<String>>,
    time: &dyn Time,
) -> (Look, Tasks) {
    let mut look = Look::default();
    look.list.began = time.now();
    list.read(zone, time, &mut look.list).await;
    look.list.ended = time.now();
    look.snapshot.began = time.now();
    let mut tasks = Tasks::new();
    if look.list.missing.is_empty() {
        let read = snapshot(zone.name(), territories, scope, vpcs, &mut look.snapshot.what, &mut tasks).await;
        look.snapshot.missing.extend(read.err());
    }
    look.snapshot.ended = time.now();
    (look, tasks)
}

async fn snapshot(
    zone: &str,
    territories: &mut [Territory],
    scope: &Scope,
    vpcs: Option<&BTreeSet<String>>,
    into: &mut Snapshot,
    tasks: &mut Tasks,
) -> Result<(), String> {
    let mut seen = tasks::Seen::default();
    let mut found = vec![false; scope.clusters.len()];
    for (number, territory) in territories.iter_mut().enumerate() {
        let at = |error: String| format!("{}: {error}", territory.name);
        let first = seen.tasks.len();
        territory.ecs.read(zone, &scope.clusters, &mut found, &mut seen).await.map_err(at)?;
        seen.tasks[first..].iter_mut().for_each(|task| task.territory = number);
    }
    if let Some(absent) = found.iter().position(|found| !found) {
        return Err(format!("cluster {}: there is none of that name", scope.clusters[absent]));
    }
    let mut shown = BTreeSet::new();
    for territory in territories.iter_mut() {
        let at = |error: String| format!("{}: {error}", territory.name);
        let ec2 = &mut territory.ec2;
        let instance = |instance: Instance| {
            shown.extend(instance.vpc);
            let ecs = seen.hearing.get(&instance.id).copied().unwrap_or_default();
            into.hosts.insert(instance.id, Host { power: instance.power, ecs });
        };
        ec2.instances(instance).await.map_err(at)?;
        if !scope.home.is_empty() {
            ec2.interfaces(|interface| hold(&mut into.held, &scope.home, &interface)).await.map_err(at)?;
        }
    }
    into.home = home(&scope.home, vpcs, &shown);
    into.containers = seen.containers;
    into.services = seen.services;
    *tasks = seen.tasks;
    Ok(())
}

/// Notes an interface at its addresses in these networks.
fn hold(held: &mut BTreeMap<Ipv4Addr, Vec<Option<Owner>>>, networks: &[Network], interface: &Interface) {
    let at_home = |address: &&Ipv4Addr| networks.iter().any(|network| network.holds(**address));
    for address in interface.addresses.iter().filter(at_home) {
        held.entry(*address).or_default().push(interface.instance.clone());
    }
}
