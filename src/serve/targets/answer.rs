//! From a request to its answer: the one path, and how old what is told may be called.

use hyper::body::{Body, Bytes};
use hyper::header::{AGE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};

use super::directory::{Directory, Said};
use crate::serve::web::{Answer, JSON, field, refused, strange, text, with_type};

const PATH: &str = "/sd/prometheus";
const HOW: &str = "ask for /sd/prometheus?name=_calc._tcp\n";

/// Answers a request.
pub(super) async fn answer<B: Body>(request: &Request<B>, directory: &Directory) -> Answer {
    if let Some(refused) = refused(request).or_else(|| strange(request, directory.own_names())) {
        return refused;
    }
    if request.uri().path() != PATH {
        return text(StatusCode::NOT_FOUND, HOW);
    }
    let Some(name) = field(request.uri().query().unwrap_or_default(), "name") else {
        return text(StatusCode::BAD_REQUEST, HOW);
    };
    match directory.targets(&name).await {
        Said::Targets { json, age } => {
            let answer = with_type(StatusCode::OK, JSON, Bytes::copy_from_slice(json.as_bytes()));
            with_seconds(answer, AGE, age.as_secs())
        }
        Said::NotOfZone(reason) => {
            text(StatusCode::BAD_REQUEST, &format!("{:?} {reason}\n", name.escape_debug().to_string()))
        }
        // Prometheus keeps the targets that it has, as for every answer but 200.
        Said::NotNow { reason, again } => {
            let seconds = again.as_secs().max(1);
            let answer =
                text(StatusCode::SERVICE_UNAVAILABLE, &format!("{reason}; ask again in {seconds} s\n"));
            with_seconds(answer, RETRY_AFTER, seconds)
        }
    }
}

fn with_seconds(mut answer: Answer, name: HeaderName, seconds: u64) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from(seconds));
    answer
}
