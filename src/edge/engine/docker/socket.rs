//! GET requests at a unix socket whose answers are of all containers, and how much of such an answer is read.
//!
//! What an engine says of a container is as long as that container's labels, which nobody bounds, and all containers are
//! in one list. So nothing is read without a bound, what is long is read on a thread of its own, and a list is never
//! held as a whole.

use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_blocking};

use super::lines::{Line, Lines};
use crate::printable::printable;

/// The most octets of a list. It is read as it comes.
pub const LIST_OCTETS_MAX: usize = 256 << 20;
/// The most octets of an answer of failure.
const FAILURE_OCTETS_MAX: usize = 64 << 10;
/// What is read between two looks at it.
const READ_OCTETS_MAX: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SocketError {
    /// The socket fails.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What is said at it is no HTTP, or breaks off.
    #[error("{0}")]
    Http(#[from] hyper::Error),
    /// The answer is another than success.
    #[error("{status} {message}")]
    Status {
        /// Which.
        status: StatusCode,
        /// What it says, printable.
        message: String,
    },
    /// There is more of it than is read.
    #[error("more than {} MiB came", .0 >> 20)]
    TooMuch(usize),
    /// It does not say what such an answer says. Nothing of it is quoted: it may hold an environment.
    #[error("an answer that is not of the documented form")]
    Odd,
}

/// A unix socket at which somebody speaks HTTP.
#[derive(Clone, Debug)]
pub(super) struct Socket(Arc<PathBuf>);

/// An answer whose body is still to be read. Dropped, its connection is closed.
struct Answer {
    body: Incoming,
    _connection: Connection,
}

/// Ends with whoever reads.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Socket {
    pub(super) fn new(path: Arc<PathBuf>) -> Self {
        Self(path)
    }

    /// A value of at most [`LIST_OCTETS_MAX`], of which no more is held than what is made of it.
    pub(super) async fn list<T: DeserializeOwned + Send + 'static>(
        &self,
        target: &str,
    ) -> Result<T, SocketError> {
        let mut answer = self.get(target).await?;
        let (pieces, coming) = mpsc::channel(1);
        let parsed = spawn_blocking(move || {
            let pieces = Pieces { coming, piece: Bytes::new() };
            serde_json::from_reader(BufReader::new(pieces)).map_err(|_| SocketError::Odd)
        });
        let mut octets = 0;
        while let Some(frame) = answer.body.frame().await {
            let Ok(piece) = frame?.into_data() else { continue };
            octets += piece.len();
            if octets > LIST_OCTETS_MAX {
                return Err(SocketError::TooMuch(LIST_OCTETS_MAX));
            }
            // Whoever has found an error reads no more.
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        drop(pieces);
        parsed.await.unwrap_or(Err(SocketError::Odd))
    }

    /// The lines of an answer that need not end, as they come.
    pub(super) fn lines(
        &self,
        target: String,
    ) -> impl Stream<Item = Result<Line, SocketError>> + Send + use<> {
        let socket = self.clone();
        // Some say nothing at all before the first event.
        let asked = async move { socket.get(&target).await };
        futures_util::stream::once(asked).map_ok(lines).try_flatten()
    }

    async fn get(&self, target: &str) -> Result<Answer, SocketError> {
        let stream = UnixStream::connect(&*self.0).await?;
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(READ_OCTETS_MAX).handshake(TokioIo::new(stream)).await?;
        let connection = Connection(tokio::spawn(connection).abort_handle());
        let request = Request::get(target)
            .header(HOST, "docker")
            .header(USER_AGENT, concat!("ecssd/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())
            .map_err(io::Error::other)?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body();
        if status.is_success() {
            return Ok(Answer { body, _connection: connection });
        }
        let said = collected(body, FAILURE_OCTETS_MAX).await?;
        Err(SocketError::Status { status, message: message(&said) })
    }
}

async fn collected(body: Incoming, most: usize) -> Result<Bytes, SocketError> {
    match Limited::new(body, most).collect().await {
        Ok(octets) => Ok(octets.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(SocketError::TooMuch(most)),
        Err(error) => Err(match error.downcast::<hyper::Error>() {
            Ok(error) => SocketError::Http(*error),
            Err(error) => SocketError::Io(io::Error::other(error)),
        }),
    }
}

/// What an answer of failure says.
fn message(said: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Failure {
        message: String,
    }
    let text = serde_json::from_slice(said)
        .map_or_else(|_| String::from_utf8_lossy(said).into_owned(), |failure: Failure| failure.message);
    printable(&text)
}

fn lines(answer: Answer) -> impl Stream<Item = Result<Line, SocketError>> + Send {
    let lines = Lines::default();
    let pieces = futures_util::stream::unfold(Some((answer, lines)), async |state| {
        let (mut answer, mut lines) = state?;
        match answer.body.frame().await {
            Some(Ok(frame)) => {
                let found = frame.data_ref().map(|piece| lines.push(piece)).unwrap_or_default();
                Some((Ok(found), Some((answer, lines))))
            }
            Some(Err(error)) => Some((Err(SocketError::from(error)), None)),
            None => Some((Ok(lines.rest().into_iter().collect()), None)),
        }
    });
    pieces.map_ok(|found| futures_util::stream::iter(found).map(Ok::<_, SocketError>)).try_flatten()
}

/// What comes, for whoever waits for it on another thread.
struct Pieces {
    coming: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(piece) = self.coming.blocking_recv() else { return Ok(0) };
            self.piece = piece;
        }
        let length = self.piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}
