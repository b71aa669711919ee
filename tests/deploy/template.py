"""What cfn-lint does not know of the template: that it agrees with the policies, with the agent and with the janitor, who
may write where, and in which order it is taken down. Run by tests/deploy/template."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cfnlint.decode.cfn_yaml

TEMPLATE = Path("deploy/cloudformation/Service_Discovery_Using_DNS.template")
READS = re.compile(r"^[a-z0-9]+:(List|Describe|Get)[A-Za-z]*$")
# Each policy, where it stands in the template.
POLICIES = {
    "agent": ("AgentPolicy", None),
    "agent-ecs": ("AgentEcsPolicy", None),
    "janitor": ("JanitorRole", "janitor"),
    "janitor-stop-task": ("JanitorStopTaskPolicy", None),
    "zone-setup": ("ZoneSetupRole", "zone-setup"),
}
ALARMS = {"JanitorSilent", "JanitorStandstill", "JanitorErrors", "JanitorRefused", "AgentsDead", "HostsLost", "ZoneFull"}
# Of the vendor, of every function.
OF_LAMBDA = {"Errors", "Duration", "Throttles", "Invocations"}

wrong = []


def holds(condition, what):
    if not condition:
        wrong.append(what)


def plain(value):
    """Without the conversions of cfn-lint, and with Fn::Sub as the text that it fills in."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"}:
            text = value["Fn::Sub"]
            return str(text[0] if isinstance(text, list) else text)
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def references(value):
    """The logical ids that a value names."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield str(item)
            elif key == "Fn::GetAtt":
                yield str(item[0] if isinstance(item, list) else item).split(".")[0]
            elif key == "Fn::Sub":
                text = item[0] if isinstance(item, list) else item
                yield from re.findall(r"\$\{([A-Za-z0-9]+)", str(text))
                yield from references(item[1:] if isinstance(item, list) else [])
            elif key == "DependsOn":
                yield from map(str, item if isinstance(item, list) else [item])
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


template = cfnlint.decode.cfn_yaml.load(str(TEMPLATE))
resources = template["Resources"]
properties = {name: resource.get("Properties", {}) for name, resource in resources.items()}
of_type = lambda kind: {str(name) for name, resource in resources.items() if resource["Type"] == kind}

# === Policies ===


def documents():
    """Every policy of the template, by resource and name."""
    for name, its in properties.items():
        if "PolicyDocument" in its:
            yield (str(name), None), its["PolicyDocument"]
        for policy in its.get("Policies", []):
            yield (str(name), str(policy["PolicyName"])), policy["PolicyDocument"]


found = {place: plain(document) for place, document in documents()}
for name, place in POLICIES.items():
    file = json.loads(Path(f"deploy/policies/{name}.json").read_text())
    holds(found.get(place) == file, f"{place} is not deploy/policies/{name}.json")
for place, document in found.items():
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        writes = [action for action in actions if not READS.match(action)]
        resource = statement["Resource"]
        anywhere = resource in ("*", ["*"]) or isinstance(resource, str) and resource.endswith(":hostedzone/*")
        holds(statement["Effect"] == "Deny" or not (writes and anywhere), f"{place} writes anywhere: {writes}")
        holds(not any("*" in action for action in actions), f"{place} may more than it says: {actions}")
managed = [str(arn) for role in of_type("AWS::IAM::Role") for arn in map(plain, properties[role].get("ManagedPolicyArns", []))]
holds(not any("FullAccess" in arn or "Administrator" in arn for arn in managed), f"a role with all rights: {managed}")

# === Alarms ===

summary = Path("src/janitor/summary.rs").read_text()
emitted = set(re.findall(r'^            \("([A-Z]\w+)", ', summary, re.M)) | {"Duration"}
holds('json!({"Name": "Duration"' in summary and len(emitted) > 10, "what the janitor emits cannot be read")
namespace = re.search(r'NAMESPACE: &str = "(.*)";', summary).group(1)
holds(of_type("AWS::CloudWatch::Alarm") == ALARMS, f"alarms: {of_type('AWS::CloudWatch::Alarm')}")
for name in of_type("AWS::CloudWatch::Alarm"):
    alarm = plain(properties[name])
    [dimension] = alarm["Dimensions"]
    if alarm["Namespace"] == namespace:
        holds(alarm["MetricName"] in emitted, f"{name}: the janitor emits no {alarm['MetricName']}")
        holds(dimension == {"Name": "Zone", "Value": {"Ref": "ZoneName"}}, f"{name}: {dimension}")
    else:
        holds(alarm["Namespace"] == "AWS/Lambda" and alarm["MetricName"] in OF_LAMBDA, f"{name}: nobody emits that")
        holds(dimension == {"Name": "FunctionName", "Value": {"Ref": "Janitor"}}, f"{name}: {dimension}")
    holds(alarm["AlarmActions"] == [{"Ref": "Alarms"}], f"{name} tells nobody")
    holds(alarm.get("AlarmDescription"), f"{name} says nothing")
holds(plain(properties["JanitorSilent"])["TreatMissingData"] == "breaching", "a janitor that is silent is not missed")

# === The order of deletion ===


def needs(name, seen=None):
    """All that has to be there as long as this one."""
    seen = set() if seen is None else seen
    for other in references(resources[name]):
        if other in resources and other not in seen:
            seen.add(other)
            needs(other, seen)
    return seen


for first, then in [
    ("Hosts", "ZoneSetup"),
    ("Schedule", "ZoneSetup"),
    ("TimeService", "ZoneSetup"),
    ("CalcService", "ZoneSetup"),
    ("ZoneSetup", "Zone"),
    ("ZoneSetup", "ZoneSetupRole"),
    ("ZoneSetup", "ZoneSetupLog"),
    ("Hosts", "HostRole"),
    ("Hosts", "AgentPolicy"),
    ("Hosts", "Cluster"),
    ("TimeService", "Hosts"),
    ("CalcService", "Hosts"),
    ("PortalService", "Hosts"),
    ("PortalService", "Listener"),
    ("Balancer", "GatewayOfVpc"),
    ("Schedule", "JanitorOnce"),
    ("Janitor", "JanitorLog"),
]:
    holds(then in needs(first), f"{first} is not deleted before {then}")
# By the cluster's capacity, too, but only where that is the stack's own.
for name in ("TimeService", "CalcService", "PortalService", "Hosts", "Schedule"):
    holds("ZoneSetup" in set(references(resources[name])), f"{name} does not name ZoneSetup")
holds("Condition" in resources["ZoneSetupRole"] and resources["ZoneSetupRole"]["Condition"] == "MakeZone", "an existing zone is emptied")
for name in ("ZoneSetup", "ZoneSetupFunction", "Zone"):
    holds(resources[name].get("Condition") == "MakeZone", f"{name} is there for an existing zone, too")

# === Functions ===

code = [plain(properties[name]["Code"]) for name in ("Janitor", "ZoneSetupFunction")]
holds(code[0] == code[1], "two functions of two zips")
for name, log in (("Janitor", "JanitorLog"), ("ZoneSetupFunction", "ZoneSetupLog")):
    holds(plain(properties[name]["LoggingConfig"]) == {"LogGroup": {"Ref": log}}, f"{name} may not write to its log")
handler = re.search(r'HANDLER: &str = "(.*)";', Path("src/zone_setup/lambda.rs").read_text()).group(1)
holds(properties["ZoneSetupFunction"]["Handler"] == handler, "the function does not know that it is zone-setup")
holds(properties["Janitor"]["Handler"] != handler, "the janitor takes itself for zone-setup")
event = Path("src/zone_setup/event.rs").read_text()
for name in set(properties["ZoneSetup"]) - {"ServiceToken", "ServiceTimeout"}:
    holds(f'text("{name}")' in event, f"zone-setup does not know {name}")
for name in re.findall(r'text\("(\w+)"\)', event):
    holds(name in properties["ZoneSetup"], f"zone-setup misses {name}")
holds(properties["ZoneSetupFunction"]["Timeout"] < properties["ZoneSetup"]["ServiceTimeout"], "a late answer is not waited for")
known = set(re.findall(r'env = "(ECSSD_\w+)"', "".join(path.read_text() for path in Path("src/cli").glob("*.rs"))))
told = set(map(str, properties["Janitor"]["Environment"]["Variables"]))
holds(told <= known, f"the janitor does not know {told - known}")
schedule = plain(properties["Schedule"])
holds(schedule["ScheduleExpression"] == "rate(5 minutes)" and properties["Janitor"]["Timeout"] < 300, "two runs can meet")
holds(schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0, "the scheduler sends a failed event again")
holds(properties["JanitorOnce"]["MaximumRetryAttempts"] == 0, "Lambda sends a failed event again")
for name in of_type("AWS::Logs::LogGroup"):
    holds("RetentionInDays" in properties[name], f"{name} is kept for ever")

# === Hosts ===

data = properties["HostTemplate"]["LaunchTemplateData"]
options = plain(data["MetadataOptions"])
holds((options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1), f"the metadata service: {options}")
script, values = data["UserData"]["Fn::Base64"]["Fn::Sub"]
script = re.sub(r"\$\{(\w+)\}", r"value-of-\1", str(script))
for line in script.splitlines():
    if re.search(r"systemctl +(start|restart|enable +--now)", line) and not line.lstrip().startswith("#"):
        holds("--no-block" in line, f"user data waits for what waits for user data: {line}")
holds("systemctl start --no-block ecssd.service" in script, "nobody starts the agent")
for unit in Path("deploy/systemd").glob("*.service"):
    holds(re.search(rf"systemctl enable .*{unit.name}", script), f"{unit.name} is not enabled")
holds("sha256sum --check" in script, "hosts run what they did not check")
told = set(re.findall(r"^(ECSSD_\w+)=", script, re.M))
holds(told and told <= known, f"the agent does not know {told - known}")
shared = {"ECSSD_ZONE", "ECSSD_ZONE_ID", "ECSSD_NAMES", "ECSSD_LIMITS"}
of_janitor = set(map(str, properties["Janitor"]["Environment"]["Variables"]))
holds(shared <= told & of_janitor, f"agent and janitor are not both told {shared - (told & of_janitor)}")
# A host's status is open to the network that is named for it, and without one to nobody.
condition, where, nowhere = map(str, values["StatusListen"]["Fn::If"])
holds(plain(template["Conditions"])[condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "MetricsFrom"}, ""]}]}, f"what is {condition}?")
holds(nowhere == "", f"the status listens at {nowhere} without being asked to")
doors = plain(properties["HostSecurity"]["SecurityGroupIngress"])
open_doors = [(door["FromPort"], door["CidrIp"]) for door in doors if "Fn::If" not in door]
holds(open_doors == [(32768, {"Ref": "VpcCidr"})], f"hosts are reached at {open_doors}")
asked = [(door["Fn::If"][0], f"0.0.0.0:{door['Fn::If'][1]['FromPort']}", door["Fn::If"][1]["CidrIp"]) for door in doors if "Fn::If" in door]
holds(asked == [(condition, where, {"Ref": "MetricsFrom"})], f"and, if they are asked to be, at {asked}")
checked = subprocess.run(["shellcheck", "-"], input=script, text=True, capture_output=True)
holds(checked.returncode == 0, f"shellcheck on user data: {checked.stdout}")

# === Outputs ===

outputs = {"PortalURL", "ZoneId", "ClusterName", "JanitorName", "JanitorPlan", "AgentPolicyArn", "AlarmTopic"}
holds(outputs <= set(map(str, template["Outputs"])), f"outputs are missing: {outputs - set(template['Outputs'])}")

for line in wrong:
    print(f"wrong: {line}")
print(f"figure: template: {len(resources)} resources, {len(found)} policies, {len(wrong)} wrong")
sys.exit(1 if wrong else 0)
