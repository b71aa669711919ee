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
use crate::{PAGE, recipe};

/// Where it takes requests.
pub const FRONT: &str = "127.53.0.2:8080";

/// A recipe that takes datagrams of so many octets.
pub fn taking(octets: &str, recipe: String) -> String {
    replaced(&recipe, "accepted_payload_size 8192", &format!("accepted_payload_size {octets}"))
}

/// A recipe that keeps for 30 s what a new answer lacks, as the page says for answers that cannot hold all.
pub fn keeping(recipe: String) -> String {
    assert!(PAGE.contains(OBSOLETE), "docs/consumers.md does not say {OBSOLETE}");
    replaced(&recipe, "  hold nx 1h\n", &format!("  hold nx 1h\n  {OBSOLETE}\n"))
}

const OBSOLETE: &str = "hold obsolete 30s";

fn replaced(recipe: &str, from: &str, to: &str) -> String {
    assert!(recipe.contains(from), "{recipe}");
    recipe.replace(from, to)
}

/// HAProxy with the page's recipe, for the copies of one name.
pub struct HaProxy {
    pub process: Process,
    socket: PathBuf,
    _dir: TempDir,
}

impl HaProxy {
    pub fn start(name: &str) -> Self {
        Self::with(name, |recipe| recipe)
    }

    /// With another recipe, made of the page's.
    pub fn with(name: &str, adapt: impl Fn(String) -> String) -> Self {
        let dir = TempDir::new().unwrap();
        let socket = dir.path().join("stats");
        let recipe = adapt(recipe("haproxy")).replace("_calc-all._tcp.sd.internal", name);
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

    /// Waits until so many pass their check, whatever else it knows.
    pub fn has_up(&self, servers: usize) {
        self.process.wait_for(&format!("{servers} up"), || (self.servers().1 == servers).then_some(()));
    }

    /// The most servers that it has at once in this time.
    pub fn most(&self, time: Duration) -> usize {
        let began = Instant::now();
        let seen = std::iter::from_fn(|| {
            thread::sleep(Duration::from_millis(100));
            (began.elapsed() < time).then(|| self.servers().0)
        });
        seen.max().unwrap()
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
fn haproxy_sees_one_copy_of_a_weighted_name_unless_it_keeps_what_it_has_heard() {
    let _fleet = Fleet::start("calc", 4);
    let haproxy = HaProxy::start("_calc._tcp.sd.internal");
    haproxy.process.wait_for("a server", || (haproxy.servers().0 > 0).then_some(()));
    let most = haproxy.most(Duration::from_secs(5));
    println!("haproxy: at most {most} of 4 by the weighted name");
    assert_eq!(most, 1);
    drop(haproxy);

    let haproxy = HaProxy::with("_calc._tcp.sd.internal", keeping);
    haproxy.has(4);
    println!("haproxy: 4 of 4 by the weighted name with `{OBSOLETE}`");
}
