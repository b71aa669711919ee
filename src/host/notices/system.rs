//! Whether the system that this host runs goes down.
//!
//! Only systemd knows, and it says so on D-Bus; no file holds it (`/run/nologin` and a scheduled shutdown mean
//! something else). `systemctl is-system-running` asks it honestly, for the price of a process, and so it is
//! asked once, at SIGTERM: a system that goes down sends that first, and a poll would know it no sooner. In a
//! container there is no systemd to ask, and nothing is known.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::{AskError, Said, parse};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(1);
/// There, where systemd runs the system. Source: sd_booted(3).
const BOOTED: &str = "/run/systemd/system";

/// Asks systemd, where it runs this system.
///
/// # Errors
/// When it does not answer in a second.
pub async fn ask() -> Result<Said, AskError> {
    if !Path::new(BOOTED).is_dir() {
        return Ok(Said::Nothing);
    }
    let away = |reason: String| AskError::Away(format!("systemctl is-system-running: {reason}"));
    // Its exit status says only whether all is well.
    let asked = Command::new("systemctl")
        .arg("is-system-running")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(output)) => Ok(parse::system(&String::from_utf8_lossy(&output.stdout))),
        Ok(Err(error)) => Err(away(error.to_string())),
        Err(_) => Err(away(format!("no answer within {LIMIT:?}"))),
    }
}
