//! Resolvers between a client and the zone: what they remember of a service that was not there, and of a DNS that was not.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ecssd_testing::dns::Steady;
use ecssd_testing::process::Process;
use hickory_server::proto::rr::Name;
use tempfile::TempDir;

use crate::fleet::{DNS, Fleet};
use crate::host::{self, Host};

const NAME: &str = "_calc-all._tcp.sd.internal";

/// A resolver, and where it answers.
struct Resolver {
    name: &'static str,
    address: &'static str,
    process: Process,
    _dir: TempDir,
}

impl Resolver {
    fn dnsmasq() -> Self {
        let address = "127.53.0.4";
        let mut command = Command::new("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=root",
        ]);
        command.args(["--pid-file=", "--bind-interfaces", "--log-facility=-"]);
        command.arg(format!("--listen-address={address}"));
        command.arg(format!("--server={}", DNS.replace(':', "#")));
        Self { name: "dnsmasq", address, process: Process::start(command), _dir: TempDir::new().unwrap() }
    }

    fn unbound() -> Self {
        let (address, dir) = ("127.53.0.5", TempDir::new().unwrap());
        let (config, server) = (dir.path().join("unbound.conf"), DNS.replace(':', "@"));
        let stub = |zone| format!("stub-zone:\n name: {zone}\n stub-addr: {server}\n");
        let text = format!(
            "server:\n interface: {address}\n do-not-query-localhost: no\n module-config: iterator\n \
             chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n\
             remote-control:\n control-enable: no\n{}{}",
            stub("sd.internal"),
            stub("servicediscovery.internal"),
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("unbound");
        command.arg("-d").arg("-c").arg(config);
        Self { name: "unbound", address, process: Process::start(command), _dir: dir }
    }

    /// Debian's program out of its packages, where the step has put it: installed, it would become this machine's own
    /// resolver.
    fn resolved() -> Self {
        let (address, dir) = ("127.53.0.6", TempDir::new().unwrap());
        std::fs::write(dir.path().join("passwd"), "root:x:0:0::/:\nsystemd-resolve:x:0:0::/:\n").unwrap();
        let (upstream, _) = DNS.split_once(':').unwrap();
        let config = format!(
            "[Resolve]\nDNS={upstream}\nDomains=~.\nDNSStubListener=no\nDNSStubListenerExtra={address}\n\
             CacheFromLocalhost=yes\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nReadEtcHosts=no\n"
        );
        std::fs::write(dir.path().join("resolved.conf"), config).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-ec", AS_RESOLVED]).arg(dir.path()).arg(RESOLVED);
        Self { name: "systemd-resolved", address, process: Process::start(command), _dir: dir }
    }

    /// What it says; nothing while it does not listen yet.
    fn dig(&self) -> String {
        let server = format!("@{}", self.address);
        let mut command = Command::new("dig");
        command.args(["-r", &server, "+tries=9", "+time=1", NAME, "SRV"]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    /// A client of it.
    fn client(&self, name: &str) -> Steady {
        client(&format!("{}:53", self.address), name)
    }
}

fn client(server: &str, name: &str) -> Steady {
    Steady::start(server.parse().unwrap(), &Name::from_ascii(format!("{name}.")).unwrap())
}

/// Where `tests/run consumers` unpacks it.
const RESOLVED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.cache/systemd-resolved");
/// With settings, a user, and a /run of its own: `$0` is where they are, `$1` where the program is.
const AS_RESOLVED: &str = "
    export LD_LIBRARY_PATH=$(dirname \"$(find \"$1\" -name 'libsystemd-shared-*')\")
    mount --bind \"$0/passwd\" /etc/passwd
    mount -t tmpfs none /etc/systemd
    cp \"$0/resolved.conf\" /etc/systemd
    mount -t tmpfs none /run
    mkdir -p /run/systemd/resolve
    exec \"$(find \"$1\" -path '*/lib/systemd/systemd-resolved')\"";

/// A client asks for a service before it is there, and again and again; then the name server is away for two seconds.
fn a_late_service_is_found(resolver: &Resolver) {
    let mut fleet = Fleet::empty("calc");
    resolver.process.wait_for("NXDOMAIN", || resolver.dig().contains("status: NXDOMAIN").then_some(()));
    fleet.grow();
    let (began, mut remembered) = (Instant::now(), 0);
    while resolver.dig().contains("status: NXDOMAIN") {
        remembered += 1;
        thread::sleep(Duration::from_millis(200));
    }
    let seconds = began.elapsed().as_secs_f64();
    assert!(resolver.dig().contains("ANSWER: 1,"));

    let client = resolver.client(NAME);
    thread::sleep(Duration::from_millis(200));
    fleet.silence();
    thread::sleep(Duration::from_secs(2));
    fleet.answer();
    let back = Instant::now();
    resolver.process.wait_for("an answer", || resolver.dig().contains("ANSWER: 1,").then_some(()));
    let back = back.elapsed().as_secs_f64();
    thread::sleep(Duration::from_secs(1));
    let heard = client.stop();
    println!(
        "{}: {seconds:.1} s until a late service is found, {back:.1} s after DNS is back; {heard:?}",
        resolver.name
    );
    assert!(remembered > 0 && heard.there > 0 && heard.not_there == 0, "{remembered}, {heard:?}");
}

#[test]
#[ignore = "takes dnsmasq and root: tests/run consumers"]
fn a_late_service_is_found_behind_dnsmasq() {
    a_late_service_is_found(&Resolver::dnsmasq());
}

#[test]
#[ignore = "takes unbound and root: tests/run consumers"]
fn a_late_service_is_found_behind_unbound() {
    a_late_service_is_found(&Resolver::unbound());
}

#[test]
#[ignore = "takes systemd-resolved and root: tests/run consumers"]
fn a_late_service_is_found_behind_systemd_resolved() {
    a_late_service_is_found(&Resolver::resolved());
}

const RESTARTS: usize = 10;

#[test]
#[ignore = "takes dockerd, dnsmasq, unbound, systemd-resolved and root: tests/run consumers"]
fn ten_restarts_of_the_agent_tell_nobody_behind_a_resolver_that_a_running_service_is_not_there() {
    let mut host = Host::start(1);
    host.agent().says("_calc-all._tcp");
    let resolvers = [Resolver::dnsmasq(), Resolver::unbound(), Resolver::resolved()];
    let clients: Vec<_> =
        resolvers.iter().map(|resolver| (resolver.name, resolver.client(host::NAME))).collect();
    let mut clients: Vec<_> = clients.into_iter().chain([("raw", client(DNS, host::NAME))]).collect();
    for _ in 0..RESTARTS {
        assert_eq!(host.agent().drain(), Some(0));
        host.agent_again();
        thread::sleep(Duration::from_secs(1));
    }
    for (name, client) in clients.drain(..) {
        let heard = client.stop();
        println!(
            "{name}: {RESTARTS} restarts: blind for {:.1} s at most, {heard:?}",
            heard.blind.as_secs_f64()
        );
        assert!(heard.there > 0 && heard.not_there == 0, "{name}: {heard:?}");
    }
}
