//! HAProxy: a load balancer that takes a service's copies from DNS.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ecssd_testing::process::Process;
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::recipe;

const FRONT: &str = "127.53.0.2:8080";

/// HAProxy with the page's recipe, for the copies of one name.
pub struct HaProxy {
    process: Process,
    socket: PathBuf,
    _dir: TempDir,
}

impl HaProxy {
    pub fn start(name: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let socket = dir.path().join("stats");
        let recipe = recipe("haproxy").replace("_calc-all._tcp.sd.internal", name);
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
}

/// Asks 50 times a second until it is told to stop; how many requests there were, and how many failed.
fn load(over: &AtomicBool) -> (u32, u32) {
    let (mut asked, mut failed) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        let next = Instant::now() + Duration::from_millis(20);
        asked += 1;
        failed += u32::from(!request().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ")));
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    (asked, failed)
}

fn request() -> std::io::Result<String> {
    let mut stream = TcpStream::connect(FRONT)?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
#[ignore = "takes HAProxy and root: tests/run consumers"]
fn haproxy_loses_no_request_while_copies_come_and_go_and_dns_is_away() {
    let mut fleet = Fleet::start("calc", 4);
    let haproxy = HaProxy::start("_calc-all._tcp.sd.internal");
    haproxy.has(4);
    let over = Arc::new(AtomicBool::new(false));
    let client = thread::spawn({
        let over = over.clone();
        move || load(&over)
    });

    // Stopped: withdrawn first, and it serves for two seconds yet.
    fleet.withdraw(0);
    haproxy.has(3);
    thread::sleep(Duration::from_secs(2));
    fleet.kill(0);
    fleet.serve(0);
    fleet.register(0);
    haproxy.has(4);

    // Killed: HAProxy's own check is first to know, and a request that meets nobody goes to another.
    fleet.kill(1);
    haproxy.process.wait_for("a server that is down", || (haproxy.servers() == (4, 3)).then_some(()));
    fleet.withdraw(1);
    haproxy.has(3);
    fleet.serve(1);
    fleet.register(1);
    haproxy.has(4);

    // Without DNS it goes on with what it knows.
    fleet.silence();
    for _ in 0..100 {
        assert_eq!(haproxy.servers(), (4, 4));
        thread::sleep(Duration::from_millis(100));
    }
    fleet.answer();
    haproxy.has(4);

    over.store(true, Ordering::Relaxed);
    let (asked, failed) = client.join().unwrap();
    println!("haproxy: {asked} requests, {failed} failed");
    assert!(asked > 200 && failed == 0, "{failed} of {asked} failed");
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
