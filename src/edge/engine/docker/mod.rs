//! A Docker engine behind its unix socket: four GETs (`/version`, `/events`, `/containers/json`,
//! `/containers/<id>/json`).
//!
//! | file | what it owns |
//! |---|---|
//! | `bounded` | how much Docker's client library reads of an answer, which is of one container or of the engine |
//! | `socket` | answers of all containers, which that library would hold whole, and how much of those is read |
//! | `lines` | a stream, cut into lines; pure |
//! | `said` | events and lines of the list; pure |
//!
//! Timeouts, and where the engine's past ends, are owned here.

mod bounded;
mod lines;
mod said;
mod socket;

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bollard::API_DEFAULT_VERSION;
use bollard::errors::Error;
use bollard::query_parameters::InspectContainerOptions;
use futures_util::{StreamExt, TryStreamExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

pub use self::bounded::ANSWER_OCTETS_MAX;
use self::bounded::TooMuch;
pub use self::lines::LINE_OCTETS_MAX;
use self::said::NANOS;
pub use self::socket::LIST_OCTETS_MAX;
use self::socket::{Socket, SocketError};
use super::{Docker, DockerError, Events, Nobody, Subscription, daemon, inspect};
use crate::container::convention::Scope;
use crate::container::engine::{Caveat, Engine};
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
/// Before any event: for all that the engine remembers.
const BEGINNING: &str = "1";

/// The events that a container's life is made of. `exec_*` is left out: each HEALTHCHECK run makes some. `died` and
/// `remove` are Podman's words for `die` and `destroy`; the last two are told of a network.
const ACTIONS: [&str; 11] = [
    "start",
    "kill",
    "die",
    "died",
    "pause",
    "unpause",
    "destroy",
    "remove",
    "health_status",
    "connect",
    "disconnect",
];

/// A Docker engine at a unix socket.
pub struct UnixDocker {
    path: Arc<PathBuf>,
    socket: Socket,
    scope: Scope,
    client: Mutex<Option<bollard::Docker>>,
    /// Whether it may have ceased to run HEALTHCHECKs.
    freezes_healthchecks: AtomicBool,
}

impl fmt::Debug for UnixDocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDocker").field("path", &self.path).finish_non_exhaustive()
    }
}

impl UnixDocker {
    /// The engine at `socket`, which need not be there yet.
    pub fn new(socket: PathBuf, scope: Scope) -> Self {
        let path = Arc::new(socket);
        let (socket, client) = (Socket::new(Arc::clone(&path)), Mutex::new(None));
        Self { socket, path, scope, client, freezes_healthchecks: AtomicBool::new(false) }
    }

    /// Asks which version of the API to speak: the engine may have been replaced since the last connection.
    async fn connect(&self) -> Result<bollard::Docker, DockerError> {
        const REQUEST: &str = "/version";
        let client = bounded::client(Arc::clone(&self.path), ANSWER_TIMEOUT, API_DEFAULT_VERSION);
        let client = client.map_err(|error| self.failed(REQUEST, &error))?;
        let client = answer(REQUEST, client.negotiate_version()).await?;
        let client = client.map_err(|error| self.failed(REQUEST, &error))?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }

