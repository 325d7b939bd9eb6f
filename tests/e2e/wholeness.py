"""Whether a deployed detector works from end to end: what a template that lacks anything fails.

Every part is driven from outside, by events on the bus and by the schedules, and seen from outside, in the subscriber's
queue and the tables. `Wholeness.problems` names what does not work.
"""

import json
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

import calls
import episodes
import signals
import trail

# The use of any service here is in a region that is not allowed: found at once, whatever is usual.
PARAMETERS = {"AllowedRegions": "eu-west-1", "ChatTopic": "yes"}
EVERY_MANAGEMENT_EVENT = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def samples(template, account, region):
    """An event for every rule of the template and every source that it hears, by the rule's name."""
    for name, resource in template["Resources"].items():
        pattern = resource["Properties"].get("EventPattern") if resource["Type"] == "AWS::Events::Rule" else None
        if name in signals.HEARD_BY:
            yield name, signals.recorded(signals.HEARD_BY[name], account, region)
            continue
        # Without one it hears files, and no calls.
        for source in pattern["detail"].get("eventSource", []) if pattern else []:
            called = next(one for one in pattern["detail"]["eventName"] if isinstance(one, str))
            read_only = resource["Properties"]["State"] == EVERY_MANAGEMENT_EVENT
            service = source.removesuffix(".amazonaws.com")
            yield name, trail.envelope(calls.call(service, called, account, region, read_only=read_only))


def taken(attempt):
    """Whether AWS does what is attempted, rather than deny it."""
    try:
        attempt()
    except ClientError as refused:
        if refused.response["Error"]["Code"] in ("AuthorizationError", "AccessDenied", "AccessDeniedException"):
            return False
        raise
    return True


def say_plain(request, **_):
    request.headers["x-forwarded-proto"] = "http"


