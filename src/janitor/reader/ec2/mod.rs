//! EC2, by three calls of its Query API: instances, VPCs and network interfaces.
//!
//! Signed by hand with the SDK's own signer: the SDK's crate for EC2 takes minutes to compile, for a few fields
//! of two answers. [`answer`] reads the XML.

pub mod answer;

use std::fmt;
use std::sync::{Mutex, PoisonError};
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

use self::answer::{AnswerError, Instance, Page, Vpc};
use super::Limit;
use super::paced::{Failure, Paced, Unread};
use crate::aws::CALL_LIMIT;
use crate::change::pacing::Rate;
use crate::record::Owner;
use crate::zone::Course;
use crate::zone::route53::said;

/// Half of what an account has in each region for calls that describe.
/// Source: EC2 developer guide, "Request throttling for the Amazon EC2 API".
const RATE: Rate = Rate { per_second: 10.0, burst: 10.0 };
/// So that no answer is larger than about a megabyte: an instance takes up to 8 kB.
const PAGE: &str = "200";
/// Of one filter. Source: EC2 API reference, DescribeInstances.
const FILTER_VALUES_MAX: usize = 200;
/// Source: EC2 API reference.
const VERSION: &str = "2016-11-15";
/// Credentials that hold for less are not used any more.
const CREDENTIALS_LEFT_MIN: Duration = Duration::from_secs(60);
/// What need not be encoded. Source: RFC 3986, unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SendError {
    /// There is nothing to sign with.
    #[error("no credentials: {0}")]
    Credentials(String),
    /// It cannot be signed.
    #[error("{0}")]
    Signing(String),
    /// The connection failed.
    #[error("{0}")]
    Connection(String),
    /// What came is not UTF-8.
    #[error("what came is no text")]
    NoText,
    /// Nothing came.
    #[error("no answer within {} s", CALL_LIMIT.as_secs())]
    TimedOut,
}

/// EC2 in one account and region.
pub struct Ec2 {
    endpoint: String,
    region: String,
    provider: SharedCredentialsProvider,
    /// What it gave: it may ask another service each time.
    credentials: Mutex<Option<Credentials>>,
    connector: SharedHttpConnector,
    calls: Paced,
}

