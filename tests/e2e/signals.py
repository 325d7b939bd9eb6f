"""The account's meters: recorded events as EventBridge and SNS bring them, and counts of CloudWatch."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import trail

RECORDED = Path(__file__).parents[1] / "signals"
# A recorded event for each rule of a meter.
HEARD_BY = {
    "SpendAlarms": "alarm-static",
    "SpendCostAnomalies": "cost-anomaly",
    "SpendGuardDuty": "guardduty",
    "SpendHealth": "health-abuse",
    "SpendLimits": "trusted-advisor",
    "SpendMailStanding": "mail-stopped",
    "SpendMail": "mail-sent",
    "SpendMessages": "text-message",
}


def recorded(name, account, region):
    """A recorded event as if it were sent just now, of this account and region."""
    text = (RECORDED / f"{name}.json").read_text()
    event = json.loads(text.replace("111122223333", account))
    return event | {"id": str(uuid.uuid4()), "time": trail.stamp(datetime.now(UTC)), "region": region}


def notify(stack, name):
    """Publishes a recorded notification to the stack's topic, as AWS Budgets would."""
    notification = json.loads((RECORDED / f"{name}.json").read_text())
    stack.client("sns").publish(
        TopicArn=stack.outputs["SpendTopic"], Subject=notification["Subject"], Message=notification["Message"]
    )


def count_mail(stack, mails):
    """Mail that CloudWatch counts and no record shows: by SMTP."""
    stack.client("cloudwatch").put_metric_data(
        Namespace="AWS/SES", MetricData=[{"MetricName": "Send", "Value": mails, "Timestamp": datetime.now(UTC)}]
    )
