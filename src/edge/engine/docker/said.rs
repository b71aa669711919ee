//! What an engine says unasked: an event, or a line of its list. Pure.
//!
//! Owns the engine's spelling. Labels are passed over: nothing of what a container brings is kept.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;

use super::lines::Line;
use super::socket::SocketError;
use crate::container::Timestamp;
use crate::container::event::{DockerEvent, Happening, Listed};
use crate::record::ContainerId;

/// In a second.
pub(super) const NANOS: i64 = 1_000_000_000;

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(rename = "Action")]
    action: Option<String>,
    #[serde(rename = "Actor")]
    actor: Option<Actor>,
    time: Option<i64>,
    #[serde(rename = "timeNano")]
    time_nano: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "Attributes")]
    attributes: Option<Attributes>,
}

/// Those that are of interest; the others are labels.
#[derive(Debug, Deserialize)]
struct Attributes {
    signal: Option<String>,
    container: Option<String>,
}

/// What a line of the stream tells, if it is of a container's life. Of one that was cut no more is known than whose it
/// is: that container deserves a look.
pub(super) fn event(line: &Line, now: SystemTime) -> Result<Option<DockerEvent>, SocketError> {
    match line {
        Line::Whole(line) => {
            let message: Message = serde_json::from_slice(line).map_err(|_| SocketError::Odd)?;
            Ok(of_message(message, now))
        }
        Line::Cut(beginning) => Ok(id_in(beginning).map(|id| {
            let time = Timestamp::from(now);
            DockerEvent { id, happening: Happening::Changed, time, age: time.age(now) }
        })),
    }
}

fn of_message(message: Message, now: SystemTime) -> Option<DockerEvent> {
    let actor = message.actor?;
    let (id, attributes) = (actor.id, actor.attributes);
    let signal = || attributes.as_ref()?.signal.as_deref()?.parse().ok();
    let (happening, id) = match (message.kind?.as_str(), message.action?.as_str()) {
        ("container", "kill") => (Happening::Killed(signal()?), id),
        // The second is Podman's word.
        ("container", "die" | "died") => (Happening::Died, id),
        ("container", "destroy" | "remove") => (Happening::Destroyed, id),
        ("container", "start") => (Happening::Started, id),
        ("container", "pause" | "unpause") => (Happening::Changed, id),
        ("container", action) if action.starts_with("health_status") => (Happening::Changed, id),
        ("network", "connect" | "disconnect") => (Happening::Rewired, attributes?.container),
        _ => return None,
    };
    let nanos = message.time_nano.or_else(|| message.time?.checked_mul(NANOS)).filter(|nanos| *nanos >= 0)?;
    let time = Timestamp::from_unix_nanos(nanos);
    Some(DockerEvent { id: id?.parse().ok()?, happening, time, age: time.age(now) })
}

/// The container that the beginning of an event names. A health check's command may come before it, and name another:
/// that one is looked at, and nothing else.
fn id_in(beginning: &[u8]) -> Option<ContainerId> {
    const KEY: &[u8] = b"\"ID\":\"";
    let at = beginning.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let id = beginning[at..].split(|octet| *octet == b'"').next()?;
    std::str::from_utf8(id).ok()?.parse().ok()
}

