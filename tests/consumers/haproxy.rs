//! HAProxy: a load balancer that takes a service's copies from DNS.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ecssd_testing::process::Process;
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::recipe;

/// Where it takes requests.
pub const FRONT: &str = "127.53.0.2:8080";
/// How large a datagram the recipe takes.
pub const PAYLOAD: u16 = 8_192;

/// HAProxy with the page's recipe, for the copies of one name.
pub struct HaProxy {
    pub process: Process,
    socket: PathBuf,
    _dir: TempDir,
}

impl HaProxy {
    pub fn start(name: &str) -> Self {
        Self::taking(name, PAYLOAD)
    }

    /// The same, but a datagram may have so many octets.
    pub fn taking(name: &str, octets: u16) -> Self {
        let dir = TempDir::new().unwrap();
        let socket = dir.path().join("stats");
        let [theirs, ours] = [PAYLOAD, octets].map(|octets| format!("accepted_payload_size {octets}\n"));
        let recipe = recipe("haproxy");
        assert!(recipe.contains(&theirs), "{recipe}");
        let recipe = recipe.replace("_calc-all._tcp.sd.internal", name).replace(&theirs, &ours);
        let config = format!(
            "global\n  stats socket {}\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  \
             timeout server 5s\nfrontend front\n  bind {FRONT}\n  default_backend calc\n{recipe}\n",
            socket.display()
        );
        std::fs::write(dir.path().join("cfg"), config).unwrap();
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(dir.path().join("cfg"));
        Self { process: Process::start(command), socket, _dir: dir }
    }

    fn say(&self, command: &str) -> String {
        let mut said = String::new();
        if let Ok(mut stream) = UnixStream::connect(&self.socket) {
            stream.write_all(format!("{command}\n").as_bytes()).unwrap();
            stream.read_to_string(&mut said).unwrap();
        }
        said
    }

    /// How many servers have an address, and how many of them pass their check.
    pub fn servers(&self) -> (usize, usize) {
        let said = self.say("show servers state calc");
        let rows = said.lines().filter(|line| !line.starts_with('#'));
        let rows = rows.map(|line| line.split(' ').collect::<Vec<_>>());
        // Name of the backend, address, and state: 2 is up. Source: HAProxy's management guide, "show servers state".
        let known: Vec<_> = rows.filter(|row| row.len() > 5 && row[1] == "calc" && row[4] != "-").collect();
        (known.len(), known.iter().filter(|row| row[5] == "2").count())
    }

    pub fn has(&self, servers: usize) {
        self.process
            .wait_for(&format!("{servers} servers"), || (self.servers() == (servers, servers)).then_some(()));
    }

    /// For so long it has all of them, whenever it is asked.
    pub fn keeps(&self, servers: usize, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            assert_eq!(self.servers(), (servers, servers));
            thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
#[ignore = "takes HAProxy and root: tests/run consumers"]
fn haproxy_sees_one_copy_of_a_weighted_name() {
    let _fleet = Fleet::start("calc", 4);
    let haproxy = HaProxy::start("_calc._tcp.sd.internal");
    haproxy.process.wait_for("a server", || (haproxy.servers().0 > 0).then_some(()));
    let seen: Vec<usize> = (0..100)
        .map(|_| {
            thread::sleep(Duration::from_millis(100));
            haproxy.servers().0
        })
        .collect();
    println!("haproxy: at most {} of 4 by the weighted name", seen.iter().max().unwrap());
    assert!(seen.iter().all(|servers| *servers <= 1), "{seen:?}");
}
