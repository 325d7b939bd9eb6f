"""An organisation: its accounts' calls through forwarders, and their use from the files of its trail."""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta

import calls
import episodes
import trail
from local_aws import PATIENCE
from test_people import push
from trail import ORGANIZATION

HUB, FIRST, SECOND = "eu-central-1", "us-east-1", "ap-southeast-2"

NAMES = """
[accounts]
{member} = "payments-prod"

[[owner]]
name = "Payments"
contact = "payments@example.com"
accounts = ["{member}"]
"""


def opening(account, region):
    """What a thief does before: the logging of model calls off, access to models on."""
    return [
        calls.logging_switched_off(account, region),
        calls.call("bedrock", "PutUseCaseForModelAccess", account, region),
    ]


def use(account, region, count=60):
    """Model calls of the last minutes."""
    began = datetime.now(UTC) - timedelta(seconds=2 * count)
    return [
        calls.call(
            "bedrock", "InvokeModel", account, region, read_only=True,
            eventTime=trail.stamp(began + timedelta(seconds=number)),
            requestParameters={"modelId": "anthropic.claude-opus-4-20250514-v1:0"},
        )
        for number in range(count)
    ]


def places(findings):
    """Where each finding is, by its own account and region."""
    return {(finding["cloud"]["account"]["uid"], finding["cloud"]["region"]) for finding in findings}


def types(findings):
    return {episode.type for episode in episodes.of_findings(findings)}


def ears(deploy, hub, member):
    for region in (FIRST, SECOND):
        deploy(member, region, "infra/forwarder.yaml", "ear", HubBusArn=hub.outputs["HubBusArn"])


def test_an_attack_in_the_second_region_of_the_second_account_is_found_in_the_hub(
    aws, deploy, deploy_hub, account, members, binaries, tmp_path
):
    first, second = members
    hub, findings = deploy_hub(account, HUB, OrganizationId=ORGANIZATION)
    ears(deploy, hub, first)
    ears(deploy, hub, second)
    policy = tmp_path / "tripmeter.toml"
    policy.write_text(NAMES.format(member=second))
    push(binaries, hub, policy)

    aws.record([trail.envelope(record) for record in opening(second, SECOND) + use(second, SECOND)])
    aws.settle()

    found = episodes.published(findings)
    assert places(found) == {(second, SECOND)}
    assert {"DefenseEvasion:Bedrock/GuardrailRemoved", "Impact:Bedrock/Hijack"} <= types(found)
    assert {finding["cloud"]["account"]["name"] for finding in found} == {"payments-prod"}
    assert {finding["unmapped"]["owner"]["name"] for finding in found} == {"Payments"}
    assert aws.failures(account) == [] and hub.complaints() == []


def test_accounts_and_regions_are_kept_apart(aws, deploy, deploy_hub, account, members):
    first, second = members
    hub, findings = deploy_hub(account, HUB, OrganizationId=ORGANIZATION)
    ears(deploy, hub, first)
    ears(deploy, hub, second)
    where = [(account, HUB), (first, FIRST), (second, SECOND)]

    aws.record([trail.envelope(calls.logging_switched_off(*place)) for place in where])
    aws.settle()

    found = episodes.published(findings)
    assert places(found) == set(where)
    assert [episode.count for episode in episodes.of_findings(found)] == [1, 1, 1]


def test_a_bus_lets_no_other_account_in_unless_its_organisation_is_named(aws, deploy, deploy_hub, account, members):
    hub, findings = deploy_hub(account, HUB)
    ears(deploy, hub, members[0])

    handed = aws.record([trail.envelope(calls.logging_switched_off(members[0], SECOND))])
    aws.settle()

    assert [[target["set_aside"] for target in targets] for targets in handed] == [[True]]
    assert episodes.published(findings) == []


def archive(deploy, owner, hub_account):
    return deploy(
        owner, HUB, "infra/archive.yaml", "archive", OrganizationId=ORGANIZATION, ManagementAccountId=owner,
        HubBusArn=f"arn:aws:events:{HUB}:{hub_account}:event-bus/default",
    )


