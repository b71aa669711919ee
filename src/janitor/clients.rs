//! What a run speaks with: the zone, and ECS and EC2 in every account and region.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ecs::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

use super::reader::AccountRegion;
use super::reader::ec2::Ec2;
use super::reader::ecs::Ecs;
use super::settings::Settings;
use super::time::Time;
use crate::aws;
use crate::clock::Clock;
use crate::edge::check::{Checker, NetworkChecker};
use crate::edge::imds::Imds;
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
    /// The VPCs that see it, by id, or why they are not known.
    pub vpcs: Result<BTreeSet<String>, String>,
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
        for region in &regions {
            account_regions.push(account_region(&config, region, role, &credentials, &variable).await);
        }
    }
    let zone = Arc::new(find(settings, region.to_string()).await?);
    let vpcs = match zone.vpcs().await {
        Ok(vpcs) => Ok(vpcs.into_iter().collect()),
        Err(error) => Err(format!("route53:GetHostedZone: {error}")),
    };
    // Targets have addresses of their own; this host has nothing to be asked.
    let checker = Arc::new(NetworkChecker::of(std::net::Ipv4Addr::UNSPECIFIED));
    Ok(Clients { zone, vpcs, account_regions, checker, time: Arc::new(clock) })
}

/// What this place calls its own. The metadata service is asked where nothing else says so, and no region was
/// given.
async fn region(settings: &Settings, variable: impl Fn(&str) -> Option<String>) -> Option<Region> {
    if let Some(region) = aws::named_region(&variable) {
        return Some(region);
    }
    if let Some(region) = ProfileFileRegionProvider::new().region().await {
        return Some(region);
    }
    if let Some(region) = settings.regions.first() {
        return Some(Region::new(region.clone()));
    }
    let instance = Imds::from_variables(variable).ok()??.instance().await.ok()?;
    instance.region.map(Region::new)
}

/// The vendor's, in whichever partition the region is: beside the one that the SDK has of ECS.
async fn ec2_endpoint(region: &str) -> String {
    let parameters = Params::builder().region(region).build();
    let resolver = DefaultResolver::new();
    let resolved = match &parameters {
        Ok(parameters) => resolver.resolve_endpoint(parameters).await.ok(),
        Err(_) => None,
    };
    let of_ecs = resolved.map(|endpoint| endpoint.url().to_owned());
    let host = of_ecs.as_deref().and_then(|url| url.strip_prefix("https://ecs."));
    host.map_or_else(|| format!("https://ec2.{region}.amazonaws.com"), |host| format!("https://ec2.{host}"))
}

async fn account_region(
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
    let endpoint = match endpoint {
        Some(endpoint) => endpoint,
        None => ec2_endpoint(region).await,
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_partition_has_its_own_ec2() {
        for (region, expected) in [
            ("eu-central-1", "https://ec2.eu-central-1.amazonaws.com"),
            ("us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", "https://ec2.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://ec2.us-isob-east-1.sc2s.sgov.gov"),
        ] {
            assert_eq!(ec2_endpoint(region).await, expected);
        }
    }
}
