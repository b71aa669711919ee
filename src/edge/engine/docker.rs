//! A Docker engine behind its unix socket: four GETs (`/version`, `/events`, `/containers/json`,
//! `/containers/<id>/json`).
//!
//! Owns the connection, its timeouts and the engine's spelling of things.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::models::{ContainerSummary, EventMessage, EventMessageTypeEnum};
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
};
use futures_util::{StreamExt, TryStreamExt};
use tokio::time::timeout;

use super::{Docker, DockerError, Events, Nobody, Subscription, Version, inspect};
use crate::container::convention::Scope;
use crate::container::event::{DockerEvent, Happening, Listed};
use crate::container::{Container, Timestamp};
use crate::record::ContainerId;

/// Longer than a dying container keeps the engine's lock (0.2 to 0.6 s seen), short enough to notice a
/// hung engine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How many events an engine remembers, of any kind. Source: moby, `daemon/events`, `eventsLimit`.
const RING: usize = 256;
/// How long an engine may be silent while it tells what it remembers.
const REMEMBERING: Duration = Duration::from_secs(1);
/// In a second.
const NANOS: i64 = 1_000_000_000;
/// Before any event: for all that the engine remembers.
const BEGINNING: &str = "1";

/// The events that a container's life is made of. `exec_*` is left out: each HEALTHCHECK run makes some. The last two are
/// told of a network.
const ACTIONS: [&str; 9] =
    ["start", "kill", "die", "pause", "unpause", "destroy", "health_status", "connect", "disconnect"];

/// A Docker engine at a unix socket.
pub struct UnixDocker {
    socket: PathBuf,
    scope: Scope,
    client: Mutex<Option<bollard::Docker>>,
}

impl fmt::Debug for UnixDocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDocker").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl UnixDocker {
    /// The engine at `socket`, which need not be there yet.
    pub fn new(socket: PathBuf, scope: Scope) -> Self {
        Self { socket, scope, client: Mutex::new(None) }
    }

    /// The engine may have been replaced by another version since the last connection.
    async fn connect(&self) -> Result<bollard::Docker, DockerError> {
        let path = self.socket.to_string_lossy();
        let client =
            bollard::Docker::connect_with_unix(&path, ANSWER_TIMEOUT.as_secs(), bollard::API_DEFAULT_VERSION)
                .map_err(|error| self.error("/version", &error))?;
        let client = answer("/version", client.negotiate_version())
            .await?
            .map_err(|error| self.error("/version", &error))?;
        *self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }

    /// Which engine it is.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn version(&self) -> Result<Version, DockerError> {
        let client = self.client().await?;
        let answered = answer("/version", client.version()).await?;
        let said = answered.map_err(|error| self.error("/version", &error))?;
        let parts = said.components.into_iter().flatten().map(|part| part.name);
        Ok(Version { version: said.version.unwrap_or_default(), parts: parts.collect() })
    }

    async fn client(&self) -> Result<bollard::Docker, DockerError> {
        let client = self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        match client {
            Some(client) => Ok(client),
            None => self.connect().await,
        }
    }

    /// What the engine remembers until `now`: an answer that ends, unlike a subscription, which does not say
    /// where its past ends.
    async fn ring(&self, client: &bollard::Docker, now: Timestamp) -> Result<Ring, DockerError> {
        let (seconds, nanos) = (now.unix_nanos() / NANOS, now.unix_nanos() % NANOS);
        let until = format!("{seconds}.{nanos:09}");
        let options = EventsOptionsBuilder::default().since(BEGINNING).until(&until).build();
        let mut messages = client.events(Some(options)).boxed();
        let mut ring = Ring::default();
        loop {
            match timeout(REMEMBERING, messages.next()).await {
                Ok(Some(message)) => {
                    let message = message.map_err(|error| self.error("/events", &error))?;
                    ring.events += 1;
                    ring.last = read_event(&message).or_else(|| ring.last.take());
                }
                Ok(None) => return Ok(Ring { ended: true, ..ring }),
                // Not every proxy and not every engine ends it.
                Err(_) => return Ok(ring),
            }
        }
    }

    fn error(&self, request: &'static str, error: &Error) -> DockerError {
        let socket = || self.socket.display().to_string();
        match error {
            Error::SocketNotFoundError(_) => {
                let reason = "there is no such socket".to_owned();
                DockerError::Unreachable { socket: socket(), kind: Nobody::NoSocket, reason }
            }
            Error::DockerResponseServerError { status_code, message } => {
                DockerError::Refused { request, reason: format!("{status_code} {message}") }
            }
            Error::RequestTimeoutError => DockerError::Timeout(request),
            // These quote the answer, and an inspect's answer holds the container's environment.
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } | Error::StrParseError { .. } => {
                DockerError::Refused {
                    request,
                    reason: "an answer that is not of the documented form".to_owned(),
                }
            }
            other => unreachable(socket(), other),
        }
    }
}

#[async_trait]
impl Docker for UnixDocker {
    async fn events(&self) -> Result<Subscription, DockerError> {
        let client = self.connect().await?;
        let asked = Timestamp::from(SystemTime::now());
        let ring = self.ring(&client, asked).await?;
        let filters = [("type", vec!["container", "network"]), ("event", ACTIONS.to_vec())].into();
        let options = EventsOptionsBuilder::default().since(BEGINNING).filters(&filters).build();
        let socket = self.socket.display().to_string();
        let events = client.events(Some(options)).filter_map(move |message| {
            let event = match message {
                Ok(message) => read_event(&message).map(Ok),
                Err(error) => Some(Err(unreachable(socket.clone(), &error))),
            };
            std::future::ready(event)
        });
        let mut live = events.boxed();
        let past = read_to(&mut live, ring.last).await?;
        // By a clock that stepped back some of it is of times to come, and was not counted.
        let whole = ring.ended && ring.events < RING && past.iter().all(|event| event.time <= asked);
        // What has just happened is not old, whatever its clock does.
        let live = live.map_ok(|event| DockerEvent { age: Duration::ZERO, ..event }).boxed();
        Ok(Subscription { past, whole, live })
    }

