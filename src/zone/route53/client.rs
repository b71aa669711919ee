//! The SDK's client: how long a call may take, what it trusts, where credentials and the region come from.
//!
//! The SDK's retries are off: they would spend the account's requests unseen. Its default HTTP client is
//! not built in, for it brings a second TLS stack: the one that is made here must be passed to it. It uses
//! no proxy.

use std::sync::LazyLock;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::{ProvideRegion, RegionProviderChain};
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_route53::Client;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::CALL_LIMIT;

/// The longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long an unused connection is kept. Shorter than the vendor keeps it (assumed): a call on one that is
/// just being closed has an unknown outcome.
const IDLE_LIMIT: Duration = Duration::from_secs(20);
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
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(region.map(Region::new))
        .or_else(Region::from_static(DEFAULT_REGION));
    Client::new(&sdk_config(endpoint_url, region).await)
}

/// What any client of AWS here is made from: see above for the endpoint and the credentials.
pub async fn sdk_config(endpoint_url: Option<&str>, region: impl ProvideRegion + 'static) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).operation_timeout(CALL_LIMIT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .region(region)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        // Answers are small, and every call has its limit.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// Whether this host has CA certificates. Read once, as the HTTP client does.
static HAS_ROOTS: LazyLock<bool> = LazyLock::new(|| {
    let found = !rustls_native_certs::load_native_certs().certs.is_empty();
    if !found {
        tracing::warn!(
            "this host has no CA certificates, so no https endpoint can be trusted: install them, or name \
             a file of them in SSL_CERT_FILE"
        );
    }
    found
});

fn http_client() -> SharedHttpClient {
    let mut tls = TlsContext::builder();
    if !*HAS_ROOTS {
        // Told to use the host's, the HTTP client of a debug build panics where there are none.
        tls = tls.with_trust_store(TrustStore::empty());
    }
    let builder = aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(IDLE_LIMIT)
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    // Building cannot fail without a server name of one's own in the context.
    match tls.build() {
        Ok(tls) => builder.tls_context(tls).build_https(),
        Err(_) => builder.build_https(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
