"""The canary's rounds: flown when its schedule would, heard or not, a quarter of an hour apart."""

import calls
import trail

CALLS = [("ses", "GetAccount"), ("sns", "GetSMSAttributes")]


def fly(aws, hub, rounds, heard):
    """Flies rounds, hears of each or not, and lets a quarter of an hour pass."""
    book = Book(hub)
    for _ in range(rounds):
        aws.fire_schedules(hub.account, hub.region, "Canary")
        aws.settle()
        if heard:
            aws.record([trail.envelope(own_record(hub, *call)) for call in CALLS])
            aws.settle()
        book.age(15)


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
