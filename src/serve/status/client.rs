//! The other end: asks an agent of this host over its socket.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::orders;
use crate::machine::cordon::Order;

/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// How long it may take that an order is carried out: an fsync can take seconds.
const ORDER_TIME_MAX: Duration = crate::serve::web::CONNECTION_TIME_MAX;
/// The most octets of an answer that are read: a thousand containers have less than 2 MB.
const ANSWER_OCTETS_MAX: usize = 32 << 20;

/// An agent's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens at any of these.
    #[error(
        "{}; is it started (systemctl status ecssd)? Run this as root or as the agent's user, and with the --status-socket \
         or --state-dir that the agent has",
        self.what()
    )]
    Nobody {
        /// Where it was tried.
        places: String,
        /// What came of the last.
        error: io::Error,
    },
    /// Somebody does, and does not answer.
    #[error("{}; if it goes on so, it hangs: restart it, and its records stay", self.what())]
    Silent(String),
}

impl AskError {
    /// What is the case, without what to do.
    pub fn what(&self) -> String {
        match self {
            Self::Nobody { places, error } => format!("no agent answers at {places}: {error}"),
            Self::Silent(reason) => format!("the agent does not answer: {reason}"),
        }
    }
}

/// Asks the agent whose socket is at the first of these places where there is one.
///
/// # Errors
/// Where nobody listens, or does not answer in time.
pub async fn ask(places: &[PathBuf], path: &str) -> Result<Answer, AskError> {
    send(places, Method::GET, path, ANSWER_TIME_MAX).await
}

/// Has an order carried out by it.
///
/// # Errors
/// Where nobody listens, or does not answer in time.
pub async fn order(places: &[PathBuf], order: &Order) -> Result<Answer, AskError> {
    let (method, path) = orders::path(order);
    send(places, method, &path, ORDER_TIME_MAX).await
}

async fn send(places: &[PathBuf], method: Method, path: &str, limit: Duration) -> Result<Answer, AskError> {
    let mut failed = io::Error::from(ErrorKind::NotFound);
    for place in places {
        match UnixStream::connect(place).await {
            Ok(stream) => {
                let late = |_| AskError::Silent(format!("nothing within {limit:?}"));
                let answer = timeout(limit, exchange(stream, method, path)).await.map_err(late)?;
                return answer.map_err(|error| AskError::Silent(error.to_string()));
            }
            Err(error) => failed = error,
        }
    }
    let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
    Err(AskError::Nobody { places: places.join(" or "), error: failed })
}

async fn exchange(
    stream: UnixStream,
    method: Method,
    path: &str,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request =
        Request::builder().method(method).uri(path).header(HOST, "localhost").body(Empty::<Bytes>::new())?;
    let connection = tokio::spawn(connection);
    let answer = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_OCTETS_MAX).collect().await?.to_bytes();
        Ok(Answer { status, body })
    };
    let answer = answer.await;
    connection.abort();
    answer
}
