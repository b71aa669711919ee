//! Whether the system that this host runs goes down.
//!
//! Only systemd knows, and it says so on D-Bus; no file holds it (`/run/nologin` and a scheduled shutdown mean
//! something else). `systemctl is-system-running` asks it honestly, for the price of a process, and so it is
//! asked once, at SIGTERM: a system that goes down sends that first, and a poll would know it no sooner. In a
//! container there is no systemd to ask, and nothing is known.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{AskError, Said, parse};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(1);
/// How often it is looked whether it is done.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
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
    let mut systemctl = Command::new("systemctl")
        .arg("is-system-running")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| AskError::Away(format!("systemctl: {error}")))?;
    let answer = answer(&mut systemctl).await;
    if answer.is_err() {
        let _ = systemctl.kill();
        let _ = systemctl.wait();
    }
    answer.map(|text| parse::system(&text))
}

async fn answer(systemctl: &mut Child) -> Result<String, AskError> {
    let away = |reason: String| AskError::Away(format!("systemctl is-system-running: {reason}"));
    let ended = async {
        while systemctl.try_wait().map_err(|error| away(error.to_string()))?.is_none() {
            tokio::time::sleep(LOOK_PERIOD).await;
        }
        Ok(())
    };
    tokio::time::timeout(LIMIT, ended).await.map_err(|_| away(format!("no answer within {LIMIT:?}")))??;
    let mut text = String::new();
    if let Some(mut output) = systemctl.stdout.take() {
        output.read_to_string(&mut text).map_err(|error| away(error.to_string()))?;
    }
    Ok(text)
}
