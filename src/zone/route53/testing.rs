//! A Route 53 that says what it was told to say, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_route53::config::{BehaviorVersion, Config, Region};
use aws_sdk_route53::{Client, config::Builder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;

use super::Route53Zone;

/// What the service does with the next request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Answers with this status and XML.
    Says(u16, String),
    /// Resets the connection.
    Resets,
    /// Keeps silent.
    Waits,
}

/// One request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Method, path and query, such as `GET /2013-04-01/change/C1`.
    pub(super) line: String,
    pub(super) body: String,
}

/// The service. A clone is another handle to the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Canned {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Canned {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let canned = Self::default();
        canned.replies.lock().unwrap().extend(replies);
        canned
    }

    /// Answers all with success.
    pub(super) fn ok<'a>(bodies: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(bodies.into_iter().map(|body| Reply::Says(200, body.to_owned())))
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Methods, paths and queries of all requests so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    pub(super) fn config(&self) -> Builder {
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone())
    }

    pub(super) fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    pub(super) fn zone(&self) -> Route53Zone {
        Route53Zone::new(self.client(), "SD.internal.".to_owned(), "/hostedzone/Z1".to_owned())
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let path = request.uri().trim_start_matches("https://route53.amazonaws.com");
        let body = request.body().bytes().unwrap_or_default();
        self.asked.lock().unwrap().push(Asked {
            line: format!("{} {path}", request.method()),
            body: String::from_utf8(body.to_owned()).unwrap(),
        });
        match self.replies.lock().unwrap().pop_front().expect("one request too many") {
            Reply::Says(status, body) => HttpConnectorFuture::ready(Ok(HttpResponse::new(
                status.try_into().unwrap(),
                SdkBody::from(body),
            ))),
            Reply::Resets => {
                HttpConnectorFuture::ready(Err(ConnectorError::io("connection reset by peer".into())))
            }
            Reply::Waits => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

/// An error in the form that the service uses now.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::Says(
        status,
        format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
             <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>"
        ),
    )
}
