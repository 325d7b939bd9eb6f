"""What a stack is to its neighbours: forged events, another stack beside it, and what is left of it."""

import calls
import episodes
import trail

REGION = "us-east-1"


def test_a_forged_event_reaches_no_function(aws, deploy_hub, account):
    hub, findings = deploy_hub(account, REGION)
    genuine = trail.envelope(calls.logging_switched_off(account, REGION))
    forged = [genuine | {"source": source} for source in ["mallory", "com.mallory.aws.bedrock", "aws", "AWS.bedrock"]]

    handed = aws.record(forged)
    aws.settle()

    assert handed == [[]] * len(forged)
    assert episodes.published(findings) == []
    # The one source that is heard is one that nobody but AWS can put.
    entry = {"Source": "aws.bedrock", "DetailType": genuine["detail-type"], "Detail": "{}"}
    refused = hub.client("events").put_events(Entries=[entry])["Entries"][0]
    assert refused["ErrorCode"] == "NotAuthorizedForSourceException"
    assert aws.record([genuine]) != [[]]
    aws.settle()


def test_two_stacks_live_side_by_side(aws, deploy_hub, account):
    hubs = [deploy_hub(account, REGION, name=name) for name in ["tripmeter", "tripmeter-staging"]]

    handed = aws.record([trail.envelope(calls.logging_switched_off(account, REGION))])
    aws.settle()

    assert len(handed[0]) == 2
    told = [episodes.of_findings(episodes.published(findings)) for _, findings in hubs]
    assert len(told[0]) == 1 and told[0] == told[1]
    names = [set(hub.resources().values()) for hub, _ in hubs]
    assert names[0].isdisjoint(names[1])


def test_what_is_left_of_a_deleted_stack_is_its_tables(deploy_hub, account):
    hub, _ = deploy_hub(account, REGION, ChatTopic="yes", NotificationEmail="owner@example.com")
    tables = {hub.outputs["StateTable"], hub.outputs["FindingsTable"]}

    hub.delete()

    assert set(hub.client("dynamodb").list_tables()["TableNames"]) == tables
    assert hub.client("lambda").list_functions()["Functions"] == []
    assert hub.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []
    assert hub.client("events").list_rules()["Rules"] == []
    assert hub.client("sns").list_topics()["Topics"] == []
    assert hub.client("iam").list_roles()["Roles"] == []
    assert hub.client("logs").describe_log_groups(logGroupNamePrefix="/aws/cloudformation")["logGroups"] == []
    assert hub.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    # What is left of the queues is the subscriber's own.
    assert len(hub.client("sqs").list_queues()["QueueUrls"]) == 1
    keys = hub.client("kms").list_keys()["Keys"]
    states = [hub.client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] for key in keys]
    assert states == ["PendingDeletion"]
