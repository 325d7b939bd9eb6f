"""Looks at a deployed stack for what no emulator can prove; `make verify-aws` runs it, and docs/verify.md explains it.

    infra/verify.py --stack tripmeter

One line for each thing that was looked at: PASS, FAIL with what to do, or SKIP with why. Exit 1 when one failed, 2 when
there is no such stack or no AWS CLI. It reads, but for two calls that say so: a labelled sample event, and a round of
the canary where none was flown lately. With --try-alarm it also rings an alarm and takes it back.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
READS_TOO = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# "Number of rules", for each bus.
RULES_QUOTA = "L-244521F2"
# The canary's rounds are a quarter of an hour apart, and CloudTrail may take as long: older than this was not heard.
ROUND_SECONDS = 15 * 60
HEARD_WITHIN_SECONDS = 2 * ROUND_SECONDS + 5 * 60
TRIED_ALARM = "UsageIsLate"


class Refused(Exception):
    """AWS, or a program, said no; its words."""


def command(program, *arguments):
    """What it prints. Refused when it fails."""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Refused(f"cannot run {program}: {error.strerror}") from error
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or [f"{program} ended with {done.returncode}"]
        raise Refused(words[-1][:300])
    return done.stdout


def aws(*arguments):
    """An answer of AWS, all its pages."""
    return json.loads(command("aws", *arguments, "--output", "json") or "{}")


@dataclass
class Line:
    """What was found about one thing."""

    verdict: str
    text: str


# CloudFormation compares templates, not what is there: deploying the same one again repairs nothing.
REPAIR = 'see "Repair it" in docs/deploy.md'


def verdict(faults, well):
    """A line for each fault, or one that says that all is well."""
    return [Line("FAIL", fault) for fault in faults] or [Line("PASS", well)]


class Stack:
    """The stack, its parts by the names that the template gives them, and what the catalogue wants of them."""

    def __init__(self, name, tripmeter):
        self.name = name
        self.tripmeter = tripmeter
        self.described = aws("cloudformation", "describe-stacks", "--stack-name", name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in self.described.get("Outputs", [])}
        self.parameters = {
            parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in self.described.get("Parameters", [])
        }
        _, _, _, self.region, self.account, *_ = self.described["StackId"].split(":")

    @cached_property
    def resources(self):
        """Type and physical id by logical id."""
        found = aws("cloudformation", "list-stack-resources", "--stack-name", self.name)["StackResourceSummaries"]
        return {one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", "")) for one in found}

    def of_type(self, kind):
        """Physical id by logical id."""
        return {name: physical for name, (of, physical) in self.resources.items() if of == kind}

    @cached_property
    def rules(self):
        """The rules that the catalogue asks for."""
        return json.loads(command(self.tripmeter, "patterns", "--format", "json"))

    @cached_property
    def selectors(self):
        """The event selectors that the catalogue asks for."""
        return json.loads(command(self.tripmeter, "patterns", "--format", "selectors"))


def check_stack(stack, _):
    """The stack is whole."""
    status = stack.described["StackStatus"]
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return [Line("PASS", f"{status}, account {stack.account}, region {stack.region}")]
    return [Line("FAIL", f"{status}: look at the stack's events")]


def check_rules(stack, _):
    """Every rule listens, in the state that its events need, to what the catalogue says, and has its target."""
    there = {rule["Name"]: rule for rule in aws("events", "list-rules", "--name-prefix", f"{stack.name}-")["Rules"]}
    targets = {
        "control-plane": function_arn(stack, "ControlPlaneFunction"),
        "usage": queue_attribute(stack.outputs["UsageQueueUrl"], "QueueArn"),
        "spend": queue_attribute(stack.of_type("AWS::SQS::Queue")["SpendQueue"], "QueueArn"),
    }
    named = {
        route: set(aws("events", "list-rule-names-by-target", "--target-arn", arn)["RuleNames"])
        for route, arn in targets.items()
    }
    deployed = stack.of_type("AWS::Events::Rule")
    faults, seen = [], 0
    for wanted in stack.rules:
        name = wanted["name"]
        rule = there.get(deployed.get(name))
        if rule is None:
            if name in deployed or wanted["condition"] is None:
                faults.append(f"{name} is gone; {REPAIR}")
            continue
        seen += 1
        if rule["State"] != wanted["state"]:
            faults.append(f"{name} is {rule['State']}, and hears its events only as {wanted['state']}")
        if json.loads(rule["EventPattern"]) != wanted["pattern"]:
            faults.append(f"{name} listens to something else than this version's catalogue; {REPAIR}")
        if rule["Name"] not in named[wanted["route"]]:
            faults.append(f"{name} has lost its target; {REPAIR}")
    catalogued = {wanted["name"] for wanted in stack.rules}
    for name in sorted(deployed.keys() - catalogued):
        if there.get(deployed[name], {}).get("State") != "ENABLED":
            faults.append(f"{name}, a schedule, is not enabled; {REPAIR}")
    return verdict(faults, f"{seen} rules listen as the catalogue says, with their targets; all schedules run")


def check_functions(stack, _):
    """The functions can run: active, the right kind, concurrency left to them, their sources enabled."""
    faults = []
    wanted = stack.parameters.get("Architecture")
    for name, physical in stack.of_type("AWS::Lambda::Function").items():
        function = aws("lambda", "get-function-configuration", "--function-name", physical)
        if (function["State"], function["LastUpdateStatus"]) != ("Active", "Successful"):
            faults.append(f"{name} is {function['State']}, its last update {function['LastUpdateStatus']}")
        if wanted and function["Architectures"] != [wanted]:
            faults.append(f"{name} runs as {function['Architectures'][0]}, and the stack says {wanted}")
        reserved = aws("lambda", "get-function-concurrency", "--function-name", physical)
        if reserved.get("ReservedConcurrentExecutions") == 0:
            faults.append(f"{name} may not run at all: its reserved concurrency is 0")
    for name, physical in stack.of_type("AWS::Lambda::EventSourceMapping").items():
        state = aws("lambda", "get-event-source-mapping", "--uuid", physical)["State"]
        if state not in ("Enabled", "Enabling", "Updating"):
            faults.append(f"{name} is {state}: nothing is read from its source")
    return verdict(faults, "active, of the right architecture, and their sources enabled")


def check_tables(stack, _):
    """What is kept is protected, can be restored, and is forgotten in time."""
    faults = []
    for output in ("StateTable", "FindingsTable"):
        table = stack.outputs[output]
        if not aws("dynamodb", "describe-table", "--table-name", table)["Table"].get("DeletionProtectionEnabled"):
            faults.append(f"{output} is not protected from deletion")
        backups = aws("dynamodb", "describe-continuous-backups", "--table-name", table)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        if recovery != "ENABLED":
            faults.append(f"{output} cannot be restored to a point in time")
        ttl = aws("dynamodb", "describe-time-to-live", "--table-name", table)["TimeToLiveDescription"]
        if ttl.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING") or ttl.get("AttributeName") != "expires":
            faults.append(f"{output} forgets nothing: its time to live is off")
    return verdict(faults, "protected, restorable, and forgetting in time")


def check_queues(stack, _):
    """Nothing lies where failures end."""
    faults = []
    for name, url in stack.of_type("AWS::SQS::Queue").items():
        if name in ("UsageQueue", "SpendQueue"):
            continue
        waiting = int(queue_attribute(url, "ApproximateNumberOfMessages"))
        if waiting:
            faults.append(f"{name} holds {waiting}: see the alarms in docs/deploy.md")
    return verdict(faults, "the queues of failures are empty")


def check_alarms(stack, _):
    """The detector's own alarms speak, and none rings."""
    names = list(stack.of_type("AWS::CloudWatch::Alarm").values())
    topic = stack.outputs["OperationsTopic"]
    alarms = aws("cloudwatch", "describe-alarms", "--alarm-names", *names)["MetricAlarms"]
    faults = [f"{name} is gone; {REPAIR}" for name in sorted(set(names) - {alarm["AlarmName"] for alarm in alarms})]
    for alarm in alarms:
        if not alarm["ActionsEnabled"] or topic not in alarm["AlarmActions"]:
            faults.append(f"{alarm['AlarmName']} tells nobody; {REPAIR}")
        if alarm["StateValue"] == "ALARM":
            faults.append(f"{alarm['AlarmName']} rings: {alarm.get('AlarmDescription', '')}")
    return verdict(faults, f"{len(alarms)} alarms are quiet, and would speak on the operations topic")


