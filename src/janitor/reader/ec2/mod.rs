//! EC2, by two calls of its Query API: instances and network interfaces.
//!
//! Signed by hand with the SDK's own signer: the SDK's crate for EC2 takes minutes to compile, for a few fields
//! of two answers. [`answer`] reads the XML.

pub mod answer;

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use self::answer::{Instance, Interface, Page};
use super::paced::Paced;
use crate::aws::CALL_LIMIT;
use crate::zone::pacing::Rate;
use crate::zone::route53::chain;

/// Half of what an account has in each region for calls that describe.
/// Source: EC2 developer guide, "Request throttling for the Amazon EC2 API".
const RATE: Rate = Rate { per_second: 10.0, burst: 10.0 };
/// So that no answer is larger than about a megabyte: an instance takes up to 8 kB.
const PAGE: &str = "200";
/// Source: EC2 API reference.
const VERSION: &str = "2016-11-15";
/// Credentials that hold for less are not used any more.
const CREDENTIALS_LEFT_MIN: Duration = Duration::from_secs(60);
/// What need not be encoded. Source: RFC 3986, unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// EC2 in one account and region.
pub struct Ec2 {
    endpoint: String,
    region: String,
    provider: SharedCredentialsProvider,
    /// What it gave: it may ask another service each time.
    credentials: Option<Credentials>,
    connector: SharedHttpConnector,
    calls: Paced,
}

impl fmt::Debug for Ec2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ec2").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Ec2 {
    /// Nothing was asked yet. `endpoint` is a URL, without which it is the vendor's.
    pub fn new(
        endpoint: Option<String>,
        region: String,
        provider: SharedCredentialsProvider,
        connector: SharedHttpConnector,
    ) -> Self {
        let endpoint = endpoint.unwrap_or_else(|| {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://ec2.{region}.amazonaws.com{suffix}")
        });
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let calls = Paced::new(RATE);
        Self { endpoint, region, provider, credentials: None, connector, calls }
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.calls()
    }

    /// Tells every instance that EC2 shows, those too that were terminated not long ago.
    pub(super) async fn instances(&mut self, tell: impl FnMut(Instance)) -> Result<(), String> {
        self.pages("DescribeInstances", answer::instances, tell).await
    }

    /// Tells every network interface.
    pub(super) async fn interfaces(&mut self, tell: impl FnMut(Interface)) -> Result<(), String> {
        self.pages("DescribeNetworkInterfaces", answer::interfaces, tell).await
    }

    async fn pages<T>(
        &mut self,
        call: &str,
        read: impl Fn(&str) -> Result<Page<T>, String>,
        mut tell: impl FnMut(T),
    ) -> Result<(), String> {
        let mut token: Option<String> = None;
        loop {
            let text = self.ask(call, token.as_deref()).await?;
            let page = read(&text).map_err(|error| format!("{call}: {error}"))?;
            page.items.into_iter().for_each(&mut tell);
            match page.next {
                Some(next) if token.as_ref() == Some(&next) => {
                    return Err(format!("{call}: the list goes round"));
                }
                Some(next) => token = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn ask(&mut self, call: &str, token: Option<&str>) -> Result<String, String> {
        self.calls.turn().await;
        let mut body = format!("Action={call}&Version={VERSION}&MaxResults={PAGE}");
        if let Some(token) = token {
            body.push_str("&NextToken=");
            body.extend(utf8_percent_encode(token, ENCODED));
        }
        let answer = tokio::time::timeout(CALL_LIMIT, self.send(body)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", CALL_LIMIT.as_secs())));
        match answer.map_err(|error| format!("{call}: {error}"))? {
            (200, text) => Ok(text),
            (status, text) => Err(format!("{call}: HTTP {status}: {}", answer::error(&text))),
        }
    }

    async fn send(&mut self, body: String) -> Result<(u16, String), String> {
        let credentials = self.credentials().await?;
        let request = self.signed(credentials, body)?;
        let answer = self.connector.call(request).await.map_err(|error| chain(&error))?;
        let status = answer.status().as_u16();
        let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| error.to_string())?;
        let text = String::from_utf8(body.to_vec()).map_err(|_| "what came is no text".to_owned())?;
        Ok((status, text))
    }

    async fn credentials(&mut self) -> Result<Credentials, String> {
        let holds = |credentials: &&Credentials| {
            credentials.expiry().is_none_or(|expiry| SystemTime::now() + CREDENTIALS_LEFT_MIN < expiry)
        };
        if let Some(credentials) = self.credentials.as_ref().filter(holds) {
            return Ok(credentials.clone());
        }
        let credentials = self.provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| format!("no credentials: {}", chain(&error)))?;
        Ok(self.credentials.insert(credentials).clone())
    }

    fn signed(&self, credentials: Credentials, body: String) -> Result<HttpRequest, String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("ec2")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| text(&error))?;
        let url = format!("{}/", self.endpoint);
        let kind = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let signable = SignableRequest::new(
            "POST",
            url.as_str(),
            [kind].into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let signed = sign(signable.map_err(|error| text(&error))?, &parameters.into());
        let (instructions, _) = signed.map_err(|error| text(&error))?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(|error| text(&error))?;
        request.set_uri(url).map_err(|error| text(&error))?;
        request.headers_mut().insert(kind.0, kind.1);
        for (name, value) in instructions.headers() {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }
}
