//! One connection: one question, one answer, and the bounds that hold for both.
//!
//! | what | at most |
//! |---|---|
//! | a request's head | [`HEAD_OCTETS_MAX`] octets and [`HEADERS_MAX`] headers, within [`HEAD_TIME_MAX`] |
//! | its body | nothing |
//! | all of it | [`CONNECTION_TIME_MAX`] |

use std::convert::Infallible;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::Answer;

/// The most octets of a request's head. The library has no smaller limit.
pub const HEAD_OCTETS_MAX: usize = 8 * 1024;
/// The most headers of a request.
pub const HEADERS_MAX: usize = 64;
/// The longest that a request's head may take.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(5);
/// The longest that a question and its answer may take.
pub const CONNECTION_TIME_MAX: Duration = Duration::from_secs(15);

/// Has one question answered.
pub(in crate::serve) async fn talk<S, F>(stream: S, answer: impl Fn(Request<Incoming>) -> F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Answer>,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_OCTETS_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever breaks off, or is cut off, is told nothing more.
    let _ = timeout(CONNECTION_TIME_MAX, connection).await;
}
