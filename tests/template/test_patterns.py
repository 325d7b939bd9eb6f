"""The rules of the templates against the catalogue, and against every recorded event: the right rule hears it, and no
other; what is forged is heard by none."""

import json
import subprocess
from collections import Counter
from functools import cache

import pytest
from conftest import tripmeter
from matcher import hears, matches
from stack import ROOT, Stack, source, translate

MAX_PATTERN = 2_048

# Programs ask who they are all day: files show it, no rule hears it.
NOT_ROUTED = {("sts.amazonaws.com", "GetCallerIdentity")}


@pytest.fixture(scope="module")
def hub():
    return Stack(translate(source()), {"RouteAssumedRoles": "yes"})


@pytest.fixture(scope="module")
def forwarder():
    bus = "arn:aws:events:eu-central-1:111122223333:event-bus/default"
    parameters = {"HubBusArn": bus, "RouteAssumedRoles": "yes"}
    return Stack(source("infra/forwarder.yaml"), parameters, name="tripmeter-ear", region="us-east-1")


@cache
def signals():
    """Every recorded event of a meter that EventBridge brings, by name."""
    files = sorted((ROOT / "tests/signals").glob("*.json"))
    events = {path.stem: json.loads(path.read_text()) for path in files}
    return {name: event for name, event in events.items() if "detail-type" in event}


# Which rule hears which; an alarm that is over is heard by none.
SIGNALS = {
    "alarm-band": "SpendAlarms",
    "alarm-math": "SpendAlarms",
    "alarm-over": None,
    "alarm-static": "SpendAlarms",
    "cost-anomaly": "SpendCostAnomalies",
    "guardduty": "SpendGuardDuty",
    "health-abuse": "SpendHealth",
    "health-exposed-key": "SpendHealth",
    "mail-bounces": "SpendMailStanding",
    "mail-sent": "SpendMail",
    "mail-stopped": "SpendMailStanding",
    "text-message": "SpendMessages",
    "trusted-advisor": "SpendLimits",
}


def listening(stack):
    return {key: rule for key, rule in stack.of_type("AWS::Events::Rule").items() if "EventPattern" in rule}


@cache
def calls():
    """Route and class of each call of the catalogue, by event source and name."""
    rows = json.loads(tripmeter("catalogue", "--format", "json"))
    # OpenAI is polled: no event of a bus is its own.
    rows = [row for row in rows if row["service"] != "OpenAI"]
    sources = {row["service"]: [row["event_source"]] for row in rows}
    sources["AgentCore"].append("bedrock-agentcore-control.amazonaws.com")
    return {(event_source, row["call"]): row for row in rows for event_source in sources[row["service"]]}


def row_of(detail):
    """The catalogue's row of a record, found without the patterns."""
    name = detail["eventName"]
    if detail["eventSource"] == "lambda.amazonaws.com":
        name = name.split("20")[0]
    return calls().get((detail["eventSource"], name))


def envelope(detail, source=None):
    """What EventBridge delivers for a record."""
    types = {
        "AwsConsoleSignIn": "AWS Console Sign In via CloudTrail",
        "AwsServiceEvent": "AWS Service Event via CloudTrail",
        "AwsConsoleAction": "AWS Console Action via CloudTrail",
    }
    return {
        "version": "0",
        "id": "0a1b2c3d",
        "detail-type": types.get(detail.get("eventType"), "AWS API Call via CloudTrail"),
        "source": source or "aws." + detail["eventSource"].removesuffix(".amazonaws.com"),
        "account": detail.get("recipientAccountId", "111122223333"),
        "time": detail["eventTime"],
        "region": detail["awsRegion"],
        "resources": [],
        "detail": detail,
    }


def heard_by(rules, event):
    return [key for key, rule in rules.items() if matches(rule["EventPattern"], event) and hears(rule["State"], event)]