impl fmt::Debug for Ec2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ec2").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Ec2 {
    /// Nothing was asked yet. `endpoint` is a URL.
    pub fn new(
        endpoint: String,
        region: String,
        provider: SharedCredentialsProvider,
        connector: SharedHttpConnector,
    ) -> Self {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let calls = Paced::new(RATE);
        Self { endpoint, region, provider, credentials: Mutex::default(), connector, calls }
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.calls()
    }

    /// Tells every instance that EC2 shows, those too that were terminated not long ago; or of these ids alone.
    pub(super) async fn instances(
        &self,
        ids: &[String],
        tell: &mut impl FnMut(Instance),
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        self.pages("DescribeInstances", ("instance-id", ids), answer::instances, tell, limit).await
    }

    /// Tells those of these VPCs that this account sees.
    pub(super) async fn vpcs(
        &self,
        ids: &[String],
        tell: &mut impl FnMut(Vpc),
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        self.pages("DescribeVpcs", ("vpc-id", ids), answer::vpcs, tell, limit).await
    }

    /// Tells of each interface that is attached to one of these instances which one that is.
    pub(super) async fn attached(
        &self,
        ids: &[String],
        tell: &mut impl FnMut(Option<Owner>),
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let filter = ("attachment.instance-id", ids);
        self.pages("DescribeNetworkInterfaces", filter, answer::attached, tell, limit).await
    }

    async fn pages<T>(
        &self,
        call: &str,
        (filter, values): (&str, &[String]),
        read: fn(&str) -> Result<Page<T>, AnswerError>,
        tell: &mut impl FnMut(T),
        limit: Limit<'_>,
    ) -> Result<(), Unread> {
        let all = [&values[..0]];
        let some: Vec<&[String]> = values.chunks(FILTER_VALUES_MAX).collect();
        for values in if values.is_empty() { &all[..] } else { &some[..] } {
            let question = question(call, filter, values);
            let (mut token, mut course) = (None::<String>, Course::default());
            loop {
                let page = self.ask(&question, token.as_deref(), read, limit).await;
                let page = page.map_err(|unread| unread.of(call))?;
                page.items.into_iter().for_each(&mut *tell);
                let Some(next) = page.next else { break };
                course.go_on(next.clone()).map_err(|endless| Unread::Failed(format!("{call}: {endless}")))?;
                token = Some(next);
            }
        }
        Ok(())
    }

    async fn ask<T>(
        &self,
        question: &str,
        token: Option<&str>,
        read: fn(&str) -> Result<Page<T>, AnswerError>,
        limit: Limit<'_>,
    ) -> Result<Page<T>, Unread> {
        let mut body = question.to_owned();
        if let Some(token) = token {
            body.push_str("&NextToken=");
            body.extend(utf8_percent_encode(token, ENCODED));
        }
        let mut attempts = self.calls.attempts(limit);
        loop {
            attempts.turn().await?;
            let answer = tokio::time::timeout(CALL_LIMIT, self.send(body.clone())).await;
            let page = match answer.unwrap_or(Err(SendError::TimedOut)) {
                Ok((200, text)) => read(&text).map_err(|error| Failure::Passing(error.to_string())),
                Ok((status, text)) => Err(refusal(status, &answer::error(&text))),
                Err(error) => Err(Failure::Passing(error.to_string())),
            };
            if let Some(page) = attempts.settle(page)? {
                return Ok(page);
            }
        }
    }

    async fn send(&self, body: String) -> Result<(u16, String), SendError> {
        let credentials = self.credentials().await?;
        let request = self.signed(credentials, body)?;
        let answer =
            self.connector.call(request).await.map_err(|error| SendError::Connection(said(&error)))?;
        let status = answer.status().as_u16();
        let body = ByteStream::new(answer.into_body())
            .collect()
            .await
            .map_err(|error| SendError::Connection(said(&error)))?;
        let text = String::from_utf8(body.to_vec()).map_err(|_| SendError::NoText)?;
        Ok((status, text))
    }

    async fn credentials(&self) -> Result<Credentials, SendError> {
        let holds = |credentials: &Credentials| {
            credentials.expiry().is_none_or(|expiry| SystemTime::now() + CREDENTIALS_LEFT_MIN < expiry)
        };
        let kept = || self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().clone();
        if let Some(credentials) = known.filter(holds) {
            return Ok(credentials);
        }
        let credentials = self.provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| SendError::Credentials(said(&error)))?;
        *kept() = Some(credentials.clone());
        Ok(credentials)
    }

    fn signed(&self, credentials: Credentials, body: String) -> Result<HttpRequest, SendError> {
        let text = |error: &dyn std::error::Error| SendError::Signing(error.to_string());
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

/// All but the token of the page.
fn question(call: &str, filter: &str, values: &[String]) -> String {
    let mut question = format!("Action={call}&Version={VERSION}&MaxResults={PAGE}");
    if !values.is_empty() {
        question.push_str("&Filter.1.Name=");
        question.push_str(filter);
    }
    for (number, value) in values.iter().enumerate() {
        question.push_str(&format!("&Filter.1.Value.{}=", number + 1));
        question.extend(utf8_percent_encode(value, ENCODED));
    }
    question
}

/// What says no to the question itself says so again; all else may pass.
fn refusal(status: u16, reason: &str) -> Failure {
    let is_throttled = reason.contains("RequestLimitExceeded") || reason.contains("Throttl");
    let reason = format!("HTTP {status}: {reason}");
    if (400..500).contains(&status) && !is_throttled {
        Failure::Final(reason)
    } else {
        Failure::Passing(reason)
    }
}
