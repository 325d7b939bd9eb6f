"""Every event has a way to a message: the checks of `wiring`, and for each a template that it rejects."""

import copy

import pytest
from stack import Stack
from wiring import ACTIONS, BY_PARAMETER, CHECKS, logs_reach_their_function

KEY = "arn:aws:kms:eu-central-1:111122223333:key/9f8e7d6c"
STACKS = {
    "as it comes": {},
    "with everything": {
        "parameters": {
            "ChatTopic": "yes",
            "RouteAssumedRoles": "yes",
            "NotificationEmail": "dana@example.com",
            "OperationsEmail": "ops@example.com",
            "WatchedRegions": "us-east-1,eu-west-1",
            "KeyArn": KEY,
            "TrailName": "main",
            "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/boundary",
            "RolePath": "/security/",
            "ReservedConcurrency": 5,
            "OrganizationId": "o-a1b2c3d4e5",
            "TrailBucket": "archive",
            "TrailKeyArn": "arn:aws:kms:eu-central-1:555566667777:key/1a2b3c4d",
            "BedrockLogGroup": "/aws/bedrock/invocations",
            "CreateMeters": "yes",
        }
    },
    "of an organisation without a key": {"parameters": {"OrganizationId": "o-a1b2c3d4e5", "TrailBucket": "archive"}},
    "in another partition": {"partition": "aws-cn", "region": "cn-north-1"},
    "by the longest name": {"name": "tripmeter-in-production1"},
}


@pytest.fixture(scope="session", params=STACKS, name="stack")
def _stack(request, translated):
    return Stack(translated, **STACKS[request.param])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_stack_is_connected(stack, check):
    assert list(check(stack)) == []


def test_every_function_is_accounted_for(stack):
    functions = set(stack.of_type("AWS::Lambda::Function"))

    assert functions <= set(ACTIONS) and set(ACTIONS) - functions <= BY_PARAMETER


def test_no_arn_is_of_another_partition(translated):
    stack = Stack(translated, **STACKS["in another partition"])

    assert "arn:aws:" not in str(stack.resources)
    assert "budgets.amazonaws.com" not in str({k: v for k, v in stack.resources.items() if v["Type"] != "AWS::Events::Rule"})
    assert "BedrockMantleUse" not in stack.resources and "SESUse" in stack.resources


def test_a_name_that_is_too_long_would_be_noticed(translated):
    stack = Stack(translated, name="tripmeter-in-a-production-account")

    assert any(list(check(stack)) for check in CHECKS)


def delete(*path):
    def mutate(template):
        *parents, last = path
        node = template["Resources"]
        for key in parents:
            node = node[key]
        del node[last]

    return mutate


def put(value, *path):
    def mutate(template):
        *parents, last = path
        node = template["Resources"]
        for key in parents:
            node = node[key]
        node[last] = value

    return mutate


def properties(*path):
    return (path[0], "Properties", *path[1:])


def statement(role, sid, action):
    """Adds an action to a statement of a role's policy."""

    def mutate(template):
        document = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
        [found] = [one for one in document["Statement"] if one.get("Sid") == sid]
        actions = found["Action"] if isinstance(found["Action"], list) else [found["Action"]]
        found["Action"] = [*actions, action]

    return mutate


