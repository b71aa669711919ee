//! How many hosts share the account's rate: the [`FleetHint`] in the zone's own DNS, which the janitor publishes.
//!
//! Without it nothing fails, so whatever goes wrong here means only that it is not known.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_server::proto::op::{Message, MessageType, OpCode, Query};
use hickory_server::proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;
use tokio::sync::watch;

use crate::record::FleetHint;

/// How often it is asked for: as often as the janitor may say something new.
const PERIOD: Duration = Duration::from_secs(300);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Follows the hint for as long as somebody listens. Asks the first server that `/etc/resolv.conf` names.
pub fn follow(zone: &str) -> watch::Receiver<Option<u32>> {
    let (sender, receiver) = watch::channel(None);
    let name = format!("{}.", FleetHint::name_in(zone));
    tokio::spawn(async move {
        while !sender.is_closed() {
            let text = tokio::fs::read_to_string("/etc/resolv.conf").await.unwrap_or_default();
            if let Some(server) = name_server(&text) {
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
    let answer = tokio::time::timeout(TIMEOUT, ask(server, name)).await.ok()?;
    answer.inspect_err(|error| tracing::debug!(%error, name, "the size of the fleet is not known")).ok()?
}

async fn ask(
    server: SocketAddr,
    name: &str,
) -> Result<Option<u32>, Box<dyn std::error::Error + Send + Sync>> {
    let id = fastrand::u16(..);
    let mut question = Message::new(id, MessageType::Query, OpCode::Query);
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(Name::from_ascii(name)?, RecordType::TXT));
    let local: SocketAddr = if server.is_ipv4() { "0.0.0.0:0".parse()? } else { "[::]:0".parse()? };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(server).await?;
    socket.send(&question.to_vec()?).await?;
    let mut buffer = [0; 512];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let answer = Message::from_vec(&buffer[..length])?;
        if answer.metadata.id != id {
            continue;
        }
        let texts = answer.answers.iter().filter_map(|record| match &record.data {
            RData::TXT(text) => Some(text.to_string()),
            _ => None,
        });
        return Ok(texts.filter_map(|text| FleetHint::read(&text)).map(FleetHint::hosts).next());
    }
}

fn name_server(resolv_conf: &str) -> Option<SocketAddr> {
    let servers = resolv_conf.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|server| server.trim().parse::<IpAddr>().ok()).map(|server| (server, 53).into()).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Action, Change};
    use crate::serve::dns::serve;
    use crate::zone::Zone;
    use crate::zone::embedded::{EmbeddedZone, Options};

    #[test]
    fn asks_the_first_server_that_is_named() {
        let server = |text| name_server(text).map(|server| server.to_string());
        assert_eq!(
            server("search x\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"),
            Some("10.0.0.2:53".into())
        );
        assert_eq!(server("nameserver fd00::2"), Some("[fd00::2]:53".into()));
        assert_eq!(server("# nameserver 10.0.0.2\nnameserver x"), None);
    }

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
