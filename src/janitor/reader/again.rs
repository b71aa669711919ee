//! The second look: the whole zone once more, and of EC2 and ECS only what looked dead in the first.

use std::collections::BTreeSet;

use super::ec2::answer::Instance;
use super::ecs::PAGE;
use super::list::List;
use super::paced::Unread;
use super::tasks::Seen;
use super::{Limit, Territory, fill, hold, listed, words};
use crate::janitor::Look;
use crate::janitor::evidence::{Host, Snapshot};
use crate::janitor::suspects::Suspects;
use crate::zone::Zone;

/// Takes the second look; `first` is what ECS showed in the first, and `before` its snapshot.
pub async fn look(
    zone: &dyn Zone,
    list: &mut List,
    territories: &mut [Territory],
    suspects: &Suspects,
    (before, first): (&Snapshot, &Seen),
    limit: Limit<'_>,
) -> Look {
    let mut look = listed(zone, list, limit).await;
    if look.list.missing.is_empty() {
        let snapshot = &mut look.snapshot.what;
        snapshot.home.clone_from(&before.home);
        let read = snapshot_again(zone.name(), territories, suspects, (before, first), snapshot, limit).await;
        look.snapshot.missing.extend(read.err().map(words));
    }
    look.snapshot.ended = limit.time.now();
    look
}

async fn snapshot_again(
    zone: &str,
    territories: &mut [Territory],
    suspects: &Suspects,
    (before, first): (&Snapshot, &Seen),
    into: &mut Snapshot,
    limit: Limit<'_>,
) -> Result<(), Unread> {
    let hosts: Vec<String> = suspects.hosts.iter().map(ToString::to_string).collect();
    let addresses: Vec<String> = suspects.addresses.iter().map(ToString::to_string).collect();
    for Territory { name, ec2, .. } in territories.iter().filter(|_| !hosts.is_empty()) {
        let mut tell = |instance: Instance| {
            into.hosts.insert(instance.id, Host { power: instance.power, ecs: Default::default() });
        };
        ec2.instances(&hosts, &mut tell, limit).await.map_err(|unread| unread.of(name))?;
        if !addresses.is_empty() {
            let mut tell = |interface| hold(&mut into.held, &into.home, &interface);
            ec2.interfaces(&addresses, &mut tell, limit).await.map_err(|unread| unread.of(name))?;
        }
    }
    let directory = &first.directory;
    let mut seen = Seen { directory: directory.without_tasks(), ..Seen::default() };
    let (tasks, registrations) =
        (directory.tasks_of(&suspects.containers), directory.registrations_of(&suspects.hosts));
    for cluster in &directory.clusters {
        let Territory { name, ecs, .. } = &mut territories[cluster.territory];
        let told = async {
            for arns in registrations.get(&cluster.number).into_iter().flat_map(|arns| arns.chunks(PAGE)) {
                ecs.describe_instances(cluster, arns.to_vec(), &mut seen, limit).await?;
            }
            for ids in tasks.get(&cluster.number).into_iter().flat_map(|ids| ids.chunks(PAGE)) {
                ecs.learn_tasks(cluster, ids.to_vec(), zone, &mut seen, limit).await?;
            }
            if suspects.empties {
                ecs.new_tasks(cluster, directory, zone, &mut seen, limit).await?;
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
