//! Ranges of addresses.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// Any address in it.
    pub address: Ipv4Addr,
    /// How many leading bits its addresses share, 0 to 32.
    pub prefix: u8,
}

impl Network {
    /// Whether `address` lies in it.
    pub fn holds(self, address: Ipv4Addr) -> bool {
        let tail = 32_u32.saturating_sub(u32::from(self.prefix));
        let differ = self.address.to_bits() ^ address.to_bits();
        differ.checked_shr(tail).unwrap_or(0) == 0
    }

    /// Whether all of `other` lies in it.
    pub fn contains(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.holds(other.address)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A text is no network of less than all addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IPv4 network such as 10.0.0.0/16")]
pub struct NoNetwork;

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, prefix) = text.split_once('/').ok_or(NoNetwork)?;
        let address = address.parse().map_err(|_| NoNetwork)?;
        let prefix = prefix.parse().ok().filter(|prefix| (1..=32).contains(prefix)).ok_or(NoNetwork)?;
        Ok(Self { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_shares_its_prefix() {
        let network = |prefix| Network { address: [10, 1, 2, 3].into(), prefix };
        assert!(network(16).holds([10, 1, 255, 1].into()));
        assert!(!network(16).holds([10, 2, 2, 3].into()));
        assert!(network(0).holds([192, 168, 0, 1].into()));
        assert!(network(32).holds([10, 1, 2, 3].into()) && !network(32).holds([10, 1, 2, 2].into()));
        assert!(network(16).contains(network(16)) && network(16).contains(network(24)));
        assert!(!network(16).contains(network(8)) && network(16).to_string() == "10.1.2.3/16");
    }

    #[test]
    fn is_read_from_its_usual_text() {
        assert_eq!("10.0.0.0/16".parse(), Ok(Network { address: [10, 0, 0, 0].into(), prefix: 16 }));
        for bad in ["10.0.0.0", "10.0.0/16", "10.0.0.0/0", "10.0.0.0/33", "10.0.0.0/x", "::/8", ""] {
            assert_eq!(bad.parse::<Network>(), Err(NoNetwork), "{bad}");
        }
    }
}
