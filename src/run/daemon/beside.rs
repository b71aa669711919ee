//! Whether an agent of this host runs beside a command that writes: both would undo what the other does, and `--remove`
//! would empty a host that serves.
//!
//! The state directory's lock is one sign. It says nothing of an agent with another directory, such as one in a
//! container: so the socket at which agents show their status is asked, too.

use super::error::RunError;
use crate::config::Config;
use crate::edge::host::identity::Identity;
use crate::serve::status::client::ask;

/// Refuses where an agent answers that registers this host.
///
/// # Errors
/// Then.
pub(super) async fn refuse(config: &Config, identity: &Identity) -> Result<(), RunError> {
    let Ok(answer) = ask(&config.status.sockets, "/status.json").await else { return Ok(()) };
    let Ok(status) = serde_json::from_slice::<serde_json::Value>(&answer.body) else { return Ok(()) };
    // Before it knows who it is, it may be anybody.
    let is_other = |owner: &str| owner != identity.owner.as_str();
    match status["host"]["owner"].as_str() {
        Some(owner) if is_other(owner) => Ok(()),
        _ => Err(RunError::Beside { sign: "it answers at its status socket".to_owned() }),
    }
}
