//! Prometheus: takes the targets that it scrapes from DNS, by the system's resolver, or from an agent over HTTP.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use ecssd_testing::process::Process;
use serde_json::Value;
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::{lookups, recipe, recipe_under};

const LISTEN: &str = "127.53.0.3:9090";
/// Where an agent tells it targets.
const TARGETS: &str = "127.53.0.4:9154";
/// Between two questions. It takes what it has heard every 5 s: with more than that, a question more would show.
const REFRESH_SECONDS: u64 = 8;

/// Prometheus with the page's recipe, for the copies of one name.
pub struct Prometheus {
    process: Process,
    _dir: TempDir,
}

impl Prometheus {
    pub fn start(name: &str) -> Self {
        Self::with(&recipe("yaml").replace("_calc-all._tcp.sd.internal", name))
    }

    /// With this configuration, asking and scraping more often.
    fn with(config: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let config = config.replace("scrape_interval: 30s", "scrape_interval: 1s");
        let config =
            config.replace("refresh_interval: 30s", &format!("refresh_interval: {REFRESH_SECONDS}s"));
        let config = config.replace("refresh_interval: 60s", "refresh_interval: 1s");
        std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", dir.path().join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", dir.path().join("data").display()));
        command.arg(format!("--web.listen-address={LISTEN}"));
        let process = Process::start(lookups::resolving(&command, dir.path()));
        process.says("Server is ready to receive web requests");
        Self { process, _dir: dir }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(LISTEN).unwrap();
        // HTTP/1.0: an answer in one piece.
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }

    /// How many targets it has, and how many of them it has scraped.
    pub fn targets(&self) -> (usize, usize) {
        let answer: Value = serde_json::from_str(&self.get("/api/v1/targets?state=active")).unwrap();
        let targets = answer["data"]["activeTargets"].as_array().unwrap();
        (targets.len(), targets.iter().filter(|target| target["health"] == "up").count())
    }

    /// How often it has asked DNS.
    fn refreshes(&self) -> u64 {
        let metrics = self.get("/metrics");
        let count = metrics.lines().find_map(|line| line.strip_prefix("prometheus_sd_dns_lookups_total "));
        count.unwrap().parse().unwrap()
    }

    /// Waits until it has another number of targets: how many, and after how many refreshes from now on.
    fn changes(&self) -> (usize, u64) {
        let (had, asked) = (self.targets().0, self.refreshes());
        self.process.wait_for("another number of targets", || {
            let refreshes = self.refreshes() - asked;
            Some(self.targets().0).filter(|targets| *targets != had).map(|targets| (targets, refreshes))
        })
    }

    pub fn has(&self, targets: usize) {
        self.process
            .wait_for(&format!("{targets} targets"), || (self.targets() == (targets, targets)).then_some(()));
    }
}

#[test]
#[ignore = "takes Prometheus and root: tests/run consumers"]
fn prometheus_has_every_copy_at_its_first_refresh_and_lacks_a_stopped_one_at_the_next() {
    let mut fleet = Fleet::start("calc", 4);
    let prometheus = Prometheus::start("_calc-all._tcp.sd.internal");
    let (first, asked) = (prometheus.process).wait_for("targets", || {
        let asked = prometheus.refreshes();
        Some(prometheus.targets().0).filter(|targets| *targets > 0).map(|targets| (targets, asked))
    });
    assert_eq!((first, asked), (4, 1), "targets, and refreshes before them");
    prometheus.has(4);

    fleet.kill(2);
    prometheus.process.wait_for("`up 0` of one", || (prometheus.targets() == (4, 3)).then_some(()));
    fleet.withdraw(2);
    let (left, refreshes) = prometheus.changes();
    assert!(left == 3 && refreshes <= 1, "{left} targets after {refreshes} refreshes");
    println!(
        "prometheus: 4 of 4 by the full name at the first refresh, 3 at the first one after one is stopped"
    );
}

#[test]
#[ignore = "takes Prometheus and root: tests/run consumers"]
fn prometheus_has_every_copy_of_a_weighted_name_by_http_and_keeps_them_while_nobody_answers() {
    const COPIES: usize = 20;
    let fleet = Fleet::start("calc", COPIES);
    let front = fleet.tell(TARGETS.parse().unwrap());
    let config = recipe_under("## Prometheus by HTTP", "yaml")
        .replace("i-0a1b2c3d4e5f60789.sd.internal:9154", TARGETS);
    let prometheus = Prometheus::with(&config);
    prometheus.has(COPIES);
    let answer: Value = serde_json::from_str(&prometheus.get("/api/v1/targets?state=active")).unwrap();
    let discovered = &answer["data"]["activeTargets"][0]["discoveredLabels"];
    assert_eq!(discovered["__meta_ecssd_weight"], "1", "{discovered}");
    fleet.withdraw(2);
    prometheus.has(COPIES - 1);
    drop(front);
    let failures = || {
        let metrics = prometheus.get("/metrics");
        let count = metrics.lines().find_map(|line| line.strip_prefix("prometheus_sd_http_failures_total "));
        count.and_then(|count| count.parse::<u64>().ok()).unwrap_or_default()
    };
    prometheus.process.wait_for("questions that nobody answers", || (failures() >= 3).then_some(()));
    assert_eq!(prometheus.targets().0, COPIES - 1, "it keeps what it has");
    println!(
        "prometheus: {COPIES} of {COPIES} by HTTP of the weighted name, and all of them kept while nobody answers"
    );
}

#[test]
#[ignore = "takes Prometheus and root: tests/run consumers"]
fn prometheus_sees_one_copy_of_a_weighted_name() {
    let _fleet = Fleet::start("calc", 4);
    let prometheus = Prometheus::start("_calc._tcp.sd.internal");
    prometheus.process.wait_for("a target", || (prometheus.targets().0 > 0).then_some(()));
    let began = prometheus.refreshes();
    let mut seen = BTreeSet::new();
    while prometheus.refreshes() < began + 2 {
        seen.insert(prometheus.targets().0);
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("prometheus: {seen:?} of 4 by the weighted name");
    assert!(seen.iter().all(|targets| *targets <= 1), "{seen:?}");
}
