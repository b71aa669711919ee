//! How a message came, and how many octets its reply may have.
//!
//! Pure. A datagram that is larger than a path takes is fragmented, and often lost: where fragments get through,
//! between neighbours, a client gets all that it offers to take in one, since some never ask again over TCP.

use std::net::IpAddr;

/// The UDP payload, in octets, of a client that speaks no EDNS. Source: RFC 1035, section 4.2.1.
pub const UDP_PAYLOAD_PLAIN: u16 = 512;

/// The largest UDP payload, in octets, that passes every path unfragmented; it is also what is offered to clients.
/// Source: DNS flag day 2020.
pub const UDP_PAYLOAD_ANYWHERE: u16 = 1_232;

/// The largest UDP payload, in octets, to a neighbour. Source: RFC 6891, section 6.2.5.
pub const UDP_PAYLOAD_NEARBY: u16 = 4_096;

/// How a message came, and its reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram, from this address: what is too long for it is truncated.
    Udp(IpAddr),
    /// A stream.
    Tcp,
}

impl Transport {
    /// The most octets of a reply to a client that offers to take so many; `None` where it speaks no EDNS.
    pub(super) fn octets_max(self, offered: Option<u16>) -> u16 {
        let Self::Udp(client) = self else { return u16::MAX };
        let most = if is_nearby(client) { UDP_PAYLOAD_NEARBY } else { UDP_PAYLOAD_ANYWHERE };
        // RFC 6891, section 6.2.3: less than 512 is 512.
        offered.unwrap_or(UDP_PAYLOAD_PLAIN).clamp(UDP_PAYLOAD_PLAIN, most)
    }
}

/// Whether an address is this host's own, or of a network that is not the Internet.
fn is_nearby(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            // 100.64.0.0/10 (RFC 6598) has no name of its own in the standard library yet.
            let shared = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_loopback() || address.is_private() || address.is_link_local() || shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(client: &str, offered: Option<u16>) -> u16 {
        Transport::Udp(client.parse().unwrap()).octets_max(offered)
    }

    #[test]
    fn a_neighbour_gets_what_it_offers_to_take() {
        for near in [
            "127.0.0.1",
            "10.0.0.7",
            "172.17.0.2",
            "192.168.1.1",
            "169.254.170.2",
            "100.64.0.1",
            "100.127.255.254",
            "::1",
            "fd00::7",
            "fe80::1",
            "::ffff:10.0.0.7",
        ] {
            for (offered, octets) in
                [(0, 512), (511, 512), (600, 600), (1_232, 1_232), (4_096, 4_096), (u16::MAX, 4_096)]
            {
                assert_eq!(udp(near, Some(offered)), octets, "{near}");
            }
            assert_eq!(udp(near, None), 512, "{near}");
        }
    }

    #[test]
    fn others_get_what_passes_every_path() {
        for far in
            ["192.0.2.7", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2001:db8::7", "::ffff:8.8.8.8"]
        {
            assert_eq!(
                (udp(far, None), udp(far, Some(600)), udp(far, Some(4_096))),
                (512, 600, 1_232),
                "{far}"
            );
        }
    }

    #[test]
    fn a_stream_takes_any_message() {
        assert_eq!(
            (Transport::Tcp.octets_max(None), Transport::Tcp.octets_max(Some(512))),
            (u16::MAX, u16::MAX)
        );
    }
}
