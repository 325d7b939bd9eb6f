"""CloudTrail's part: records as the envelopes in which EventBridge delivers them."""

import itertools
import json
import random
import subprocess
from datetime import UTC, datetime, timedelta

SIGN_IN = "AWS Console Sign In via CloudTrail"
SERVICE_EVENT = "AWS Service Event via CloudTrail"
API_CALL = "AWS API Call via CloudTrail"
# Every account is in it.
ORGANIZATION = "o-a1b2c3d4e5"


def scenario(binary, name, account, seed=1):
    """The records of a recorded attack or of benign weeks, oldest first, as if they were of this account."""
    shown = subprocess.run(
        [binary, "show", name, "--seed", str(seed)], capture_output=True, check=True, text=True
    ).stdout
    recorded = json.loads(shown[:shown.index("\n")])["recipientAccountId"]
    records = map(json.loads, shown.replace(recorded, account).splitlines())
    return sorted(records, key=lambda record: record["eventTime"])


def envelope(record):
    """<https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html>"""
    kind = {"AwsConsoleSignIn": SIGN_IN, "AwsServiceEvent": SERVICE_EVENT}.get(record.get("eventType"), API_CALL)
    return {
        "version": "0",
        # EventBridge's own id: not CloudTrail's, and another one at every delivery.
        "id": f"{random.getrandbits(128):032x}",
        "detail-type": kind,
        "source": "aws." + record["eventSource"].removesuffix(".amazonaws.com"),
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


def shuffled(records, within, seed):
    """The records in an order in which none is later than the bound: each is late by up to `within`."""
    dice = random.Random(seed)
    late = [(moment(record) + within * dice.random(), dice.random(), record) for record in records]
    return [record for _, _, record in sorted(late, key=lambda one: one[:2])]


def doubled(records, share, seed):
    """The records, some of them twice."""
    dice = random.Random(seed)
    return [copy for record in records for copy in [record] * (2 if dice.random() < share else 1)]


def moment(record):
    return datetime.fromisoformat(record["eventTime"])


def moved(records, to):
    """The same records, so many days later that the last one falls in the day before `to`: hours stay hours."""
    days = (to - max(map(moment, records))) // timedelta(days=1)
    return [record | {"eventTime": stamp(moment(record) + timedelta(days=days))} for record in records]


def stamp(time):
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_hours(records, hours):
    """The records in chunks, each of which takes the newest event at most so many hours further.

    What is in one chunk may be under way at once.
    """
    newest = itertools.accumulate((int(moment(record).timestamp()) for record in records), max)
    timed = zip(newest, records, strict=True)
    return [
        [record for _, record in chunk] for _, chunk in itertools.groupby(timed, key=lambda one: one[0] // (hours * 3600))
    ]


def write(records, path):
    """Writes the records a line each; returns the path."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
