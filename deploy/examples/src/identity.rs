//! Who answers: the container, and the instance that it runs on.
//!
//! Both are for people to look at, so neither may fail or delay a service: what cannot be found out is
//! `unknown`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use http_body_util::Empty;

use crate::exchange::exchange;
use crate::settings;

/// The instance metadata service of EC2.
/// Source: EC2 user guide, "Use the Instance Metadata Service".
const METADATA: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);

/// How long the metadata service may take for everything. Elsewhere than on EC2 nobody answers there.
const METADATA_WITHIN: Duration = Duration::from_secs(1);

/// The names under which a service answers.
#[derive(Clone, Debug)]
pub struct Identity {
    container: Arc<str>,
    instance: Arc<OnceLock<String>>,
}

impl Identity {
    /// The given names.
    pub fn new(container: &str, instance: &str) -> Self {
        Self { container: container.into(), instance: Arc::new(OnceLock::from(instance.to_owned())) }
    }

    /// Finds out the names of this process. The instance's may become known a moment later.
    pub fn discover() -> Self {
        let container = settings::text("HOSTNAME")
            .or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok())
            .map(|name| name.trim().to_owned())
            .unwrap_or_else(unknown);
        if let Some(instance) = settings::text("INSTANCE_ID") {
            return Self::new(&container, &instance);
        }
        let instance = Arc::new(OnceLock::new());
        let found = Arc::clone(&instance);
        tokio::spawn(async move {
            let asked = tokio::time::timeout(METADATA_WITHIN, ask_metadata()).await;
            // Set here and nowhere else, so there is nothing to be told by a failure.
            let _ = found.set(asked.ok().flatten().unwrap_or_else(unknown));
        });
        Self { container: container.into(), instance }
    }

    /// The container's host name, which Docker sets to its short id.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The instance's id, or `unknown`.
    pub fn instance(&self) -> &str {
        self.instance.get().map_or("unknown", String::as_str)
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// Version 2 of the metadata service: first a token, then the question.
async fn ask_metadata() -> Option<String> {
    let token = Request::put("/latest/api/token").header("x-aws-ec2-metadata-token-ttl-seconds", "60");
    let token = text_of(token).await?;
    text_of(Request::get("/latest/meta-data/instance-id").header("x-aws-ec2-metadata-token", token)).await
}

async fn text_of(request: axum::http::request::Builder) -> Option<String> {
    let request = request.body(Empty::<Bytes>::new()).ok()?;
    let reply = exchange(METADATA, request, METADATA_WITHIN).await.ok()?;
    reply.status.is_success().then(|| String::from_utf8(reply.body.into()).ok())?
}
