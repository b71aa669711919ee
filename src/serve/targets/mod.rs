//! The targets of the zone's names over HTTP, for Prometheus' `http_sd_configs`: all of a name, of all hosts, whether it
//! answers DNS with one of them or with eight.
//!
//! | file | what it owns |
//! |---|---|
//! | `name` | which name of the zone is meant; pure |
//! | `groups` | record sets in Prometheus' shape; pure |
//! | `book` | which names are asked for and read, and when; pure |
//! | `directory` | the book, shared by who asks and who reads |
//! | `answer` | the path, and the headers |
//!
//! ## Guarantees
//!
//! - However many ask for however many names, the zone is listed at most [`LISTS_A_SECOND`] times a second.
//! - A name that was known once is answered for, with its age, whatever fails.

mod answer;
mod book;
mod directory;
mod groups;
mod name;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;

pub use self::book::{LISTS_A_SECOND, NAMES_MAX};
pub use self::directory::Directory;
use super::web::{self, Front};

/// Serves what `directory` knows at this address, with at most so many connections.
///
/// # Errors
/// Where there can be no thread for it.
pub fn serve(listen: SocketAddr, directory: Directory, connections_max: usize) -> io::Result<Front> {
    let run = move |bound: std::sync::Arc<std::sync::OnceLock<SocketAddr>>| async move {
        let mut is_said = false;
        let not_yet = |error: &io::Error| {
            if !std::mem::replace(&mut is_said, true) {
                tracing::warn!(
                    event = "sd_not_served",
                    address = %listen,
                    %error,
                    "targets cannot be served to Prometheus there yet: tried again until they can, all else goes on"
                );
            }
        };
        let listener = web::bind_address(listen, not_yet).await;
        let address = listener.local_addr().unwrap_or(listen);
        tracing::info!(event = "sd_served", %address, "serving targets to Prometheus");
        let _ = bound.set(address);
        let accept = async || listener.accept().await.map(|(stream, _)| stream);
        let talk = |stream| {
            let directory = directory.clone();
            async move {
                web::talk(stream, async |request| answer::answer(&request, &directory).await).await;
            }
        };
        let trouble = |error: &io::Error| {
            tracing::warn!(event = "sd_trouble", %error, "connections of Prometheus cannot be accepted");
        };
        web::accept_all(accept, talk, connections_max, trouble).await
    };
    Front::start("targets", run, |error| {
        tracing::warn!(event = "sd_not_served", %error, "no targets are served to Prometheus: all else goes on");
    })
}
