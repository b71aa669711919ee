//! The addresses to listen on, and what to do where one cannot be had.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};

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

/// Whether every address of `listen` could be served on now.
///
/// # Errors
///
/// As those of [`serve`](super::serve()).
pub fn try_addresses(listen: &[SocketAddr]) -> Result<(), DnsError> {
    if listen.is_empty() {
        return Err(DnsError::NoAddress);
    }
    let bound: Result<Vec<_>, _> = listen.iter().map(|address| bind(*address)).collect();
    bound.map(drop)
}

/// Both sockets of an address.
pub(super) fn bind(address: SocketAddr) -> Result<(SocketAddr, UdpSocket, TcpListener), DnsError> {
    let failed = |transport| move |source| DnsError::Bind { transport, address, source };
    let mut tries = 1;
    loop {
        let udp = UdpSocket::bind(address).map_err(failed("UDP"))?;
        let bound = udp.local_addr().map_err(failed("UDP"))?;
        udp.set_nonblocking(true).map_err(failed("UDP"))?;
        match TcpListener::bind(bound) {
            Ok(tcp) => {
                tcp.set_nonblocking(true).map_err(failed("TCP"))?;
                return Ok((bound, udp, tcp));
            }
            Err(error)
                if error.kind() == ErrorKind::AddrInUse && address.port() == 0 && tries < PORT_TRIES_MAX =>
            {
                tries += 1;
            }
            Err(error) => return Err(failed("TCP")(error)),
        }
    }
}

pub(super) fn remedy(error: &io::Error, address: SocketAddr) -> String {
    let port = address.port();
    match error.kind() {
        ErrorKind::PermissionDenied => format!(
            "; ports below 1024 need the capability CAP_NET_BIND_SERVICE (in Docker: as root, --user 0, with --cap-add NET_BIND_SERVICE; in a unit: AmbientCapabilities= and CapabilityBoundingSet= with it, and PrivateUsers=no), or choose another port than {port}"
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
