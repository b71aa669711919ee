//! Reads no more of an answer than can be one. What asks for credentials, and a proxy or a host that took an
//! endpoint's name, may send without end.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};

/// The most octets of an answer's body. A page of a zone has some hundred kilobytes, one of EC2's instances two
/// megabytes.
pub const ANSWER_OCTETS_MAX: usize = 16 << 20;

/// A client or a connector whose answers end there.
#[derive(Debug)]
pub(super) struct Bounded<T>(pub(super) T);

/// Too much came.
#[derive(Debug, thiserror::Error)]
#[error("more than {} MiB came", ANSWER_OCTETS_MAX >> 20)]
struct TooMuch;

impl HttpClient for Bounded<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Bounded(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Bounded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { Ok(answer.await?.map(bounded)) })
    }
}

fn bounded(body: SdkBody) -> SdkBody {
    let limited = Limited::new(body, ANSWER_OCTETS_MAX);
    SdkBody::from_body_1_x(limited.map_err(|error| {
        let is_too_much = error.is::<http_body_util::LengthLimitError>();
        if is_too_much { TooMuch.into() } else { error }
    }))
}
