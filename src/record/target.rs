//! Which addresses a record may lead to.

use std::net::Ipv4Addr;

/// Whether clients elsewhere can connect to this address: never the host itself, a link, a group, or nobody. Source:
/// RFC 6890.
pub fn is_target(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    let is_unicast = (1..224).contains(&first);
    is_unicast && !address.is_loopback() && !address.is_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_can_connect_to_is_a_target() {
        for good in ["10.0.0.7", "172.31.0.1", "192.168.0.1", "100.64.0.1", "1.0.0.1", "223.255.255.254"] {
            assert!(is_target(good.parse().unwrap()), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.8.9.1",
            "169.254.169.254",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!is_target(bad.parse().unwrap()), "{bad}");
        }
    }
}
