"""The doctor before and after: each gap is made in an account, said, repaired by what the doctor prints where the
emulator has the operation, and not said any more; and it is there again when the repair is undone."""

import json
import subprocess
import time

import pytest

import aws_cli
import canary

HUB, OTHER = "eu-west-1", "us-east-1"


@pytest.fixture
def doctor(aws, account, binaries):
    """Looks at the account; the gaps by id."""

    def look(*arguments):
        environment = {
            "AWS_ENDPOINT_URL": aws.endpoint, "AWS_REGION": HUB, "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "root", "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [binaries["tripmeter"], "doctor", "--regions", OTHER, "--output", "json", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return Diagnosis(json.loads(done.stdout))

    return look


class Diagnosis:
    """What was said."""

    def __init__(self, said):
        self.said = said
        self.gaps = {gap["id"]: gap for gap in said["gaps"]}

    def __contains__(self, gap):
        return gap in self.gaps

    def repair(self, gap):
        """The first repair of a gap that is a command: what to run, and what undoes it."""
        return next((step["run"], step["undo"]) for step in self.gaps[gap]["repair"] if "run" in step)


@pytest.fixture
def run(aws, account):
    """Runs a command that the doctor printed, with what a person has filled in."""

    def run(command, **filled):
        for name, value in filled.items():
            assert name in command, command
            command = command.replace(name, value)
        return aws_cli.run(aws, account, HUB, command)

    return run


@pytest.fixture
def client(aws, account):
    return lambda service, region=HUB: aws.client(service, account, region)


def make_trail(client, account, **selectors):
    bucket = f"logs-{account}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HUB})
    trail = client("cloudtrail")
    trail.create_trail(Name="audit", S3BucketName=bucket, IsMultiRegionTrail=True)
    trail.start_logging(Name="audit")
    if selectors:
        trail.put_event_selectors(TrailName="audit", **selectors)
    return trail


def printed_selectors(binaries):
    """What the catalogue asks of a trail."""
    printed = subprocess.run([binaries["tripmeter"], "patterns", "--format", "selectors"], capture_output=True, check=True)
    return json.loads(printed.stdout)


def test_a_trail_is_missing_until_it_logs_and_stopped_when_it_does_not(doctor, client, account, run):
    assert "trail-missing" in doctor()

    trail = make_trail(client, account)
    assert "trail-missing" not in doctor()

    trail.stop_logging(Name="audit")
    found = doctor()
    assert {"trail-missing", "trail-stopped"} <= found.gaps.keys()

    start, stop = found.repair("trail-stopped")
    run(start)
    assert not {"trail-missing", "trail-stopped"} & doctor().gaps.keys()

    run(stop)
    assert "trail-stopped" in doctor()


def test_a_trail_of_one_region_leaves_the_other_out_until_it_is_made_one_of_all(doctor, client, account, run):
    make_trail(client, account)
    client("cloudtrail").update_trail(Name="audit", IsMultiRegionTrail=False)

    found = doctor()
    assert OTHER in found.gaps["trail-missing"]["regions"] and HUB not in found.gaps["trail-missing"]["regions"]

    widen, narrow = found.repair("trail-missing")
    run(widen)
    assert "trail-missing" not in doctor()

    run(narrow)
    assert "trail-missing" in doctor()


def test_what_selectors_leave_out_is_said_until_they_are_what_the_catalogue_asks_for(doctor, client, account, binaries):
    writes = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}]
    trail = make_trail(client, account, EventSelectors=writes)

    found = doctor()
    assert {"reads-dropped", "data-events-missing"} <= found.gaps.keys()
    assert "Bedrock" in found.gaps["reads-dropped"]["services"]

    trail.put_event_selectors(TrailName="audit", AdvancedEventSelectors=printed_selectors(binaries))
    assert not {"reads-dropped", "data-events-missing", "management-events-dropped"} & doctor().gaps.keys()


def test_an_event_source_that_is_left_out_is_said_until_it_is_not(doctor, client, account, binaries):
    asked_for = printed_selectors(binaries)
    without = [{"FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Management"]},
        {"Field": "eventSource", "NotEquals": ["ses.amazonaws.com"]},
    ]}]
    is_data = lambda selector: {"Field": "eventCategory", "Equals": ["Data"]} in selector["FieldSelectors"]
    trail = make_trail(client, account, AdvancedEventSelectors=without + list(filter(is_data, asked_for)))
    assert "PutAccountDetails" in doctor().gaps["management-events-dropped"]["evidence"]

    trail.put_event_selectors(TrailName="audit", AdvancedEventSelectors=asked_for)
    assert "management-events-dropped" not in doctor()


