//! The system's own client of the emulator, and zones in it.

use aws_sdk_route53::Client;
use aws_sdk_route53::config::Credentials;
use ecssd::zone::route53::{self, Route53Zone};
use ecssd_testing::route53::hosted::{HostedZone, emulator_url, own_name};

use crate::case::Case;
use crate::trial::Transcript;

pub struct Emulator {
    pub client: Client,
}

impl Emulator {
    /// The one that this run is given.
    pub async fn of_this_run() -> Self {
        // It takes any; the real ones of whoever runs this must not be sent to it.
        let credentials = Credentials::new("test", "test", None, None, "conformance");
        let config = route53::client(Some(&emulator_url()), None).await.config().to_builder();
        Self { client: Client::from_conf(config.credentials_provider(credentials).build()) }
    }

    /// The transcript of a case, in a zone of its own.
    pub async fn transcript(&self, case: &Case) -> Transcript {
        let made = HostedZone::make(&own_name(case.name), true);
        Transcript::of(case, &Route53Zone::new(self.client.clone(), made.name, made.id)).await
    }
}
