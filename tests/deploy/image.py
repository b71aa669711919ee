"""The agent's image, run by the command of docs/install.md, with everything it asks Docker recorded on its way to the socket,
and its zone in an emulator that it finds by name. Run by tests/full image, in the network of the engine.

  python image.py ENDPOINT ADDRESS   ADDRESS is where the engine's published ports are reached

What holds: it has no shell, and nothing but the program and certificates; it runs as nobody, with the socket's group; SIGHUP
hands over to the agent that Docker starts next, and changes nothing; `docker stop` drains; and Docker is sent GETs alone, of
the paths that docs/operations.md names.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3

ENDPOINT, ADDRESS = urlsplit(sys.argv[1]), sys.argv[2]
ENGINE = os.environ["DOCKER_HOST"].removeprefix("unix://")
NAME, RESOLVER = "emulator.example.net", "127.9.9.9"
GROUP = 47110
PATIENCE = 60
ZONE = "image.internal"


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"wrong: {' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def wait(what, condition):
    until = time.time() + PATIENCE
    while not (found := condition()):
        if time.time() > until:
            raise SystemExit(f"wrong: no {what} within {PATIENCE} s: {log()}")
        time.sleep(0.1)
    return found


def log():
    done = subprocess.run(["docker", "logs", "ecssd"], text=True, capture_output=True)
    return done.stdout + done.stderr


def said(words):
    return sum(words in line for line in log().splitlines())


class Recorder:
    """Between the agent and the engine: what is asked, by method and path."""

    def __init__(self, path):
        self.asked, self.listener = [], socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chown(path, 0, GROUP)
        os.chmod(path, 0o660)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            agent, _ = self.listener.accept()
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(ENGINE)
            threading.Thread(target=self.pass_on, args=(agent, engine, True), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(engine, agent, False), daemon=True).start()

    def pass_on(self, one, other, asks):
        said = b""
        try:
            while data := one.recv(65536):
                if asks:
                    said += data
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        # A body would be read as a request, and be a path that nobody knows.
        for line in said.decode().split("\r\n"):
            if request := re.fullmatch(r"(\S+) (\S+) HTTP/1\.[01]", line):
                self.asked.append((request[1], urlsplit(request[2]).path))

    def paths(self):
        """Of all connections that are over: method and path, without the API's version and containers' ids."""
        plain = {(method, re.sub(r"^/v1\.\d+(?=/)", "", path)) for method, path in self.asked}
        return {(method, re.sub(r"(?<=/containers/)[0-9a-f]{12,}(?=/)", "<id>", path)) for method, path in plain}


def documented():
    page = Path("docs/operations.md").read_text()
    words = re.search(r"`--docker-socket` \|.*?read with (\w+) GETs \((.*?)\)", page)
    paths = set(re.findall(r"`(/\S+)`", words[2]))
    assert len(paths) == {"four": 4, "five": 5}[words[1]], words[0]
    return {("GET", path) for path in paths}


def start(work, sock):
    """By the page's command, but for where the socket is, and what an instance knows by itself."""
    page = Path("docs/install.md").read_text().split("\n## A container\n")[1]
    command = re.search(r"```sh not-run: needs an image.*?\n(.*?)```", page, re.S)[1]
    endpoint = f"http://{NAME}:{ENDPOINT.port}"
    (work / "environment").write_text(
        f"AWS_ENDPOINT_URL={endpoint}\nAWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY=test\nAWS_REGION=us-east-1\n"
        "AWS_EC2_METADATA_DISABLED=true\n"
        f"ECSSD_HOSTNAME=image1\nECSSD_ADDRESS={ADDRESS}\n"
    )
    (work / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    ours = f"--env-file {work}/environment --volume {work}/resolv.conf:/etc/resolv.conf:ro"
    changed = command.replace("stat -c %g /var/run/docker.sock", f"stat -c %g {sock}")
    changed = changed.replace("--volume /var/run/docker.sock:", f"--volume {sock}:").replace("sd.internal", ZONE)
    changed = changed.replace("docker run ", f"docker run {ours} ")
    assert changed.count(str(sock)) == 2 and ZONE in changed, command
    run("sh", "-ec", changed)


def insides():
    """Files of the image; the engine adds some of its own to a container."""
    made = run("docker", "create", "ecssd")
    listed = subprocess.run(f"docker export {made} | tar -t", shell=True, check=True, text=True, capture_output=True).stdout
    run("docker", "rm", made)
    files = {name for name in listed.split() if not name.endswith("/")}
    return files - {".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}


def services(route53, zone):
    sets = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [one for one in sets if one["Type"] == "SRV"]


def main():
    for kind in ("container", "volume"):
        if subprocess.run(["docker", kind, "inspect", "ecssd"], capture_output=True).returncode == 0:
            raise SystemExit(f"wrong: this engine has a {kind} ecssd, which is somebody's; it is left as it is")
    work = Path(tempfile.mkdtemp(prefix="ecssd-image."))
    sock, names = work / "docker.sock", None
    keys = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    route53, ec2 = (boto3.client(name, endpoint_url=sys.argv[1], **keys) for name in ("route53", "ec2"))
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    place = {"VPCRegion": "us-east-1", "VPCId": vpc}
    zone = route53.create_hosted_zone(Name=ZONE, CallerReference=str(work), VPC=place)["HostedZone"]["Id"].split("/")[-1]
    try:
        dns = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file"]
        dns += ["--bind-interfaces", "--except-interface=lo", f"--listen-address={RESOLVER}", f"--address=/{NAME}/{ENDPOINT.hostname}"]
        names = subprocess.Popen(dns, stdout=subprocess.DEVNULL)
        recorder = Recorder(sock)
        assert insides() == {"ecssd", "etc/ssl/certs/ca-certificates.crt"}, insides()
        root = work / "root"
        (root / "bin").mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), root / "bin/busybox")
        run("sh", "-ec", f"tar -C {root} -c . | docker import - ecssd-image-test")
        options = ["--detach", "--name", "ecssd-image-web", "--publish", "80", "--env", "SERVICE_80_NAME=_web._tcp"]
        run("docker", "run", *options, "ecssd-image-test", "/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/bin")

        start(work, sock)
        wait("record", lambda: services(route53, zone))
        user, read_only = run("docker", "inspect", "--format", "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}}", "ecssd").split()
        assert (user, read_only) == (f"65534:{GROUP}", "true"), (user, read_only)
        shell = subprocess.run(["docker", "exec", "ecssd", "/bin/sh", "-c", "true"], capture_output=True)
        assert shell.returncode != 0, "there is a shell in it"

        before, written, ready = services(route53, zone), said('"event":"written"'), said('"ready"')
        run("docker", "kill", "-s", "HUP", "ecssd")
        wait("agent after a hand-over", lambda: said('"event":"handed_over"') == 1 and said('"ready"') == ready + 1)
        assert (services(route53, zone), said('"event":"written"')) == (before, written), "a hand-over has changed something"

        run("docker", "stop", "ecssd")
        assert said('"event":"drained"') == 1, log()
        assert run("docker", "inspect", "--format", "{{.State.ExitCode}}", "ecssd") == "0"
        assert not services(route53, zone), "a stop has left records"
        wait("end of what the agent asks", lambda: threading.active_count() == 2)
        assert recorder.paths() == documented(), recorder.paths() ^ documented()
        print(f"figure: the image: {len(recorder.asked)} requests to Docker, of {len(documented())} paths, GETs alone")
    finally:
        for name in ("ecssd", "ecssd-image-web"):
            subprocess.run(["docker", "rm", "--force", name], capture_output=True)
        subprocess.run(["docker", "volume", "rm", "ecssd"], capture_output=True)
        subprocess.run(["docker", "image", "rm", "ecssd-image-test"], capture_output=True)
        if names:
            names.terminate()
        shutil.rmtree(work, ignore_errors=True)


main()
