//! What EC2 says of this host: the instance metadata service, version 2.
//!
//! A token first (a PUT, which no proxy and no fooled web server sends by accident), then plain GETs with
//! it. A service that gives no token is not believed: OpenStack and others answer version 1 at the same
//! address, and name their hosts in the same way. Bounded in time and size; whether to wait for it is
//! [`crate::edge::host::identity`]'s business. [`vpc`] is which addresses are the VPC's.

pub mod vpc;

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};

use crate::aws::names::Names;
use crate::container::Timestamp;
use crate::record::is_target;

/// Where it is, unless told otherwise. Source: EC2 user guide, "Access instance metadata".
pub const ENDPOINT: &str = "http://169.254.169.254";
/// Names another endpoint, as for the SDKs. Source: AWS SDKs reference guide, "IMDS credential provider".
pub const ENDPOINT_VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// `true` switches it off, as for the SDKs. Source: as above.
pub const DISABLED_VARIABLE: &str = "AWS_EC2_METADATA_DISABLED";

/// It is in the hypervisor, a fraction of a millisecond away; off EC2 nobody answers at all.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);
/// For one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// For all that is asked of it.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(2);
/// The most bytes of an answer; a token has 56, a value fewer than 100.
const ANSWER_BYTES_MAX: usize = 4096;
/// How long a token holds: as long as it takes to ask, and some.
const TOKEN_SECONDS: &str = "60";

/// Why it did not say what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImdsError {
    /// The endpoint that was given is none.
    Endpoint(String),
    /// Nobody is there.
    Unreachable {
        /// Where it was asked.
        endpoint: String,
        /// What the system said.
        reason: String,
    },
    /// It took the connection and gave no token.
    NoToken {
        /// Where it was asked.
        endpoint: String,
    },
    /// It is switched off for this instance.
    Off {
        /// Where it was asked.
        endpoint: String,
    },
    /// It answers, but not as IMDSv2 does.
    Odd {
        /// Where it was asked.
        endpoint: String,
        /// What it was asked.
        path: String,
        /// What came instead.
        reason: String,
    },
}

impl ImdsError {
    /// What is the case.
    pub fn what(&self) -> String {
        match self {
            Self::Endpoint(given) => {
                format!("{ENDPOINT_VARIABLE}: {given:?} is not a URL such as {ENDPOINT}")
            }
            Self::Unreachable { endpoint, reason } => format!(
                "{endpoint} cannot be reached ({reason}): not on EC2, or something between here and it blocks it"
            ),
            Self::NoToken { endpoint } => format!("{endpoint} takes connections but sends no token"),
            Self::Off { endpoint } => format!("{endpoint} refuses to answer (403)"),
            Self::Odd { endpoint, path, reason } => format!("{endpoint}{path}: {reason}"),
        }
    }

    /// What to do, where that follows from it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::NoToken { .. } => Some(
                "from a container's own network the token needs two hops: aws ec2 modify-instance-metadata-options \
                 --http-put-response-hop-limit 2, or run with --network host",
            ),
            Self::Off { .. } => {
                Some("switch it on: aws ec2 modify-instance-metadata-options --http-endpoint enabled")
            }
            Self::Endpoint(_) | Self::Unreachable { .. } | Self::Odd { .. } => None,
        }
    }
}

impl fmt::Display for ImdsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        self.remedy().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

impl std::error::Error for ImdsError {}

/// What it says of this instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The instance's id, `i-…`: unique, and never used again.
    pub id: String,
    /// The primary address.
    pub address: Ipv4Addr,
    /// The private DNS name, by which the system that this one replaces goes.
    pub host_name: Option<String>,
    /// The region, such as `eu-central-1`.
    pub region: Option<String>,
    /// The VPC of the primary interface, `vpc-…`.
    pub vpc: Option<String>,
    /// When it was last started, as EC2 signs it.
    pub launched: Option<Timestamp>,
}

/// The instance metadata service.
#[derive(Clone, Debug)]
pub struct Imds {
    endpoint: String,
    client: reqwest::Client,
}

