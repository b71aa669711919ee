//! Asks one target once whether it serves.
//!
//! Owns the connection, its timeout and what counts as an answer. How many answers make a verdict is
//! [`crate::machine::probe`]'s business.
//!
//! ## Guarantees
//!
//! One connection to one address, ended at its timeout; at most 8 KiB of an answer are read, and 96 KiB under TLS
//! with its handshake; the connection of a first answer is held for a moment where a proxy may take it; no redirect is
//! followed; no certificate is verified; nothing that the target says is kept. Where this host or process could not
//! even ask (no descriptor, memory, port or permission for it), nothing is said of the target.

mod http;
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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

    /// Asks a target of which nothing is known: where a proxy may take the connection, that is held for so long, to see
    /// whether it is closed.
    async fn check_first(&self, target: &Target, _hold: Duration) -> Result<(), CheckError> {
        self.check(target).await
    }

    /// Whether a proxy may take the connections to ports that Docker leads to containers, from now on.
    fn on_proxy(&self, _may_be: bool) {}

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
    /// It took the connection and closed it at once, as a proxy does where nobody listens. Says nothing of the target.
    #[error("{0}: took the connection and closed it at once, as Docker's proxy does where nobody listens")]
    Closed(SocketAddr),
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
    /// Whether a proxy may take the connections to ports that Docker leads.
    proxy: AtomicBool,
}

#[async_trait]
impl Checker for NetworkChecker {
    async fn check(&self, target: &Target) -> Result<(), CheckError> {
        self.ask(target, None).await
    }

    async fn check_first(&self, target: &Target, hold: Duration) -> Result<(), CheckError> {
        let may_be_proxy = target.is_led && self.proxy.load(Ordering::Relaxed);
        self.ask(target, may_be_proxy.then_some(hold)).await
    }

    fn on_proxy(&self, may_be: bool) {
        self.proxy.store(may_be, Ordering::Relaxed);
    }

    fn on_moved(&self, host_address: Ipv4Addr) {
        self.host_address.store(host_address.to_bits(), Ordering::Relaxed);
    }
}

impl NetworkChecker {
    /// One of a host that clients reach at this address.
    pub const fn of(host_address: Ipv4Addr) -> Self {
        Self { host_address: AtomicU32::new(host_address.to_bits()), proxy: AtomicBool::new(false) }
    }

    async fn ask(&self, target: &Target, hold: Option<Duration>) -> Result<(), CheckError> {
        let timeout = target.timing.timeout;
        match tokio::time::timeout(timeout, ask(target, self.address(target.at), hold)).await {
            Ok(answer) => answer,
            Err(_) => Err(CheckError::TimedOut(timeout)),
        }
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

async fn ask(target: &Target, address: SocketAddr, hold: Option<Duration>) -> Result<(), CheckError> {
    let failed = |error| CheckError::of(&address.to_string(), &error);
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    match &target.check {
        EffectiveCheck::Http(check) => http::get(stream, address, check, target.timing.timeout).await,
        EffectiveCheck::Tcp | EffectiveCheck::Docker | EffectiveCheck::None => match hold {
            // Who was slow to take it is not held longer than it may take.
            Some(hold) if !is_kept(&stream, hold.min(target.timing.timeout / 2)).await => {
                Err(CheckError::Closed(address))
            }
            Some(_) | None => Ok(()),
        },
    }
}

/// Whether the other side keeps a connection for so long, or says something over it: then a process has it.
async fn is_kept(stream: &TcpStream, hold: Duration) -> bool {
    match tokio::time::timeout(hold, stream.peek(&mut [0])).await {
        Err(_) => true,
        Ok(said) => said.is_ok_and(|octets| octets > 0),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::net::TcpListener;

    use super::*;
    use crate::container::convention::{HttpCheck, Timing};

    static HERE: NetworkChecker = NetworkChecker::of(Ipv4Addr::LOCALHOST);

    fn target(port: u16, check: EffectiveCheck, timeout: Duration) -> Target {
        let timing = Timing { interval: Duration::from_secs(5), timeout };
        Target { at: At::Host { port }, check, timing, is_led: true }
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

    /// Does this with each connection that it takes.
    async fn taking(with: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                with(listener.accept().await.unwrap().0);
            }
        });
        port
    }

    #[tokio::test]
    async fn behind_a_proxy_a_first_connection_that_is_closed_at_once_is_no_pass() {
        let hold = Duration::from_secs(2);
        let first = async |checker: &NetworkChecker, port, is_led| {
            let target = target(port, EffectiveCheck::Tcp, Duration::from_secs(5));
            checker.check_first(&Target { is_led, ..target }, hold).await
        };
        let (direct, behind) =
            (NetworkChecker::of(Ipv4Addr::LOCALHOST), NetworkChecker::of(Ipv4Addr::LOCALHOST));
        behind.on_proxy(true);
        let closes = taking(drop).await;
        let closed = CheckError::Closed((Ipv4Addr::LOCALHOST, closes).into());
        assert_eq!(first(&behind, closes, true).await, Err(closed));
        assert_eq!(first(&behind, closes, false).await, Ok(()), "the process itself took it");
        assert_eq!(first(&direct, closes, true).await, Ok(()));
        let later = target(closes, EffectiveCheck::Tcp, Duration::from_secs(5));
        assert_eq!(behind.check(&later).await, Ok(()), "later connections are not held");

        let resets = taking(|stream| drop(stream.set_zero_linger())).await;
        assert!(matches!(first(&behind, resets, true).await, Err(CheckError::Closed(_))));
        let speaks = taking(|stream| drop(stream.into_std().unwrap().write(b"220 ready\r\n"))).await;
        assert_eq!(first(&behind, speaks, true).await, Ok(()), "a proxy has nothing to say");
    }

    #[tokio::test]
    async fn behind_a_proxy_a_first_connection_that_is_kept_is_a_pass() {
        let checker = NetworkChecker::of(Ipv4Addr::LOCALHOST);
        checker.on_proxy(true);
        let keeps = taking(std::mem::forget).await;
        // A check's timeout may be no longer than the hold.
        for timeout in [Duration::from_secs(5), Duration::from_millis(50)] {
            let target = target(keeps, EffectiveCheck::Tcp, timeout);
            assert_eq!(checker.check_first(&target, Duration::from_millis(50)).await, Ok(()));
        }
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