# What is broken, how, and what is said of it.
MUTATIONS = [
    ("a rule without target", delete(*properties("SESUse", "Targets")), "SESUse has no target"),
    ("no permission to invoke", delete("ControlPlanePermission"), "IAMChanges may not invoke ControlPlaneFunction"),
    ("no permission for the sweep", delete("NotifyPermission"), "NotifySweep may not invoke NotifyFunction"),
    ("no permission for the canary", delete("CanaryPermission"), "CanaryCalls may not invoke CanaryFunction"),
    ("no policy of the queue", delete("UsageQueuePolicy"), "SESUse may not send to UsageQueue"),
    (
        "a target elsewhere",
        put("arn:aws:sqs:eu-central-1:999988887777:theirs", *properties("SESUse", "Targets", 0, "Arn")),
        "SESUse has a target that is not of this stack",
    ),
    (
        "anybody's rule may invoke",
        put("arn:aws:events:eu-central-1:111122223333:rule/*", *properties("ControlPlanePermission", "SourceArn")),
        "ControlPlanePermission lets in rules of others",
    ),
    (
        "anybody's rule may send",
        delete(*properties("UsageQueuePolicy", "PolicyDocument", "Statement", 0, "Condition")),
        "UsageQueue lets in rules of others",
    ),
    ("no dead letters", delete(*properties("SESReads", "Targets", 0, "DeadLetterConfig")), "SESReads has no dead-letter queue"),
    ("no policy of the dead letters", delete("UndeliveredQueuePolicy"), "may not send to its dead-letter queue"),
    ("no retry policy", delete(*properties("SESReads", "Targets", 0, "RetryPolicy")), "SESReads does not say how often"),
    (
        "no failure destination",
        delete("ControlPlaneFunctionEventInvokeConfig"),
        "ControlPlaneFunction, called by IAMChanges, keeps nothing that it fails on",
    ),
    (
        "whole batches fail",
        delete(*properties("UsageMapping", "FunctionResponseTypes")),
        "UsageMapping fails whole batches",
    ),
    (
        "a large batch without a window",
        delete(*properties("UsageMapping", "MaximumBatchingWindowInSeconds")),
        "UsageMapping has a large batch without a window",
    ),
    ("no limit of scaling", delete(*properties("UsageMapping", "ScalingConfig")), "UsageMapping scales without a limit"),
    ("a short visibility", put(60, *properties("UsageQueue", "VisibilityTimeout")), "UsageQueue shows messages again"),
    ("no redrive", delete(*properties("UsageQueue", "RedrivePolicy")), "UsageQueue has no dead-letter queue"),
    ("given up soon", put(3, *properties("UsageQueue", "RedrivePolicy", "maxReceiveCount")), "UsageQueue gives up too soon"),
    ("no stream", delete(*properties("FindingsTable", "StreamSpecification")), "NotifyMapping reads no stream"),
    (
        "a bad item blocks",
        delete(*properties("NotifyMapping", "BisectBatchOnFunctionError")),
        "NotifyMapping lets one bad item block the others",
    ),
    (
        "retried for ever",
        put(-1, *properties("NotifyMapping", "MaximumRetryAttempts")),
        "NotifyMapping lets one bad item block the others",
    ),
    (
        "no destination of the stream",
        delete(*properties("NotifyMapping", "DestinationConfig")),
        "NotifyMapping keeps nothing that it fails on",
    ),
    ("no filter", delete(*properties("NotifyMapping", "FilterCriteria")), "NotifyMapping does not pass exactly"),
    (
        "a filter that passes nothing",
        put('{"dynamodb":{"NewImage":{"pending":{"S":["yes"]}}}}', *properties("NotifyMapping", "FilterCriteria", "Filters", 0, "Pattern")),
        "NotifyMapping does not pass exactly",
    ),
    (
        "anybody publishes",
        delete(*properties("FindingsTopicPolicy", "PolicyDocument", "Statement", 1)),
        "FindingsTopic can be forged",
    ),
    ("no policy of the topic", delete("FindingsTopicPolicy"), "FindingsTopic refuses notify"),
    (
        "alarms cannot publish",
        delete(*properties("OperationsTopicPolicy", "PolicyDocument", "Statement", 0)),
        "OperationsTopic refuses cloudwatch.amazonaws.com",
    ),
    (
        "budgets cannot publish",
        delete(*properties("OperationsTopicPolicy", "PolicyDocument", "Statement", 1)),
        "OperationsTopic refuses budgets.amazonaws.com",
    ),
    (
        "a key that silences",
        put("alias/aws/sns", *properties("OperationsTopic", "KmsMasterKeyId")),
        "OperationsTopic is encrypted with a key that alarms may not use",
    ),
    (
        "a key without alarms",
        delete(*properties("Key", "KeyPolicy", "Statement", 1)),
        "cloudwatch.amazonaws.com may not use the key of OperationsTopic",
    ),
    ("findings in clear", delete(*properties("FindingsTopic", "KmsMasterKeyId")), "FindingsTopic is not encrypted"),
    (
        "a variable is missing",
        delete(*properties("UsageFunction", "Environment", "Variables", "TRIPMETER_FINDINGS_TABLE")),
        "UsageFunction lacks TRIPMETER_FINDINGS_TABLE",
    ),
    (
        "roles are unknown",
        put("", *properties("UsageFunction", "Environment", "Variables", "TRIPMETER_OWN_ROLES")),
        "UsageFunction does not know the roles of its stack",
    ),
    ("an action too many", statement("UsageRole", "State", "dynamodb:DeleteItem"), "UsageFunction on StateTable"),
    (
        "a resource too many",
        put("*", *properties("CanaryRole", "Policies", 0, "PolicyDocument", "Statement", 1, "Resource")),
        "CanaryFunction on *",
    ),
    ("no path", delete(*properties("UsageRole", "Path")), "UsageRole is not under the path"),
    (
        "another boundary",
        put("arn:aws:iam::aws:policy/Any", *properties("UsageRole", "PermissionsBoundary")),
        "UsageRole has another boundary",
    ),
    ("a table that goes", delete("StateTable", "DeletionPolicy"), "StateTable goes with the stack"),
    ("no protection", delete(*properties("StateTable", "DeletionProtectionEnabled")), "StateTable can be deleted"),
    (
        "no way back",
        delete(*properties("FindingsTable", "PointInTimeRecoverySpecification")),
        "FindingsTable cannot be taken back",
    ),
    ("nothing expires", delete(*properties("StateTable", "TimeToLiveSpecification")), "StateTable forgets nothing"),
    ("a fixed name", put("tripmeter", *properties("StateTable", "TableName")), "StateTable has a name of its own"),
    ("a rule's fixed name", put("tripmeter-ses", *properties("SESUse", "Name")), "SESUse has a name of its own"),
    ("logs elsewhere", delete(*properties("UsageFunction", "LoggingConfig")), "UsageFunction logs into a group"),
    ("logs for ever", delete(*properties("UsageLogs", "RetentionInDays")), "UsageLogs is kept forever"),
    ("a mute alarm", delete(*properties("UsageIsLate", "AlarmActions")), "UsageIsLate tells nobody"),
    ("no alarm of the age", delete("UsageIsLate"), "no alarm watches ApproximateAgeOfOldestMessage"),
    ("no alarm of dead letters", delete("FailedFilled"), "no alarm watches ApproximateNumberOfMessagesVisible"),
    (
        "silence is health",
        put("notBreaching", *properties("NothingIsHeard", "TreatMissingData")),
        "silence is taken for health",
    ),
    ("no alarm of the age of signals", delete("SpendIsLate"), "no alarm watches ApproximateAgeOfOldestMessage of tripmeter-SpendQueue"),
    (
        "budgets are kept out",
        delete(*properties("SpendTopicPolicy", "PolicyDocument", "Statement", 0)),
        "SpendTopic refuses budgets.amazonaws.com",
    ),
    (
        "cost alerts are kept out",
        delete(*properties("SpendTopicPolicy", "PolicyDocument", "Statement", 1)),
        "SpendTopic refuses costalerts.amazonaws.com",
    ),
    ("nobody hears the topic", delete("SpendSubscription"), "SpendTopic reaches somebody else than SpendQueue"),
    (
        "the topic is kept out",
        delete(*properties("SpendQueuePolicy", "PolicyDocument", "Statement", 1)),
        "SpendQueue refuses its topic",
    ),
    ("no permission to read meters", delete("SpendPermission"), "SpendMetrics may not invoke SpendFunction"),
    ("no word", delete(*properties("NotifySweep", "Targets", 0, "Input")), "NotifySweep does not call with its word"),
]


