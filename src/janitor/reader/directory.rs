//! Where ECS is asked again about what a first inspection has shown. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::record::{ContainerId, Owner};

/// A cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its place among all that are read.
    pub number: usize,
    /// Which account and region, by number.
    pub account_region: usize,
    /// Its ARN.
    pub arn: String,
}

/// What ECS calls things, by what the evidence calls them.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// In the order in which they are numbered.
    pub clusters: Vec<Cluster>,
    /// Where each container's task is, and its id there.
    tasks: HashMap<ContainerId, (usize, Box<str>)>,
    /// The ids of all tasks that were described.
    described: HashSet<Box<str>>,
    /// Registrations of hosts, by ARN.
    registrations: HashMap<String, (usize, Owner)>,
}

impl Directory {
    /// A task was described, with these containers on a host.
    pub fn note_task(&mut self, cluster: usize, arn: &str, containers: impl Iterator<Item = ContainerId>) {
        let id = id_of(arn);
        self.tasks.extend(containers.map(|container| (container, (cluster, id.into()))));
        self.described.insert(id.into());
    }

    /// A registration was described.
    pub fn note_registration(&mut self, cluster: usize, arn: &str, host: Owner) {
        self.registrations.insert(arn.to_owned(), (cluster, host));
    }

    /// The host of a registration.
    pub fn host(&self, arn: &str) -> Option<&Owner> {
        self.registrations.get(arn).map(|(_, host)| host)
    }

    /// Whether a task was described.
    pub fn knows(&self, arn: &str) -> bool {
        self.described.contains(id_of(arn))
    }

    /// The ids of the tasks of these containers, by cluster.
    pub fn tasks_of(&self, containers: &BTreeSet<ContainerId>) -> BTreeMap<usize, Vec<String>> {
        let mut tasks: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for (cluster, id) in containers.iter().filter_map(|container| self.tasks.get(container)) {
            tasks.entry(*cluster).or_default().insert(id);
        }
        let owned = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect();
        tasks.into_iter().map(|(cluster, ids)| (cluster, owned(ids))).collect()
    }

    /// The ARNs of the registrations of these hosts, by cluster.
    pub fn registrations_of(&self, hosts: &BTreeSet<Owner>) -> BTreeMap<usize, Vec<String>> {
        let mut arns: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (arn, (cluster, _)) in self.registrations.iter().filter(|(_, (_, host))| hosts.contains(host)) {
            arns.entry(*cluster).or_default().push(arn.clone());
        }
        arns
    }

    /// The same clusters and hosts, and no task yet.
    pub fn without_tasks(&self) -> Self {
        let (clusters, registrations) = (self.clusters.clone(), self.registrations.clone());
        Self { clusters, registrations, ..Self::default() }
    }
}

/// The last segment of an ARN, which ECS takes for it within a cluster.
fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::id;

    #[test]
    fn finds_each_task_and_registration_once_in_its_cluster() {
        let mut directory = Directory::default();
        directory.note_task(0, "arn:aws:ecs:r:1:task/blue/aa", [id(1), id(2)].into_iter());
        directory.note_task(1, "arn:aws:ecs:r:1:task/green/bb", [id(3)].into_iter());
        let host = Owner::new("i-0a").unwrap();
        directory.note_registration(1, "arn:aws:ecs:r:1:container-instance/green/x", host.clone());
        let tasks = directory.tasks_of(&BTreeSet::from([id(1), id(2), id(3), id(4)]));
        assert_eq!(tasks, BTreeMap::from([(0, vec!["aa".to_owned()]), (1, vec!["bb".to_owned()])]));
        assert_eq!(directory.registrations_of(&BTreeSet::from([host])).len(), 1);
        assert!(directory.knows("arn:aws:ecs:r:1:task/green/bb") && !directory.knows("task/green/cc"));
    }
}
