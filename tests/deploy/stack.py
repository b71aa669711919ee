"""The stack on an emulator that others wrote: made, its zone set up by the real program, the records of a dead host deleted
by its janitor, deleted with our records in the zone, and not deleted with those of others. Run by tests/full stack.

  python stack.py ENDPOINT ZIP   ZIP is the Lambda's

The emulator knows no capacity providers (so MakeHosts is false) and no vendor's parameters (so Ami is one of ours), and gives
functions no endpoint (so it is put into their environment). A zone that a stack makes is public there, which the janitor
refuses: so the stack that it is invoked in is one with a zone that was there before. It knows no container instances, so that
no host of ECS is alive: of a host's life EC2 alone tells. Where a deletion fails it goes on with what that needs, the zone, so
that what was kept cannot be seen here: what zone-setup answers can. It knows no policies beside their roles, and so no
StopUnhealthy.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import boto3
import botocore.exceptions

ENDPOINT, ZIP = sys.argv[1], Path(sys.argv[2])
ZONE = "sd-stack.internal"
BUCKET = "ecssd-stack"
PATIENCE = 120


def client(service):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=botocore.config.Config(retries={"max_attempts": 0}, read_timeout=180),
    )


cloudformation, route53, s3, functions, ssm, ec2 = map(client, ("cloudformation", "route53", "s3", "lambda", "ssm", "ec2"))


def template():
    """As it is published, but for where the emulator is."""
    load = [".cache/cloudformation/bin/python", "-c", "import cfnlint.decode.cfn_yaml as y, json, sys\nprint(json.dumps(y.load(sys.argv[1])))"]
    path = "deploy/cloudformation/Service_Discovery_Using_DNS.template"
    whole = json.loads(subprocess.run([*load, path], check=True, capture_output=True, text=True).stdout)
    for name in ("Janitor", "ZoneSetupFunction"):
        its = whole["Resources"][name]["Properties"]
        its.setdefault("Environment", {"Variables": {}})["Variables"]["AWS_ENDPOINT_URL"] = ENDPOINT
    return json.dumps(whole)


def status(stack):
    try:
        [one] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return one["StackStatus"]
    except botocore.exceptions.ClientError:
        return "GONE"


def comes_to(stack, *wanted):
    until = time.time() + PATIENCE
    while status(stack).endswith("IN_PROGRESS") and time.time() < until:
        time.sleep(0.5)
    if status(stack) not in wanted:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}" for one in events if one.get("ResourceStatusReason")]
        sys.exit(f"{stack} is {status(stack)} and not {wanted}: {reasons}")


def make(stack, **more):
    parameters = {
        "CodeBucket": BUCKET,
        "ArchiveKey": "ecssd/" + "0" * 64 + ".tar.gz",
        "LambdaKey": "ecssd/lambda.zip",
        "ZoneName": ZONE,
        "NegativeTtl": "7",
        "MakeHosts": "false",
        "Ami": "/ecssd/ami",
        "TimeImage": "ecssd-time",
        "CalcImage": "ecssd-calc",
        "PortalImage": "ecssd-portal",
        **more,
    }
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(StackName=stack, TemplateBody=template(), Parameters=given, Capabilities=["CAPABILITY_IAM"])
    comes_to(stack, "CREATE_COMPLETE")
    [one] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in one["Outputs"]}


def sets(zone):
    return route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]


def change(zone, action, name, kind, value, **more):
    its = {"Name": name, "Type": kind, "TTL": 0, "ResourceRecords": [{"Value": value}], **more}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": its}]})


def of_host(zone, host, address, service):
    container = "76a1e8a3f1f1a5d6" * 4
    change(zone, "CREATE", f"{host}.{ZONE}", "A", address, SetIdentifier=host, Weight=1)
    change(zone, "CREATE", f"{service}.{ZONE}", "SRV", f"1 1 32001 {host}.{ZONE}", SetIdentifier=f"{host}:{container}:80", Weight=1)


def ours(zone):
    of_host(zone, "i-00000000000000001", "10.0.0.7", "_web._tcp")
    change(zone, "CREATE", f"_fleet.{ZONE}", "TXT", '"hosts=1"')


def hosts():
    """Two instances: one that runs, one that is terminated."""
    made = ec2.run_instances(ImageId="ami-00000000000000001", MinCount=2, MaxCount=2, InstanceType="t3.small")["Instances"]
    living, dead = (one["InstanceId"] for one in made)
    ec2.terminate_instances(InstanceIds=[dead])
    return living, dead


def janitor(name, event):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    account = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer and account["zone"] == ZONE, account
    return account


def owners(zone):
    """Whose records there are, by kind."""
    return sorted((one["Type"], one["SetIdentifier"].split(":")[0]) for one in sets(zone) if "SetIdentifier" in one)


s3.create_bucket(Bucket=BUCKET)
s3.upload_file(str(ZIP), BUCKET, "ecssd/lambda.zip")
ssm.put_parameter(Name="/ecssd/ami", Value="ami-00000000000000001", Type="String")

def refused(why, **more):
    try:
        make("refused", **more)
    except botocore.exceptions.ClientError as error:
        assert why in str(error), error
    else:
        sys.exit(f"a stack was made of {more}, and not refused: {why}")


refused("wants ExistingSubnetIds", ExistingVpcId="vpc-00000001")
refused("wants ExistingVpcId", ExistingCluster="there")
print("refused what would miss hosts that are there")

outputs = make("one")
zone = outputs["ZoneId"]
[soa] = [one for one in sets(zone) if one["Type"] == "SOA"]
assert soa["ResourceRecords"][0]["Value"].split()[6] == "7", soa
print("made, and its SOA lowered")

ours(zone)
cloudformation.delete_stack(StackName="one")
comes_to("one", "DELETE_COMPLETE", "GONE")
left = [one["Id"] for one in route53.list_hosted_zones()["HostedZones"] if one["Name"] == f"{ZONE}."]
assert not left, left
print("deleted with our records in it")

zone = make("others")["ZoneId"]
ours(zone)
change(zone, "CREATE", f"db.{ZONE}", "A", "10.0.0.9")
cloudformation.delete_stack(StackName="others")
comes_to("others", "DELETE_FAILED")
events = cloudformation.describe_stack_events(StackName="others")["StackEvents"]
[reason] = [one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "DELETE_FAILED" and one["LogicalResourceId"] == "ZoneSetup"]
assert f"db.{ZONE} A" in reason and "_web._tcp" not in reason, reason
print(f"not deleted with a record of others: {reason}")

vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
there = {"Name": ZONE, "CallerReference": "there", "VPC": {"VPCRegion": "us-east-1", "VPCId": vpc}}
zone = route53.create_hosted_zone(**there)["HostedZone"]["Id"].split("/")[-1]
before = sets(zone)
outputs = make("there", ExistingZoneId=zone)
assert outputs["ZoneId"] == zone, outputs
ours(zone)
account = janitor(outputs["JanitorName"], {"dry_run": True})
assert account["records"] == len(before) + 3, account
print(f"the janitor's plan: {account['verdicts']}")
living, dead = hosts()
of_host(zone, living, "10.0.0.8", "_calc._tcp")
of_host(zone, dead, "10.0.0.9", "_calc._tcp")
stays = [one for one in owners(zone) if one[1] != dead]
assert len(stays) == len(owners(zone)) - 2 == 4, owners(zone)
# What points to an address goes a run before it.
for left in ([("A", dead)], []):
    account = janitor(outputs["JanitorName"], {})
    assert owners(zone) == sorted(stays + left), (owners(zone), account)
print(f"the records of a dead host are gone, others not: {account['verdicts']}")
refused = functions.invoke(
    FunctionName=outputs["JanitorName"], Payload=json.dumps({"RequestType": "Delete", "ResponseURL": ENDPOINT})
)
assert "custom resource" in refused["Payload"].read().decode(), "the janitor answers for zone-setup"

cloudformation.delete_stack(StackName="there")
comes_to("there", "DELETE_COMPLETE", "GONE")
left = [one for one in sets(zone) if one["Type"] in ("SOA", "NS")]
assert left == before and owners(zone) == stays, "a zone that was there is not left as it was"
print("with a zone that was there before, and is left as it is")
print("figure: a stack made; its janitor deletes what a dead host left; deleted with our records, not with others'")
