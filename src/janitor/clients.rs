//! What a run speaks with: the zone, and ECS and EC2 in every account and region.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::reader::AccountRegion;
use super::reader::ec2::Ec2;
use super::reader::ecs::Ecs;
use super::settings::Settings;
use super::time::Time;
use crate::aws;
use crate::clock::Clock;
use crate::edge::check::{Checker, NetworkChecker};
use crate::edge::host::imds::Imds;
use crate::zone::route53::{self, FindError, Route53Zone};
use crate::zone::{Zone, ZoneError};

/// How calls in another account are signed in its logs.
const SESSION: &str = "ecssd-janitor";
/// Before a zone that could not be looked for is looked for once more.
const THROTTLED_WAIT_MS: u64 = 1_000;

/// What a run speaks with.
pub struct Clients {
    /// The zone.
    pub zone: Arc<dyn Zone>,
    /// The VPCs that use it, by id, where that is known.
    pub vpcs: Option<BTreeSet<String>>,
    /// Accounts and regions.
    pub account_regions: Vec<AccountRegion>,
    /// Asks targets.
    pub checker: Arc<dyn Checker>,
    /// The time.
    pub time: Arc<dyn Time>,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").field("account_regions", &self.account_regions).finish_non_exhaustive()
    }
}

/// Why there is nothing to inspect with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The zone is not there, or it is not clear which one it is.
    #[error(transparent)]
    Zone(#[from] FindError),
    /// The account's rate has no room for a janitor now.
    #[error("skipped: Route 53 throttled the first call twice, others need it more")]
    CrowdedOut,
    /// No region is known.
    #[error("no region is known: pass --regions, or set AWS_REGION")]
    NoRegion,
    /// There is nothing to sign with.
    #[error("there are no credentials: give this a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoCredentials,
}

/// Opens the clients. `variable` is the environment.
///
/// # Errors
/// Where the zone cannot be found, or there is no region.
pub async fn open(
    settings: &Settings,
    clock: Clock,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Clients, OpenError> {
    let region = region(settings, &variable).await.ok_or(OpenError::NoRegion)?;
    let config = aws::config(None, region.clone()).await;
    let regions = match &settings.regions[..] {
        [] => vec![region.to_string()],
        regions => regions.to_vec(),
    };
    let credentials = config.credentials_provider().ok_or(OpenError::NoCredentials)?;
    let mut account_regions = Vec::new();
    for role in std::iter::once(None).chain(settings.assume_roles.iter().map(Some)) {
        let credentials = match role {
            None => credentials.clone(),
            Some(role) => {
                let provider = AssumeRoleProvider::builder(role).session_name(SESSION).configure(&config);
                SharedCredentialsProvider::new(provider.build().await)
            }
        };
        let of = |region: &String| account_region(&config, region, role, &credentials, &variable);
        account_regions.extend(regions.iter().map(of));
    }
    let zone = Arc::new(find(settings, region.to_string()).await?);
    let vpcs = if settings.options.scope.home.is_empty() { None } else { vpcs(&zone).await };
    // Targets have addresses of their own; this host has nothing to be asked.
    let checker = Arc::new(NetworkChecker { host_address: std::net::Ipv4Addr::UNSPECIFIED });
    Ok(Clients { zone, vpcs, account_regions, checker, time: Arc::new(clock) })
}

/// Without them no network is known to be home, and what EC2 has forgotten stays.
async fn vpcs(zone: &Route53Zone) -> Option<BTreeSet<String>> {
    match zone.vpcs().await {
        Ok(vpcs) => Some(vpcs.into_iter().collect()),
        Err(error) => {
            tracing::warn!(
                event = "home_networks_unknown",
                %error,
                "--home-networks do not count: which VPCs use the zone is not known; allow route53:GetHostedZone"
            );
            None
        }
    }
}

/// What this place calls its own. The metadata service is asked where nothing else says so, and no region was
/// given.
async fn region(settings: &Settings, variable: impl Fn(&str) -> Option<String>) -> Option<Region> {
    let named = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    if let Some(region) = named.region().await {
        return Some(region);
    }
    if let Some(region) = settings.regions.first() {
        return Some(Region::new(region.clone()));
    }
    let instance = Imds::from_variables(variable).ok()??.instance().await.ok()?;
    instance.region.map(Region::new)
}

fn account_region(
    config: &SdkConfig,
    region: &str,
    role: Option<&String>,
    credentials: &SharedCredentialsProvider,
    variable: impl Fn(&str) -> Option<String>,
) -> AccountRegion {
    let ecs = aws_sdk_ecs::config::Builder::from(config)
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials.clone());
    // As the SDKs do it. Source: AWS SDKs reference guide, "Service-specific endpoints".
    let given = |name: &str| variable(name).filter(|url| !url.is_empty());
    let endpoint = given("AWS_ENDPOINT_URL_EC2").or_else(|| config.endpoint_url().map(str::to_owned));
    AccountRegion {
        name: role.map_or_else(|| region.to_owned(), |role| format!("{region} as {role}")),
        ecs: Ecs::new(aws_sdk_ecs::Client::from_conf(ecs.build())),
        ec2: Ec2::new(endpoint, region.to_owned(), credentials.clone(), aws::connector()),
    }
}

async fn find(settings: &Settings, region: String) -> Result<Route53Zone, OpenError> {
    let settings = route53::Settings {
        wanted: settings.wanted.clone(),
        endpoint_url: settings.endpoint_url.clone(),
        region: Some(region),
        vpc: None,
    };
    match route53::find(&settings).await {
        Err(FindError::Unanswered { error: ZoneError::Throttled(_), .. }) => {
            let wait = THROTTLED_WAIT_MS + fastrand::u64(..THROTTLED_WAIT_MS);
            tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
            match route53::find(&settings).await {
                Err(FindError::Unanswered { error: ZoneError::Throttled(_), .. }) => {
                    Err(OpenError::CrowdedOut)
                }
                found => Ok(found?),
            }
        }
        found => Ok(found?),
    }
}
