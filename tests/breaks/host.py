"""A host, its services and its account, with the tools that an operator finds there.

It owns all processes, containers and files of the host, below one directory; what ails it is `ways`' business.
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree

from front import API, NAMESPACE

ROOT = pathlib.Path(__file__).parent.parent.parent
ZONE = "break.internal"
IMAGE = "ecssd-break"
# How many copies of each have to serve.
SERVICES = {"_calc._tcp": 2, "_time._tcp": 1, "_web._tcp": 1}
CONTAINERS = {"calc-1": "_calc._tcp", "calc-2": "_calc._tcp", "time-1": "_time._tcp", "web-1": "_web._tcp"}
# Longer than an agent takes to be ready, or to say that something does not come.
PATIENCE = 120
UNITS = ("ecssd", "docker", "chrony")


def wait_for(what, holds, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise SystemExit(f"error: {what}: not within {seconds} s")
        time.sleep(0.2)
    return found


def command(name, service, *, publish=("-p", "8080"), key="8080", listen="8080", options=(), run=None):
    """What starts one copy of a service, in the words of docker run."""
    run = run or ["httpd", "-f", "-p", listen, "-h", "/www"]
    name_of_it = ["-e", f"SERVICE_{key}_NAME={service}"]
    return ["run", "-d", "--name", name, "--restart", "unless-stopped", *name_of_it, *publish, *options, IMAGE, *run]


class Host:
    """All of it, by its directory."""

    def __init__(self, directory):
        self.directory = directory
        self.bin = directory / "bin"

    # === Made ===

    def make(self):
        if self.directory.exists():
            raise SystemExit(f"error: there is a host in {self.directory} already: tests/break --end takes it down")
        self.directory.mkdir(mode=0o700)
        (self.directory / "sealed").mkdir()
        self.faults()
        socket_path = self.script("deploy/engine", "start", str(self.directory / "engine"), engine=False)
        self.write("socket", socket_path)
        self.write("address", self.script("deploy/engine", "address"))
        # Installed first: nothing can be from within the engine's network.
        self.script("tests/emulator", "install")
        url = self.script("deploy/engine", "in", str(ROOT / "tests/emulator"), "up", str(self.directory / "emulator"))
        self.write("emulator-address", url.removeprefix("http://"))
        self.write("zone-id", self.new_zone())
        self.write("resolv.conf", f"nameserver {self.address}\n")
        self.start_front()
        self.write_tools()
        self.write_settings()
        self.load_image()
        for name, service in CONTAINERS.items():
            self.deploy(name, command(name, service))
        self.ecssd("--janitor", "--soa-minimum", "5s", "--apply")
        self.start_agent()
        wait_for("all services are in DNS", lambda: not self.ailing())

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def read(self, name):
        return (self.directory / name).read_text()

    @property
    def address(self):
        return self.read("address")

    @property
    def page(self):
        return f"http://{self.address}:9153/"

    def script(self, name, *arguments, engine=True):
        environment = dict(os.environ, ECSSD_TEST_EMULATOR_SERVICES="route53,ec2,ecs")
        if engine:
            environment["DOCKER_HOST"] = f"unix://{self.read('socket')}"
        run = subprocess.run([ROOT / name, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return run.stdout.strip()

    def start_front(self):
        within = ["env", f"DOCKER_HOST=unix://{self.read('socket')}", str(ROOT / "deploy/engine"), "in"]
        front = [sys.executable, str(ROOT / "tests/breaks/front.py"), str(self.directory)]
        self.spawn("front", [*within, *front, self.read("emulator-address"), self.address, self.read("zone-id")])
        wait_for("the front answers", (self.directory / "front").exists, 20)

    def write_tools(self):
        """What an operator types; first in the path, they are this host's and not this machine's."""
        self.bin.mkdir()
        resolv = self.directory / "resolv.conf"
        inside = f'mount --bind {resolv} /etc/resolv.conf && unset ECSSD_STARTED ECSSD_BREAK_PROGRAM && exec "$@"'
        inside = f'exec {ROOT}/deploy/engine in unshare --mount sh -c {shlex.quote(inside)} inside "$@"'
        engine = f"DOCKER_HOST=unix://{self.read('socket')}"
        program = os.environ["ECSSD_BREAK_PROGRAM"]
        itself = f"exec {shlex.quote(sys.executable)} {ROOT}/tests/breaks --tool"
        tools = {
            "inside": f"export {engine}\n{inside}",
            "ecssd": f"set -a; . {self.directory}/host.env; set +a\nexec {self.bin}/inside {program} \"$@\"",
            "docker": f"export {engine}\nexec {shutil.which('docker')} \"$@\"",
            "dig": f"exec {self.bin}/inside {shutil.which('dig')} \"$@\"",
            "curl": f"exec {self.bin}/inside {shutil.which('curl')} \"$@\"",
            **{name: f'{itself} {name} "$@"' for name in ("systemctl", "journalctl", "console", "deploy", "date")},
        }
        for name, text in tools.items():
            path = self.bin / name
            # Without these tools in their own path: ours are not for what they call.
            path.write_text(f"#!/bin/sh\nPATH={shlex.quote(os.environ['PATH'])}\n{text}\n")
            path.chmod(0o755)

    def write_settings(self, **other):
        settings = {
            "ECSSD_ZONE": ZONE,
            "ECSSD_ENDPOINT_URL": self.read("front"),
            "AWS_ENDPOINT_URL": self.read("front"),
            "ECSSD_HOSTNAME": "web3",
            "ECSSD_ADDRESS": self.address,
            "ECSSD_DOCKER_SOCKET": self.read("socket"),
            "ECSSD_STATE_DIR": str(self.directory / "state"),
            "ECSSD_STATUS_LISTEN": f"{self.address}:9153",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        } | other
        self.write("host.env", "".join(f"{key}={value}\n" for key, value in settings.items() if value is not None))

    def load_image(self):
        with tempfile.NamedTemporaryFile(suffix=".tar") as file, tempfile.TemporaryDirectory() as tree:
            root = pathlib.Path(tree)
            for directory in ("bin", "www"):
                (root / directory).mkdir()
            shutil.copy("/bin/busybox", root / "bin/busybox")
            for applet in ("sh", "httpd", "sleep", "cat", "ls", "rm", "touch", "wget"):
                (root / "bin" / applet).symlink_to("busybox")
            (root / "www/index.html").write_text("it serves\n")
            with tarfile.open(file.name, "w") as tar:
                tar.add(root, ".")
            self.docker("import", file.name, IMAGE)

    # === Services ===

    def docker(self, *arguments):
        run = subprocess.run(
            [self.bin / "docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False
        )
        if run.returncode:
            raise SystemExit(f"error: docker {shlex.join(arguments)}: {run.stderr.strip()}")
        return run.stdout.strip()

    def deploy(self, name, run=None):
        """Replaces a container by what its file says, or by this from now on."""
        file = self.directory / "containers" / name
        file.parent.mkdir(exist_ok=True)
        if run:
            file.write_text(shlex.join(["docker", *run]) + "\n")
        if name in self.docker("ps", "-a", "--format", "{{.Names}}").splitlines():
            self.docker("stop", "-t", "1", name)
            self.docker("rm", "-f", name)
        self.docker(*shlex.split(file.read_text())[1:])

    def deploy_as_before(self, name):
        self.deploy(name, command(name, CONTAINERS[name]))

    # === The agent, and other units ===

    def spawn(self, name, arguments, **options):
        """Runs it apart from us, with its log, and keeps its pid and at last its exit code."""
        pid, code = self.directory / f"{name}.pid", self.directory / f"{name}.exit"
        for file in (pid, code):
            file.unlink(missing_ok=True)
        keeper = f'"$@" & echo $! >{pid}.new; mv {pid}.new {pid}; wait $!; echo $? >{code}'
        with (self.directory / f"{name}.log").open("a") as log:
            subprocess.Popen(
                ["bash", "-c", keeper, name, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options,
            )  # fmt: skip
        wait_for(f"{name} starts", pid.exists, 20)

    def pid(self, name):
        """Of what runs; None if it has ended."""
        file = self.directory / f"{name}.pid"
        return int(file.read_text()) if file.exists() and not (self.directory / f"{name}.exit").exists() else None

    def start_agent(self):
        if not self.pid("ecssd"):
            environment = {"PATH": os.environ["PATH"], "HOME": "/root"}
            self.spawn("ecssd", [str(self.bin / "ecssd"), "--log-format", "human"], env=environment)

    def stop_agent(self, how=signal.SIGTERM):
        if pid := self.pid("ecssd"):
            os.kill(pid, how)
            ended = lambda: not self.pid("ecssd")
            if how == signal.SIGTERM and self.state_of(pid) == "T":
                os.kill(pid, signal.SIGKILL)
            wait_for("the agent ends", ended, 60)

    @staticmethod
    def state_of(pid):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]

    @property
    def engine_pid(self):
        return int(self.read("engine/dockerd.process").split()[0])

    def restart_engine(self):
        """As `systemctl restart docker` does: also one that hangs, and containers come back by their restart policy."""
        pid = self.engine_pid
        arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().strip("\0").split("\0")
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGTERM)
        wait_for("dockerd ends", lambda: not pathlib.Path(f"/proc/{pid}").exists(), 30)
        network = f"--net=/run/netns/{self.read('engine/network').strip()}"
        self.spawn("dockerd", ["nsenter", network, *arguments])
        started = pathlib.Path(f"/proc/{self.pid('dockerd')}/stat").read_text().rpartition(") ")[2].split()[19]
        self.write("engine/dockerd.process", f"{self.pid('dockerd')} {started}\n")
        info = [self.bin / "docker", "info"]
        wait_for("dockerd answers", lambda: not subprocess.run(info, capture_output=True, check=False).returncode)

    # === The account ===

    def faults(self, **faults):
        self.write("faults", json.dumps(faults))

    def api(self, method, path, body=None):
        url = f"http://{self.read('emulator-address')}{API}{path}"
        request = ["in", "curl", "-s", "-S", "--fail-with-body", "-X", method, url]
        request += ["-H", "Content-Type: text/xml", "--data-binary", body] if body else []
        environment = dict(os.environ, DOCKER_HOST=f"unix://{self.read('socket')}")
        request = [ROOT / "deploy/engine", *request]
        run = subprocess.run(request, env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise SystemExit(f"error: {method} {path}: {run.stdout}{run.stderr}")
        return run.stdout

    def new_zone(self, vpc="vpc-12345678"):
        made = self.api(
            "POST",
            "/hostedzone",
            f'<CreateHostedZoneRequest xmlns="{NAMESPACE["r"]}"><Name>{ZONE}</Name><CallerReference>{time.time_ns()}'
            "</CallerReference><HostedZoneConfig><PrivateZone>true</PrivateZone></HostedZoneConfig><VPC><VPCRegion>"
            f"eu-central-1</VPCRegion><VPCId>{vpc}</VPCId></VPC></CreateHostedZoneRequest>",
        )
        return xml.etree.ElementTree.fromstring(made).findtext(".//r:Id", namespaces=NAMESPACE).rpartition("/")[2]

    def delete_zone(self, zone_id):
        self.api("DELETE", f"/hostedzone/{zone_id}")

    def change(self, action, name, kind, ttl, values, identifier=None, weight=None):
        own = f"<SetIdentifier>{identifier}</SetIdentifier><Weight>{weight}</Weight>" if identifier else ""
        each = "".join(f"<ResourceRecord><Value>{value}</Value></ResourceRecord>" for value in values)
        self.api(
            "POST",
            f"/hostedzone/{self.read('zone-id')}/rrset",
            f'<ChangeResourceRecordSetsRequest xmlns="{NAMESPACE["r"]}"><ChangeBatch><Changes><Change><Action>{action}'
            f"</Action><ResourceRecordSet><Name>{name}.{ZONE}.</Name><Type>{kind}</Type>{own}<TTL>{ttl}</TTL>"
            f"<ResourceRecords>{each}</ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch>"
            "</ChangeResourceRecordSetsRequest>",
        )

    # === How clients fare ===

    def within(self, program, *arguments):
        """What this program of ours prints, run within the host's network."""
        run = [self.bin / "inside", sys.executable, ROOT / "tests/breaks" / program, *arguments]
        return subprocess.run(run, stdout=subprocess.PIPE, text=True, check=True).stdout

    def seen_by_clients(self):
        """All records of the zone, and what clients of the services would say."""
        zone = self.read("emulator-address"), self.read("zone-id"), ZONE
        return json.loads(self.within("clients.py", *zone, json.dumps(SERVICES)))

    def ailing(self):
        """What clients would say; nothing if all is well."""
        return self.seen_by_clients()[1]

    def ecssd(self, *arguments):
        """What the program says of itself or of the host, and its exit code."""
        run = subprocess.run([self.bin / "ecssd", *arguments], capture_output=True, text=True, timeout=120, check=False)
        return run.returncode, run.stdout + run.stderr

    def complaints(self):
        """What clients would say, and the agent and its doctor; nothing if all is well."""
        found = self.ailing()
        if self.ecssd("--status")[0]:
            found.append("the agent is not ready, or gone")
        if self.ecssd("--doctor")[0]:
            found.append("its doctor finds something broken")
        return found

    # === Its end ===

    def end(self):
        for name in ("ecssd", "front"):
            if pid := self.pid(name):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGKILL)
        if (self.directory / "full").is_mount():
            subprocess.run(["umount", self.directory / "full"], check=True)
        if (self.directory / "engine").exists():
            os.kill(self.engine_pid, signal.SIGCONT)
            for name in ("tests/emulator", "deploy/engine"):
                self.script(name, "down", str(self.directory / name.rpartition("/")[2]), engine=False)
        shutil.rmtree(self.directory)
