//! DNS over UDP: one datagram, one answer.

use std::net::{IpAddr, SocketAddr};

use tokio::net::UdpSocket;

use super::say_trouble;
use super::served::Served;
use super::transport::Transport;
use crate::serve::troubles::Troubles;

/// The most octets of a datagram that are read; what is longer is no question that fits (RFC 6891, section 6.2.5).
const DATAGRAM_OCTETS_MAX: usize = 4_096;

/// Answers datagrams for ever.
pub(super) async fn answer(socket: UdpSocket, served: Served) {
    let mut troubles = Troubles::default();
    let mut random = fastrand::Rng::new();
    let mut datagram = [0; DATAGRAM_OCTETS_MAX];
    loop {
        let (length, client) = match socket.recv_from(&mut datagram).await {
            Ok(received) => received,
            Err(error) => {
                troubles.pause(|| say_trouble("DNS over UDP has failed", &error)).await;
                continue;
            }
        };
        if !is_answerable(client) {
            continue;
        }
        let question = &datagram[..length];
        let over = Transport::Udp(client.ip());
        if let Some(answer) = served.answer(question, over, &mut random) {
            // A client that has gone asks no more, and one that has not asks again.
            if let Err(error) = socket.send_to(&answer, client).await {
                tracing::debug!(%error, %client, "DNS answer not sent");
            }
        }
    }
}

/// Whether a datagram came from where an answer can go: a forged source must not make this host speak to a whole
/// network.
fn is_answerable(client: SocketAddr) -> bool {
    let address = client.ip();
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    client.port() != 0 && !address.is_unspecified() && !address.is_multicast() && !broadcast
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_to_one_host_only() {
        for source in ["10.0.0.7:0", "0.0.0.0:53", "255.255.255.255:9", "224.0.0.251:5353", "[::]:9"] {
            assert!(!is_answerable(source.parse().unwrap()), "{source}");
        }
        assert!(is_answerable("10.0.0.7:40000".parse().unwrap()));
    }
}
