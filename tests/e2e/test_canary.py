"""The canary: heard, it is content; unheard twice, it says so."""

import pytest

import canary
import episodes

REGION = "us-east-1"


@pytest.fixture
def rounds(aws, deploy_hub, account):
    """Flies rounds; what was published of them."""
    hub, findings = deploy_hub(account, REGION)

    def rounds(count, heard):
        canary.fly(aws, hub, count, heard)
        return episodes.published(findings)

    return rounds


def test_a_canary_that_is_heard_says_nothing(rounds):
    assert rounds(4, heard=True) == []


def test_a_canary_that_is_not_heard_twice_says_that_the_region_is_blind(rounds):
    told = rounds(4, heard=False)

    assert [one["finding_info"]["types"][0] for one in told] == ["DefenseEvasion:Tripmeter/TelemetryLost"]


def test_a_canary_that_is_heard_again_closes_what_it_said(rounds):
    rounds(4, heard=False)

    told = rounds(2, heard=True)

    assert [one["status"] for one in told] == ["Resolved"]
