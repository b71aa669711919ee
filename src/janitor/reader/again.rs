//! The second inspection: the whole zone once more, and of EC2 and ECS only what looked dead in the first.

use std::collections::BTreeSet;

use super::ec2::answer::Instance;
use super::ecs::PAGE;
use super::list::List;
use super::paced::Unread;
use super::tasks::Seen;
use super::{AccountRegion, Limit, NameScope, Scope, fill, gone, listed, words};
use crate::janitor::Inspection;
use crate::janitor::evidence::{Host, Snapshot};
use crate::janitor::suspects::Suspects;
use crate::zone::Zone;

/// Makes the second inspection; `first` is what ECS showed in the first, and `before` its snapshot.
pub async fn inspect(
    zone: &dyn Zone,
    list: &mut List,
    account_regions: &[AccountRegion],
    scope: &Scope,
    suspects: &Suspects,
    (before, first): (&Snapshot, &Seen),
    limit: Limit<'_>,
) -> Inspection {
    let mut inspection = listed(zone, list, limit).await;
    if inspection.list.missing.is_empty() {
        let snapshot = &mut inspection.snapshot.what;
        snapshot.sight.clone_from(&before.sight);
        let names = scope.names(zone.name());
        let read = snapshot_again(&names, account_regions, suspects, (before, first), snapshot, limit).await;
        inspection.snapshot.missing.extend(read.err().map(words));
    }
    inspection.snapshot.ended = limit.time.now();
    inspection
}

async fn snapshot_again(
    names: &NameScope,
    account_regions: &[AccountRegion],
    suspects: &Suspects,
    (before, first): (&Snapshot, &Seen),
    into: &mut Snapshot,
    limit: Limit<'_>,
) -> Result<(), Unread> {
    let hosts: Vec<String> = suspects.hosts.iter().map(ToString::to_string).collect();
    for AccountRegion { name, ec2, .. } in account_regions.iter().filter(|_| !hosts.is_empty()) {
        let mut tell = |instance: Instance| {
            into.hosts.insert(instance.id, Host { state: instance.state, agent: Default::default() });
        };
        ec2.instances(&hosts, &mut tell, limit).await.map_err(|unread| unread.of(name))?;
    }
    gone::ask(account_regions, &suspects.gone, into, limit).await;
    let directory = &first.directory;
    let mut seen = Seen { directory: directory.without_tasks(), ..Seen::default() };
    let (tasks, registrations) =
        (directory.tasks_of(&suspects.containers), directory.registrations_of(&suspects.hosts));
    for cluster in &directory.clusters {
        let AccountRegion { name, ecs, .. } = &account_regions[cluster.account_region];
        let told = async {
            for arns in registrations.get(&cluster.number).into_iter().flat_map(|arns| arns.chunks(PAGE)) {
                ecs.describe_instances(cluster, arns.to_vec(), &mut seen, limit).await?;
            }
            for ids in tasks.get(&cluster.number).into_iter().flat_map(|ids| ids.chunks(PAGE)) {
                ecs.learn_tasks(cluster, ids.to_vec(), names, &mut seen, limit).await?;
            }
            if suspects.empties {
                ecs.new_tasks(cluster, directory, names, &mut seen, limit).await?;
            }
            Ok(())
        };
        told.await.map_err(|unread: Unread| unread.of(name))?;
    }
    fill(into, &mut seen, 0);
    // What was wanted a minute ago may be so still.
    into.services = match (suspects.empties, &before.services, into.services.take()) {
        (true, Some(before), Some(now)) => Some(before.union(&now).cloned().collect::<BTreeSet<_>>()),
        _ => None,
    };
    Ok(())
}
