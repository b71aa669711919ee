//! What is refused whatever it asks for, and what stands in the head of each answer.

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::host::{self, Stranger};

/// An answer.
pub(in crate::serve) type Answer = Response<Full<Bytes>>;

/// The type of a text.
pub(in crate::serve) const TEXT: &str = "text/plain; charset=utf-8";
/// The type of a value.
pub(in crate::serve) const JSON: &str = "application/json";

/// The answer to what is no question.
pub(in crate::serve) fn refused<B: Body>(request: &Request<B>) -> Option<Answer> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Some(answer);
    }
    let has_body = !request.body().is_end_stream();
    has_body.then(|| text(StatusCode::PAYLOAD_TOO_LARGE, "a question has no body\n"))
}

/// The answer to what is asked of somebody else than this host, which has these names.
pub(in crate::serve) fn strange<B>(request: &Request<B>, names: &[String]) -> Option<Answer> {
    match host::check(request.uri(), request.version(), request.headers(), names) {
        Ok(()) => None,
        Err(Stranger::Unclear) => Some(text(StatusCode::BAD_REQUEST, "one Host header is needed\n")),
        Err(Stranger::Elsewhere) => {
            let says =
                "this is not the host that was asked for: ask by its address, localhost, or its name\n";
            Some(text(StatusCode::MISDIRECTED_REQUEST, says))
        }
    }
}

/// A field of a query, as a form says it: `name=…&type=…`.
pub(in crate::serve) fn field(query: &str, name: &str) -> Option<String> {
    let mut fields = query.split('&').filter_map(|field| field.split_once('='));
    let (_, value) = fields.find(|(key, _)| *key == name)?;
    percent_decode_str(&value.replace('+', " ")).decode_utf8().ok().map(|value| value.into_owned())
}

/// An answer of this text.
pub(in crate::serve) fn text(status: StatusCode, text: &str) -> Answer {
    with_type(status, TEXT, Bytes::copy_from_slice(text.as_bytes()))
}

/// An answer of this type.
pub(in crate::serve) fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
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
