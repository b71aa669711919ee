//! Whom a request is meant for. Pure.
//!
//! A page on the web can make its visitor's browser ask any address under the page's own name (DNS rebinding), and would
//! read what is answered. So what comes over the network has to name this host: by an address, as `localhost`, or by a
//! name that the agent knows to be its own.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderMap};
use hyper::{Uri, Version};

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stranger {
    /// It says not whom it is for, or says so twice.
    Unclear,
    /// It is for somebody else.
    Elsewhere,
}

/// Whether a request is for this host, which has these names.
pub(super) fn check(
    uri: &Uri,
    version: Version,
    headers: &HeaderMap,
    names: &[String],
) -> Result<(), Stranger> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().map_err(|_| Stranger::Unclear)?),
        // A browser always says it.
        (None, _) if version < Version::HTTP_11 => None,
        _ => return Err(Stranger::Unclear),
    };
    // A proxy's form of a request names a host in its first line, which then counts.
    let named = uri.authority().map(|authority| authority.as_str());
    let is_ours = |host: &str| is_own(host, names);
    if host.into_iter().chain(named).all(is_ours) { Ok(()) } else { Err(Stranger::Elsewhere) }
}

fn is_own(host: &str, names: &[String]) -> bool {
    let Some(name) = without_port(host) else { return false };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok() || name == "localhost" || names.contains(&name)
}

fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => return Some(host),
    };
    port.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(uri: &str, version: Version, hosts: &[&str]) -> Result<(), Stranger> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        check(&uri.parse().unwrap(), version, &headers, &["web1.sd.internal".to_owned(), "web1".to_owned()])
    }

    #[test]
    fn takes_addresses_localhost_and_its_own_names() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:9153",
            "10.0.0.7:9153",
            "[::1]",
            "[::1]:9153",
            "localhost",
            "LOCALHOST:9153",
            "web1",
            "Web1.SD.internal.:9153",
        ] {
            assert_eq!(judged("/", Version::HTTP_11, &[host]), Ok(()), "{host}");
        }
    }

    #[test]
    fn takes_nobody_else() {
        for host in [
            "",
            "evil.example",
            "evil.example:9153",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "x:y",
            "a:b:1",
        ] {
            assert_eq!(judged("/", Version::HTTP_11, &[host]), Err(Stranger::Elsewhere), "{host:?}");
        }
        let proxied = judged("http://evil.example/status.json", Version::HTTP_11, &["localhost"]);
        assert_eq!(proxied, Err(Stranger::Elsewhere));
    }

    #[test]
    fn wants_to_be_told_once() {
        assert_eq!(judged("/", Version::HTTP_11, &[]), Err(Stranger::Unclear));
        assert_eq!(judged("/", Version::HTTP_11, &["localhost", "localhost"]), Err(Stranger::Unclear));
        assert_eq!(judged("/", Version::HTTP_10, &[]), Ok(()));
    }
}
