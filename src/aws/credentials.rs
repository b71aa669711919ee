//! Credentials that stay fresh: the SDK's own chain of sources, asked anew where they do not say when they end.
//!
//! The SDK keeps such credentials for as long as the process lives, and a profile's file is read once. But files
//! are renewed under a running agent (ECS Anywhere, exports by cron, a `credential_process`), and a key that has
//! expired must not be used for ever.

use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// How long credentials without an end of their own are used before their source is asked again. The SDK asks 10 s
/// before an end, so this is every 10 s of use: reading a small file, or an environment.
const STATIC_LIFE: Duration = Duration::from_secs(20);

/// The SDK's chain of sources, made anew each time it is asked: a configuration keeps the files that it has read.
#[derive(Debug)]
pub(super) struct FreshChain {
    region: Option<Region>,
    http_client: SharedHttpClient,
}

impl FreshChain {
    /// A chain whose sources are asked by this client, for this region.
    pub(super) fn new(region: Option<Region>, http_client: SharedHttpClient) -> Self {
        Self { region, http_client }
    }

    async fn load(&self) -> provider::Result {
        let config = ProviderConfig::without_region()
            .with_region(self.region.clone())
            .with_http_client(self.http_client.clone());
        let chain = DefaultCredentialsChain::builder().configure(config).build().await;
        chain.provide_credentials().await.map(|credentials| with_end(credentials, SystemTime::now()))
    }
}

impl ProvideCredentials for FreshChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

fn with_end(mut credentials: Credentials, now: SystemTime) -> Credentials {
    credentials.expiry_mut().get_or_insert(now + STATIC_LIFE);
    credentials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_gets_one_and_what_has_one_keeps_it() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let end = now + Duration::from_secs(3_600);
        let of = |end| with_end(Credentials::new("id", "secret", None, end, "test"), now).expiry();
        assert_eq!((of(None), of(Some(end))), (Some(now + STATIC_LIFE), Some(end)));
    }
}
