"""A hub elsewhere hears through the forwarder what is recorded in us-east-1 alone."""

import pytest

import calls
import trail

HUB, GLOBAL = "eu-central-1", "us-east-1"

ONLY_THERE = [
    ("account", "EnableRegion", {"RegionName": "ap-south-2"}),
    ("iam", "CreateAccessKey", {"userName": "ci"}),
    ("budgets", "DeleteBudget", {"budgetName": "monthly"}),
]


def ledger(hub, account):
    """The openings that the hub knows of an account."""
    return [
        item["body"]["B"] for item in hub.client("dynamodb").query(
            TableName=hub.outputs["StateTable"], KeyConditionExpression="pk = :ledger",
            ExpressionAttributeValues={":ledger": {"S": f"LEDGER#{account}"}},
        )["Items"]
    ]


@pytest.mark.parametrize(("service", "name", "parameters"), ONLY_THERE)
def test_what_is_recorded_in_one_region_alone_reaches_the_hub(aws, deploy_hub, account, service, name, parameters):
    hub, _ = deploy_hub(account, HUB, [GLOBAL])
    record = calls.call(service, name, account, GLOBAL, requestParameters=parameters)

    aws.record([trail.envelope(record)])
    aws.settle()

    (opening,) = ledger(hub, account)
    assert name.encode() in opening and GLOBAL.encode() in opening and HUB.encode() not in opening


def test_without_the_forwarder_the_hub_is_deaf_to_other_regions(aws, deploy_hub, account):
    hub, _ = deploy_hub(account, HUB)

    handed = aws.record([trail.envelope(calls.call("account", "EnableRegion", account, GLOBAL))])
    aws.settle()

    assert handed == [[]] and ledger(hub, account) == []
