"""The ways in which a host is broken: what is done, and what mends it.

Each is what somebody once did to a host: a setting, a container, a permission, a process. What is done leaves no trace
but its effects.
"""

import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable

from host import ZONE, Host, command, wait_for


@dataclasses.dataclass
class Way:
    """One of them."""

    name: str
    #: In words, for whoever gives up.
    done: str
    #: What it says then, and did not before.
    shows: str
    breaks: Callable[[Host], None]
    #: By the tools that an operator has.
    mends: Callable[[Host], None]
    #: What an operator asks the program for then, besides the log.
    asks: tuple[str, ...] = ("--status", "--doctor")


WAYS = []


def way(done, shows, mends, **asks):
    """Makes a way of a function that breaks; it is named after it."""

    def of(breaks):
        WAYS.append(Way(breaks.__name__, done, shows, breaks, mends, **asks))
        return breaks

    return of


def replaced(name, service):
    """By what it was at first."""
    return lambda host: host.deploy(name, command(name, service))


# === Containers ===


@way(
    "calc-2 was replaced by one that listens on its own loopback address alone",
    shows="Connection refused",
    mends=replaced("calc-2", "_calc._tcp"),
)
def listens_on_loopback(host):
    host.deploy("calc-2", command("calc-2", "_calc._tcp", listen="127.0.0.1:8080"))


@way(
    "calc-2 was replaced by one whose port is not published",
    shows="Docker publishes no host port for 8080/tcp",
    mends=replaced("calc-2", "_calc._tcp"),
)
def port_is_not_published(host):
    host.deploy("calc-2", command("calc-2", "_calc._tcp", publish=()))


@way(
    "web-1 was replaced by one whose port is published at 127.0.0.1 alone",
    shows="on loopback only",
    mends=replaced("web-1", "_web._tcp"),
)
def port_is_published_on_loopback(host):
    host.deploy("web-1", command("web-1", "_web._tcp", publish=("-p", "127.0.0.1::8080")))


@way(
    "time-1 was replaced by one that listens on 8081 and is asked for at 8080",
    shows="Connection refused",
    mends=replaced("time-1", "_time._tcp"),
)
def listens_on_another_port(host):
    host.deploy("time-1", command("time-1", "_time._tcp", listen="8081"))


@way(
    "web-1 was replaced by one whose key misspells its service: _web.tcp",
    shows="SERVICE_8080_NAME",
    mends=replaced("web-1", "_web._tcp"),
)
def name_is_misspelt(host):
    host.deploy("web-1", command("web-1", "_web.tcp"))


@way(
    "time-1 was replaced by one with SERVICE_IGNORE=true",
    shows="SERVICE_IGNORE",
    mends=replaced("time-1", "_time._tcp"),
)
def container_is_ignored(host):
    host.deploy("time-1", command("time-1", "_time._tcp", options=("-e", "SERVICE_IGNORE=true")))


@way(
    "calc-1 was replaced by one with SERVICE_8080_WEIGHT=0",
    shows="weight 0",
    mends=replaced("calc-1", "_calc._tcp"),
)
def weight_is_zero(host):
    host.deploy("calc-1", command("calc-1", "_calc._tcp", options=("-e", "SERVICE_8080_WEIGHT=0")))


def ready_file(host):
    host.docker("exec", "web-1", "touch", "/www/ready")


@way(
    "the file that web-1's HEALTHCHECK looks for was removed",
    shows="unhealthy, as Docker has it",
    mends=ready_file,
)
def healthcheck_fails(host):
    options = ["--health-cmd", "cat /www/ready", "--health-interval", "1s", "--health-retries", "2"]
    host.deploy("web-1", command("web-1", "_web._tcp", options=options))
    ready_file(host)
    wait_for("web-1 is in DNS", lambda: not host.ailing())
    host.docker("exec", "web-1", "rm", "/www/ready")


@way(
    "web-1 was paused",
    shows="paused",
    mends=lambda host: host.docker("unpause", "web-1"),
)
def container_is_paused(host):
    host.docker("pause", "web-1")


@way(
    "time-1 was replaced by one that ends every three seconds, and is started again",
    shows="restarts too often",
    mends=replaced("time-1", "_time._tcp"),
)
def crashes_again_and_again(host):
    run = ["sh", "-c", "httpd -p 8080 -h /www; sleep 3; exit 1"]
    host.deploy("time-1", command("time-1", "_time._tcp", run=run))


@way(
    "somebody sent web-1 a SIGTERM, which its process ignores",
    shows="asked to stop",
    mends=lambda host: host.docker("restart", "-t", "1", "web-1"),
)
def was_asked_to_stop(host):
    host.docker("kill", "--signal", "TERM", "web-1")


@way(
    "a shell on the host's network with web's variables holds the port that web-1 wants",
    shows="is held by",
    mends=lambda host: host.docker("rm", "-f", "shell"),
)
def port_is_taken(host):
    on_the_host = {"publish": ("--network", "host"), "key": "8090", "listen": "8090"}
    host.deploy("shell", command("shell", "_debug._tcp", **on_the_host, run=["sleep", "100000"]))
    host.deploy("web-1", command("web-1", "_web._tcp", **on_the_host))


def connected(host):
    host.docker("network", "connect", "bridge", "web-1")


@way(
    "web-1 was disconnected from its network",
    shows="no host port",
    mends=connected,
)
def network_is_disconnected(host):
    host.docker("network", "disconnect", "bridge", "web-1")


@way(
    "calc-1 was cordoned, and forgotten",
    shows="cordon",
    mends=lambda host: host.ecssd("--uncordon", "calc-1"),
)
def is_cordoned(host):
    host.ecssd("--cordon", "calc-1")


# === The account ===


