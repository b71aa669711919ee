//! An errand: from what somebody typed to what is shown, by way of DNS and the service it names.
//!
//! An errand always ends in an [`Outcome`]; a failure is one too, and says what was asked and what to
//! check. How an outcome looks is decided in `page`.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::AUTHORIZATION;
use axum::http::{Request, StatusCode};
use ecssd_examples::exchange::{ExchangeError, Reply, exchange};
use ecssd_examples::service::{Answer, CREDENTIALS, Refusal};
use hickory_resolver::proto::rr::Name;
use http_body_util::Empty;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::finder::{FindError, Finder, Server, plain};

/// How long a service may take.
const WITHIN: Duration = Duration::from_secs(2);

/// How many servers are tried before giving up.
const TRIES: usize = 3;

/// What is encoded in a path. The exceptions mean themselves there (RFC 3986), and keep it readable.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'/')
    .remove(b':')
    .remove(b',')
    .remove(b'+')
    .remove(b'*')
    .remove(b'(')
    .remove(b')');

/// How an errand ended.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// The service answered.
    Ok {
        #[serde(flatten)]
        answer: Answer,
        srv: Server,
    },
    /// There is no answer. `position` and `srv` are there where the failure got as far.
    Error {
        error: String,
        asked: String,
        check: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        position: Option<usize>,
        #[serde(skip_serializing_if = "Option::is_none")]
        srv: Option<Server>,
    },
}

impl Outcome {
    /// What a program is told by the status: whether the question was wrong, or something behind us.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Ok { .. } => StatusCode::OK,
            Self::Error { position: Some(_), .. } => StatusCode::BAD_REQUEST,
            Self::Error { .. } => StatusCode::BAD_GATEWAY,
        }
    }

    fn error(asked: String, error: &dyn std::error::Error, check: String) -> Self {
        Self::Error { error: error.to_string(), asked, check, position: None, srv: None }
    }

    fn at(mut self, server: Server) -> Self {
        if let Self::Error { srv, .. } = &mut self {
            *srv = Some(server);
        }
        self
    }
}

/// Finds `service`, and asks it for what `input` comes to.
///
/// `path` is the service's own, such as `/time/`. Where a server cannot be reached the next one is tried,
/// as RFC 2782 wants it: it may have gone since DNS named it.
pub(crate) async fn run(finder: &Finder, service: &Name, path: &str, input: &str) -> Outcome {
    if input.is_empty() {
        return empty(path);
    }
    let servers = match finder.find(service).await {
        Ok(servers) => servers,
        Err(error) => return not_found(service, &error),
    };
    let mut outcome = not_found(service, &FindError::NoRecord);
    for server in servers.into_iter().take(TRIES) {
        let asked = format!("GET http://{}{path}{}", server.socket(), encoded(input));
        match call(&server, path, input).await {
            Ok(reply) => return understand(asked, server, &reply),
            Err(error) => outcome = not_reached(asked, &error).at(server),
        }
    }
    outcome
}

async fn call(server: &Server, path: &str, input: &str) -> Result<Reply, ExchangeError> {
    let request = Request::get(format!("{path}{}", encoded(input)))
        .header(AUTHORIZATION, CREDENTIALS)
        .body(Empty::<Bytes>::new())
        .map_err(|error| ExchangeError::Broken(server.socket(), error.into()))?;
    exchange(server.socket(), request, WITHIN).await
}

/// What is typed, as the rest of a path that nothing in it can end.
fn encoded(input: &str) -> impl std::fmt::Display {
    utf8_percent_encode(input, ENCODED)
}

fn understand(asked: String, server: Server, reply: &Reply) -> Outcome {
    if reply.status == StatusCode::BAD_REQUEST
        && let Ok(Refusal { error, position }) = serde_json::from_slice(&reply.body)
    {
        let check = format!("what is typed, at character {position}");
        return Outcome::Error { error, asked, check, position: Some(position), srv: Some(server) };
    }
    match serde_json::from_slice(&reply.body) {
        Ok(answer) if reply.status.is_success() => Outcome::Ok { answer, srv: server },
        _ => Outcome::Error {
            error: format!("{} answered {}, and not as this service does", server.socket(), reply.status),
            asked,
            check: "whether another program serves at that port, and who registered it".into(),
            position: None,
            srv: Some(server),
        },
    }
}

fn empty(path: &str) -> Outcome {
    Outcome::Error {
        error: "nothing was typed".into(),
        asked: format!("GET {path}"),
        check: "the box above; there are examples below it".into(),
        position: Some(1),
        srv: None,
    }
}

fn not_found(service: &Name, error: &FindError) -> Outcome {
    let name = plain(service);
    let check = match error {
        FindError::NoName | FindError::NoRecord => {
            "whether a container of the service runs and is healthy, and whether this resolver knows the zone"
        }
        FindError::NoAddress(_) => "whether the host's address record was registered, or was deleted by hand",
        FindError::Late | FindError::Dns(_) => "the name server in /etc/resolv.conf, and the way there",
    };
    Outcome::error(format!("{name} SRV"), error, format!("{check}: dig SRV {name}"))
}

fn not_reached(asked: String, error: &ExchangeError) -> Outcome {
    let check = match error {
        ExchangeError::Refused(_) => {
            "whether the container stopped just now (then ask again), and whether its port is published"
        }
        ExchangeError::Connect(..) | ExchangeError::Late(..) => {
            "the way there: security groups, routes, and the load of the service"
        }
        ExchangeError::Broken(..) => "the service's log, and whether it speaks HTTP at that port",
    };
    Outcome::error(asked, error, check.into())
}