    /// Which engine it is.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn version(&self) -> Result<Engine, DockerError> {
        self.version_of(&self.client().await?).await
    }

    async fn version_of(&self, client: &bollard::Docker) -> Result<Engine, DockerError> {
        let said = answer("/version", client.version()).await?;
        let said = said.map_err(|error| self.failed("/version", &error))?;
        let parts = said.components.into_iter().flatten().map(|part| printable(&part.name));
        let version = printable(&said.version.unwrap_or_default());
        let engine = Engine { version, parts: parts.collect() };
        self.freezes_healthchecks.store(engine.freezes_healthchecks(), Ordering::Relaxed);
        Ok(engine)
    }

    /// Reads the names of all processes, on another thread.
    async fn caveats(&self, engine: Engine) -> BTreeSet<Caveat> {
        let socket = Arc::clone(&self.path);
        let look = move || Caveat::of(&engine, daemon::of_this_host(&socket), daemon::has_own_network());
        // A look that panics has seen nothing.
        spawn_blocking(look).await.unwrap_or_default()
    }

    async fn client(&self) -> Result<bollard::Docker, DockerError> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match client {
            Some(client) => Ok(client),
            None => self.connect().await,
        }
    }

    /// What the engine remembers until `now`: an answer that ends, unlike a subscription, which does not say
    /// where its past ends.
    async fn ring(&self, client: &bollard::Docker, now: Timestamp) -> Result<Ring, DockerError> {
        let (seconds, nanos) = (now.unix_nanos() / NANOS, now.unix_nanos() % NANOS);
        let query = format!("since={BEGINNING}&until={seconds}.{nanos:09}");
        let target = target(client, &format!("/events?{query}"));
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

    fn error(&self, request: &'static str, error: SocketError) -> DockerError {
        match error {
            SocketError::Io(_) | SocketError::Http(_) => unreachable(&self.path, &error),
            SocketError::Status { .. } | SocketError::TooMuch(_) | SocketError::Odd => {
                DockerError::Refused { request, reason: error.to_string() }
            }
        }
    }

    fn failed(&self, request: &'static str, error: &Error) -> DockerError {
        let causes = || {
            std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
        };
        let is_of = |error: &std::io::Error| error.get_ref().is_some_and(|inner| inner.is::<TooMuch>());
        let reason = match error {
            Error::RequestTimeoutError => return DockerError::Timeout(request),
            Error::DockerResponseServerError { status_code, message } => {
                format!("{status_code} {}", printable(message))
            }
            // These quote the answer, and an inspect's answer holds the container's environment.
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } | Error::StrParseError { .. } => {
                SocketError::Odd.to_string()
            }
            _ if causes().filter_map(|error| error.downcast_ref()).any(is_of) => TooMuch.to_string(),
            // Both stand for what they hold, and hide it from whoever looks for the cause.
            Error::IOError { err } => return unreachable(&self.path, err),
            Error::HyperResponseError { err } => return unreachable(&self.path, err),
            other => return unreachable(&self.path, other),
        };
        DockerError::Refused { request, reason }
    }
}

#[async_trait]
impl Docker for UnixDocker {
    async fn events(&self) -> Result<Subscription, DockerError> {
        let client = self.connect().await?;
        let caveats = self.caveats(self.version_of(&client).await?).await;
        let asked = Timestamp::from(SystemTime::now());
        let ring = self.ring(&client, asked).await?;
        let filters = format!(r#"{{"type":["container","network"],"event":[{}]}}"#, quoted(&ACTIONS));
        let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
        let query = format!("since={BEGINNING}&filters={filters}");
        let lines = self.socket.lines(target(&client, &format!("/events?{query}")));
        let path = Arc::clone(&self.path);
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
        Ok(Subscription { caveats, past, whole, live })
    }

    async fn running(&self) -> Result<Vec<Listed>, DockerError> {
        const REQUEST: &str = "/containers/json";
        let target = target(&self.client().await?, REQUEST);
        let list = answer(REQUEST, self.socket.list::<Vec<said::Summary>>(&target)).await?;
        let list = list.map_err(|error| self.error(REQUEST, error))?;
        Ok(list.into_iter().filter_map(said::listed).collect())
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Option<Container>, DockerError> {
        const REQUEST: &str = "/containers/<id>/json";
        let (client, id) = (self.client().await?, id.to_string());
        let asked = async move { client.inspect_container(&id, None::<InspectContainerOptions>).await };
        match answer(REQUEST, elsewhere(asked)).await? {
            Ok(Ok(inspect)) => {
                let container = inspect::read(&inspect, &self.scope).map_err(|error| {
                    DockerError::Refused { request: REQUEST, reason: printable(&error.to_string()) }
                })?;
                let freezes = self.freezes_healthchecks.load(Ordering::Relaxed);
                let healthcheck_frozen = freezes && inspect::is_frozen(&inspect, SystemTime::now());
                Ok(Some(Container { healthcheck_frozen, ..container }))
            }
            Ok(Err(Error::DockerResponseServerError { status_code: 404, .. })) => Ok(None),
            Ok(Err(error)) => Err(self.failed(REQUEST, &error)),
            Err(error) => Err(DockerError::Refused { request: REQUEST, reason: error.to_string() }),
        }
    }
}

/// What is asked of an engine in the version of its API that both speak.
fn target(client: &bollard::Docker, path: &str) -> String {
    format!("/v{}{path}", client.client_version())
}

/// On another thread: an answer of megabytes takes a while to parse, in which the agent would do nothing else.
async fn elsewhere<T: Send + 'static>(
    asked: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let runtime = Handle::current();
    spawn_blocking(move || runtime.block_on(asked)).await
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
