//! A Docker engine of a test's own, which may be stopped: beside the one that the other tests share.
//!
//! It has a bridge of its own, and leaves the firewall to the shared one: its published ports are served by
//! Docker's proxy alone.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Engine, PATIENCE};

const BRIDGE: &str = "ecssd-test0";

pub struct OwnEngine {
    pub engine: Engine,
    pub address: String,
    dir: TempDir,
    daemon: Child,
}

impl OwnEngine {
    pub fn start() -> Self {
        let address = "172.31.255.1".to_owned();
        remove_bridge();
        ip(&["link", "add", BRIDGE, "type", "bridge"]);
        ip(&["addr", "add", &format!("{address}/24"), "dev", BRIDGE]);
        ip(&["link", "set", BRIDGE, "up"]);
        let dir = TempDir::new().unwrap();
        let daemon = daemon(&dir);
        let engine = Engine { socket: dir.path().join("sock").display().to_string() };
        let own = Self { engine, address, dir, daemon };
        own.wait();
        own.engine.import_image();
        own
    }

    /// SIGTERM, and its end; it takes its containers along.
    pub fn stop(&mut self) {
        let pid = self.daemon.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        self.daemon.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        self.daemon = daemon(&self.dir);
        self.wait();
    }

    fn wait(&self) {
        let start = Instant::now();
        while !self.engine.command(&["info"]).output().unwrap().status.success() {
            let log = || std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(start.elapsed() < PATIENCE, "the engine does not answer: {}", log());
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let _ = self.daemon.wait();
        remove_bridge();
    }
}

fn daemon(dir: &TempDir) -> Child {
    let at = |name: &str| dir.path().join(name).display().to_string();
    let log = std::fs::File::options().create(true).append(true).open(at("log")).unwrap();
    Command::new("dockerd")
        .args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")])
        .args(["--host", &format!("unix://{}", at("sock")), "--bridge", BRIDGE])
        .args(["--iptables=false", "--ip-forward=false", "--ip-masq=false"])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("dockerd (Debian: docker.io)")
}

fn ip(arguments: &[&str]) {
    assert!(Command::new("ip").args(arguments).status().unwrap().success(), "ip {arguments:?}");
}

/// What an earlier run that was killed may have left.
fn remove_bridge() {
    let _ = Command::new("ip").args(["link", "del", BRIDGE]).stderr(Stdio::null()).status();
}
