"""The emulator with its side of AWS: what it refuses, which a template has to get right."""

from pathlib import Path

import pytest

from stack import read_template

HERE = Path(__file__).parent
REGION = "eu-west-1"


@pytest.fixture(scope="session")
def binaries():
    return {"stand-in": HERE / "stand_in.py"}


def event(account, name, service="ses", read_only=False, region=REGION, **detail):
    return {
        "version": "0", "id": name, "detail-type": "AWS API Call via CloudTrail", "source": f"aws.{service}",
        "account": account, "time": "2026-03-17T03:14:00Z", "region": region, "resources": [],
        "detail": {
            "eventSource": f"{service}.amazonaws.com", "eventID": name, "readOnly": read_only,
            "eventCategory": "Management", **detail,
        },
    }


def stored(stack):
    table = stack.resources()["Table"]
    items = stack.client("dynamodb").scan(TableName=table)["Items"]
    return {item["pk"]["S"]: item for item in items}


def template_without(*names):
    template = read_template(HERE / "stand_in.yaml")
    for name in names:
        del template["Resources"][name]
    return template


def test_an_event_travels_from_the_bus_through_queue_and_function_to_the_table(aws, deploy, account):
    stack = deploy(account, REGION, "tests/e2e/stand_in.yaml")

    aws.record([event(account, f"use-{n}", "bedrock") for n in range(30)] + [event(account, "change")])
    aws.settle()

    items = stored(stack)
    assert len(items) == 31
    # The window gathers: not thirty invocations, nor batches of ten.
    assert items["use-0"]["batch"]["N"] == "30"


def test_a_read_only_management_event_needs_the_state_that_asks_for_it(aws, deploy, account):
    stack = deploy(account, REGION, "tests/e2e/stand_in.yaml")

    aws.record([event(account, "heard", "bedrock", read_only=True), event(account, "unheard", read_only=True)])
    aws.record([event(account, "data", read_only=True, eventCategory="Data")])
    aws.settle()

    assert set(stored(stack)) == {"heard", "data"}


@pytest.mark.parametrize(("missing", "unheard"), [("QueuePolicy", "use"), ("ChangesPermission", "change")])
def test_a_rule_hands_over_only_what_it_may(aws, deploy, account, missing, unheard):
    stack = deploy(account, REGION, template_without(missing))

    aws.record([event(account, "use", "bedrock"), event(account, "change")])
    aws.settle()

    assert set(stored(stack)) == {"use", "change"} - {unheard}


def template_whose_role_may_not(action):
    template = read_template(HERE / "stand_in.yaml")
    policy = template["Resources"]["Function"]["Properties"]["Policies"][0]
    policy["Statement"] = [one for one in policy["Statement"] if action not in one["Action"]]
    return template


def test_a_function_does_only_what_its_role_may(aws, deploy, account):
    stack = deploy(account, REGION, template_whose_role_may_not("dynamodb:PutItem"))

    aws.record([event(account, "change")])
    aws.settle()

    assert stored(stack) == {}


@pytest.mark.parametrize("action", ["sqs:ReceiveMessage", "sqs:SendMessage"])
def test_a_stack_is_refused_whose_role_does_not_suffice(deploy, account, action):
    template = template_whose_role_may_not(action)

    with pytest.raises(RuntimeError, match=f"may not {action}"):
        deploy(account, REGION, template)


def test_what_a_function_refuses_three_times_goes_where_its_failures_go(aws, deploy, account):
    stack = deploy(account, REGION, "tests/e2e/stand_in.yaml")

    aws.record([event(account, "bad", poison=True), event(account, "good")])
    aws.settle()

    letters = stack.client("sqs").receive_message(QueueUrl=stack.resources()["Letters"], MaxNumberOfMessages=10)
    assert set(stored(stack)) == {"good"}
    assert len(letters["Messages"]) == 1 and "poison" in letters["Messages"][0]["Body"]
    assert len(aws.failures(account)) == 1


def test_a_schedule_fires_when_it_is_told(aws, deploy, account):
    stack = deploy(account, REGION, "tests/e2e/stand_in.yaml")

    aws.fire_schedules(account, REGION)
    aws.settle()

    assert set(stored(stack)) == {"Scheduled Event"}


def test_nobody_puts_an_event_of_aws_on_a_bus(deploy, account):
    stack = deploy(account, REGION, "tests/e2e/stand_in.yaml")

    answer = stack.client("events").put_events(Entries=[{"Source": "aws.ses", "DetailType": "x", "Detail": "{}"}])

    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_two_accounts_do_not_hear_each_other(aws, deploy, account):
    here, there = deploy(account, REGION, "tests/e2e/stand_in.yaml"), deploy("999999999999", REGION, "tests/e2e/stand_in.yaml")

    aws.record([event(account, "change")])
    aws.settle()

    assert set(stored(here)) == {"change"}
    assert stored(there) == {}