def check_subscriptions(stack, _):
    """Somebody hears."""
    lines = []
    for output in ("FindingsTopic", "ChatTopic", "OperationsTopic"):
        if output not in stack.outputs:
            continue
        found = aws("sns", "list-subscriptions-by-topic", "--topic-arn", stack.outputs[output])["Subscriptions"]
        waiting = [one for one in found if one["SubscriptionArn"] in ("PendingConfirmation", "Deleted")]
        faults = [f"{output}: {one['Protocol']} {one['Endpoint']} has not confirmed its subscription" for one in waiting]
        if len(found) == len(waiting):
            faults.append(f"{output}: nobody is subscribed")
        lines += verdict(faults, f"{output}: {len(found)} confirmed")
    return lines


def check_trail(stack, options):
    """Trails that are logging record management events in this region, and the data events of the catalogue."""
    lines, recorded = [], []
    for trail in aws("cloudtrail", "describe-trails", "--include-shadow-trails")["trailList"]:
        arn = trail["TrailARN"]
        try:
            if not aws("cloudtrail", "get-trail-status", "--name", arn)["IsLogging"]:
                lines.append(Line("SKIP", f"{trail['Name']} is not logging, so it does not count"))
                continue
            recorded += selectors_of(aws("cloudtrail", "get-event-selectors", "--trail-name", arn))
        except Refused:
            # An organisation's trail may be seen from a member account, and not be looked into.
            lines.append(Line("SKIP", f"{trail['Name']} cannot be looked into from this account; the canary tells what it records"))
    management = [one for one in recorded if one.get("eventCategory") == ["Management"]]
    if any(one.keys() == {"eventCategory"} for one in management):
        lines.append(Line("PASS", "all management events are recorded"))
    elif management:
        lines.append(Line("FAIL", "management events are recorded in part: EventBridge hears no others"))
    else:
        lines.append(Line("FAIL", "no trail records management events: deploy infra/trail.yaml with ManagementEvents=yes"))
    wanted = [fields(selector["FieldSelectors"]) for selector in stack.selectors]
    wanted = [one for one in wanted if one["eventCategory"] == ["Data"]]
    if not any(one.get("eventCategory") == ["Data"] for one in recorded):
        unseen = "no trail records data events, so mail, messages and many model calls are not seen: deploy infra/trail.yaml"
        return [*lines, Line("FAIL", unseen)]
    seen = 0
    for one in wanted:
        kind = one["resources.type"][0]
        missing = sorted(set(one["eventName"]) - recorded_names(recorded, kind, one["eventName"]))
        if not missing:
            seen += 1
        elif kind in options.unrecorded:
            lines.append(Line("SKIP", f"{kind}: not recorded, as you said"))
        else:
            lines.append(Line("FAIL", f"{kind}: no trail records {', '.join(missing)}; see docs/deploy.md, step 1"))
    lines.append(Line("PASS" if seen else "FAIL", f"data events of {seen} of {len(wanted)} kinds of resource are recorded"))
    return lines


