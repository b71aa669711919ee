//! Finds the hosted zone that was asked for, by name or by id.
//!
//! [`choose`] decides, this asks: as few questions as will do, for each needs a permission of its own.
//!
//! | asked | needs | when |
//! |---|---|---|
//! | `ListHostedZonesByName` | that, on `*` | by name |
//! | `GetHostedZone` | that, on the zone | by id; by name, where this host's VPC is known or names collide |
//! | `ListHostedZonesByVPC` | that and `ec2:DescribeVpcs`, on `*` | where the former is denied |
//!
//! Source: Service authorization reference, "Actions, resources, and condition keys for Amazon Route 53".

pub mod choose;

use std::convert::Infallible;
use std::hash::Hash;
use std::time::Duration;

use aws_sdk_route53::Client;
use aws_sdk_route53::operation::get_hosted_zone::GetHostedZoneOutput;
use aws_sdk_route53::types::HostedZone;

pub use self::choose::{FindError, Seen};
use super::fault::zone_error;
use super::{Route53Zone, bare_id};
use crate::backoff::Backoff;
use crate::record::canonical;
use crate::zone::{Course, Zone as _, ZoneError};

/// The shortest, the first and the longest wait before a zone is looked for again.
const RETRY_WAITS: (Duration, Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(30));
/// The most zones that a page holds. Source: Route 53 API reference, ListHostedZonesByName.
const PAGE_ZONES: i32 = 100;
const BY_NAME: &str = "route53:ListHostedZonesByName";
const BY_VPC: &str = "route53:ListHostedZonesByVPC";

/// Which hosted zone is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The private one of this name that this host sees.
    Name(String),
    /// The one of this id, with or without `/hostedzone/`.
    Id(String),
}

/// What a zone is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which zone.
    pub wanted: Wanted,
    /// Another endpoint than the vendor's.
    pub endpoint_url: Option<String>,
    /// The region that this host is in, where that is known.
    pub region: Option<String>,
    /// The VPC that this host is in, where that is known.
    pub vpc: Option<String>,
}

/// Looks for the zone once.
///
/// # Errors
/// Where it is not there, there is any doubt which it is, or the registry does not say.
pub async fn find(settings: &Settings) -> Result<Route53Zone, FindError> {
    let client = super::client(settings.endpoint_url.as_deref(), settings.region.clone()).await;
    find_with(client, settings).await
}

/// Looks for the zone once; what was seen of it beside.
///
/// # Errors
/// As [`find`].
pub async fn look(settings: &Settings) -> Result<(Route53Zone, Seen), FindError> {
    let client = super::client(settings.endpoint_url.as_deref(), settings.region.clone()).await;
    look_with(client, settings).await
}

/// Looks for the zone until it is found: zones, permissions and credentials may all come later. Tells
/// `on_wait` each time why it waits and how long, which is mostly what it told it before.
///
/// # Errors
/// What `on_wait` makes of a reason that it does not want to wait for.
pub async fn wait_for<E>(
    settings: &Settings,
    on_wait: impl FnMut(&FindError, Duration) -> Result<(), E>,
) -> Result<Route53Zone, E> {
    // With a new client each time, since one may remember what its profile did not hold.
    until_found(async || find(settings).await, on_wait).await
}

/// Looks until a zone is found that is another than that of this id, which is gone. Returns its id.
pub async fn wait_for_another(settings: &Settings, gone: &str) -> String {
    until_another(async || find(settings).await, gone).await
}

async fn until_another(attempt: impl AsyncFn() -> Result<Route53Zone, FindError>, gone: &str) -> String {
    let attempt = async || match attempt().await {
        // The list of zones may still have it.
        Ok(zone) if zone.id() == gone => Err(FindError::AbsentId { id: gone.to_owned() }),
        found => found,
    };
    let Ok(zone) = until_found(attempt, |_, _| Ok::<_, Infallible>(())).await;
    zone.id().to_owned()
}

async fn until_found<E>(
    attempt: impl AsyncFn() -> Result<Route53Zone, FindError>,
    mut on_wait: impl FnMut(&FindError, Duration) -> Result<(), E>,
) -> Result<Route53Zone, E> {
    let (floor, first, longest) = RETRY_WAITS;
    let mut backoff = Backoff::new(floor, first, longest);
    loop {
        match attempt().await {
            Ok(zone) => return Ok(zone),
            Err(error) => {
                let wait = backoff.next(fastrand::f64());
                on_wait(&error, wait)?;
                tokio::time::sleep(wait).await;
            }
        }
    }
}

async fn look_with(client: Client, settings: &Settings) -> Result<(Route53Zone, Seen), FindError> {
    let vpc = settings.vpc.as_deref();
    let seen = match &settings.wanted {
        Wanted::Name(name) => {
            let name = canonical(name);
            let (mut seen, within) = named(&client, &name).await?;
            look_closer(&client, settings, &mut seen).await?;
            Seen { within, ..choose::by_name(&name, vpc, seen)? }
        }
        Wanted::Id(id) => choose::by_id(by_id(&client, bare_id(id), vpc).await?)?,
    };
    Ok((Route53Zone::new(client, seen.name.clone(), seen.id.clone()), seen))
}

async fn find_with(client: Client, settings: &Settings) -> Result<Route53Zone, FindError> {
    let vpc = settings.vpc.as_deref();
    let (found, zone) = look_with(client, settings).await?;
    match (vpc, zone.here) {
        (Some(vpc), None) => tracing::warn!(
            event = "zone_unsure",
            zone = zone.name,
            id = zone.id,
            vpc,
            "taking the one private hosted zone of that name, without knowing that this VPC sees it: \
             allow route53:GetHostedZone, or pass --zone-id, to be sure"
        ),
        // By its name it would not have been taken.
        (Some(vpc), Some(false)) => tracing::info!(
            event = "zone_elsewhere",
            zone = zone.name,
            id = zone.id,
            vpc,
            "taking the zone of --zone-id, which this VPC is not associated with: a Route 53 Profile has to lead to it, \
             or clients are elsewhere"
        ),
        _ => {}
    }
    Ok(found)
}

