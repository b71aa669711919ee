//! A Docker engine of a test's own, on a host of its own as far as the network goes, which may be stopped.
//!
//! Beside the shared engine it could have no NAT: two that write one firewall take each other's rules away.
//! In a network of its own it has all that an engine has, and published ports lead straight to containers.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::engine::Engine;
use super::network::Network;
use crate::wait::wait_for;

pub struct OwnEngine {
    pub engine: Engine,
    pub address: String,
    dir: TempDir,
    network: Network,
    options: Vec<String>,
    daemon: Child,
}

impl OwnEngine {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(options: &[&str]) -> Self {
        let (network, dir) = (Network::make(), TempDir::new().unwrap());
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let daemon = daemon(&network, &dir, &options);
        let engine = Engine { socket: dir.path().join("sock").display().to_string() };
        let own = Self { engine, address: network.address.to_string(), dir, network, options, daemon };
        own.wait();
        own.engine.import_image();
        own
    }

    /// SIGTERM, and its end; it takes its containers along, unless told not to.
    pub fn stop(&mut self) {
        let pid = self.daemon.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        self.daemon.wait().unwrap();
    }

    /// Starts it, and tells when it first answered.
    pub fn start_again(&mut self) -> Instant {
        self.daemon = daemon(&self.network, &self.dir, &self.options);
        self.wait()
    }

    /// One that leaves its containers running leaves its mounts, too: its files, and the network that it was in.
    fn unmount(&self) {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let paths = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let mut below: Vec<&str> =
            paths.filter(|path| Path::new(path).starts_with(self.dir.path())).collect();
        below.sort_unstable();
        for path in below.into_iter().rev() {
            let _ = Command::new("umount").arg(path).status();
        }
    }

    fn wait(&self) -> Instant {
        let log = || std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        wait_for("the engine's answer", log, || self.answers().then(Instant::now))
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(&self.engine.socket) else { return false };
        let mut answer = String::new();
        let asked = stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n");
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let _ = self.daemon.wait();
        self.unmount();
    }
}

fn daemon(network: &Network, dir: &TempDir, options: &[String]) -> Child {
    let at = |name: &str| dir.path().join(name).display().to_string();
    let log = std::fs::File::options().create(true).append(true).open(at("log")).unwrap();
    // The machine's own daemon.json is for the machine's own engine.
    std::fs::write(at("daemon.json"), "{}").unwrap();
    network
        .command()
        .args(["dockerd", "--config-file", &at("daemon.json"), "--host", &format!("unix://{}", at("sock"))])
        .args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")])
        .args(options)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("setpriv and nsenter (Debian: util-linux)")
}
