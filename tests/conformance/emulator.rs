//! The emulator: zones in it, made by the vendor's SDK, and the system's own client of them.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_route53::Client;
use aws_sdk_route53::config::Credentials;
use aws_sdk_route53::types::{HostedZoneConfig, Vpc, VpcRegion};
use ecssd::zone::route53::{self, Route53Zone};

use crate::case::Case;
use crate::trial::Transcript;

pub struct Emulator {
    pub client: Client,
    /// Tells the zones of this run from those of others: the emulator may be anybody's.
    pub run: String,
    zones: AtomicU64,
}

impl Emulator {
    /// The one that this run is given; `None`, said on stderr, where it is given none.
    pub async fn of_this_run() -> Option<Self> {
        let Ok(url) = std::env::var("ECSSD_TEST_ROUTE53_ENDPOINT") else {
            crate::say("no ECSSD_TEST_ROUTE53_ENDPOINT, so the embedded zone is held against nothing: see tests/emulator");
            return None;
        };
        // It takes any; the real ones of whoever runs this must not be sent to it.
        let credentials = Credentials::new("test", "test", None, None, "conformance");
        let config = route53::client(Some(&url), None).await.config().to_builder();
        let client = Client::from_conf(config.credentials_provider(credentials).build());
        let since = std::time::UNIX_EPOCH.elapsed().unwrap();
        let run = format!("r{}-{}", since.as_nanos(), std::process::id());
        Some(Self { client, run, zones: AtomicU64::new(0) })
    }

    /// A name under which nobody else has zones.
    pub fn own_name(&self, label: &str) -> String {
        format!("{label}.{}.conformance", self.run)
    }

    /// Makes a zone, private unless told otherwise, in a VPC of its own; returns its id as the API gives it.
    pub async fn make_zone(&self, name: &str, private: bool) -> String {
        let number = self.zones.fetch_add(1, Ordering::Relaxed);
        let request = self.client.create_hosted_zone().name(name).caller_reference(format!("{}-{number}", self.run));
        let request = if private {
            let vpc = Vpc::builder().vpc_region(VpcRegion::EuCentral1).vpc_id(format!("vpc-{number:08x}"));
            request.vpc(vpc.build()).hosted_zone_config(HostedZoneConfig::builder().private_zone(true).build())
        } else {
            request
        };
        let made = request.send().await.unwrap_or_else(|error| panic!("{name} was not made: {error:?}"));
        made.hosted_zone.unwrap().id
    }

    /// The transcript of a case, in a zone of its own.
    pub async fn transcript(&self, case: &Case) -> Transcript {
        let name = self.own_name(case.name);
        let id = self.make_zone(&name, true).await;
        Transcript::of(case, &Route53Zone::new(self.client.clone(), name, id)).await
    }
}