def wanted(detail):
    """Where a record has to go: the function, the queue, or nowhere."""
    row = row_of(detail)
    if row is None or (detail["eventSource"], detail["eventName"]) in NOT_ROUTED:
        return None
    return "Usage" if row["kind"] == "use" else "ControlPlane"


@cache
def scenarios():
    program = ["cargo", "run", "--quiet", "--locked", "-p", "scenarios", "--"]
    listed = subprocess.run([*program, "list"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [line for line in listed.splitlines() if line and not line.startswith(" ")]
    return {name: [*program, "show", name, "--format", "eventbridge"] for name in names}


@cache
def recorded():
    """Every kind of event of the scenarios, and of the recorded cases: one of each source, name, type and reading."""
    kinds = {}
    for command in scenarios().values():
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
            for line in run.stdout:
                event = json.loads(line)
                kinds.setdefault(_kind(event), event)
        assert run.returncode == 0
    for detail in _cases():
        event = envelope(detail)
        kinds.setdefault(_kind(event), event)
    return list(kinds.values())


def _kind(event):
    detail = event["detail"]
    keys = ("eventSource", "eventName", "eventType", "readOnly", "managementEvent")
    return (event["detail-type"], event["source"], *(detail.get(key) for key in keys), "errorCode" in detail)


def _cases():
    """The records of the cases that are plain log files."""
    for name in (
        "29-llmjacking-no-enabling-event.json.gz",
        "31-denied-in-many-spellings.json",
        "33-sms-pump.json.gz",
        "35-quarantine-policy.json",
        "37-scanners-and-service-roles.json.gz",
        "40-sso-login-without-mfa.json",
        "42-lambda-names-with-dates.json",
    ):
        data = (ROOT / "tests/cases" / name).read_bytes()
        if name.endswith(".gz"):
            import gzip

            data = gzip.decompress(data)
        yield from json.loads(data)["Records"]


def test_the_templates_have_the_rules_of_the_catalogue(rules, hub, forwarder):
    for stack in (hub, forwarder):
        written = {
            key: (rule["EventPattern"], rule["State"], stack.declared[key].get("Condition"))
            for key, rule in listening(stack).items()
        }
        assert {key: value[:2] for key, value in written.items()} == {
            rule["name"]: (rule["pattern"], rule["state"]) for rule in rules
        }
    conditions = {rule["name"]: rule["condition"] for rule in rules}
    assert {key: hub.declared[key].get("Condition") for key in listening(hub)} == conditions


def test_a_pattern_is_within_the_quota(hub, forwarder):
    for stack in (hub, forwarder):
        lengths = {key: len(json.dumps(rule["EventPattern"], separators=(",", ":"))) for key, rule in listening(stack).items()}

        assert max(lengths.values()) <= MAX_PATTERN
        assert len(stack.of_type("AWS::Events::Rule")) <= 100


def test_every_pattern_is_pinned_to_events_that_only_aws_can_send(hub, forwarder):
    for stack in (hub, forwarder):
        for name, rule in listening(stack).items():
            pattern = rule["EventPattern"]
            if name in SIGNALS.values():
                assert all(source.startswith("aws.") for source in pattern["source"])
                continue
            assert pattern["source"] == [{"prefix": "aws."}]
            assert all(kind.startswith("AWS ") and kind.endswith(" via CloudTrail") for kind in pattern["detail-type"])
            assert set(pattern["detail"]) == {"eventSource", "eventName"}


def test_a_recorded_event_is_heard_by_its_rule_and_no_other(hub):
    rules = listening(hub)
    seen = Counter()
    problems = []
    for event in recorded():
        heard = heard_by(rules, event)
        going = [rules[key]["Targets"][0]["Id"] for key in heard]
        expected = wanted(event["detail"])
        seen[expected] += 1
        if going != ([expected] if expected else []):
            problems.append((event["detail"]["eventSource"], event["detail"]["eventName"], heard, expected))

    assert problems == []
    assert min(seen["Usage"], seen["ControlPlane"], seen[None]) > 10, seen


def test_every_call_of_the_catalogue_is_heard_where_it_belongs(hub):
    rules = listening(hub)
    problems = []
    for (event_source, name), row in calls().items():
        detail = {
            "eventSource": event_source,
            "eventName": name,
            "eventType": "AwsConsoleSignIn" if row["service"] == "Signin" else "AwsApiCall",
            "eventTime": "2026-03-17T03:14:00Z",
            "awsRegion": "eu-central-1",
            "readOnly": row["read_only"],
            "managementEvent": row["data_event"] is None,
        }
        going = [rules[key]["Targets"][0]["Id"] for key in heard_by(rules, envelope(detail))]
        if going != [wanted(detail)] and (event_source, name) not in NOT_ROUTED:
            problems.append((event_source, name, going))

    assert problems == []


def test_each_signal_is_heard_by_its_rule_and_no_other(hub, forwarder):
    assert signals().keys() == SIGNALS.keys()
    for name, event in signals().items():
        wanted = [SIGNALS[name]] if SIGNALS[name] else []
        for stack in (hub, forwarder):
            assert heard_by(listening(stack), event) == wanted, name
    assert {rule["Targets"][0]["Id"] for key, rule in listening(hub).items() if key in SIGNALS.values()} == {"Spend"}


def test_a_signal_that_nobody_watches_is_heard_by_no_rule(hub):
    ours = signals()
    other_metric = json.loads(json.dumps(ours["alarm-static"]).replace("AWS/SES", "AWS/EC2"))
    on_its_way = json.loads(json.dumps(ours["text-message"]).replace('"isFinal": true', '"isFinal": false'))
    elsewhere = json.loads(json.dumps(ours["health-abuse"]).replace('"ABUSE"', '"EC2"'))
    full = json.loads(json.dumps(ours["trusted-advisor"]).replace('"status": "ERROR"', '"status": "OK"'))
    delivered = ours["mail-sent"] | {"detail-type": "Email Delivered"}
    for event in (other_metric, on_its_way, elsewhere, full, delivered):
        assert heard_by(listening(hub), event) == []


def test_a_forged_event_is_heard_by_nobody(hub):
    rules = listening(hub)
    for event in [*recorded(), *signals().values()]:
        for forged in ("tripmeter.test", "custom.aws.ses", "AWS.ses", ""):
            assert heard_by(rules, {**event, "source": forged}) == []
        assert heard_by(rules, {**event, "detail-type": "Order placed"}) == []


def test_console_sign_ins_are_heard_in_both_spellings(hub):
    detail = {
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "eventType": "AwsConsoleSignIn",
        "eventTime": "2026-03-17T03:14:00Z",
        "awsRegion": "us-east-1",
        "readOnly": False,
    }
    for spelling in ("AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail"):
        event = {**envelope(detail), "detail-type": spelling}
        assert heard_by(listening(hub), event) == ["SigninChanges"]


def test_lambda_calls_are_heard_with_and_without_the_date_of_the_api(hub):
    for name, heard in [
        ("UpdateFunctionCode", ["LambdaChanges"]),
        ("UpdateFunctionCode20150331v2", ["LambdaChanges"]),
        ("PutFunctionConcurrency20171031", ["LambdaChanges"]),
        ("DeleteFunctionEventInvokeConfig20190925", []),
        ("Invoke", []),
    ]:
        detail = {
            "eventSource": "lambda.amazonaws.com",
            "eventName": name,
            "eventTime": "2026-03-17T03:14:00Z",
            "awsRegion": "us-east-1",
            "readOnly": False,
        }
        assert heard_by(listening(hub), envelope(detail)) == heard


def test_roles_are_routed_when_somebody_asks_for_it(hub):
    template = translate(source())

    assert "STSRoles" not in Stack(template).resources
    assert "STSRoles" in hub.resources
