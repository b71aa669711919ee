"""The unit as it is installed by docs/install.md, on a machine with a real systemd as its first process and Docker with five
containers in it; the zone is on an emulator outside. Run by tests/full machine.

  machine.py ARCHIVES CACHE MINISTACK BUS OFFS   BUS is dbus or dbus-broker; OFFS how often it is turned off, and restarted

What holds: a power-off withdraws everything and says so; a restart of the agent changes nothing; a crash, an agent that
hangs, and a stop's file that was left over change nothing either.
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
PATIENCE = 90
PACKAGES = "systemd,systemd-sysv,dbus,dbus-broker,iproute2,iptables,ca-certificates,procps,docker.io"
ENDPOINT = "http://127.0.0.1:4566"
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


class Machine:
    """A system in a directory and a network of its own."""

    def __init__(self, root, network):
        self.root, self.network, self.process = root, network, None

    def boot(self):
        command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", f"--machine={self.network}"]
        command += ["--directory", self.root, "--resolv-conf=off", "--link-journal=no", "--capability=all"]
        command += [f"--network-namespace-path=/run/netns/{self.network}", "--system-call-filter=add_key keyctl bpf"]
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
        return run("nsenter", "--target", self.leader(), "--all", *command)

    def does(self, *command):
        """The same, whatever it comes to."""
        inside = ["nsenter", "--target", self.leader(), "--all", *command]
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
        command = ["journalctl", "--directory", self.root / "var/log/journal", "--unit", "ecssd", "--output", "cat", "--no-pager"]
        return sum(words in line for line in run(*command).splitlines())


class Zone:
    """A private zone in the emulator, asked from the machine's network."""

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
        return run(*inside, method, ENDPOINT + target, scope, kind, body)

    def services(self):
        """The SRV records, each as its text."""
        listed = self.ask("route53", "GET", f"/2013-04-01/hostedzone/{self.id}/rrset")
        sets = re.findall(r"<ResourceRecordSet>.*?</ResourceRecordSet>", listed, re.S)
        return sorted(one for one in sets if "<Type>SRV</Type>" in one)


def system():
    """A Debian with both buses, made once."""
    if not (CACHE / "made-of").is_file() or (CACHE / "made-of").read_text() != PACKAGES:
        shutil.rmtree(CACHE, ignore_errors=True)
        # Where this system's own packages are from.
        lists = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
        text = "\n".join(line for path in lists for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        found = [url for url in re.findall(r"https?://\S+", text) if "debian" in url and "security" not in url]
        print(f"making a system of {PACKAGES}", flush=True)
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", CACHE, *found[:1])
        (CACHE / "made-of").write_text(PACKAGES)
    return CACHE


def install(machine):
    """By the commands of docs/install.md, as they stand."""
    page = Path("docs/install.md").read_text().split("\n## A unit\n")[1]
    block = re.search(r"```sh not-run: installs into the system\n(.*?)```", page, re.S).group(1)
    for file in ARCHIVES.iterdir():
        shutil.copy(file, machine.root / "root" / file.name)
    # What an instance has by itself.
    (machine.root / DROP_IN).mkdir(parents=True)
    (machine.root / DROP_IN / "emulator.conf").write_text(
        "[Service]\nEnvironment=AWS_ENDPOINT_URL=" + ENDPOINT + " AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
        " AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true ECSSD_HOSTNAME=web1 ECSSD_ADDRESS=172.17.0.1\n"
    )
    machine.inside("sh", "-ec", f"cd /root\n{block}")


def containers(machine):
    image = machine.root / "srv/image"
    (image / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), image / "bin/busybox")
    machine.inside("sh", "-ec", "tar -C /srv/image -c . | docker import - busybox:1")
    for number in range(CONTAINERS):
        options = ["--detach", "--restart", "always", "--stop-timeout", "1", "--publish", "80", "--env", f"SERVICE_80_NAME=_web{number}._tcp"]
        machine.inside("docker", "run", *options, "busybox:1", "/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/bin")