@way(
    "the host's role was denied route53:ChangeResourceRecordSets; then calc-1 was started anew",
    shows="route53:ChangeResourceRecordSets, for writing: access denied",
    mends=lambda host: host.faults(),
)
def changes_are_denied(host):
    host.faults(denied=["ChangeResourceRecordSets"])
    host.deploy("calc-1")


@way(
    "the host's role was denied route53:ListResourceRecordSets; the agent lost its state, and calc-1 was started anew",
    shows="NOT READY",
    mends=lambda host: host.faults(),
)
def lists_are_denied(host):
    host.faults(denied=["ListResourceRecordSets", "ListHostedZonesByName"])
    host.stop_agent(signal.SIGKILL)
    subprocess.run(["rm", "-rf", host.directory / "state"], check=True)
    host.deploy("calc-1")
    host.start_agent()


@way(
    "another program of the account uses up all of its calls; then calc-2 was started anew",
    shows="throttled",
    mends=lambda host: host.faults(),
)
def calls_are_throttled(host):
    host.faults(throttled=True)
    host.deploy("calc-2")


def right_clock(host):
    host.faults()


@way(
    "the host's clock is an hour behind; then time-1 was started anew",
    shows="behind",
    mends=right_clock,
)
def clock_is_wrong(host):
    host.faults(clock=3600)
    host.deploy("time-1")


def restarted(host):
    host.stop_agent()
    host.start_agent()


def without_the_other_record(host):
    host.change("DELETE", "_time._tcp", "CNAME", 60, ["elsewhere.example.com"])
    # It would try again by itself, within minutes.
    restarted(host)


@way(
    "somebody made a CNAME of the name of the service time, while it was stopped",
    shows="CNAME",
    mends=without_the_other_record,
)
def name_is_somebody_elses(host):
    host.docker("stop", "time-1")
    wait_for("time-1 is out of DNS", lambda: "_time._tcp: 0 of 1" in " ".join(host.ailing()))
    time.sleep(2)
    host.change("CREATE", "_time._tcp", "CNAME", 60, ["elsewhere.example.com"])
    host.docker("start", "time-1")


@way(
    "host web1 is dead, and its records are left",
    shows="--forget web1",
    mends=lambda host: host.ecssd("--forget", "web1", "--apply"),
    asks=("--janitor",),
)
def another_host_is_dead(host):
    host.change("CREATE", "web1", "A", 60, ["198.19.255.249"], "web1", 1)
    mark = f"web1:{'0123456789abcdef' * 4}:8080"
    host.change("CREATE", "_calc._tcp", "SRV", 0, [f"1 1 49153 web1.{ZONE}"], mark, 1)


@way(
    "somebody made a second private zone of the same name; then the agent was restarted",
    shows="--zone-id",
    mends=lambda host: host.delete_zone(host.read("sealed/zone")),
)
def zone_is_there_twice(host):
    host.write("sealed/zone", host.new_zone(vpc="vpc-87654321"))
    host.stop_agent(signal.SIGKILL)
    subprocess.run(["rm", "-rf", host.directory / "state"], check=True)
    host.deploy("web-1")
    host.start_agent()


# === The agent and its host ===


def configured(**settings):
    """The agent is restarted with these."""

    def of(host):
        host.write_settings(**settings)
        host.stop_agent()
        host.start_agent()

    return of


@way(
    "ECSSD_ZONE says brake.internal",
    shows="brake.internal",
    mends=configured(),
)
def zone_is_misspelt(host):
    configured(ECSSD_ZONE="brake.internal")(host)


@way(
    "ECSSD_ENDPOINT_URL leads to a port where nobody listens",
    shows="Connection refused",
    mends=configured(),
)
def endpoint_is_wrong(host):
    configured(ECSSD_ENDPOINT_URL=f"http://{host.address}:9")(host)


@way(
    "the agent has no credentials",
    shows="credentials",
    mends=configured(),
)
def credentials_are_missing(host):
    configured(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)(host)


@way(
    "ECSSD_DOCKER_SOCKET says /run/dokcer.sock",
    shows="/run/dokcer.sock",
    mends=configured(),
)
def docker_socket_is_wrong(host):
    configured(ECSSD_DOCKER_SOCKET="/run/dokcer.sock")(host)


@way(
    "ECSSD_ADDRESS is that of no interface of this host",
    shows="198.19.254.9",
    mends=configured(),
)
def address_is_wrong(host):
    configured(ECSSD_ADDRESS="198.19.254.9")(host)


@way(
    "the file system of the state directory is full; then the agent was restarted",
    shows="No space left",
    mends=configured(),
)
def state_is_full(host):
    full = host.directory / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", full], check=True)
    subprocess.run(["dd", "if=/dev/zero", f"of={full}/core", "bs=1k"], check=False, stderr=subprocess.DEVNULL)
    configured(ECSSD_STATE_DIR=full)(host)


@way(
    "the agent is stopped by SIGSTOP; then calc-1 was started anew",
    shows="restart it (systemctl restart ecssd): records stay",
    mends=restarted,
)
def agent_hangs(host):
    os.kill(host.pid("ecssd"), signal.SIGSTOP)
    host.deploy("calc-1")


@way(
    "the agent was killed; then calc-2 was started anew",
    shows="no agent answers",
    mends=lambda host: host.start_agent(),
)
def agent_is_gone(host):
    host.stop_agent(signal.SIGKILL)
    host.deploy("calc-2")


@way(
    "dockerd is stopped by SIGSTOP, and calc-1's process was killed",
    shows="NOT READY",
    mends=lambda host: host.restart_engine(),
)
def docker_hangs(host):
    inner = host.docker("inspect", "--format", "{{.State.Pid}}", "calc-1")
    os.kill(host.engine_pid, signal.SIGSTOP)
    os.kill(int(inner), signal.SIGKILL)