def reading(deploy_hub, account, files, **parameters):
    """A hub that reads these files."""
    organized = {"OrganizationId": ORGANIZATION, "TrailBucket": files.outputs["Bucket"], "TrailKeyArn": files.outputs["KeyArn"]}
    return deploy_hub(account, HUB, **(organized | parameters))


def deliver(files, account, region, records, folder="CloudTrail"):
    """What CloudTrail does: a log file of these records."""
    now = datetime.now(UTC)
    key = f"AWSLogs/{ORGANIZATION}/{account}/{folder}/{region}/{now:%Y/%m/%d}/{account}_{folder}_{region}_{now:%H%M%S%f}.json.gz"
    body = gzip.compress(json.dumps({"Records": records}).encode())
    files.client("s3").put_object(Bucket=files.outputs["Bucket"], Key=key, Body=body)
    return key


def test_use_of_a_member_is_found_from_the_files_of_the_trail(aws, deploy, deploy_hub, account, members):
    keeper, member = members
    files = archive(deploy, keeper, account)
    hub, findings = reading(deploy_hub, account, files)
    deploy(member, SECOND, "infra/forwarder.yaml", "ear", HubBusArn=hub.outputs["HubBusArn"], ForwardUse="no")
    changes = opening(member, SECOND)
    aws.record([trail.envelope(record) for record in changes])
    aws.settle()

    deliver(files, member, SECOND, changes + use(member, SECOND))
    aws.settle()

    found = episodes.published(findings)
    hijack = [finding for finding in found if finding["finding_info"]["types"] == ["Impact:Bedrock/Hijack"]]
    assert places(found) == {(member, SECOND)}
    assert hijack and hijack[-1]["count"] <= 60
    assert aws.failures(account) == [] and hub.complaints() == []


def test_use_that_comes_as_an_event_too_is_judged_from_the_files_alone(aws, deploy, deploy_hub, account, members):
    keeper, member = members
    files = archive(deploy, keeper, account)
    hub, _ = reading(deploy_hub, account, files)
    deploy(member, SECOND, "infra/forwarder.yaml", "ear", HubBusArn=hub.outputs["HubBusArn"], ForwardUse="yes")
    records = use(member, SECOND, count=1)

    handed = aws.record([trail.envelope(record) for record in records])

    assert [[target["target"] for target in targets] for targets in handed] == [[hub.outputs["HubBusArn"]]]


def test_without_forwarders_every_call_is_judged_from_the_files(aws, deploy, deploy_hub, account, members):
    keeper, member = members
    files = archive(deploy, keeper, account)
    _, findings = reading(deploy_hub, account, files, TrailJudges="all")

    deliver(files, member, SECOND, opening(member, SECOND))
    aws.settle()

    assert "DefenseEvasion:Bedrock/GuardrailRemoved" in types(episodes.published(findings))


def test_a_digest_is_not_even_announced_and_a_file_that_may_not_be_read_waits(aws, deploy, deploy_hub, account, members):
    keeper, member = members
    files = archive(deploy, keeper, account)
    hub, findings = reading(deploy_hub, account, files)
    files.client("s3").delete_bucket_policy(Bucket=files.outputs["Bucket"])

    deliver(files, member, SECOND, opening(member, SECOND), folder="CloudTrail-Digest")
    aws.settle()
    assert hub.complaints() == []

    key = deliver(files, member, SECOND, use(member, SECOND))
    deadline = time.monotonic() + PATIENCE
    while not hub.complaints() and time.monotonic() < deadline:
        time.sleep(0.2)

    assert [key in complaint and "AccessDenied" in complaint for complaint in hub.complaints()] == [True]
    queue = hub.client("sqs").get_queue_attributes(QueueUrl=hub.resources()["TrailQueue"], AttributeNames=["All"])
    assert queue["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert episodes.published(findings) == []
