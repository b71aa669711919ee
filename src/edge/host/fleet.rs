//! How many hosts share the account's rate: the [`FleetHint`] in the zone's own DNS, which the janitor publishes.
//!
//! Without it nothing fails, so whatever goes wrong here means only that it is not known.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::watch;

use crate::aws::names::resolver;
use crate::record::FleetHint;

/// How often it is asked for: as often as the janitor may say something new.
const PERIOD: Duration = Duration::from_secs(300);

/// Follows the hint for as long as somebody listens.
pub fn follow(zone: &str) -> watch::Receiver<Option<u32>> {
    let (sender, receiver) = watch::channel(None);
    let name = format!("{}.", FleetHint::name_in(zone));
    tokio::spawn(async move {
        while !sender.is_closed() {
            if let Ok(resolver) = resolver() {
                let hosts = hosts(&resolver, &name).await;
                sender.send_if_modified(|known| std::mem::replace(known, hosts) != hosts);
            }
            tokio::time::sleep(PERIOD.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        }
    });
    receiver
}

/// What is said of `name`.
async fn hosts(resolver: &TokioResolver, name: &str) -> Option<u32> {
    let answer = resolver.lookup(name, RecordType::TXT).await;
    let answer =
        answer.inspect_err(|error| tracing::debug!(%error, name, "the size of the fleet is not known"));
    let answer = answer.ok()?;
    let texts = answer.answers().iter().filter_map(|record| match &record.data {
        RData::TXT(text) => Some(text.to_string()),
        _ => None,
    });
    texts.filter_map(|text| FleetHint::read(&text)).map(FleetHint::hosts).next()
}

#[cfg(test)]
mod tests {
    use super::super::testing::resolver_of;
    use super::*;
    use crate::record::{Action, Change};
    use crate::serve::dns::serve;
    use crate::zone::Zone;
    use crate::zone::embedded::{EmbeddedZone, Options};

    #[tokio::test]
    async fn is_told_by_a_dns_server() {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let front = serve(zone.clone(), &["127.0.0.1:0".parse().unwrap()], 8).unwrap();
        let resolver = resolver_of(front.addresses()[0]);
        assert_eq!(hosts(&resolver, "_fleet.sd.internal.").await, None);
        let hint = FleetHint::new(300).unwrap().record("sd.internal");
        zone.change(&[Change { action: Action::Create, set: hint }]).await.unwrap();
        assert_eq!(hosts(&resolver, "_fleet.sd.internal.").await, Some(300));
    }
}
