"""How long a finding takes from the bus to its subscriber, on this machine.

What it leaves out: CloudTrail's own delay until the event is on the bus, which the canary measures in an account.
"""

import time

import pytest

import calls
import episodes
import trail
from wholeness import PARAMETERS

REGION = "us-east-1"
FINDINGS = 40
SECONDS_BETWEEN = 0.25
# Use waits for its batch: this is the parameter's default.
WINDOW_SECONDS = 5


def use(account, user):
    return calls.call("bedrock", "InvokeModel", account, REGION, user=user, read_only=True)


def change(account, user):
    return calls.call("bedrock", "DeleteModelInvocationLoggingConfiguration", account, REGION, user=user)


@pytest.mark.parametrize(("path", "bound_seconds"), [(change, 5), (use, WINDOW_SECONDS + 5)])
def test_a_finding_reaches_its_subscriber_within_seconds(aws, deploy_hub, account, capsys, path, bound_seconds):
    _, findings = deploy_hub(account, REGION, BatchWindowSeconds=str(WINDOW_SECONDS), **PARAMETERS)
    put = {}

    for nth in range(FINDINGS):
        record = path(account, f"mallory-{nth}")
        put[record["eventID"]] = time.time()
        aws.record([trail.envelope(record)])
        time.sleep(SECONDS_BETWEEN)
    aws.settle(hurry=False)

    # An event may be the cause of several findings: the last counts.
    last = {event: at for at, finding in episodes.arrivals(findings) for event in episodes.events(finding)}
    took = sorted(last[event] - at for event, at in put.items())
    p50, p95 = took[FINDINGS // 2], took[FINDINGS * 95 // 100]
    with capsys.disabled():
        print(f"\nfrom put to finding, {path.__name__}: p50 {p50:.2f} s, p95 {p95:.2f} s, longest {took[-1]:.2f} s")
    assert p95 < bound_seconds
