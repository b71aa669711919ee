//! Prometheus: takes the targets that it scrapes from DNS, by the system's resolver.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use ecssd_testing::process::Process;
use serde_json::Value;
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::{lookups, recipe};

const LISTEN: &str = "127.53.0.3:9090";

/// Prometheus with the page's recipe, for the copies of one name.
pub struct Prometheus {
    process: Process,
    _dir: TempDir,
}

impl Prometheus {
    pub fn start(name: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let config = recipe("yaml").replace("_calc-all._tcp.sd.internal", name).replace("30s", "1s");
        std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", dir.path().join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", dir.path().join("data").display()));
        command.arg(format!("--web.listen-address={LISTEN}"));
        let process = Process::start(lookups::resolving(&command, dir.path()));
        process.says("Server is ready to receive web requests");
        Self { process, _dir: dir }
    }

    /// How many targets it has, and how many of them it has scraped.
    pub fn targets(&self) -> (usize, usize) {
        let mut stream = TcpStream::connect(LISTEN).unwrap();
        // HTTP/1.0: an answer in one piece.
        stream.write_all(b"GET /api/v1/targets?state=active HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let answer: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        let targets = answer["data"]["activeTargets"].as_array().unwrap();
        (targets.len(), targets.iter().filter(|target| target["health"] == "up").count())
    }

    pub fn has(&self, targets: usize) {
        self.process
            .wait_for(&format!("{targets} targets"), || (self.targets() == (targets, targets)).then_some(()));
    }
}

#[test]
#[ignore = "takes Prometheus and root: tests/run consumers"]
fn prometheus_scrapes_every_copy_and_sees_the_one_that_fails() {
    let mut fleet = Fleet::start("calc", 4);
    let prometheus = Prometheus::start("_calc-all._tcp.sd.internal");
    prometheus.has(4);
    fleet.kill(2);
    prometheus.process.wait_for("`up 0` of one", || (prometheus.targets() == (4, 3)).then_some(()));
    fleet.withdraw(2);
    prometheus.has(3);
    println!("prometheus: 4 of 4 by the full name");
}

#[test]
#[ignore = "takes Prometheus and root: tests/run consumers"]
fn prometheus_sees_one_copy_of_a_weighted_name() {
    let _fleet = Fleet::start("calc", 4);
    let prometheus = Prometheus::start("_calc._tcp.sd.internal");
    prometheus.process.wait_for("a target", || (prometheus.targets().0 > 0).then_some(()));
    let seen: Vec<usize> = (0..50)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(200));
            prometheus.targets().0
        })
        .collect();
    println!("prometheus: at most {} of 4 by the weighted name", seen.iter().max().unwrap());
    assert!(seen.iter().all(|targets| *targets <= 1), "{seen:?}");
}
