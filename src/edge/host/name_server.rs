//! What the host's name server says: one question, one answer.
//!
//! Owns the asking. For what is optional only: nothing here is tried again, and an answer that does not fit a datagram
//! counts for none.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_server::proto::op::{Message, MessageType, OpCode, Query};
use hickory_server::proto::rr::{Name, RecordType};
use tokio::net::UdpSocket;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The first server that `/etc/resolv.conf` names now: a host gets another network under a running agent.
pub(super) async fn first() -> Option<SocketAddr> {
    named(&tokio::fs::read_to_string("/etc/resolv.conf").await.unwrap_or_default())
}

/// What `server` says of `name`, which ends in a dot. `None` where it does not answer, or not in DNS.
pub(super) async fn ask(server: SocketAddr, name: &str, of: RecordType) -> Option<Message> {
    let answer = tokio::time::timeout(TIMEOUT, exchange(server, name, of)).await.ok()?;
    answer.inspect_err(|error| tracing::debug!(%error, %server, name, "the name server does not answer")).ok()
}

async fn exchange(
    server: SocketAddr,
    name: &str,
    of: RecordType,
) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
    let id = fastrand::u16(..);
    let mut question = Message::new(id, MessageType::Query, OpCode::Query);
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(Name::from_ascii(name)?, of));
    let local: SocketAddr = if server.is_ipv4() { "0.0.0.0:0".parse()? } else { "[::]:0".parse()? };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(server).await?;
    socket.send(&question.to_vec()?).await?;
    let mut buffer = [0; 512];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let answer = Message::from_vec(&buffer[..length])?;
        if answer.metadata.id == id {
            return Ok(answer);
        }
    }
}

fn named(resolv_conf: &str) -> Option<SocketAddr> {
    let servers = resolv_conf.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|server| server.trim().parse::<IpAddr>().ok()).map(|server| (server, 53).into()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_the_first_server_that_is_named() {
        let server = |text| named(text).map(|server| server.to_string());
        assert_eq!(
            server("search x\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"),
            Some("10.0.0.2:53".into())
        );
        assert_eq!(server("nameserver fd00::2"), Some("[fd00::2]:53".into()));
        assert_eq!(server("# nameserver 10.0.0.2\nnameserver x"), None);
    }

    #[tokio::test]
    async fn who_does_not_speak_dns_says_nothing() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = silent.local_addr().unwrap();
        let garbage = async {
            let (_, from) = silent.recv_from(&mut [0; 512]).await.unwrap();
            silent.send_to(b"no message", from).await.unwrap();
        };
        let (answer, ()) = tokio::join!(ask(server, "sd.internal.", RecordType::SOA), garbage);
        assert_eq!(answer.map(|answer| answer.answers.len()), None);
    }
}
