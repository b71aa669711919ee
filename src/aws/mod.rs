//! What every client of the vendor's APIs is made from: timeouts, TLS, credentials, region.
//!
//! The SDK's retries are off: they would spend the account's requests unseen. Its default HTTP client is
//! not built in, for it brings a second TLS stack: the one that is made here must be passed to it, and reads no
//! more of an answer than [`ANSWER_OCTETS_MAX`]. It uses no proxy, and reads no `AWS_CA_BUNDLE` (`SSL_CERT_FILE` is); SSO is not among its sources of credentials.

mod bounded;
mod credentials;
pub mod names;
mod region;

use std::sync::LazyLock;
use std::time::Duration;

use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};

pub use self::bounded::ANSWER_OCTETS_MAX;
use self::bounded::Bounded;
use self::credentials::FreshChain;
use self::names::Names;
pub use self::region::named_region;

/// The longest that a call may take, credentials included.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);
/// The longest wait for a connection.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long an unused connection is kept. Shorter than the vendor keeps it (assumed): a call on one that is
/// just being closed has an unknown outcome.
const IDLE_LIMIT: Duration = Duration::from_secs(20);

/// What a client is configured with. Endpoints come from `endpoint_url`, `AWS_ENDPOINT_URL_<SERVICE>`,
/// `AWS_ENDPOINT_URL`, the profile, the vendor; credentials from environment, profile (its `credential_process`
/// too), web identity, ECS container, IMDSv2. Where those are renewed, the next ones are used.
///
/// Asks nothing of the network, unless the region's provider does.
pub async fn config(endpoint_url: Option<&str>, region: impl ProvideRegion + 'static) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).operation_timeout(CALL_LIMIT).build();
    let http_client = http_client();
    let region = region.region().await;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client.clone())
        .region(region.clone())
        .credentials_provider(FreshChain::new(region, http_client))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        // Answers are small, and every call has its limit.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// For calls that no SDK client makes.
pub fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_LIMIT).build();
    let builder = Connector::builder()
        .connector_settings(settings)
        .pool_idle_timeout(IDLE_LIMIT)
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    let connector = match tls() {
        Some(tls) => builder.tls_context(tls).build_with_resolver(Names),
        None => builder.build_with_resolver(Names),
    };
    SharedHttpConnector::new(Bounded(SharedHttpConnector::new(connector)))
}

/// Whether this host has CA certificates. Read once, as the HTTP client does.
static HAS_ROOTS: LazyLock<bool> = LazyLock::new(|| {
    let found = !rustls_native_certs::load_native_certs().certs.is_empty();
    if !found {
        tracing::warn!(
            event = "no_certificates",
            "this host has no CA certificates, so no https endpoint can be trusted: install them, or name \
             a file of them in SSL_CERT_FILE"
        );
    }
    found
});

fn http_client() -> SharedHttpClient {
    let builder =
        Builder::new().pool_idle_timeout(IDLE_LIMIT).tls_provider(Provider::Rustls(CryptoMode::Ring));
    SharedHttpClient::new(Bounded(match tls() {
        Some(tls) => builder.tls_context(tls).build_with_resolver(Names),
        None => builder.build_with_resolver(Names),
    }))
}

/// Building it cannot fail without a server name of one's own in the context.
fn tls() -> Option<TlsContext> {
    let mut tls = TlsContext::builder();
    if !*HAS_ROOTS {
        // Told to use the host's, the HTTP client of a debug build panics where there are none.
        tls = tls.with_trust_store(TrustStore::empty());
    }
    tls.build().ok()
}
