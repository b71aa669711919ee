//! Short hands for tests: containers and hosts.

use super::{ContainerId, Owner, Registrant};

/// `id(0xab)`.
pub(crate) const HEX: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

pub(crate) fn id(n: u64) -> ContainerId {
    format!("{n:064x}").parse().unwrap()
}

pub(crate) fn registrant(owner: &str) -> Registrant {
    Registrant {
        owner: Owner::new(owner).unwrap(),
        zone: "sd.internal".into(),
        address: [10, 0, 0, 7].into(),
    }
}
