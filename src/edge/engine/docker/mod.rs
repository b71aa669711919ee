//! A Docker engine behind its unix socket: four GETs (`/version`, `/events`, `/containers/json`,
//! `/containers/<id>/json`).
//!
//! | file | what it owns |
//! |---|---|
//! | `socket` | the connection, and how much of an answer is read |
//! | `lines` | a stream, cut into lines; pure |
//! | `said` | events and lines of the list; pure |
//!
//! Timeouts, the version that is spoken, and where the engine's past ends are owned here.

mod lines;
mod said;
mod socket;

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bollard_stubs::models::ContainerInspectResponse;
use futures_util::{StreamExt, TryStreamExt};
use hyper::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::timeout;

pub use self::lines::LINE_OCTETS_MAX;
use self::said::NANOS;
pub use self::socket::{ANSWER_OCTETS_MAX, LIST_OCTETS_MAX};
use self::socket::{Socket, SocketError};
use super::{Docker, DockerError, Events, Nobody, Subscription, Version, inspect};
use crate::container::convention::Scope;
use crate::container::event::{DockerEvent, Listed};
use crate::container::{Container, Timestamp};
use crate::printable::printable;
use crate::record::ContainerId;

/// Longer than a dying container keeps the engine's lock (0.2 to 0.6 s seen), short enough to notice a
/// hung engine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How many events an engine remembers, of any kind. Source: moby, `daemon/events`, `eventsLimit`.
const RING: usize = 256;
/// How long an engine may be silent while it tells what it remembers.
const REMEMBERING: Duration = Duration::from_secs(1);
/// The latest version of the API that is spoken: the one whose answers were seen.
const API_LATEST: Api = Api { major: 1, minor: 53 };
/// Before any event: for all that the engine remembers.
const BEGINNING: &str = "1";

/// The events that a container's life is made of. `exec_*` is left out: each HEALTHCHECK run makes some. The last two are
/// told of a network.
const ACTIONS: [&str; 9] =
    ["start", "kill", "die", "pause", "unpause", "destroy", "health_status", "connect", "disconnect"];

/// A version of the engine's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Api {
    major: u16,
    minor: u16,
}

impl Api {
    fn read(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/v{}.{}", self.major, self.minor)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SystemVersion {
    api_version: Option<String>,
    version: Option<String>,
    components: Option<Vec<Component>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    name: String,
}

/// A Docker engine at a unix socket.
pub struct UnixDocker {
    path: PathBuf,
    socket: Socket,
    scope: Scope,
    api: Mutex<Option<Api>>,
}

impl fmt::Debug for UnixDocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDocker").field("path", &self.path).finish_non_exhaustive()
    }
}

impl UnixDocker {
    /// The engine at `socket`, which need not be there yet.
    pub fn new(socket: PathBuf, scope: Scope) -> Self {
        Self { socket: Socket::new(socket.clone()), path: socket, scope, api: Mutex::new(None) }
    }

    /// Asks which version of the API to speak: the engine may have been replaced since the last connection.
    async fn connect(&self) -> Result<Api, DockerError> {
        let said = self.ask_version().await?;
        let api = said.api_version.as_deref().and_then(Api::read);
        let api = api.ok_or_else(|| self.error("/version", SocketError::Odd))?.min(API_LATEST);
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Some(api);
        Ok(api)
    }

    async fn ask_version(&self) -> Result<SystemVersion, DockerError> {
        self.answer("/version", self.socket.value("/version")).await
    }

    /// Which engine it is.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn version(&self) -> Result<Version, DockerError> {
        let said = self.ask_version().await?;
        let parts = said.components.into_iter().flatten().map(|part| printable(&part.name));
        Ok(Version { version: printable(&said.version.unwrap_or_default()), parts: parts.collect() })
    }

    async fn api(&self) -> Result<Api, DockerError> {
        let api = *self.api.lock().unwrap_or_else(PoisonError::into_inner);
        match api {
            Some(api) => Ok(api),
            None => self.connect().await,
        }
    }

    /// What the engine remembers until `now`: an answer that ends, unlike a subscription, which does not say
    /// where its past ends.
    async fn ring(&self, api: Api, now: Timestamp) -> Result<Ring, DockerError> {
        let (seconds, nanos) = (now.unix_nanos() / NANOS, now.unix_nanos() % NANOS);
        let target = format!("{api}/events?since={BEGINNING}&until={seconds}.{nanos:09}");
        let mut lines = self.socket.lines(target).boxed();
        let mut ring = Ring::default();
        loop {
            match timeout(REMEMBERING, lines.next()).await {
                Ok(Some(line)) => {
                    let event = line.and_then(|line| said::event(&line, SystemTime::now()));
                    ring.events += 1;
                    ring.last = event.map_err(|error| self.error("/events", error))?.or(ring.last);
                }
                Ok(None) => return Ok(Ring { ended: true, ..ring }),
                // Not every proxy and not every engine ends it.
                Err(_) => return Ok(ring),
            }
        }
    }

    async fn answer<T>(
        &self,
        request: &'static str,
        asked: impl Future<Output = Result<T, SocketError>>,
    ) -> Result<T, DockerError> {
        answer(request, asked).await?.map_err(|error| self.error(request, error))
    }

    fn error(&self, request: &'static str, error: SocketError) -> DockerError {
        match error {
            SocketError::Io(_) | SocketError::Http(_) => unreachable(&self.path, &error),
            SocketError::Status { .. } | SocketError::TooMuch(_) | SocketError::Odd => {
                DockerError::Refused { request, reason: error.to_string() }
            }
        }
    }
}

#[async_trait]
impl Docker for UnixDocker {
    async fn events(&self) -> Result<Subscription, DockerError> {
        let api = self.connect().await?;
        let asked = Timestamp::from(SystemTime::now());
        let ring = self.ring(api, asked).await?;
        let filters = format!(r#"{{"type":["container","network"],"event":[{}]}}"#, quoted(&ACTIONS));
        let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
        let lines = self.socket.lines(format!("{api}/events?since={BEGINNING}&filters={filters}"));
        let path = self.path.clone();
        let events = lines.filter_map(move |line| {
            let event = line.and_then(|line| said::event(&line, SystemTime::now()));
            std::future::ready(event.map_err(|error| unreachable(&path, &error)).transpose())
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
        let target = format!("{}/containers/json", self.api().await?);
        let list: Vec<said::Summary> = self.answer("/containers/json", self.socket.list(&target)).await?;
        Ok(list.into_iter().filter_map(said::listed).collect())
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Option<Container>, DockerError> {
        const REQUEST: &str = "/containers/<id>/json";
        let target = format!("{}/containers/{id}/json", self.api().await?);
        match answer(REQUEST, self.socket.value::<ContainerInspectResponse>(&target)).await? {
            Ok(inspect) => inspect::read(&inspect, &self.scope).map(Some).map_err(|error| {
                DockerError::Refused { request: REQUEST, reason: printable(&error.to_string()) }
            }),
            Err(SocketError::Status { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(self.error(REQUEST, error)),
        }
    }
}

/// Words of JSON.
fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(",")
}

/// All of an answer, in time.
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

/// Nobody answers at this socket.
fn unreachable(socket: &Path, error: &(dyn std::error::Error + 'static)) -> DockerError {
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
    let reason = match kind {
        Nobody::NoSocket => "there is no such socket".to_owned(),
        _ => causes().last().map(|error| printable(&error.to_string())).unwrap_or_default(),
    };
    DockerError::Unreachable { socket: socket.display().to_string(), kind, reason }
}