/// All zones called `name`, private and public; and the names of private ones within it, as far as they come along.
async fn named(client: &Client, name: &str) -> Result<(Vec<Seen>, Vec<String>), FindError> {
    let (mut seen, mut within) = (Vec::new(), Vec::new());
    let under = format!(".{name}");
    let (mut start_name, mut start_id, mut course) = (name.to_owned(), None, Course::default());
    loop {
        let request = client.list_hosted_zones_by_name().dns_name(start_name).set_hosted_zone_id(start_id);
        let page = request.max_items(PAGE_ZONES).send().await;
        let page = page.map_err(|error| unanswered(BY_NAME, zone_error(error)))?;
        // The list begins at the name, and goes on with those that follow it.
        for zone in page.hosted_zones.into_iter().map(seen_of) {
            if zone.name == name {
                seen.push(zone);
            } else if zone.private && zone.name.ends_with(&under) {
                within.push(zone.name);
            }
        }
        match page.next_dns_name {
            Some(next) if page.is_truncated && canonical(&next) == name => {
                go_on(&mut course, BY_NAME, page.next_hosted_zone_id.clone())?;
                (start_name, start_id) = (next, page.next_hosted_zone_id);
            }
            _ => return Ok((seen, within)),
        }
    }
}

/// Learns which VPCs see the private zones of `seen`, where the choice or its refusal needs that.
async fn look_closer(client: &Client, settings: &Settings, seen: &mut [Seen]) -> Result<(), FindError> {
    let mut private: Vec<&mut Seen> = seen.iter_mut().filter(|zone| zone.private).collect();
    if settings.vpc.is_none() && private.len() < 2 {
        return Ok(());
    }
    let mut denied = false;
    for zone in &mut private {
        match by_id(client, &zone.id, settings.vpc.as_deref()).await {
            Ok(closer) => **zone = closer,
            Err(FindError::Unanswered { error: ZoneError::Denied(_), .. }) => denied = true,
            // It was removed meanwhile: the next look will not see it.
            Err(error) => return Err(error),
        }
    }
    let (true, Some(vpc), Some(region)) = (denied, &settings.vpc, &settings.region) else {
        return Ok(());
    };
    let visible = match visible_from(client, vpc, region).await {
        Ok(visible) => visible,
        Err(FindError::Unanswered { error: ZoneError::Denied(_), .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    for zone in private.iter_mut().filter(|zone| zone.here.is_none()) {
        let here = visible.contains(&zone.id);
        zone.here = Some(here);
        if here {
            zone.vpcs = vec![vpc.clone()];
        }
    }
    Ok(())
}

/// The ids of all zones that a VPC sees.
async fn visible_from(client: &Client, vpc: &str, region: &str) -> Result<Vec<String>, FindError> {
    let mut ids = Vec::new();
    let (mut token, mut course) = (None, Course::default());
    loop {
        let request = client.list_hosted_zones_by_vpc().vpc_id(vpc).vpc_region(region.into());
        let page = request.max_items(PAGE_ZONES).set_next_token(token).send().await;
        let page = page.map_err(|error| unanswered(BY_VPC, zone_error(error)))?;
        ids.extend(page.hosted_zone_summaries.iter().map(|zone| bare_id(&zone.hosted_zone_id).to_owned()));
        let Some(next) = page.next_token else { return Ok(ids) };
        go_on(&mut course, BY_VPC, next.clone())?;
        token = Some(next);
    }
}

async fn by_id(client: &Client, id: &str, vpc: Option<&str>) -> Result<Seen, FindError> {
    const ACTION: &str = "route53:GetHostedZone";
    let answer = client.get_hosted_zone().id(id).send().await;
    let GetHostedZoneOutput { hosted_zone, vpcs, .. } = answer.map_err(|error| match zone_error(error) {
        ZoneError::NoSuchZone(_) => FindError::AbsentId { id: id.to_owned() },
        error => unanswered(ACTION, error),
    })?;
    let zone = hosted_zone.ok_or_else(|| {
        unanswered(ACTION, ZoneError::Unknown("an answer without a hosted zone in it".to_owned()))
    })?;
    let vpcs: Vec<String> = vpcs.unwrap_or_default().into_iter().filter_map(|vpc| vpc.vpc_id).collect();
    let here = vpc.map(|vpc| vpcs.iter().any(|seen| seen == vpc));
    Ok(Seen { vpcs, here, ..seen_of(zone) })
}

fn seen_of(zone: HostedZone) -> Seen {
    let config = zone.config;
    let owner = zone.linked_service.and_then(|service| service.service_principal.or(service.description));
    Seen {
        id: bare_id(&zone.id).to_owned(),
        name: canonical(&zone.name),
        private: config.as_ref().is_some_and(|config| config.private_zone),
        owner,
        comment: config.and_then(|config| config.comment).filter(|comment| !comment.is_empty()),
        vpcs: Vec::new(),
        here: None,
        within: Vec::new(),
    }
}

fn go_on<T: Eq + Hash>(course: &mut Course<T>, action: &'static str, next: T) -> Result<(), FindError> {
    course.go_on(next).map_err(|endless| unanswered(action, ZoneError::Unknown(endless.to_string())))
}

fn unanswered(action: &'static str, error: ZoneError) -> FindError {
    FindError::Unanswered { action, error }
}

#[cfg(test)]
mod tests;
