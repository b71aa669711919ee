//! Whether the system that this host runs goes down.
//!
//! Asked once, at SIGTERM: a system that goes down sends that first, and a poll would know it no sooner.
//!
//! The unit `ecssd-system-stop` says so by a file. It is stopped before the agent, and only with the whole system, and
//! needs neither a bus nor a right. Where there is no such file, `systemctl is-system-running` is asked, for systemd
//! tells others by D-Bus alone (`/run/nologin` and a scheduled shutdown mean something else). That may fail just when it
//! matters: the bus goes down too, may not know the agent's user, and a `systemctl` of the agent's own unit gets the
//! unit's SIGTERM. So what is no known word is a failed ask, and asked again. In a container there is no systemd to
//! ask; the file can be mounted into it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::parse::{self, OddNotice};
use crate::machine::departure::{AskError, Said};

/// There, where the system goes down. Made and removed by the unit `ecssd-system-stop`, which names it too.
const STOPS: &str = "/run/ecssd/system-stops";
/// How long it may take, with all that is asked again.
const LIMIT: Duration = Duration::from_secs(1);
/// Between two asks: what ended one ask, such as a signal to all of a unit, is over by then.
const PAUSE: Duration = Duration::from_millis(100);
/// There, where systemd runs the system. Source: sd_booted(3).
const BOOTED: &str = "/run/systemd/system";

/// Looks at the file, and asks systemd where there is none and it runs this system.
///
/// # Errors
/// When it does not answer in a second.
pub async fn ask() -> Result<Said, AskError> {
    if Path::new(STOPS).exists() {
        return Ok(parse::system_ends());
    }
    if !Path::new(BOOTED).is_dir() {
        return Ok(Said::Nothing);
    }
    let mut reason = Unsaid::Nothing;
    let asked = tokio::time::timeout(LIMIT, async {
        loop {
            match systemctl().await {
                Ok(said) => return said,
                Err(why) => reason = why,
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    let asked = asked.await;
    asked.map_err(|_| AskError::Away(format!("systemctl is-system-running: {reason} within {LIMIT:?}")))
}

/// Why one ask said nothing.
#[derive(Debug, thiserror::Error)]
enum Unsaid {
    /// None has ended yet.
    #[error("no answer")]
    Nothing,
    /// It could not be run.
    #[error(transparent)]
    Run(#[from] std::io::Error),
    /// It ran, and said something else than a state.
    #[error(transparent)]
    Odd(#[from] OddNotice),
}

async fn systemctl() -> Result<Said, Unsaid> {
    // Its exit status says only whether all is well.
    let asked = Command::new("systemctl")
        .arg("is-system-running")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    Ok(parse::system(&String::from_utf8_lossy(&asked.await?.stdout))?)
}
