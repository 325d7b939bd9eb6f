"""The guard rails: what they stop, whom they leave alone, and that they are short enough to be attached."""

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import cfnlint
import pytest
from stack import ROOT, Stack, source

# The most characters of a service control policy and of a managed one. Source: AWS Organizations User Guide, "Quotas and
# service limits for AWS Organizations"; IAM User Guide, "IAM and AWS STS quotas".
SERVICE_CONTROL, MANAGED = 5_120, 6_144

DEPLOYER = "arn:aws:iam::111122223333:role/deployer"
SOMEBODY = "arn:aws:iam::111122223333:role/admin"
GIVEN = {
    "TargetIds": ["ou-abcd-12345678"],
    "AllowedRegions": ["eu-central-1", "us-east-1"],
    "ExemptPrincipals": ["arn:*:iam::*:role/deployer"],
    "TrailName": "audit",
}


def guardrails(**parameters):
    stack = Stack(source("infra/guardrails.yaml"), GIVEN | parameters, name="guardrails", region="us-east-1")
    policies = {name: properties["Content"] for name, properties in stack.of_type("AWS::Organizations::Policy").items()}
    for name, properties in stack.of_type("AWS::IAM::ManagedPolicy").items():
        policies[name] = properties["PolicyDocument"]
    return policies


def many(value):
    return value if isinstance(value, list) else [value]


def met(operator, asked, values):
    liked = asked is not None and any(fnmatchcase(asked, value) for value in values)
    match operator:
        case "StringNotEquals":
            return asked not in values
        case "ArnLike":
            return liked
        case "ArnNotLike":
            return not liked
    raise NotImplementedError(operator)