class Wholeness:
    """The checks of one deployed hub, in its own account."""

    def __init__(self, aws, hub, findings, template):
        self.aws, self.hub, self.findings, self.template = aws, hub, findings, template
        self.account, self.region = hub.account, hub.region

    def problems(self):
        """The first check that finds something; none when all is well."""
        checks = [
            # What a signal raises is no finding of its own: signals come before everything that they could raise.
            self.unpublished_signal, self.unread_metric, self.unheard, self.unpublished_change, self.unpublished_use,
            self.unswept, self.unclosed, self.canary_is_quiet,
            self.forgeable, self.plain, self.hub.complaints, self.lost, self.failures,
        ]
        return next((found for found in (check() for check in checks) if found), [])

    def unheard(self):
        """Rules whose events reach nobody."""
        named = list(samples(self.template, self.account, self.region))
        handed = self.aws.record([envelope for _, envelope in named])
        unheard = [
            f"{name} hears no {envelope['detail'].get('eventName', envelope['detail-type'])}"
            for (name, envelope), targets in zip(named, handed, strict=True)
            if len(targets) != 1 or targets[0]["set_aside"]
        ]
        if not unheard:
            self.aws.settle()
            self.findings.read()
        return unheard

    def unpublished_change(self):
        """A control that is removed by somebody new, and nobody is told."""
        return self.expect("change", calls.logging_switched_off(self.account, self.region))

    def unpublished_use(self):
        """Use where none is allowed, and nobody is told."""
        use = calls.call("bedrock", "InvokeModel", self.account, self.region, user="spender", read_only=True)
        return self.expect("use", use)

    def unpublished_signal(self):
        """A budget that is exceeded, told by its topic, and nobody is told."""
        signals.notify(self.hub, "budget")
        self.aws.settle()
        found = any("SpendSignal" in json.dumps(one) for one in self.published())
        return [] if found else ["no finding of a budget is published"]

    def unread_metric(self):
        """Mail that only CloudWatch counts, and nobody is told."""
        signals.count_mail(self.hub, 200_000)
        self.aws.fire_schedules(self.account, self.region, "SpendMetrics")
        self.aws.settle()
        found = any("AWS/SES Send" in json.dumps(one) for one in self.published())
        return [] if found else ["no finding of a metric is published"]

    def expect(self, what, record):
        self.tell(record)
        return [] if self.told(record) else [f"no finding of a {what} is published"]

    def unswept(self):
        """A finding that the stream does not bring, and the sweep does not either."""
        lambda_, mapping = self.hub.client("lambda"), self.hub.resources()["NotifyMapping"]
        record = calls.call("bedrock", "DeleteGuardrail", self.account, self.region, user="unseen")
        lambda_.update_event_source_mapping(UUID=mapping, Enabled=False)
        self.tell(record)
        too_early = self.told(record)
        self.let_wait()
        self.aws.fire_schedules(self.account, self.region)
        self.aws.settle()
        lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)
        return ["the mapping does not stop"] if too_early else [] if self.told(record) else ["the sweep publishes nothing"]

    def let_wait(self):
        """What waits to be published has waited for longer than the stream is given."""
        table, dynamodb = self.hub.outputs["FindingsTable"], self.hub.client("dynamodb")
        waiting = dynamodb.query(
            TableName=table, IndexName="pending", KeyConditionExpression="pending = :yes",
            ExpressionAttributeValues={":yes": {"S": "1"}},
        )["Items"]
        for item in waiting:
            dynamodb.update_item(
                TableName=table, Key={"account": item["account"], "uid": item["uid"]},
                UpdateExpression="SET updated = updated - :minutes", ExpressionAttributeValues={":minutes": {"N": "600"}},
            )

    def unclosed(self):
        """An episode of three days ago that no schedule closes."""
        then = trail.stamp(datetime.now(UTC) - timedelta(days=3))
        record = calls.logging_switched_off(self.account, self.region) | {"eventTime": then}
        record["userIdentity"] |= {"arn": f"arn:aws:iam::{self.account}:user/old", "userName": "old"}
        self.tell(record)
        self.findings.read()
        self.aws.fire_schedules(self.account, self.region)
        self.aws.settle()
        closed = [one for one in self.published() if one["status"] == "Resolved" and record["eventID"] in json.dumps(one)]
        return [] if closed else ["no schedule closes an episode"]

    def canary_is_quiet(self):
        """Calls that the canary should have made by now, and had no answer to."""
        book = self.hub.client("dynamodb").query(
            TableName=self.hub.outputs["StateTable"], KeyConditionExpression="pk = :canary",
            ExpressionAttributeValues={":canary": {"S": "CANARY"}},
        )["Items"]
        answered = {item["sk"]["S"] for item in book if "answered_at" in item}
        return [] if len(answered) >= 2 else [f"the canary had answers from {answered or 'nobody'}"]

    def forgeable(self):
        """Findings that somebody other than the detector may publish."""
        topics = self.hub.client("sns")
        return [
            f"anybody may publish to {name}" for name in ("FindingsTopic", "ChatTopic")
            if taken(lambda: topics.publish(TopicArn=self.hub.outputs[name], Message="forged"))
        ]

    def plain(self):
        """What takes a request that is not encrypted."""
        queues, topics, names = self.hub.client("sqs"), self.hub.client("sns"), self.hub.resources()
        for client in (queues, topics):
            client.meta.events.register("before-send", say_plain)
        attempts = {
            name: lambda url=names[name]: queues.send_message(QueueUrl=url, MessageBody="{}")
            for name in ("UsageQueue", "SpendQueue", "UndeliveredQueue")
        } | {
            name: lambda arn=names[name]: topics.publish(TopicArn=arn, Message="plain")
            for name in ("OperationsTopic", "SpendTopic")
        }
        return [f"{name} takes a request that is not encrypted" for name, attempt in attempts.items() if taken(attempt)]

    def lost(self):
        """Events that cannot be delivered, and are not set aside."""
        function, permission = self.hub.outputs["ControlPlaneFunction"], self.hub.resources()["ControlPlanePermission"]
        self.hub.client("lambda").remove_permission(FunctionName=function, StatementId=permission)
        self.tell(calls.logging_switched_off(self.account, self.region))
        set_aside = self.hub.client("sqs").receive_message(QueueUrl=self.hub.resources()["UndeliveredQueue"])
        return [] if "Messages" in set_aside else ["what cannot be delivered is not set aside"]

    def failures(self):
        return self.aws.failures(self.account)

    def tell(self, record):
        self.aws.record([trail.envelope(record)])
        self.aws.settle()

    def told(self, record):
        return any(record["eventID"] in json.dumps(one) for one in self.published())

    def published(self):
        return episodes.published(self.findings)