# The same of what only an organisation has.
OF_AN_ORGANISATION = [
    ("no policy of the files' queue", delete("TrailQueuePolicy"), "TrailFiles may not send to TrailQueue"),
    (
        "anybody's rule may tell of files",
        delete(*properties("TrailQueuePolicy", "PolicyDocument", "Statement", 0, "Condition")),
        "TrailQueue lets in rules of others",
    ),
    ("files fail together", delete(*properties("TrailMapping", "FunctionResponseTypes")), "TrailMapping fails whole batches"),
    ("files come back soon", put(60, *properties("TrailQueue", "VisibilityTimeout")), "TrailQueue shows messages again"),
    ("files are lost", delete(*properties("TrailQueue", "RedrivePolicy")), "TrailQueue has no dead-letter queue"),
    ("late files", delete("TrailIsLate"), "no alarm watches ApproximateAgeOfOldestMessage"),
    ("files set aside", delete("TrailDeadLettersFilled"), "no alarm watches ApproximateNumberOfMessagesVisible"),
    ("no alarm of errors", delete("TrailFails"), "no alarm watches Errors"),
    (
        "every bucket",
        put("*", *properties("TrailRole", "Policies", 0, "PolicyDocument", "Statement", 2, "Resource")),
        "TrailFunction on",
    ),
]


@pytest.mark.parametrize("mutate, said", [pytest.param(m, s, id=name) for name, m, s in OF_AN_ORGANISATION])
def test_what_is_not_connected_in_an_organisation_is_noticed(translated, mutate, said):
    template = copy.deepcopy(translated)

    mutate(template)

    stack = Stack(template, {"TrailBucket": "archive"})
    problems = [problem for check in CHECKS for problem in check(stack)]
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize("mutate, said", [pytest.param(m, s, id=name) for name, m, s in MUTATIONS])
def test_what_is_not_connected_is_noticed(translated, mutate, said):
    template = copy.deepcopy(translated)

    mutate(template)

    problems = [problem for check in CHECKS for problem in check(Stack(template))]
    assert any(said in problem for problem in problems), problems


def test_a_log_that_may_not_invoke_is_noticed(translated):
    template = copy.deepcopy(translated)
    del template["Resources"]["InvocationLogPermission"]

    problems = list(logs_reach_their_function(Stack(template, **STACKS["with everything"])))

    assert problems == ["InvocationLogSubscription may not invoke its function"]


def test_each_check_has_a_template_that_it_rejects(translated):
    # That of logs has a test of its own: without a parameter there is no subscription.
    rejecting = {logs_reach_their_function.__name__}
    for _, mutate, _ in MUTATIONS:
        template = copy.deepcopy(translated)
        mutate(template)
        rejecting |= {check.__name__ for check in CHECKS if list(check(Stack(template)))}

    assert rejecting == {check.__name__ for check in CHECKS}
