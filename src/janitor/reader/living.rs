//! One look at what lives, for an operator's word about a host: the zone, EC2, and what ECS has not seen stop. No
//! service is judged by it, so no task definition is asked for.

use aws_sdk_ecs::types::DesiredStatus;

use super::list::List;
use super::paced::Unread;
use super::tasks::Seen;
use super::{AccountRegion, Limit, NameScope, Scope, fill, find, instances, listed, words};
use crate::janitor::Inspection;
use crate::janitor::evidence::Snapshot;
use crate::zone::Zone;

/// Looks once. What could not be read is noted, of the zone and of the rest apart.
pub async fn look(
    zone: &dyn Zone,
    list: &mut List,
    account_regions: &[AccountRegion],
    scope: &Scope,
    limit: Limit<'_>,
) -> Inspection {
    let mut inspection = listed(zone, list, limit).await;
    if inspection.list.missing.is_empty() {
        let read =
            snapshot(&scope.names(zone.name()), account_regions, scope, &mut inspection.snapshot.what, limit)
                .await;
        inspection.snapshot.missing.extend(read.err().map(words));
    }
    inspection.snapshot.ended = limit.time.now();
    inspection
}

async fn snapshot(
    names: &NameScope,
    account_regions: &[AccountRegion],
    scope: &Scope,
    into: &mut Snapshot,
    limit: Limit<'_>,
) -> Result<(), Unread> {
    instances(account_regions, &mut into.hosts, limit).await?;
    let mut seen = Seen::default();
    for cluster in find(account_regions, scope, limit).await? {
        let AccountRegion { name, ecs, .. } = &account_regions[cluster.account_region];
        let told = async {
            ecs.instances(&cluster, &mut seen, limit).await?;
            // What is to stop serves until it has. Running first: what begins to stop between the two is in both.
            for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
                ecs.living_tasks(&cluster, &status, names, &mut seen, limit).await?;
            }
            Ok(())
        };
        told.await.map_err(|unread: Unread| unread.of(name))?;
    }
    fill(into, &mut seen, 0);
    Ok(())
}