impl Imds {
    /// The service as these variables of the environment say; `None` where they switch it off.
    ///
    /// # Errors
    /// When the endpoint is no plain `http` URL.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ImdsError> {
        let given = |name| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if given(DISABLED_VARIABLE).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        Self::at(given(ENDPOINT_VARIABLE).as_deref().unwrap_or(ENDPOINT)).map(Some)
    }

    /// The service at this base URL.
    ///
    /// # Errors
    /// When it is no plain `http` URL.
    pub fn at(endpoint: &str) -> Result<Self, ImdsError> {
        let bad = |_| ImdsError::Endpoint(endpoint.to_owned());
        let url = reqwest::Url::parse(endpoint).map_err(|_| bad(()))?;
        if url.scheme() != "http" || url.host().is_none() {
            return Err(bad(()));
        }
        let client = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(Names::shared())
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .build()
            .map_err(|_| bad(()))?;
        Ok(Self { endpoint: endpoint.trim_end_matches('/').to_owned(), client })
    }

    /// Where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Asks for all that there is to know of this instance; at most two seconds.
    ///
    /// # Errors
    /// When it is not there, gives no token, or answers oddly.
    pub async fn instance(&self) -> Result<Instance, ImdsError> {
        let late = |_| self.odd("/latest/meta-data", format!("no answer within {TOTAL_TIMEOUT:?}"));
        tokio::time::timeout(TOTAL_TIMEOUT, self.ask()).await.map_err(late)?
    }

    async fn ask(&self) -> Result<Instance, ImdsError> {
        let session = self.session().await?;
        let id = session.value("instance-id", is_instance_id).await?;
        let address = session.value("local-ipv4", |text| text.parse().is_ok_and(is_target)).await?;
        let region = session.optional("placement/region", is_word).await?;
        let host_name = session.optional("local-hostname", is_host_name).await?;
        let vpc = match session.optional("mac", is_mac).await? {
            Some(mac) => session.optional(&format!("network/interfaces/macs/{mac}/vpc-id"), is_word).await?,
            None => None,
        };
        // It only saves a call: whatever is wrong with it is no reason to wait.
        let document = session.document().await.ok().flatten();
        let launched = document.and_then(|document| launched(&document));
        let address = address.parse().map_err(|_| self.odd("local-ipv4", "no address".to_owned()))?;
        Ok(Instance { id, address, host_name, region, vpc, launched })
    }

    /// Gets a token.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn session(&self) -> Result<Session<'_>, ImdsError> {
        let path = "/latest/api/token";
        let asked = self
            .client
            .request(Method::PUT, format!("{}{path}", self.endpoint))
            .header("X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS);
        let answer = asked.send().await.map_err(|error| match error.is_connect() {
            true => ImdsError::Unreachable { endpoint: self.endpoint.clone(), reason: cause(&error) },
            // The answer to the PUT, and nothing else, goes as many hops as the instance's setting says.
            false if error.is_timeout() => ImdsError::NoToken { endpoint: self.endpoint.clone() },
            false => self.odd(path, cause(&error)),
        })?;
        let token = match self.body(path, answer).await? {
            Some(token) if is_token(&token) => token,
            Some(_) => return Err(self.odd(path, "what came is no token".to_owned())),
            None => return Err(self.odd(path, "it knows no tokens: this is not IMDSv2".to_owned())),
        };
        Ok(Session { imds: self, token })
    }

    /// The text of an answer; `None` where there is none of that name.
    async fn body(&self, path: &str, mut answer: Response) -> Result<Option<String>, ImdsError> {
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::FORBIDDEN => return Err(ImdsError::Off { endpoint: self.endpoint.clone() }),
            status => return Err(self.odd(path, format!("it answers {status}"))),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.odd(path, cause(&error)))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(self.odd(path, format!("more than {ANSWER_BYTES_MAX} bytes came")));
            }
        }
        let text = String::from_utf8(body).map_err(|_| self.odd(path, "what came is no text".to_owned()))?;
        Ok(Some(text.trim().to_owned()))
    }

    fn odd(&self, path: &str, reason: String) -> ImdsError {
        ImdsError::Odd { endpoint: self.endpoint.clone(), path: path.to_owned(), reason }
    }
}

/// A token, and what may be asked with it for a minute.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    imds: &'a Imds,
    token: String,
}

impl Session<'_> {
    /// The value of this path below `/latest/meta-data`; `None` where there is none.
    ///
    /// # Errors
    /// When it does not answer, or oddly.
    pub async fn get(&self, path: &str) -> Result<Option<String>, ImdsError> {
        self.get_at(&format!("/latest/meta-data/{path}")).await
    }

    /// What EC2 signs of the instance, as JSON; `None` where there is none.
    async fn document(&self) -> Result<Option<String>, ImdsError> {
        self.get_at("/latest/dynamic/instance-identity/document").await
    }

    async fn get_at(&self, path: &str) -> Result<Option<String>, ImdsError> {
        let url = format!("{}{path}", self.imds.endpoint);
        let asked = self.imds.client.get(url).header("X-aws-ec2-metadata-token", &self.token);
        let answer = asked.send().await.map_err(|error| self.imds.odd(path, cause(&error)))?;
        self.imds.body(path, answer).await
    }

    async fn optional(&self, path: &str, good: fn(&str) -> bool) -> Result<Option<String>, ImdsError> {
        match self.get(path).await? {
            Some(text) if !good(&text) => Err(self.bad(path)),
            value => Ok(value),
        }
    }

    pub(super) async fn value(&self, path: &str, good: fn(&str) -> bool) -> Result<String, ImdsError> {
        self.optional(path, good).await?.ok_or_else(|| self.bad(path))
    }

    pub(super) fn bad(&self, path: &str) -> ImdsError {
        self.imds.odd(&format!("/latest/meta-data/{path}"), "what came cannot be one".to_owned())
    }
}

/// The innermost reason: reqwest's own text hides it behind "error sending request".
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Source: EC2 user guide, "Instance identity documents": `pendingTime`.
fn launched(document: &str) -> Option<Timestamp> {
    let document: serde_json::Value = serde_json::from_str(document).ok()?;
    Timestamp::from_docker(document.get("pendingTime")?.as_str()?).ok()?
}

fn is_instance_id(text: &str) -> bool {
    text.len() <= 32 && text.strip_prefix("i-").is_some_and(|id| !id.is_empty() && is_word(id))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_host_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-. ".contains(&b))
}

pub(super) fn is_mac(text: &str) -> bool {
    text.len() == 17 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
}

#[cfg(test)]
pub(super) mod tests;
