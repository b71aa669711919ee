//! How names are looked up: in `/etc/hosts`, then at the name servers of `/etc/resolv.conf`, which on many hosts is
//! systemd-resolved.
//!
//! Not by the C library. Linked statically, it loads the modules that the host's `/etc/nsswitch.conf` names; they are
//! made for the host's own C library, and where that is of another version, the process dies.
//!
//! Both files are read anew for every name, because a host gets its network, and another one, under a running agent.
//! Nothing is remembered: connections live long, so there is little to ask.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolveHosts};
use hickory_resolver::net::NetError;

/// How long one server has, twice: less than a connection may take in all.
const SERVER_LIMIT: Duration = Duration::from_millis(800);
/// See [`SERVER_LIMIT`].
const ATTEMPTS: usize = 2;

/// Looks names up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names;

impl Names {
    /// For an HTTP client of `reqwest`.
    pub fn shared() -> Arc<Self> {
        Arc::new(Self)
    }

    /// The addresses of a name; or why there are none.
    ///
    /// # Errors
    /// Where nobody knows it, or nobody answers.
    pub async fn look_up(name: &str) -> Result<Vec<IpAddr>, String> {
        Self::addresses(name).await.map_err(|error| said(&error))
    }

    async fn addresses(name: &str) -> Result<Vec<IpAddr>, NetError> {
        Ok(resolver()?.lookup_ip(name).await?.iter().collect())
    }
}

/// That there is none, in words: a text of the resolver's speaks of the last of its queries, which is for AAAA.
fn said(error: &NetError) -> String {
    match error {
        error if error.is_nx_domain() => "no such name".to_owned(),
        error if error.is_no_records_found() => "the name has no address".to_owned(),
        error => error.to_string(),
    }
}

/// A resolver of this host, made of its files as they are now.
///
/// # Errors
/// Where they cannot be read.
pub fn resolver() -> Result<TokioResolver, NetError> {
    let mut resolver = TokioResolver::builder_tokio()?;
    let options = resolver.options_mut();
    options.use_hosts_file = ResolveHosts::Always;
    options.ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
    (options.timeout, options.attempts, options.cache_size) = (SERVER_LIMIT, ATTEMPTS, 0);
    resolver.build()
}

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move { Self::addresses(name).await.map_err(ResolveDnsError::new) })
    }
}

impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let found = Self::addresses(name.as_str()).await?;
            let at_any_port = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(at_any_port) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_host_is_found_in_its_file() {
        let found = Names.resolve_dns("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    #[tokio::test]
    async fn what_nobody_knows_is_an_error() {
        assert!(Names.resolve_dns("no-such-name.invalid").await.is_err());
    }
}
