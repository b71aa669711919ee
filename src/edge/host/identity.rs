//! Who this host is: whose its records are, and where clients reach it.
//!
//! | | `--hostname`, `--address` | on EC2 | elsewhere |
//! |---|---|---|---|
//! | owner | as given | the instance's id | the host's name |
//! | address | as given | the instance's | that of the route out |
//!
//! A record under a wrong owner is one that nobody removes, so on EC2, where the instance's id is needed
//! and the metadata service is away, this waits for it. [`choose`] decides; [`Sources`] is what asks. That the route
//! out may come to have another address is for [`crate::machine::whereabouts`].

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use super::{AddressUnknown, NameUnknown};
use crate::backoff::Backoff;
use crate::container::Timestamp;
use crate::edge::imds::{Imds, Instance};
use crate::record::{Owner, OwnerError};

/// The first and the longest wait for a metadata service that is away.
const RETRY_WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The shortest.
const RETRY_WAIT_MIN: Duration = Duration::from_millis(200);

/// Who this host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose its records are.
    pub owner: Owner,
    /// Where clients reach its ports.
    pub address: Ipv4Addr,
    /// The region that it is in, such as `eu-central-1`.
    pub region: Option<String>,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// Whether EC2 said so.
    pub is_instance: bool,
    /// Whether the address is that of the route out, which may change.
    pub follows_route: bool,
    /// When its EC2 instance was last started, where that is what it goes by.
    pub launched: Option<Timestamp>,
}

const BRIDGED: &str = "this is a container with a network of its own: its name and address are no host's";
const BRIDGED_REMEDY: &str = "run it with --network host, or pass both --hostname and --address";

/// Why a host cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Its name or id makes no mark.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// It has no name.
    #[error(transparent)]
    Name(#[from] NameUnknown),
    /// It has no address.
    #[error(transparent)]
    Address(#[from] AddressUnknown),
    /// It is a container's.
    #[error("{BRIDGED}; {BRIDGED_REMEDY}")]
    Bridged,
}

impl IdentityError {
    /// What is the case.
    pub fn what(&self) -> String {
        match self {
            Self::Owner(error) => error.what(),
            Self::Name(error) => error.what(),
            Self::Address(_) => AddressUnknown::WHAT.to_owned(),
            Self::Bridged => BRIDGED.to_owned(),
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Owner(error) => error.remedy(),
            Self::Name(_) => NameUnknown::REMEDY.to_owned(),
            Self::Address(_) => AddressUnknown::REMEDY.to_owned(),
            Self::Bridged => BRIDGED_REMEDY.to_owned(),
        }
    }
}

/// What was given on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `--hostname`.
    pub hostname: Option<String>,
    /// `--address`.
    pub address: Option<Ipv4Addr>,
}

/// What the host says of itself; off EC2, that is all there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// [`super::name`].
    pub name: Result<String, NameUnknown>,
    /// [`super::address`].
    pub address: Result<Ipv4Addr, AddressUnknown>,
    /// [`super::is_bridged`].
    pub is_bridged: bool,
}

impl Fallback {
    /// What this host says.
    pub fn of_this_host() -> Self {
        Self { name: super::name(), address: super::address(), is_bridged: super::is_bridged(Path::new("/")) }
    }
}

/// Who a host is, by what was given, what EC2 says, and what the host says, in this order.
///
/// # Errors
/// When the owner makes no mark, or there is no name or address; the text says what to do.
pub fn choose(
    given: &Given,
    instance: Option<&Instance>,
    fallback: &Fallback,
) -> Result<Identity, IdentityError> {
    let is_told = given.hostname.is_some() && given.address.is_some();
    if fallback.is_bridged && instance.is_none() && !is_told {
        return Err(IdentityError::Bridged);
    }
    let owner = match (&given.hostname, instance) {
        (Some(name), _) => Owner::new(name)?,
        (None, Some(instance)) => Owner::new(&instance.id)?,
        (None, None) => Owner::new(&fallback.name.clone()?)?,
    };
    let address = match (given.address, instance) {
        (Some(address), _) => address,
        (None, Some(instance)) => instance.address,
        (None, None) => fallback.address?,
    };
    Ok(Identity {
        owner,
        address,
        region: instance.and_then(|instance| instance.region.clone()),
        vpc: instance.and_then(|instance| instance.vpc.clone()),
        is_instance: instance.is_some(),
        follows_route: given.address.is_none() && instance.is_none(),
        launched: instance.filter(|_| given.hostname.is_none()).and_then(|instance| instance.launched),
    })
}

/// Whether this machine's firmware says that it is on EC2; `read` gives the text of a file.
///
/// Sources: EC2 user guide, "Identify EC2 instances". An id that begins with `ec2` is a hint only, since
/// one in 4,096 others does too: it counts on Xen, which has no better sign, and where the vendor cannot
/// be read.
pub fn looks_like_ec2(read: impl Fn(&str) -> Option<String>) -> bool {
    let says = |path: &str| read(path).map(|text| text.trim().to_ascii_lowercase()).unwrap_or_default();
    match &*says("/sys/class/dmi/id/sys_vendor") {
        "amazon ec2" => true,
        "xen" | "" => ["/sys/hypervisor/uuid", "/sys/class/dmi/id/product_uuid"]
            .into_iter()
            .any(|path| says(path).starts_with("ec2")),
        _ => false,
    }
}

/// What an identity is made from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What was given on the command line.
    pub given: Given,
    /// The metadata service; `None` where it was switched off.
    pub imds: Option<Imds>,
    /// Whether this machine looks like EC2.
    pub on_ec2: bool,
    /// What the host says of itself.
    pub fallback: Fallback,
}

impl Sources {
    /// The sources of this host.
    pub fn of_this_host(given: Given, imds: Option<Imds>) -> Self {
        let on_ec2 = looks_like_ec2(|path| std::fs::read_to_string(path).ok());
        Self { given, imds, on_ec2, fallback: Fallback::of_this_host() }
    }

    /// Who this host is. Asks the metadata service once, two seconds at most; on EC2, as often as it takes.
    ///
    /// # Errors
    /// As [`choose`].
    pub async fn identity(&self) -> Result<Identity, IdentityError> {
        let instance = match &self.imds {
            Some(imds) => self.instance(imds).await,
            None => {
                if self.needs_instance() {
                    tracing::warn!(
                        event = "metadata_off",
                        "the metadata service is switched off: this EC2 instance is registered by its host name"
                    );
                }
                None
            }
        };
        choose(&self.given, instance.as_ref(), &self.fallback)
    }

    /// Whether nothing but the metadata service can tell who this is.
    fn needs_instance(&self) -> bool {
        self.on_ec2 && (self.given.hostname.is_none() || self.given.address.is_none())
    }

    async fn instance(&self, imds: &Imds) -> Option<Instance> {
        let (first, longest) = RETRY_WAITS;
        let mut backoff = Backoff::new(RETRY_WAIT_MIN, first, longest);
        let mut said = None;
        loop {
            match imds.instance().await {
                Ok(instance) => return Some(instance),
                Err(error) if !self.needs_instance() => {
                    tracing::debug!(%error, "not on EC2, as far as can be told");
                    return None;
                }
                Err(error) => {
                    if said.as_ref() != Some(&error) {
                        let advice = "waiting for it; pass --hostname and --address to go on without";
                        tracing::warn!(event = "metadata_away", %error, "this is EC2, and its metadata service does not answer: {advice}");
                        said = Some(error);
                    }
                    tokio::time::sleep(backoff.next(fastrand::f64())).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
