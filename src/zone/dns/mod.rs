//! The DNS front: the embedded zone as a name server, over UDP and TCP.
//!
//! It answers for its one zone and refuses the rest; it is no resolver. Nothing is cached: each query looks
//! at the zone, so a change is visible to the next one. What is answered is [`answer`], how it is packed
//! [`message`], which set of a group it is [`pick`]; here are the sockets, which hickory's server drives.
//!
//! hickory logs each query at INFO under the target `hickory_server`: filter it to WARN.
//!
//! ## Caveats
//!
//! On a wildcard address of a host with several, a UDP reply leaves by the address that the system
//! chooses: give the addresses themselves. TCP connections are not counted; an idle one is closed after
//! [`TCP_IDLE_MAX`].

pub mod answer;
pub mod message;
pub mod pick;

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use tokio::net::{TcpListener, UdpSocket};

use self::message::Reply;
pub use self::message::{Transport, answer_packet};
use crate::zone::embedded::EmbeddedZone;

/// How long a TCP connection may say nothing. RFC 7766, section 6.2.3, asks for seconds.
pub const TCP_IDLE_MAX: Duration = Duration::from_secs(10);

/// Replies that wait for one slow TCP client.
const TCP_REPLIES_WAITING_MAX: usize = 16;

/// How often a port that is free for UDP is sought, when the system may choose it, until TCP has it too.
const PORT_TRIES_MAX: usize = 16;

/// Why the front does not stand.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// There is nothing to listen on.
    #[error("no address to serve DNS on")]
    NoAddress,
    /// An address cannot be used; the text says what to do.
    #[error("cannot serve DNS on {transport} {address}: {source}{remedy}", remedy = remedy(source, *address))]
    Bind {
        /// `UDP` or `TCP`.
        transport: &'static str,
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A socket that was served has failed.
    #[error("the DNS front has stopped: {0}")]
    Stopped(String),
}

/// A served zone. It runs until it is dropped or stopped.
pub struct DnsFront {
    server: Server<Handler>,
    addresses: Vec<SocketAddr>,
}

/// Serves `zone` on every address of `listen`, each over UDP and TCP. Port 0 is any free port, the same for
/// both.
///
/// # Errors
///
/// Where `listen` is empty or an address cannot be bound; nothing is served then.
pub async fn serve(zone: EmbeddedZone, listen: &[SocketAddr]) -> Result<DnsFront, DnsError> {
    if listen.is_empty() {
        return Err(DnsError::NoAddress);
    }
    let mut sockets = Vec::with_capacity(listen.len());
    for &address in listen {
        sockets.push(bind(address).await?);
    }
    let mut server = Server::new(Handler { zone });
    let mut addresses = Vec::with_capacity(sockets.len());
    for (bound, udp, tcp) in sockets {
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE_MAX, TCP_REPLIES_WAITING_MAX);
        addresses.push(bound);
    }
    Ok(DnsFront { server, addresses })
}

impl DnsFront {
    /// Where it listens, in the order that was asked for, with the ports that were chosen.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns when a socket fails, which is not expected of a healthy system.
    pub async fn failed(&mut self) -> DnsError {
        match self.server.block_until_done().await {
            Ok(()) => DnsError::Stopped("its sockets are closed".to_owned()),
            Err(error) => DnsError::Stopped(error.to_string()),
        }
    }

    /// Stops serving; the sockets are closed when this returns.
    pub async fn stop(mut self) {
        if let Err(error) = self.server.shutdown_gracefully().await {
            tracing::warn!(%error, "the DNS front did not stop cleanly");
        }
    }
}

impl fmt::Debug for DnsFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsFront").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

struct Handler {
    zone: EmbeddedZone,
}

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let reply = self.zone.view(|contents| Reply::to(request, contents, &mut fastrand::Rng::new()));
        match response_handle.send_response(reply.response()).await {
            Ok(info) => info,
            Err(error) => {
                tracing::debug!(%error, client = %request.src(), "DNS reply not sent");
                ResponseInfo::from(reply.header())
            }
        }
    }
}

async fn bind(address: SocketAddr) -> Result<(SocketAddr, UdpSocket, TcpListener), DnsError> {
    let failed = |transport| move |source| DnsError::Bind { transport, address, source };
    let mut tries = 1;
    loop {
        let udp = UdpSocket::bind(address).await.map_err(failed("UDP"))?;
        let bound = udp.local_addr().map_err(failed("UDP"))?;
        match TcpListener::bind(bound).await {
            Ok(tcp) => return Ok((bound, udp, tcp)),
            Err(error)
                if error.kind() == ErrorKind::AddrInUse && address.port() == 0 && tries < PORT_TRIES_MAX =>
            {
                tries += 1;
            }
            Err(error) => return Err(failed("TCP")(error)),
        }
    }
}

fn remedy(error: &io::Error, address: SocketAddr) -> String {
    let port = address.port();
    match error.kind() {
        ErrorKind::PermissionDenied => format!(
            "; ports below 1024 need the capability CAP_NET_BIND_SERVICE (AmbientCapabilities= in a unit, --cap-add NET_BIND_SERVICE in Docker), or choose another port than {port}"
        ),
        ErrorKind::AddrInUse => format!(
            "; another process has the port (`ss -lntup 'sport = :{port}'` names it; on port 53 often systemd-resolved, dnsmasq or named): stop it, or choose another address or port"
        ),
        ErrorKind::AddrNotAvailable => {
            "; no interface of this host (or of its container's network) has this address".to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::embedded::Options;

    fn zone() -> EmbeddedZone {
        EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap()
    }

    fn any_port() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[tokio::test]
    async fn reports_the_ports_that_it_got() {
        let front = serve(zone(), &[any_port(), any_port()]).await.unwrap();
        let [one, two] = front.addresses() else { panic!("{front:?}") };
        assert!(one.port() != 0 && two.port() != 0 && one != two);
    }

    #[tokio::test]
    async fn says_which_address_fails_and_what_to_do() {
        let held = serve(zone(), &[any_port()]).await.unwrap();
        let address = held.addresses()[0];
        let text = serve(zone(), &[any_port(), address]).await.unwrap_err().to_string();
        assert!(text.starts_with(&format!("cannot serve DNS on UDP {address}: ")), "{text}");
        assert!(text.contains(&format!("sport = :{}", address.port())), "{text}");
        let elsewhere = "192.0.2.1:0".parse().unwrap();
        let text = serve(zone(), &[elsewhere]).await.unwrap_err().to_string();
        assert!(text.contains("no interface of this host"), "{text}");
        assert!(matches!(serve(zone(), &[]).await, Err(DnsError::NoAddress)));
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        assert!(remedy(&denied, "0.0.0.0:53".parse().unwrap()).contains("CAP_NET_BIND_SERVICE"));
    }

    #[tokio::test]
    async fn frees_its_ports_when_stopped_or_dropped() {
        let front = serve(zone(), &["127.53.0.1:0".parse().unwrap()]).await.unwrap();
        let address = front.addresses()[0];
        front.stop().await;
        let again = serve(zone(), &[address]).await.unwrap();
        drop(again);
        // Aborted tasks end when they are next scheduled.
        tokio::task::yield_now().await;
        serve(zone(), &[address]).await.unwrap();
    }
}
