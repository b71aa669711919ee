//! The connections of Docker's client library, each of which brings one answer, and no more of it than is read.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bollard::errors::Error;
use bollard::{BollardRequest, ClientVersion};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// The most octets of an answer that is of one thing: of one container, or of the engine. All that the environment of a
/// process may have is a quarter of it.
pub const ANSWER_OCTETS_MAX: usize = 8 << 20;

/// A client of the engine at this socket, with so long for each answer.
pub(super) fn client(
    socket: Arc<PathBuf>,
    patience: Duration,
    version: &ClientVersion,
) -> Result<bollard::Docker, Error> {
    let ask = move |request| exchange(Arc::clone(&socket), request);
    bollard::Docker::connect_with_custom_transport(ask, Some("http://docker"), patience.as_secs(), version)
}

async fn exchange(socket: Arc<PathBuf>, mut request: BollardRequest) -> Result<Response<Incoming>, Error> {
    let stream = Bounded { stream: UnixStream::connect(&*socket).await?, left: ANSWER_OCTETS_MAX };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with its only answer, read or dropped.
    tokio::spawn(connection);
    // A server is asked for a path; only a proxy for an address.
    let target = request.uri().path_and_query().cloned().map(Uri::from);
    *request.uri_mut() = target.unwrap_or_default();
    request.headers_mut().insert(HOST, HeaderValue::from_static("docker"));
    Ok(sender.send_request(request).await?)
}

/// A connection that fails once so much was read.
#[derive(Debug)]
struct Bounded {
    stream: UnixStream,
    left: usize,
}

/// More came than is read.
#[derive(Debug, thiserror::Error)]
#[error("more than {} MiB came", ANSWER_OCTETS_MAX >> 20)]
pub(super) struct TooMuch;

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let left = self.left.checked_sub(buffer.filled().len() - before);
        self.left = left.ok_or_else(|| io::Error::other(TooMuch))?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
