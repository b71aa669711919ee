//! What EC2 is asked about hosts that it does not show: whose the zone's VPCs are, and whether an interface is attached
//! to one of those hosts. Asks nothing where there is no such host. What is not told leaves them out of sight, and all
//! else as it is.

use std::collections::{BTreeMap, BTreeSet};

use super::directory::Cluster;
use super::paced::Unread;
use super::{AccountRegion, Limit, words};
use crate::janitor::Inspection;
use crate::janitor::evidence::{Network, Snapshot};
use crate::janitor::sight::{self, Blind, Sight, Vpc};
use crate::janitor::verdict::Scene;
use crate::record::Owner;

/// Where instances are, and who was asked.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The VPCs of instances that are not terminated.
    pub vpcs: BTreeMap<Owner, String>,
    /// The account of each account and region, as far as something there tells it.
    pub accounts: Vec<Option<String>>,
}

impl Places {
    /// Clusters were found: their ARNs tell whose they are.
    pub(super) fn learn_of(&mut self, clusters: &[Cluster]) {
        for Cluster { account_region, arn, .. } in clusters {
            if let Some(account @ None) = self.accounts.get_mut(*account_region) {
                *account = arn.split(':').nth(4).map(str::to_owned);
            }
        }
    }
}

/// What is known of the zone, whatever EC2 says.
#[derive(Clone, Copy, Debug)]
pub struct Viewers<'a> {
    /// The VPCs that see it, by id, or why they are not known.
    pub vpcs: &'a Result<BTreeSet<String>, String>,
    /// Where an operator lets absence count.
    pub said: &'a [Network],
}

/// Looks for those that a first inspection does not show.
pub(super) async fn look(
    zone: &str,
    account_regions: &[AccountRegion],
    viewers: Viewers<'_>,
    places: &Places,
    inspection: &mut Inspection,
    limit: Limit<'_>,
) {
    if Scene::new(zone, inspection).unseen().is_empty() {
        return;
    }
    let sight = seen_by(account_regions, viewers, places, limit).await;
    inspection.snapshot.what.sight = sight.unwrap_or_else(|reason| Sight::blind(Blind::Untold(reason)));
    let scene = Scene::new(zone, inspection);
    if scene.blind().is_none() {
        let unseen = scene.unseen();
        ask(account_regions, &unseen, &mut inspection.snapshot.what, limit).await;
    }
}

/// Asks whether an interface is attached to one of these hosts.
pub(super) async fn ask(
    account_regions: &[AccountRegion],
    hosts: &BTreeSet<Owner>,
    into: &mut Snapshot,
    limit: Limit<'_>,
) {
    let ids: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut attached = BTreeSet::new();
    for AccountRegion { name, ec2, .. } in account_regions.iter().filter(|_| !ids.is_empty()) {
        let told = ec2.attached(&ids, &mut |instance| attached.extend(instance), limit).await;
        if let Err(unread) = told {
            into.sight = Sight::blind(Blind::Untold(words(unread.of(name))));
            return;
        }
    }
    into.unattached = hosts.difference(&attached).cloned().collect();
}

async fn seen_by(
    account_regions: &[AccountRegion],
    Viewers { vpcs, said }: Viewers<'_>,
    places: &Places,
    limit: Limit<'_>,
) -> Result<Sight, String> {
    let of_zone = vpcs.as_ref().map_err(Clone::clone)?;
    let ids: Vec<String> = of_zone.iter().cloned().collect();
    let mut shown = Vec::new();
    for (n, AccountRegion { name, ec2, .. }) in account_regions.iter().enumerate().filter(|_| !ids.is_empty())
    {
        // Where nothing tells which account this is, none of its VPCs is its own.
        let account = places.accounts.get(n).and_then(Option::as_ref);
        let mut tell = |vpc: super::ec2::answer::Vpc| {
            shown.push(Vpc { is_own: account == Some(&vpc.owner), id: vpc.id, networks: vpc.networks });
        };
        ec2.vpcs(&ids, &mut tell, limit).await.map_err(|unread: Unread| words(unread.of(name)))?;
    }
    Ok(sight::of(of_zone, &shown, said, &places.vpcs))
}
