"""What stands between the host and its account: a proxy before the Route 53 emulator, and the zone's name servers.

Faults of the account's side are switched by a file, which is read at every call: actions that are denied, a limit that
somebody else uses up, a clock that is wrong. Name servers answer from what the emulator holds, by weight, as Route 53's
do; no fault touches them.
"""

import email.utils
import http.client
import http.server
import json
import pathlib
import random
import socketserver
import sys
import threading
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

API = "/2013-04-01"
NAMESPACE = {"r": "https://route53.amazonaws.com/doc/2013-04-01/"}
ERROR = (
    '<?xml version="1.0"?><ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender'
    "</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId>"
    "</ErrorResponse>"
)


def asked(method, path):
    """The name of the API's action, as policies write it."""
    match [part for part in urllib.parse.urlsplit(path).path.removeprefix(API).split("/") if part]:
        case ["hostedzone", _, "rrset"]:
            return "ChangeResourceRecordSets" if method == "POST" else "ListResourceRecordSets"
        case ["hostedzone", _]:
            return "GetHostedZone"
        case ["change", _]:
            return "GetChange"
        case [list_of_zones, *_]:
            return "ListHostedZonesByName" if list_of_zones == "hostedzonesbyname" else list_of_zones
    return ""


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes a call on, unless a fault says otherwise."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.call()

    def do_POST(self):
        self.call()

    def call(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        faults = json.loads(self.server.faults.read_text())
        action = asked(self.command, self.path)
        if faults.get("clock"):
            now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + faults["clock"]))
            return self.refuse(403, "SignatureDoesNotMatch", f"Signature expired: it is now {now}", faults["clock"])
        if action in faults.get("denied", []):
            return self.refuse(
                403,
                "AccessDenied",
                f"User: arn:aws:sts::123456789012:assumed-role/host/web3 is not authorized to perform: route53:{action}"
                f" because no identity-based policy allows the route53:{action} action",
            )
        if faults.get("throttled"):
            return self.refuse(400, "Throttling", "Rate exceeded")
        if action == "ChangeResourceRecordSets" and (beside := self.beside_a_cname(body)):
            return self.refuse(
                400,
                "InvalidChangeBatch",
                f"[RRSet of type SRV with DNS name {beside} is not permitted as it conflicts with other records with the"
                " same DNS name in zone break.internal.]",
            )
        onward = http.client.HTTPConnection(self.server.emulator, timeout=30)
        onward.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k != "Connection"})
        answer = onward.getresponse()
        self.reply(answer.status, answer.read(), answer.getheader("Content-Type") or "text/xml")
        onward.close()

    def beside_a_cname(self, body):
        """The name of a set that would be written beside a CNAME; the emulator would take it, and Route 53 does not."""
        sets = record_sets(self.server.emulator, self.server.zone_id)
        taken = {name for name, kind, *_ in sets if kind == "CNAME"}
        for change in xml.etree.ElementTree.fromstring(body).iterfind(".//r:Change", NAMESPACE):
            text = lambda path: change.findtext(path, namespaces=NAMESPACE)
            name = text("r:ResourceRecordSet/r:Name").rstrip(".") + "."
            if text("r:Action") != "DELETE" and text("r:ResourceRecordSet/r:Type") != "CNAME" and name in taken:
                return name
        return None

    def refuse(self, status, code, message, ahead=0):
        self.reply(status, ERROR.format(code, message).encode(), "text/xml", ahead)

    def reply(self, status, body, kind, ahead=0):
        self.send_response_only(status)
        self.send_header("Date", email.utils.formatdate(time.time() + ahead, usegmt=True))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def record_sets(emulator, zone_id):
    """All of a zone, as (name, type, TTL, weight or None, values, set identifier)."""
    found, start = [], ""
    while True:
        with urllib.request.urlopen(f"http://{emulator}{API}/hostedzone/{zone_id}/rrset{start}", timeout=30) as answer:
            page = xml.etree.ElementTree.fromstring(answer.read())
        for item in page.iterfind(".//r:ResourceRecordSet", NAMESPACE):
            text = lambda tag: item.findtext(f"r:{tag}", namespaces=NAMESPACE)
            values = [value.text for value in item.iterfind(".//r:Value", NAMESPACE)]
            weight = text("Weight") and int(text("Weight"))
            found.append((text("Name"), text("Type"), int(text("TTL") or 0), weight, values, text("SetIdentifier")))
        if page.findtext("r:IsTruncated", namespaces=NAMESPACE) != "true":
            return found
        next_ = {
            key.lower(): page.findtext(f"r:Next{tag}", namespaces=NAMESPACE)
            for key, tag in (("name", "RecordName"), ("type", "RecordType"), ("identifier", "RecordIdentifier"))
        }
        start = "?" + urllib.parse.urlencode({key: value for key, value in next_.items() if value})


class Question(socketserver.BaseRequestHandler):
    """Answers one question, from what the emulator holds just now."""

    def handle(self):
        packet, socket = self.request
        query = dns.message.from_wire(packet)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        self.fill(query.question[0], answer)
        socket.sendto(answer.to_wire(), self.client_address)

    def fill(self, question, answer):
        sets = record_sets(self.server.emulator, self.server.zone_id)
        here = [found for found in sets if dns.name.from_text(found[0]) == question.name]
        fit = [found for found in here if found[1] in (dns.rdatatype.to_text(question.rdtype), "CNAME")]
        if fit and fit[0][3] is not None:
            # A name whose sets all have weight 0 is answered from all of them.
            weights = [weight or 0 for *_, weight, _, _ in fit]
            fit = random.choices(fit, weights if any(weights) else None)
        for name, kind, ttl, _, values, _ in fit:
            answer.answer.append(absolute(name, ttl, kind, values))
        if not fit:
            for name, kind, ttl, _, values, _ in sets:
                if kind == "SOA":
                    answer.authority.append(absolute(name, ttl, kind, values))
            answer.set_rcode(dns.rcode.NOERROR if here else dns.rcode.NXDOMAIN)


def absolute(name, ttl, kind, values):
    """Names in values need no dot at their end, as in Route 53."""
    return dns.rrset.from_text_list(name, ttl, "IN", kind, values, origin=dns.name.root, relativize=False)


def main(directory, emulator, address, zone_id):
    proxy = http.server.ThreadingHTTPServer((address, 0), Proxy)
    proxy.emulator, proxy.zone_id, proxy.faults = emulator, zone_id, pathlib.Path(directory) / "faults"
    names = socketserver.ThreadingUDPServer((address, 53), Question)
    names.emulator, names.zone_id = emulator, zone_id
    threading.Thread(target=names.serve_forever, daemon=True).start()
    (pathlib.Path(directory) / "front").write_text(f"http://{address}:{proxy.server_port}")
    proxy.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
