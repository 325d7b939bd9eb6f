"""The canary: heard, it is content; unheard twice, it says so."""

import pytest

import calls
import episodes
import trail

REGION = "us-east-1"
CALLS = [("ses", "GetAccount"), ("sns", "GetSMSAttributes")]


class Book:
    """The canary's items in the state table, and the time that passes in them."""

    def __init__(self, hub):
        self.dynamodb, self.table = hub.client("dynamodb"), hub.outputs["StateTable"]

    def items(self):
        return [
            item for item in self.dynamodb.query(
                TableName=self.table, KeyConditionExpression="pk = :canary",
                ExpressionAttributeValues={":canary": {"S": "CANARY"}},
            )["Items"] if "sent_at" in item
        ]

    def age(self, minutes):
        """What was sent, was sent so many minutes earlier."""
        for item in self.items():
            earlier = int(item["sent_at"]["N"]) - minutes * 60_000
            self.dynamodb.update_item(
                TableName=self.table, Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression="SET sent_at = :earlier", ExpressionAttributeValues={":earlier": {"N": str(earlier)}},
            )


def own_record(hub, service, name):
    """What CloudTrail records of the canary's call."""
    role = hub.resources()["CanaryRole"]
    return calls.call(service, name, hub.account, hub.region, read_only=True, userIdentity={
        "type": "AssumedRole", "principalId": "AROAEXAMPLE:canary", "accountId": hub.account,
        "arn": f"arn:aws:sts::{hub.account}:assumed-role/{role}/canary", "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "principalId": "AROAEXAMPLE", "accountId": hub.account, "userName": role,
            "arn": f"arn:aws:iam::{hub.account}:role/{role}",
        }},
    })


@pytest.fixture
def rounds(aws, deploy_hub, account):
    """Flies a round, hears of it or not, and lets a quarter of an hour pass."""
    hub, findings = deploy_hub(account, REGION)
    book = Book(hub)

    def rounds(count, heard):
        for _ in range(count):
            aws.fire_schedules(account, REGION, "Canary")
            aws.settle()
            if heard:
                aws.record([trail.envelope(own_record(hub, *call)) for call in CALLS])
                aws.settle()
            book.age(15)
        return episodes.published(findings)

    return rounds


def test_a_canary_that_is_heard_says_nothing(rounds):
    assert rounds(4, heard=True) == []


def test_a_canary_that_is_not_heard_twice_says_that_the_region_is_blind(rounds):
    told = rounds(4, heard=False)

    assert [one["finding_info"]["types"][0] for one in told] == ["DefenseEvasion:Tripmeter/TelemetryLost"]


def test_a_canary_that_is_heard_again_closes_what_it_said(rounds):
    rounds(4, heard=False)

    told = rounds(2, heard=True)

    assert [one["status"] for one in told] == ["Resolved"]