def is_ready(machine):
    return machine.does("systemctl", "show", "ecssd", "--property", "StatusText", "--value") == "ready"


def restarts(machine, zone):
    """What a restart, a crash, a hang and a file left over do to the zone: nothing."""
    before, written = zone.services(), machine.said('"written"')
    handed = machine.said("handed over")
    for number in range(OFFS):
        machine.inside("systemctl", "reload" if number % 5 == 4 else "restart", "ecssd")
        wait("agent that is ready", lambda: machine.said("handed over") == handed + number + 1 and is_ready(machine))
    print(f"figure: {BUS}: {OFFS} restarts, {machine.said('handed over') - handed} hand-overs", flush=True)
    stops = "/run/ecssd/system-stops"
    machine.inside("touch", stops)
    for _ in range(3):
        machine.inside("systemctl", "kill", "--signal", "KILL", "--kill-who", "main", "ecssd")
        time.sleep(2)
        wait("agent after a crash", lambda: is_ready(machine))
    assert not machine.does("ls", "/run/ecssd"), "a crash leaves a file that says that the system stops"
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
    assert zone.services() == before, "records have changed"
    assert machine.said('"written"') == written, "changes were sent"


def offs(machine, zone):
    drained = 0
    for number in range(OFFS):
        if number:
            machine.boot()
        wait("records", lambda: len(zone.services()) == CONTAINERS)
        safe = machine.said("safe to stop")
        machine.off()
        left = len(zone.services())
        drained += left == 0 and machine.said("safe to stop") == safe + 1
        if left:
            print(f"power-off {number}: {left} records left", flush=True)
    print(f"figure: {BUS}: {drained} of {OFFS} power-offs drained", flush=True)
    assert drained == OFFS


def main():
    network = f"ecssd-{os.getpid()}"
    work = Path(tempfile.mkdtemp(prefix="ecssd-machine."))
    machine, emulator = Machine(work / "root", network), None
    try:
        run("cp", "--archive", "--reflink=auto", system(), machine.root)
        (machine.root / "var/log/journal").mkdir(exist_ok=True)
        (machine.root / "etc/docker").mkdir(exist_ok=True)
        (machine.root / "etc/docker/daemon.json").write_text('{"exec-opts": ["native.cgroupdriver=systemd"]}')
        run("chroot", machine.root, "systemctl", "enable" if BUS == "dbus-broker" else "disable", "dbus-broker.service")
        (machine.root / "etc/systemd/system/cgroups.service").write_text(CGROUPS)
        run("chroot", machine.root, "systemctl", "enable", "cgroups.service")
        run("ip", "netns", "add", network)
        run("ip", "netns", "exec", network, "ip", "link", "set", "lo", "up")
        environment = {"PATH": os.environ["PATH"], "HOME": str(work), "TMPDIR": str(work), "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "4566", "SERVICES": "route53,ec2", "LOG_LEVEL": "WARNING", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "DOCKER_HOST": f"unix://{work}/none"}
        emulator = subprocess.Popen(["ip", "netns", "exec", network, MINISTACK], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(3)
        zone = Zone(network)
        machine.boot()
        bus = machine.does("systemctl", "show", "dbus.service", "--property", "Id", "--value")
        assert bus == {"dbus": "dbus.service", "dbus-broker": "dbus-broker.service"}[BUS], bus
        containers(machine)
        install(machine)
        wait("records", lambda: len(zone.services()) == CONTAINERS)
        wait("agent that is ready", lambda: is_ready(machine))
        restarts(machine, zone)
        offs(machine, zone)
    finally:
        machine.kill()
        if emulator:
            emulator.terminate()
            emulator.wait()
        subprocess.run(["ip", "netns", "delete", network], capture_output=True)
        shutil.rmtree(work, ignore_errors=True)


main()
