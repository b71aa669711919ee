//! The status server: what an agent knows, over HTTP, for people, scripts and monitors.
//!
//! | file | what it owns |
//! |---|---|
//! | `answer` | which path shows what, and to whom |
//! | `orders` | what may be asked for, over the socket alone |
//! | `page` | what a browser gets |
//! | `content` | what is shown, made anew a few times a second at most |
//! | `listen` | a socket in the file system, as soon as it can be had |
//! | [`client`] | the other end, for a command |
//!
//! What it shows is the [board](crate::status::Board), to which all parts write what they know. It has a thread of its own
//! and asks no actor but to carry out an order, so nobody who asks it takes the agent's time, and an agent that hangs is
//! shown as one. Its HTTP is that of [`web`].
//!
//! ## Guarantees
//!
//! - There are never more connections than was said, of each of the two; the oldest makes room.
//! - What comes over the network is answered only where it names this host, and changes nothing.

mod answer;
pub mod client;
mod content;
mod listen;
mod orders;
mod page;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;

use hyper::body::Body;
use tokio::io::{AsyncRead, AsyncWrite};

use self::answer::{Via, answer};
use self::content::Content;
pub use self::content::{Ordered, Source};
use super::web::{self, Front};

/// Where the status is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    /// Over the network.
    pub address: Option<SocketAddr>,
    /// In the file system: at the first of these that can be had.
    pub sockets: Vec<PathBuf>,
}

/// Serves what `source` shows, with at most `connections_max` connections over the network, and as many over the socket.
///
/// # Errors
/// Where there can be no thread for it.
pub fn serve(listen: Listen, source: impl Source, connections_max: usize) -> io::Result<Front> {
    let run = move |bound: std::sync::Arc<OnceLock<SocketAddr>>| async move {
        run(listen, &bound, Content::of(source), connections_max).await
    };
    Front::start("status", run, |error| {
        tracing::warn!(event = "status_not_served", %error, "the status is not served: all else goes on");
    })
}

async fn run(
    listen: Listen,
    bound: &OnceLock<SocketAddr>,
    content: Content,
    connections_max: usize,
) -> std::convert::Infallible {
    let network = async {
        let Some(address) = listen.address else { return std::future::pending().await };
        let mut is_said = false;
        let listener =
            web::bind_address(address, |error| listen::not_yet(&mut is_said, &address.to_string(), error))
                .await;
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(event = "status_served", %address, "serving the status");
        let _ = bound.set(address);
        let accept = async || listener.accept().await.map(|(stream, _)| stream);
        web::accept_all(
            accept,
            |stream| talk(stream, Via::Network, content.clone()),
            connections_max,
            trouble,
        )
        .await
    };
    let socket = async {
        if listen.sockets.is_empty() {
            return std::future::pending().await;
        }
        let (listener, _place) = listen::bind_socket(&listen.sockets).await;
        let accept = async || listener.accept().await.map(|(stream, _)| stream);
        web::accept_all(accept, |stream| talk(stream, Via::Socket, content.clone()), connections_max, trouble)
            .await
    };
    tokio::select! {
        never = network => never,
        never = socket => never,
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, via: Via, content: Content) {
    web::talk(stream, async |request| match orders::order(&request, via) {
        Some(order) if request.body().is_end_stream() => orders::carry_out(order, &content).await,
        _ => answer(&request, via, &content),
    })
    .await;
}

fn trouble(error: &io::Error) {
    tracing::warn!(event = "status_trouble", %error, "connections to the status cannot be accepted");
}