def selectors_of(answer):
    """What a trail records, a mapping of field to values each; the older form only says something of management events."""
    advanced = [fields(selector["FieldSelectors"]) for selector in answer.get("AdvancedEventSelectors") or []]
    basic = [
        {"eventCategory": ["Management"]}
        | ({} if selector.get("ReadWriteType", "All") == "All" else {"readOnly": []})
        | ({"eventSource": []} if selector.get("ExcludeManagementEventSources") else {})
        for selector in answer.get("EventSelectors") or []
        if selector.get("IncludeManagementEvents")
    ]
    return advanced + basic


def fields(selectors):
    """Values by field; none where the field is tested otherwise than by being equal."""
    return {one["Field"]: one.get("Equals", []) for one in selectors}


def recorded_names(recorded, kind, wanted):
    """Those of the wanted events on this kind of resource that are recorded whatever the resource and the caller."""
    names = set()
    for one in recorded:
        if one.get("resources.type") == [kind] and one.keys() <= {"eventCategory", "resources.type", "eventName"}:
            names.update(one.get("eventName", wanted))
    return names


def check_canary(stack, options):
    """In every watched region a call of the canary is heard: trail, rules, forwarder, function and table work."""
    regions = [stack.region, *filter(None, stack.parameters.get("WatchedRegions", "").split(","))]
    deadline = time.monotonic() + options.minutes * 60
    flown = False
    while True:
        book = canary_book(stack)
        deaf = {region: why for region in regions if (why := unheard(book, region))}
        if not deaf:
            delay = max(call["seen_at"] - call["heard_at"] for call in book.values() if "seen_at" in call) / 1000
            return [Line("PASS", f"heard in {', '.join(regions)}, at most {delay:.0f} s after the call")]
        latest = max((call.get("sent_at", 0) for call in book.values()), default=0)
        if not flown and time.time() - latest / 1000 > ROUND_SECONDS + 60:
            invoke(stack, "CanaryFunction")
            flown = True
        if time.monotonic() >= deadline:
            return [Line("FAIL", f"{region}: {why}; see docs/blindness.md") for region, why in deaf.items()]
        time.sleep(options.interval)


