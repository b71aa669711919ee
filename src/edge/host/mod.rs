//! Who this host is, and what it is told.
//!
//! [`identity`] decides, [`fleet`] is how many others there are, [`notices`] what is about to happen to it, [`negative_ttl`]
//! how long its resolver remembers that a name is not there; what the host says of itself is here. Whether that makes good marks and records is judged by those who make
//! them.

pub mod fleet;
pub mod identity;
pub mod negative_ttl;
pub mod notices;
#[cfg(test)]
mod testing;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

/// The host's name cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", self.what(), Self::REMEDY)]
pub struct NameUnknown(String);

impl NameUnknown {
    /// What to do.
    pub const REMEDY: &str = "pass one with --hostname";

    /// What is the case.
    pub fn what(&self) -> String {
        format!("the host's name cannot be read ({})", self.0)
    }
}

/// No route leaves this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", Self::WHAT, Self::REMEDY)]
pub struct AddressUnknown;

impl AddressUnknown {
    /// What is the case.
    pub const WHAT: &str = "this host has no route out to tell its address by";
    /// What to do.
    pub const REMEDY: &str = "pass the address that clients reach its ports at with --address";
}

/// Whether this process is in a container that has a network of its own: its name and address are no host's.
///
/// Of the host's network such a process sees bridges and cards; of its own only ends of pairs, whose other ends are
/// elsewhere. Source: the kernel's `Documentation/ABI/testing/sysfs-class-net`, `iflink`.
pub fn is_bridged(root: &Path) -> bool {
    let is_contained = ["/.dockerenv", "/run/.containerenv"].iter().any(|path| at(root, path).exists());
    let links = std::fs::read_dir(at(root, "/sys/class/net")).into_iter().flatten().flatten();
    let mut others = links.map(|link| link.path()).filter(|path| !path.ends_with("lo")).peekable();
    let number =
        |path: &Path, name| std::fs::read_to_string(path.join(name)).ok()?.trim().parse::<u32>().ok();
    let is_end = |path: PathBuf| match (number(&path, "ifindex"), number(&path, "iflink")) {
        (Some(here), Some(there)) => here != there,
        _ => false,
    };
    is_contained && others.peek().is_some() && others.all(is_end)
}

fn at(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The host's name, as the kernel has it.
///
/// # Errors
/// When it cannot be read.
pub fn name() -> Result<String, NameUnknown> {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .map_err(|error| NameUnknown(error.to_string()))
}

/// The address from which this host would reach another network: where its containers' published ports
/// are reached too.
///
/// # Errors
/// When there is none.
pub fn address() -> Result<Ipv4Addr, AddressUnknown> {
    // Connecting a UDP socket sends nothing; it makes the kernel choose a route. The peer is an address
    // that is set aside for documentation (RFC 5737).
    let chosen = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    match chosen.as_ref().map(SocketAddr::ip) {
        Ok(IpAddr::V4(address)) if !address.is_unspecified() && !address.is_loopback() => Ok(address),
        _ => Err(AddressUnknown),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_container_of_its_own_network_has_nothing_but_ends_of_pairs() {
        for (is_contained, links, expected) in [
            (true, &[("lo", 1, 1), ("eth0", 2, 57)][..], true),
            (true, &[("lo", 1, 1), ("eth0", 2, 57), ("docker0", 3, 3)], false),
            (true, &[("lo", 1, 1)], false),
            (true, &[], false),
            (false, &[("lo", 1, 1), ("eth0", 2, 57)], false),
        ] {
            let root = tempfile::tempdir().unwrap();
            for (name, index, link) in links {
                let dir = root.path().join("sys/class/net").join(name);
                fs::create_dir_all(&dir).unwrap();
                fs::write(dir.join("ifindex"), format!("{index}\n")).unwrap();
                fs::write(dir.join("iflink"), format!("{link}\n")).unwrap();
            }
            if is_contained {
                fs::write(root.path().join(".dockerenv"), "").unwrap();
            }
            assert_eq!(is_bridged(root.path()), expected, "{links:?}");
        }
    }
}