/// A line of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    id: Option<String>,
    state: Option<String>,
    status: Option<String>,
    ports: Option<Vec<Port>>,
    network_settings: Option<Networks>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Port {
    #[serde(rename = "IP")]
    ip: Option<String>,
    public_port: Option<i64>,
    private_port: Option<i64>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Networks {
    networks: Option<BTreeMap<String, Option<Endpoint>>>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    #[serde(rename = "EndpointID")]
    id: Option<String>,
}

/// What of a list's line changes when the container deserves another look; its age ("Up 2 minutes") does
/// not count, its health does.
pub(super) fn listed(summary: Summary) -> Option<Listed> {
    let mut ports = summary.ports.unwrap_or_default();
    ports.sort();
    // A network that was left and joined again is another endpoint, and may publish another port.
    let networks = summary.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    let networks: Vec<_> = networks
        .into_iter()
        .map(|(name, endpoint)| (name, endpoint.and_then(|endpoint| endpoint.id)))
        .collect();
    let status = summary.status.unwrap_or_default();
    let health = status.rfind('(').map(|open| &status[open..]);
    let fingerprint = format!("{:?} {health:?} {ports:?} {networks:?}", summary.state);
    Some(Listed { id: summary.id?.parse().ok()?, fingerprint })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Option<(Happening, String, i64)> {
        let event = event(&Line::Whole(json.into()), SystemTime::now()).unwrap()?;
        Some((event.happening, event.id.to_string(), event.time.unix_nanos()))
    }

    fn of(kind: &str, action: &str, id: &str, attributes: &str) -> String {
        format!(
            r#"{{"Type":"{kind}","Action":"{action}","Actor":{{"ID":"{id}","Attributes":{attributes}}},"scope":"local","time":2,"timeNano":2000000001}}"#
        )
    }

    /// Whether the subscription lets it through.
    fn is_asked_for(action: &str) -> bool {
        super::super::ACTIONS.iter().any(|asked| action.split(':').next() == Some(asked))
    }

    #[test]
    fn an_event_is_read_whatever_labels_come_with_it() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let labels = r#"{"Type":"x","image":"i","signal":"15","time":"1"}"#;
        assert_eq!(
            told(&of("container", "kill", &a, labels)),
            Some((Happening::Killed(15), a.clone(), 2_000_000_001))
        );
        for (action, happening) in [
            ("die", Happening::Died),
            ("died", Happening::Died),
            ("destroy", Happening::Destroyed),
            ("remove", Happening::Destroyed),
            ("start", Happening::Started),
            ("pause", Happening::Changed),
            ("unpause", Happening::Changed),
            ("health_status: healthy", Happening::Changed),
        ] {
            assert!(is_asked_for(action), "{action}");
            assert_eq!(
                told(&of("container", action, &a, "null")),
                Some((happening, a.clone(), 2_000_000_001))
            );
        }
        let joined = format!(r#"{{"container":"{b}","name":"n"}}"#);
        for action in ["connect", "disconnect"] {
            assert!(is_asked_for(action), "{action}");
            assert_eq!(
                told(&of("network", action, &a, &joined)),
                Some((Happening::Rewired, b.clone(), 2_000_000_001))
            );
        }
        for (kind, action) in [
            ("container", "exec_start: x"),
            ("image", "pull"),
            ("image", "remove"),
            ("network", "remove"),
            ("container", "kill"),
        ] {
            assert_eq!(told(&of(kind, action, &a, "{}")), None, "{kind} {action}");
        }
        assert!(matches!(event(&Line::Whole(b"x".to_vec()), SystemTime::now()), Err(SocketError::Odd)));
    }

    #[test]
    fn of_one_that_was_cut_the_container_is_worth_a_look() {
        let id = "a".repeat(64);
        let json = of("container", "kill", &id, "{}");
        let cut = |text: &str| event(&Line::Cut(text.into()), SystemTime::now()).unwrap();
        let told = cut(&json[..140]).unwrap();
        assert_eq!((told.happening, told.id.to_string()), (Happening::Changed, id));
        assert_eq!(cut(&json[..60]), None);
        assert_eq!(cut(""), None);
    }

    #[test]
    fn a_line_of_the_list_changes_with_what_counts() {
        let id = "a".repeat(64);
        let line = |rest: &str| {
            let json = format!(r#"{{"Id":"{id}","State":"running",{rest}}}"#);
            listed(serde_json::from_str(&json).unwrap()).unwrap().fingerprint
        };
        let port = r#""Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":32000,"Type":"tcp"},{"PrivatePort":81,"Type":"tcp"}]"#;
        let turned = r#""Ports":[{"PrivatePort":81,"Type":"tcp"},{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":32000,"Type":"tcp"}]"#;
        let up = |minutes: u8, rest: &str| {
            line(&format!(r#""Status":"Up {minutes} minutes{rest}","Labels":{{"n":"{minutes}"}},{port}"#))
        };
        assert_eq!(up(1, ""), up(2, ""));
        assert_ne!(up(1, ""), up(1, " (healthy)"));
        assert_eq!(line(port), line(turned));
        assert_ne!(line(port), line(&port.replace("32000", "32001")));
        let network =
            |id: &str| line(&format!(r#""NetworkSettings":{{"Networks":{{"n":{{"EndpointID":"{id}"}}}}}}"#));
        assert_ne!(network("e"), network("f"));
        assert!(listed(serde_json::from_str("{}").unwrap()).is_none());
    }
}
