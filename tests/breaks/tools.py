"""What an operator types besides docker, dig and ecssd itself: stand-ins for a service manager and the account's console.

They know the three units and the one account of this host, and what mends it needs of them.
"""

import json
import subprocess

from host import CONTAINERS, ZONE

USAGE = {
    "systemctl": "systemctl status|start|stop|restart ecssd|docker|chrony",
    "journalctl": "journalctl [-n LINES]    the agent's log",
    "console": """console records                     the zone, as the account shows it
console delete NAME TYPE [SET-ID]   deletes a record of it
console zones                       all zones
console delete-zone ID
console policy                      what the host's role is denied
console allow ACTION                allows it
console programs                    who else of this account calls Route 53
console end PROGRAM                 ends that program""",
    "deploy": """deploy NAME              replaces that container by what its file in containers/ says
deploy NAME --as-before  by what it was when all was well""",
    "date": "date",
}


def run(host, tool, arguments):
    acts = {"systemctl": systemctl, "journalctl": journalctl, "console": console, "deploy": deploy, "date": date}
    if not acts[tool](host, *arguments[:4]):
        raise SystemExit(USAGE[tool])


def systemctl(host, verb="", unit="", *_):
    match verb, unit.removesuffix(".service"):
        case "status", "ecssd":
            pid, code = host.pid("ecssd"), host.directory / "ecssd.exit"
            print(f"active: pid {pid}" if pid else f"inactive: exit code {code.read_text().strip()}")
            print(f"EnvironmentFile={host.directory}/host.env")
        case "status", "docker":
            print("active")
        case "status", "chrony":
            print("inactive" if json.loads(host.read("faults")).get("clock") else "active")
        case "start", "ecssd":
            host.start_agent()
        case "stop", "ecssd":
            host.stop_agent()
        case "restart", "ecssd":
            host.stop_agent()
            host.start_agent()
        case "restart", "docker":
            host.restart_engine()
        case ("start" | "restart"), "chrony":
            without(host, "clock")
        case _:
            return False
    return True


def without(host, *faults):
    host.faults(**{name: value for name, value in json.loads(host.read("faults")).items() if name not in faults})


def journalctl(host, *arguments):
    lines = arguments[arguments.index("-n") + 1] if "-n" in arguments else "100"
    subprocess.run(["tail", "-n", lines, host.directory / "ecssd.log"], check=True)
    return True


def console(host, verb="", *arguments):
    match verb, *arguments:
        case ["records"]:
            for name, kind, ttl, weight, values, identifier in host.seen_by_clients()[0]:
                routing = [f"weight={weight}", f"set={identifier}"] if identifier else []
                print(name, ttl, kind, " ".join(values), *routing)
        case ["delete", name, kind, *identifier]:
            delete(host, name, kind, *identifier)
        case ["zones"]:
            print(host.api("GET", "/hostedzonesbyname"))
        case ["delete-zone", zone_id]:
            host.delete_zone(zone_id)
        case ["policy"]:
            denied = json.loads(host.read("faults")).get("denied", [])
            print("\n".join(f"Deny route53:{action}" for action in denied) or "Allow route53:*")
        case ["allow", action]:
            denied = json.loads(host.read("faults")).get("denied", [])
            host.faults(denied=[other for other in denied if other != action.removeprefix("route53:")])
        case ["programs"]:
            print("inventory: 20 calls/s" if json.loads(host.read("faults")).get("throttled") else "none")
        case ["end", "inventory"]:
            without(host, "throttled")
        case _:
            return False
    return True


def delete(host, name, kind, identifier=None):
    full = name.rstrip(".").removesuffix(f".{ZONE}") + f".{ZONE}."
    for found, its_kind, ttl, weight, values, its_identifier in host.seen_by_clients()[0]:
        if (found, its_kind, its_identifier) == (full, kind, identifier):
            host.change("DELETE", full.removesuffix(f".{ZONE}."), kind, ttl, values, identifier, weight)
            return
    raise SystemExit(f"there is no {kind} record {full}" + (f" with set identifier {identifier}" if identifier else ""))


def deploy(host, name="", how="", *_):
    if name not in CONTAINERS:
        raise SystemExit(f"{name or 'nothing'} is not one of {', '.join(CONTAINERS)}\n{USAGE['deploy']}")
    if how == "--as-before":
        host.deploy_as_before(name)
    else:
        host.deploy(name)
    print(f"{name} runs as its file says")
    return True


def date(host, *arguments):
    behind = json.loads(host.read("faults")).get("clock", 0)
    return not subprocess.run(["date", "--date", f"-{behind} seconds", *arguments], check=True).returncode
