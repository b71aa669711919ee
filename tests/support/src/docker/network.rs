//! A network of a test's own, as another host has one: a namespace, led to by one pair of interfaces.
//!
//! What an engine in it does to addresses, routes and the firewall touches nothing outside. Only the network
//! is apart: sockets in the file system, processes and control groups are the machine's.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Set aside for measuring networks, and so routed nowhere. Source: RFC 2544, section C.2.2; RFC 6890.
const NETWORKS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// Networks of four addresses, of which two are hosts', that fit into the /15 above, but for its last /24: there
/// `deploy/engine` puts its own.
const NETWORK_COUNT: u32 = (1 << 15) - (1 << 6);
/// Networks that one process of the tests may have at once without taking those of another.
const NETWORKS_PER_PROCESS: u32 = 4;
const NAMESPACE_PREFIX: &str = "ecssd-test-";

/// A namespace, removed when it is dropped.
#[derive(Debug)]
pub struct Network {
    name: String,
    /// Where this machine finds the host in it.
    pub address: Ipv4Addr,
}

impl Network {
    pub fn make() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_leftovers();
        let (process, number) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let index = process.wrapping_mul(NETWORKS_PER_PROCESS).wrapping_add(number) % NETWORK_COUNT;
        let network = u32::from(NETWORKS) + 4 * index;
        let (outside, inside) = (Ipv4Addr::from(network + 1), Ipv4Addr::from(network + 2));
        let name = format!("{NAMESPACE_PREFIX}{process}-{number}");
        // At most 15 characters are an interface's name.
        let link = format!("et{process}-{number}");
        ip(&["netns", "add", &name]);
        let made = Self { name, address: inside };
        ip(&["link", "add", &link, "type", "veth", "peer", "name", "outside", "netns", &made.name]);
        ip(&["address", "add", &format!("{outside}/30"), "dev", &link]);
        ip(&["link", "set", &link, "up"]);
        made.ip(&["address", "add", &format!("{inside}/30"), "dev", "outside"]);
        made.ip(&["link", "set", "outside", "up"]);
        made.ip(&["link", "set", "lo", "up"]);
        made
    }

    /// The start of a command that is to run in it. `ip netns exec` would hide the control groups.
    ///
    /// It gets SIGTERM when the thread that started it ends, so that a test which is killed leaves no engine.
    pub fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "nsenter"]).arg(format!("--net={}", self.path().display()));
        command
    }

    fn path(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    fn ip(&self, arguments: &[&str]) {
        ip(&[&["-n", self.name.as_str()], arguments].concat());
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The interface outside goes with its peer.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// What runs that were killed have left: namespaces of processes that are no more.
fn remove_leftovers() {
    for entry in std::fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(NAMESPACE_PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = Command::new("ip").args(["netns", "del", &name]).status();
        }
    }
}

fn ip(arguments: &[&str]) {
    assert!(Command::new("ip").args(arguments).status().unwrap().success(), "ip {arguments:?}");
}
