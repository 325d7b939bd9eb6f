"""The account's meters, from where AWS sends them to a subscriber's queue; and what is missed without each."""

import json
import uuid

import pytest

import episodes
import signals
from mutations import disabled

REGION = "us-east-1"
MEMBER = "444455556666"
LEAKED = "CredentialAccess:IAM/LeakedKey"

# What each event is found as, in which account (or that of the test), and how bad, where nothing else explains it.
FOUND = {
    "alarm-static": ("SpendAlarms", "Impact:SES/SpendSignal", "Medium", None),
    "alarm-band": ("SpendAlarms", "Impact:Bedrock/SpendSignal", "Low", None),
    "cost-anomaly": ("SpendCostAnomalies", "Impact:SMS/SpendSignal", "Medium", MEMBER),
    "guardduty": ("SpendGuardDuty", "Impact:Bedrock/SpendSignal", "Low", None),
    "health-exposed-key": ("SpendHealth", LEAKED, "High", None),
    "mail-stopped": ("SpendMailStanding", "Impact:SES/SpendSignal", "Medium", None),
    "trusted-advisor": ("SpendLimits", "Impact:SES/SpendSignal", "Medium", None),
}


def told(findings):
    """Type, severity and account of each finding that a subscriber has received."""
    return [
        (one["finding_info"]["types"][0], one["severity"], one["cloud"]["account"]["uid"])
        for one in episodes.published(findings)
    ]


@pytest.mark.parametrize("name", FOUND)
def test_a_signal_is_found_and_without_its_rule_it_is_not(aws, deploy_hub, account, name):
    rule, finding, severity, of = FOUND[name]
    hub, findings = deploy_hub(account, REGION)
    _, nothing = deploy_hub(account, REGION, name="deaf", mutate=disabled(rule))

    aws.record([signals.recorded(name, account, REGION)])
    aws.settle()

    assert (finding, severity, of or account) in told(findings)
    assert told(nothing) == []
    assert aws.failures(account) == [] and hub.complaints() == []


def test_a_budget_that_is_exceeded_is_found_by_its_topic(aws, deploy_hub, account):
    hub, findings = deploy_hub(account, REGION)

    signals.notify(hub, "budget")
    aws.settle()

    assert told(findings) == [("Impact:SES/SpendSignal", "Medium", account)]


def test_texts_that_only_their_delivery_shows_are_found_with_what_they_cost(aws, deploy_hub, account):
    _, findings = deploy_hub(account, REGION, CeilingSMSPerHour="50")
    sent = signals.recorded("text-message", account, REGION)
    events = [sent | {"detail": sent["detail"] | {"messageId": str(uuid.uuid4())}} for _ in range(60)]

    # Each is told twice: it is one message.
    aws.record(events + events)
    aws.settle()

    published = episodes.published(findings)
    assert published and "34600000000" not in json.dumps(published)
    assert {one["count"] for one in published} <= set(range(1, 61)), "a message counts once"


def test_mail_that_only_cloudwatch_counts_is_found(aws, deploy_hub, account):
    hub, findings = deploy_hub(account, REGION)

    signals.count_mail(hub, 200_000)
    for _ in range(2):
        aws.fire_schedules(account, REGION, "SpendMetrics")
        aws.settle()

    published = episodes.published(findings)
    assert published and all("AWS/SES Send" in json.dumps(one) for one in published)
    assert hub.complaints() == []
