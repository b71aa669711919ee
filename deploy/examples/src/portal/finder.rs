//! Finding a service by its SRV record: the question to DNS, and the order in which to try the answers.
//!
//! Nothing is kept from one question to the next. The records have a TTL of 0: a container that stopped
//! a second ago must not be found.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ecssd_examples::settings::{self, SettingError};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData};
use serde::Serialize;
use tokio::time::timeout;

/// How long DNS may take to answer.
const WITHIN: Duration = Duration::from_secs(3);

/// A server of a service, as its SRV record tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) ttl: u32,
}

impl Server {
    pub(crate) fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

/// Why no server was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    #[error("DNS has no such name")]
    NoName,
    #[error("the name has no SRV record")]
    NoRecord,
    #[error("the record's target {0} has no address")]
    NoAddress(String),
    #[error("the resolver did not answer within {WITHIN:?}")]
    Late,
    #[error("the resolver failed: {0}")]
    Dns(NetError),
}

impl From<NetError> for FindError {
    fn from(error: NetError) -> Self {
        match error {
            error if error.is_nx_domain() => Self::NoName,
            error if error.is_no_records_found() => Self::NoRecord,
            NetError::Timeout => Self::Late,
            error => Self::Dns(error),
        }
    }
}

/// Why the portal cannot ask DNS at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinderError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("cannot use /etc/resolv.conf: {0}; correct it, or set RESOLVER=<address>:<port>")]
    System(NetError),
}

/// Asks DNS for services.
#[derive(Clone)]
pub(crate) struct Finder {
    resolver: TokioResolver,
}

impl Finder {
    /// Asks the system's resolver, or the one that `RESOLVER` names.
    pub(crate) fn from_env() -> Result<Self, FinderError> {
        let server = settings::value("RESOLVER", "an address and port such as 127.0.0.1:5353")?;
        Self::new(server).map_err(FinderError::System)
    }

    /// Asks the given server, or else the system's resolver.
    pub(crate) fn new(server: Option<SocketAddr>) -> Result<Self, NetError> {
        let mut builder = match server {
            None => TokioResolver::builder_tokio()?,
            Some(server) => TokioResolver::builder_with_config(only(server), TokioRuntimeProvider::default()),
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        // So that one lost datagram still leaves time for another.
        options.timeout = WITHIN / 3;
        Ok(Self { resolver: builder.build()? })
    }

    /// The servers of `service`, in the order in which to try them. There is at least one.
    pub(crate) async fn find(&self, service: &Name) -> Result<Vec<Server>, FindError> {
        timeout(WITHIN, self.look_up(service)).await.unwrap_or(Err(FindError::Late))
    }

    async fn look_up(&self, service: &Name) -> Result<Vec<Server>, FindError> {
        let answer = self.resolver.srv_lookup(service.clone()).await?;
        let mut servers = Vec::new();
        let mut without_address = None;
        for record in answer.answers() {
            let RData::SRV(srv) = &record.data else { continue };
            // A target of "." says that the service is not to be had (RFC 2782).
            if srv.target.is_root() {
                continue;
            }
            let Some(address) = self.address(&answer, &srv.target).await? else {
                without_address = Some(plain(&srv.target));
                continue;
            };
            servers.push(Server {
                name: plain(service),
                target: plain(&srv.target),
                address,
                port: srv.port,
                priority: srv.priority,
                weight: srv.weight,
                ttl: record.ttl,
            });
        }
        match without_address {
            _ if !servers.is_empty() => Ok(in_order(servers)),
            Some(target) => Err(FindError::NoAddress(target)),
            None => Err(FindError::NoRecord),
        }
    }

    /// The target's address: most name servers send it along.
    async fn address(&self, answer: &Lookup, target: &Name) -> Result<Option<IpAddr>, FindError> {
        let along = answer.additionals().iter().filter(|record| record.name == *target);
        if let Some(address) = along.filter_map(|record| record.data.ip_addr()).next() {
            return Ok(Some(address));
        }
        match self.resolver.lookup_ip(target.clone()).await {
            Ok(found) => Ok(found.iter().next()),
            Err(error) if error.is_no_records_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    let server = NameServerConfig::new(server.ip(), true, connections);
    ResolverConfig::from_parts(None, vec![], vec![server])
}

/// The name without its final dot, as people write it.
pub(crate) fn plain(name: &Name) -> String {
    let text = name.to_utf8();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

/// By priority; among equals at random, with chances as their weights are (RFC 2782).
fn in_order(mut servers: Vec<Server>) -> Vec<Server> {
    // Of waiting times with these means, the shortest is each server's with the chance that it should be.
    let wait = |server: &Server| -fastrand::f64().ln() / f64::from(server.weight).max(0.01);
    let mut waits: Vec<_> = servers.drain(..).map(|server| (wait(&server), server)).collect();
    waits.sort_by(|(a, left), (b, right)| left.priority.cmp(&right.priority).then(a.total_cmp(b)));
    waits.into_iter().map(|(_, server)| server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(port: u16, priority: u16, weight: u16) -> Server {
        let address = IpAddr::from([127, 0, 0, 1]);
        Server { name: "s".into(), target: "t".into(), address, port, priority, weight, ttl: 0 }
    }

    #[test]
    fn servers_are_tried_by_priority_and_weight() {
        let mut first = [0; 5];
        for _ in 0..4000 {
            let servers = vec![server(1, 2, 100), server(2, 1, 1), server(3, 1, 3), server(4, 1, 0)];
            let order = in_order(servers);
            assert_eq!((order.len(), order[3].port), (4, 1), "a higher priority number comes last");
            first[usize::from(order[0].port)] += 1;
        }
        assert!((2700..3300).contains(&first[3]), "three quarters: {first:?}");
        assert!(first[4] < 60, "next to never: {first:?}");
    }

    #[test]
    fn without_weights_every_server_is_tried() {
        let firsts = (0..200).map(|_| in_order(vec![server(1, 0, 0), server(2, 0, 0)])[0].port);
        assert!((50..150).contains(&firsts.filter(|port| *port == 1).count()));
    }
}