def denies(policy, action, resource="*", **context):
    """Whether a statement of the policy denies it; `context` holds condition keys, with _ for the colon."""
    return any(
        any(fnmatchcase(action, pattern) for pattern in many(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in many(statement["Resource"]))
        and all(
            met(operator, context.get(key.replace(":", "_")), many(values))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        for statement in policy["Statement"]
        if statement["Effect"] == "Deny"
    )


@pytest.mark.parametrize("action", ["ses:SendEmail", "bedrock:InvokeModel", "sms-voice:SendTextMessage", "sns:Publish"])
def test_nobody_spends_in_a_region_that_is_not_allowed(action):
    policy = guardrails()["RegionsPolicy"]

    for principal in (SOMEBODY, DEPLOYER):
        assert denies(policy, action, aws_RequestedRegion="ap-south-1", aws_PrincipalArn=principal)
    assert not denies(policy, action, aws_RequestedRegion="eu-central-1", aws_PrincipalArn=SOMEBODY)


def test_what_is_not_watched_is_left_alone_in_every_region():
    policy = guardrails()["RegionsPolicy"]

    assert not denies(policy, "s3:GetObject", aws_RequestedRegion="ap-south-1", aws_PrincipalArn=SOMEBODY)


def test_only_deployers_switch_regions_on():
    policy = guardrails()["RegionsPolicy"]

    assert denies(policy, "account:EnableRegion", aws_RequestedRegion="us-east-1", aws_PrincipalArn=SOMEBODY)
    assert not denies(policy, "account:EnableRegion", aws_RequestedRegion="us-east-1", aws_PrincipalArn=DEPLOYER)


BLINDING = [
    ("cloudtrail:StopLogging", "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"),
    ("events:DisableRule", "arn:aws:events:eu-central-1:111122223333:rule/tripmeter-SESReads-1A2B"),
    ("lambda:PutFunctionConcurrency", "arn:aws:lambda:eu-central-1:111122223333:function:tripmeter-UsageFunction-1A"),
    ("sqs:PurgeQueue", "arn:aws:sqs:eu-central-1:111122223333:tripmeter-UsageQueue-1A"),
    ("sns:Unsubscribe", "arn:aws:sns:eu-central-1:111122223333:tripmeter-FindingsTopic-1A"),
    ("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/security/tripmeter-UsageRole-1A"),
    ("cloudformation:DeleteStack", "arn:aws:cloudformation:eu-central-1:111122223333:stack/tripmeter/1a2b"),
]


@pytest.mark.parametrize("action, resource", BLINDING)
def test_only_deployers_touch_the_detector(action, resource):
    policy = guardrails()["DetectorPolicy"]

    assert denies(policy, action, resource, aws_PrincipalArn=SOMEBODY)
    assert not denies(policy, action, resource, aws_PrincipalArn=DEPLOYER)
    assert not denies(policy, action, resource.replace("tripmeter", "shop").replace("audit", "other"), aws_PrincipalArn=SOMEBODY)


def test_the_detectors_mappings_are_known_by_their_function():
    policy = guardrails()["DetectorPolicy"]

    def denied(function):
        arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{function}"
        return denies(policy, "lambda:UpdateEventSourceMapping", lambda_FunctionArn=arn, aws_PrincipalArn=SOMEBODY)

    assert denied("tripmeter-UsageFunction-1A") and not denied("shop-OrdersFunction-1A")


@pytest.mark.parametrize("name, largest", [("RegionsPolicy", SERVICE_CONTROL), ("DetectorPolicy", SERVICE_CONTROL), ("ContainmentPolicy", MANAGED)])
def test_a_policy_with_long_parameters_is_short_enough(name, largest):
    policies = guardrails(
        AllowedRegions=[f"ap-southeast-{n}" for n in range(20)],
        ExemptPrincipals=[f"arn:*:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Deployment{n}_*" for n in range(3)],
        DetectorStackName="a-rather-long-team-name",
    )

    assert len(json.dumps(policies[name], separators=(",", ":"))) <= largest


def test_an_account_that_is_not_the_management_account_has_the_deny_policy_alone():
    assert set(guardrails(TargetIds="")) == {"ContainmentPolicy"}


def test_the_deny_policy_ends_every_use_of_the_catalogue(catalogue):
    policy = guardrails()["ContainmentPolicy"]
    prefixes = {
        "SES": "ses",
        "SNS": "sns",
        "SMS": "sms-voice",
        "Bedrock": "bedrock",
        "AgentCore": "bedrock-agentcore",
        "BedrockMantle": "bedrock-mantle",
        "ClaudePlatform": "aws-external-anthropic",
        "SageMaker": "sagemaker",
        "WorkMail": "workmail",
        "Cognito": "cognito-idp",
    }
    uses = [row for row in catalogue if row["kind"] == "use" and row["service"] in prefixes]

    assert len(uses) > 30
    for row in uses:
        assert denies(policy, f"{prefixes[row['service']]}:{row['call']}"), row["call"]


@cache
def known_actions():
    """IAM's actions by prefix, in lower case, with the resource types that each can be held to."""
    services = json.loads((Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
    return {prefix: service["Actions"] for prefix, service in services.items()}


def known(action):
    prefix, name = action.lower().split(":")
    return {found: types for found, types in known_actions().get(prefix, {}).items() if fnmatchcase(found, name)}


def actions_in(path):
    return re.findall(r'"([a-z-]+:[A-Za-z]+)"', (ROOT / path).read_text().split("#[cfg(test)]")[0])


def test_every_action_that_is_denied_asked_for_or_looked_for_exists():
    denied = [action for policy in guardrails().values() for statement in policy["Statement"] for action in many(statement["Action"])]
    asked = actions_in("shared/survey/src/calls.rs")
    looked_for = actions_in("shared/doctor/src/powers.rs")

    assert min(len(denied), len(looked_for)) > 40 and len(asked) > 25
    assert {action for action in denied + asked + looked_for if not known(action)} == set()


def test_what_is_denied_on_some_resources_can_be_held_to_resources():
    statements = [statement for statement in guardrails()["DetectorPolicy"]["Statement"] if statement["Resource"] != "*"]
    actions = {action for statement in statements for action in many(statement["Action"])}

    assert {action for action in actions for types in known(action).values() if not types} == set()
