//! Asks one target once whether it serves.
//!
//! Owns the connection, its timeout and what counts as an answer. How many answers make a verdict is
//! [`crate::machine::probe`]'s business.
//!
//! ## Guarantees
//!
//! One connection to one address, ended at its timeout; at most 8 KiB of an answer are read; no redirect
//! is followed; nothing that the target says is kept. Where this host or process could not even ask (no
//! descriptor, memory, port or permission for it), nothing is said of the target.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use tokio::net::TcpStream;

use crate::container::offer::{At, EffectiveCheck};
use crate::machine::lifecycle::Target;

/// The most bytes of an answer that are read: its head has to fit.
const ANSWER_MAX: usize = 8 * 1024;

/// Something that can ask a target.
#[async_trait]
pub trait Checker: Send + Sync + 'static {
    /// Asks once.
    async fn check(&self, target: &Target) -> Result<(), CheckError>;
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
#[derive(Clone, Copy, Debug)]
pub struct NetworkChecker {
    /// The address that clients reach this host's ports at. Loopback would not do: there Docker's proxy
    /// accepts connections for a container that does not listen.
    pub host_address: Ipv4Addr,
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
}

impl NetworkChecker {
    fn address(&self, at: At) -> SocketAddr {
        match at {
            At::Host { port } => (self.host_address, port).into(),
            At::Task { address, port } => (address, port).into(),
        }
    }
}

async fn ask(target: &Target, address: SocketAddr) -> Result<(), CheckError> {
    let failed = |error| CheckError::of(&address.to_string(), &error);
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    match &target.check {
        EffectiveCheck::Http { path } => get(stream, address, path, target.timing.timeout).await,
        EffectiveCheck::Tcp | EffectiveCheck::Docker | EffectiveCheck::None => Ok(()),
    }
}

async fn get(
    stream: TcpStream,
    address: SocketAddr,
    path: &str,
    timeout: Duration,
) -> Result<(), CheckError> {
    let failed =
        |error: &(dyn std::error::Error + 'static)| CheckError::of(&format!("http://{address}{path}"), error);
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, concat!("ecssd/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(ANSWER_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    // The connection does the reading; it ends with the answer's head, when the sender is dropped, or at
    // the timeout, should the target trickle on.
    let driver = tokio::spawn(tokio::time::timeout(timeout, connection));
    let answer = sender.send_request(request).await.map_err(|error| failed(&error));
    driver.abort();
    let status = answer?.status();
    if status.is_success() || status.is_redirection() {
        Ok(())
    } else {
        Err(CheckError::Refused(format!("http://{address}{path}: answered {status}")))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::container::convention::Timing;

    const HERE: NetworkChecker = NetworkChecker { host_address: Ipv4Addr::LOCALHOST };

    fn target(port: u16, check: EffectiveCheck, timeout: Duration) -> Target {
        Target { at: At::Host { port }, check, timing: Timing { interval: Duration::from_secs(5), timeout } }
    }

    /// Answers every connection with `answer` after a request came, and counts the bytes that it could
    /// get rid of.
    async fn server(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<usize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert_ne!(stream.read(&mut request).await.unwrap(), 0);
            let mut written = 0;
            while written < answer.len() {
                match stream.write(&answer[written..]).await {
                    Ok(n) if n > 0 => written += n,
                    _ => break,
                }
            }
            written
        });
        (port, served)
    }

    async fn http(answer: impl Into<Vec<u8>>) -> Result<(), CheckError> {
        let (port, _served) = server(answer.into()).await;
        let check = EffectiveCheck::Http { path: "/health".into() };
        HERE.check(&target(port, check, Duration::from_secs(5))).await
    }

    #[tokio::test]
    async fn takes_2xx_and_3xx_for_healthy() {
        for status in ["200 OK", "204 No Content", "301 Moved", "399 Odd"] {
            let answer =
                format!("HTTP/1.1 {status}\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n");
            assert_eq!(http(answer).await, Ok(()), "{status}");
        }
        for status in ["400 Bad Request", "404 Not Found", "500 Oops", "503 Busy"] {
            let error = http(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await.unwrap_err();
            assert!(error.to_string().contains(&status[..3]), "{error}");
        }
    }

    #[tokio::test]
    async fn refuses_what_is_not_http_or_has_a_huge_head() {
        assert!(http("SSH-2.0-OpenSSH_9.2\r\n\r\n").await.is_err());
        let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(20_000));
        assert!(http(huge).await.is_err());
    }

    #[tokio::test]
    async fn does_not_read_an_endless_body() {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(64 << 20, b'x');
        let (port, served) = server(answer).await;
        let check = EffectiveCheck::Http { path: "/".into() };
        assert_eq!(HERE.check(&target(port, check, Duration::from_secs(5))).await, Ok(()));
        // What the kernels buffer between them is not read by the prober.
        assert!(served.await.unwrap() < 16 << 20);
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
        let check = EffectiveCheck::Http { path: "/".into() };
        let error = HERE.check(&target(port, check, Duration::from_millis(100))).await.unwrap_err();
        assert_eq!(error, CheckError::TimedOut(Duration::from_millis(100)));
    }
}
