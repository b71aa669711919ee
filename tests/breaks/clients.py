"""What clients of the services would say: asked of the records themselves, and of what they lead to.

It runs within the host's network, and prints all records, and a list of complaints, empty if all is well.
"""

import json
import sys
import urllib.error
import urllib.request

from front import record_sets


def complaints(sets, zone, wanted):
    addresses = {name.lower(): values[0] for name, kind, _, _, values, _ in sets if kind == "A"}
    serving = dict.fromkeys(wanted, 0)
    for name, kind, _, weight, values, _ in sets:
        # A record without a weight is somebody else's; its clients are led there all the same.
        if kind != "SRV" or weight == 0:
            continue
        service = name.lower().removesuffix(f".{zone}.")
        port, target = values[0].split()[2:]
        address = addresses.get(target.lower().rstrip(".") + ".")
        if serves(address, port):
            serving[service] = serving.get(service, 0) + 1
        else:
            yield f"{service}: {target} port {port} is in DNS, and does not serve"
    for service, copies in wanted.items():
        if serving[service] < copies:
            yield f"{service}: {serving[service]} of {copies} copies can be found, and serve"


def serves(address, port):
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=2) as answer:
            return answer.status == 200
    except (OSError, ValueError, urllib.error.URLError):
        return False


if __name__ == "__main__":
    emulator, zone_id, zone, wanted = sys.argv[1:]
    records = record_sets(emulator, zone_id)
    print(json.dumps([records, list(complaints(records, zone, json.loads(wanted)))]))
