//! Resolvers between a client and the zone: what they remember of a service that was not there, and of a DNS that was not.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ecssd_testing::dns::Steady;
use ecssd_testing::process::Process;
use hickory_server::proto::rr::Name;
use tempfile::TempDir;

use crate::fleet::{DNS, Fleet};

const NAME: &str = "_calc-all._tcp.sd.internal";
/// Where the resolver under test answers.
const RESOLVER: &str = "127.53.0.4";

struct Resolver {
    process: Process,
    _dir: TempDir,
}

impl Resolver {
    fn dnsmasq() -> Self {
        let mut command = Command::new("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=root",
        ]);
        command.args(["--pid-file=", "--bind-interfaces", "--log-facility=-"]);
        command.arg(format!("--listen-address={RESOLVER}"));
        command.arg(format!("--server={}", DNS.replace(':', "#")));
        Self { process: Process::start(command), _dir: TempDir::new().unwrap() }
    }

    fn unbound() -> Self {
        let dir = TempDir::new().unwrap();
        let (config, server) = (dir.path().join("unbound.conf"), DNS.replace(':', "@"));
        let text = format!(
            "server:\n interface: {RESOLVER}\n do-not-query-localhost: no\n module-config: iterator\n \
             chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n\
             remote-control:\n control-enable: no\n\
             stub-zone:\n name: sd.internal\n stub-addr: {server}\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("unbound");
        command.arg("-d").arg("-c").arg(config);
        Self { process: Process::start(command), _dir: dir }
    }

    /// What it says; nothing while it does not listen yet.
    fn dig(&self) -> String {
        let server = format!("@{RESOLVER}");
        let mut command = Command::new("dig");
        command.args(["-r", &server, "+tries=9", "+time=1", NAME, "SRV"]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }
}

/// A client asks for a service before it is there, and again and again; then the name server is away for two seconds.
fn a_late_service_is_found(name: &str, resolver: fn() -> Resolver) {
    let mut fleet = Fleet::empty("calc");
    let resolver = resolver();
    resolver.process.wait_for("NXDOMAIN", || resolver.dig().contains("status: NXDOMAIN").then_some(()));
    fleet.grow();
    let (began, mut remembered) = (Instant::now(), 0);
    while resolver.dig().contains("status: NXDOMAIN") {
        remembered += 1;
        thread::sleep(Duration::from_millis(200));
    }
    let seconds = began.elapsed().as_secs_f64();
    assert!(resolver.dig().contains("ANSWER: 1,"));

    let client = Steady::start(
        format!("{RESOLVER}:53").parse().unwrap(),
        &Name::from_ascii(format!("{NAME}.")).unwrap(),
    );
    fleet.silence();
    thread::sleep(Duration::from_secs(2));
    fleet.answer();
    let back = Instant::now();
    resolver.process.wait_for("an answer", || resolver.dig().contains("ANSWER: 1,").then_some(()));
    let back = back.elapsed().as_secs_f64();
    let heard = client.stop();
    println!(
        "{name}: {seconds:.1} s until a late service is found, {back:.1} s after DNS is back; {heard:?}"
    );
    assert!(remembered > 0 && heard.there > 0 && heard.not_there == 0, "{remembered}, {heard:?}");
}

#[test]
#[ignore = "takes dnsmasq and root: tests/run consumers"]
fn a_late_service_is_found_behind_dnsmasq() {
    a_late_service_is_found("dnsmasq", Resolver::dnsmasq);
}

#[test]
#[ignore = "takes unbound and root: tests/run consumers"]
fn a_late_service_is_found_behind_unbound() {
    a_late_service_is_found("unbound", Resolver::unbound);
}
