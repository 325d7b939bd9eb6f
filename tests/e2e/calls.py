"""Single calls, as CloudTrail records them."""

import uuid
from datetime import UTC, datetime

import trail


def call(service, name, account, region, *, user="mallory", read_only=False, category="Management", **more):
    """A call that succeeded just now, by an IAM user with a long-term key."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": f"arn:aws:iam::{account}:user/{user}",
            "accountId": account, "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": user,
        },
        "eventTime": trail.stamp(datetime.now(UTC)),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "Boto3/1.40.2",
        "requestParameters": None,
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": category == "Management",
        "recipientAccountId": account,
        "eventCategory": category,
    } | more


def logging_switched_off(account, region):
    """The shortest attack that is found at once, in an account that is not known yet: a control is removed."""
    return call("bedrock", "DeleteModelInvocationLoggingConfiguration", account, region)
