//! Serving until told to stop: owns the listener, the signals, and the grace after them.
//!
//! What is served is the caller's. In a container this is process 1, for which the kernel has no default
//! action on SIGTERM: who does not handle it is killed after Docker's patience, requests and all.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::settings::{self, SettingError, Span};

/// How long a stopping service goes on serving. The record of this container is withdrawn meanwhile, so
/// that whoever looked it up a moment ago is still served.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// How long requests in flight may take once no more are accepted.
const DRAIN: Duration = Duration::from_secs(3);

/// Why a service could not serve.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("cannot listen on port {port}: {source}; free the port, or set PORT to another")]
    Listen { port: u16, source: io::Error },
    #[error("cannot serve: {0}")]
    Io(#[from] io::Error),
}

/// Serves `router` on all addresses, at `PORT` or else `default_port`, until SIGTERM or SIGINT.
///
/// After SIGTERM it serves on for `STOP_GRACE`. SIGINT is somebody at a terminal, who does not want to
/// wait.
pub async fn run(name: &str, default_port: u16, router: Router) -> ExitCode {
    match serve(name, default_port, router).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(name, &error),
    }
}

/// Says on standard error why a service cannot start.
pub fn refuse(name: &str, error: &dyn std::error::Error) -> ExitCode {
    eprintln!("{name}: {error}");
    ExitCode::FAILURE
}

async fn serve(name: &str, default_port: u16, router: Router) -> Result<(), ServeError> {
    let port = settings::value("PORT", "a port number")?.unwrap_or(default_port);
    let grace = settings::value("STOP_GRACE", "a time span such as 2s or 500ms")?.unwrap_or(Span(STOP_GRACE));
    // Before the listener: whoever sees it listen may already send a signal.
    let told = told_to_stop(grace.0)?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        .await
        .map_err(|source| ServeError::Listen { port, source })?;
    println!("{name}: listening on {}", listener.local_addr()?);

    let (stop, stopping) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        let _ = stopping.await;
    });
    let mut server = pin!(server.into_future());
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = told => {}
    }
    drop(stop);
    // A client that never finishes its request must not keep the container from stopping.
    timeout(DRAIN, server).await.unwrap_or(Ok(()))?;
    println!("{name}: stopped");
    Ok(())
}

/// Resolves when it is time to accept no more connections.
fn told_to_stop(grace: Duration) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => tokio::select! {
                _ = interrupt.recv() => {}
                () = sleep(grace) => {}
            },
        }
    })
}
