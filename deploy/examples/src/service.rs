//! The frame around `time` and `calc`: routes, credentials, and the JSON that carries an answer.
//!
//! A service brings its path and a function from a text to a text; everything of HTTP is here, and the
//! function knows nothing of it.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::identity::Identity;

/// What a client sends as `Authorization`: `admin:password`, in base 64.
///
/// The manual says them, so that they are compared without regard for timing.
pub const CREDENTIALS: &str = "Basic YWRtaW46cGFzc3dvcmQ=";

/// A service's answer, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The result.
    pub value: String,
    /// The container that computed it.
    pub containerid: String,
    /// The instance that the container runs on.
    pub instanceid: String,
}

/// Why a service has no answer to a question: the question is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// What is wrong.
    pub error: String,
    /// Where it is wrong, in characters from 1.
    pub position: usize,
}

/// The routes of a service: `GET /name/<question>` for the credentials' owner, `GET /health` for all.
///
/// The question is all of the rest of the path, percent-decoded: it may hold slashes, and a plus is a plus.
pub fn router<F>(name: &str, example: &str, identity: Identity, compute: F) -> Router
where
    F: Fn(&str) -> Result<String, Refusal> + Clone + Send + Sync + 'static,
{
    let prefix = format!("/{name}/");
    let hint = format!("there is GET {prefix}{example} (with basic auth), and GET /health\n");
    let answer = {
        let prefix = prefix.clone();
        move |_: Admin, uri: Uri| {
            let question = uri.path().strip_prefix(&prefix).unwrap_or_default();
            let response = answer(question, &identity, &compute);
            async move { response }
        }
    };
    Router::new()
        // A wildcard matches no empty rest.
        .route(&prefix, get(answer.clone()))
        .route(&format!("{prefix}{{*question}}"), get(answer))
        .route("/health", get(health))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(async move || (StatusCode::NOT_FOUND, format!("no such page; {hint}")))
}

/// Says that the process serves; for health checks, which know no credentials.
pub async fn health() -> &'static str {
    "ok"
}

/// Refuses a method other than GET.
pub async fn method_not_allowed() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, "method not allowed; use GET\n").into_response()
}

fn answer(raw: &str, identity: &Identity, compute: impl Fn(&str) -> Result<String, Refusal>) -> Response {
    let answer = match percent_decode_str(raw).decode_utf8() {
        Ok(question) => compute(&question),
        Err(error) => Err(not_utf8(raw, error.valid_up_to())),
    };
    match answer {
        Ok(value) => Json(Answer {
            value,
            containerid: identity.container().to_owned(),
            instanceid: identity.instance().to_owned(),
        })
        .into_response(),
        Err(refusal) => (StatusCode::BAD_REQUEST, Json(refusal)).into_response(),
    }
}

fn not_utf8(raw: &str, valid_bytes: usize) -> Refusal {
    let valid: Vec<u8> = percent_decode_str(raw).take(valid_bytes).collect();
    let position = String::from_utf8_lossy(&valid).chars().count() + 1;
    let error =
        format!("the percent-encoded bytes at position {position} are not UTF-8; encode them as such");
    Refusal { error, position }
}

/// Proof that the request came with the [`CREDENTIALS`].
struct Admin;

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let sent = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        if sent.is_some_and(matches_credentials) {
            return Ok(Self);
        }
        let ask = [(WWW_AUTHENTICATE, r#"Basic realm="ecssd examples", charset="UTF-8""#)];
        let text = "this wants basic auth; with curl: -u admin:password\n";
        Err((StatusCode::UNAUTHORIZED, ask, text).into_response())
    }
}

/// The scheme's name is in any case (RFC 9110, section 11.1); what follows is not.
fn matches_credentials(sent: &str) -> bool {
    match (sent.split_once(' '), CREDENTIALS.split_once(' ')) {
        (Some((scheme, sent)), Some((wanted_scheme, wanted))) => {
            scheme.eq_ignore_ascii_case(wanted_scheme) && sent.trim_start() == wanted
        }
        _ => false,
    }
}
