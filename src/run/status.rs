//! `--status`: what the agent of this host knows, on a terminal; and whether it is ready, as an exit code.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use hyper::StatusCode;

use crate::serve::status::client::{Answer, AskError, ask};

/// It is not ready, or does not answer (`EX_TEMPFAIL`).
const NOT_READY: u8 = 75;
/// How often it is asked, where somebody watches.
const WATCH_EVERY: Duration = Duration::from_secs(2);
/// Clears a terminal, and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// How it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Again and again, until a signal.
    pub watch: bool,
    /// As JSON.
    pub json: bool,
}

/// Shows it, of the agent whose socket is at the first of these places where there is one.
pub async fn show(places: &[PathBuf], view: View) -> ExitCode {
    loop {
        let code = match look(places, view).await {
            Ok((is_ready, body)) => {
                let mut output = std::io::stdout().lock();
                let clear = if view.watch && !view.json { CLEAR } else { "" };
                let end = if view.json { "\n" } else { "" };
                let written = output.write_all(&[clear.as_bytes(), &body, end.as_bytes()].concat());
                // Whoever reads no more has seen enough.
                if written.and_then(|()| output.flush()).is_err() {
                    return ExitCode::SUCCESS;
                }
                if is_ready { 0 } else { NOT_READY }
            }
            Err(error) => {
                eprintln!("ecssd: {error}");
                NOT_READY
            }
        };
        if !view.watch {
            return ExitCode::from(code);
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

async fn look(places: &[PathBuf], view: View) -> Result<(bool, Vec<u8>), AskError> {
    let Answer { status, .. } = ask(places, "/health/ready").await?;
    let Answer { body, .. } = ask(places, if view.json { "/status.json" } else { "/status.txt" }).await?;
    Ok((status == StatusCode::OK, body.to_vec()))
}
