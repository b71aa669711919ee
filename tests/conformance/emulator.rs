//! The emulator: zones in it, made by the vendor's SDK, and the system's own client of them.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_route53::Client;
use aws_sdk_route53::config::Credentials;
use aws_sdk_route53::types::{Vpc, VpcRegion};
use ecssd::zone::route53::{self, Route53Zone};

use crate::case::Case;
use crate::trial::Transcript;

/// Where the emulator is, unless there is none.
pub const ENDPOINT: &str = "ECSSD_TEST_ROUTE53_ENDPOINT";

pub struct Emulator {
    pub url: String,
    pub client: Client,
    /// Tells the zones of this run from those of others: the emulator may be anybody's.
    run: String,
    zones: AtomicU64,
}

/// A zone of the emulator.
pub struct MadeZone {
    /// Without the `/hostedzone/` before it.
    pub id: String,
    /// The VPC that sees it, where it is private.
    pub vpc: String,
}

impl Emulator {
    /// The one that this run is given.
    pub async fn of_this_run() -> Self {
        let url = std::env::var(ENDPOINT).ok().filter(|url| !url.is_empty());
        let url =
            url.unwrap_or_else(|| panic!("{ENDPOINT} is not set: tests/run starts the emulator and sets it"));
        // It takes any; the real ones of whoever runs this must not be sent to it.
        let credentials = Credentials::new("test", "test", None, None, "conformance");
        let config = route53::client(Some(&url), None).await.config().to_builder();
        let client = Client::from_conf(config.credentials_provider(credentials).build());
        let since = std::time::UNIX_EPOCH.elapsed().unwrap();
        let run = format!("r{}-{}", since.as_nanos(), std::process::id());
        Self { url, client, run, zones: AtomicU64::new(0) }
    }

    /// A name under which nobody else has zones.
    pub fn own_name(&self, label: &str) -> String {
        format!("{label}.{}.conformance", self.run)
    }

    pub async fn make_zone(&self, name: &str, private: bool) -> MadeZone {
        let number = self.zones.fetch_add(1, Ordering::Relaxed);
        let vpc = format!("vpc-{number:08x}");
        let reference = format!("{}-{number}", self.run);
        let mut request = self.client.create_hosted_zone().name(name).caller_reference(reference);
        if private {
            request = request.vpc(Vpc::builder().vpc_region(VpcRegion::EuCentral1).vpc_id(&vpc).build());
        }
        let made = request.send().await.unwrap_or_else(|error| panic!("{name} was not made: {error:?}"));
        let id = made.hosted_zone.unwrap().id;
        MadeZone { id: id.trim_start_matches("/hostedzone/").to_owned(), vpc }
    }

    /// The transcript of a case, in a zone of its own.
    pub async fn transcript(&self, case: &Case) -> Transcript {
        let name = self.own_name(case.name);
        let id = self.make_zone(&name, true).await.id;
        Transcript::of(case, &Route53Zone::new(self.client.clone(), name, id)).await
    }
}