    async fn running(&self) -> Result<Vec<Listed>, DockerError> {
        let client = self.client().await?;
        let options = ListContainersOptionsBuilder::default().build();
        let list = answer("/containers/json", client.list_containers(Some(options)))
            .await?
            .map_err(|error| self.error("/containers/json", &error))?;
        Ok(list.iter().filter_map(read_line).collect())
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Option<Container>, DockerError> {
        const REQUEST: &str = "/containers/<id>/json";
        let client = self.client().await?;
        let id = id.to_string();
        match answer(REQUEST, client.inspect_container(&id, None::<InspectContainerOptions>)).await? {
            Ok(inspect) => inspect::read(&inspect, &self.scope)
                .map(Some)
                .map_err(|error| DockerError::Refused { request: REQUEST, reason: error.to_string() }),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.error(REQUEST, &error)),
        }
    }
}

/// The library's own timeout ends with the head of an answer; this one covers all of it.
async fn answer<T>(request: &'static str, asked: impl Future<Output = T>) -> Result<T, DockerError> {
    timeout(ANSWER_TIMEOUT, asked).await.map_err(|_| DockerError::Timeout(request))
}

/// What an engine remembers.
#[derive(Debug, Default)]
struct Ring {
    /// How many events of any kind.
    events: usize,
    /// The latest of a container's life.
    last: Option<DockerEvent>,
    /// Whether the engine said that this is all.
    ended: bool,
}

/// The events up to this one.
async fn read_to(events: &mut Events, last: Option<DockerEvent>) -> Result<Vec<DockerEvent>, DockerError> {
    let mut past = Vec::new();
    let Some(last) = last else { return Ok(past) };
    // What was remembered a moment ago comes at once, unless it was forgotten in that moment.
    while let Ok(Some(event)) = timeout(REMEMBERING, events.next()).await {
        past.push(event?);
        if past.last().is_some_and(|event| {
            (&event.id, event.happening, event.time) == (&last.id, last.happening, last.time)
        }) {
            break;
        }
    }
    Ok(past)
}

fn read_event(message: &EventMessage) -> Option<DockerEvent> {
    use EventMessageTypeEnum::{CONTAINER, NETWORK};
    let actor = message.actor.as_ref()?;
    let attribute = |name| actor.attributes.as_ref()?.get(name);
    let (happening, id) = match (message.typ?, message.action.as_deref()?) {
        (CONTAINER, "kill") => (Happening::Killed(attribute("signal")?.parse().ok()?), actor.id.as_ref()),
        (CONTAINER, "die") => (Happening::Died, actor.id.as_ref()),
        (CONTAINER, "destroy") => (Happening::Destroyed, actor.id.as_ref()),
        (CONTAINER, "start") => (Happening::Started, actor.id.as_ref()),
        (CONTAINER, "pause" | "unpause") => (Happening::Changed, actor.id.as_ref()),
        (CONTAINER, action) if action.starts_with("health_status") => (Happening::Changed, actor.id.as_ref()),
        (NETWORK, "connect" | "disconnect") => (Happening::Rewired, attribute("container")),
        _ => return None,
    };
    let nanos = message.time_nano.or_else(|| message.time?.checked_mul(NANOS)).filter(|nanos| *nanos >= 0)?;
    let time = Timestamp::from_unix_nanos(nanos);
    Some(DockerEvent { id: id?.parse().ok()?, happening, time, age: time.age(SystemTime::now()) })
}

/// What of a list's line changes when the container deserves another look; its age ("Up 2 minutes") does
/// not count, its health does.
fn read_line(summary: &ContainerSummary) -> Option<Listed> {
    let mut ports: Vec<String> = summary
        .ports
        .iter()
        .flatten()
        .map(|port| {
            let kind = port.typ.map(|kind| kind.to_string());
            format!("{:?}:{:?}->{}/{kind:?}", port.ip, port.public_port, port.private_port)
        })
        .collect();
    ports.sort();
    let settings = summary.network_settings.as_ref();
    let networks = settings.and_then(|settings| settings.networks.as_ref()).into_iter().flatten();
    // A network that was left and joined again is another endpoint, and may publish another port.
    let mut networks: Vec<_> =
        networks.map(|(name, endpoint)| (name, endpoint.endpoint_id.as_deref())).collect();
    networks.sort();
    let status = summary.status.as_deref().unwrap_or_default();
    let health = status.rfind('(').map(|open| &status[open..]);
    let fingerprint =
        format!("{:?} {health:?} {ports:?} {networks:?}", summary.state.map(|state| state.to_string()));
    Some(Listed { id: summary.id.as_deref()?.parse().ok()?, fingerprint })
}

/// Nobody answers at this socket.
fn unreachable(socket: String, error: &(dyn std::error::Error + 'static)) -> DockerError {
    let causes = || std::iter::successors(Some(error), |error| error.source());
    let of_system = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
    };
    let kind = match causes().filter_map(of_system).last() {
        Some(ErrorKind::PermissionDenied) => Nobody::NotAllowed,
        Some(ErrorKind::ConnectionRefused) => Nobody::NotThere,
        Some(ErrorKind::NotFound) => Nobody::NoSocket,
        _ => Nobody::Broken,
    };
    let reason = causes().last().map(ToString::to_string).unwrap_or_default();
    DockerError::Unreachable { socket, kind, reason }
}
