"""An account where all is well, as `aws` would tell of it: answers by call."""

import copy
import json
import time

STACK, REGION, OTHER, ACCOUNT = "tripmeter", "eu-central-1", "us-east-1", "111122223333"
ALL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/tripmeter-UsageQueue-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tripmeter-FindingsTopic-1"
OPERATIONS = f"arn:aws:sns:{REGION}:{ACCOUNT}:tripmeter-OperationsTopic-1"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"
RULES = [
    {"name": "SESReads", "state": ALL, "route": "control-plane", "condition": None, "pattern": {"source": ["a"]}},
    {"name": "SESUse", "state": "ENABLED", "route": "usage", "condition": "UseByEvents", "pattern": {"source": ["b"]}},
    {"name": "SpendHealth", "state": "ENABLED", "route": "spend", "condition": None, "pattern": {"source": ["d"]}},
    # Not deployed, and need not be.
    {"name": "STSRoles", "state": ALL, "route": "control-plane", "condition": "RoutesRoles", "pattern": {"source": ["c"]}},
]
SELECTORS = [
    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
    {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::SES::EmailIdentity"]},
            {"Field": "eventName", "Equals": ["SendEmail", "SendRawEmail"]},
        ]
    },
]
RESOURCES = {
    "ControlPlaneFunction": ("AWS::Lambda::Function", "tripmeter-ControlPlaneFunction-1"),
    "CanaryFunction": ("AWS::Lambda::Function", "tripmeter-CanaryFunction-1"),
    "UsageMapping": ("AWS::Lambda::EventSourceMapping", "mapping-1"),
    "UsageQueue": ("AWS::SQS::Queue", QUEUE),
    "SpendQueue": ("AWS::SQS::Queue", QUEUE.replace("Usage", "Spend")),
    "FailedQueue": ("AWS::SQS::Queue", QUEUE.replace("Usage", "Failed")),
    "SESReads": ("AWS::Events::Rule", "tripmeter-SESReads-1"),
    "SESUse": ("AWS::Events::Rule", "tripmeter-SESUse-1"),
    "SpendHealth": ("AWS::Events::Rule", "tripmeter-SpendHealth-1"),
    "CanaryCalls": ("AWS::Events::Rule", "tripmeter-CanaryCalls-1"),
    "UsageIsLate": ("AWS::CloudWatch::Alarm", "tripmeter-UsageIsLate-1"),
}


def heard(seconds_ago, sent_ago=None):
    """A call of the canary in its book."""
    at = int((time.time() - seconds_ago) * 1000)
    sent = at if sent_ago is None else int((time.time() - sent_ago) * 1000)
    times = {"sent_at": sent, "answered_at": sent + 50, "heard_at": at, "seen_at": at + 90_000, "misses": 0}
    return {name: {"N": str(value)} for name, value in times.items()}


def book(**calls):
    """The answer that holds these calls, `region#call`."""
    return {"Items": [{"pk": {"S": "CANARY"}, "sk": {"S": key}} | item for key, item in calls.items()]}


def told(text):
    """The answer of an alarm's history."""
    return {"AlarmHistoryItems": [{"HistorySummary": text}]}


def well():
    """Answers by call; of a call with further words, those of the longest key that has one of them win. A list is answered
    in turn, the last for ever. An answer that begins with `!` is a refusal."""
    function = {"State": "Active", "LastUpdateStatus": "Successful", "Architectures": ["arm64"], "FunctionArn": "arn:function"}
    alarm = {
        "AlarmName": "tripmeter-UsageIsLate-1", "ActionsEnabled": True, "AlarmActions": [OPERATIONS], "StateValue": "OK",
        "AlarmDescription": "Use waits.",
    }
    rules = [
        {"Name": "tripmeter-SESReads-1", "State": ALL, "EventPattern": json.dumps(RULES[0]["pattern"])},
        {"Name": "tripmeter-SESUse-1", "State": "ENABLED", "EventPattern": json.dumps(RULES[1]["pattern"])},
        {"Name": "tripmeter-SpendHealth-1", "State": "ENABLED", "EventPattern": json.dumps(RULES[2]["pattern"])},
        {"Name": "tripmeter-CanaryCalls-1", "State": "ENABLED"},
    ]
    return copy.deepcopy({
        "cloudformation describe-stacks": {"Stacks": [{
            "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1",
            "StackStatus": "UPDATE_COMPLETE",
            "Parameters": parameters(Architecture="arm64", WatchedRegions=OTHER),
            "Outputs": [
                {"OutputKey": key, "OutputValue": value}
                for key, value in {
                    "UsageQueueUrl": QUEUE, "FindingsTopic": TOPIC, "OperationsTopic": OPERATIONS, "StateTable": "state",
                    "FindingsTable": "findings",
                }.items()
            ],
        }]},
        "cloudformation list-stack-resources": {"StackResourceSummaries": [
            {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical}
            for name, (kind, physical) in RESOURCES.items()
        ]},
        "lambda get-function-configuration": function,
        "lambda get-function-concurrency": {},
        "lambda get-event-source-mapping": {"State": "Enabled"},
        "lambda get-account-settings": {
            "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000},
        },
        "lambda invoke": {"StatusCode": 200},
        "events list-rules": {"Rules": rules},
        "events list-rule-names-by-target arn:function": {"RuleNames": ["tripmeter-SESReads-1"]},
        "events list-rule-names-by-target arn:queue": {"RuleNames": ["tripmeter-SESUse-1", "tripmeter-SpendHealth-1"]},
        "sqs get-queue-attributes QueueArn": {"Attributes": {"QueueArn": "arn:queue"}},
        "sqs get-queue-attributes ApproximateNumberOfMessages": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        "cloudtrail describe-trails": {"trailList": [{"Name": "main", "TrailARN": TRAIL}]},
        "cloudtrail get-trail-status": {"IsLogging": True},
        "cloudtrail get-event-selectors": {"AdvancedEventSelectors": SELECTORS},
        "dynamodb describe-table": {"Table": {"DeletionProtectionEnabled": True}},
        "dynamodb describe-continuous-backups": {"ContinuousBackupsDescription": {
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
        }},
        "dynamodb describe-time-to-live": {
            "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"},
        },
        "dynamodb query": book(**{
            f"{REGION}#ses": heard(600), f"{REGION}#sns": heard(600), f"{OTHER}#ses": heard(600), f"{OTHER}#sns": heard(600),
        }),
        "cloudwatch describe-alarms": {"MetricAlarms": [alarm]},
        "cloudwatch set-alarm-state": {},
        "cloudwatch describe-alarm-history": [told(""), told(f"Successfully executed action {OPERATIONS}")],
        "sns list-subscriptions-by-topic": {"Subscriptions": [
            {"Protocol": "email", "Endpoint": "dana@example.com", "SubscriptionArn": f"{TOPIC}:1"},
        ]},
        "service-quotas get-service-quota": {"Quota": {"Value": 300.0}},
    })


def parameters(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
