//! The SDK's client of Route 53: where its API is, and for which region calls are signed.

use aws_config::Region;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_sdk_route53::Client;

/// Where the API is signed for, in the partition that nearly everybody uses.
const DEFAULT_REGION: &str = "us-east-1";

/// A client of Route 53.
///
/// | | in this order |
/// |---|---|
/// | endpoint | `endpoint_url`, `AWS_ENDPOINT_URL_ROUTE_53`, `AWS_ENDPOINT_URL`, the profile, the vendor's |
/// | region | `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile, `region`, `us-east-1` |
/// | credentials | environment, profile, web identity, ECS container, IMDSv2 |
///
/// The region says no more than which partition the zone is in. So the metadata service is not asked for
/// it again: what it said is in `region` on EC2, and elsewhere each client would wait for it in vain.
///
/// Asks nothing of the network. Where credentials are absent, the calls say so.
pub async fn client(endpoint_url: Option<&str>, region: Option<String>) -> Client {
    client_of(endpoint_url, region, |name| std::env::var(name).ok()).await
}

/// The same, where the environment names this region or none.
async fn client_of(
    endpoint_url: Option<&str>,
    region: Option<String>,
    variable: impl Fn(&str) -> Option<String>,
) -> Client {
    let region = RegionProviderChain::first_try(crate::aws::named_region(variable))
        .or_else(ProfileFileRegionProvider::new())
        .or_else(region.map(Region::new))
        .or_else(Region::from_static(DEFAULT_REGION));
    Client::new(&crate::aws::config(endpoint_url, region).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{CALL_LIMIT, CONNECT_LIMIT};

    #[tokio::test]
    async fn repeats_nothing_and_waits_no_longer_than_it_says() {
        let client = client(Some("http://127.0.0.1:1"), None).await;
        let config = client.config();
        assert_eq!(config.retry_config().map(|retries| retries.max_attempts()), Some(1));
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_LIMIT));
        assert_eq!(timeouts.operation_timeout(), Some(CALL_LIMIT));
        // The region of the machine that runs this may be set; there always is one.
        assert!(config.region().is_some());
    }

    #[tokio::test]
    async fn an_empty_region_is_none() {
        let of = async |value: &str| {
            let variable = |name: &str| (name == "AWS_REGION").then(|| value.to_owned());
            let client = client_of(Some("http://127.0.0.1:1"), Some("eu-west-1".to_owned()), variable).await;
            client.config().region().map(ToString::to_string)
        };
        assert_eq!(of("eu-central-1").await.as_deref(), Some("eu-central-1"));
        // A profile of the machine that runs this may name another.
        assert_eq!(of("").await, of_nothing().await);
        assert_ne!(of("").await.as_deref(), Some(""));
    }

    async fn of_nothing() -> Option<String> {
        let client = client_of(Some("http://127.0.0.1:1"), Some("eu-west-1".to_owned()), |_| None).await;
        client.config().region().map(ToString::to_string)
    }
}
