//! Whether an agent of this host runs beside a command that writes: both would undo what the other does, and `--remove`
//! would empty a host that serves.
//!
//! The state directory's lock is one sign. It says nothing of an agent with another directory, such as one in a
//! container: so the sockets at which agents show their status are asked, too. What cannot be asked may be an agent.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::slice;

use super::error::RunError;
use crate::config::{Config, Registry};
use crate::edge::host::identity::Identity;
use crate::record::Owner;
use crate::serve::status::client::{Answer, AskError, ask};
use crate::zone::route53::Wanted;

/// Refuses where an agent answers that registers this host in this zone, and where one may be that cannot be asked.
///
/// # Errors
/// Then.
pub(super) async fn refuse(config: &Config, identity: &Identity) -> Result<(), RunError> {
    let own = Own { owner: &identity.owner, zone: &config.zone, registry: &config.registry };
    ask_each(&config.status.sockets, &own).await
}

async fn ask_each(sockets: &[PathBuf], own: &Own<'_>) -> Result<(), RunError> {
    for place in sockets {
        judge(ask(slice::from_ref(place), "/status.json").await, own)?;
    }
    Ok(())
}

/// What this command writes.
struct Own<'a> {
    owner: &'a Owner,
    zone: &'a str,
    registry: &'a Registry,
}

fn judge(answer: Result<Answer, AskError>, own: &Own<'_>) -> Result<(), RunError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(AskError::Nobody { error, .. }) if is_absence(error.kind()) => return Ok(()),
        Err(AskError::Nobody { places, error }) => {
            return Err(RunError::MaybeBeside { sign: format!("{places}: {error}") });
        }
        Err(error @ AskError::Silent(_)) => {
            return Err(RunError::MaybeBeside { sign: error.what() });
        }
    };
    match serde_json::from_slice(&answer.body) {
        Ok(status) if own.is_of_another(&status) => Ok(()),
        Ok(_) => Err(RunError::Beside { sign: "it answers at its status socket".to_owned() }),
        Err(error) => Err(RunError::MaybeBeside { sign: format!("its status cannot be read: {error}") }),
    }
}

/// Whether nobody can listen there. At a path that is too long for a socket nobody can, either.
fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput)
}

impl Own<'_> {
    /// Whether this is the status of another host's agent, or of another zone's. Before an agent knows who it is and
    /// where it writes, it may be anybody.
    fn is_of_another(&self, status: &serde_json::Value) -> bool {
        let (host, zone) = (&status["host"], &status["zone"]);
        let (registry, field, wanted) = match self.registry {
            Registry::Local { .. } => ("local", &zone["name"], self.zone),
            Registry::Route53 { wanted: Wanted::Name(name), .. } => ("route53", &zone["name"], name.as_str()),
            Registry::Route53 { wanted: Wanted::Id(id), .. } => ("route53", &zone["id"], id.as_str()),
        };
        let differs = |said: &serde_json::Value, own: &str| said.as_str().is_some_and(|said| said != own);
        differs(&host["owner"], self.owner.as_str())
            || differs(&zone["registry"], registry)
            || differs(field, wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    fn route53(wanted: Wanted) -> Registry {
        Registry::Route53 { wanted, endpoint_url: None }
    }

    fn by_name() -> Registry {
        route53(Wanted::Name("sd.internal".to_owned()))
    }

    fn judged<T>(registry: &Registry, what: impl FnOnce(&Own<'_>) -> T) -> T {
        what(&Own { owner: &Owner::new("web1").unwrap(), zone: "sd.internal", registry })
    }

    async fn refusal(socket: &Path) -> Option<String> {
        let (owner, registry) = (Owner::new("web1").unwrap(), Registry::Local { dns_listen: Vec::new() });
        let own = Own { owner: &owner, zone: "sd.internal", registry: &registry };
        ask_each(&[socket.to_owned()], &own).await.err().map(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_none_and_who_says_nothing_may_be_one() {
        let dir = tempfile::TempDir::new().unwrap();
        let socket = dir.path().join("status.sock");
        assert_eq!(refusal(&socket).await, None);
        let listener = UnixListener::bind(&socket).unwrap();
        let silent = refusal(&socket).await.unwrap();
        assert!(
            silent.starts_with("an agent may run here (the agent does not answer: nothing within"),
            "{silent}"
        );
        // What an agent leaves that was killed.
        drop(listener);
        assert_eq!(refusal(&socket).await, None);
        std::fs::remove_file(&socket).unwrap();
        symlink(&socket, &socket).unwrap();
        assert!(refusal(&socket).await.is_some(), "what cannot be looked at is not nobody");
        assert_eq!(refusal(&dir.path().join("long".repeat(50))).await, None);
    }

    #[test]
    fn a_socket_that_denies_is_no_absence() {
        let denied = AskError::Nobody {
            places: "/run/ecssd/status.sock".to_owned(),
            error: ErrorKind::PermissionDenied.into(),
        };
        let refused = judged(&by_name(), |own| judge(Err(denied), own)).unwrap_err().to_string();
        assert_eq!(
            refused,
            "an agent may run here (/run/ecssd/status.sock: permission denied): stop it first, or call this as root or \
             as the agent's user"
        );
    }

    #[test]
    fn an_agent_of_another_host_or_zone_blocks_nobody_and_one_that_does_not_know_does() {
        let (by_name, local) = (by_name(), Registry::Local { dns_listen: Vec::new() });
        let by_id = route53(Wanted::Id("Z1".to_owned()));
        let of = |owner: &str, name: &str, id: &str, registry: &str| json!({ "host": { "owner": owner }, "zone": { "name": name, "id": id, "registry": registry } });
        let own = of("web1", "sd.internal", "Z1", "route53");
        let others = [
            of("web2", "sd.internal", "Z1", "route53"),
            of("web1", "other.internal", "Z2", "route53"),
            of("web1", "sd.internal", "local", "local"),
        ];
        let blocks = |registry: &Registry, status: &Value| !judged(registry, |own| own.is_of_another(status));
        for registry in [&by_name, &by_id] {
            assert!(blocks(registry, &own), "{registry:?}");
            assert!(!others.iter().any(|status| blocks(registry, status)), "{registry:?}");
        }
        assert!(!blocks(&local, &own) && blocks(&local, &others[2]));
        for unknown in [json!({}), json!({ "host": null, "zone": null })] {
            assert!(blocks(&by_name, &unknown));
        }
    }
}
