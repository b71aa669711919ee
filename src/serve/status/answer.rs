//! From a request to its answer.
//!
//! Owns the paths, who may ask for them, and what a browser may do with what it gets.

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::content::{Content, Shown};
use super::host::{self, Stranger};
use super::page::page;
use crate::status::metrics::CONTENT_TYPE as CONTENT_TYPE_OF_METRICS;

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
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
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    if !request.body().is_end_stream() {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "a question has no body\n");
    }
    let shown = content.look();
    if via == Via::Network {
        let names = own_names(&shown);
        match host::check(request.uri(), request.version(), request.headers(), &names) {
            Ok(()) => {}
            Err(Stranger::Unclear) => return text(StatusCode::BAD_REQUEST, "one Host header is needed\n"),
            Err(Stranger::Elsewhere) => {
                let says =
                    "this is not the host that was asked for: ask by its address, localhost, or its name\n";
                return text(StatusCode::MISDIRECTED_REQUEST, says);
            }
        }
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
    let field = |name: &str| {
        let fields = query.split('&').filter_map(|field| field.split_once('='));
        let (_, value) = fields.into_iter().find(|(key, _)| *key == name)?;
        percent_decode_str(&value.replace('+', " ")).decode_utf8().ok().map(|value| value.into_owned())
    };
    match field("name") {
        Some(name) => {
            elsewhere(content.source().ask(&name, &field("type").unwrap_or_else(|| "SRV".to_owned())))
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

fn text(status: StatusCode, text: &str) -> Answer {
    with_type(status, TEXT, Bytes::copy_from_slice(text.as_bytes()))
}

fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
