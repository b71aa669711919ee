//! One GET, over a connection that stands.
//!
//! However much a target says, at most [`ANSWER_MAX`] bytes of it are read, interim answers (`100 Continue`) and all;
//! over TLS, at most [`TLS_MAX`] with the handshake.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{CheckError, tls};
use crate::container::convention::HttpCheck;

/// The most bytes of an answer that are read: its head has to fit.
const ANSWER_MAX: usize = 8 * 1024;
/// The most bytes under TLS: a handshake with its certificates is at most 64 KiB in rustls, and the answer comes after
/// it.
const TLS_MAX: usize = 96 * 1024;

/// Asks, and says whether the answer passes.
pub(super) async fn get(
    stream: TcpStream,
    address: SocketAddr,
    check: &HttpCheck,
    timeout: Duration,
) -> Result<(), CheckError> {
    let scheme = if check.tls { "https" } else { "http" };
    let asked = format!("{scheme}://{address}{}", check.path);
    let status = if check.tls {
        let name = server_name(check, address);
        let shaken = tls::connect(at_most(TLS_MAX, stream), name).await;
        let stream = shaken.map_err(|error| CheckError::of(&asked, &error))?;
        status(stream, address, check, timeout).await
    } else {
        status(stream, address, check, timeout).await
    };
    match status.map_err(|error| CheckError::of(&asked, &*error))? {
        status if check.statuses.contain(status.as_u16()) => Ok(()),
        status => Err(CheckError::Refused(format!("{asked}: answered {status}"))),
    }
}

/// The name that is asked for over TLS: that of the check's host, where it is one; an address is none.
fn server_name(check: &HttpCheck, address: SocketAddr) -> ServerName<'static> {
    let host = check.host.as_deref().and_then(|host| host.split(':').next());
    let name = host.and_then(|host| ServerName::try_from(host.trim_end_matches('.').to_owned()).ok());
    name.unwrap_or_else(|| address.ip().into())
}

async fn status(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    address: SocketAddr,
    check: &HttpCheck,
    timeout: Duration,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(&check.path)
        .header(HOST, check.host.clone().unwrap_or_else(|| address.to_string()))
        .header(USER_AGENT, concat!("ecssd/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let stream = TokioIo::new(Box::pin(at_most(ANSWER_MAX, stream)));
    let (mut sender, connection) = http1::Builder::new().max_buf_size(ANSWER_MAX).handshake(stream).await?;
    // The connection does the reading; it ends with the answer's head, when the sender is dropped, or at
    // the timeout, should the target trickle on.
    let driver = tokio::spawn(tokio::time::timeout(timeout, connection));
    let answer = sender.send_request(request).await;
    driver.abort();
    Ok(answer?.status())
}

/// The same stream, which ends after so many bytes.
fn at_most<S: AsyncRead + AsyncWrite>(bytes: usize, stream: S) -> impl AsyncRead + AsyncWrite {
    let (reads, writes) = tokio::io::split(stream);
    tokio::io::join(reads.take(bytes as u64), writes)
}

#[cfg(test)]
mod tests;