def test_model_invocation_logging_is_off_until_it_is_switched_on_in_each_region(doctor, run):
    found = doctor()
    assert found.gaps["invocation-logging-off"]["regions"] == [HUB, OTHER]

    on, off = found.repair("invocation-logging-off")
    names = {"LOG_GROUP": "/bedrock/calls", "ROLE_ARN": "arn:aws:iam::111122223333:role/bedrock"}
    run(on, **names)
    found = doctor()
    assert found.gaps["invocation-logging-off"]["regions"] == [OTHER]
    assert found.said["proposal"]["parameters"]["BedrockLogGroup"] == "/bedrock/calls"

    run(found.repair("invocation-logging-off")[0], **names)
    assert "invocation-logging-off" not in doctor()

    run(off)
    assert doctor().gaps["invocation-logging-off"]["regions"] == [HUB]


def test_a_budget_is_missing_then_unheard_then_kept_out_by_its_topic(doctor, client, account, run):
    topic = client("sns").create_topic(Name="spend")["TopicArn"]
    found = doctor()
    assert found.gaps["budget-missing"]["services"] == ["SES", "SNS", "Bedrock"]

    made = [(step["run"], step["undo"]) for step in found.gaps["budget-missing"]["repair"] if "run" in step]
    for create, _ in made:
        run(create, SPEND_TOPIC=topic)
    found = doctor()
    assert "budget-missing" not in found and found.gaps["topic-keeps-out"]["evidence"] == [topic]

    let_in, as_before = found.repair("topic-keeps-out")
    run(let_in)
    assert "topic-keeps-out" not in doctor()

    run(as_before)
    assert "topic-keeps-out" in doctor()

    run(made[0][1])
    assert doctor().gaps["budget-missing"]["services"] == ["SES"]


def test_a_budget_is_unheard_until_it_tells_somebody(doctor, client, account, run):
    client("budgets").create_budget(AccountId=account, Budget={
        "BudgetName": "messages", "TimeUnit": "DAILY", "BudgetType": "COST", "BudgetLimit": {"Amount": "10", "Unit": "USD"},
        "CostFilters": {"Service": ["Amazon Simple Email Service"]},
    })
    found = doctor()
    assert found.gaps["budget-unheard"]["evidence"] == ["messages"]

    tell, hush = found.repair("budget-unheard")
    run(tell, SPEND_TOPIC=client("sns").create_topic(Name="spend")["TopicArn"])
    assert "budget-unheard" not in doctor()

    run(hush)
    assert "budget-unheard" in doctor()


def test_a_user_with_a_key_that_may_lift_limits_is_named_until_the_key_is_off(doctor, client, run):
    iam = client("iam")
    user = iam.create_user(UserName="mailer")["User"]["Arn"]
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ses:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="mailer", PolicyName="mail", PolicyDocument=json.dumps(allowed))
    iam.create_access_key(UserName="mailer")
    time.sleep(1.1)  # Ages are in seconds.

    found = doctor("--key-days", "0")
    assert found.gaps["key-spends"]["evidence"] == [f"{user}: spends on SES; changes SES"]
    assert "spends-and-changes" in found

    off, on = found.repair("key-old")
    run(off)
    assert not {"key-spends", "key-old"} & doctor("--key-days", "0").gaps.keys()

    run(on)
    assert {"key-spends", "key-old"} <= doctor("--key-days", "0").gaps.keys()

    allowed["Statement"][0]["Action"] = "ses:SendEmail"
    iam.put_user_policy(UserName="mailer", PolicyName="mail", PolicyDocument=json.dumps(allowed))
    assert "spends-and-changes" not in doctor()


def test_a_service_in_use_has_no_owner_until_the_policy_file_names_one(doctor, client, tmp_path):
    assert "owner-missing" not in doctor()

    client("cloudwatch").put_metric_data(Namespace="AWS/Bedrock", MetricData=[{"MetricName": "Invocations", "Value": 1}])
    found = doctor()
    assert found.gaps["owner-missing"]["services"] == ["Bedrock"]
    # The emulator takes every account for its organisation's management account.
    assert found.gaps["management-account-spends"]["services"] == ["Bedrock"]

    policy = tmp_path / "tripmeter.toml"
    policy.write_text(found.said["proposal"]["policy"])
    found = doctor("--policy", policy)
    assert "owner-missing" not in found
    assert {used["service"]: used["owner"] for used in found.said["services"]}["Bedrock"] == "TEAM"


