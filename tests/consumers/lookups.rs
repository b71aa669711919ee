//! Programs that look a name up, and how many copies each kind of client gets of a large service.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ecssd_testing::process::output;
use ecssd_testing::resolver;
use tempfile::TempDir;

use crate::PAGE;
use crate::fleet::{DNS, Fleet};
use crate::haproxy::{self, HaProxy};
use crate::host::go_program;
use crate::prometheus::Prometheus;

const NAME: &str = "_calc-all._tcp.sd.internal";

/// The same command where /etc/resolv.conf names the server of the zone under test, and no other. The file is kept in
/// `dir`.
pub fn resolving(command: &Command, dir: &Path) -> Command {
    let (address, _) = DNS.split_once(':').unwrap();
    resolver::resolving(command, dir, address)
}

/// How many copies Go's own resolver finds.
fn by_go(program: &Path, dir: &Path) -> usize {
    let mut command = Command::new(program);
    command.arg(NAME);
    output(&mut resolving(&command, dir)).lines().count()
}

/// How many copies dnspython finds.
fn by_python(dir: &Path) -> usize {
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", &crate::recipe("python")]);
    output(&mut resolving(&command, dir)).lines().count()
}

#[test]
#[ignore = "takes HAProxy, Prometheus, Go, dnspython and root: tests/run consumers"]
fn the_page_says_how_many_copies_each_client_gets() {
    let dir = TempDir::new().unwrap();
    let go = go_program(dir.path(), &format!("package main\n\n{}\n", crate::recipe("go")));
    let mut rows = Vec::new();
    for copies in [8, 9, 20, 100] {
        let _fleet = Fleet::start("calc", copies);
        let by_go = by_go(&go, dir.path());
        let by_python = by_python(dir.path());
        let prometheus = Prometheus::start(NAME);
        prometheus.has(copies);
        drop(prometheus);
        let [few, some, most] = [("512", 8), ("1232", 23), ("8192", 79)].map(|(octets, fits)| {
            let haproxy = HaProxy::with(NAME, |recipe| haproxy::taking(octets, recipe));
            if copies <= fits {
                haproxy.has(copies);
                haproxy.keeps(copies, Duration::from_secs(2));
                return copies.to_string();
            }
            // A datagram, one of 512 octets with a word on EDNS in it; and every one holds others.
            haproxy.process.wait_for("servers", || (haproxy.servers().0 == fits).then_some(()));
            assert_eq!(haproxy.most(Duration::from_secs(3)), fits);
            format!("{fits} at a time")
        });
        let all = HaProxy::with(NAME, haproxy::keeping);
        all.has(copies);
        rows.push(format!(
            "| {copies} | {few} | {some} | {most} | {copies} | {copies} | {by_go} | {by_python} |"
        ));
    }
    let table = rows.join("\n");
    println!("{table}");
    assert!(PAGE.contains(&table), "docs/consumers.md does not have:\n{table}");
}
