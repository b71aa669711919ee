//! Asks one target once whether it serves.
//!
//! Owns the connection, its timeout and what counts as an answer. How many answers make a verdict is
//! [`crate::machine::probe`]'s business.
//!
//! ## Guarantees
//!
//! One connection to one address, ended at its timeout; at most 8 KiB of an answer are read, and 96 KiB under TLS
//! with its handshake; no redirect is followed; no certificate is verified; nothing that the target says is kept. Where this host or process could not even ask (no
//! descriptor, memory, port or permission for it), nothing is said of the target.

mod http;
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rustix::io::Errno;
use tokio::net::TcpStream;

use crate::container::offer::{At, EffectiveCheck};
use crate::machine::lifecycle::Target;

/// Something that can ask a target.
#[async_trait]
pub trait Checker: Send + Sync + 'static {
    /// Asks once.
    async fn check(&self, target: &Target) -> Result<(), CheckError>;

    /// Clients reach this host at this address from now on.
    fn on_moved(&self, _host_address: Ipv4Addr) {}
}

/// What was wrong with a target, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It said nothing, which may be the fault of the one who asks.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// It, or its host, said no.
    #[error("{0}")]
    Refused(String),
    /// It was not asked, for want of something on this side. Says nothing of the target.
    #[error("this host cannot ask: {0}")]
    NotAsked(String),
}

impl CheckError {
    /// What an error of a connection says: of the target, or of this side.
    fn of(context: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let text = format!("{context}: {error}");
        let mut sources = std::iter::successors(Some(error), |error| error.source());
        match sources.find_map(|error| error.downcast_ref::<io::Error>()) {
            Some(error) if is_own_fault(error) => Self::NotAsked(text),
            _ => Self::Refused(text),
        }
    }
}

/// Whether a connection failed for a want of this process or host: descriptors, memory, buffers, a port to connect
/// from, or permission (a filter for what leaves this host). Source: connect(2), socket(2).
fn is_own_fault(error: &io::Error) -> bool {
    const OWN: [Errno; 7] = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::NOBUFS,
        Errno::ADDRNOTAVAIL,
        Errno::ACCESS,
        Errno::PERM,
    ];
    Errno::from_io_error(error).is_some_and(|errno| OWN.contains(&errno))
}

/// Asks over the network.
#[derive(Debug)]
pub struct NetworkChecker {
    /// The address that clients reach this host's ports at, as a number. Loopback would not do: there Docker's proxy
    /// accepts connections for a container that does not listen.
    host_address: AtomicU32,
}

#[async_trait]
impl Checker for NetworkChecker {
    async fn check(&self, target: &Target) -> Result<(), CheckError> {
        let timeout = target.timing.timeout;
        match tokio::time::timeout(timeout, ask(target, self.address(target.at))).await {
            Ok(answer) => answer,
            Err(_) => Err(CheckError::TimedOut(timeout)),
        }
    }

    fn on_moved(&self, host_address: Ipv4Addr) {
        self.host_address.store(host_address.to_bits(), Ordering::Relaxed);
    }
}

impl NetworkChecker {
    /// One of a host that clients reach at this address.
    pub const fn of(host_address: Ipv4Addr) -> Self {
        Self { host_address: AtomicU32::new(host_address.to_bits()) }
    }

    fn address(&self, at: At) -> SocketAddr {
        match at {
            At::Host { port } => {
                (Ipv4Addr::from_bits(self.host_address.load(Ordering::Relaxed)), port).into()
            }
            At::Task { address, port } => (address, port).into(),
        }
    }
}

async fn ask(target: &Target, address: SocketAddr) -> Result<(), CheckError> {
    let failed = |error| CheckError::of(&address.to_string(), &error);
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    match &target.check {
        EffectiveCheck::Http(check) => http::get(stream, address, check, target.timing.timeout).await,
        EffectiveCheck::Tcp | EffectiveCheck::Docker | EffectiveCheck::None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::container::convention::{HttpCheck, Timing};

    static HERE: NetworkChecker = NetworkChecker::of(Ipv4Addr::LOCALHOST);

    fn target(port: u16, check: EffectiveCheck, timeout: Duration) -> Target {
        Target { at: At::Host { port }, check, timing: Timing { interval: Duration::from_secs(5), timeout } }
    }

    #[tokio::test]
    async fn connects_for_a_tcp_check() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tcp = |port| target(port, EffectiveCheck::Tcp, Duration::from_secs(5));
        assert_eq!(HERE.check(&tcp(port)).await, Ok(()));
        drop(listener);
        assert!(HERE.check(&tcp(port)).await.unwrap_err().to_string().contains("refused"));
    }

    /// As an HTTP library reports a connection that failed.
    #[derive(Debug, thiserror::Error)]
    #[error("connection error")]
    struct Wrapped(#[source] io::Error);

    #[test]
    fn a_want_of_this_side_says_nothing_of_the_target() {
        let own = [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::NOBUFS,
            Errno::ADDRNOTAVAIL,
            Errno::ACCESS,
            Errno::PERM,
        ];
        for errno in own {
            let error = io::Error::from(errno);
            assert!(matches!(CheckError::of("x", &error), CheckError::NotAsked(_)), "{errno}");
            let wrapped = Wrapped(error);
            assert!(matches!(CheckError::of("x", &wrapped), CheckError::NotAsked(_)), "{errno}, wrapped");
        }
        for errno in
            [Errno::CONNREFUSED, Errno::CONNRESET, Errno::HOSTUNREACH, Errno::NETUNREACH, Errno::PIPE]
        {
            let error = io::Error::from(errno);
            assert!(matches!(CheckError::of("x", &error), CheckError::Refused(_)), "{errno}");
        }
    }

    #[tokio::test]
    async fn ends_at_its_timeout() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let check = EffectiveCheck::Http(HttpCheck::of_path("/"));
        let error = HERE.check(&target(port, check, Duration::from_millis(100))).await.unwrap_err();
        assert_eq!(error, CheckError::TimedOut(Duration::from_millis(100)));
    }
}
