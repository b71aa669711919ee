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

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use self::ec2::Ec2;
use self::ecs::Ecs;
use self::list::List;
use self::tasks::RunningTask;
use super::Look;
use super::evidence::{Hearing, Host, Network, Place, Power, Snapshot};
use super::time::Time;
use crate::machine::registration::Owner;
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
    /// Networks of which EC2 shows every host.
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
    time: &dyn Time,
) -> (Look, Tasks) {
    let mut look = Look::default();
    look.list.began = time.now();
    list.read(zone, time, &mut look.list).await;
    look.list.ended = time.now();
    look.snapshot.began = time.now();
    let mut tasks = Tasks::new();
    if look.list.missing.is_empty() {
        let read = snapshot(zone.name(), territories, scope, &mut look.snapshot.what, &mut tasks).await;
        look.snapshot.missing.extend(read.err());
    }
    look.snapshot.ended = time.now();
    (look, tasks)
}

async fn snapshot(
    zone: &str,
    territories: &mut [Territory],
    scope: &Scope,
    into: &mut Snapshot,
    tasks: &mut Tasks,
) -> Result<(), String> {
    into.home.clone_from(&scope.home);
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
    for territory in territories.iter_mut() {
        let at = |error: String| format!("{}: {error}", territory.name);
        let ec2 = &mut territory.ec2;
        ec2.instances(|id, power, addresses| add_host(into, &seen.hearing, id, power, addresses))
            .await
            .map_err(at)?;
        if !scope.home.is_empty() {
            let mut hold = |address| {
                if into.home.iter().any(|network| network.holds(address)) {
                    into.held.insert(address);
                }
            };
            ec2.addresses(&mut hold).await.map_err(at)?;
        }
    }
    into.containers = seen.containers;
    into.services = seen.services;
    into.places = places(&into.hosts, seen.wanting);
    *tasks = seen.tasks;
    Ok(())
}

fn add_host(
    into: &mut Snapshot,
    hearing: &BTreeMap<Owner, Hearing>,
    id: Owner,
    power: Power,
    addresses: Vec<Ipv4Addr>,
) {
    let ecs = hearing.get(&id).copied().unwrap_or_default();
    // EC2 may say for a while where one was that is no more; somebody else may be there by now.
    let addresses = if power == Power::Terminated { Vec::new() } else { addresses };
    into.hosts.insert(id, Host { power, addresses, ecs });
}

/// Where containers are, now that the hosts' addresses are known.
fn places(hosts: &BTreeMap<Owner, Host>, wanting: Vec<tasks::Wanting>) -> std::collections::BTreeSet<Place> {
    let place = |wanting: tasks::Wanting| {
        let addresses = match (&wanting.address, &wanting.host) {
            (Some(address), _) => vec![*address],
            (None, Some(host)) => hosts.get(host).map(|host| host.addresses.clone()).unwrap_or_default(),
            (None, None) => Vec::new(),
        };
        let (port, service) = (wanting.port, wanting.service);
        addresses.into_iter().map(move |address| Place { address, port, service: service.clone() })
    };
    wanting.into_iter().flat_map(place).collect()
}
