"""What `make verify-aws` says of accounts where all is well, and where one thing is not."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from account import (
    ALL, OPERATIONS, OTHER, QUEUE, REGION, RULES, SELECTORS, TOPIC, TRAIL, book, heard, parameters, told, well,
)
from conftest import ROOT

HERE = Path(__file__).parent
# What only looks begins with one of these.
LOOKS = ("describe-", "get-", "list-", "query")


class Run:
    """A run of the script, its lines by check, and what it asked for."""

    def __init__(self, done, calls):
        self.code, self.out, self.error = done.returncode, done.stdout, done.stderr
        self.lines = [line.split(maxsplit=2) for line in self.out.splitlines()[:-1]]
        self.calls = calls

    def of(self, check):
        return [(verdict, text) for verdict, name, text in self.lines if name == check]

    def asked(self, operation):
        return [words for program, _, *words in self.calls if program == "aws" and words[0] == operation]


@pytest.fixture
def verify(tmp_path):
    """Runs the script over the answers of a well account, some of them others."""

    def verify(*arguments, **others):
        answers = well() | {
            "tripmeter patterns json": json.dumps(RULES),
            "tripmeter patterns selectors": json.dumps(SELECTORS),
            "tripmeter sample-event": "published after 7.1 s: finding 1",
        }
        for key, answer in others.items():
            call, *rest = key.split(" ")
            answers[" ".join([call.replace("__", " ").replace("_", "-"), *rest])] = answer
        (tmp_path / "answers.json").write_text(json.dumps(answers))
        for program in ("aws", "tripmeter"):
            path = tmp_path / program
            path.write_text(f"#!{sys.executable} -IS\n" + (HERE / "stand_in.py").read_text())
            path.chmod(0o755)
        done = subprocess.run(
            [
                sys.executable, ROOT / "infra/verify.py", "--stack", "tripmeter", "--tripmeter", tmp_path / "tripmeter",
                "--minutes", "0.005", "--interval", "0.05", *arguments,
            ],
            capture_output=True, text=True, env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )
        calls = (tmp_path / "calls").read_text().splitlines() if (tmp_path / "calls").exists() else []
        return Run(done, [json.loads(call) for call in calls])

    return verify


def test_where_all_is_well_every_check_passes(verify):
    run = verify("--try-alarm")

    assert (run.code, run.error) == (0, "")
    assert {verdict for verdict, _, _ in run.lines} == {"PASS"}
    assert run.out.endswith("all is well\n")


def test_nothing_is_written_but_the_sample(verify):
    run = verify()

    writes = [call for call in run.calls if call[0] == "aws" and not call[2].startswith(LOOKS)]
    assert writes == []
    assert [call[1:] for call in run.calls if "sample-event" in call] == [
        ["sample-event", "--queue-url", QUEUE, "--table", "findings"]
    ]


def test_without_the_sample_nothing_is_written_at_all(verify):
    run = verify("--no-sample")

    assert run.code == 0
    assert run.of("sample") == [("SKIP", "as you said")]
    assert not any("sample-event" in call for call in run.calls)


def test_a_stack_that_is_not_there_ends_with_2(verify):
    run = verify(cloudformation__describe_stacks="!Stack with id tripmeter does not exist")

    assert run.code == 2
    assert run.error == "cannot read the stack tripmeter: Stack with id tripmeter does not exist\n"


def test_what_aws_refuses_fails_by_name_and_the_rest_goes_on(verify):
    run = verify("--only", "tables", "queues", dynamodb__describe_table="!AccessDeniedException: no")

    assert run.code == 1
    assert run.of("tables") == [("FAIL", "AccessDeniedException: no")]
    assert run.of("queues")[0][0] == "PASS"


RULE = {"Name": "tripmeter-SESReads-1", "State": ALL, "EventPattern": json.dumps(RULES[0]["pattern"])}
USE = {"Name": "tripmeter-SESUse-1", "State": "ENABLED", "EventPattern": json.dumps(RULES[1]["pattern"])}
ROUND = {"Name": "tripmeter-CanaryCalls-1", "State": "ENABLED"}
FUNCTION = {"State": "Active", "LastUpdateStatus": "Successful", "Architectures": ["arm64"], "FunctionArn": "arn:function"}
ALARM = {"AlarmName": "tripmeter-UsageIsLate-1", "ActionsEnabled": True, "AlarmActions": [OPERATIONS], "StateValue": "OK"}
TTL = {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
MAIL = {"Protocol": "email", "Endpoint": "dana@example.com", "SubscriptionArn": f"{TOPIC}:1"}
MAILS = {"eventCategory": ["Data"], "resources.type": ["AWS::SES::EmailIdentity"]}


def rules(*rules):
    return {"Rules": list(rules)}


def selectors(*selectors):
    return {"AdvancedEventSelectors": [
        {"FieldSelectors": [{"Field": field, "Equals": values} for field, values in one.items()]} for one in selectors
    ]}


@pytest.mark.parametrize(
    ("check", "others", "said"),
    [
        ("rules", {"events__list_rules": rules(RULE | {"State": "ENABLED"}, USE, ROUND)},
         f"SESReads is ENABLED, and hears its events only as {ALL}"),
        ("rules", {"events__list_rules": rules(RULE, USE | {"State": "DISABLED"}, ROUND)}, "SESUse is DISABLED"),
        ("rules", {"events__list_rules": rules(RULE, ROUND)}, "SESUse is gone"),
        ("rules", {"events__list_rules": rules(RULE, USE, ROUND | {"State": "DISABLED"})}, "CanaryCalls, a schedule, is not"),
        ("rules", {"events__list_rules": rules(RULE | {"EventPattern": '{"source": ["z"]}'}, USE, ROUND)},
         "SESReads listens to something else"),
        ("rules", {"events__list_rule_names_by_target": {"RuleNames": []},
                   "events__list_rule_names_by_target arn:function": {"RuleNames": []}}, "SESReads has lost its target"),
        ("functions", {"lambda__get_function_configuration": FUNCTION | {"Architectures": ["x86_64"]}},
         "runs as x86_64, and the stack says arm64"),
        ("functions", {"lambda__get_function_configuration": FUNCTION | {"LastUpdateStatus": "Failed"}}, "its last update Failed"),
        ("functions", {"lambda__get_function_concurrency": {"ReservedConcurrentExecutions": 0}}, "may not run at all"),
        ("functions", {"lambda__get_event_source_mapping": {"State": "Disabled"}}, "UsageMapping is Disabled"),
        ("tables", {"dynamodb__describe_table": {"Table": {}}}, "StateTable is not protected from deletion"),
        ("tables", {"dynamodb__describe_continuous_backups": {"ContinuousBackupsDescription": {}}}, "cannot be restored"),
        ("tables", {"dynamodb__describe_time_to_live": {"TimeToLiveDescription": TTL | {"TimeToLiveStatus": "DISABLED"}}},
         "its time to live is off"),
        ("queues", {"sqs__get_queue_attributes ApproximateNumberOfMessages":
                    {"Attributes": {"ApproximateNumberOfMessages": "3"}}}, "FailedQueue holds 3"),
        ("alarms", {"cloudwatch__describe_alarms": {"MetricAlarms": []}}, "tripmeter-UsageIsLate-1 is gone"),
        ("alarms", {"cloudwatch__describe_alarms": {"MetricAlarms": [ALARM | {"ActionsEnabled": False}]}}, "tells nobody"),
        ("alarms", {"cloudwatch__describe_alarms": {"MetricAlarms": [ALARM | {"AlarmActions": []}]}}, "tells nobody"),
        ("alarms", {"cloudwatch__describe_alarms": {"MetricAlarms": [ALARM | {"StateValue": "ALARM"}]}}, "rings"),
        ("subscriptions", {"sns__list_subscriptions_by_topic":
                           {"Subscriptions": [MAIL, MAIL | {"SubscriptionArn": "PendingConfirmation"}]}},
         "FindingsTopic: email dana@example.com has not confirmed"),
        ("subscriptions", {"sns__list_subscriptions_by_topic": {"Subscriptions": []}}, "FindingsTopic: nobody is subscribed"),
        ("trail", {"cloudtrail__describe_trails": {"trailList": []}}, "no trail records management events"),
        ("trail", {"cloudtrail__get_trail_status": {"IsLogging": False}}, "no trail records management events"),
        ("trail", {"cloudtrail__get_event_selectors": selectors({"eventCategory": ["Management"], "readOnly": ["false"]})},
         "management events are recorded in part"),
        ("trail", {"cloudtrail__get_event_selectors":
                   {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "WriteOnly"}]}},
         "management events are recorded in part"),
        ("trail", {"cloudtrail__get_event_selectors": selectors({"eventCategory": ["Management"]})},
         "no trail records data events, so mail"),
        ("trail", {"cloudtrail__get_event_selectors":
                   selectors({"eventCategory": ["Management"]}, {"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]})},
         "AWS::SES::EmailIdentity: no trail records SendEmail, SendRawEmail"),
        ("trail", {"cloudtrail__get_event_selectors":
                   selectors({"eventCategory": ["Management"]}, MAILS | {"eventName": ["SendEmail"]})},
         "AWS::SES::EmailIdentity: no trail records SendRawEmail"),
        ("trail", {"cloudtrail__get_event_selectors":
                   selectors({"eventCategory": ["Management"]}, MAILS | {"readOnly": ["false"]})},
         "AWS::SES::EmailIdentity: no trail records SendEmail, SendRawEmail"),
        ("quotas", {"lambda__get_account_settings":
                    {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 2}}}, "leaves 2 concurrent"),
        ("quotas", {"service_quotas__get_service_quota": {"Quota": {"Value": 5.0}}}, "4 of 5 rules are used"),
        ("sample", {"tripmeter__sample_event": "!it was not published within 420 s"}, "it was not published within 420 s"),
        ("stack", {"cloudformation__describe_stacks":
                   well()["cloudformation describe-stacks"]["Stacks"][0] | {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}},
         "UPDATE_ROLLBACK_COMPLETE"),
    ],
)
def test_what_is_not_well_fails_and_is_named(verify, check, others, said):
    others = {key: {"Stacks": [answer]} if "describe_stacks" in key else answer for key, answer in others.items()}

    run = verify("--only", check, **others)

    assert run.code == 1, run.out + run.error
    assert any(verdict == "FAIL" and said in text for verdict, text in run.of(check)), run.out
    assert run.out.endswith("failed\n")


def test_a_selector_without_names_records_all_of_its_resources(verify):
    run = verify("--only", "trail", cloudtrail__get_event_selectors=selectors({"eventCategory": ["Management"]}, MAILS))

    assert run.code == 0, run.out


def test_the_older_selectors_record_management_events(verify):
    older = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All", "DataResources": []}]}

    run = verify("--only", "trail", cloudtrail__get_event_selectors=older)

    assert ("PASS", "all management events are recorded") in run.of("trail")


def test_two_trails_may_share_the_work(verify):
    second = TRAIL.replace("main", "second")
    run = verify(
        "--only", "trail",
        cloudtrail__describe_trails={"trailList": [{"Name": "main", "TrailARN": TRAIL}, {"Name": "second", "TrailARN": second}]},
        **{
            f"cloudtrail__get_event_selectors {TRAIL}": selectors({"eventCategory": ["Management"]}),
            f"cloudtrail__get_event_selectors {second}": selectors(MAILS),
        },
    )

    assert run.code == 0, run.out


def test_what_need_not_be_recorded_is_no_failure(verify):
    management = selectors({"eventCategory": ["Management"]}, {"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]})

    run = verify("--only", "trail", "--unrecorded", "AWS::SES::EmailIdentity", cloudtrail__get_event_selectors=management)

    assert ("SKIP", "AWS::SES::EmailIdentity: not recorded, as you said") in run.of("trail")


def test_an_organisations_trail_that_cannot_be_looked_into_is_said(verify):
    run = verify("--only", "trail", cloudtrail__get_event_selectors="!AccessDenied")

    assert run.of("trail")[0] == ("SKIP", "main cannot be looked into from this account; the canary tells what it records")


def test_the_canary_is_waited_for(verify):
    late = book(**{f"{REGION}#ses": heard(4_000, sent_ago=60), f"{OTHER}#ses": heard(4_000, sent_ago=60)})
    there = book(**{f"{REGION}#ses": heard(60), f"{OTHER}#ses": heard(60)})

    run = verify("--only", "canary", "--minutes", "1", dynamodb__query=[late, late, there])

    assert (run.code, len(run.asked("query"))) == (0, 3)
    assert run.of("canary") == [("PASS", f"heard in {REGION}, {OTHER}, at most 90 s after the call")]
    assert run.asked("invoke") == []


def test_a_canary_that_did_not_fly_lately_is_sent_once(verify):
    run = verify("--only", "canary", dynamodb__query=book())

    assert len(run.asked("query")) > 1
    assert len(run.asked("invoke")) == 1
    assert run.of("canary")[0] == ("FAIL", f"{REGION}: no call of the canary was answered; see docs/blindness.md")


@pytest.mark.parametrize("deaf", [f"{REGION}#sns", f"{OTHER}#ses"])
def test_one_call_that_is_not_heard_in_one_region_fails(verify, deaf):
    calls = {f"{region}#{call}": heard(600) for region in (REGION, OTHER) for call in ("ses", "sns")}

    run = verify("--only", "canary", dynamodb__query=book(**calls | {deaf: heard(7_200, sent_ago=600)}))

    region, _, call = deaf.partition("#")
    assert run.of("canary") == [("FAIL", f"{region}: {call} is not heard; see docs/blindness.md")]


def test_a_call_that_aws_does_not_answer_proves_nothing_and_fails_nothing(verify):
    refused = {"sent_at": {"N": "1"}, "misses": {"N": "0"}}
    calls = {f"{region}#ses": heard(600) for region in (REGION, OTHER)} | {f"{OTHER}#sns": refused}

    run = verify("--only", "canary", dynamodb__query=book(**calls))

    assert run.code == 0, run.out


def test_a_canary_that_fails_says_so(verify):
    run = verify("--only", "canary", dynamodb__query=book(), lambda__invoke={"StatusCode": 200, "FunctionError": "Unhandled"})

    assert run.of("canary") == [("FAIL", "CanaryFunction failed: its log says why")]


def test_an_alarm_rings_only_when_asked_to(verify):
    run = verify("--only", "alarm")

    assert (run.code, run.of("alarm")[0][0]) == (0, "SKIP")
    assert run.asked("set-alarm-state") == []


@pytest.mark.parametrize(
    ("history", "verdict"),
    [
        (f"Successfully executed action {OPERATIONS}", "PASS"),
        (f"Failed to execute action {OPERATIONS}. Received error: no access to the key", "FAIL"),
    ],
)
def test_an_alarm_that_is_tried_is_taken_back_whatever_came_of_it(verify, history, verdict):
    run = verify("--only", "alarm", "--try-alarm", cloudwatch__describe_alarm_history=told(history))

    assert run.of("alarm")[0][0] == verdict
    states = [words[words.index("--state-value") + 1] for words in run.asked("set-alarm-state")]
    assert states == ["ALARM", "OK"]


def test_an_alarm_that_tells_nobody_fails_and_is_taken_back(verify):
    run = verify("--only", "alarm", "--try-alarm", cloudwatch__describe_alarm_history={"AlarmHistoryItems": []})

    assert run.of("alarm") == [("FAIL", "UsageIsLate was set to ALARM, and CloudWatch told nobody in time")]
    assert len(run.asked("set-alarm-state")) == 2


def test_another_topics_success_is_not_ours(verify):
    run = verify(
        "--only", "alarm", "--try-alarm",
        cloudwatch__describe_alarm_history=[told(f"Successfully executed action {TOPIC}"), told(f"Failed {OPERATIONS}")],
    )

    assert run.of("alarm")[0][0] == "FAIL"


def test_a_quota_that_is_still_the_default_is_asked_for_as_such(verify):
    run = verify(
        "--only", "quotas", service_quotas__get_service_quota="!NoSuchResourceException",
        service_quotas__get_aws_default_service_quota={"Quota": {"Value": 300.0}},
    )

    assert (run.code, run.of("quotas")[1]) == (0, ("PASS", "4 of 300 rules are used on this bus"))


def test_a_stack_of_one_region_asks_for_no_other(verify):
    stack = well()["cloudformation describe-stacks"]["Stacks"][0] | {"Parameters": parameters(Architecture="arm64")}

    run = verify(
        "--only", "canary", cloudformation__describe_stacks={"Stacks": [stack]},
        dynamodb__query=book(**{f"{REGION}#ses": heard(60)}),
    )

    assert run.of("canary") == [("PASS", f"heard in {REGION}, at most 90 s after the call")]


def test_what_it_asks_for_by_name_is_in_the_template():
    script, template = (ROOT / "infra/verify.py").read_text(), (ROOT / "template.yaml").read_text()
    resources, _, outputs = template.partition("\nOutputs:\n")
    outputs = set(re.findall(r"^  (\w+):$", outputs, re.MULTILINE))
    resources = set(re.findall(r"^  (\w+):\n    Type: AWS::", resources, re.MULTILINE))

    asked = set(re.findall(r'"(\w+(?:Topic|Table|Url))"', script))
    assert asked and asked <= outputs
    used = set(re.findall(r'"(\w+Function|UsageQueue|SpendQueue|UsageIsLate)"', script))
    assert used and used <= resources
