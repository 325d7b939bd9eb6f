"""The organisation's trail: who writes its files, who reads them, and how the hub hears of each."""

import pytest
from matcher import matches
from policy import allows
from stack import ACCOUNT, Stack, source, translate
from wiring import (
    nothing_has_a_fixed_name,
    only_rules_of_this_stack_are_let_in,
    roles_obey_the_organisation,
    rules_reach_their_targets,
    what_cannot_be_delivered_is_kept,
)

HUB, MANAGEMENT, MEMBER = "999988887777", "222233334444", "444455556666"
BUS = f"arn:aws:events:eu-central-1:{HUB}:event-bus/default"
READER = f"arn:aws:iam::{HUB}:role/security/tripmeter-TrailRole-1A2B3C"
TRAIL = f"arn:aws:cloudtrail:eu-central-1:{MANAGEMENT}:trail/tripmeter-trail-Trail-1A2B3C"
ORGANIZATION = "o-a1b2c3d4e5"
CHECKS = [
    nothing_has_a_fixed_name,
    only_rules_of_this_stack_are_let_in,
    roles_obey_the_organisation,
    rules_reach_their_targets,
    what_cannot_be_delivered_is_kept,
]


def archive(**parameters):
    given = {"HubBusArn": BUS, "OrganizationId": ORGANIZATION, "ManagementAccountId": MANAGEMENT}
    return Stack(source("infra/archive.yaml"), given | parameters, name="archive")


def hub(**parameters):
    return Stack(translate(source()), parameters)


def created(bucket, key):
    """What S3 says: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>"""
    return {
        "version": "0",
        "id": "17793124",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "region": "eu-central-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 5}, "reason": "PutObject"},
    }


def log(folder="CloudTrail"):
    return f"AWSLogs/{ORGANIZATION}/{MEMBER}/{folder}/eu-west-1/2026/03/03/{MEMBER}_{folder}_eu-west-1_x.json.gz"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("parameters", [{}, {"ExistingBucket": "ours", "RolePath": "/security/"}], ids=["own", "existing"])
def test_the_archive_is_connected(check, parameters):
    assert list(check(archive(**parameters))) == []


def test_the_hubs_function_reads_files_and_nobody_else_of_its_account_does():
    stack = archive()
    bucket = stack.resources["FilesPolicy"]["Properties"]["PolicyDocument"]
    key = stack.resources["Key"]["Properties"]["KeyPolicy"]
    others = [f"arn:aws:iam::{HUB}:role/tripmeter-UsageRole-1A2B3C", READER.replace(HUB, MEMBER)]

    for document, action, resource in [
        (bucket, "s3:GetObject", f"{stack.arn('Files')}/{log()}"),
        (bucket, "s3:GetObjectVersion", f"{stack.arn('Files')}/{log()}"),
        (key, "kms:Decrypt", "*"),
    ]:
        assert allows(document, action, resource, READER, aws_PrincipalArn=READER)
        assert not any(allows(document, action, resource, other, aws_PrincipalArn=other) for other in others)
    file = f"{stack.arn('Files')}/{log()}"
    assert not allows(bucket, "s3:PutObject", file, READER, aws_PrincipalArn=READER)
    assert not allows(bucket, "s3:GetObject", file, READER, aws_PrincipalArn=READER, aws_SecureTransport="false")


def test_only_the_organisations_trail_writes_files():
    stack = archive()
    document = stack.resources["FilesPolicy"]["Properties"]["PolicyDocument"]
    file = f"{stack.arn('Files')}/{log()}"
    by_trail = {"aws_SourceArn": TRAIL, "s3_x-amz-acl": "bucket-owner-full-control"}

    assert allows(document, "s3:PutObject", file, "cloudtrail.amazonaws.com", **by_trail)
    for other in [by_trail | {"aws_SourceArn": TRAIL.replace(MANAGEMENT, MEMBER)}, by_trail | {"s3_x-amz-acl": "private"}]:
        assert not allows(document, "s3:PutObject", file, "cloudtrail.amazonaws.com", **other)
    elsewhere = file.replace(ORGANIZATION, "o-9z8y7x6w5v")
    assert not allows(document, "s3:PutObject", elsewhere, "cloudtrail.amazonaws.com", **by_trail)


@pytest.mark.parametrize("existing", ["", "aws-controltower-logs-555566667777-eu-central-1"])
def test_the_hub_hears_of_each_log_file_and_of_nothing_else(existing):
    keeper = archive(ExistingBucket=existing)
    bucket = keeper.outputs["Bucket"]
    reader = hub(TrailBucket=bucket)
    rules = [keeper.resources["FileCreated"], reader.resources["TrailFiles"]]
    patterns = [rule["Properties"]["EventPattern"] for rule in rules]

    heard = [created(bucket, log()), created(bucket, "all/" + log().replace(f"{ORGANIZATION}/", ""))]
    unheard = [
        created(bucket, log("CloudTrail-Digest")),
        created(bucket, log("CloudTrail-Insight")),
        created(bucket, f"AWSLogs/{MEMBER}/elasticloadbalancing/x.log.gz"),
        created("another", log()),
        created(bucket, log()) | {"source": "mallory"},
        created(bucket, log()) | {"detail-type": "Object Deleted"},
    ]
    assert all(matches(pattern, event) for pattern in patterns for event in heard)
    assert not any(matches(pattern, event) for pattern in patterns for event in unheard)
    assert bucket == (existing or keeper.physical("Files"))


def test_of_use_one_source_counts():
    def to_usage(stack):
        rules = stack.of_type("AWS::Events::Rule").items()
        return {key for key, rule in rules if stack.arn("UsageQueue") in str(rule["Targets"])}

    by_events, by_files = hub(), hub(TrailBucket="archive")

    assert {"SESUse", "BedrockManagementUse"} <= to_usage(by_events) and "TrailFiles" not in by_events.resources
    assert to_usage(by_files) == set() and "TrailFiles" in by_files.resources


def test_the_bus_lets_in_the_organisation_alone():
    policy = hub(OrganizationId=ORGANIZATION).resources["OrganizationMaySend"]["Properties"]
    document = {"Statement": [policy["Statement"]]}
    bus = policy["Statement"]["Resource"]
    sender = f"arn:aws:iam::{MEMBER}:role/ear-ForwardRole-1A2B3C"

    assert policy["EventBusName"] == "default" and bus == f"arn:aws:events:eu-central-1:{ACCOUNT}:event-bus/default"
    assert allows(document, "events:PutEvents", bus, sender, aws_PrincipalOrgID=ORGANIZATION)
    assert not allows(document, "events:PutEvents", bus, sender, aws_PrincipalOrgID="o-9z8y7x6w5v")
    assert not allows(document, "events:PutRule", bus, sender, aws_PrincipalOrgID=ORGANIZATION)
    assert "OrganizationMaySend" not in hub().resources


def test_the_trail_of_an_organisation_writes_into_its_bucket_and_makes_none():
    key = "arn:aws:kms:eu-central-1:555566667777:key/1a2b3c4d"
    parameters = {"ManagementEvents": "yes", "OrganizationBucket": "archive", "KeyArn": key}
    stack = Stack(source("infra/trail.yaml"), parameters)
    trail = stack.resources["Trail"]["Properties"]

    assert (trail["IsOrganizationTrail"], trail["S3BucketName"], trail["KMSKeyId"]) == (True, "archive", key)
    assert set(stack.resources) == {"Trail"} and stack.outputs["Bucket"] == "archive"