def canary_book(stack):
    """The canary's calls: what was sent, answered and heard, in milliseconds, by region and call."""
    items = aws(
        "dynamodb", "query", "--table-name", stack.outputs["StateTable"], "--key-condition-expression", "pk = :pk",
        "--expression-attribute-values", json.dumps({":pk": {"S": "CANARY"}}), "--consistent-read",
    )["Items"]
    numbers = {item["sk"]["S"]: {name: int(value["N"]) for name, value in item.items() if "N" in value} for item in items}
    return {key: call for key, call in numbers.items() if "#" in key}


def unheard(book, region):
    """Why the region counts as deaf; None when it is heard."""
    calls = {key: call for key, call in book.items() if key.startswith(f"{region}#") and "answered_at" in call}
    if not calls:
        return "no call of the canary was answered"
    for key, call in calls.items():
        if time.time() - call.get("heard_at", 0) / 1000 > HEARD_WITHIN_SECONDS:
            return f"{key.partition('#')[2]} is not heard"
    return None


def check_sample(stack, options):
    """A labelled sample becomes a finding and is published. Writes: one message, one finding."""
    if options.no_sample:
        return [Line("SKIP", "as you said")]
    where = ["--queue-url", stack.outputs["UsageQueueUrl"], "--table", stack.outputs["FindingsTable"]]
    return [Line("PASS", command(stack.tripmeter, "sample-event", *where).strip())]


def check_alarm(stack, options):
    """An alarm reaches the operations topic: its policy and its key let CloudWatch in. Writes: an alarm's state, twice."""
    if not options.try_alarm:
        return [Line("SKIP", "not rung; `make verify-aws ALARM=yes` rings one, and there will be a finding of it")]
    name, topic = stack.resources[TRIED_ALARM][1], stack.outputs["OperationsTopic"]
    began = datetime.now(UTC).isoformat(timespec="seconds")
    set_alarm(name, "ALARM")
    try:
        deadline = time.monotonic() + min(options.minutes * 60, 120)
        while time.monotonic() < deadline:
            history = aws(
                "cloudwatch", "describe-alarm-history", "--alarm-name", name, "--history-item-type", "Action",
                "--start-date", began,
            )
            for told in (item["HistorySummary"] for item in history["AlarmHistoryItems"]):
                if topic in told and told.startswith("Successfully"):
                    return [Line("PASS", f"{TRIED_ALARM} rang on the operations topic")]
                if topic in told:
                    return [Line("FAIL", f"CloudWatch may not publish on the operations topic: {told}")]
            time.sleep(min(options.interval, 5))
        return [Line("FAIL", f"{TRIED_ALARM} was set to ALARM, and CloudWatch told nobody in time")]
    finally:
        set_alarm(name, "OK")


