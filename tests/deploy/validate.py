"""What the vendor's own validator says of the template, as it is and with all that may exist already. Run by
tests/deploy/template."""

import sys

from cloudformation_validate import CompositeEngine, LogicalIdFilter, RuleFilterConfig, Severity, ValidateConfig

TEMPLATE = "deploy/cloudformation/Service_Discovery_Using_DNS.template"
EXISTING = {
    "ExistingVpcId": "vpc-0123456789abcdef0",
    "ExistingSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "ExistingZoneId": "Z0123456789ABCDEFGHIJ",
    "ExistingCluster": "there",
    "MakeHosts": "false",
}
# In an output it takes no notice of the Fn::If that a reference stands in, and these stand in one of the right condition.
GUARDED = [LogicalIdFilter(rule_id="W1001", logical_id=name) for name in ("ZoneId", "ClusterName")]

engine = CompositeEngine()
found = 0
# With parameters given it warns of every branch that they do not take.
for parameters, least in (({}, Severity.WARN), (EXISTING, Severity.ERROR)):
    its = {"exclude": RuleFilterConfig(logical_ids=GUARDED), "severity_level": least}
    report = engine.validate_template(TEMPLATE, ValidateConfig(**its, parameter_overrides=parameters))
    for one in report.diagnostics:
        where = one.entity.logical_id if one.entity else "template"
        print(f"wrong: {one.rule_id} {where}, line {one.start_line}: {one.message}")
    found += len(report.diagnostics)
rules = len(engine.list_rules())
if rules < 100:
    sys.exit(f"wrong: it knows {rules} rules")
print(f"figure: {rules} rules of the vendor's validator find {found}")
sys.exit(1 if found else 0)