def test_production_access_where_no_mail_is_sent_is_said_until_it_is_given_up(doctor, client):
    def put(production):
        client("sesv2", OTHER).put_account_details(
            MailType="MARKETING", WebsiteURL="https://example.com", UseCaseDescription="none",
            ProductionAccessEnabled=production,
        )

    put(True)
    assert OTHER in doctor().gaps["mail-unrestricted"]["regions"]

    put(False)
    assert OTHER not in doctor().gaps.get("mail-unrestricted", {"regions": []})["regions"]


def test_the_detector_is_missing_until_its_stack_is_there_and_a_rule_is_said_when_it_is_disabled(
    doctor, deploy_hub, client, account, run
):
    assert "detector-missing" in doctor()

    hub, _ = deploy_hub(account, HUB, others=[OTHER])
    table = ("--table", hub.outputs["StateTable"])
    found = doctor(*table)
    assert not {"detector-missing", "region-unheard", "rule-missing", "rule-disabled"} & found.gaps.keys()

    rule = hub.resources()["SESReads"]
    client("events").disable_rule(Name=rule)
    found = doctor(*table)
    assert found.gaps["rule-disabled"]["evidence"] == [rule]

    put, disable = found.repair("rule-disabled")
    run(put)
    said = doctor(*table).gaps
    assert "rule-disabled" not in said and rule not in said.get("rule-state", {"evidence": []})["evidence"]

    client("events").enable_rule(Name=rule)
    assert rule in doctor(*table).gaps["rule-state"]["evidence"]

    run(disable)
    assert "rule-disabled" in doctor(*table)

    events = client("events")
    targets = events.list_targets_by_rule(Rule=rule)["Targets"]
    events.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets])
    assert "SESReads" in doctor(*table).gaps["rule-missing"]["evidence"]

    run(put)
    events.put_targets(Rule=rule, Targets=targets)
    assert "rule-missing" not in doctor(*table)


def test_a_canary_is_absent_until_it_flies_and_missed_until_it_is_heard(doctor, deploy_hub, aws, account):
    hub, _ = deploy_hub(account, HUB)
    table = ("--table", hub.outputs["StateTable"])
    assert doctor(*table).gaps["canary-absent"]["regions"] == [HUB]

    canary.fly(aws, hub, 4, heard=False)
    found = doctor(*table)
    assert "canary-absent" not in found and found.gaps["canary-missed"]["regions"] == [HUB]

    canary.fly(aws, hub, 2, heard=True)
    assert "canary-missed" not in doctor(*table)


def test_meters_are_unheard_until_they_tell_the_detector(doctor, deploy_hub, client, account, run):
    hub, _ = deploy_hub(account, HUB)
    budgets = client("budgets")
    budgets.create_budget(
        AccountId=account,
        Budget={
            "BudgetName": "all", "TimeUnit": "DAILY", "BudgetType": "COST", "BudgetLimit": {"Amount": "10", "Unit": "USD"},
        },
        NotificationsWithSubscribers=[{
            "Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 100},
            "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "ops@example.com"}],
        }],
    )
    table = ("--table", hub.outputs["StateTable"])
    found = doctor(*table)
    assert "meters-unheard" in found

    run(found.repair("meters-unheard")[0], SPEND_TOPIC=hub.outputs["SpendTopic"])
    assert not {"meters-unheard", "topic-keeps-out"} & doctor(*table).gaps.keys()


def test_a_region_is_unheard_until_its_forwarder_is_there(doctor, deploy_hub, deploy, account):
    hub, _ = deploy_hub(account, HUB)
    table = ("--table", hub.outputs["StateTable"])
    assert doctor(*table).gaps["region-unheard"]["regions"] == [OTHER]

    deploy(account, OTHER, "infra/forwarder.yaml", "tripmeter-ear", HubBusArn=hub.outputs["HubBusArn"])
    assert "region-unheard" not in doctor(*table)


def test_what_the_emulator_lacks_is_not_looked_at_and_fails_nothing(doctor):
    found = doctor()

    lacking = {note["what"] for note in found.said["not_looked"]}
    assert "ce:GetAnomalyMonitors" in lacking
    assert "cost-monitor-missing" not in found
