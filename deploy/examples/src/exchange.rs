//! One HTTP request on a connection of its own, to an address that is already known.
//!
//! No pool, no redirects, no proxy, and no name look-up: the portal wants to ask exactly the server that
//! DNS named *just now*, and the metadata service of a cloud is an address anyway.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONNECTION, HOST};
use axum::http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest body that is read; far more than any of the services sends.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The whole body.
    pub body: Bytes,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Nobody accepts connections there.
    #[error("{0} refused the connection")]
    Refused(SocketAddr),
    /// The connection could not be made for another reason.
    #[error("cannot connect to {0}: {1}")]
    Connect(SocketAddr, io::Error),
    /// Not all of the reply arrived in time.
    #[error("{0} did not answer within {1:?}")]
    Late(SocketAddr, Duration),
    /// The connection broke, or what came is no HTTP, or too much of it.
    #[error("{0} broke off the exchange: {1}")]
    Broken(SocketAddr, Box<dyn std::error::Error + Send + Sync>),
}

/// Sends `request` to `address` and reads the reply, all `within` the given time.
pub async fn exchange(
    address: SocketAddr,
    request: Request<Empty<Bytes>>,
    within: Duration,
) -> Result<Reply, ExchangeError> {
    timeout(within, converse(address, request)).await.unwrap_or(Err(ExchangeError::Late(address, within)))
}

async fn converse(address: SocketAddr, mut request: Request<Empty<Bytes>>) -> Result<Reply, ExchangeError> {
    let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => ExchangeError::Refused(address),
        _ => ExchangeError::Connect(address, error),
    })?;
    let broken = |error: hyper::Error| ExchangeError::Broken(address, error.into());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends by itself when `sender` goes; its errors reach us through the request.
    tokio::spawn(connection);

    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Ok(host) = address.to_string().parse() {
        headers.insert(HOST, host);
    }
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|error| ExchangeError::Broken(address, error))?;
    Ok(Reply { status, body: body.to_bytes() })
}
