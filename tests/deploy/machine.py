"""The unit as it is installed by docs/install.md, on a machine with a real systemd as its first process and Docker with five
containers in it. Outside, in a network of its own, are an emulator with the zone and a name server; the machine asks that
through systemd-resolved. Run by tests/full machine.

  machine.py ARCHIVES CACHE MINISTACK BUS OFFS   BUS is dbus or dbus-broker; OFFS how often it is turned off, and restarted

What holds: a power-off withdraws everything and says so, though it needs name lookup for that; a restart of the agent
changes nothing; a crash loop, an agent that hangs, and a stop's file that was left over change nothing either; a soft
reboot leaves no such file.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ARCHIVES, CACHE, MINISTACK, BUS, OFFS = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).resolve(), sys.argv[4], int(sys.argv[5])
CONTAINERS = 5
# Events of the agent's log.
DRAINED, HANDED_OVER = '"event":"drained"', '"event":"handed_over"'
CRASHES = 5
PATIENCE = 90
# Of another C library than that of the machine that builds, as hosts are.
SUITE = "trixie"
PACKAGES = "systemd,systemd-sysv,systemd-resolved,libnss-resolve,dbus,dbus-broker,iproute2,iptables,ca-certificates,procps"
PACKAGES += ",docker.io,docker-cli"
OUTSIDE, INSIDE = "10.99.0.1", "10.99.0.2"
# Known to the name server outside alone.
NAME = "emulator.example.net"
STOPS = "/run/ecssd/system-stops"
DROP_IN = "etc/systemd/system/ecssd.service.d"

# A machine in a container sees its control groups read-only, where they are of the first version; Docker makes some.
CGROUPS = """[Unit]
Before=docker.service containerd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for group in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$group" || true; done'
[Install]
WantedBy=multi-user.target
"""

# A kernel without IPv6 is enough for containers.
DOCKER = """[Service]
Environment=DOCKER_ALLOW_IPV6_ON_IPV4_INTERFACE=1
"""
# What systemd wants to be told before it starts on control groups of the first version.
OLD_GROUPS = ["systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]


def run(*command):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"wrong: {' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def wait(what, condition, seconds=PATIENCE):
    until = time.time() + seconds
    while not (found := condition()):
        if time.time() > until:
            raise SystemExit(f"wrong: no {what} within {seconds} s")
        time.sleep(0.2)
    return found


# Nothing of the environment out here is a machine's: a variable that names an engine would be another one's.
CLEAN = ["env", "--ignore-environment", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


class Machine:
    """A system in a directory and a network of its own."""

    def __init__(self, root, network):
        self.root, self.network, self.process = root, network, None

    def boot(self):
        command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", f"--machine={self.network}"]
        command += ["--directory", self.root, "--resolv-conf=off", "--link-journal=no", "--capability=all"]
        command += [f"--network-namespace-path=/run/netns/{self.network}", "--system-call-filter=add_key keyctl bpf"]
        command += [] if Path("/sys/fs/cgroup/cgroup.controllers").exists() else OLD_GROUPS
        log = open(self.root.parent / "console", "ab")
        # In a session of its own: a console would be taken from us.
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        wait("first process", self.leader)
        wait("system", lambda: self.does("systemctl", "is-system-running") in ("running", "degraded"))

    def leader(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return children[0] if children else None

    def inside(self, *command):
        return run("nsenter", "--target", self.leader(), "--all", *CLEAN, *command)

    def does(self, *command):
        """The same, whatever it comes to."""
        inside = ["nsenter", "--target", self.leader(), "--all", *CLEAN, *command]
        return subprocess.run(inside, text=True, capture_output=True).stdout.strip()

    def off(self):
        # What a machine's power button is to systemd. Source: systemd(1), "Signals", SIGRTMIN+4.
        os.kill(int(self.leader()), signal.SIGRTMIN + 4)
        self.process.wait(timeout=PATIENCE)

    def kill(self):
        """Where it is still there. With its first process all of it ends; without the one that started it, nothing does."""
        if self.process and self.process.poll() is None:
            if leader := self.leader():
                os.kill(int(leader), signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    def said(self, words):
        return sum(words in line for line in self.log().splitlines())

    def log(self):
        """What the agent has logged, over all starts of the machine."""
        journal = self.root / "var/log/journal"
        return run("journalctl", "--directory", journal, "--unit", "ecssd", "--output", "cat", "--no-pager") if journal.is_dir() else ""


class Outside:
    """A network that a machine's network leads to, with what it finds there."""

    def __init__(self, machine, work):
        self.machine, self.network, self.queries, self.processes = machine, f"{machine}-out", work / "queries", []
        self.work = work

    def start(self):
        for network in (self.machine, self.network):
            run("ip", "netns", "add", network)
            run("ip", "-n", network, "link", "set", "lo", "up")
        run("ip", "-n", self.network, "link", "add", "name", "machine0", "type", "veth", "peer", "name", "host0", "netns", self.machine)
        for network, link, address in ((self.network, "machine0", OUTSIDE), (self.machine, "host0", INSIDE)):
            run("ip", "-n", network, "address", "add", f"{address}/24", "dev", link)
            run("ip", "-n", network, "link", "set", link, "up")
        run("ip", "-n", self.machine, "route", "add", "default", "via", OUTSIDE)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.work), "TMPDIR": str(self.work), "BIND_HOST": OUTSIDE}
        environment |= {"GATEWAY_PORT": "4566", "SERVICES": "route53,ec2", "LOG_LEVEL": "WARNING", "SFTP_ENABLED": "0"}
        environment |= {"IOT_MTLS_ENABLED": "0", "DOCKER_HOST": f"unix://{self.work}/none"}
        self.spawn([MINISTACK], environment)
        names = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file"]
        names += ["--bind-interfaces", f"--listen-address={OUTSIDE}", f"--address=/{NAME}/{OUTSIDE}"]
        self.spawn([*names, "--log-queries", f"--log-facility={self.queries}"], {"PATH": os.environ["PATH"]})
        listens = ["ip", "netns", "exec", self.network, "ss", "-Hlnt", "sport = :4566 or sport = :53"]
        wait("emulator and name server", lambda: all(port in run(*listens) for port in (":4566", ":53")))

    def spawn(self, command, environment):
        inside = ["ip", "netns", "exec", self.network, *map(str, command)]
        self.processes.append(subprocess.Popen(inside, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def asked(self):
        """How often the machine has asked for the emulator's name."""
        return sum(f"query[A] {NAME} from {INSIDE}" in line for line in self.queries.read_text().splitlines())

    def end(self):
        for process in self.processes:
            process.terminate()
            process.wait()
        for network in (self.machine, self.network):
            subprocess.run(["ip", "netns", "delete", network], capture_output=True)


class Zone:
    """A private zone in the emulator, asked from its network."""

    def __init__(self, network):
        self.network = network
        vpc = re.search(r"<vpcId>(.*?)</vpcId>", self.ask("ec2", "POST", "/", "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0/16"))
        made = self.ask(
            "route53",
            "POST",
            "/2013-04-01/hostedzone",
            '<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>sd.internal</Name>'
            f"<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>{vpc.group(1)}</VPCId></VPC>"
            "<CallerReference>1</CallerReference></CreateHostedZoneRequest>",
        )
        self.id = re.search(r"<Id>/hostedzone/(.*?)</Id>", made).group(1)

    def ask(self, service, method, target, body=""):
        scope = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
        kind = "application/x-www-form-urlencoded" if service == "ec2" else "text/xml"
        script = (
            "import sys, urllib.request as r; m, u, a, k, b = sys.argv[1:]\n"
            "q = r.Request(u, b.encode() or None, {'Authorization': a, 'Content-Type': k}, method=m)\n"
            "print(r.urlopen(q, timeout=10).read().decode())"
        )
        inside = ["ip", "netns", "exec", self.network, sys.executable, "-c", script]
        return run(*inside, method, f"http://{OUTSIDE}:4566{target}", scope, kind, body)

    def sets(self):
        return self.ask("route53", "GET", f"/2013-04-01/hostedzone/{self.id}/rrset")

    def services(self):
        """The SRV records, each as its text."""
        sets = re.findall(r"<ResourceRecordSet>.*?</ResourceRecordSet>", self.sets(), re.S)
        return sorted(one for one in sets if "<Type>SRV</Type>" in one)


def system():
    """A Debian with both buses, made once."""
    made_of = f"{SUITE}: {PACKAGES}"
    if not (CACHE / "made-of").is_file() or (CACHE / "made-of").read_text() != made_of:
        shutil.rmtree(CACHE, ignore_errors=True)
        # Where this system's own packages are from.
        lists = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
        text = "\n".join(line for path in lists for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        found = [url for url in re.findall(r"https?://\S+", text) if "debian" in url and "security" not in url]
        print(f"making a system of {made_of}", flush=True)
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, CACHE, *found[:1])
        (CACHE / "made-of").write_text(made_of)
    return CACHE


def prepare(machine):
    root = machine.root
    files = {
        "etc/docker/daemon.json": '{"exec-opts": ["native.cgroupdriver=systemd"]}',
        "etc/systemd/system/cgroups.service": CGROUPS,
        "etc/systemd/system/docker.service.d/ipv6.conf": DOCKER,
        "etc/systemd/resolved.conf.d/outside.conf": f"[Resolve]\nDNS={OUTSIDE}\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "var/log/journal").mkdir(exist_ok=True)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    hosts = next(line for line in (root / "etc/nsswitch.conf").read_text().splitlines() if line.startswith("hosts:"))
    assert "resolve" in hosts.split(), hosts
    run("chroot", root, "systemctl", "enable" if BUS == "dbus-broker" else "disable", "dbus-broker.service")
    run("chroot", root, "systemctl", "enable", "cgroups.service", "systemd-resolved.service")


def told(words, number=0):
    """The commands of docs/install.md for a unit that it says this of."""
    page = Path("docs/install.md").read_text().split("\n## A unit\n")[1]
    return re.findall(rf"```sh not-run: {words}\n(.*?)```", page, re.S)[number]


def install(machine):
    for file in ARCHIVES.iterdir():
        shutil.copy(file, machine.root / "root" / file.name)
    # What an instance has by itself.
    (machine.root / DROP_IN).mkdir(parents=True)
    (machine.root / DROP_IN / "emulator.conf").write_text(
        f"[Service]\nEnvironment=AWS_ENDPOINT_URL=http://{NAME}:4566 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
        " AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true\n"
    )
    machine.inside("sh", "-ec", f"cd /root\n{told('installs into the system')}")


def containers(machine):
    image = machine.root / "srv/image"
    (image / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), image / "bin/busybox")
    machine.inside("sh", "-ec", "tar -C /srv/image -c . | docker import - busybox:1")
    for number in range(CONTAINERS):
        options = ["--detach", "--restart", "always", "--stop-timeout", "1", "--publish", "80", "--env", f"SERVICE_80_NAME=_web{number}._tcp"]
        machine.inside("docker", "run", *options, "busybox:1", "/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/bin")


def is_ready(machine):
    # A status outlives the process that gave it.
    return machine.does("systemctl", "show", "ecssd", "--property", "ActiveState,StatusText", "--value").split() in (["active", "ready"], ["ready", "active"])


def restarts(machine, zone):
    """What a restart, a crash, a hang and a file left over do to the zone: nothing."""
    before, written = zone.services(), machine.said('"event":"written"')
    handed = machine.said(HANDED_OVER)
    for number in range(OFFS):
        machine.inside("systemctl", "reload" if number % 5 == 4 else "restart", "ecssd")
        wait("agent that is ready", lambda: machine.said(HANDED_OVER) == handed + number + 1 and is_ready(machine))
    print(f"figure: {BUS}: {OFFS} restarts, {machine.said(HANDED_OVER) - handed} hand-overs", flush=True)
    crash_loop(machine)
    hang(machine)
    assert zone.services() == before, "records have changed"
    assert machine.said('"event":"written"') == written, "changes were sent"


def main_pid(machine):
    return int(machine.does("systemctl", "show", "ecssd", "--property", "MainPID", "--value") or 0)


def crash_loop(machine):
    """With a file that says that the system stops, as if it had been left over."""
    machine.inside("touch", STOPS)
    for _ in range(CRASHES):
        pid = wait("agent to kill", lambda: main_pid(machine))
        machine.inside("kill", "-KILL", str(pid))
        wait("end of it", lambda: main_pid(machine) != pid)
    wait("agent after its crashes", lambda: is_ready(machine))
    assert not machine.does("ls", "/run/ecssd"), "a crash leaves a file that says that the system stops"
    # It would have drained, had it taken the file for true.
    handed = machine.said(HANDED_OVER)
    machine.inside("systemctl", "restart", "ecssd")
    wait("hand-over after the crashes", lambda: machine.said(HANDED_OVER) == handed + 1 and is_ready(machine))
    print(f"figure: {BUS}: {CRASHES} crashes in a row, no file left", flush=True)


def hang(machine):
    """Under a watchdog that waits for less, and does not end one that is alive."""
    machine.inside("mkdir", "-p", "/run/systemd/system/ecssd.service.d")
    machine.inside("sh", "-c", "printf '[Service]\\nWatchdogSec=4\\n' >/run/systemd/system/ecssd.service.d/watchdog.conf")
    machine.inside("systemctl", "daemon-reload")
    machine.inside("systemctl", "restart", "ecssd")
    time.sleep(10)
    pid = machine.does("systemctl", "show", "ecssd", "--property", "MainPID", "--value")
    assert machine.does("systemctl", "show", "ecssd", "--property", "NRestarts", "--value") == "0", "the watchdog ends one that is alive"
    machine.inside("kill", "-STOP", pid)
    wait("end of one that hangs", lambda: machine.does("systemctl", "show", "ecssd", "--property", "MainPID", "--value") not in (pid, "0"))
    wait("agent after it hung", lambda: is_ready(machine))
    assert machine.said("Watchdog timeout") == 1, "it was not the watchdog that ended it"
    machine.inside("rm", "-r", "/run/systemd/system/ecssd.service.d")
    machine.inside("systemctl", "daemon-reload")
    print(f"figure: {BUS}: the watchdog ended one that hung", flush=True)


def soft_reboot(machine, zone):
    """All units stop, and start again with the first process and /run as they were: a drain at the one, no file after it."""
    safe, ready = machine.said(DRAINED), machine.said('"ready"')
    machine.inside("systemctl", "--no-block", "soft-reboot")
    wait("drain at a soft reboot", lambda: machine.said(DRAINED) == safe + 1)
    wait("agent after a soft reboot", lambda: machine.said('"ready"') > ready and is_ready(machine))
    wait("records", lambda: len(zone.services()) == CONTAINERS)
    assert not machine.does("ls", "/run/ecssd"), "a soft reboot leaves a file that says that the system stops"
    before, handed = zone.services(), machine.said(HANDED_OVER)
    machine.inside("systemctl", "restart", "ecssd")
    wait("hand-over after a soft reboot", lambda: machine.said(HANDED_OVER) == handed + 1 and is_ready(machine))
    assert zone.services() == before, "records have changed"
    print(f"figure: {BUS}: a soft reboot drained, and left no file", flush=True)


def leave(machine, zone):
    """After a change to the static user, which leaves the journal to it."""
    machine.boot()
    wait("records", lambda: len(zone.services()) == CONTAINERS)
    wait("agent that is ready", lambda: is_ready(machine))
    before, handed = zone.services(), machine.said(HANDED_OVER)
    machine.inside("sh", "-ec", told("installs into the system", 1))
    wait("hand-over to a static user", lambda: machine.said(HANDED_OVER) == handed + 1 and is_ready(machine))
    assert machine.does("id", "-un", "ecssd") == "ecssd" and zone.services() == before, "records have changed"
    settings = run("cat", machine.root / DROP_IN / "emulator.conf").split("Environment=")[1].replace(" ", "\n")
    (machine.root / "etc/ecssd.env").open("a").write(settings)
    changes = machine.inside("sh", "-ec", told("needs a host with the unit"))
    assert not changes, f"a dry run beside the agent: {changes}"
    machine.inside("sh", "-ec", told("takes out of the system"))
    assert "SetIdentifier" not in zone.sets(), "records are left by who was taken away"
    print(f"figure: {BUS}: a static user takes over, and what is taken away leaves nothing", flush=True)


def offs(machine, zone):
    drained = 0
    for number in range(OFFS):
        if number:
            machine.boot()
        wait("records", lambda: len(zone.services()) == CONTAINERS)
        safe = machine.said(DRAINED)
        machine.off()
        left = len(zone.services())
        drained += left == 0 and machine.said(DRAINED) == safe + 1
        if left:
            print(f"power-off {number}: {left} records left", flush=True)
    print(f"figure: {BUS}: {drained} of {OFFS} power-offs drained", flush=True)
    assert drained == OFFS


def main():
    network = f"ecssd-{os.getpid()}"
    work = Path(tempfile.mkdtemp(prefix="ecssd-machine."))
    machine, outside = Machine(work / "root", network), Outside(network, work)
    try:
        run("cp", "--archive", "--reflink=auto", system(), machine.root)
        prepare(machine)
        outside.start()
        zone = Zone(outside.network)
        machine.boot()
        bus = machine.does("systemctl", "show", "dbus.service", "--property", "Id", "--value")
        assert bus == {"dbus": "dbus.service", "dbus-broker": "dbus-broker.service"}[BUS], bus
        containers(machine)
        install(machine)
        wait("records", lambda: len(zone.services()) == CONTAINERS)
        wait("agent that is ready", lambda: is_ready(machine))
        assert outside.asked(), "nobody asked the name server"
        version, library = (machine.does(program, "--version").splitlines()[0] for program in ("systemctl", "ldd"))
        print(f"figure: {BUS}: the zone found by name, through systemd-resolved; {version}; {library}", flush=True)
        restarts(machine, zone)
        soft_reboot(machine, zone)
        offs(machine, zone)
        leave(machine, zone)
    except BaseException:
        print(machine.log(), flush=True)
        raise
    finally:
        machine.kill()
        outside.end()
        shutil.rmtree(work, ignore_errors=True)


main()
