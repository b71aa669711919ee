//! Which addresses the VPC of this instance has, as EC2 says.
//!
//! A VPC may be given more of them while it is in use, so EC2 is asked again before an address counts as foreign.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Imds, ImdsError, is_mac};
use crate::record::Network;

/// The addresses of the VPC of this instance.
#[derive(Debug)]
pub struct Vpc {
    imds: Imds,
    known: Mutex<Vec<Network>>,
}

impl Vpc {
    /// Those that this metadata service tells.
    pub fn of(imds: Imds) -> Self {
        Self { imds, known: Mutex::default() }
    }

    /// Whether an address is one of them.
    ///
    /// # Errors
    /// When the metadata service does not say.
    pub async fn has(&self, address: Ipv4Addr) -> Result<bool, ImdsError> {
        let is_in = |networks: &[Network]| networks.iter().any(|network| network.holds(address));
        if is_in(&self.known()) {
            return Ok(true);
        }
        let networks = networks(&self.imds).await?;
        let is_in = is_in(&networks);
        *self.known() = networks;
        Ok(is_in)
    }

    // What was read is replaced whole.
    fn known(&self) -> MutexGuard<'_, Vec<Network>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Source: EC2 user guide, "Instance metadata categories".
async fn networks(imds: &Imds) -> Result<Vec<Network>, ImdsError> {
    let session = imds.session().await?;
    let mac = session.value("mac", is_mac).await?;
    let path = format!("network/interfaces/macs/{mac}/vpc-ipv4-cidr-blocks");
    let blocks = session.value(&path, |text| !text.is_empty()).await?;
    blocks.lines().map(|block| block.trim().parse().map_err(|_| session.bad(&path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::imds::tests::{Manner, Server};

    #[tokio::test]
    async fn has_what_lies_in_one_of_its_networks_and_asks_again_before_it_says_no() {
        let server = Server::start(Manner::Good).await;
        let vpc = Vpc::of(server.imds.clone());
        for (address, has, asked) in [
            ([10, 123, 9, 9], true, 1),
            ([100, 64, 3, 9], true, 1),
            ([10, 124, 0, 1], false, 2),
            ([10, 123, 9, 8], true, 2),
        ] {
            assert_eq!(vpc.has(address.into()).await, Ok(has), "{address:?}");
            let blocks = server.asked().into_iter().filter(|line| line.ends_with("/vpc-ipv4-cidr-blocks"));
            assert_eq!(blocks.count(), asked, "{address:?}");
        }
    }

    #[tokio::test]
    async fn says_nothing_where_the_metadata_service_does_not_or_tells_no_networks() {
        for manner in [Manner::Off, Manner::Bare, Manner::Garbage] {
            let vpc = Vpc::of(Server::start(manner).await.imds);
            assert!(vpc.has([10, 123, 9, 9].into()).await.is_err(), "{manner:?}");
        }
    }
}