def set_alarm(name, state):
    reason = "make verify-aws tries whether alarms are heard; nothing happened"
    aws("cloudwatch", "set-alarm-state", "--alarm-name", name, "--state-value", state, "--state-reason", reason)


def check_quotas(stack, _):
    """The account leaves the detector room."""
    limits = aws("lambda", "get-account-settings")["AccountLimit"]
    lines = verdict(
        [f"Lambda leaves {limits['UnreservedConcurrentExecutions']} concurrent executions to everything: ask AWS for more"]
        if limits["UnreservedConcurrentExecutions"] < 10 else [],
        f"{limits['UnreservedConcurrentExecutions']} of {limits['ConcurrentExecutions']} concurrent executions are unreserved",
    )
    which = ["--service-code", "events", "--quota-code", RULES_QUOTA]
    try:
        quota = aws("service-quotas", "get-service-quota", *which)
    except Refused:
        # An account that never asked for more may have no word of its own.
        quota = aws("service-quotas", "get-aws-default-service-quota", *which)
    allowed = int(quota["Quota"]["Value"])
    used = len(aws("events", "list-rules")["Rules"])
    return lines + verdict(
        [f"{used} of {allowed} rules are used on this bus: an upgrade may want more"] if used > allowed - 10 else [],
        f"{used} of {allowed} rules are used on this bus",
    )


def function_arn(stack, name):
    physical = stack.resources[name][1]
    return aws("lambda", "get-function-configuration", "--function-name", physical)["FunctionArn"]


def queue_attribute(url, name):
    return aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", name)["Attributes"][name]


def invoke(stack, name):
    """A round of the canary. Writes: what a round always writes."""
    with tempfile.NamedTemporaryFile() as answer:
        ended = aws(
            "lambda", "invoke", "--function-name", stack.resources[name][1], "--cli-binary-format", "raw-in-base64-out",
            "--payload", '{"tripmeter":"canary"}', answer.name,
        )
    if "FunctionError" in ended:
        raise Refused(f"{name} failed: its log says why")


# Quick ones first; the canary may wait for CloudTrail.
CHECKS = {
    "stack": check_stack,
    "functions": check_functions,
    "rules": check_rules,
    "trail": check_trail,
    "tables": check_tables,
    "queues": check_queues,
    "subscriptions": check_subscriptions,
    "quotas": check_quotas,
    "alarm": check_alarm,
    "sample": check_sample,
    "canary": check_canary,
    # Until the canary has flown for the first time, the alarm of silence rings.
    "alarms": check_alarms,
}


def main(options):
    try:
        stack = Stack(options.stack, options.tripmeter)
    except Refused as error:
        print(f"cannot read the stack {options.stack}: {error}", file=sys.stderr)
        return 2
    failed = 0
    for name in options.only or CHECKS:
        try:
            lines = CHECKS[name](stack, options)
        except Refused as error:
            lines = [Line("FAIL", str(error))]
        for line in lines:
            failed += line.verdict == "FAIL"
            print(f"{line.verdict}  {name:<14}{line.text}", flush=True)
    print(f"{failed} failed" if failed else "all is well")
    return 1 if failed else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="its name, in the region that the AWS CLI is set to")
    parser.add_argument("--tripmeter", default=str(ROOT / "target/release/tripmeter"), help="the program")
    parser.add_argument("--only", nargs="+", choices=CHECKS, help="these checks alone")
    parser.add_argument("--unrecorded", nargs="+", default=[], metavar="TYPE", help="resource types that no trail needs to record")
    parser.add_argument("--no-sample", action="store_true", help="send no sample event")
    parser.add_argument("--try-alarm", action="store_true", help="ring an alarm, and take it back")
    parser.add_argument("--minutes", type=float, default=20, help="to wait for the canary")
    parser.add_argument("--interval", type=float, default=30, help="seconds between two looks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(arguments()))
