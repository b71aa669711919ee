//! How many hosts share the account's rate: the [`FleetHint`] in the zone's own DNS, which the janitor publishes.
//!
//! Without it nothing fails, so whatever goes wrong here means only that it is not known.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_server::proto::rr::{RData, RecordType};
use tokio::sync::watch;

use super::name_server::{ask, first};
use crate::record::FleetHint;

/// How often it is asked for: as often as the janitor may say something new.
const PERIOD: Duration = Duration::from_secs(300);

/// Follows the hint for as long as somebody listens. Asks the first server that `/etc/resolv.conf` names.
pub fn follow(zone: &str) -> watch::Receiver<Option<u32>> {
    let (sender, receiver) = watch::channel(None);
    let name = format!("{}.", FleetHint::name_in(zone));
    tokio::spawn(async move {
        while !sender.is_closed() {
            if let Some(server) = first().await {
                let hosts = hosts(server, &name).await;
                sender.send_if_modified(|known| std::mem::replace(known, hosts) != hosts);
            }
            tokio::time::sleep(PERIOD.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        }
    });
    receiver
}

/// What `server` says of `name`.
async fn hosts(server: SocketAddr, name: &str) -> Option<u32> {
    let answer = ask(server, name, RecordType::TXT).await?;
    let texts = answer.answers.iter().filter_map(|record| match &record.data {
        RData::TXT(text) => Some(text.to_string()),
        _ => None,
    });
    texts.filter_map(|text| FleetHint::read(&text)).map(FleetHint::hosts).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Action, Change};
    use crate::serve::dns::serve;
    use crate::zone::Zone;
    use crate::zone::embedded::{EmbeddedZone, Options};

    #[tokio::test]
    async fn is_told_by_a_dns_server() {
        let zone = EmbeddedZone::in_memory("sd.internal", Options::default()).unwrap();
        let front = serve(zone.clone(), &["127.0.0.1:0".parse().unwrap()], 8).unwrap();
        let server = front.addresses()[0];
        assert_eq!(hosts(server, "_fleet.sd.internal.").await, None);
        let hint = FleetHint::new(300).unwrap().record("sd.internal");
        zone.change(&[Change { action: Action::Create, set: hint }]).await.unwrap();
        assert_eq!(hosts(server, "_fleet.sd.internal.").await, Some(300));
    }
}
