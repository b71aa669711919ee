//! Bytes are an answer of Route 53 or EC2; the first octet says to which call. Whatever it is, it is read without a
//! panic, what is shown of it is printable, and what breaks off is no page.
#![no_main]

use std::sync::{Arc, Mutex, OnceLock};

use aws_credential_types::Credentials;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::{BehaviorVersion, Config, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use ecssd::janitor::reader::ec2::answer;
use ecssd::zone::Zone;
use ecssd::zone::route53::{Route53Zone, answer as failure};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((call, answer)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(answer);
    match call.wrapping_sub(b'0') % 7 {
        0 => shown(&failure::read(400, answer).to_string()),
        1 => shown(&failure::read(429, answer).to_string()),
        2 => {
            let Ok(page) = answer::instances(&text) else { return };
            assert!(text.trim_end().ends_with('>') && page.next.as_deref() != Some(""));
        }
        3 => {
            let Ok(page) = answer::attached(&text) else { return };
            assert!(text.trim_end().ends_with('>') && page.next.as_deref() != Some(""));
        }
        4 => shown(&answer::error(&text)),
        5 => list(answer),
        _ => {
            let Ok(page) = answer::vpcs(&text) else { return };
            assert!(text.trim_end().ends_with('>') && page.next.as_deref() != Some(""));
        }
    }
});

/// What is logged and told to a service manager.
fn shown(text: &str) {
    assert!(text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic()), "{text:?}");
}

/// A page of the zone; where it asks for another, that one fails.
fn list(answer: &[u8]) {
    static ROUTE53: OnceLock<(Said, Route53Zone)> = OnceLock::new();
    let (said, zone) = ROUTE53.get_or_init(|| {
        let said = Said::default();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "fuzz"))
            .retry_config(RetryConfig::disabled())
            .http_client(said.clone());
        let client = Client::from_conf(config.build());
        (said, Route53Zone::new(client, "sd.internal".to_owned(), "Z1".to_owned()))
    });
    *said.0.lock().expect("nobody panicked") = Some(answer.to_vec());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    match runtime.block_on(zone.list(None, 300)) {
        Ok(page) => {
            assert!(page.sets.len() <= 300 && page.sets.iter().all(|set| !set.to_string().is_empty()))
        }
        Err(error) => shown(&error.to_string()),
    }
}

/// What the service says next.
#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<Option<Vec<u8>>>>);

impl HttpClient for Said {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Said {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let said = self.0.lock().expect("nobody panicked").take();
        let (status, body) = said.map_or((500, Vec::new()), |body| (200, body));
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}
