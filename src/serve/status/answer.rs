//! From a request to its answer.
//!
//! Owns the paths, who may ask for them, and what a browser may do with what it gets.

use hyper::body::Body;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Request, StatusCode};

use super::content::{Content, Shown};
use super::page::page;
use crate::serve::web::{Answer, JSON, TEXT, field, refused, strange, text, with_type};
use crate::status::metrics::CONTENT_TYPE as CONTENT_TYPE_OF_METRICS;

const PATHS: &str = "/, /health/live, /health/ready, /metrics, /status.json, /status.txt; with --local /ask?name=NAME&type=SRV, /zone.txt";

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// Over the network.
    Network,
    /// Over the socket in the file system, which no browser opens.
    Socket,
}

/// Answers a request.
pub(super) fn answer<B: Body>(request: &Request<B>, via: Via, content: &Content) -> Answer {
    if let Some(refused) = refused(request) {
        return refused;
    }
    let shown = content.look();
    if via == Via::Network
        && let Some(refused) = strange(request, &own_names(&shown))
    {
        return refused;
    }
    match request.uri().path() {
        "/" => html(&shown),
        "/health/live" => health(shown.dead_parts(), "alive"),
        "/health/ready" => health(shown.reasons(), "ready"),
        "/ask" => ask(request.uri().query().unwrap_or_default(), content),
        "/zone.txt" => elsewhere(content.source().zone()),
        "/metrics" => with_type(StatusCode::OK, CONTENT_TYPE_OF_METRICS, shown.metrics()),
        "/status.json" => with_type(StatusCode::OK, JSON, shown.json()),
        "/status.txt" => with_type(StatusCode::OK, TEXT, shown.text()),
        _ => text(StatusCode::NOT_FOUND, &format!("there is {PATHS}\n")),
    }
}

/// Of `name=…&type=…`, as a form says it.
fn ask(query: &str, content: &Content) -> Answer {
    match field(query, "name") {
        Some(name) => {
            elsewhere(content.source().ask(&name, &field(query, "type").unwrap_or_else(|| "SRV".to_owned())))
        }
        None => text(StatusCode::BAD_REQUEST, "ask for /ask?name=_web._tcp&type=SRV\n"),
    }
}

fn elsewhere(said: Option<String>) -> Answer {
    match said {
        Some(said) => text(StatusCode::OK, &said),
        None => text(StatusCode::NOT_FOUND, "the zone is not in this process: ask a name server, with dig\n"),
    }
}

fn html(shown: &Shown) -> Answer {
    let (body, policy) = page(shown, fastrand::u128(..));
    let mut answer = with_type(StatusCode::OK, "text/html; charset=utf-8", body);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

fn own_names(shown: &Shown) -> Vec<String> {
    let Some(host) = &shown.status.host else { return Vec::new() };
    vec![host.owner.to_ascii_lowercase(), host.name.to_ascii_lowercase()]
}

fn health(wrong: Vec<String>, well: &str) -> Answer {
    if wrong.is_empty() {
        return text(StatusCode::OK, &format!("{well}\n"));
    }
    let wrong: String = wrong.iter().map(|wrong| format!("{wrong}\n")).collect();
    text(StatusCode::SERVICE_UNAVAILABLE, &format!("not {well}\n{wrong}"))
}
