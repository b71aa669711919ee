//! What this machine itself shows: the agent's socket, the state directory, its resolver.

use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access, statvfs};
use serde_json::Value;

use crate::aws::names::Names;
use crate::doctor::facts::{Agent, AgentSettings, Ended, Standing, State, StateKind};
use crate::serve::status::client::{AskError, ask};

const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// What the agent of this host says.
pub(super) struct Told {
    pub(super) agent: Agent,
    pub(super) settings: Option<AgentSettings>,
    pub(super) services: Vec<Standing>,
    pub(super) ended: Vec<Ended>,
}

/// What the agent of this host says of itself.
pub(super) async fn agent(sockets: &[PathBuf]) -> Told {
    let nothing = |agent| Told { agent, settings: None, services: Vec::new(), ended: Vec::new() };
    let answer = match ask(sockets, "/status.json").await {
        Ok(answer) => answer,
        // What to do is for the doctor to say.
        Err(error @ AskError::Silent(_)) => return nothing(Agent::Hangs(error.what())),
        Err(error @ AskError::Nobody { .. }) => return nothing(Agent::Silent(error.what())),
    };
    let Ok(status) = serde_json::from_slice::<Value>(&answer.body) else {
        return nothing(Agent::Silent("what answers at the status socket is no agent".to_owned()));
    };
    let sources = each(&status, "sources").filter(|source| source["ready"] == false);
    let reasons = sources.map(|source| format!("{}: {}", text(source, "name"), text(source, "reason")));
    Told {
        agent: if status["ready"] == true { Agent::Ready } else { Agent::NotReady(reasons.collect()) },
        settings: settings(&status),
        services: each(&status, "containers").flat_map(standings).collect(),
        // An agent of another version may not say.
        ended: serde_json::from_value(status["ended"].clone()).unwrap_or_default(),
    }
}

/// With which settings it runs. An agent of another version may not say.
fn settings(status: &Value) -> Option<AgentSettings> {
    let (host, zone) = (&status["host"], &status["zone"]);
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    Some(AgentSettings {
        owner: text(&host["owner"])?,
        address: text(&host["address"])?,
        zone: text(&zone["name"])?,
        zone_id: text(&zone["id"])?,
        registry: text(&zone["registry"])?,
        dns: zone["dns"].as_array()?.iter().filter_map(text).collect(),
    })
}

/// How the services of a container stand: where the life of each stops, or has no weight of its own accord.
fn standings(container: &Value) -> impl Iterator<Item = Standing> {
    each(container, "services").map(|service| {
        let stops = |step: &&Value| ["waits", "failed", "weak"].iter().any(|state| step["state"] == **state);
        let why = |step: &Value| match text(step, "why") {
            "" => text(step, "step").to_owned(),
            why => why.to_owned(),
        };
        let stop = each(service, "life").find(stops);
        // All before that is well, and so is the record, which has this weight.
        let is_weightless = |step: &Value| step["step"] == "registered" && step["state"] == "weak";
        Standing {
            container: text(container, "name").to_owned(),
            service: text(service, "name").to_owned(),
            falls_short: stop.map(why),
            is_cordoned: stop.is_some_and(is_weightless) && service["cordoned"] == 0,
        }
    })
}

fn each<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The addresses of a name, as the resolver of this system knows them.
pub(super) async fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    let found = tokio::time::timeout(RESOLVE_LIMIT, Names::look_up(&format!("{name}."))).await;
    found.unwrap_or_else(|_| Err(format!("no answer within {} s", RESOLVE_LIMIT.as_secs())))
}

/// What is at the state directory's place. Nothing is made or written to find that out.
pub(super) fn state(path: &Path) -> State {
    let is_writable = |path: &Path| access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let kind = match fs::metadata(path) {
        Ok(found) if !found.is_dir() => StateKind::NoDirectory,
        Ok(found) => StateKind::Directory {
            writable: is_writable(path),
            mode: found.permissions().mode() & 0o777,
            free: statvfs(path).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let above = path.ancestors().skip(1).find(|path| path.exists());
            StateKind::Absent { can_be_made: above.is_some_and(|above| above.is_dir() && is_writable(above)) }
        }
        Err(error) if error.kind() == ErrorKind::NotADirectory => StateKind::Absent { can_be_made: false },
        Err(error) => StateKind::Unreadable(error.to_string()),
    };
    State { path: path.to_owned(), kind }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_weight_by_hand_is_why_where_nothing_else_is() {
        let step = |step: &str, state: &str| json!({ "step": step, "state": state, "why": null });
        for (checked, registered, cordoned, is_cordoned) in [
            ("done", "weak", json!(0), true),
            ("weak", "weak", json!(0), false),
            ("done", "failed", json!(0), false),
            // A notice makes every weight 0.
            ("done", "weak", json!(5), false),
            ("done", "weak", json!(null), false),
            ("done", "done", json!(5), false),
        ] {
            let life = [step("started", "done"), step("checked", checked), step("registered", registered)];
            let container =
                json!({ "name": "web", "services": [{ "name": "a", "cordoned": cordoned, "life": life }] });
            let standing = standings(&container).next().unwrap();
            assert_eq!(standing.is_cordoned, is_cordoned, "{container}");
        }
    }

    #[test]
    fn the_state_directory_is_looked_at_and_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let absent = dir.path().join("a/b");
        assert_eq!(state(&absent).kind, StateKind::Absent { can_be_made: true });
        assert!(!absent.exists());
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(state(&file).kind, StateKind::NoDirectory);
        assert_eq!(state(&file.join("b")).kind, StateKind::Absent { can_be_made: false });
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(
            state(dir.path()).kind,
            StateKind::Directory { writable: true, mode: 0o750, free: 1.. }
        ));
    }
}
