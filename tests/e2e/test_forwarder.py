"""A hub elsewhere hears through the forwarder what is recorded in us-east-1 alone."""

import pytest

import calls
import episodes
import trail

HUB, GLOBAL = "eu-central-1", "us-east-1"

ONLY_THERE = [
    ("account", "EnableRegion", {"RegionName": "ap-south-2"}),
    ("iam", "CreateAccessKey", {"userName": "ci"}),
    ("budgets", "DeleteBudget", {"accountId": "", "budgetName": "monthly"}),
]


@pytest.mark.parametrize(("service", "name", "parameters"), ONLY_THERE)
def test_what_is_recorded_in_one_region_alone_reaches_the_hub(
    aws, deploy_hub, account, service, name, parameters
):
    _, findings = deploy_hub(account, HUB, [GLOBAL])
    record = calls.call(service, name, account, GLOBAL, requestParameters=parameters)

    aws.record([trail.envelope(record)])
    aws.settle()

    told = episodes.published(findings)
    assert [one["cloud"]["account"]["uid"] for one in told] == [account]
    assert [one["cloud"]["region"] for one in told] == [GLOBAL]


def test_without_the_forwarder_the_hub_is_deaf_to_other_regions(aws, deploy_hub, account):
    _, findings = deploy_hub(account, HUB)

    handed = aws.record([trail.envelope(calls.call("account", "EnableRegion", account, GLOBAL))])
    aws.settle()

    assert handed == [[]] and episodes.published(findings) == []
