//! Asks those who may know what is about to happen to this host, and whether its address is still the same.
//!
//! Who they are, and what follows from what they say, is decided in [`crate::machine::departure`]. [`parse`]
//! understands their words, and is pure; [`imds`], [`cluster`] and [`system`] ask; [`HostSources`] is all three.

pub mod cluster;
pub mod imds;
pub mod parse;
pub mod system;

use std::net::Ipv4Addr;
use std::time::SystemTime;

use async_trait::async_trait;

use self::cluster::Cluster;
use super::AddressUnknown;
use crate::edge::imds::Imds;
use crate::machine::departure::{AskError, Said, Source};

/// Whoever may know what is about to happen to this host.
#[async_trait]
pub trait Sources: Send + Sync + 'static {
    /// Those that are asked every now and then.
    fn polled(&self) -> Vec<Source>;

    /// What one of them says now.
    async fn ask(&self, source: Source) -> Result<Said, AskError>;

    /// The clock that notices go by.
    fn wall_clock(&self) -> SystemTime;

    /// Where clients reach this host now; `None` where that does not change while it runs.
    fn address(&self) -> Option<Result<Ipv4Addr, AddressUnknown>> {
        None
    }
}

/// The sources of this host.
#[derive(Debug)]
pub struct HostSources {
    /// The metadata service; `None` off EC2.
    pub imds: Option<Imds>,
    /// What is known of its container instance; it is asked for off ECS too, for the ECS agent may come later.
    pub cluster: Cluster,
    /// Whether clients reach this host at the address of its route out.
    pub follows_route: bool,
}

#[async_trait]
impl Sources for HostSources {
    fn polled(&self) -> Vec<Source> {
        let of_instance = [Source::Spot, Source::Scaling, Source::Rebalance];
        let of_instance = of_instance.into_iter().filter(|_| self.imds.is_some());
        of_instance.chain([Source::Cluster]).collect()
    }

    async fn ask(&self, source: Source) -> Result<Said, AskError> {
        match (source, &self.imds) {
            (Source::System, _) => system::ask().await,
            (Source::Cluster, _) => self.cluster.ask().await,
            (Source::Spot | Source::Scaling | Source::Rebalance, Some(imds)) => imds::ask(imds, source).await,
            (Source::Spot | Source::Scaling | Source::Rebalance, None) => Ok(Said::Nothing),
        }
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn address(&self) -> Option<Result<Ipv4Addr, AddressUnknown>> {
        self.follows_route.then(super::address)
    }
}
